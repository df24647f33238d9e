"""“About N in 100”: only with evidence, and then the same as the word and the bar."""

import re
from dataclasses import replace

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

from tests import studies
from triage.content import knowledge as door
from triage.content.calibration import MOST_CAUSES, Checked
from triage.content.documents import compile_release
from triage.content.knowledge import content_of
from triage.content.models import CalibrationStudy, Release, Topic
from triage.content.releases import publish
from triage.engine import (
    Chance,
    ConditionKey,
    Evidence,
    FeatureKey,
    Knowledge,
    Number,
    Ranked,
    outcome,
    reply_to_json,
)
from triage.engine.explanation import chance
from triage.evaluation.simulation import simulated
from triage.questionnaire import pages
from triage.questionnaire.in_100 import in_100, whole
from triage.questionnaire.models import Assessment

from .conftest import Person
from .test_outcome import finished, text_of


@pytest.fixture
def published(release: Release) -> Release:
    """A release of today's content that a study bears out, and so says “about N in 100”."""
    topic = release.topic
    studies.add_to(topic, compile_release(topic))
    author, approver = (User.objects.get(username=f"demo-{who}") for who in ("author", "approver"))
    return publish(
        topic=topic, author=author, approver=approver, why="Numbers.", demonstration=True
    )


def ranked(low: float, posterior: float, high: float) -> Ranked:
    word = chance(posterior, low, high)
    return Ranked(ConditionKey("any"), posterior, low, high, word, (), ())


# The sentence


HAVE_IT = "in 100 people with answers like these have it"
SENTENCES = {
    (0.23, 0.25, 0.28): f"About 25 {HAVE_IT} (from 23 to 28).",
    (0.006, 0.01, 0.02): "About 1 in 100 people with answers like these has it (from 1 to 2).",
    (0.001, 0.02, 0.08): f"About 2 {HAVE_IT} (at most 8).",
    (0.9, 0.97, 0.996): f"About 97 {HAVE_IT} (at least 90).",
    (0.0, 0.001, 0.003): f"Fewer than 1 {HAVE_IT}.",
    (0.0, 0.004, 0.03): f"Fewer than 1 {HAVE_IT} (at most 3).",
    (0.996, 0.998, 1.0): f"More than 99 {HAVE_IT}.",
    (0.9, 0.996, 1.0): f"More than 99 {HAVE_IT} (at least 90).",
    (0.05, 0.2, 0.5): f"From 5 to 50 {HAVE_IT}.",
    (0.001, 0.1, 0.5): f"At most 50 {HAVE_IT}.",
    (0.4, 0.9, 0.999): f"At least 40 {HAVE_IT}.",
    (0.001, 0.5, 0.999): f"From fewer than 1 to more than 99 {HAVE_IT}.",
}


@pytest.mark.parametrize("range_", SENTENCES)
def test_each_range_has_its_sentence(range_: tuple[float, float, float]) -> None:
    assert in_100(ranked(*range_)) == SENTENCES[range_]


@pytest.mark.parametrize("range_", SENTENCES)
def test_spanish_says_the_same_numbers(range_: tuple[float, float, float]) -> None:
    english = in_100(ranked(*range_))

    with translation.override("es"):
        spanish = in_100(ranked(*range_))

    assert spanish.startswith("De cada 100 personas con respuestas como estas, ")
    assert sorted(re.findall(r"\d+", spanish)) == sorted(re.findall(r"\d+", english))


@pytest.mark.parametrize(
    ("probability", "number"),
    [
        (0.0, 0),
        (0.004, 0),
        (0.006, 1),
        (0.0949, 9),
        (0.0996, 9),  # still “very unlikely”: “unlikely” begins at 10
        (0.1, 10),
        (0.1 - 1e-15, 10),  # the same number on another machine
        (0.2999, 29),
        (0.5999, 59),
        (0.7999, 79),
        (0.8, 80),
        (0.999, 100),
        (1.0, 100),
    ],
)
def test_rounding_stops_where_another_word_begins(probability: float, number: int) -> None:
    assert whole(probability) == number


