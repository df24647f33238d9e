"""What an assessment comes to, and the receipt that any machine can make again."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.engine import (
    ENGINE_VERSION,
    Condition,
    ConditionKey,
    Evidence,
    FeatureKey,
    Knowledge,
    Outcome,
    Urgency,
    outcome,
    posterior,
    receipt,
)
from triage.engine.inference import credible_range
from triage.engine.standing import Standing

from .expressions import some_people, thorough, whole_people
from .oracle import Replies
from .people import pool_of
from .reference import log_odds_of, posteriors
from .small import evidence_of, knowledge_with


def person(knowledge: Knowledge) -> Evidence:
    return evidence_of(
        knowledge,
        leg_nerves="not_sure",
        right_now="none",
        fever="no",
        age=64,
        lump="one",
        feel="hard",
        skin="cant_see",
        general={"weight_loss"},
    )


def test_the_differential_falls_and_gives_ties_to_the_lower_key(knowledge: Knowledge) -> None:
    found = outcome(knowledge, person(knowledge))

    ranked = [(r.condition, r.posterior) for r in found.differential]
    assert [key for key, _ in ranked] == ["tumour", "cyst", "strain"]
    assert dict(ranked) == pytest.approx(posteriors(knowledge, dict(person(knowledge))))


def test_of_equal_conditions_the_lower_key_comes_first() -> None:
    knowledge = knowledge_with()
    cells = dict(knowledge.likelihoods)
    for condition, key, option in list(cells):
        if condition == "strain":
            cells[condition, key, option] = cells[ConditionKey("cyst"), key, option]
    twins = [
        Condition(condition.key, prior, condition.urgency)
        for condition, prior in zip(knowledge.conditions[::-1], (0.2, 0.4, 0.4), strict=True)
    ]
    alike = knowledge_with(conditions=twins, likelihoods=cells, groups=())

    found = outcome(alike, evidence_of(alike, age=30, fever="no"))

    assert [ranked.condition for ranked in found.differential][:2] == ["cyst", "strain"]


def test_each_condition_has_the_range_of_its_posterior(knowledge: Knowledge) -> None:
    evidence = person(knowledge)
    weights = posterior(knowledge, evidence)
    ranges = credible_range(Standing(knowledge, evidence))
    keys = [condition.key for condition in knowledge.conditions]

    for ranked in outcome(knowledge, evidence).differential:
        place = keys.index(ranked.condition)
        assert (ranked.posterior, ranked.low, ranked.high) == (
            weights[place],
            ranges.low[place],
            ranges.high[place],
        )
        assert ranked.low < ranked.posterior < ranked.high


def test_what_must_not_be_missed_is_named_whatever_its_rank(knowledge: Knowledge) -> None:
    well = evidence_of(knowledge, age=20, lump="one", feel="soft", general="none", fever="no")

    found = outcome(knowledge, well)

    assert found.differential[-1].condition == "tumour"
    assert found.must_not_miss == ("tumour",)


@thorough
@given(replies=some_people)
def test_causes_are_named_only_in_scope(knowledge: Knowledge, replies: Replies) -> None:
    found = outcome(knowledge, Evidence(replies.items()))

    assert bool(found.differential) is (found.disposition.in_scope is True)
    assert bool(found.must_not_miss) is bool(found.differential)


@thorough
@given(replies=whole_people, seed=st.integers(0, 99))
def test_the_same_replies_give_the_same_receipt_in_any_order(
    knowledge: Knowledge, replies: Replies, seed: int
) -> None:
    shuffled = list(replies.items())
    Random(seed).shuffle(shuffled)

    there = receipt(outcome(knowledge, Evidence(replies.items())))
    back = receipt(outcome(knowledge_with(), Evidence(shuffled)))

    assert there.encode() == back.encode()


def test_the_shipped_receipts_are_the_same_in_any_order(shipped: Knowledge) -> None:
    for replies in pool_of(shipped, seed=8, count=10).people:
        backwards = Evidence(reversed(replies.items()))

        assert receipt(outcome(shipped, Evidence(replies.items()))) == receipt(
            outcome(shipped, backwards)
        )


def read(found: Outcome) -> dict[str, Any]:
    document = json.loads(receipt(found), parse_float=str)
    assert isinstance(document, dict)
    return document


@thorough
@given(replies=some_people)
def test_a_receipt_is_canonical_json(knowledge: Knowledge, replies: Replies) -> None:
    text = receipt(outcome(knowledge, Evidence(replies.items())))

    form = json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    assert text == form


@thorough
@given(replies=some_people)
def test_numbers_of_a_receipt_are_rounded_to_a_millionth(
    knowledge: Knowledge, replies: Replies
) -> None:
    found = outcome(knowledge, Evidence(replies.items()))
    document = read(found)

    for written, ranked in zip(document["differential"], found.differential, strict=True):
        for name in ("posterior", "low", "high"):
            assert float(written[name]) == pytest.approx(getattr(ranked, name), abs=5.1e-7)
            assert float(written[name]) == round(float(written[name]), 6)
            assert not written[name].startswith("-")
        for *_, nats in written["weights"]:
            assert float(nats) == round(float(nats), 6)
            assert nats not in ("-0.0", "-0")


def test_a_receipt_names_the_engine_and_all_of_the_outcome(knowledge: Knowledge) -> None:
    found = outcome(knowledge, person(knowledge))

    document = read(found)

    assert document["engine"] == ENGINE_VERSION
    assert set(document) == {
        "engine",
        "urgency",
        "in_scope",
        "reasons",
        "not_excluded",
        "differential",
        "must_not_miss",
        "unknowns",
    }
    assert document["urgency"] == found.disposition.urgency.key == Urgency.SAME_DAY.key
    assert document["unknowns"] == [
        ["leg_nerves", ["cord"], "urgent_2_weeks", "emergency_now", []],
        ["skin", [], "same_day", "same_day", ["cyst"]],
    ]


def test_another_reply_gives_another_receipt(knowledge: Knowledge) -> None:
    evidence = person(knowledge)
    receipts = {
        receipt(outcome(knowledge, changed))
        for changed in (
            evidence,
            evidence.without(FeatureKey("fever")),
            evidence_of(knowledge, age=64),
            evidence_of(knowledge, age=65),
            evidence_of(knowledge, age=12),
            Evidence(),
        )
    }

    assert len(receipts) == 6


GOLDEN = """\
{"differential":[{"chance":"possible","condition":"tumour","high":0.645271,"low":0.413589,
"posterior":0.531106,"weights":[["age",null,64,true,0.459499],["feel","hard",null,true,
0.661421],["fever","no",null,true,-0.080153],["general","weight_loss",null,true,1.765028],
["general",null,null,false,-0.605973],["lump","one",null,true,0.121987]]},{"chance":"unlikely",
"condition":"cyst","high":0.385168,"low":0.209293,"posterior":0.289373,"weights":[["age",null,
64,true,-0.365388],["feel","hard",null,true,-0.734905],["fever","no",null,true,-0.007525],
["general","weight_loss",null,true,-0.966107],["general",null,null,false,0.296182],["lump",
"one",null,true,0.473846]]},{"chance":"unlikely","condition":"strain","high":0.257526,
"low":0.121285,"posterior":0.179522,"weights":[["age",null,64,true,0.196269],["feel","hard",
null,true,0.386789],["fever","no",null,true,0.041531],["general","weight_loss",null,true,
-0.768957],["general",null,null,false,0.122218],["lump","one",null,true,-0.650145]]}],
"engine":"2","in_scope":true,"must_not_miss":["tumour"],"not_excluded":["cord"],
"reasons":[{"findings":[["leg_nerves","not_sure",null,true]],"kind":"red_flag",
"rule":"nerves_unsure","urgency":"same_day"},{"findings":[["feel","hard",null,true],["age",null,
64,true],["general","weight_loss",null,true]],"kind":"red_flag","rule":"hard_lump",
"urgency":"urgent_2_weeks"},{"conditions":["tumour"],"group":null,"posterior":0.531106,
"threshold":0.2,"urgency":"urgent_2_weeks"},{"findings":[["lump","one",null,true]],
"kind":"floor","rule":"see_gp","urgency":"routine"}],"unknowns":[["leg_nerves",["cord"],
"urgent_2_weeks","emergency_now",[]],["skin",[],"same_day","same_day",["cyst"]]],
"urgency":"same_day"}
"""


def test_the_receipt_of_one_person_is_as_it_was(knowledge: Knowledge) -> None:
    """Changes only with `ENGINE_VERSION`: what people were told must stay reproducible."""
    assert receipt(outcome(knowledge, person(knowledge))) == GOLDEN.replace("\n", "")


def test_the_numbers_of_that_receipt_are_those_of_the_formulas(knowledge: Knowledge) -> None:
    document = json.loads(GOLDEN)
    replies = dict(person(knowledge))
    now, before = posteriors(knowledge, replies), log_odds_of(posteriors(knowledge, {}))
    after = log_odds_of(now)

    for written in document["differential"]:
        key = written["condition"]
        assert written["posterior"] == pytest.approx(now[key], abs=5e-7)
        told = sum(weight for *_, weight in written["weights"])
        assert told == pytest.approx(after[key] - before[key], abs=5e-6)
