"""What a topic's rules, questions and conditions can never do, or always do.

Rules and `asked_if` are compiled to decision diagrams, so what is said of them is exact. A question
that cannot be skipped is taken to be answered: whoever is told to call an ambulance before it is
asked can be told nothing more urgent. Of a condition that it can lead is shown by answers under
which it does; that it cannot, by a bound that no answers pass. Between the two nobody knows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from triage.engine import (
    NOT_SURE,
    Chosen,
    ConditionKey,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Number,
    OptionKey,
    Reply,
    RuleKey,
    RuleKind,
    Urgency,
)
from triage.engine.arrays import Array
from triage.engine.rules import AnyOf, Compare, Has, Is
from triage.engine.standing import Standing
from triage.engine.syndromes import CompiledSyndrome
from triage.engine.verdicts import FALSE, TRUE, Verdict

WALKS = 200
"""So many times all questions are answered by chance. Of a condition that leads in 90 of 100, more
than 95 of 100 would be seen once in 200 topics (binomial)."""

MOST_LED = 0.95
SEED = 20_260

ROUNDS = 6
"""So often each answer is tried again; it mostly ends by itself after two or three."""

RIVALS = 3
"""Of each condition so many others are looked at by themselves: those hardest to get ahead of."""

APART = 1e-9
"""Scores (nats) within this of each other lead together; what is below it is rounding."""


# Rules and questions


def never_firing(knowledge: Knowledge) -> Iterator[RuleKey]:
    """Yield the rules that hold only of people who cannot be: of those who skip what nobody can
    skip. One that holds of nobody at all is refused by the engine."""
    signs, everybody = knowledge.signs, _everybody(knowledge)
    for rule, verdict in knowledge.verdicts.items():
        if signs.both(verdict, everybody) is FALSE:
            yield rule


def implied(knowledge: Knowledge) -> Iterator[tuple[RuleKey, RuleKey]]:
    """Yield each rule that never decides the urgency, with the one that fires whenever it does and
    is as urgent or more: the most urgent, then the first. Of two that are the same, the second.

    A scope rule is not looked at: it does more than set an urgency.
    """
    signs, everybody = knowledge.signs, _everybody(knowledge)
    met = {key: signs.both(verdict, everybody) for key, verdict in knowledge.verdicts.items()}
    for place, rule in enumerate(knowledge.rules):
        if rule.kind is RuleKind.SCOPE or met[rule.key] is FALSE:
            continue
        for rank, other in enumerate(knowledge.rules):
            if other is rule or other.urgency < rule.urgency:
                continue
            same = met[rule.key] is met[other.key] and other.urgency == rule.urgency
            if signs.implies(met[rule.key], met[other.key]) and not (same and rank > place):
                yield rule.key, other.key
                break


def unreachable(knowledge: Knowledge) -> Iterator[tuple[FeatureKey, RuleKey | None]]:
    """Yield the features that are never asked: because `asked_if` never holds, or because an
    emergency rule, which is named, has ended the interview whenever it does."""
    signs, everybody = knowledge.signs, _everybody(knowledge)
    ending = [rule.key for rule in knowledge.rules if rule.urgency is Urgency.EMERGENCY_NOW]
    for feature in knowledge.gated:
        gate = signs.both(knowledge.gates[feature], everybody)
        if gate is FALSE:
            yield feature, None
            continue
        for rule in ending:
            if signs.implies(gate, knowledge.verdicts[rule]):
                yield feature, rule
                break


def unneeded(knowledge: Knowledge) -> Iterator[FeatureKey]:
    """Yield the features whose answers change nothing: no rule reads them, no question that is
    needed depends on them, and they are as likely with one condition as with the next."""
    needed = set(knowledge.rules_reading) | _telling(knowledge)
    signs = knowledge.signs
    for feature in reversed(knowledge.features):  # `asked_if` looks back only
        if feature.key in needed:
            hung = signs.signs_of(knowledge.gates[feature.key])
            needed.update(knowledge.features[signs.owner[sign]].key for sign in hung)
    yield from (feature.key for feature in knowledge.features if feature.key not in needed)


def _telling(knowledge: Knowledge) -> set[FeatureKey]:
    """Return the features whose answers make some condition likelier than another."""
    tables = knowledge.tables
    telling = {key for syndrome in tables.syndromes for key in syndrome.features}
    for place, key in enumerate(tables.asked):
        chances = tables.outcomes[tables.outcomes_at(place)]
        if float(np.ptp(chances, axis=1).max()) > APART:
            telling.add(key)
    return telling


def _everybody(knowledge: Knowledge) -> Verdict:
    """Return what is true of everybody: a required feature is known wherever it is asked."""
    signs, verdict = knowledge.signs, TRUE
    for key in knowledge.required:
        gate, known = knowledge.gates[key], _known(knowledge, knowledge.feature(key))
        verdict = signs.both(verdict, signs.either(signs.opposite(gate), known))
    return verdict


def _known(knowledge: Knowledge, feature: Feature) -> Verdict:
    options = tuple(option.key for option in feature.options)
    match feature.kind:
        case Kind.NUMBER:
            expression: AnyOf | Is = AnyOf((Compare(feature.key, ">=", feature.low or 0),))
        case Kind.SINGLE:
            expression = Is(feature.key, options)
        case Kind.MULTI:
            expression = AnyOf(tuple(Has(feature.key, option) for option in options))
    return knowledge.signs.compiled(expression, {feature.key: TRUE})


# Conditions


@dataclass(frozen=True, slots=True)
class Leads:
    """Which conditions lead, for whom.

    never    conditions that no answers make lead, each with the one that stays likelier
    unseen   conditions for which no answers were found under which they lead
    always   the condition that leads whatever is answered, if there is one
    mostly   otherwise the one that leads in more than `MOST_LED` of the random walks, and in how
             many of `WALKS`
    """

    never: dict[ConditionKey, ConditionKey]
    unseen: tuple[ConditionKey, ...]
    always: ConditionKey | None
    mostly: tuple[ConditionKey, int] | None


def leads(knowledge: Knowledge) -> Leads:
    """Return which conditions can lead the differential, and whether one of them always does."""
    keys = [condition.key for condition in knowledge.conditions]
    chance = np.random.default_rng(SEED)
    walks = [_leader(_scores(knowledge, _walk(knowledge, chance))) for _ in range(WALKS)]
    counts = np.bincount([place for place in walks if place is not None], minlength=len(keys))
    always, mostly = None, None
    first = int(counts.argmax())
    if counts[first] > MOST_LED * WALKS:
        if _stays_ahead(knowledge, first).all():
            always = keys[first]
        else:
            mostly = keys[first], int(counts[first])
    never, unseen = {}, []
    for place, key in enumerate(keys):
        if counts[place]:
            continue
        behind = -_furthest(knowledge, place)  # behind the others by at least so much
        behind[place] = -np.inf
        rival = int(behind.argmax())
        if behind[rival] > APART:
            never[key] = keys[rival]
        elif not _can_lead(knowledge, place, np.argsort(behind)[-RIVALS:].tolist()):
            unseen.append(key)
    return Leads(never, tuple(unseen), always, mostly)


def _scores(knowledge: Knowledge, evidence: Evidence) -> Array:
    return Standing(knowledge, evidence).sums.scores


def _leader(scores: Array) -> int | None:
    """Return the place of the condition that alone is the likeliest, if there is one."""
    first = int(scores.argmax())
    return first if _lead(scores, first) > APART else None


def _lead(scores: Array, place: int) -> float:
    """Return how far a condition is before all others, in nats; below 0 if it is behind one."""
    others = np.delete(scores, place)
    return float(scores[place] - others.max())


def _walk(knowledge: Knowledge, chance: np.random.Generator) -> Evidence:
    """Return an answer to every question, drawn by chance; those not asked are not read."""
    return Evidence(
        (feature.key, _drawn(knowledge, feature, chance)) for feature in knowledge.features
    )


def _drawn(knowledge: Knowledge, feature: Feature, chance: np.random.Generator) -> Reply:
    ways: list[Reply] = [*map(Declined, feature.declines), *_ways(knowledge, feature)]
    free = [option.key for option in feature.options if not option.exclusive]
    if feature.kind is Kind.MULTI and len(free) > 1:
        several = chance.choice(len(free), int(chance.integers(2, len(free) + 1)), replace=False)
        ways.append(Chosen(frozenset(free[place] for place in several)))
    return ways[int(chance.integers(len(ways)))]


def _ways(knowledge: Knowledge, feature: Feature) -> list[Reply]:
    """Return each option alone, and one number of each cell that bands and rules cut."""
    if feature.kind is Kind.NUMBER:
        return [Number(cell.start) for cell in knowledge.signs.cells[feature.key]]
    return [Chosen(frozenset({option.key})) for option in feature.options]


def _can_lead(knowledge: Knowledge, place: int, rivals: Sequence[int]) -> bool:
    """Whether answers are found under which the condition leads: those that speak most for it
    against all others, or against a rival, then one answer at a time changed for the better."""
    priors = np.exp(knowledge.tables.log_priors)
    against = [priors, *np.eye(len(priors))[rivals]]
    return any(_can_lead_from(knowledge, place, others) for others in against)


def _can_lead_from(knowledge: Knowledge, place: int, others: Array) -> bool:
    replies = {
        feature.key: reply
        for feature in knowledge.features
        if (reply := _telling_most(knowledge, feature, place, others))
    }
    lead = _lead(_scores(knowledge, Evidence(replies.items())), place)
    for _ in range(ROUNDS):
        before = lead
        if lead > APART:
            return True
        for feature in knowledge.features:
            for reply in _others(knowledge, feature, replies.get(feature.key)):
                tried = {key: one for key, one in replies.items() if key != feature.key}
                if reply:
                    tried[feature.key] = reply
                its = _lead(_scores(knowledge, Evidence(tried.items())), place)
                if its > lead:
                    replies, lead = tried, its
        if lead <= before:
            return False
    return lead > APART


def _telling_most(
    knowledge: Knowledge, feature: Feature, place: int, others: Array
) -> Reply | None:
    """Return the answer that is the most times as likely with the condition as with others, which
    are weighed, (C,); of a list, every option that is likelier with it."""
    tables = knowledge.tables
    rows = {
        option: tables.outcome_of[feature.key, option.key]
        for option in feature.options
        if (feature.key, option.key) in tables.outcome_of
    }
    if not rows:
        return _ways(knowledge, feature)[0] if feature.required else None
    chances = tables.outcomes[list(rows.values())]
    ratios = chances[:, place] / (chances @ others)
    best = list(rows)[int(ratios.argmax())]
    if feature.kind is Kind.NUMBER:
        return Number((best.low if best.low is not None else feature.low) or 0)
    if feature.kind is Kind.SINGLE:
        return Chosen(frozenset({best.key}))
    likelier = [option.key for option, ratio in zip(rows, ratios, strict=True) if ratio > 1]
    alone = [
        option.key for option in feature.options if option.exclusive and option.key != NOT_SURE
    ]
    return Chosen(frozenset(likelier or alone[:1] or [best.key]))


def _others(knowledge: Knowledge, feature: Feature, reply: Reply | None) -> list[Reply | None]:
    """Return the other answers to one question; of a list, those that differ by one option."""
    ways: list[Reply | None] = [*_ways(knowledge, feature)]
    if not feature.required:
        ways.append(None)
    if isinstance(reply, Chosen) and feature.kind is Kind.MULTI:
        alone = {option.key for option in feature.options if option.exclusive}
        held = reply.options - alone
        toggled = (held ^ {o.key} for o in feature.options if o.key not in alone)
        ways += [Chosen(options) for options in toggled if options]
    return [way for way in ways if way != reply]


def _furthest(knowledge: Knowledge, place: int) -> Array:
    """Return how far a condition may be before each other, whatever is answered, at the most.

    Of each question the answer that speaks most for it against the other is taken, or none; of a
    syndrome its best state, which no mixture of states passes.
    Shape: (C,) in nats; 0 against itself.
    """
    return _bound(knowledge, place, 1)


def _stays_ahead(knowledge: Knowledge, place: int) -> npt.NDArray[np.bool_]:
    """Return of which others a condition is before, whatever is answered; itself among them."""
    ahead = _bound(knowledge, place, -1) < -APART
    ahead[place] = True
    return np.asarray(ahead)


def _bound(knowledge: Knowledge, place: int, sign: int) -> Array:
    """Return the most that `sign` times the condition's lead on each other may be, (C,)."""
    tables = knowledge.tables

    def led(logs: Array) -> Array:
        return sign * (logs[..., place : place + 1] - logs)

    most = led(tables.log_priors)
    for key in tables.asked:
        options = [option.key for option in knowledge.feature(key).options]
        rows = [tables.term_of[key, o] for o in options if (key, o) in tables.term_of]
        if rows:
            own = led(tables.terms[rows])
            if key in tables.unticked:  # a row says what one more tick adds to none
                whole = led(tables.terms[tables.unticked[key]]) + np.maximum(own, 0).sum(axis=0)
            else:
                whole = own.max(axis=0)
            most = most + np.maximum(whole, 0)
    for syndrome in tables.syndromes:
        most = most + syndrome.temper * _bound_of(syndrome, led)
    return most


def _bound_of(syndrome: CompiledSyndrome, led: Callable[[Array], Array]) -> Array:
    states = led(np.log(syndrome.chances))
    logs = led(syndrome.logs)  # (R, S, C)
    for feature in syndrome.features:
        rows: dict[OptionKey, list[int]] = {}
        for (owner, option, _), row in syndrome.row_of.items():
            if owner == feature:
                rows.setdefault(option, []).append(row)
        best = [logs[own].max(axis=0) for own in rows.values()]
        several = any(len(own) > 1 for own in rows.values())  # ticked and not ticked
        whole = np.sum(best, axis=0) if several else np.max(best, axis=0)
        states = states + np.maximum(whole, 0)
    return np.asarray(states.max(axis=0))