def numbers_in(sentence: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", sentence.replace("in 100", ""))]


def replies_of(knowledge: Knowledge, people: int) -> list[Evidence]:
    """Return evidence of all sizes, from none of the replies of a person to all of them."""
    draw = np.random.default_rng(2024)
    found = []
    for person in simulated(knowledge, draw, people):
        replies = list(person.evidence)
        order = draw.permutation(len(replies))[: draw.integers(0, len(replies) + 1)]
        found.append(Evidence(replies[place] for place in order))
    return found


def test_word_bar_and_number_say_the_same(shipped: Knowledge) -> None:
    """On any evidence: the number's word is the word, and all lie where the engine has them."""
    seen: set[Chance] = set()
    for evidence in replies_of(shipped, 60):
        for cause in outcome(shipped, evidence).differential:
            seen.add(cause.chance)
            low, n, high = map(whole, (cause.low, cause.posterior, cause.high))
            said = in_100(cause)

            assert 0 <= low <= n <= high <= 100
            for number, exact in ((low, cause.low), (n, cause.posterior), (high, cause.high)):
                assert abs(number - 100 * exact) < 1
            assert chance(n / 100, low / 100, high / 100) is cause.chance
            assert not {0, 100} & set(numbers_in(said))
            shown = {number for number in (low, n, high) if 0 < number < 100} | {1, 99}
            assert set(numbers_in(said)) <= shown
            assert said.startswith(("From", "At")) == (cause.chance is Chance.HARD_TO_TELL)
    assert seen == set(Chance)


# The page


def bars_in(page: str) -> list[tuple[int, int]]:
    return [
        (int(a), int(b)) for a, b in re.findall(r'<line class="span" x1="(\d+)" x2="(\d+)"', page)
    ]


def test_with_evidence_the_page_says_how_many_in_100_beside_each_word(
    published: Release, person: Person
) -> None:
    person.begin()
    page = finished(person, age="44")

    assert person.assessment.release_id == published.pk
    found = outcome(person.assessment.content.knowledge, person.assessment.evidence)
    first = found.differential[:MOST_CAUSES]
    said = re.findall(r'</p><p class="because">([^<]*)</p>\s*<svg class="range"', page)
    assert said == [in_100(cause) for cause in first]
    assert bars_in(page) == [(whole(cause.low), whole(cause.high)) for cause in first]
    study = CalibrationStudy.objects.get()
    assert (
        "The numbers in 100 were checked on 400 people whose cause was found out:"
        f" {study.source.citation}"
    ) in text_of(page)


def assessment_of(release: Release, evidence: Evidence) -> Assessment:
    now = timezone.now()
    replies = [[key, reply_to_json(reply)] for key, reply in evidence]
    return Assessment(
        release=release,
        language="en",
        started_at=now,
        active_at=now,
        replies=replies,
        set_by=["text"] * len(replies),
    )


def test_what_the_page_is_given_agrees_with_the_engine(published: Release) -> None:
    knowledge = content_of(published.pk).knowledge
    for evidence in replies_of(knowledge, 6):
        causes = pages.outcome_page(assessment_of(published, evidence), timezone.now())["causes"]
        first = outcome(knowledge, evidence).differential[: len(causes)]

        for cause, exact in zip(causes, first, strict=True):
            assert cause["in_100"] == in_100(exact)
            assert cause["low_percent"] == whole(exact.low)
            assert cause["high_percent"] == whole(exact.high)


def test_where_the_study_had_no_claims_the_word_stands_alone(
    published: Release,
) -> None:
    content = content_of(published.pk)
    some = Checked(400, "Somebody, somewhere.", "", frozenset({1}))
    door._contents[published.pk] = replace(content, checked=some)  # forgotten after each test

    evidence = Evidence([(FeatureKey("age"), Number(44))])
    causes = pages.outcome_page(assessment_of(published, evidence), timezone.now())["causes"]

    first = outcome(content.knowledge, evidence).differential
    for cause, exact in zip(causes, first, strict=False):
        assert bool(cause["in_100"]) == (0.1 <= exact.posterior < 0.2)
    assert len({bool(cause["in_100"]) for cause in causes}) == 2


def no_number(page: str) -> None:
    text = text_of(page)
    assert "in 100" not in text
    assert not re.search(r"\d\s*%|per ?cent", text)


def test_without_evidence_no_page_of_a_journey_says_a_number(person: Person) -> None:
    person.go("/")
    no_number(person.page)
    person.begin()
    while person.feature:
        no_number(person.page)
        person.answer("44" if person.feature == "age" else person.calm())
    no_number(person.page)
    person.post({}, "/check/finish")

    assert person.path == "/check/outcome"
    assert bars_in(person.page)
    no_number(person.page)


def test_a_tick_in_the_drafts_changes_nothing_of_the_release_in_use(
    release: Release, person: Person
) -> None:
    Topic.objects.update(says_in_100=True)
    studies.add_to(release.topic, compile_release(release.topic))
    person.begin()

    no_number(finished(person, age="44"))
