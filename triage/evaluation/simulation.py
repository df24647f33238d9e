"""Simulated people, drawn from the tables of a topic. They test consistency, never accuracy in life.

Replies are drawn one by one as if independent given the condition and its syndromes, which makes
rare signs pile up in people who in life have none.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

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
    Option,
    OptionKey,
    Reply,
    Urgency,
)
from triage.engine.standing import Standing

from .cases import Case

type Steps = tuple[float, ...]
"""Weights added up one by one: where a draw falls among them says which of them was drawn."""


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
    tables = _Tables(knowledge)
    for number in range(1, count + 1):
        draws = iter(chance.random(tables.draws).tolist())
        place = _place(tables.priors, next(draws))
        truth = knowledge.conditions[place] if condition is None else knowledge.condition(condition)
        yield Case(
            key=f"s{number:05}",
            evidence=_evidence(tables, truth.key, draws, declines),
            conditions=frozenset({truth.key}),
            at_least=truth.urgency,
            at_most=Urgency.EMERGENCY_NOW,
        )


class _Tables:
    """The probabilities of a topic, ready to be drawn from.

    draws  how many of them one person takes, whoever it is: one for the condition, one for the
           state of each syndrome, and for each feature those of its reply and two for declining
    same   one object for equal replies, so that people are small where many are kept or sent
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.priors = _steps(condition.prior for condition in knowledge.conditions)
        self.scored = {
            feature.key: [option for option in feature.options if option.scored]
            for feature in knowledge.features
        }
        self.draws = 1 + len(knowledge.syndromes)
        self.draws += sum(self._draws_of(feature) + 2 for feature in knowledge.features)
        self.same: dict[Reply, Reply] = {}
        self._states: dict[ConditionKey, list[Steps]] = {}
        self._weights: dict[tuple[ConditionKey, FeatureKey, tuple[int, ...]], Steps] = {}
        self._owners = {
            (feature, option): place
            for place, syndrome in enumerate(knowledge.syndromes)
            for _, feature, option in syndrome.members
        }
        self._bearing = {
            key: sorted({self._owners[key, o.key] for o in own if (key, o.key) in self._owners})
            for key, own in self.scored.items()
        }

    def _draws_of(self, feature: Feature) -> int:
        scored = len(self.scored[feature.key])
        if feature.kind is Kind.MULTI:
            return scored
        return (2 if feature.kind is Kind.NUMBER else 1) if scored else 0

    def states(self, truth: ConditionKey) -> list[Steps]:
        """Return the chances of the states of each syndrome, added up."""
        if truth not in self._states:
            self._states[truth] = [_steps(s.chances[truth]) for s in self.knowledge.syndromes]
        return self._states[truth]

    def weights(self, truth: ConditionKey, feature: Feature, states: Sequence[int]) -> Steps:
        """Return P(option | condition, states) of the scored options: of a multiple choice each,
        of the others added up."""
        own = tuple([states[place] for place in self._bearing[feature.key]])
        key = truth, feature.key, own
        if key not in self._weights:
            plain = [self._weight(truth, feature, o, states) for o in self.scored[feature.key]]
            self._weights[key] = tuple(plain) if feature.kind is Kind.MULTI else _steps(plain)
        return self._weights[key]

    def _weight(
        self, truth: ConditionKey, feature: Feature, option: Option, states: Sequence[int]
    ) -> float:
        cell = truth, feature.key, option.key
        owner = self._owners.get((feature.key, option.key))
        if owner is None:
            return self.knowledge.likelihoods[cell].probability
        return self.knowledge.syndromes[owner].members[cell][states[owner]]


def _steps(weights: Iterable[float]) -> Steps:
    return tuple(np.cumsum(list(weights)).tolist())


def _place(steps: Steps, draw: float) -> int:
    """Return where a draw from [0, 1) falls among weights, whatever they sum to."""
    return bisect_right(steps, draw * steps[-1])


def _evidence(
    tables: _Tables, truth: ConditionKey, draws: Iterator[float], declines: float
) -> Evidence:
    knowledge = tables.knowledge
    states = [_place(steps, next(draws)) for steps in tables.states(truth)]
    replies: list[tuple[FeatureKey, Reply]] = []
    for feature in knowledge.features:
        weights = tables.weights(truth, feature, states)
        reply = _reply(feature, tables.scored[feature.key], weights, draws)
        declined = _declined(feature, next(draws), next(draws), declines)
        if (given := declined or reply) is not None:
            replies.append((feature.key, tables.same.setdefault(given, given)))
    drawn = Evidence(replies)
    standing = Standing(knowledge, drawn)
    return Evidence(
        (key, reply)
        for key, reply in drawn
        if not knowledge.feature(key).asked_if or standing.applies(key)
    )


def _reply(
    feature: Feature, scored: Sequence[Option], weights: Steps, draws: Iterator[float]
) -> Reply | None:
    if feature.kind is Kind.MULTI:
        ticked = {o.key for o, weight in zip(scored, weights, strict=True) if next(draws) < weight}
        return _ticked(feature, ticked)
    if not scored:
        return None
    option = scored[_place(weights, next(draws))]
    if feature.kind is Kind.NUMBER:
        return _number(feature, option, next(draws))
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
    if draw >= declines:
        return None
    ways: list[Reply] = [Declined(reason) for reason in feature.declines]
    if feature.has(NOT_SURE) and not feature.required:
        ways.append(Chosen(frozenset({NOT_SURE})))
    return ways[int(way * len(ways))] if ways else None
