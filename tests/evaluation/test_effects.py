"""What a draft changes must be what running both sides by hand comes to."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from triage.engine import (
    ENGINE_VERSION,
    Chance,
    Condition,
    ConditionKey,
    FeatureKey,
    Knowledge,
    Likelihood,
    OptionKey,
    Urgency,
)
from triage.evaluation.effects import (
    Came,
    Cause,
    Compared,
    Described,
    End,
    came_of,
    figures_of,
    lowered,
)
from triage.evaluation.interviews import interview
from triage.evaluation.simulation import simulated
from triage.evaluation.walks import parts_of

PEOPLE = 200

OLD = {"age": 80, "lump": "no_lump"}
"""Bone on the live side: 0.25 x 0.794 x 0.696 = 0.1382 against 0.75 x 0.304 x 0.108 = 0.0246 of the
cyst, slips of 2 % allowed for: 0.8487, which passes the threshold of 0.5 for a routine visit."""


def described(key: str, answers: dict[str, Any], **expected: Any) -> Described:
    text = json.dumps({"id": key, "answers": answers, "expected": expected})
    return Described("file", key, f"The story of {key}.", text)


def changed(knowledge: Knowledge, **parts: Any) -> Knowledge:
    return Knowledge(**{**parts_of(knowledge), **parts})


def with_no_lump_in_bone(knowledge: Knowledge, probability: float) -> Knowledge:
    """Return the topic with another P(no lump | bone)."""
    row = {"no_lump": probability, "one": 1 - probability}
    cells = {
        (ConditionKey("bone"), FeatureKey("lump"), OptionKey(key)): Likelihood(p)
        for key, p in row.items()
    }
    return changed(knowledge, likelihoods={**knowledge.likelihoods, **cells})


def figures(
    draft: Knowledge, live: Knowledge | None, *cases: Described, **given: Any
) -> dict[str, Any]:
    return figures_of(draft, live, cases, **{"people": PEOPLE, **given})


def test_a_case_that_a_likelihood_sends_lower_is_found(knowledge: Knowledge) -> None:
    draft = with_no_lump_in_bone(knowledge, 0.1)
    cases = [
        described("old", OLD, conditions=["bone"], urgency_at_least="routine"),
        described("leaking", {"age": 34, "skin": ["pus"]}, conditions=["cyst"]),
    ]

    found = figures(draft, knowledge, *cases)

    assert lowered(found) == ("file/old",)
    (case,) = found["cases"]
    assert case["story"] == "The story of old."
    assert (case["lowered"], case["higher"]) == (True, False)
    for way in ("interview", "whole"):
        assert case[way]["urgency"] == ["routine", "self_care"]
        assert case[way]["within"] == [True, False]
        assert case[way]["rank"] == [1, 2]
        assert [cause["condition"] for cause in case[way]["leading"]] == ["bone", "cyst"]
        assert [cause["condition"] for cause in case[way]["expected"]] == ["bone", "bone"]
        # 0.25 x 0.794 x 0.108 = 0.0214 against 0.0246 of the cyst
        posteriors = [cause["posterior"] for cause in case[way]["expected"]]
        assert posteriors == pytest.approx([0.8487, 0.4654], abs=1e-4)
    assert found["unchanged"] == 1


def test_a_case_that_goes_higher_needs_no_word(knowledge: Knowledge) -> None:
    live = with_no_lump_in_bone(knowledge, 0.1)

    found = figures(knowledge, live, described("old", OLD, conditions=["bone"]))

    assert lowered(found) == ()
    assert [case["higher"] for case in found["cases"]] == [True]


def test_the_lowered_come_first_and_then_the_higher(knowledge: Knowledge) -> None:
    draft = with_no_lump_in_bone(
        changed(
            knowledge,
            rules=[
                replace(rule, urgency=Urgency.FEW_DAYS) if rule.key == "hard_lump" else rule
                for rule in knowledge.rules
            ],
        ),
        0.1,
    )
    cases = [
        described("another", {"age": 34, "lump": "no_lump"}),
        described("hard", {"age": 34, "lump": "one", "feel": "hard"}),
        described("old", OLD),
    ]

    found = figures(draft, knowledge, *cases)

    assert [case["key"] for case in found["cases"]] == ["old", "hard", "another"]


def test_a_draft_that_changes_nothing_has_no_effect(knowledge: Knowledge) -> None:
    cases = [described("old", OLD, conditions=["bone"]), described("hard", {"feel": "hard"})]

    found = figures(changed(knowledge), knowledge, *cases)

    assert found["cases"] == []
    assert found["unchanged"] == 2
    assert found["people"]["before"] == found["people"]["after"]


def test_what_moves_by_less_than_a_hundredth_is_no_change(knowledge: Knowledge) -> None:
    draft = with_no_lump_in_bone(knowledge, 0.71)

    found = figures(draft, knowledge, described("old", OLD, conditions=["bone"]))

    assert found["cases"] == []


def test_a_case_that_can_be_read_no_longer_counts_as_lower(knowledge: Knowledge) -> None:
    draft = Knowledge(**renamed(parts_of(knowledge), "bone", "stone"))

    found = figures(draft, knowledge, described("old", OLD, conditions=["bone"]))

    assert lowered(found) == ("file/old",)
    (case,) = found["cases"]
    assert case["unread"] == [[], ["“bone” is no condition of this topic"]]
    assert case["interview"]["urgency"] == ["routine", None]


def test_a_case_that_only_the_draft_can_read_is_not_lower(knowledge: Knowledge) -> None:
    draft = Knowledge(**renamed(parts_of(knowledge), "bone", "stone"))

    found = figures(draft, knowledge, described("old", OLD, conditions=["stone"]))

    assert lowered(found) == ()
    (case,) = found["cases"]
    assert case["unread"] == [["“stone” is no condition of this topic"], []]
    assert case["interview"]["urgency"] == [None, "routine"]


def renamed(parts: Any, old: str, new: str) -> Any:
    """Return the parts of a topic with another key for a condition."""
    conditions: tuple[Condition, ...] = parts["conditions"]
    return {
        **parts,
        "conditions": [
            replace(one, key=ConditionKey(new)) if one.key == old else one for one in conditions
        ],
        "likelihoods": {
            (ConditionKey(new) if condition == old else condition, *rest): cell
            for (condition, *rest), cell in parts["likelihoods"].items()
        },
    }


def test_without_a_release_there_is_nothing_to_compare_with(knowledge: Knowledge) -> None:
    found = figures(knowledge, None, described("old", OLD))

    assert (found["cases"], found["unchanged"]) == ([], 1)
    assert found["people"]["before"] is None
    assert found["people"]["after"]["asked"]["value"] > 0


def test_lower_in_one_of_the_two_ways_is_lower() -> None:
    high, low = end(Urgency.SAME_DAY), end(Urgency.ROUTINE)
    case = described("any", {})

    assert Compared(case, Came(high, high), Came(high, low)).is_lowered
    assert Compared(case, Came(high, high), Came(low, high)).is_lowered
    assert not Compared(case, Came(high, high), Came(high, high)).differs
    both = Compared(case, Came(high, low), Came(low, high))
    assert (both.is_lowered, both.is_higher) == (True, True)


def test_a_rank_a_word_and_a_range_are_each_a_change() -> None:
    case, plain = described("any", {}), end(Urgency.ROUTINE)

    for other in (
        replace(plain, rank=2),
        replace(plain, leading=replace(CAUSE, word=Chance.LIKELY)),
        replace(plain, expected=replace(CAUSE, low=0.33)),
        replace(plain, leading=replace(CAUSE, condition=ConditionKey("bone"))),
        replace(plain, leading=None),
    ):
        assert Compared(case, Came(plain, plain), Came(other, plain)).differs
    unlike = replace(plain, asked=9, leading=replace(CAUSE, posterior=0.45))
    assert not Compared(case, Came(plain, plain), Came(unlike, plain)).differs


CAUSE = Cause(ConditionKey("cyst"), 0.4, 0.31, 0.5, Chance.POSSIBLE)


def end(urgency: Urgency) -> End:
    return End(urgency, CAUSE, CAUSE, rank=1, within=True, asked=3)


def test_the_figures_of_people_are_those_of_each_alone(linked: Knowledge) -> None:
    people = list(simulated(linked, np.random.default_rng(5), PEOPLE))
    runs = [interview(linked, one.evidence) for one in people]
    own = [linked.condition(next(iter(one.conditions))).urgency for one in people]
    ranks = [
        [key for key, _ in run.ranked].index(next(iter(one.conditions))) + 1
        for one, run in zip(people, runs, strict=True)
        if run.ranked
    ]

    found = figures(linked, None, seed=5)

    after = found["people"]["after"]
    hits = {name: after[name]["hits"] for name in ("too_low", "hazardous", "too_high", "today")}
    reached = [(run.urgency, due) for run, due in zip(runs, own, strict=True)]
    assert hits == {
        "too_low": sum(urgency < due for urgency, due in reached),
        "hazardous": sum(urgency <= due - 2 for urgency, due in reached),
        "too_high": sum(urgency > due for urgency, due in reached),
        "today": sum(urgency >= Urgency.SAME_DAY for urgency, _ in reached),
    }
    assert (after["first"]["hits"], after["first"]["of"]) == (ranks.count(1), len(ranks))
    assert after["first_three"]["value"] == 1  # there are two causes
    assert after["asked"]["value"] == np.median([run.asked for run in runs])
    feel = [
        [key for key, _ in run.said].index(FeatureKey("feel")) + 1
        for run in runs
        if FeatureKey("feel") in run.said
    ]
    assert found["asked"]["feel"]["share"] == len(feel) / PEOPLE
    assert found["asked"]["feel"]["place"] == pytest.approx(sum(feel) / len(feel))


def test_the_same_seed_gives_the_same_figures(linked: Knowledge) -> None:
    first, second, other = (figures(linked, linked, seed=seed) for seed in (3, 3, 4))

    assert first == second
    assert first["people"]["after"] != other["people"]["after"]
    assert json.loads(json.dumps(first)) == first


def test_the_figures_are_the_same_however_many_processes(linked: Knowledge) -> None:
    draft = with_no_lump_in_bone(linked, 0.1)
    case = described("old", OLD, conditions=["bone"])

    assert figures(draft, linked, case, processes=2) == figures(draft, linked, case)


def test_what_is_known_of_the_live_side_is_not_measured_again(knowledge: Knowledge) -> None:
    earlier = figures(knowledge, None)["people"]
    done: list[int] = []
    case = described("old", OLD)

    found = figures(
        with_no_lump_in_bone(knowledge, 0.1),
        knowledge,
        case,
        before=earlier["after"],
        told=done.append,
    )

    assert sum(done) == PEOPLE + 1
    assert found["people"]["before"] == earlier["after"]
    assert (earlier["engine"], earlier["count"]) == (ENGINE_VERSION, PEOPLE)


def test_one_case_by_itself_comes_to_the_same(knowledge: Knowledge) -> None:
    came = came_of(described("old", OLD, conditions=["bone"]), knowledge)

    assert isinstance(came, Came)
    assert came.interview.urgency is Urgency.ROUTINE
    assert came.interview.rank == 1
