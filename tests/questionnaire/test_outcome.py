"""The outcome page: what to do first, then why, then what it might be."""

import re
from html import unescape
from typing import Any

import pytest

from triage.content.knowledge import content_of
from triage.content.models import Release
from triage.engine import (
    Chance,
    Decline,
    FeatureKey,
    OptionKey,
    Required,
    RuleKey,
    Safety,
    Settles,
    Tells,
    Urgency,
)
from triage.questionnaire import pages, sentences

from .conftest import Person

WORDS = {"Very unlikely", "Unlikely", "Possible", "Likely", "Very likely", "Hard to tell"}


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def finished(person: Person, **replies: str | list[str]) -> str:
    person.answer_all(**replies)
    if person.path == "/check/answers":
        person.post({}, "/check/finish")
    assert person.path == "/check/outcome"
    return person.page


def test_the_page_says_first_what_to_do_then_why_then_what_it_might_be(underway: Person) -> None:
    page = finished(underway, age="44")

    order = [
        page.index(heading)
        for heading in ("<h1", "Why we say this", "What to watch for", "What it might be",
                        "Your answers", "Delete my answers</a>\n      </div>")
        if heading in page
    ]  # fmt: skip
    assert len(order) >= 5
    assert order == sorted(order)


def test_it_shows_causes_in_five_words_and_never_a_percentage(underway: Person) -> None:
    page = text_of(finished(underway, age="44"))

    assert any(word in page for word in WORDS)
    assert "%" not in page
    assert "Something else" in page


def test_there_are_five_causes_at_most(underway: Person) -> None:
    finished(underway, age="44")

    context = pages.outcome_page(underway.assessment, underway.assessment.active_at)

    assert 1 <= len(context["causes"]) <= 5
    assert context["something_else"]
    for cause in context["causes"]:
        assert 0 <= cause["low_percent"] <= cause["high_percent"] <= 100
        assert len(cause["supports"]) <= 5 >= len(cause["opposes"])


def test_serious_causes_are_listed_whatever_their_rank(underway: Person) -> None:
    finished(underway, age="44")

    context = pages.outcome_page(underway.assessment, underway.assessment.active_at)

    knowledge = underway.assessment.content.knowledge
    serious = [c.key for c in knowledge.conditions if c.serious]
    assert len(context["must_not_miss"]) == len(serious) > 5


def test_out_of_scope_it_shows_no_causes(underway: Person) -> None:
    page = text_of(finished(underway, age="12"))

    assert "does not list causes" in page
    assert "Something else" not in page


def test_it_names_the_alarm_that_a_not_sure_could_not_exclude(underway: Person) -> None:
    finished(underway, age="44", bladder_saddle="not_sure")

    context = pages.outcome_page(underway.assessment, underway.assessment.active_at)
    wording = underway.assessment.content.wording("en")

    assert wording.flag(RuleKey("rf_cauda_equina")).title in context["not_excluded"]
    assert {
        "name": wording.feature_name(FeatureKey("bladder_saddle")),
        "change_url": "/check/2",
    } in context["unknowns"]


def test_an_emergency_says_what_was_said_to_cause_it(underway: Person) -> None:
    underway.answer("none")

    underway.answer(["leak"])

    context = pages.outcome_page(underway.assessment, underway.assessment.active_at)
    assert context["emergency"]
    assert context["slip_url"] == "/check/2"
    assert context["reasons"][0]["because"] == [
        "Bladder, bowel and feeling between the legs: "
        + underway.assessment.content.wording("en").option(
            FeatureKey("bladder_saddle"), OptionKey("leak")
        )
    ]


def test_it_carries_what_a_doctor_needs_on_paper(underway: Person, release: Release) -> None:
    page = text_of(finished(underway, age="44"))

    assert f"content release {release.number} ({release.sha256[:8]})" in page
    assert "engine 1" in page
    assert "Not a diagnosis" in page
    assert "not approved for clinical use" in page


def test_the_list_of_answers_shows_declined_ones_in_words(underway: Person) -> None:
    while underway.feature:
        if underway.feature == "skin_look":
            underway.answer(decline="cant_see")
        elif underway.feature == "cancer_history":
            underway.answer(decline="rather_not_say")
        elif underway.feature == "pain_severity":
            underway.answer(decline="dont_know")
        else:
            underway.answer(underway.calm())

    answers = {row.name: row.answer for row in pages.rows_of(underway.assessment)}
    assert answers["Look of the skin"] == "Could not see or reach it"
    assert answers["Past cancer"] == "Not provided"


def test_the_same_answers_give_the_same_page(underway: Person) -> None:
    finished(underway, age="44")
    assessment = underway.assessment

    first = pages.outcome_page(assessment, assessment.active_at)
    again = pages.outcome_page(assessment, assessment.active_at)

    assert first == again


# Why a question is asked


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        (Safety(), "signs that need help fast"),
        (Required(), "The advice depends on it"),
        (Settles((RuleKey("rf_sepsis"),)), "signs that need help at once"),
        (Tells(0.4), "tells the possible causes apart"),
    ],
)
def test_each_reason_to_ask_has_its_sentence(release: Release, why: Any, sentence: str) -> None:
    knowledge = content_of(release.pk).knowledge

    assert sentence in sentences.why_asked(why, knowledge)


def test_a_question_that_was_answered_still_says_why_it_was_asked(underway: Person) -> None:
    for _ in range(7):
        underway.answer(underway.calm())
    asked_then = underway.page
    number = underway.path
    underway.answer(underway.calm())

    underway.go(number)

    (why,) = re.findall(r"<p>(It comes now[^<]*)</p>", asked_then)
    assert why in underway.page


def test_every_chance_and_every_decline_has_its_words() -> None:
    assert set(sentences.CHANCES) == set(Chance)
    assert set(sentences.DECLINED) == set(Decline)
    assert set(sentences.SOON) == set(Urgency)
