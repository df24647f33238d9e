"""Syndromes as arrays, compiled once: what findings that share a hidden cause say together.

S states, C conditions. A *row* is one way in which a member can come out: an option of a single
choice, a band of a number, or one option of a multiple choice ticked or not.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .spreads import strays_of_a_row
from .vocabulary import ConditionKey, Feature, FeatureKey, Kind, OptionKey, Settings, Syndrome

ROOM = 1_000_000
"""Numbers that may be remembered of one syndrome: 8 MB."""

MOST_JOINT_ROWS = 64
"""Of a feature with more joint outcomes than this they are not remembered: they can be many."""


class Leaning:
    """What a syndrome leans to after some findings, and what may be expected of it then.

    added    (C,)    what the findings add to every condition's log posterior, tempered; nats
    chances  (S, C)  P(state | condition, findings)
    """

    def __init__(self, syndrome: "CompiledSyndrome", added: Array, chances: Array) -> None:
        self._syndrome = syndrome
        self.added = added
        self.chances = chances
        self._joint: dict[FeatureKey, Array] = {}

    @cached_property
    def expected(self) -> Array:
        """P'(row | condition, findings), (R, C)."""
        return np.asarray((self._syndrome.given * self.chances).sum(axis=1))

    @cached_property
    def roots(self) -> Array:
        """Square roots of what is expected, (R, C)."""
        return np.asarray(np.sqrt(self.expected))

    @cached_property
    def more_surprise(self) -> Array:
        """How much more is to be learnt from each row than before anything was found, (R, C); nats.

        Less than 0 where it is less.
        """
        return -self.expected * np.log(self.expected) - self._syndrome.surprise

    def joint(self, feature: Feature) -> Array:
        """Return the chances of all joint outcomes of a multiple choice's members, (2^M, C)."""
        known = self._joint.get(feature.key)
        if known is None:
            known = self._syndrome.joint(feature, self.chances)
            if len(known) <= MOST_JOINT_ROWS:
                self._joint[feature.key] = known
        return known


