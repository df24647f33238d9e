"""Simulated people, drawn from the tables of a topic. They test consistency, never accuracy in life.

Replies are drawn one by one as if independent given the condition and its syndromes, which makes
rare signs pile up in people who in life have none.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from triage.engine import (
    NOT_SURE,
    Chosen,
    Condition,
    ConditionKey,
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
    Urgency,
    applies,
)

from .cases import Case

type Likelihoods = Mapping[tuple[FeatureKey, OptionKey], float]


def simulated(
    knowledge: Knowledge,
    chance: np.random.Generator,
    count: int,
    *,
    condition: ConditionKey | None = None,
    declines: float = 0.0,
) -> Iterator[Case]:
    """Yield people with a condition, drawn by its prior or the one given, and all their replies.

    Units:  `declines` is the probability that a person declines a feature that lets them.
    The expected condition is the true one, and the least urgency its own.
    Only `chance.random()` is drawn from, so that a seed gives the same people everywhere.
    """
    for number in range(1, count + 1):
        truth = _condition(knowledge, chance.random(), condition)
        evidence = _evidence(knowledge, truth.key, chance, declines)
        yield Case(
            key=f"s{number:05}",
            evidence=evidence,
            conditions=frozenset({truth.key}),
            at_least=truth.urgency,
            at_most=Urgency.EMERGENCY_NOW,
        )


def _condition(knowledge: Knowledge, draw: float, key: ConditionKey | None) -> Condition:
    if key is not None:
        return knowledge.condition(key)
    place = _place([condition.prior for condition in knowledge.conditions], draw)
    return knowledge.conditions[place]


def _place(weights: list[float], draw: float) -> int:
    """Return where a draw from [0, 1) falls among weights, whatever they sum to."""
    steps = np.cumsum(weights)
    return int(np.searchsorted(steps, draw * steps[-1], side="right"))


def _evidence(
    knowledge: Knowledge, truth: ConditionKey, chance: np.random.Generator, declines: float
) -> Evidence:
    replies: list[tuple[FeatureKey, Reply]] = []
    likely = _likelihoods(knowledge, truth, chance)
    for feature in knowledge.features:
        reply = _reply(likely, feature, chance)
        declined = _declined(feature, chance.random(), chance.random(), declines)
        if (given := declined or reply) is not None:
            replies.append((feature.key, given))
    drawn = Evidence(replies)
    return Evidence(
        (key, reply)
        for key, reply in drawn
        if not knowledge.feature(key).asked_if or applies(knowledge, drawn, key)
    )


def _likelihoods(
    knowledge: Knowledge, truth: ConditionKey, chance: np.random.Generator
) -> Likelihoods:
    """Return P(option | condition), with each syndrome in a state that is drawn."""
    likely = {
        (feature.key, option.key): knowledge.likelihoods[truth, feature.key, option.key].probability
        for feature in knowledge.features
        for option in feature.options
        if option.scored
    }
    for syndrome in knowledge.syndromes:
        state = _place(list(syndrome.chances[truth]), chance.random())
        for (condition, feature_key, option_key), row in syndrome.members.items():
            if condition == truth:
                likely[feature_key, option_key] = row[state]
    return likely


def _reply(likely: Likelihoods, feature: Feature, chance: np.random.Generator) -> Reply | None:
    scored = [option for option in feature.options if option.scored]
    weights = [likely[feature.key, option.key] for option in scored]
    if feature.kind is Kind.MULTI:
        draws = chance.random(len(scored))
        ticked = {
            option.key
            for option, weight, draw in zip(scored, weights, draws, strict=True)
            if draw < weight
        }
        return _ticked(feature, ticked)
    if not scored:
        return None
    option = scored[_place(weights, chance.random())]
    if feature.kind is Kind.NUMBER:
        return _number(feature, option, chance.random())
    return Chosen(frozenset({option.key}))


def _ticked(feature: Feature, ticked: set[OptionKey]) -> Reply | None:
    """Where nothing was drawn, the option that says so, "none" or "looks normal"."""
    if not ticked:
        nothing = (option.key for option in feature.options if option.exclusive)
        ticked = {key for key in nothing if key != NOT_SURE}
    return Chosen(frozenset(ticked)) if ticked else None


def _number(feature: Feature, option: Option, draw: float) -> Number:
    """Any number of the band alike; an open band ends where the feature does."""
    low, high = (
        end if end is not None else bound or 0
        for end, bound in ((option.low, feature.low), (option.high, feature.high))
    )
    return Number(low + int(draw * (high - low + 1)))


def _declined(feature: Feature, draw: float, way: float, declines: float) -> Reply | None:
    ways: list[Reply] = [Declined(reason) for reason in feature.declines]
    if feature.has(NOT_SURE) and not feature.required:
        ways.append(Chosen(frozenset({NOT_SURE})))
    if not ways or draw >= declines:
        return None
    return ways[int(way * len(ways))]
