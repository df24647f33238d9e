"""The outcome page: what to do first, then why, then what it might be."""

import re
from html import unescape
from typing import Any

import pytest

from triage.content.knowledge import content_of
from triage.content.models import Release
from triage.engine import (
    ENGINE_VERSION,
    Chance,
    Chosen,
    ConditionKey,
    Decline,
    Evidence,
    FeatureKey,
    MayRaise,
    Number,
    OptionKey,
    Required,
    RuleKey,
    Safety,
    Settles,
    Tells,
    Together,
    Urgency,
    outcome,
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
    name = wording.feature_name(FeatureKey("bladder_saddle"))
    assert (name, "/check/2") in {(row.name, row.change_url) for row in context["unknowns"]}


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
    assert f"engine {ENGINE_VERSION}" in page
    assert "Not a diagnosis" in page
    assert "Not approved for clinical use" in page


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


# What belongs together is one reason


def chosen(*options: str) -> Chosen:
    return Chosen(frozenset(map(OptionKey, options)))


def said_together(release: Release, replies: dict[str, Chosen | Number]) -> set[str]:
    """Return what these replies show together, as the page says it."""
    content = content_of(release.pk)
    evidence = Evidence((FeatureKey(feature), reply) for feature, reply in replies.items())
    first = outcome(content.knowledge, evidence).differential[0]
    return {
        sentences.told(weight.finding, evidence, content.knowledge, content.wording("en"))
        for weight in (*first.supports, *first.opposes)
        if isinstance(weight.finding, Together)
    }


@pytest.mark.parametrize(
    ("replies", "sentence"),
    [
        (
            {"fever": chosen("yes"), "general_signs": chosen("unwell", "very_tired")},
            (
                "Ill all over (Fever: Yes; General health: Feeling ill all over,"
                " Worn out nearly all the time)"
            ),
        ),
        (
            {"fever": chosen("no"), "general_signs": chosen("unwell", "poor_appetite")},
            (
                "Ill all over (General health: Feeling ill all over, Not hungry, or full after a"
                " few bites; but Fever: No)"
            ),
        ),
        (
            {"fever": chosen("no"), "general_signs": chosen("very_tired")},
            "Not ill all over (Fever: No; but General health: Worn out nearly all the time)",
        ),
        (
            {"fever": chosen("no"), "general_signs": chosen("none")},
            "Not ill all over (Fever: No; General health: None of these)",
        ),
        ({"fever": chosen("no")}, "Not ill all over (Fever: No)"),
        (
            {"pain_severity": Number(9), "pain_course": chosen("steady")},
            (
                "Pain that does not let up (Worst pain, 0 to 10: 9; but Course of the pain:"
                " About the same)"
            ),
        ),
        (
            {"lump_duration": chosen("days_3_14"), "pain_duration": chosen("days_3_14")},
            (
                "Not there for very long (Age of the lump: 3 days to 2 weeks; How long it has hurt:"
                " 3 days to 2 weeks)"
            ),
        ),
        ({"pain_severity": Number(2)}, "Pain that lets up (Worst pain, 0 to 10: 2)"),
    ],
)
def test_findings_of_one_syndrome_are_one_reason(
    release: Release, replies: dict[str, Chosen | Number], sentence: str
) -> None:
    assert said_together(release, {"age": Number(44), **replies}) == {sentence}


def test_a_list_in_which_something_else_was_ticked_says_what_was_not(release: Release) -> None:
    wording = content_of(release.pk).wording("en")
    when = FeatureKey("pain_when")

    said = said_together(release, {"age": Number(44), "pain_when": chosen("press")})

    rest, night = (wording.option(when, OptionKey(key)) for key in ("rest", "night"))
    assert f"Pain that lets up (When it hurts: not “{rest}”, not “{night}”)" in said


def test_none_of_these_is_said_once(release: Release) -> None:
    content = content_of(release.pk)
    age, general = FeatureKey("age"), FeatureKey("general_signs")
    evidence = Evidence([(age, Number(44)), (general, chosen("none"))])
    first = outcome(content.knowledge, evidence).differential[0]

    said = [
        sentences.told(weight.finding, evidence, content.knowledge, content.wording("en"))
        for weight in (*first.supports, *first.opposes)
    ]

    assert sorted(said) == [
        "Age: 44",
        "General health: nothing more",
        "Not ill all over (General health: None of these)",
    ]


def test_no_answer_stands_in_two_reasons_for_one_cause(underway: Person) -> None:
    finished(underway, age="44", fever="yes", general_signs=["unwell", "very_tired"])

    context = pages.outcome_page(underway.assessment, underway.assessment.active_at)

    for cause in context["causes"]:
        reasons = [*cause["supports"], *cause["opposes"]]
        about_fever = [reason for reason in reasons if "Fever: Yes" in reason]
        assert len(about_fever) <= 1
        assert all(reason.startswith("Ill all over (Fever: Yes") for reason in about_fever)
    assert "Ill all over (Fever: Yes" in text_of(underway.page)


# Why a question is asked


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        (Safety(), "signs that need help fast"),
        (Required(), "The advice depends on it"),
        (Settles((RuleKey("rf_sepsis"),)), "signs that need help at once"),
        (Tells(0.4), "tells the possible causes apart"),
        (MayRaise((ConditionKey("skin_abscess"),)), "could change how soon help is needed"),
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


def test_nobody_is_told_that_they_said_not_sure_who_would_rather_not_say(
    underway: Person,
) -> None:
    underway.answer("none")
    underway.answer(decline="rather_not_say")
    page = text_of(finished(underway, age="44"))

    assert "Because you said: Bladder, bowel and feeling between the legs: Not provided" in page


def test_who_needs_help_today_is_told_before_the_last_question(underway: Person) -> None:
    """Somebody whose leg went numb may never come to the end of it."""
    underway.answer("none")
    underway.answer("none")
    assert "already say this" not in underway.page

    underway.answer(["numb_legs"])

    today = underway.assessment.content.wording("en").advice("urgency", "same_day")
    assert underway.feature
    assert f"<strong>{today.heading}.</strong> {today.what_to_do}" in underway.page
    assert "The next questions show if help is needed even sooner." in underway.page

    underway.go(underway.path)  # it is still there when the page is loaded again
    assert today.what_to_do in underway.page


def test_nothing_calmer_than_today_is_told_before_the_end(underway: Person) -> None:
    while underway.feature:
        assert "already say this" not in underway.page
        underway.answer({"lump_before": "removed_before"}.get(underway.feature, underway.calm()))

    assert (underway.assessment.urgency or 0) < Urgency.SAME_DAY
