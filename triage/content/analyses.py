"""What a topic's rules and questions can never do.

Rules and `asked_if` are compiled to decision diagrams, so what is said of them is exact. A question
that cannot be skipped is taken to be answered: whoever is told to call an ambulance before it is
asked can be told nothing more urgent.
"""

from collections.abc import Iterator

import numpy as np

from triage.engine import Feature, FeatureKey, Kind, Knowledge, RuleKey, RuleKind, Urgency
from triage.engine.rules import AnyOf, Compare, Has, Is
from triage.engine.verdicts import FALSE, TRUE, Verdict

SAME = 1e-12
"""Chances within this of each other are the same."""


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
        if float(np.ptp(chances, axis=1).max()) > SAME:
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
