"""A checker of our own, in a folder that goes away: database, content, static files."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import django
from django.core.management import call_command


@contextmanager
def set_up(settings: str, database: str = "") -> Iterator[Path]:
    """Set everything up as `dev.py run` does, with these settings; without a database on SQLite."""
    with tempfile.TemporaryDirectory(prefix="triage-bench-") as folder:
        os.environ.pop("SECRET_KEY_FILE", None)
        os.environ.update(
            DATABASE_URL=database,
            DATA_DIR=folder,
            DEBUG_HTTP="1",
            DJANGO_SETTINGS_MODULE=settings,
            STATIC_ROOT=str(Path(folder) / "static"),
            SECRET_KEY=secrets.token_urlsafe(50),  # the same for the servers started from here
        )
        django.setup()
        call_command("migrate", verbosity=0, run_syncdb=True)
        call_command("set_up_demonstration", stdout=StringIO())
        call_command("collectstatic", verbosity=0, interactive=False)
        yield Path(folder)
