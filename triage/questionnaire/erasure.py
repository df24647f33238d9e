"""Making sure that what was deleted is gone from the files too."""

import structlog
from django.db import OperationalError, connection

log = structlog.get_logger("triage.erasure")


def overwrite() -> bool:
    """Leave no copy of a deleted row in a file of ours; False if another reader was in the way.

    SQLite's `secure_delete` zeroes the row in its page, but older copies of the page stay in the
    write-ahead log until it is written back and cut to nothing. On Postgres the freed pages, the
    log and the backups are the deployer's.
    """
    if connection.vendor != "sqlite":
        return True
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy: int = cursor.fetchone()[0]
    except OperationalError:
        busy = 1
    if busy:
        log.warning("log_not_overwritten")
    return not busy
