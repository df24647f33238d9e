"""What every test can ask for, and the marks that `dev.py test` chooses by."""

import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.conf import settings
from django.core.management.color import Style
from django.core.management.commands import flush
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django.plugin import DjangoDbBlocker

from triage import catalogues
from triage.content import effects as content_effects
from triage.content import knowledge as content_knowledge
from triage.content import snapshots as content_snapshots
from triage.content.demonstration import set_up
from triage.content.fixtures import document_of
from triage.content.knowledge import content_of, knowledge_from
from triage.content.models import Release
from triage.content.releases import live_release
from triage.engine import Knowledge

ROOT = Path(__file__).resolve().parent.parent
TOPIC = "back-lump"

# What these prove does not hang on the database, or is long in coming: they run on SQLite alone.
# `content/test_desk.py` asks for each page of the desk on both.
ON_SQLITE_ALONE = {
    "content/test_analyses.py",
    "content/test_careful_forms.py",
    "content/test_condition_page.py",
    "content/test_differences.py",
    "content/test_effect_pages.py",
    "content/test_exchange_pages.py",
    "content/test_fault_page.py",
    "content/test_faults.py",
    "content/test_feature_page.py",
    "content/test_grid.py",
    "content/test_ledger.py",
    "content/test_new_topic.py",
    "content/test_proposal_pages.py",
    "content/test_rule_page.py",
    "content/test_topic_file.py",
    "content/test_topic_map.py",
    "desk/test_people.py",
    "desk/test_waiting.py",
    "evaluation/test_commands.py",
    "handover/test_api.py",
    "handover/test_api_refusals.py",
    "handover/test_fhir.py",
    "handover/test_four_outputs.py",
    "handover/test_note.py",
    "handover/test_receipt.py",
    "handover/test_summary.py",
    "kiosk/test_admin.py",
    "kiosk/test_pin.py",
    "kiosk/test_showing.py",
    "kiosk/test_strangers.py",
    "questionnaire/test_forms.py",
    "questionnaire/test_glossary.py",
    "questionnaire/test_guide.py",
    "questionnaire/test_watching.py",
    "questionnaire/test_ways.py",
    "staff/test_pages.py",
    "staff/test_security_log.py",
    "staff/test_sessions.py",
    "staff/test_signing_in.py",
}

SOAK = 20_000  # what `dev.py soak` sets SWEEP to

MARKS = {
    "browser": {"page", "browser", "context", "browser_context_args"},
    "database": {"db", "transactional_db", "live_server"},
    "sweeps": {"sweep"},
}


def pytest_configure(config: pytest.Config) -> None:
    """Compile the catalogues, as dev.py does before it serves; once, however many workers test."""
    gc.set_threshold(100_000, 50, 100)  # what tests leave behind is little: look for it seldom
    if not hasattr(config, "workerinput"):
        for file in catalogues.po_files():
            catalogues.compiled(file)


# First, or -m would choose before the marks are there.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by what it uses, so that nobody has to remember to."""
    if int(os.environ.get("SWEEP", "2000")) < SOAK:
        config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("soak")])
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        for mark, telling in MARKS.items():
            if fixtures & telling:
                item.add_marker(mark)
        if item.path.is_relative_to(ROOT / "tests" / "browser"):
            item.add_marker("browser")
        if item.get_closest_marker("django_db"):
            item.add_marker("database")
        if str(item.path.relative_to(ROOT / "tests")) in ON_SQLITE_ALONE:
            item.add_marker("sqlite")


@pytest.fixture(scope="session")
def sweep() -> int:
    """How many cases a sweep draws: 2,000, or what SWEEP says (`--quick`: 200, soak: 20,000)."""
    return int(os.environ.get("SWEEP", "2000"))


# The content


@pytest.fixture(scope="session")
def shipped() -> Knowledge:
    """The shipped content, straight from its fixtures."""
    return knowledge_from(document_of(settings.BASE_DIR / "fixtures" / TOPIC))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Every database starts with the shipped content, published as a demonstration."""
    with django_db_blocker.unblock():
        set_up()
        content_of(live_release(TOPIC).pk)


@pytest.fixture
def release(db: None) -> Release:
    return live_release(TOPIC)


@pytest.fixture(autouse=True)
def forget_what_was_rolled_back() -> Iterator[None]:
    """What a test publishes or keeps is gone after it, and its id is given out again."""
    kept = dict(content_knowledge._contents)
    yield
    content_snapshots._contents.clear()
    content_knowledge._contents.clear()
    content_knowledge._contents.update(kept)


@pytest.fixture(autouse=True)
def nothing_is_measured_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of its own would find another database than that of the test."""
    monkeypatch.setattr(content_effects, "_start", lambda effect: None)


@pytest.fixture(scope="session", autouse=True)
def content_outlives_the_flush() -> Iterator[None]:
    """A test with real transactions empties every table at its end; releases refuse that."""

    def sql_flush(style: Style, connection: BaseDatabaseWrapper, **options: Any) -> list[str]:
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        people = (
            "questionnaire_",
            "handover_",
            "kiosk_",
            "desk_",
            "django_session",
            "django_admin_log",
        )
        return connection.ops.sql_flush(
            style, [name for name in names if name.startswith(people)], **options
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", sql_flush)
        yield


# The browser


def did_not_run(why: str) -> NoReturn:
    """Skip on a developer's machine; fail in CI, where nobody reads what was skipped."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the Chromium that dev.py found, or the one on PATH; never download one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not found or subprocess.run([found, "--version"], capture_output=True).returncode:
        did_not_run("there is no Chromium on this machine")
    return {**browser_type_launch_args, "executable_path": found}
