"""Somebody comes in to help, or the mirror is of no use: the way to check the back changes midway."""

import importlib
import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.apps import apps
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from triage.content.models import Release
from triage.engine import FeatureKey, Knowledge
from triage.questionnaire.models import Assessment, AssessmentQuerySet

from .conftest import Person
from .test_answering import hidden_of, row
from .test_guide import BY_LOOKING, asked
from .test_outcome import finished, text_of

OFFER = "Check the back another way"


@pytest.fixture(params=[True, False], ids=["htmx", "no script"])
def looking(request: pytest.FixtureRequest, underway: Person) -> Person:
    """Somebody by themselves, who has answered two questions and is asked what the skin is like."""
    underway.answer("none")
    underway.answer("none")
    Assessment.objects.update(asking="skin_look")
    underway.go("/check/3")
    underway.htmx = request.param
    return underway


def choose(person: Person, voice: str) -> Any:
    """Press one of the buttons: whatever the form of the question holds goes with it."""
    more = {"feature": person.feature, "revision": person.revision} if person.feature else {}
    here = person.path
    response = person.post({**more, "voice": voice}, "/check/voice")
    if person.path == "/check/voice":  # htmx left the address as it was
        person.path = here
    return response


def offered(page: str) -> list[str]:
    return re.findall(r'<button name="voice" value="(\w+)"', page)


# What is offered, and where


@pytest.mark.parametrize("voice", Assessment.Voice)
def test_a_question_for_eyes_or_hands_offers_the_other_ways_and_no_other_question_does(
    release: Release, shipped: Knowledge, voice: Assessment.Voice
) -> None:
    others = [other.value for other in Assessment.Voice if other is not voice]
    for feature in shipped.features:
        page = asked(voice, feature.key)

        assert offered(page) == (others if feature.observation in BY_LOOKING else [])


def test_the_offer_stands_behind_the_button_that_the_enter_key_presses(looking: Person) -> None:
    page = Person(browser=looking.browser)
    page.go("/check/3")

    assert page.page.index("<button>Continue") < page.page.index(OFFER)


def test_the_list_of_answers_offers_the_other_ways(underway: Person) -> None:
    underway.answer_all()

    assert underway.path == "/check/answers"
    assert offered(underway.page) == ["mirror", "helper", "other"]


def test_the_start_and_the_offer_say_the_same(looking: Person) -> None:
    start = Person()
    start.go("/")
    ways = dict(re.findall(r'name="voice" value="(\w+)".*?<span>(.*?)</span>', start.page))

    found = re.findall(r'<button name="voice" value="(\w+)"[^>]*>(.*?)</button>', looking.page)

    assert f"“{ways.pop('text')}”" in looking.page
    assert dict(found) == ways


# What a change keeps, and what it changes


def test_a_change_keeps_all_but_the_voice_and_the_question_comes_back_in_it(
    looking: Person,
) -> None:
    before = row()
    wording = looking.assessment.content.wording("en")
    assert wording.question(FeatureKey("skin_look"), "text") in looking.page

    response = choose(looking, "helper")

    assert response.status_code == (200 if looking.htmx else 303)
    after = row()
    assert after.pop("voice") == "helper"
    assert after.pop("active_at") > before.pop("active_at")
    assert after == {name: value for name, value in before.items() if name != "voice"}
    assert looking.path == "/check/3"
    assert looking.feature == "skin_look"
    assert wording.question(FeatureKey("skin_look"), "helper") in looking.page
    assert "Let them sit or stand" in looking.page
    assert offered(looking.page) == ["text", "mirror", "other"]


def test_with_htmx_the_question_comes_back_without_a_new_place_in_the_history(
    looking: Person,
) -> None:
    response = choose(looking, "mirror")

    if looking.htmx:
        assert response.headers["HX-Push-Url"] == "false"
        assert "<html" not in looking.page
    else:
        assert response.headers["Location"] == "/check/3"


def test_an_earlier_answer_that_is_open_comes_back_as_it_was(looking: Person) -> None:
    looking.answer(["red"])
    looking.go("/check/3")

    choose(looking, "other")

    assert looking.feature == "skin_look"
    assert 'value="red" checked' in looking.page
    assert row()["set_by"] == ["text", "text", "text"]


@pytest.mark.parametrize("htmx", [True, False])
def test_from_the_list_of_answers_the_list_comes_back(underway: Person, htmx: bool) -> None:
    underway.answer_all()
    underway.htmx = htmx

    choose(underway, "helper")

    assert underway.path == "/check/answers"
    assert "Check your answers" in underway.page
    assert offered(underway.page) == ["text", "mirror", "other"]