class CompiledSyndrome:
    """One syndrome's arrays.

    chances   (S, C)     P(state | condition), in (0, 1)
    given     (R, S, C)  P'(row | state, condition), in (0, 1), slips allowed for
    logs      (R, S, C)  their logs, nats
    spreads   (R, S, C)  standard deviation of each row's log, from that of its number's log-odds
    surprise  (R, C)     -p log p of each row's P'(row | condition), nats
    at        (R,)       the row's place among the `outcomes` of the tables
    owners    (R,)       the place of its feature among those `asked`
    unheard   what it leans to before anything is found
    """

    def __init__(
        self,
        syndrome: Syndrome,
        conditions: Sequence[ConditionKey],
        features: Sequence[Feature],
        spreads: Mapping[tuple[ConditionKey, FeatureKey, OptionKey], float],
        spread: float,
        settings: Settings,
    ) -> None:
        self.key = syndrome.key
        self.features: tuple[FeatureKey, ...] = tuple(
            feature.key for feature in features if _members(syndrome, conditions[0], feature)
        )
        self.row_of: dict[tuple[FeatureKey, OptionKey, bool], int] = {}
        self.chances: Array = np.array([syndrome.chances[key] for key in conditions]).T
        self.temper = settings.temper
        self.spread = spread
        given: list[Array] = []
        deviations: list[Array] = []
        for feature in features:
            members = _members(syndrome, conditions[0], feature)
            if not members:
                continue
            many = feature.kind is Kind.MULTI
            cells = [[(key, feature.key, option) for key in conditions] for option in members]
            plain = np.array([[syndrome.members[cell] for cell in row] for row in cells])
            plain = plain.transpose(0, 2, 1)  # (members, S, C)
            stated = np.array([[spreads[cell] for cell in row] for row in cells])
            slipped = (1 - settings.slip) * plain + settings.slip / (2 if many else len(members))
            pull = (1 - settings.slip) * plain * (1 - plain) * stated[:, None, :]
            strays = pull / slipped if many else np.sqrt(strays_of_a_row(plain, slipped, pull))
            for option, yes, stray in zip(members, slipped, strays, strict=True):
                self.row_of[feature.key, option, True] = len(given)
                given.append(yes)
                deviations.append(stray)
                if many:
                    self.row_of[feature.key, option, False] = len(given)
                    given.append(1 - yes)
                    deviations.append(stray * yes / (1 - yes))
        self.given: Array = np.array(given)
        self.logs: Array = np.log(self.given)
        self.spreads: Array = np.array(deviations)
        self._log_chances: Array = np.log(self.chances)
        self.unheard = Leaning(self, np.zeros(len(conditions)), self.chances)
        whole = self.unheard.expected
        self.surprise: Array = -whole * np.log(whole)
        self._most_heard = ROOM // (self.given[:, 0].size * 3 + self.chances.size)
        self._heard: dict[tuple[int, ...], Leaning] = {}
        self.at: npt.NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self.owners: npt.NDArray[np.intp] = self.at

    def rows_of(self, feature: Feature, chosen: frozenset[OptionKey]) -> list[int]:
        """Return the rows that options chosen of a feature come out as; none if it is no member."""
        if feature.key not in self.features:
            return []
        if feature.kind is not Kind.MULTI:
            rows = (self.row_of.get((feature.key, option, True)) for option in chosen)
        else:
            rows = (
                self.row_of.get((feature.key, option.key, option.key in chosen))
                for option in feature.options
            )
        return [row for row in rows if row is not None]

    def terms(self, told: Array) -> Array:
        """Return what findings add to every condition's log posterior, tempered, for `told`, the
        sum of their `logs` in each state.

        Shape:  told (..., S, C), terms (..., C); nats.
        """
        joint = self._log_chances + told
        peak = joint.max(axis=-2, keepdims=True)
        together = np.log(np.exp(joint - peak).sum(axis=-2)) + peak[..., 0, :]
        return np.asarray(self.temper * together)

    def joint(self, feature: Feature, leaning: Array) -> Array:
        """Return the chances of all joint outcomes of a multiple choice's members, (2^M, C), for
        what the syndrome leans to, (S, C)."""
        chances = leaning[None]
        for option in feature.options:
            if (feature.key, option.key, True) in self.row_of:
                first = self.row_of[feature.key, option.key, True]
                both = self.given[first : first + 2]  # ticked, not ticked
                chances = (chances[:, None] * both[None]).reshape(-1, *leaning.shape)
        return np.asarray(chances.sum(axis=1))

    def heard(self, rows: tuple[int, ...]) -> Leaning:
        """Return what the rows that were found add up to. Remembered, while there is room."""
        known = self._heard.get(rows)
        if known is None:
            known = self._leaning(rows)
            if len(self._heard) < self._most_heard:
                self._heard[rows] = known
        return known

    def _leaning(self, rows: tuple[int, ...]) -> Leaning:
        joint = self._log_chances + np.add.reduce(self.logs.take(rows, axis=0), axis=0)
        peak = np.maximum.reduce(joint, axis=0)
        weights = np.exp(joint - peak)
        whole = np.add.reduce(weights, axis=0)
        return Leaning(self, self.temper * (np.log(whole) + peak), weights / whole)

    def variances(self, rows: Sequence[int]) -> Array:
        """Return the variance of what the rows add together, (C,), to first order in the log-odds
        of every chance and every member that is stated."""
        leaning = self.heard(tuple(rows)).chances
        members = ((leaning * self.spreads[rows]) ** 2).sum(axis=(0, 1))
        states = ((leaning - self.chances) ** 2).sum(axis=0) * self.spread**2 / 2
        return np.asarray(self.temper**2 * (members + states))


def _members(
    syndrome: Syndrome, condition: ConditionKey, feature: Feature
) -> tuple[OptionKey, ...]:
    return tuple(
        option.key
        for option in feature.options
        if (condition, feature.key, option.key) in syndrome.members
    )
