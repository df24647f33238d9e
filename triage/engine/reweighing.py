"""The highest posteriors of one person with some replies changed, without starting over for each.

V variants of all other replies, of which alarms are taken away; N ways to read the changes; C
conditions. Whatever no change touches is added up once. A score is then a sum of a variant's and a
change's, so that the posteriors of all of them are two matrix products.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .evidence import Reply
from .inference import log_scores
from .risks import (
    MOST_VARIANTS,
    Choice,
    Replies,
    alarms_in,
    choices_by_feature,
    combined,
    highest_posteriors,
    ways_to_read,
)
from .rules import features_of, holds
from .standing import Standing, reading_of
from .tables import options_in
from .vocabulary import Feature, FeatureKey, Kind, OptionKey

type Way = tuple[tuple[FeatureKey, frozenset[OptionKey] | None], ...]
"""What may be read of each reply that is changed; None if it may not be read at all."""

type Indices = npt.NDArray[np.intp]


class Reweighing:
    """`standing` is one to which nothing more will be asked; `sets` are sets of conditions, by
    place, as for `highest_posteriors`."""

    def __init__(self, standing: Standing, sets: Sequence[frozenset[int]]) -> None:
        self._standing = standing
        self._sets = [sorted(members) for members in sets]
        knowledge = standing.knowledge
        self._tables = knowledge.tables
        own, self._alarming = choices_by_feature(standing)
        self._open = {
            key: choices
            for key, choices in own.items()
            if prod(choice.count for choice in choices) > 1
        }
        self._settled = {
            key: [(choice.alone[0], {n: told[0] for n, told in choice.linked.items()})]
            for key, choices in own.items()
            if key not in self._open
            for choice in choices
        }
        self._alone = self._tables.log_priors
        self._told: dict[int, Array] = {}
        for parts in self._settled.values():
            for alone, linked in parts:
                self._alone = self._alone + alone
                for place, told in linked.items():
                    self._told[place] = self._told.get(place, 0.0) + told
        self._gates = {key: features_of(knowledge.asked_if[key]) for key in knowledge.gated}
        self._ways_of: dict[
            tuple[FeatureKey, Reply, bool], list[tuple[FeatureKey, frozenset[OptionKey] | None]]
        ] = {}
        self._read_by_gates = frozenset[FeatureKey]().union(*self._gates.values())
        self._waking: dict[tuple[Replies, frozenset[FeatureKey]], bool] = {}
        self._gating = frozenset[FeatureKey]().union(
            *(gate for key, gate in self._gates.items() if key in standing.evidence)
        )

    def after(self, changes: Sequence[Replies], count: int) -> Array:
        """Return, for each change of some replies, the highest posterior after it of each of the
        first `count` sets, (changes, count).

        Each feature that is changed has to apply before the change or after it.
        """
        found = np.empty((len(changes), count))
        sets = self._sets[:count]
        alike: dict[frozenset[FeatureKey], dict[int, list[Way]]] = {}
        for number, change in enumerate(changes):
            keys = frozenset([key for key, _ in change])
            ways = [] if self._wakes(change) else self._ways(change)
            freed = frozenset(keys & self._open.keys())
            if not ways or len(ways) * self._variants(freed) > MOST_VARIANTS:
                found[number] = self._from_the_start(change, sets)
            else:
                alike.setdefault(freed, {})[number] = ways
        for freed, group in alike.items():
            place: dict[Way, int] = {}
            for ways in group.values():
                for way in ways:
                    place.setdefault(way, len(place))
            highest = self._highest(freed, list(place), sets)
            at = [place[way] for ways in group.values() for way in ways]
            starts = np.cumsum([0, *(len(ways) for ways in group.values())])[:-1]
            best = np.maximum.reduceat(highest[:, at], starts, axis=1)
            found[list(group)] = best.T
        return found

    def scores(self, changes: Sequence[Replies]) -> Array:
        """Return the log scores after each change, alarms as reported, (changes, C)."""
        standing, knowledge = self._standing, self._standing.knowledge
        scores = np.empty((len(changes), len(self._alone)))
        alike: dict[frozenset[FeatureKey], list[int]] = {}
        for number, change in enumerate(changes):
            if self._wakes(change):
                scores[number] = log_scores(standing.with_replies(change))
            else:
                alike.setdefault(frozenset([key for key, _ in change]), []).append(number)
        for keys, numbers in alike.items():
            rest = [pair for pair in standing.read if pair[0].key not in keys]
            alone, told = self._added_up(rest)
            alone = self._tables.log_priors + alone
            added = [
                self._added_up([(knowledge.feature(key), reply) for key, reply in changes[number]])
                for number in numbers
            ]
            total = alone + np.array([one for one, _ in added])
            for place in {*told, *(place for _, linked in added for place in linked)}:
                syndrome = self._tables.syndromes[place]
                nothing = np.zeros(syndrome.chances.shape)
                heard = np.array([linked.get(place, nothing) for _, linked in added])
                total += syndrome.terms(told.get(place, nothing) + heard)
            scores[numbers] = total
        return scores

    def _added_up(self, replies: Iterable[tuple[Feature, Reply]]) -> tuple[Array, dict[int, Array]]:
        """Return what replies add, (C,), and what they tell of each syndrome, (S, C)."""
        total = np.zeros(len(self._alone))
        told: dict[int, Array] = {}
        for feature, reply in replies:
            options = options_in(feature, reply)
            if options is None:
                continue
            alone, linked = self._tables.added(feature, options)
            total = total + alone
            for place, sums in linked.items():
                told[place] = told[place] + sums if place in told else sums
        return total, told

    def _wakes(self, change: Replies) -> bool:
        """Whether what is read of the other replies, or of each other, may hang on a change."""
        keys = {key for key, _ in change}
        if keys.isdisjoint(self._gating) and (len(keys) == 1 or keys.isdisjoint(self._gates)):
            return False
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
            holds(knowledge.asked_if[key], readings) is not holds(knowledge.asked_if[key], changed)
            for key in hanging
        )

    def _from_the_start(self, change: Replies, sets: Sequence[list[int]]) -> list[float]:
        changed = self._standing.with_replies(change)
        return highest_posteriors(changed, [frozenset(members) for members in sets])

    def _variants(self, freed: frozenset[FeatureKey]) -> int:
        return prod(choice.count for choice in self._others(freed))

    def _others(self, freed: frozenset[FeatureKey]) -> Iterable[Choice]:
        return (
            choice for key, choices in self._open.items() if key not in freed for choice in choices
        )

    def _ways(self, change: Replies) -> list[Way]:
        """Return every way to read the changed replies; nothing if there are too many."""
        alarming = self._alarming - {key for key, _ in change}
        several = []
        for key, reply in change:
            hangs = not alarming.isdisjoint(self._gates.get(key, ()))
            which = key, reply, hangs
            if which not in self._ways_of:
                self._ways_of[which] = self._ways_of_one(key, reply, hangs=hangs)
            several.append(self._ways_of[which])
        return list(product(*several))

    def _ways_of_one(
        self, key: FeatureKey, reply: Reply, *, hangs: bool
    ) -> list[tuple[FeatureKey, frozenset[OptionKey] | None]]:
        feature = self._standing.knowledge.feature(key)
        options = options_in(feature, reply)
        if options is None:
            return [(key, None)]
        alarms = alarms_in(self._tables, feature, options)
        if feature.kind is Kind.MULTI and 2 ** len(alarms) >= MOST_VARIANTS:
            return []
        ways = ways_to_read(self._tables, feature, options) if alarms else [options]
        nothing = [(key, None)] if alarms or hangs else []
        return [*nothing, *((key, way) for way in ways)]

    def _highest(
        self, freed: frozenset[FeatureKey], ways: Sequence[Way], sets: Sequence[list[int]]
    ) -> Array:
        """Return the highest posterior of each set for each way, over all variants, (sets, N)."""
        others = _Variants(list(self._others(freed)), self._told, self._alone)
        syndromes = self._tables.syndromes
        terms = {
            place: syndromes[place].terms(told) for place, told in others.told_by_place.items()
        }
        groups: dict[tuple[int, ...], list[int]] = {}
        added = [self._added(way) for way in ways]
        for number, (_, linked) in enumerate(added):
            groups.setdefault(tuple(sorted(linked)), []).append(number)
        highest = np.empty((len(sets), len(ways)))
        for touched, numbers in groups.items():
            scores = others.alone
            for place, term in terms.items():
                if place not in touched:
                    scores = scores + term[others.at(place)]
            own = np.array([added[number][0] for number in numbers])
            heard = {
                place: syndromes[place].terms(
                    others.told(place, syndromes[place].chances.shape)[:, None]
                    + np.array([added[number][1][place] for number in numbers])
                )
                for place in touched
            }
            best = np.zeros((len(sets), len(numbers)))
            for variants, at in others.alike(touched):
                change = own
                for place in touched:
                    change = change + heard[place][at[place]]
                np.maximum(best, _shares(scores[variants], change, sets), out=best)
            highest[:, numbers] = best
        return highest

    def _added(self, way: Way) -> tuple[Array, Mapping[int, Array]]:
        """Return what a way of reading adds to what is settled, in place of what is replied now."""
        parts = [self._part(key, options) for key, options in way if options is not None]
        gone = [part for key, _ in way for part in self._settled.get(key, ())]
        if len(parts) == 1 and not gone:
            return parts[0]
        alone = parts[0][0] if parts else np.zeros(len(self._alone))
        told = dict(parts[0][1]) if parts else {}
        for more, linked in parts[1:]:
            alone = alone + more
            for place, sums in linked.items():
                told[place] = told[place] + sums if place in told else sums
        for less, linked in gone:
            alone = alone - less
            for place, sums in linked.items():
                told[place] = told[place] - sums if place in told else -sums
        return alone, told

    def _part(
        self, key: FeatureKey, options: frozenset[OptionKey]
    ) -> tuple[Array, Mapping[int, Array]]:
        return self._tables.added(self._standing.knowledge.feature(key), options)


def _shares(scores: Array, changes: Array, sets: Sequence[list[int]]) -> Array:
    """Return the highest posterior of each set over all variants, scores (V, C), for changes
    (N, C) of them; (sets, N)."""
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    factors = np.exp(changes - changes.max(axis=1, keepdims=True)).T
    whole = 1 / (weights @ factors)
    return np.array(
        [(weights[:, members] @ factors[members] * whole).max(axis=0) for members in sets]
    )


class _Variants:
    """Every combination of the alternatives of some choices, on top of what is settled.

    alone          (V, C)
    told_by_place  for each syndrome of which something is known the sums of its logs, (W, S, C),
                   for the combinations of the choices that bear on it
    """

    def __init__(self, choices: Sequence[Choice], told: Mapping[int, Array], alone: Array) -> None:
        counts = [choice.count for choice in choices]
        self._counts = counts
        self._digits = np.unravel_index(np.arange(prod(counts)), counts) if counts else ()
        self.alone: Array = alone[None, :]
        self.told_by_place = {place: sums[None] for place, sums in told.items()}
        self._bearing: dict[int, list[int]] = {}
        for number, choice in enumerate(choices):
            self.alone = combined(self.alone, choice.alone)
            for place, sums in choice.linked.items():
                self._bearing.setdefault(place, []).append(number)
                before = self.told_by_place.get(place, np.zeros((1, *sums.shape[1:])))
                self.told_by_place[place] = combined(before, sums)

    def told(self, place: int, shape: tuple[int, ...]) -> Array:
        return self.told_by_place.get(place, np.zeros((1, *shape)))

    def at(self, place: int) -> Indices:
        """Return for each variant where in `told_by_place` it is, (V,)."""
        bearing = self._bearing.get(place, [])
        if not bearing:
            return np.zeros(len(self.alone), dtype=np.intp)
        digits = tuple(self._digits[number] for number in bearing)
        return np.asarray(
            np.ravel_multi_index(digits, [self._counts[number] for number in bearing])
        )

    def alike(self, places: Sequence[int]) -> Iterable[tuple[Indices, dict[int, int]]]:
        """Yield the variants in which the same is known of these syndromes, and where that is."""
        if not places or len(self.alone) == 1:
            yield np.arange(len(self.alone)), dict.fromkeys(places, 0)
            return
        where = np.array([self.at(place) for place in places])
        kinds, of_each = np.unique(where, axis=1, return_inverse=True)
        for number in range(kinds.shape[1]):
            at = {place: int(kinds[row, number]) for row, place in enumerate(places)}
            yield np.flatnonzero(of_each.ravel() == number), at
