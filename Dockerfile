# syntax=docker/dockerfile:1

FROM ghcr.io/astral-sh/uv:0.13.9 AS uv

FROM debian:trixie-slim AS build
# uv's own Python, not Debian's: it brings a SQLite without the WAL fault that triage/checks.py names.
ENV UV_PYTHON_INSTALL_DIR=/opt/python \
    UV_CACHE_DIR=/var/cache/uv \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
COPY --from=uv /uv /usr/local/bin/uv
RUN uv venv --python 3.13 --managed-python /opt/venv
WORKDIR /app
COPY requirements/run.txt requirements/run.txt
RUN --mount=type=cache,target=/var/cache/uv \
    uv pip sync --require-hashes --python /opt/venv requirements/run.txt
COPY . .
ENV PATH=/opt/venv/bin:$PATH STATIC_ROOT=/app/var/static
# Also proves that the settings are fit for a deployment; the image keeps none of these values.
RUN export SECRET_KEY=only-while-building-fifty-characters-long-0123456789-abcdef \
        ALLOWED_HOSTS=build.example OPERATOR=build COMPLAINTS=build \
    && python manage.py catalogues --compile \
    && python manage.py collectstatic --no-input --verbosity 0 \
    && python manage.py check --deploy --fail-level WARNING \
    && python -m compileall -q triage

FROM debian:trixie-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    STATIC_ROOT=/app/var/static
COPY --from=build /opt/python /opt/python
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
# Code and packages belong to root; the service can write to /data and to nothing else.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import os, urllib.request as r; host = os.environ['ALLOWED_HOSTS'].split(',')[0].strip().lstrip('.'); r.urlopen(r.Request('http://127.0.0.1:8000/healthz', headers={'Host': host}), timeout=4)"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "triage.wsgi"]
