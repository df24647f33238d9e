"""Sweeps over the shipped content: the promises that hold of everybody, tried on many."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from random import Random

import numpy as np
import pytest

from triage.content.fixtures import document_of
from triage.engine import (
    Ask,
    Chosen,
    Conclude,
    Declined,
    Evidence,
    Feature,
    FlagReason,
    Kind,
    Knowledge,
    Number,
    Option,
    OptionKey,
    Reply,
    Rule,
    RuleKey,
    Urgency,
    disposition,
    fired,
    next_step,
)
from triage.evaluation.simulation import simulated

from .conftest import SHIPPED
from .oracle import applying, is_true, plain_values, rule_urgency
from .people import (
    DECLINED,
    SOURCES,
    Person,
    Pool,
    alarms_of,
    drawn,
    interviewed,
    only_highest,
    pool_of,
    ticked,
    witness,
)
from .small import every_reply

PARTS = [(source, share) for source in SOURCES for share in DECLINED]


@dataclass(frozen=True, slots=True)
class Interview:
    person: Person
    evidence: Evidence
    end: Conclude


@pytest.fixture(scope="session")
def pool(shipped: Knowledge, sweep: int) -> Pool:
    return pool_of(shipped, seed=1, count=sweep // 3)


@pytest.fixture(
    scope="module", params=PARTS, ids=[f"{source}-{share:.0%}" for source, share in PARTS]
)
def interviews(
    request: pytest.FixtureRequest, shipped: Knowledge, pool: Pool, sweep: int
) -> list[Interview]:
    source, share = request.param
    people = drawn(shipped, pool, source, share, sweep // len(PARTS))
    return [Interview(person, *interviewed(shipped, person)) for person in people]


def urgency_by_rules(end: Conclude) -> Urgency:
    reasons = end.disposition.reasons
    rules = (reason.urgency for reason in reasons if isinstance(reason, FlagReason))
    return max(rules, default=Urgency.SELF_CARE)


def stopped_wrongly(knowledge: Knowledge, person: Person, end: Conclude) -> bool:
    return urgency_by_rules(end) is not rule_urgency(knowledge, person)


def test_stopping_early_gives_the_urgency_of_all_replies(
    shipped: Knowledge, interviews: list[Interview]
) -> None:
    wrong = [one for one in interviews if stopped_wrongly(shipped, one.person, one.end)]

    assert wrong == []


def test_all_replies_at_once_give_the_urgency_of_the_rules_that_hold(
    shipped: Knowledge, interviews: list[Interview]
) -> None:
    for one in interviews:
        disposed = disposition(shipped, Evidence(one.person.items()))

        assert urgency_by_rules(Conclude(disposed)) is rule_urgency(shipped, one.person)


def test_an_interview_asks_nothing_that_does_not_apply(
    shipped: Knowledge, interviews: list[Interview]
) -> None:
    """And so it ends within the number of features, since none is asked twice."""
    for one in interviews:
        asked = [key for key, _ in one.evidence]

        assert set(asked) <= set(applying(shipped, one.person))


def test_an_interview_ends_early_only_for_an_emergency_or_with_the_age(
    shipped: Knowledge, interviews: list[Interview]
) -> None:
    required = {feature.key for feature in shipped.features if feature.required}

    for one in interviews:
        asked = {key for key, _ in one.evidence}
        assert required <= asked or urgency_by_rules(one.end) is Urgency.EMERGENCY_NOW


def test_the_people_drawn_are_not_mostly_emergencies(
    shipped: Knowledge, interviews: list[Interview]
) -> None:
    below = sum(rule_urgency(shipped, one.person) < Urgency.EMERGENCY_NOW for one in interviews)

    assert below >= 0.4 * len(interviews)


def everybody(knowledge: Knowledge, pool: Pool, count: int) -> Iterator[Person]:
    for source, share in PARTS:
        yield from drawn(knowledge, pool, source, share, count // len(PARTS))


def test_each_rule_alone_sets_the_urgency_of_a_fair_number_of_those_drawn(
    shipped: Knowledge, pool: Pool, sweep: int
) -> None:
    highest = Counter(
        rule.key
        for person in everybody(shipped, pool, sweep)
        if (rule := only_highest(shipped, person)) is not None
    )

    fair = sweep // 400
    assert {rule.key: n for rule in shipped.rules if (n := highest[rule.key]) < fair} == {}


def test_every_rule_has_somebody_of_whom_it_holds(shipped: Knowledge, pool: Pool) -> None:
    for rule in shipped.rules:
        person = witness(shipped, rule, pool, Random(rule.key))

        assert is_true(rule.text, plain_values(shipped, person))
        assert rule.key in fired(shipped, Evidence(person.items()))


def test_most_people_are_asked_as_many_questions_as_the_pages_say(
    shipped: Knowledge, pool: Pool
) -> None:
    topic = document_of(SHIPPED)["topic"]
    usual = range(topic["usual_questions_low"], topic["usual_questions_high"] + 1)

    asked = [len(interviewed(shipped, person)[0]) for person in pool.people]

    assert sum(number in usual for number in asked) >= 0.75 * len(asked)


def test_every_feature_can_be_reached(shipped: Knowledge) -> None:
    """Each is what is asked next of somebody who has replied to the others, or declined them."""
    chance, unasked = Random(7), {feature.key for feature in shipped.features}

    for condition in islice(cycle(shipped.conditions), 4000):
        seeded = np.random.default_rng(chance.getrandbits(32))
        (case,) = simulated(shipped, seeded, 1, condition=condition.key, declines=chance.random())
        for key in sorted(unasked):
            match next_step(shipped, case.evidence.without(key)):
                case Ask(asked) if asked == key:
                    unasked.remove(key)
        if not unasked:
            break

    assert not unasked


@pytest.mark.parametrize("key", ["rf_fever", "rf_cord_legs", "rf_lasting_deep_pain"])
def test_the_sweep_would_notice_a_rule_that_the_engine_forgets(
    shipped: Knowledge, pool: Pool, key: str
) -> None:
    rule = shipped.rule(RuleKey(key))
    forgetful = _with_rules(shipped, [r for r in shipped.rules if r is not rule])
    chance = Random(0)

    people = [witness(shipped, rule, pool, chance) for _ in range(5)]
    wrong = [p for p in people if stopped_wrongly(shipped, p, interviewed(forgetful, p)[1])]

    assert wrong


def test_the_sweep_would_notice_a_rule_that_the_engine_takes_too_lightly(
    shipped: Knowledge, pool: Pool
) -> None:
    rule = shipped.rule(RuleKey("rf_spine_infection"))
    lighter = replace(rule, urgency=Urgency.ROUTINE)
    careless = _with_rules(shipped, [lighter if r is rule else r for r in shipped.rules])
    chance = Random(0)

    people = [witness(shipped, rule, pool, chance) for _ in range(5)]
    wrong = [p for p in people if stopped_wrongly(shipped, p, interviewed(careless, p)[1])]

    assert wrong


def _with_rules(knowledge: Knowledge, rules: list[Rule]) -> Knowledge:
    return Knowledge(
        conditions=knowledge.conditions,
        features=knowledge.features,
        rules=rules,
        likelihoods=knowledge.likelihoods,
        groups=knowledge.groups,
        settings=knowledge.settings,
    )


@pytest.mark.parametrize(("source", "share"), PARTS)
def test_an_alarm_never_lowers_the_urgency(
    shipped: Knowledge, pool: Pool, sweep: int, source: str, share: float
) -> None:
    count = sweep // len(PARTS)
    people = drawn(shipped, pool, source, share, count)
    chance = Random(f"{source} {share}")
    alarms = alarms_of(shipped)
    chance.shuffle(alarms)
    compared = raised = 0

    for person, (feature, option) in zip(people, cycle(alarms), strict=False):
        having = urgency(shipped, person, feature, with_alarm(feature, person, option))
        for reply in without_alarm(feature, person, option):
            lacking = urgency(shipped, person, feature, reply)
            if lacking is Urgency.EMERGENCY_NOW:
                continue
            assert having >= lacking, (feature.key, option.key, reply, person)
            compared += 1
            raised += having > lacking

    assert compared >= count // 2
    assert raised >= count // 10


def urgency(knowledge: Knowledge, person: Person, feature: Feature, reply: Reply) -> Urgency:
    evidence = Evidence((person | {feature.key: reply}).items())
    return disposition(knowledge, evidence).urgency


def with_alarm(feature: Feature, person: Person, option: Option) -> Reply:
    match feature.kind:
        case Kind.MULTI:
            return ticked(feature, options_in(person, feature) | {option.key}, set())
        case Kind.SINGLE:
            return Chosen(frozenset({option.key}))
        case Kind.NUMBER:
            assert option.high is not None
            return Number(option.high)


def without_alarm(feature: Feature, person: Person, option: Option) -> list[Reply]:
    """Return the replies that say all the rest but not the alarm: of a multiple choice, what else
    is ticked; of the other kinds each reply that is no alarm."""
    if feature.kind is Kind.MULTI:
        return [ticked(feature, options_in(person, feature) - {option.key}, set())]
    return [reply for reply in every_reply(feature) if not says_alarm(feature, reply)]


def says_alarm(feature: Feature, reply: Reply) -> bool:
    alarms = [option for option in feature.options if option.alarm]
    match reply:
        case Chosen(options):
            return any(option.key in options for option in alarms)
        case Number(value):
            return any((o.low or 0) <= value <= (o.high or 0) for o in alarms)
        case Declined():
            return False


def options_in(person: Person, feature: Feature) -> frozenset[OptionKey]:
    reply = person[feature.key]
    return reply.options if isinstance(reply, Chosen) else frozenset()
