"""What `check --deploy` says about the machine beneath us."""

import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

WAL_RESET_FIXED = (3, 51, 3)  # https://sqlite.org/wal.html#walresetbug


@register(Tags.database, deploy=True)
def sqlite_can_keep_what_it_acknowledged(**_: Any) -> list[CheckMessage]:
    uses_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if (
        not uses_sqlite
        or sqlite3.sqlite_version_info >= WAL_RESET_FIXED
        or settings.SQLITE_WAL_RISK_ACCEPTED
    ):
        return []
    return [
        Error(
            f"SQLite {sqlite3.sqlite_version} can damage its file when two connections"
            " checkpoint at once.",
            hint="Use SQLite 3.51.3 or newer, or PostgreSQL, or, where the library was patched,"
            " set SQLITE_WAL_RISK_ACCEPTED=1.",
            id="triage.E001",
        )
    ]
