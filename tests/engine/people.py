"""People for the sweeps: simulated ones, those of whom one rule holds, and those one reply away.

Replies drawn evenly would be worthless: nearly all such people are emergencies at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

import numpy as np

from triage.engine import (
    Ask,
    Chosen,
    Conclude,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Number,
    Option,
    OptionKey,
    Reply,
    Rule,
    RuleKind,
    next_step,
)
from triage.engine.rules import (
    AllOf,
    AnyOf,
    Compare,
    Expression,
    Has,
    Literal,
    Not,
    holds,
    literals,
)
from triage.evaluation.simulation import simulated

from .oracle import holding, is_true, plain_values
from .small import chosen, every_reply

type Person = dict[FeatureKey, Reply]
"""A reply to every feature, also to those that are not asked of this person."""

TRIES = 200


@dataclass(frozen=True, slots=True)
class Pool:
    """Simulated people, and those among them of whom no red flag holds."""

    people: list[Person]
    calm: list[Person]


def pool_of(knowledge: Knowledge, seed: int, count: int) -> Pool:
    people: list[Person] = []
    rest: Person = {}
    for case in simulated(knowledge, np.random.default_rng(seed), count):
        # what this one is not asked, the one before would have replied
        rest = {**rest, **dict(case.evidence)}
        people.append({f.key: rest[f.key] for f in knowledge.features if f.key in rest})
    whole = [person for person in people if len(person) == len(knowledge.features)]
    flags = (RuleKind.RED_FLAG, RuleKind.SCOPE)
    calm = [p for p in whole if not any(r.kind in flags for r in holding(knowledge, p))]
    return Pool(whole, calm)


def simulated_people(knowledge: Knowledge, pool: Pool, chance: Random) -> Iterator[Person]:
    while True:
        yield chance.choice(pool.people)


def witnesses(knowledge: Knowledge, pool: Pool, chance: Random) -> Iterator[Person]:
    for rule in cycle(knowledge.rules):
        yield witness(knowledge, rule, pool, chance)


def near_misses(knowledge: Knowledge, pool: Pool, chance: Random) -> Iterator[Person]:
    """Yield witnesses with the reply to one literal of their rule changed."""
    for rule in cycle(knowledge.rules):
        person = witness(knowledge, rule, pool, chance)
        literal = chance.choice(list(literals(knowledge.expressions[rule.key])))
        yield person | {literal.feature: other_reply(knowledge, person, literal, chance)}


SOURCES: dict[str, Callable[[Knowledge, Pool, Random], Iterator[Person]]] = {
    "simulated": simulated_people,
    "witnesses": witnesses,
    "near misses": near_misses,
}

DECLINED = (0.0, 0.2, 0.5)


def drawn(knowledge: Knowledge, pool: Pool, source: str, share: float, count: int) -> list[Person]:
    """Return people from one source who each decline a share of what they may decline."""
    chance = Random(f"{source} {share}")
    people = islice(SOURCES[source](knowledge, pool, chance), count)
    return [declining(knowledge, person, share, chance) for person in people]


def declining(knowledge: Knowledge, person: Person, share: float, chance: Random) -> Person:
    return {
        feature.key: (
            chance.choice(ways)
            if chance.random() < share and (ways := ways_to_decline(feature))
            else person[feature.key]
        )
        for feature in knowledge.features
    }


def ways_to_decline(feature: Feature) -> list[Reply]:
    unsure = [chosen("not_sure")] if feature.has(OptionKey("not_sure")) else []
    return [*map(Declined, feature.declines), *unsure]


def only_highest(knowledge: Knowledge, person: Person) -> Rule | None:
    """Return the one rule that sets this person's urgency, or None if none or several do."""
    rules = holding(knowledge, person)
    highest = max((rule.urgency for rule in rules), default=None)
    top = [rule for rule in rules if rule.urgency is highest]
    return top[0] if len(top) == 1 else None


def witness(knowledge: Knowledge, rule: Rule, pool: Pool, chance: Random) -> Person:
    """Return somebody without a red flag, changed no more than needed for the rule to hold; if that
    can be had in a few tries, so that it alone sets the urgency."""
    found = None
    for number in range(TRIES):
        person = chance.choice(pool.calm)
        changed = satisfied(knowledge, knowledge.expressions[rule.key], person, chance)
        if changed is None or not is_true(rule.text, plain_values(knowledge, changed)):
            continue
        found = changed
        if only_highest(knowledge, changed) is rule or number > TRIES // 5:
            break
    assert found is not None, f"no witness of {rule.key} in {TRIES} tries"
    return found


