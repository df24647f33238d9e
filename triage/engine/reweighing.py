"""The highest posteriors of one person with some replies changed, without starting over for each.

V variants of all other replies, of which alarms are taken away; N ways to read the changes; C
conditions. Whatever no change touches is added up once. A score is then a sum of a variant's and a
change's, so that the posteriors of all of them are two matrix products.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from math import prod

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .evidence import Reply
from .inference import log_scores
from .knowledge import Knowledge
from .risks import (
    MOST_VARIANTS,
    Choice,
    Replies,
    alarms_in,
    choices_by_feature,
    choices_of,
    combined,
    highest_posteriors,
)
from .rules import features_of, holds
from .standing import Standing, reading_of
from .syndromes import CompiledSyndrome
from .tables import options_in
from .vocabulary import FeatureKey

MOST_NUMBERS = 100_000
"""So many posteriors are worked out at once; where there are more, those of one set at a time."""

type Indices = npt.NDArray[np.intp]


class Reweighing:
    """`standing` is one to which nothing more will be asked; `sets` are sets of conditions, by
    place, as for `highest_posteriors`."""

    def __init__(self, standing: Standing, sets: Sequence[frozenset[int]]) -> None:
        self._standing = standing
        knowledge = standing.knowledge
        self._tables = knowledge.tables
        self._sets = sets
        self._nothing = Choice(np.zeros((1, len(knowledge.conditions))), {})
        own, self._alarming = choices_by_feature(standing)
        self._open = {
            key: choices
            for key, choices in own.items()
            if prod(choice.count for choice in choices) > 1
        }
        self._settled = {
            key: choice
            for key, choices in own.items()
            if key not in self._open
            for choice in choices
        }
        self._alone = self._tables.log_priors
        self._told: dict[int, Array] = {}
        for choice in self._settled.values():
            self._alone = self._alone + choice.alone[0]
            for place, told in choice.linked.items():
                self._told[place] = self._told.get(place, 0.0) + told[0]
        self._gates = _gates_of(knowledge)
        self._read_by_gates = frozenset[FeatureKey]().union(*self._gates.values())
        self._waking: dict[tuple[Replies, frozenset[FeatureKey]], bool] = {}
        self._gating = frozenset[FeatureKey]().union(
            *(gate for key, gate in self._gates.items() if key in standing.evidence)
        )
        self._variants: dict[frozenset[FeatureKey], _Variants] = {}

    def after(self, changes: Sequence[Replies], count: int) -> Array:
        """Return, for each change of some replies, the highest posterior after it of each of the
        first `count` sets, (changes, count).

        Each feature that is changed has to apply before the change or after it.
        """
        found = np.empty((len(changes), count))
        sets = self._sets[:count]
        alike: dict[tuple[frozenset[FeatureKey], frozenset[int]], list[_Ways]] = {}
        for keys, numbers in _by_features(changes).items():
            freed = frozenset(self._open.keys() & keys)
            most = MOST_VARIANTS // prod(choice.count for choice in self._others(freed))
            hanging = self._hanging(keys)
            steady = self._is_steady(keys)
            fitting: dict[int, Choice] = {}
            for number in numbers:
                change = changes[number]
                ways = self._ways(change, hanging) if steady or not self._wakes(change) else None
                if ways is None or ways.count > most:
                    found[number] = self._from_the_start(change, sets)
                else:
                    fitting[number] = ways
            if fitting:
                group = _instead(keys, fitting, self._settled)
                alike.setdefault((freed, frozenset(group.ways.linked)), []).append(group)
        for (freed, _), groups in alike.items():
            ways = _one_after_another([group.ways for group in groups])
            highest = self._highest(freed, ways, sets)
            numbers = [number for group in groups for number in group.numbers]
            counts = [count for group in groups for count in group.counts]
            starts = np.cumsum([0, *counts[:-1]])
            found[numbers] = np.maximum.reduceat(highest, starts, axis=1).T
        return found

    def scores(self, changes: Sequence[Replies]) -> Array:
        """Return the log scores after each change, alarms as reported, (changes, C)."""
        standing = self._standing
        now = {feature.key: self._reported(feature.key, reply) for feature, reply in standing.read}
        everything = reduce(_both, now.values(), Choice(self._tables.log_priors[None], {}))
        told = {place: sums[0] for place, sums in everything.linked.items()}
        others = _Variants([], told, everything.alone[0], self._tables.syndromes)
        scores = np.empty((len(changes), len(self._alone)))
        for keys, numbers in _by_features(changes).items():
            steady = self._is_steady(keys)
            fitting: dict[int, Choice] = {}
            for number in numbers:
                if not steady and self._wakes(changes[number]):
                    scores[number] = log_scores(standing.with_replies(changes[number]))
                else:
                    replies = [self._reported(key, reply) for key, reply in changes[number]]
                    fitting[number] = reduce(_both, replies) if replies else self._nothing
            if fitting:
                ways = _instead(keys, fitting, now).ways
                total = others.scores_without(ways.linked.keys()) + ways.alone
                for place, heard in ways.linked.items():
                    total += others.terms(place, heard)[0]
                scores[list(fitting)] = total
        return scores

    def _reported(self, key: FeatureKey, reply: Reply) -> Choice:
        """Return what a reply adds, alarms as reported."""
        feature = self._standing.knowledge.feature(key)
        options = options_in(feature, reply)
        if options is None:
            return self._nothing
        alone, linked = self._tables.added(feature, options)
        return Choice(alone[None], {place: told[None] for place, told in linked.items()})

    def _is_steady(self, keys: Sequence[FeatureKey]) -> bool:
        """Whether what is read of all other replies, and of each other, hangs on none of these."""
        return self._gating.isdisjoint(keys) and (
            len(keys) == 1 or self._gates.keys().isdisjoint(keys)
        )

    def _wakes(self, change: Replies) -> bool:
        """Whether what is read of the other replies, or of each other, may hang on a change."""
        keys = {key for key, _ in change}
        # only what gates read matters, and whether one of the others has a gate
        told = tuple([pair for pair in change if pair[0] in self._read_by_gates])
        which = told, frozenset(keys & self._gates.keys())
        if which not in self._waking:
            self._waking[which] = bool(told) and self._may_wake(change, keys)
        return self._waking[which]

    def _may_wake(self, change: Replies, keys: set[FeatureKey]) -> bool:
        knowledge, readings = self._standing.knowledge, self._standing.readings
        hanging = [
            key
            for key in keys.union(self._standing.evidence.features) & self._gates.keys()
            if not keys.isdisjoint(self._gates[key])
        ]
        gating = frozenset[FeatureKey]().union(*(self._gates[key] for key in hanging))
        changed = dict(readings)
        for key, reply in change:
            feature = knowledge.feature(key)
            if key in gating and (
                key in self._alarming
                or alarms_in(self._tables, feature, options_in(feature, reply) or frozenset())
            ):
                return True
            changed[key] = reading_of(feature, reply, unsure=key in knowledge.feeds_emergency)
        return any(
            holds(knowledge.asked_if[key], changed)
            # what is changed itself is weighed as read, so that it has to be
            is not (key in keys or holds(knowledge.asked_if[key], readings))
            for key in hanging
        )

    def _from_the_start(self, change: Replies, sets: Sequence[frozenset[int]]) -> list[float]:
        return highest_posteriors(self._standing.with_replies(change), list(sets))

    def _others(self, freed: frozenset[FeatureKey]) -> list[Choice]:
        """Return the choices that stay open when those of some features are made."""
        return [
            choice for key, choices in self._open.items() if key not in freed for choice in choices
        ]

    def _hanging(self, keys: Sequence[FeatureKey]) -> list[FeatureKey]:
        """Return which of these features may not be read if an alarm of another one goes."""
        alarming = self._alarming.difference(keys)
        return [key for key in keys if not alarming.isdisjoint(self._gates.get(key, ()))]

    def _ways(self, change: Replies, hanging: Sequence[FeatureKey]) -> Choice | None:
        """Return every way to read the changed replies; None if there are too many."""
        several = []
        for key, reply in change:
            choices = choices_of(self._standing.knowledge, key, reply)
            if len(choices) > 1:
                return None
            choice = choices[0] if choices else self._nothing
            several.append(choice.or_nothing() if key in hanging else choice)
        return reduce(_both, several) if several else self._nothing

    def _highest(
        self, freed: frozenset[FeatureKey], ways: Choice, sets: Sequence[frozenset[int]]
    ) -> Array:
        """Return the highest posterior of each set for each way, over all variants, (sets, N)."""
        if freed not in self._variants:
            choices, syndromes = self._others(freed), self._tables.syndromes
            self._variants[freed] = _Variants(choices, self._told, self._alone, syndromes)
        others = self._variants[freed]
        scores = others.scores_without(ways.linked.keys())
        heard = {place: others.terms(place, told) for place, told in ways.linked.items()}
        best = np.zeros((len(sets), ways.count))
        for variants, at in others.alike(list(heard)):
            change = ways.alone
            for place, terms in heard.items():
                change = change + terms[at[place]]
            np.maximum(best, _shares(scores[variants], change, sets), out=best)
        return best


@dataclass(frozen=True, slots=True)
class _Ways:
    """The ways to read some changes, `counts` of each, one after another."""

    numbers: list[int]
    counts: list[int]
    ways: Choice


def _instead(
    keys: Iterable[FeatureKey], changes: Mapping[int, Choice], now: Mapping[FeatureKey, Choice]
) -> _Ways:
    """Return the ways to read changes of the same features, in place of what is replied now."""
    ways = _one_after_another(list(changes.values()))
    alone, linked = ways.alone, dict(ways.linked)
    for key in keys:
        if key in now:
            alone = alone - now[key].alone
            for place, told in now[key].linked.items():
                linked[place] = linked.get(place, 0.0) - told
    return _Ways(list(changes), [way.count for way in changes.values()], Choice(alone, linked))


@lru_cache(8)
def _gates_of(knowledge: Knowledge) -> dict[FeatureKey, frozenset[FeatureKey]]:
    """Return what each gate reads, of the features that have one."""
    return {key: features_of(knowledge.asked_if[key]) for key in knowledge.gated}


def _by_features(changes: Sequence[Replies]) -> dict[tuple[FeatureKey, ...], list[int]]:
    """Return the places of the changes of the same features."""
    places: dict[tuple[FeatureKey, ...], list[int]] = {}
    for place, change in enumerate(changes):
        places.setdefault(tuple([key for key, _ in change]), []).append(place)
    return places


def _both(one: Choice, other: Choice) -> Choice:
    """Return every alternative of one choice with every one of another."""
    return Choice(
        combined(one.alone, other.alone),
        {
            place: combined(_told(one, place, told), _told(other, place, told))
            for place, told in {**one.linked, **other.linked}.items()
        },
    )


def _one_after_another(choices: Sequence[Choice]) -> Choice:
    """Return the alternatives of all of them as those of one."""
    linked = {place: told for choice in choices for place, told in choice.linked.items()}
    return Choice(
        np.concatenate([choice.alone for choice in choices]),
        {
            place: np.concatenate([_told(choice, place, told) for choice in choices])
            for place, told in linked.items()
        },
    )


def _told(choice: Choice, place: int, alike: Array) -> Array:
    """Return what a choice tells of a syndrome: nothing, if it does not bear on it."""
    told = choice.linked.get(place)
    return np.zeros((choice.count, *alike.shape[1:])) if told is None else told


def _shares(scores: Array, changes: Array, sets: Sequence[frozenset[int]]) -> Array:
    """Return the highest posterior of each set over all variants, scores (V, C), for changes
    (N, C) of them; (sets, N)."""
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    factors = np.exp(changes - changes.max(axis=1, keepdims=True)).T
    whole = 1 / (weights @ factors)
    if whole.size * len(sets) > MOST_NUMBERS:
        each = [list(members) for members in sets]
        return np.array([(weights[:, m] @ factors[m] * whole).max(axis=0) for m in each])
    among = np.zeros((len(sets), len(factors)))
    for row, members in zip(among, sets, strict=True):
        row[list(members)] = 1
    return np.asarray(((among * weights[:, None]) @ factors * whole[:, None]).max(axis=0))


class _Variants:
    """Every combination of the alternatives of some choices, on top of what is settled.

    alone  (V, C)
    told   for each syndrome of which something is known the sums of its logs, (W, S, C), for the
           combinations of the choices that bear on it
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        told: Mapping[int, Array],
        alone: Array,
        syndromes: Sequence[CompiledSyndrome],
    ) -> None:
        counts = [choice.count for choice in choices]
        self._counts = counts
        self._digits = np.unravel_index(np.arange(prod(counts)), counts) if counts else ()
        self._syndromes = syndromes
        self.alone: Array = alone[None, :]
        self.told = {place: sums[None] for place, sums in told.items()}
        self._bearing: dict[int, list[int]] = {}
        for number, choice in enumerate(choices):
            self.alone = combined(self.alone, choice.alone)
            for place, sums in choice.linked.items():
                self._bearing.setdefault(place, []).append(number)
                before = self.told.get(place, np.zeros((1, *sums.shape[1:])))
                self.told[place] = combined(before, sums)
        self._terms = {
            place: syndromes[place].terms(sums)[self.at(place)] for place, sums in self.told.items()
        }

    def scores_without(self, places: Collection[int]) -> Array:
        """Return the scores of each variant but for what some syndromes add, (V, C)."""
        scores = self.alone
        for place, terms in self._terms.items():
            if place not in places:
                scores = scores + terms
        return scores

    def terms(self, place: int, heard: Array) -> Array:
        """Return what a syndrome adds once more is heard of it, (N, S, C); (W, N, C)."""
        told = self.told.get(place)
        return self._syndromes[place].terms(heard[None] if told is None else told[:, None] + heard)

    def at(self, place: int) -> Indices:
        """Return for each variant where in `told` it is, (V,)."""
        bearing = self._bearing.get(place, [])
        if not bearing:
            return np.zeros(len(self.alone), dtype=np.intp)
        digits = tuple(self._digits[number] for number in bearing)
        return np.asarray(
            np.ravel_multi_index(digits, [self._counts[number] for number in bearing])
        )

    def alike(self, places: Sequence[int]) -> Iterable[tuple[Indices, dict[int, int]]]:
        """Yield the variants in which the same is known of these syndromes, and where that is."""
        kinds = np.zeros(len(self.alone), dtype=np.intp)
        where = {place: self.at(place) for place in places}
        for at in where.values():
            kinds = kinds * (at.max() + 1) + at
        for kind in np.unique(kinds):
            variants = np.flatnonzero(kinds == kind)
            yield variants, {place: int(at[variants[0]]) for place, at in where.items()}
