"""The files that SQLite keeps, and what stands in them."""

from pathlib import Path

import pytest
from django.db import connection

sqlite_only = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="on Postgres the files are the deployer's"
)


def files() -> bytes:
    """The file of the database, and its log of what was written."""
    place = Path(str(connection.settings_dict["NAME"]))
    there = [place, *place.parent.glob(f"{place.name}-*")]
    return b"".join(path.read_bytes() for path in there if path.exists())


def copies(word: str) -> int:
    """How often a word stands in them."""
    return files().count(word.encode())