def satisfied(
    knowledge: Knowledge, expression: Expression, person: Person, chance: Random
) -> Person | None:
    """Return the person, changed so that the expression holds by one way picked at random, and
    every feature on which that hangs is asked; None if that way contradicts itself."""
    wishes = list(_wishes(expression, True, chance))
    for literal, _ in wishes:  # grows while it is read: gates hang on features too
        gate = knowledge.asked_if[literal.feature]
        wishes.extend(w for w in _wishes(gate, True, chance) if w not in wishes)
    changed = dict(person)
    for key in dict.fromkeys(literal.feature for literal, _ in wishes):
        own = [(literal, wanted) for literal, wanted in wishes if literal.feature == key]
        reply = _fitting(knowledge.feature(key), own, person[key], chance)
        if reply is None:
            return None
        changed[key] = reply
    return changed


def _wishes(expression: Expression, wanted: bool, chance: Random) -> Iterator[tuple[Literal, bool]]:
    match expression:
        case Not(part):
            yield from _wishes(part, not wanted, chance)
        case AllOf(parts) if wanted:
            for part in parts:
                yield from _wishes(part, wanted, chance)
        case AnyOf(parts) if not wanted:
            for part in parts:
                yield from _wishes(part, wanted, chance)
        case AllOf(parts) | AnyOf(parts):
            if parts:
                yield from _wishes(chance.choice(parts), wanted, chance)
        case _:
            yield expression, wanted


def _fitting(
    feature: Feature, wishes: list[tuple[Literal, bool]], reply: Reply, chance: Random
) -> Reply | None:
    def fits(candidate: Reply) -> bool:
        match candidate:
            case Chosen(options):
                values = {feature.key: options}
                return all(holds(literal, values) is wanted for literal, wanted in wishes)
            case Number(value):
                return all(holds(lit, {feature.key: value}) is wanted for lit, wanted in wishes)
            case Declined():
                return False

    if fits(reply):
        return reply
    if feature.kind is Kind.MULTI and isinstance(reply, Chosen):
        have = {lit.option for lit, wanted in wishes if isinstance(lit, Has) and wanted}
        lack = {lit.option for lit, wanted in wishes if isinstance(lit, Has) and not wanted}
        changed = ticked(feature, (reply.options | have) - lack, first=have)
        return changed if fits(changed) else None
    candidates = [candidate for candidate in every_reply(feature) if fits(candidate)]
    return chance.choice(candidates) if candidates else None


def ticked(feature: Feature, keys: frozenset[OptionKey], first: set[OptionKey]) -> Chosen:
    """Return a reply with these options: exclusive ones give way, unless they are among `first`."""
    lone = {option.key for option in feature.options if option.exclusive}
    if wanted := lone & first:
        return Chosen(frozenset(list(wanted)[:1]))
    if keys - lone:
        return Chosen(keys - lone)
    nothing = next(o.key for o in feature.options if o.exclusive and o.key != "not_sure")
    return Chosen(frozenset({nothing}))


def toggled(feature: Feature, reply: Reply, key: OptionKey) -> Chosen:
    """Return the reply to a multiple choice with one option ticked, or not any more."""
    options = reply.options if isinstance(reply, Chosen) else frozenset[OptionKey]()
    if key in options:
        return ticked(feature, options - {key}, set())
    return ticked(feature, options | {key}, {key})


def other_reply(knowledge: Knowledge, person: Person, literal: Literal, chance: Random) -> Reply:
    feature, reply = knowledge.feature(literal.feature), person[literal.feature]
    match literal:
        case Has(_, key):
            return toggled(feature, reply, key)
        case Compare(_, _, number):
            assert feature.low is not None
            assert feature.high is not None
            near = int(number) + chance.choice((-1, 0, 1))
            return Number(min(max(near, feature.low), feature.high))
        case _:
            return chance.choice([r for r in every_reply(feature) if r != reply])


def alarms_of(knowledge: Knowledge) -> list[tuple[Feature, Option]]:
    return [(f, option) for f in knowledge.features for option in f.options if option.alarm]


def interviewed(knowledge: Knowledge, person: Person) -> tuple[Evidence, Conclude]:
    """Return what was asked and replied, and how it ended."""
    evidence = Evidence()
    while True:
        match next_step(knowledge, evidence):
            case Conclude() as end:
                return evidence, end
            case Ask(feature):
                assert feature not in evidence, f"{feature} was asked twice"
                evidence = evidence.set(feature, person[feature])
