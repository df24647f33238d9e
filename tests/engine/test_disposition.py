"""How urgent it is, and every reason for it."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.engine import (
    NOT_SURE,
    Chosen,
    ConditionKey,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Finding,
    FlagReason,
    Kind,
    Knowledge,
    Number,
    Option,
    OptionKey,
    Reply,
    RiskReason,
    Rule,
    RuleKey,
    RuleKind,
    Settings,
    Urgency,
    disposition,
)
from triage.engine.risks import MOST_VARIANTS, highest_posteriors
from triage.engine.standing import Standing

from .expressions import some_people, telling_replies, thorough, whole_people
from .oracle import Replies, applying, holding, is_true, plain_values, rule_urgency
from .people import alarms_of, pool_of, ticked
from .reference import highest, posteriors
from .small import CONDITIONS, FEATURES, GROUPS, SYNDROMES, evidence_of, knowledge_with

MODULE = sys.modules[highest_posteriors.__module__]
"""Where the cap is; the name `triage.engine.disposition` is also that of a function."""


def sets_of(knowledge: Knowledge) -> list[frozenset[ConditionKey]]:
    return [frozenset({c.key}) for c in knowledge.conditions] + [
        group.conditions for group in knowledge.groups
    ]


def indices(knowledge: Knowledge) -> list[frozenset[int]]:
    keys = [condition.key for condition in knowledge.conditions]
    return [frozenset(keys.index(key) for key in members) for members in sets_of(knowledge)]


def test_a_flag_says_which_replies_made_it_hold(knowledge: Knowledge) -> None:
    evidence = evidence_of(
        knowledge, leg_nerves={"numb_legs"}, fever="yes", right_now={"collapse"}, age=12
    )

    flags = disposition(knowledge, evidence).reasons

    numb = Finding(FeatureKey("leg_nerves"), OptionKey("numb_legs"))
    fever = Finding(FeatureKey("fever"), OptionKey("yes"))
    collapse = Finding(FeatureKey("right_now"), OptionKey("collapse"))
    twelve = Finding(FeatureKey("age"), number=12)
    red, now, today = RuleKind.RED_FLAG, Urgency.EMERGENCY_NOW, Urgency.SAME_DAY
    assert flags == (
        FlagReason(RuleKey("cord"), red, now, (numb, fever)),
        FlagReason(RuleKey("collapsed"), red, now, (collapse,)),
        FlagReason(RuleKey("nerves_unsure"), red, today, (numb,)),
        FlagReason(RuleKey("fever"), red, today, (fever,)),
        FlagReason(RuleKey("child"), RuleKind.SCOPE, Urgency.ROUTINE, (twelve,)),
    )


def test_nothing_to_worry_about_is_self_care(knowledge: Knowledge) -> None:
    evidence = evidence_of(
        knowledge,
        leg_nerves="none",
        right_now="none",
        fever="no",
        age=30,
        lump="one",
        feel="soft",
        skin="looks_normal",
        pain=2,
        injects="no",
        general="none",
    )

    found = disposition(knowledge, evidence)

    assert (found.urgency, found.reasons) == (Urgency.SELF_CARE, ())
    assert (found.not_excluded, found.in_scope) == ((), True)


@thorough
@given(replies=some_people)
def test_every_rule_that_holds_is_a_reason_and_no_other(
    knowledge: Knowledge, replies: Replies
) -> None:
    found = disposition(knowledge, Evidence(replies.items()))

    flags = [reason for reason in found.reasons if isinstance(reason, FlagReason)]
    assert {flag.rule for flag in flags} == {rule.key for rule in holding(knowledge, replies)}
    for flag in flags:
        rule = knowledge.rule(flag.rule)
        assert (flag.kind, flag.urgency) == (rule.kind, rule.urgency)


@thorough
@given(replies=some_people)
def test_the_urgency_is_the_highest_of_all_reasons_which_stand_in_that_order(
    knowledge: Knowledge, replies: Replies
) -> None:
    found = disposition(knowledge, Evidence(replies.items()))

    urgencies = [reason.urgency for reason in found.reasons]
    assert urgencies == sorted(urgencies, reverse=True)
    assert found.urgency is max(urgencies, default=Urgency.SELF_CARE)


@thorough
@given(replies=whole_people)
def test_a_risk_is_a_reason_exactly_from_its_threshold_on(
    either: Knowledge, replies: Replies
) -> None:
    found = disposition(either, Evidence(replies.items()))

    read = {key: replies[key] for key in applying(either, replies)}
    reached = highest(either, read, sets_of(either))
    thresholds = [c.raise_at for c in CONDITIONS] + [group.raise_at for group in GROUPS]
    over = {
        members
        for members, p, least in zip(sets_of(either), reached, thresholds, strict=True)
        if p >= least
    }
    in_scope = not is_true("age < 16", plain_values(either, replies))
    risks = [reason for reason in found.reasons if isinstance(reason, RiskReason)]
    assert {frozenset(risk.conditions) for risk in risks} == (over if in_scope else set())
    assert found.in_scope is in_scope
    for risk in risks:
        place = sets_of(either).index(frozenset(risk.conditions))
        assert risk.posterior == pytest.approx(reached[place], rel=1e-9)
        assert risk.threshold == thresholds[place]


def with_threshold(raise_at: float) -> Knowledge:
    tumour = replace(CONDITIONS[2], raise_at=raise_at)
    return knowledge_with(conditions=(*CONDITIONS[:2], tumour), groups=())


def test_a_threshold_counts_as_passed_when_it_is_met() -> None:
    plain = with_threshold(1.0)
    evidence = evidence_of(plain, age=70, lump="one", feel="soft")
    (reached,) = highest_posteriors(Standing(plain, evidence), [frozenset({2})])

    met, missed = with_threshold(reached), with_threshold(reached + 1e-9)

    assert disposition(met, evidence).urgency is Urgency.URGENT_2_WEEKS
    assert disposition(missed, evidence).urgency is Urgency.SELF_CARE


def test_a_group_is_judged_on_the_sum_of_its_conditions(knowledge: Knowledge) -> None:
    evidence = evidence_of(knowledge, age=40, lump="no_lump", general={"tired"}, skin={"bruise"})

    (risk,) = (
        reason
        for reason in disposition(knowledge, evidence).reasons
        if isinstance(reason, RiskReason) and reason.group
    )

    weights = posteriors(knowledge, dict(evidence))
    strain, tumour = weights[ConditionKey("strain")], weights[ConditionKey("tumour")]
    assert risk.conditions == ("strain", "tumour")
    assert risk.group == "deep"
    assert risk.posterior == pytest.approx(strain + tumour)
    assert max(strain, tumour) < risk.threshold == 0.85 <= risk.posterior


def test_under_16_no_risk_threshold_is_taken_and_no_condition_named(knowledge: Knowledge) -> None:
    adult = evidence_of(knowledge, age=40, lump="no_lump", general={"tired"}, skin={"bruise"})
    child = evidence_of(knowledge, age=15, lump="no_lump", general={"tired"}, skin={"bruise"})

    grown, young = disposition(knowledge, adult), disposition(knowledge, child)

    assert any(isinstance(reason, RiskReason) for reason in grown.reasons)
    assert [reason.urgency for reason in young.reasons] == [Urgency.ROUTINE]
    assert (grown.in_scope, young.in_scope) == (True, False)


def test_while_the_age_is_not_known_no_risk_threshold_is_taken(knowledge: Knowledge) -> None:
    evidence = evidence_of(knowledge, lump="no_lump", general={"tired"}, skin={"bruise"})

    found = disposition(knowledge, evidence)

    assert found.in_scope is None
    assert found.reasons == ()


@thorough
@given(replies=some_people)
def test_an_emergency_is_not_excluded_exactly_if_what_is_not_known_may_bring_it(
    knowledge: Knowledge, replies: Replies
) -> None:
    unknown = [
        key
        for key in applying(knowledge, replies)
        if isinstance(reply := replies.get(key), Declined)
        or (isinstance(reply, Chosen) and "not_sure" in reply.options)
    ]
    expected = [
        rule.key
        for rule in knowledge.rules
        if rule.urgency is Urgency.EMERGENCY_NOW
        and rule not in holding(knowledge, replies)
        and may_hold(knowledge, rule, dict(replies), [k for k in unknown if k in rule.text])
    ]

    found = disposition(knowledge, Evidence(replies.items()))

    assert list(found.not_excluded) == expected


def may_hold(
    knowledge: Knowledge, rule: Rule, replies: dict[FeatureKey, Reply], unknown: list[FeatureKey]
) -> bool:
    if not unknown:
        return is_true(rule.text, plain_values(knowledge, replies))
    key, *rest = unknown
    return any(
        may_hold(knowledge, rule, replies | {key: reply}, rest)
        for reply in telling_replies(knowledge.feature(key))
    )


def alarm_pairs(feature: Feature, reply: Reply, option: Option) -> Iterable[tuple[Reply, Reply]]:
    """Yield replies without the alarm and the same with it."""
    if feature.kind is Kind.MULTI:
        options = reply.options if isinstance(reply, Chosen) else frozenset[OptionKey]()
        calm = ticked(feature, options - {option.key}, set())
        yield calm, ticked(feature, options | {option.key}, set())
    elif feature.kind is Kind.SINGLE:
        alarms = {o.key for o in feature.options if o.alarm}
        for other in telling_replies(feature):
            if not (isinstance(other, Chosen) and alarms & other.options):
                yield other, Chosen(frozenset({option.key}))
    else:
        inside = [Number(n) for n in (option.low, option.high) if n is not None]
        for other in telling_replies(feature):
            if not (isinstance(other, Number) and (option.low or 0) <= other.value):
                yield from ((other, own) for own in inside)


def with_and_without_alarms(
    knowledge: Knowledge, replies: Replies
) -> Iterable[tuple[Evidence, Evidence]]:
    """Yield everybody that this person would be with one alarm less, and with it."""
    for feature, option in alarms_of(knowledge):
        for calm, alarming in alarm_pairs(feature, replies[feature.key], option):
            without, having = ({**replies, feature.key: reply} for reply in (calm, alarming))
            yield Evidence(without.items()), Evidence(having.items())


INDEPENDENT = {
    "as it is": {},
    "no rules, low thresholds": {
        "rules": (),
        "conditions": tuple(
            replace(condition, raise_at=raise_at, urgency=urgency)
            for condition, raise_at, urgency in zip(
                CONDITIONS,
                (0.5, 0.35, 0.15),
                (Urgency.EMERGENCY_NOW, Urgency.SAME_DAY, Urgency.ROUTINE),
                strict=True,
            )
        ),
        "settings": Settings(temper=1, slip=0),
    },
    "gates that hang on alarms": {
        "rules": (),
        "features": tuple(
            replace(feature, asked_if="fever == 'yes' or 'weak_legs' in leg_nerves")
            if feature.key in ("feel", "skin")
            else feature
            for feature in FEATURES
        ),
        "conditions": tuple(replace(condition, raise_at=0.3) for condition in CONDITIONS),
        "settings": Settings(temper=1, slip=0),
    },
}
TOPICS = {
    f"{name}{also}": knowledge_with(**parts, syndromes=syndromes)
    for name, parts in INDEPENDENT.items()
    for also, syndromes in (("", ()), (", linked", SYNDROMES))
}


@pytest.mark.parametrize("topic", TOPICS)
@settings(thorough, max_examples=15)
@given(replies=whole_people)
def test_an_alarm_never_lowers_the_urgency(topic: str, replies: Replies) -> None:
    knowledge = TOPICS[topic]

    for without, having in with_and_without_alarms(knowledge, replies):
        lower, higher = disposition(knowledge, without), disposition(knowledge, having)
        assert higher.urgency >= lower.urgency, (without, having)


@pytest.mark.parametrize("most", [MOST_VARIANTS, 8, 0])
@pytest.mark.parametrize("topic", TOPICS)
@settings(thorough, max_examples=40)
@given(replies=whole_people)
def test_an_alarm_never_lowers_what_a_risk_threshold_is_judged_on(
    topic: str, most: int, replies: Replies
) -> None:
    knowledge = TOPICS[topic]
    sets = indices(knowledge)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "MOST_VARIANTS", most)
        for without, having in with_and_without_alarms(knowledge, replies):
            lower = highest_posteriors(Standing(knowledge, without), sets)
            higher = highest_posteriors(Standing(knowledge, having), sets)
            for before, after in zip(lower, higher, strict=True):
                assert after >= before - 1e-12, (without, having)


@pytest.mark.parametrize("topic", TOPICS)
@settings(thorough, max_examples=40)
@given(replies=whole_people)
def test_nor_does_it_where_not_sure_becomes_an_alarm(topic: str, replies: Replies) -> None:
    knowledge = TOPICS[topic]
    sets = indices(knowledge)

    for feature, option in alarms_of(knowledge):
        if feature.has(NOT_SURE):
            unsure, having = (
                {**replies, feature.key: Chosen(frozenset({key}))} for key in (NOT_SURE, option.key)
            )
            lower = highest_posteriors(Standing(knowledge, Evidence(unsure.items())), sets)
            higher = highest_posteriors(Standing(knowledge, Evidence(having.items())), sets)
            for before, after in zip(lower, higher, strict=True):
                assert after >= before - 1e-12, (feature.key, option.key)


@thorough
@given(replies=whole_people)
def test_the_highest_posterior_is_that_of_every_calmer_set_of_replies(
    either: Knowledge, replies: Replies
) -> None:
    read = {key: replies[key] for key in applying(either, replies)}

    found = highest_posteriors(Standing(either, Evidence(read.items())), indices(either))

    assert found == pytest.approx(highest(either, read, sets_of(either)), rel=1e-9)


@thorough
@given(replies=whole_people)
def test_the_upper_bound_is_never_below_the_highest_posterior(
    either: Knowledge, replies: Replies
) -> None:
    standing = Standing(either, Evidence(replies.items()))
    exact = highest_posteriors(standing, indices(either))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "MOST_VARIANTS", 0)
        bounds = highest_posteriors(standing, indices(either))

    for bound, reached in zip(bounds, exact, strict=True):
        assert reached - 1e-12 <= bound <= 1


def test_a_person_with_every_alarm_is_judged_by_the_bound(shipped: Knowledge) -> None:
    """More combinations than are tried: 2 to the power of some forty ticks."""
    (person, *_) = pool_of(shipped, seed=6, count=5).people
    assert 2 ** len(alarms_of(shipped)) > MOST_VARIANTS
    sets = [frozenset({i}) for i in range(len(shipped.conditions))]
    standings = []
    for feature, option in alarms_of(shipped):
        reply = person[feature.key]
        match feature.kind:
            case Kind.MULTI:
                options = reply.options if isinstance(reply, Chosen) else frozenset[OptionKey]()
                person = person | {feature.key: ticked(feature, options | {option.key}, set())}
            case Kind.SINGLE:
                person = person | {feature.key: Chosen(frozenset({option.key}))}
            case Kind.NUMBER:
                person = person | {feature.key: Number(option.high or 0)}
        standings.append(Standing(shipped, Evidence(person.items())))

    reached = [highest_posteriors(standing, sets) for standing in standings]

    assert all(0 < p <= 1 for row in reached for p in row)
    # with one tick more, no condition is reached less; a single choice replaces a reply instead
    ticks = [f.kind is Kind.MULTI for f, _ in alarms_of(shipped)]
    for (before, after), is_tick in zip(pairwise(reached), ticks[1:], strict=True):
        if is_tick:
            assert all(b <= a + 1e-12 for b, a in zip(before, after, strict=True))


@given(st.data())
@thorough
def test_rules_alone_never_take_more_time_for_an_alarm(
    knowledge: Knowledge, data: st.DataObject
) -> None:
    replies = data.draw(whole_people)
    feature, option = data.draw(st.sampled_from(alarms_of(knowledge)))

    for calm, alarming in alarm_pairs(feature, replies[feature.key], option):
        lacking = rule_urgency(knowledge, {**replies, feature.key: calm})
        assert rule_urgency(knowledge, {**replies, feature.key: alarming}) >= lacking