def test_each_reply_keeps_the_voice_in_which_it_was_set(looking: Person) -> None:
    looking.answer(["red"])
    choose(looking, "helper")
    looking.answer(looking.calm())
    looking.go("/check/3")

    looking.answer(["bruise"])

    assert row()["set_by"] == ["text", "text", "helper", "helper"]
    assert row()["set_at"] == [1, 2, 5, 4]


# Repeats, other tabs, refusals


def test_pressed_twice_it_is_chosen_once(looking: Person) -> None:
    form = {"feature": looking.feature, "revision": looking.revision, "voice": "helper"}
    first = looking.post(form, "/check/voice")
    after_one = row()

    second = looking.post(form, "/check/voice")

    assert (first.status_code, row()) == (second.status_code, after_one)


def test_no_form_that_is_open_elsewhere_goes_out_of_date(looking: Person) -> None:
    elsewhere = Person(browser=looking.browser, htmx=True)
    elsewhere.go("/check/1")

    choose(looking, "helper")

    assert looking.answer(["red"]).status_code in (200, 303)
    assert elsewhere.answer(["not_sure"]).status_code == 200
    assert row()["replies"][0] == ["right_now", ["not_sure"]]


def test_a_warning_about_to_be_taken_back_needs_no_second_confirmation(underway: Person) -> None:
    while underway.feature != "fever":
        underway.answer(underway.calm())
    fever = underway.path
    underway.answer("yes")
    raised = row()["flags"]
    underway.go(fever)
    underway.answer("no")
    confirmation = hidden_of(underway.page)

    choose(underway, "helper")
    underway.post(confirmation, fever)

    assert raised
    assert row()["withdrawn"] == raised


@pytest.mark.parametrize("htmx", [True, False])
def test_a_choice_on_a_question_no_longer_asked_leads_to_the_one_that_is(
    underway: Person, htmx: bool
) -> None:
    underway.answer("none")
    underway.htmx = htmx

    underway.post({"feature": "skin_look", "revision": "1", "voice": "helper"}, "/check/voice")

    assert row()["voice"] == "helper"
    assert underway.path == "/check/2"
    assert underway.feature == row()["asking"]


def test_a_choice_from_before_other_answers_keeps_these(looking: Person) -> None:
    stale = Person(browser=looking.browser, htmx=looking.htmx)
    stale.go("/check/3")
    looking.answer(["red"])
    replies = row()["replies"]

    choose(stale, "helper")

    assert stale.feature == "skin_look"
    assert (row()["replies"], row()["voice"]) == (replies, "helper")


@pytest.mark.parametrize("voice", ["", "doctor", "TEXT", "\x00", "text; helper"])
def test_a_way_that_there_is_not_is_refused(looking: Person, voice: str) -> None:
    before = row()

    response = choose(looking, voice)

    assert response.status_code == 409
    assert 'href="/check/resume"' in looking.page
    assert row() == before


@pytest.mark.parametrize("ends", ["emergency", "list"])
@pytest.mark.parametrize("htmx", [True, False])
def test_what_is_finished_is_neither_offered_another_way_nor_takes_one(
    underway: Person, ends: str, htmx: bool
) -> None:
    open_before = {"voice": "helper", "feature": "lump_feel"}
    page = finished(underway, age="44") if ends == "list" else ""
    if ends == "emergency":
        underway.answer(["blue_blotchy"])
        page = underway.page
    before = row()
    underway.htmx = htmx

    response = underway.post(open_before, "/check/voice")

    assert before["finished_at"]
    assert response.status_code == 409
    assert row() == before
    assert offered(page) == []
    for number in range(1, len(before["replies"]) + 1):
        underway.go(f"/check/{number}")
        assert offered(underway.page) == []
    underway.go("/check/answers")
    assert offered(underway.page) == []


def test_it_takes_a_post(looking: Person) -> None:
    assert looking.browser.get("/check/voice").status_code == 405


def test_without_an_assessment_there_is_nothing_to_change(person: Person) -> None:
    assert person.post({"voice": "helper"}, "/check/voice").status_code == 404


def test_a_form_from_elsewhere_is_refused(looking: Person) -> None:
    looking.browser.handler.enforce_csrf_checks = True

    response = looking.browser.post("/check/voice", {"voice": "helper"})

    assert response.status_code == 403
    assert row()["voice"] == "text"


# Others at the same time


def overtake(monkeypatch: pytest.MonkeyPatch, *, times: int, **columns: Any) -> None:
    """Let somebody else write just before each of our writes."""
    left = [times]
    real = AssessmentQuerySet.unchanged

    def unchanged(self: AssessmentQuerySet, assessment: Assessment) -> AssessmentQuerySet:
        if left[0]:
            left[0] -= 1
            Assessment.objects.filter(pk=assessment.pk).update(
                revision=assessment.revision + 1, **columns
            )
        return real(self, assessment)

    monkeypatch.setattr(AssessmentQuerySet, "unchanged", unchanged)


