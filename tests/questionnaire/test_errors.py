"""Every refusal is a page with the emergency line, and none of them gives anything away."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest
from django.test import Client, RequestFactory

from triage.content.models import Release
from triage.logs import formatter
from triage.questionnaire import errors, pages, services
from triage.questionnaire.models import Assessment

from .conftest import Person


@pytest.fixture
def no_database() -> Iterator[None]:
    """Any statement at all fails, as with the server gone or the disk away."""

    def gone(*_: Any) -> None:
        raise OperationalError("the database is gone")

    with connection.execute_wrapper(gone):
        yield


@pytest.mark.parametrize("error", [DatabaseError, OperationalError, InterfaceError])
def test_a_database_that_is_gone_is_a_503_with_the_emergency_line(
    underway: Person, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def gone(**_: Any) -> None:
        raise error("rows: confused")

    monkeypatch.setattr(services, "find", gone)

    for response in (underway.browser.get("/check/1"), underway.browser.post("/check/1")):
        assert response.status_code == 503
        assert response.headers["Retry-After"]
        assert b"999" in response.content


@pytest.mark.usefixtures("db", "no_database")
def test_what_needs_no_database_works_without_one() -> None:
    browser = Client()

    assert b"999" in browser.get("/emergency").content
    assert browser.get("/healthz").status_code == 200
    assert browser.get("/readyz").status_code == 503
    assert b"999" in browser.get("/nowhere").content
    for path in ("/privacy", "/not-for-me/danger", "/about"):
        assert browser.get(path).status_code == 200
    for path in ("/", "/check/1"):
        assert b"999" in browser.get(path).content


def test_readiness_writes_and_wants_a_live_release(release: Release) -> None:
    browser = Client()
    assert browser.get("/readyz").status_code == 200

    def read_only(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if not sql.startswith("SELECT"):
            raise OperationalError("attempt to write a readonly database")
        return execute(sql, *rest)

    with connection.execute_wrapper(read_only):
        assert browser.get("/readyz").status_code == 503
    Release.objects.update(
        recalled_at=release.published_at, recalled_by=release.author, recalled_why="A test."
    )
    assert browser.get("/readyz").status_code == 503
    assert browser.get("/").status_code == 503
    assert browser.post("/check/begin").status_code == 503


@pytest.mark.parametrize("htmx", [False, True])
def test_a_crash_is_a_500_with_the_emergency_line(
    underway: Person, monkeypatch: pytest.MonkeyPatch, htmx: bool
) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("confused")

    monkeypatch.setattr(pages, "question_page", crash)
    browser = underway.browser
    browser.raise_request_exception = False

    response = browser.get("/check/1", headers={"HX-Request": "true"} if htmx else {})

    assert response.status_code == 500
    assert b"999" in response.content
    assert b"confused" not in response.content
    assert b"Traceback" not in response.content


def test_the_last_resort_needs_no_template(
    monkeypatch: pytest.MonkeyPatch, rf: RequestFactory
) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise OSError("the templates are gone")

    monkeypatch.setattr(errors, "render_to_string", crash)

    response = errors.broken(rf.get("/"))

    assert response.status_code == 500
    assert b"999" in response.content


def test_a_post_without_its_token_is_refused_in_words(underway: Person) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = underway.browser.cookies

    response = strict.post("/check/1", underway.form(["confused"]))

    assert response.status_code == 403
    assert b"999" in response.content
    assert b"confused" not in response.content
    assert Assessment.objects.get().replies == []


def test_a_post_that_is_too_big_is_refused_before_it_is_read(underway: Person) -> None:
    response = underway.browser.post("/check/1", {"reply": "x" * 17_000})

    assert response.status_code in (400, 413)
    assert b"999" in response.content


def test_a_wrong_host_is_refused_in_words(release: Release) -> None:
    response = Client().get("/", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert b"999" in response.content


@pytest.mark.parametrize("page", ["bad_request", "forbidden", "not_found"])
def test_each_refusal_touches_no_database(page: str, rf: RequestFactory) -> None:
    view: Callable[[HttpRequest, Exception], Any] = getattr(errors, page)

    assert b"999" in view(rf.get("/"), Exception()).content


CANARY = "blue_blotchy"


def test_a_reply_appears_in_no_log_line_address_or_header(
    underway: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    keep = Keep(level=logging.DEBUG)
    keep.setFormatter(formatter())
    logging.getLogger().addHandler(keep)
    try:
        browser = underway.browser
        browser.raise_request_exception = False
        responses = [
            underway.answer([CANARY]),
            underway.go("/check/1"),
            underway.answer("none"),
            underway.post({"feature": "right_now", "revision": "0", "reply": CANARY}, "/check/9"),
            underway.post({"reply": CANARY}, f"/check/{CANARY}"),
            browser.put("/check/1", CANARY),
        ]

        def crash(*_: Any, **__: Any) -> None:
            raise RuntimeError(CANARY)

        monkeypatch.setattr(pages, "question_page", crash)
        responses.append(browser.get("/check/1"))

        def gone(**_: Any) -> None:
            raise DatabaseError(f"Failing row contains ({CANARY})")

        monkeypatch.setattr(services, "find", gone)
        responses.append(browser.get("/check/1"))
    finally:
        logging.getLogger().removeHandler(keep)

    assert len(lines) > len(responses)
    assert not [line for line in lines if CANARY in line]
    assert not [name for r in responses for name in r.headers.items() if CANARY in str(name)]
    assert CANARY not in json.dumps(underway.browser.cookies.output())


def test_an_assessment_prints_nothing_of_the_person(underway: Person) -> None:
    underway.answer([CANARY])

    assert CANARY not in repr(underway.assessment) + str(underway.assessment)
    assert CANARY not in str(services.Withdraws((), 1)) + str(services.NotAskedHere())
