"""Replies are set, not added: repeats, stale tabs, changes and withdrawals."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.test.utils import CaptureQueriesContext

from triage.content.models import Release
from triage.engine import Chosen, FeatureKey, OptionKey
from triage.questionnaire import services
from triage.questionnaire.models import Assessment, AssessmentQuerySet

from .conftest import Person

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def row() -> dict[str, Any]:
    return dict(Assessment.objects.values().get())


@pytest.mark.parametrize("htmx", [False, True])
def test_the_same_post_again_changes_nothing_and_leads_to_the_same_place(
    underway: Person, htmx: bool
) -> None:
    underway.htmx = htmx
    form = underway.form("none")
    first = underway.post(form, "/check/1")
    after_one = row()

    again = [underway.post(form, "/check/1") for _ in range(4)]

    assert row() == after_one
    assert {response.status_code for response in again} == {first.status_code}
    assert underway.path == "/check/2"


def test_a_post_to_a_number_where_another_feature_stands_is_refused(underway: Person) -> None:
    underway.answer("none")
    before = row()

    response = underway.post({"feature": "right_now", "revision": "1", "reply": "none"}, "/check/2")

    assert response.status_code == 409
    assert 'href="/check/resume"' in underway.page
    assert row() == before


@pytest.mark.parametrize("number", [0, 3, 40])
def test_a_post_to_a_number_that_was_never_asked_is_refused(underway: Person, number: int) -> None:
    underway.answer("none")

    response = underway.post(underway.form("none"), f"/check/{number}")

    assert response.status_code == 409
    assert len(row()["replies"]) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"feature": "right_now"},
        {"feature": "right_now", "revision": "-1"},
        {"feature": "right_now", "revision": "9" * 5000},
        {"feature": "right_now", "revision": "now"},
        {"feature": "\x00", "revision": "0"},
        {"revision": "0"},
    ],
)
def test_a_form_that_is_none_of_ours_is_refused_as_out_of_date(
    underway: Person, broken: dict[str, str]
) -> None:
    response = underway.post({**broken, "reply": "none"}, "/check/1")

    assert response.status_code == 409
    assert row()["replies"] == []


def test_two_tabs_with_different_replies_to_one_question_are_shown_both(underway: Person) -> None:
    second = Person(browser=underway.browser)
    second.go("/check/1")
    underway.answer("none")

    response = second.answer(["collapse"])

    assert response.status_code == 409
    assert "None of these" in second.page
    assert row()["replies"] == [["right_now", ["none"]]]


def test_after_the_question_is_opened_again_it_can_be_changed(underway: Person) -> None:
    second = Person(browser=underway.browser)
    second.go("/check/1")
    underway.answer("none")
    second.answer(["collapse"])

    second.go("/check/1")
    second.answer(["cant_breathe"])

    assert row()["replies"] == [["right_now", ["cant_breathe"]]]


def test_a_stale_tab_on_another_question_merges(underway: Person) -> None:
    underway.answer("none")
    underway.answer("none")
    stale = Person(browser=underway.browser)
    stale.go("/check/1")
    underway.answer("none")  # leg_nerves, meanwhile

    response = stale.answer(["not_sure"])

    assert response.status_code == 303
    assert row()["replies"] == [
        ["right_now", ["not_sure"]],
        ["bladder_saddle", ["none"]],
        ["leg_nerves", ["none"]],
    ]


def test_an_answer_overtaken_by_one_to_another_feature_is_tried_again(
    underway: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    underway.answer("none")
    overtake(monkeypatch, times=3)

    response = underway.answer("none")

    assert response.status_code == 303
    assert len(row()["replies"]) == 2
    assert row()["revision"] == 1 + 3 + 1


@pytest.mark.parametrize("htmx", [False, True])
def test_an_answer_overtaken_five_times_says_so_and_keeps_what_was_chosen(
    underway: Person, monkeypatch: pytest.MonkeyPatch, htmx: bool
) -> None:
    underway.htmx = htmx
    overtake(monkeypatch, times=99)

    response = underway.answer(["collapse"])

    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert 'value="collapse" checked' in underway.page
    assert "could not save" in underway.page
    assert row()["replies"] == []


def overtake(monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """Let somebody else write just before each conditional UPDATE."""
    left = [times]
    real = AssessmentQuerySet.write

    def write(self: AssessmentQuerySet, assessment: Assessment, values: Mapping[str, Any]) -> bool:
        if left[0]:
            left[0] -= 1
            Assessment.objects.filter(pk=assessment.pk).update(revision=assessment.revision + 1)
        return real(self, assessment, values)

    monkeypatch.setattr(AssessmentQuerySet, "write", write)


def test_a_locked_database_keeps_the_answer_in_the_form(
    underway: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: Any, **__: Any) -> int:
        raise OperationalError("database is locked")

    monkeypatch.setattr(AssessmentQuerySet, "write", locked)

    response = underway.answer(["collapse"])

    assert response.status_code == 503
    assert 'value="collapse" checked' in underway.page
    assert "999" in underway.page


def test_an_assessment_deleted_in_another_tab_is_gone_for_this_one(
    underway: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assessment = services.find(token=token_of(underway), now=Assessment.objects.get().active_at)
    Assessment.objects.all().delete()

    with pytest.raises(services.NoAssessment):
        services.answer(
            assessment=assessment,
            number=1,
            feature=FeatureKey("right_now"),
            reply=Chosen(frozenset({OptionKey("none")})),
            revision=0,
            confirmed=False,
            now=assessment.active_at,
        )


def token_of(person: Person) -> Any:
    return person.browser.cookies[settings.ASSESSMENT_COOKIE_NAME].value


# A raised flag is withdrawn only on purpose


def test_a_change_that_would_withdraw_a_flag_asks_first(underway: Person) -> None:
    underway.answer(["confused"])
    before = row()

    underway.go("/check/1")
    response = underway.answer("none")

    assert response.status_code == 200
    assert "Signs of blood poisoning" in underway.page
    assert "Get help now" in underway.page  # the advice that goes with it
    assert row() == before


@pytest.mark.parametrize("htmx", [False, True])
def test_a_confirmed_change_withdraws_the_flag_and_remembers_it(
    underway: Person, htmx: bool
) -> None:
    underway.answer(["confused"])
    underway.go("/check/1")
    underway.htmx = htmx
    underway.answer("none")

    underway.post(hidden_of(underway.page), "/check/1")

    assert underway.path == "/check/2"
    assert row()["flags"] == []
    assert "rf_sepsis" in row()["withdrawn"]
    assert row()["finished_at"] is None


def test_a_confirmation_counts_only_for_what_was_shown(underway: Person) -> None:
    underway.answer(["confused"])
    underway.go("/check/1")
    underway.answer("none")
    confirmation = hidden_of(underway.page)
    meanwhile = Person(browser=underway.browser)
    meanwhile.go("/check/1")
    meanwhile.answer(["confused", "cant_breathe"])

    response = underway.post(confirmation, "/check/1")

    assert response.status_code == 409
    assert "rf_sepsis" in row()["flags"]


def test_a_confirmation_is_asked_for_again_when_other_answers_moved_on(underway: Person) -> None:
    underway.answer("none")
    underway.answer(["leak"])
    underway.go("/check/2")
    underway.answer("none")
    confirmation = hidden_of(underway.page)
    meanwhile = Person(browser=underway.browser)
    meanwhile.go("/check/1")
    meanwhile.answer(["collapse"])

    response = underway.post(confirmation, "/check/2")

    assert response.status_code == 200
    assert "takes back a warning" in underway.page
    assert "rf_cauda_equina" in row()["flags"]
    underway.post(hidden_of(underway.page), "/check/2")
    assert "rf_cauda_equina" in row()["withdrawn"]


def test_a_forged_confirmation_without_the_page_withdraws_nothing_unseen(underway: Person) -> None:
    underway.answer("none")
    underway.answer(["leak"])
    stale = {"feature": "bladder_saddle", "revision": "1", "reply": "none", "confirm": "1"}

    response = underway.post(stale, "/check/2")

    assert response.status_code == 409
    assert "rf_cauda_equina" in row()["flags"]


def test_a_withdrawn_flag_that_is_raised_again_is_raised(underway: Person) -> None:
    underway.answer(["confused"])
    underway.go("/check/1")
    underway.answer("none")
    underway.post(hidden_of(underway.page), "/check/1")
    underway.go("/check/1")

    underway.answer(["confused"])

    assert underway.path == "/check/outcome"
    assert "rf_sepsis" in row()["flags"]
    assert "rf_sepsis" in row()["withdrawn"]


def test_a_change_that_keeps_the_flag_asks_nothing(underway: Person) -> None:
    underway.answer(["confused"])
    underway.go("/check/1")

    underway.answer(["confused", "cant_breathe"])

    assert underway.path == "/check/outcome"
    assert row()["withdrawn"] == []


def hidden_of(page: str) -> dict[str, Any]:
    form: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page):
        form.setdefault(name, []).append(value)
    form.pop("csrfmiddlewaretoken", None)
    return form


# What is stored beside the replies


def test_what_is_stored_beside_the_replies_is_what_a_replay_gives(underway: Person) -> None:
    while underway.feature:
        underway.answer(underway.calm())
        assessment = underway.assessment
        columns = services.implied(assessment.content.knowledge, assessment.evidence).columns
        assert {name: getattr(assessment, name) for name in columns} == columns


# Two statements for an answer


@pytest.mark.parametrize("at", [1, 5, 12])
def test_an_answer_takes_one_select_and_one_update(underway: Person, at: int) -> None:
    for _ in range(at - 1):
        underway.answer(underway.calm())
    underway.htmx = True
    form = underway.form(underway.calm())

    with CaptureQueriesContext(
        connection,
    ) as queries:
        underway.post(form)

    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "UPDATE"]
    assert "document" not in queries[0]["sql"]


def test_a_question_takes_one_select(underway: Person) -> None:
    underway.answer("none")

    with CaptureQueriesContext(connection) as queries:
        underway.browser.get("/check/2")

    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


def test_an_emergency_takes_no_more_statements_than_any_answer(underway: Person) -> None:
    underway.htmx = True
    form = underway.form(["confused"])

    with CaptureQueriesContext(connection) as queries:
        underway.post(form)

    assert len(queries) == 2


# The database refuses what must not be


@pytest.mark.parametrize(
    "wrong",
    [
        {"token_hash": "short"},
        {"urgency": 6},
        {"asking": ""},
        {"concluded": True},
        {"finished_at": NOW},
        {"device": 3},
        {"replies": [["fever", ["no"]]]},
        {"replies": [["fever", ["no"]]], "set_at": [1]},
        {"replies": [["fever", ["no"]]], "set_by": ["text"]},
        {"voice": "doctor"},
    ],
)
def test_the_database_refuses_a_row_that_contradicts_itself(
    underway: Person, wrong: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.update(**wrong)


def test_a_release_in_use_cannot_be_deleted(underway: Person, release: Release) -> None:
    with pytest.raises(ProtectedError):
        release.delete()


def test_another_persons_token_opens_only_their_own_answers(underway: Person) -> None:
    other = Person(browser=Client())
    other.begin()
    other.answer(["collapse"])

    underway.go("/check/1")

    assert "checked" not in underway.page
