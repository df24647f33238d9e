"""Several requests at once, each on a connection of its own."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from threading import Barrier, Timer
from typing import Any

import pytest
from django.db import connection

from triage.content.models import Release
from triage.questionnaire.models import Assessment

from .conftest import Person

pytestmark = pytest.mark.usefixtures("transactional_db")


def at_once(person: Person, forms: list[tuple[str, dict[str, Any]]]) -> list[int]:
    """Post all forms in the same moment; return the status of each."""
    gate = Barrier(len(forms))
    cookies = person.browser.cookies

    def post(path: str, form: dict[str, Any]) -> int:
        try:
            browser = Person()
            browser.browser.cookies = deepcopy(cookies)  # each has sent it before any is answered
            gate.wait()
            return browser.browser.post(path, form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(forms)) as threads:
        return list(threads.map(lambda args: post(*args), forms))


@pytest.fixture
def started(release: Release) -> Callable[[], Person]:
    def start() -> Person:
        person = Person()
        person.begin()
        return person

    return start


def test_the_same_answer_five_times_at_once_is_one_answer(started: Callable[[], Person]) -> None:
    for _ in range(20):
        person = started()

        statuses = at_once(person, [("/check/1", person.form("none"))] * 5)

        assert statuses == [303] * 5
        assert person.assessment.replies == [["right_now", ["none"]]]
        assert person.assessment.revision == 1


def test_two_different_answers_at_once_are_one_answer_and_one_refusal(
    started: Callable[[], Person],
) -> None:
    for _ in range(20):
        person = started()
        forms = [("/check/1", person.form(reply)) for reply in ("none", "not_sure")]

        statuses = at_once(person, forms)

        assert sorted(statuses) == [303, 409]
        assert len(person.assessment.replies) == 1


def test_changes_to_different_features_at_once_are_all_kept(
    started: Callable[[], Person],
) -> None:
    for _ in range(10):
        person = started()
        for _ in range(4):
            person.answer("none" if person.feature != "fever" else "no")
        forms = []
        for number, reply in enumerate(("not_sure", "not_sure", "not_sure", "not_sure"), start=1):
            person.go(f"/check/{number}")
            forms.append((f"/check/{number}", person.form(reply)))

        statuses = at_once(person, forms)

        assert statuses == [303] * 4
        assert [reply for _, reply in person.assessment.replies] == [["not_sure"]] * 4


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.parametrize(("held", "status"), [(0.3, 303), (3.0, 503)])
def test_a_writer_in_the_way_delays_an_answer_or_leaves_it_in_the_form(
    started: Callable[[], Person], held: float, status: int
) -> None:
    person = started()
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release_it = Timer(held, other.rollback)
    release_it.start()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=1500")
    try:
        response = person.answer("none")
    finally:
        release_it.join()
        other.close()
        connection.close()  # the next one has its own timeout again

    assert response.status_code == status
    assert person.assessment.replies == ([["right_now", ["none"]]] if status == 303 else [])
    if status == 503:
        assert 'value="none" data-exclusive checked' in person.page


def test_delete_wins_over_an_answer_at_the_same_time(started: Callable[[], Person]) -> None:
    for _ in range(10):
        person = started()

        statuses = at_once(person, [("/check/1", person.form("none")), ("/check/delete", {})])

        assert set(statuses) <= {303, 410}
        assert Assessment.objects.count() == 0
