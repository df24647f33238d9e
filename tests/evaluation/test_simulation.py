"""The people drawn must be those that the tables describe."""

import json
from math import sqrt

import numpy as np
import pytest

from triage.engine import (
    Chosen,
    ConditionKey,
    Declined,
    FeatureKey,
    Knowledge,
    Number,
    OptionKey,
    Urgency,
    reply_to_json,
)
from triage.evaluation.cases import Case
from triage.evaluation.simulation import simulated
from triage.evaluation.stamps import digest

from .conftest import INFLAMED, TABLE, chosen

COUNT = 4000


@pytest.fixture(scope="module")
def people(knowledge: Knowledge) -> tuple[Case, ...]:
    return tuple(simulated(knowledge, np.random.default_rng(1), COUNT))


def replies(people: tuple[Case, ...], condition: str, feature: str) -> list[object]:
    return [
        person.evidence.get(FeatureKey(feature))
        for person in people
        if condition in person.conditions and FeatureKey(feature) in person.evidence
    ]


def assert_share(hits: int, of: int, probability: float) -> None:
    """Within four standard errors: a right draw fails once in 16,000."""
    assert abs(hits / of - probability) < 4 * sqrt(probability * (1 - probability) / of)


def test_conditions_come_as_often_as_their_priors_say(people: tuple[Case, ...]) -> None:
    assert_share(sum("cyst" in person.conditions for person in people), COUNT, 0.75)


@pytest.mark.parametrize("condition", ["cyst", "bone"])
@pytest.mark.parametrize(
    ("feature", "option"), [("lump", "one"), ("feel", "soft"), ("skin", "red"), ("skin", "pus")]
)
def test_options_come_as_often_as_their_likelihoods_say(
    people: tuple[Case, ...], condition: str, feature: str, option: str
) -> None:
    drawn = replies(people, condition, feature)

    hits = sum(isinstance(reply, Chosen) and option in reply.options for reply in drawn)

    assert_share(hits, len(drawn), TABLE[condition][feature][option])


@pytest.mark.parametrize("condition", ["cyst", "bone"])
def test_the_options_of_a_multiple_choice_are_independent(
    people: tuple[Case, ...], condition: str
) -> None:
    drawn = replies(people, condition, "skin")
    skin = TABLE[condition]["skin"]

    both = sum(reply == chosen("red", "pus") for reply in drawn)
    neither = sum(reply == chosen("looks_normal") for reply in drawn)

    assert_share(both, len(drawn), skin["red"] * skin["pus"])
    assert_share(neither, len(drawn), (1 - skin["red"]) * (1 - skin["pus"]))


def test_a_number_is_spread_evenly_over_its_band(people: tuple[Case, ...]) -> None:
    ages = [reply.value for reply in replies(people, "cyst", "age") if isinstance(reply, Number)]
    young = [age for age in ages if age < 50]
    old = [age for age in ages if age >= 50]

    assert_share(len(young), len(ages), 0.7)
    assert (min(young), min(old), max(old)) == (16, 50, 120)
    assert_share(sum(age <= 32 for age in young), len(young), 17 / 34)
    assert_share(sum(age <= 85 for age in old), len(old), 36 / 71)


def test_what_has_no_likelihood_is_never_drawn(people: tuple[Case, ...]) -> None:
    nothing = chosen("none")

    assert all(person.evidence.get(FeatureKey("danger")) == nothing for person in people)


def test_what_does_not_apply_is_not_replied_to(people: tuple[Case, ...]) -> None:
    for person in people:
        lump = person.evidence.get(FeatureKey("lump"))
        asked = lump != chosen("no_lump")
        assert (FeatureKey("feel") in person.evidence) is asked


def test_the_true_condition_is_what_is_expected(knowledge: Knowledge) -> None:
    bone = ConditionKey("bone")

    people = list(simulated(knowledge, np.random.default_rng(1), 50, condition=bone))

    assert {person.conditions for person in people} == {frozenset({"bone"})}
    assert {person.at_least for person in people} == {Urgency.ROUTINE}


def test_replies_are_declined_as_often_as_asked_for(knowledge: Knowledge) -> None:
    people = tuple(simulated(knowledge, np.random.default_rng(1), COUNT, declines=0.2))

    skin = [person.evidence.get(FeatureKey("skin")) for person in people]
    unsure = sum(reply == chosen("not_sure") for reply in skin)
    unseen = sum(isinstance(reply, Declined) for reply in skin)
    assert_share(unsure, COUNT, 0.1)
    assert_share(unseen, COUNT, 0.1)


def test_a_required_reply_is_never_declined(knowledge: Knowledge) -> None:
    people = simulated(knowledge, np.random.default_rng(1), 50, declines=1.0)

    assert all(isinstance(person.evidence.get(FeatureKey("age")), Number) for person in people)


def test_a_seed_gives_the_same_people(knowledge: Knowledge) -> None:
    first, second = (tuple(simulated(knowledge, np.random.default_rng(7), 20)) for _ in range(2))

    assert first == second


def test_findings_of_a_syndrome_come_together(linked: Knowledge) -> None:
    people = tuple(simulated(linked, np.random.default_rng(1), COUNT))

    drawn = replies(people, "cyst", "skin")
    hot = INFLAMED.members
    key = ConditionKey("cyst"), FeatureKey("skin")
    both = sum(
        share * red * pus
        for share, red, pus in zip(
            INFLAMED.chances[ConditionKey("cyst")],
            hot[*key, OptionKey("red")],
            hot[*key, OptionKey("pus")],
            strict=True,
        )
    )

    hits = sum(reply == chosen("red", "pus") for reply in drawn)

    assert both > 1.5 * TABLE["cyst"]["skin"]["red"] * TABLE["cyst"]["skin"]["pus"]
    assert_share(hits, len(drawn), both)
    for option in ("red", "pus"):
        ticked = sum(isinstance(r, Chosen) and option in r.options for r in drawn)
        assert_share(ticked, len(drawn), TABLE["cyst"]["skin"][option])


def test_a_seed_gives_the_people_that_it_always_gave(linked: Knowledge) -> None:
    """Pages of figures are stamped with what was measured of them."""
    people = simulated(linked, np.random.default_rng(7), 200, declines=0.1)

    told = json.dumps(
        [
            [sorted(one.conditions), [[key, reply_to_json(reply)] for key, reply in one.evidence]]
            for one in people
        ]
    )

    assert digest([told]) == "ed04e5f24988b52b"
