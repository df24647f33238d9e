"""The shipped content in every test database, published, and what goes with releases for good."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from triage.content import knowledge
from triage.content.demonstration import set_up
from triage.content.fixtures import document_of
from triage.content.models import Release
from triage.content.releases import live_release
from triage.engine import Knowledge

TOPIC = "back-lump"


@pytest.fixture(scope="session")
def shipped() -> Knowledge:
    """The shipped content, straight from its fixtures: no database."""
    return knowledge.knowledge_from(document_of(settings.BASE_DIR / "fixtures" / TOPIC))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Every database starts with the shipped content, published as a demonstration."""
    with django_db_blocker.unblock():
        set_up()
        knowledge.content_of(live_release(TOPIC).pk)


@pytest.fixture
def release(db: None) -> Release:
    """The demonstration release; made again where a test before emptied the tables."""
    set_up()
    return live_release(TOPIC)


@pytest.fixture(autouse=True)
def forget_what_was_rolled_back() -> Iterator[None]:
    """Releases are compiled for good; but in tests the next one can bear the same id."""
    before = set(knowledge._contents)
    yield
    for release_id in set(knowledge._contents) - before:
        del knowledge._contents[release_id]


@pytest.fixture(scope="session", autouse=True)
def tables_can_be_emptied() -> Iterator[None]:
    """Let the end of a test with transactions empty the tables, releases and all.

    Their triggers refuse that, rightly; so they are taken off for as long as it takes.
    """
    sql_flush: Callable[..., list[str]] = vars(flush)["sql_flush"]

    def without_triggers(*args: Any, **options: Any) -> list[str]:
        if connection.vendor == "postgresql":
            table = "ALTER TABLE content_release {} TRIGGER USER"
            off, on = [table.format("DISABLE")], [table.format("ENABLE")]
        else:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT name, sql FROM sqlite_master"
                    " WHERE type = 'trigger' AND tbl_name = 'content_release'"
                )
                triggers = cursor.fetchall()
            off, on = [f"DROP TRIGGER {name}" for name, _ in triggers], [sql for _, sql in triggers]
        return [*off, *sql_flush(*args, **options), *on]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", without_triggers)
        yield
