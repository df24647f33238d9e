"""What gunicorn serves: the checker, and under /bare/ what it is measured against."""

from collections.abc import Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from triage.wsgi import application as the_checker

from ._requests import Application

BARE_MIDDLEWARE = [
    "bench.bare.views.bare_urls",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

checker: Application = the_checker
with override_settings(MIDDLEWARE=BARE_MIDDLEWARE):
    bare_views: Application = WSGIHandler()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    serve = bare_views if environ["PATH_INFO"].startswith("/bare/") else checker
    return serve(environ, start_response)
