"""What a person can reply, in its one form, and how it is kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.engine import (
    Chosen,
    Decline,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Knowledge,
    Number,
    Reply,
    UnfitReply,
    UnknownFeature,
    UnknownOption,
    applies,
    check_reply,
    disposition,
    next_step,
    outcome,
    posterior,
    reply_from_json,
    reply_to_json,
)

from .expressions import telling_replies, thorough
from .small import FEATURES, chosen, evidence_of

A, B, C = FeatureKey("a"), FeatureKey("b"), FeatureKey("c")
YES, NO = chosen("yes"), chosen("no")


def feature(knowledge: Knowledge, key: str) -> Feature:
    return knowledge.feature(FeatureKey(key))


@pytest.mark.parametrize(
    ("key", "reply"),
    [
        ("fever", chosen("yes")),
        ("fever", chosen("not_sure")),
        ("skin", chosen("red")),
        ("skin", chosen("red", "pus", "bruise")),
        ("skin", chosen("looks_normal")),
        ("skin", Declined(Decline.CANT_SEE)),
        ("feel", Declined(Decline.CANT_SEE)),
        ("age", Number(0)),
        ("age", Number(120)),
        ("pain", Number(10)),
        ("pain", Declined(Decline.DONT_KNOW)),
        ("injects", Declined(Decline.DONT_KNOW)),
        ("injects", Declined(Decline.RATHER_NOT_SAY)),
    ],
)
def test_a_fitting_reply_stays_as_it_is(knowledge: Knowledge, key: str, reply: Reply) -> None:
    assert check_reply(feature(knowledge, key), reply) == reply


@pytest.mark.parametrize("key", ["fever", "skin", "leg_nerves"])
def test_dont_know_is_not_sure_where_there_is_such_an_option(
    knowledge: Knowledge, key: str
) -> None:
    reply = check_reply(feature(knowledge, key), Declined(Decline.DONT_KNOW))

    assert reply == chosen("not_sure")


@pytest.mark.parametrize(
    ("key", "reply"),
    [
        ("fever", chosen()),
        ("fever", chosen("yes", "no")),
        ("fever", Number(1)),
        ("skin", chosen()),
        ("skin", chosen("red", "looks_normal")),
        ("skin", chosen("not_sure", "red")),
        ("skin", chosen("not_sure", "looks_normal")),
        ("skin", Number(0)),
        ("age", Number(-1)),
        ("age", Number(121)),
        ("pain", Number(11)),
        ("age", Number(True)),
        ("age", Number(3.0)),  # type: ignore[arg-type]  # what a form must not let through
        ("age", chosen("young")),
        ("age", chosen()),
        # age is required
        ("age", Declined(Decline.DONT_KNOW)),
        ("age", Declined(Decline.CANT_SEE)),
        ("age", Declined(Decline.RATHER_NOT_SAY)),
        # needs neither eyes nor hands, and is not sensitive
        ("fever", Declined(Decline.CANT_SEE)),
        ("fever", Declined(Decline.RATHER_NOT_SAY)),
        ("injects", Declined(Decline.CANT_SEE)),
        ("skin", Declined(Decline.RATHER_NOT_SAY)),
        ("pain", Declined(Decline.CANT_SEE)),
    ],
)
def test_an_unfit_reply_is_refused(knowledge: Knowledge, key: str, reply: Reply) -> None:
    with pytest.raises(UnfitReply):
        check_reply(feature(knowledge, key), reply)


@pytest.mark.parametrize(
    ("key", "reply"),
    [("fever", chosen("maybe")), ("skin", chosen("red", "green")), ("fever", chosen("Yes"))],
)
def test_an_option_that_is_not_there_is_refused(
    knowledge: Knowledge, key: str, reply: Reply
) -> None:
    with pytest.raises(UnknownOption):
        check_reply(feature(knowledge, key), reply)


def test_each_feature_offers_only_the_ways_to_decline_that_fit_it(knowledge: Knowledge) -> None:
    offered = {feature.key: feature.declines for feature in knowledge.features}

    assert offered == {
        "leg_nerves": (),
        "right_now": (),
        "fever": (),
        "age": (),
        "lump": (Decline.CANT_SEE,),
        "feel": (Decline.CANT_SEE,),
        "skin": (Decline.CANT_SEE,),
        "pain": (Decline.DONT_KNOW,),
        "injects": (Decline.DONT_KNOW, Decline.RATHER_NOT_SAY),
        "general": (),
    }


every_fitting_reply = st.one_of([st.sampled_from(telling_replies(f)) for f in FEATURES])


@thorough
@given(reply=every_fitting_reply)
def test_a_reply_survives_json(reply: Reply) -> None:
    assert reply_from_json(json.loads(json.dumps(reply_to_json(reply)))) == reply


@pytest.mark.parametrize(
    ("reply", "form"),
    [
        (chosen("b", "c", "a"), ["a", "b", "c"]),
        (chosen("yes"), ["yes"]),
        (Number(34), 34),
        (Number(0), 0),
        (Declined(Decline.CANT_SEE), "cant_see"),
    ],
)
def test_a_reply_has_one_json_form(reply: Reply, form: list[str] | int | str) -> None:
    assert reply_to_json(reply) == form


@pytest.mark.parametrize(
    "value",
    [None, True, False, 3.5, float("nan"), "yes", "", [], [1], ["yes", 1], [["yes"]], {}, {"a": 1}],
    ids=repr,
)
def test_json_that_is_no_reply_is_refused(value: Any) -> None:
    with pytest.raises(UnfitReply):
        reply_from_json(value)


def test_a_changed_reply_keeps_its_place() -> None:
    evidence = Evidence([(A, YES), (B, YES)])

    changed = evidence.set(A, NO).set(C, YES)

    assert list(changed) == [(A, NO), (B, YES), (C, YES)]
    assert list(evidence) == [(A, YES), (B, YES)]


def test_a_reply_can_be_taken_away() -> None:
    evidence = Evidence([(A, YES), (B, YES)])

    rest = evidence.without(A)

    assert list(rest) == [(B, YES)]
    assert list(rest.without(C)) == [(B, YES)]
    assert evidence.get(A) == YES
    assert rest.get(A) is None
    assert A not in rest


def test_of_two_replies_to_one_feature_the_last_counts() -> None:
    evidence = Evidence([(A, YES), (B, YES), (A, NO)])

    assert list(evidence) == [(A, NO), (B, YES)]
    assert len(evidence) == 2


def test_evidence_is_a_value() -> None:
    evidence = Evidence([(A, YES), (B, Number(3))])

    assert evidence == Evidence([(A, YES), (B, Number(3))])
    assert hash(evidence) == hash(Evidence([(A, YES), (B, Number(3))]))
    assert evidence != Evidence([(B, Number(3)), (A, YES)])
    assert evidence != Evidence([(A, YES)])


@pytest.mark.parametrize("asked", [next_step, disposition, outcome, posterior])
def test_a_reply_to_a_feature_that_is_not_there_is_refused(
    knowledge: Knowledge, asked: Any
) -> None:
    with pytest.raises(UnknownFeature):
        asked(knowledge, Evidence([(A, YES)]))


@pytest.mark.parametrize("asked", [next_step, disposition, outcome])
def test_skipping_a_feature_that_is_not_there_is_refused(knowledge: Knowledge, asked: Any) -> None:
    with pytest.raises(UnknownFeature):
        asked(knowledge, Evidence(), skipped=frozenset({A}))


def test_a_feature_applies_only_once_its_condition_holds_for_sure(knowledge: Knowledge) -> None:
    feel = FeatureKey("feel")

    assert not applies(knowledge, Evidence(), feel)
    assert applies(knowledge, evidence_of(knowledge, lump="one"), feel)
    assert applies(knowledge, evidence_of(knowledge, lump="not_sure"), feel)
    assert applies(knowledge, evidence_of(knowledge, lump="cant_see"), feel)
    assert not applies(knowledge, evidence_of(knowledge, lump="no_lump"), feel)
    with pytest.raises(UnknownFeature):
        applies(knowledge, Evidence(), A)


def test_the_shipped_features_take_every_reply_that_they_offer(shipped: Knowledge) -> None:
    for asked in shipped.features:
        for decline in asked.declines:
            assert check_reply(asked, Declined(decline)) == Declined(decline)
        for option in asked.options if asked.low is None else ():
            reply = Chosen(frozenset({option.key}))
            assert check_reply(asked, reply) == reply