def test_overtaken_it_is_tried_again(looking: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    overtake(monkeypatch, times=3)

    response = choose(looking, "helper")

    assert response.status_code in (200, 303)
    assert (row()["voice"], row()["revision"]) == ("helper", 2 + 3)


def test_overtaken_by_the_end_it_is_refused(
    underway: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    underway.answer_all()
    overtake(monkeypatch, times=1, finished_at=timezone.now())

    response = underway.post({"voice": "helper"}, "/check/voice")

    assert response.status_code == 409
    assert row()["voice"] == "text"


@pytest.mark.parametrize("why", ["overtaken", "locked"])
def test_what_could_not_be_changed_says_so_and_keeps_what_was_ticked(
    looking: Person, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def locked(*_: Any, **__: Any) -> int:
        raise OperationalError("database is locked")

    if why == "overtaken":
        overtake(monkeypatch, times=99)
    else:
        monkeypatch.setattr(QuerySet, "update", locked)

    response = looking.post(
        {"feature": "skin_look", "revision": "2", "reply": ["red"], "voice": "helper"},
        "/check/voice",
    )

    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "could not change how you check the back" in looking.page
    assert 'value="red" checked' in looking.page
    assert "999" in looking.page or looking.htmx
    assert row()["voice"] == "text"


def test_what_could_not_be_changed_from_the_list_says_so(
    underway: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    underway.answer_all()
    overtake(monkeypatch, times=99)

    response = underway.post({"voice": "helper"}, "/check/voice")

    assert response.status_code == 503
    assert "999" in underway.page
    assert row()["voice"] == "text"


def test_a_change_takes_one_select_and_one_update(looking: Person) -> None:
    looking.htmx = True

    with CaptureQueriesContext(connection) as queries:
        choose(looking, "helper")

    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "UPDATE"]


# The same reply, looked at again


def test_the_same_reply_looked_at_again_in_another_voice_is_theirs(looking: Person) -> None:
    looking.answer(["red"])
    looking.go("/check/3")
    choose(looking, "helper")

    looking.answer(["red"])

    assert row()["replies"][2] == ["skin_look", ["red"]]
    assert row()["set_by"] == ["text", "text", "helper"]


def test_the_same_post_again_after_another_way_was_chosen_changes_nothing(
    looking: Person,
) -> None:
    form = looking.form(["red"])
    looking.post(form, "/check/3")
    choose(looking, "helper")
    before = row()

    looking.post(form, "/check/3")

    assert row() == before
    assert before["set_by"] == ["text", "text", "text"]


# Who observed what


def observed(page: str) -> Mapping[str, set[str]]:
    found = re.findall(r"Seen or felt by ([^:]*): (.*?)\. ", text_of(page))
    return {by: set(names.split("; ")) for by, names in found}


def test_the_outcome_says_of_each_answer_who_saw_or_felt_it(
    underway: Person, shipped: Knowledge
) -> None:
    by: dict[str, set[str]] = {"the person": set(), "a helper who is with them": set()}
    wording = underway.assessment.content.wording("en")
    while underway.feature:
        key = underway.feature
        if len(by["the person"]) == 3 and shipped.feature(key).observation in BY_LOOKING:
            choose(underway, "helper")
        reply = {"age": "44", "lump_size": "walnut"}.get(key, underway.calm())
        if shipped.feature(key).observation in BY_LOOKING and reply != "not_sure":
            helped = row()["voice"] == "helper"
            by["a helper who is with them" if helped else "the person"].add(
                wording.feature_name(key)
            )
        underway.answer(reply)
    underway.post({}, "/check/finish")

    assert observed(underway.page) == by
    assert all(by.values())


def test_one_way_all_along_is_said_in_one_sentence(underway: Person) -> None:
    underway.answer("none")
    choose(underway, "helper")

    page = finished(underway, age="44", lump_size="walnut")

    assert list(observed(page)) == ["a helper who is with them"]


def test_before_the_voice_could_change_each_reply_was_set_in_the_one_there_was(
    release: Release,
) -> None:
    person = Person()
    person.post({"voice": "helper"}, "/check/begin")
    person.answer("none")
    person.answer("none")
    Assessment.objects.update(set_by=["", ""])
    migration = importlib.import_module(
        "triage.questionnaire.migrations.0003_who_observed_each_reply"
    )

    migration.take_the_voice_there_was(apps, None)

    assert row()["set_by"] == ["helper", "helper"]
