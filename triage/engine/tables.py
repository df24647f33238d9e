"""A topic's priors and likelihoods as arrays, compiled once.

C conditions. A *term* is what one finding adds to every condition's log posterior, tempered, with
slips allowed for. An *outcome* is one way in which one variable can come out: an option of a single
choice, a band of a number, or one option of a multiple choice ticked or not.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .evidence import Chosen, Declined, Number, Reply
from .matrices import Matrix, Part, matrix_of
from .spreads import spread_of, strays_of_a_row
from .stated import Stated
from .syndromes import CompiledSyndrome
from .vocabulary import (
    NOT_SURE,
    Condition,
    Feature,
    FeatureKey,
    Kind,
    OptionKey,
    Settings,
    Syndrome,
)

MOST_PAIRED = 512
"""Of more conditions than this it takes too long to compare each with each."""

MOST_ADDED = 4096
"""Replies of which it is remembered what they add."""

MOST_DOUBLE = 2_000_000
"""With more numbers than this the roots are kept in single precision, which is twice as fast: how
long a product takes is then how long its matrix takes to be read."""

LEAST_SPARED = 0.8
"""Only what differs from the background is kept where that spares at least this share of it."""


type Found = tuple[Sequence[int], Sequence[tuple[int, Sequence[int]]]]
"""Rows of terms, and by place the syndromes of which something is known, with rows of theirs."""

NOTHING: Found = ((), ())


class Tables:
    """Compiled arrays, and matrices of which single rows, sums of rows and products can be had.

    log_priors       (C,)      nats
    prior_variances  (C,)      of the log prior, from its stated spread
    terms            (T, C)    nats
    variances        (T, C)    of the terms, from the stated spread of each number
    outcomes         (E, C)    P'(outcome | condition), in (0, 1)
    forecast         (E+F, C)  the outcomes, and then nats, the entropy of each asked feature's
                               outcome given the condition: one product gives both
    roots            (E, C)    square roots of the outcomes; in single precision if large
    asked, starts    (F,)      features with any outcome, and where their outcomes start
    efforts          (F,)      of a reply to each; has_efforts, whether any is not 1
    count            E
    several          the places in `asked` of the multiple choices
    overlaps         (C, C) for each multiple choice, of its options that no syndrome links; only
                     up to `MOST_PAIRED` conditions
    syndromes        what their members say together; they have no terms of their own
    rounding         how far worths may be off for the precision of the roots, nats

    The conditional entropy of a multiple choice is the sum over its options. With a background,
    and little that differs from it, only that is kept.
    """

    def __init__(
        self,
        conditions: Sequence[Condition],
        stated: Sequence[Stated],
        settings: Settings,
        syndromes: Sequence[Syndrome] = (),
        *,
        sparse: bool | None = None,
    ) -> None:
        self.log_priors: Array = np.log([condition.prior for condition in conditions])
        self.prior_variances: Array = np.array(
            [
                ((1 - condition.prior) * spread_of(condition.prior_basis, settings)) ** 2
                for condition in conditions
            ]
        )
        self.term_of: dict[tuple[FeatureKey, OptionKey], int] = {}
        self.unticked: dict[FeatureKey, int] = {}
        self.outcome_of: dict[tuple[FeatureKey, OptionKey], int] = {}
        self._asked = {each.feature.key: each.feature for each in stated}
        self._rows: dict[FeatureKey, dict[OptionKey, int]] = {}
        self.overlaps: dict[FeatureKey, Array] = {}
        self.asked = [each.feature.key for each in stated]
        self.place = {key: place for place, key in enumerate(self.asked)}
        self.efforts: Array = np.array([each.feature.effort for each in stated])
        self.has_efforts = bool((self.efforts != 1).any())
        kinds = [each.feature.kind for each in stated]
        self.several = [place for place, kind in enumerate(kinds) if kind is Kind.MULTI]
        width = len(conditions)
        if sparse is None:
            sparse = _is_sparse(width, stated)
        linked = {(feature, option) for each in syndromes for _, feature, option in each.members}
        terms: list[Part] = []
        variances: list[Part] = []
        outcomes: list[Part] = []
        entropies: list[Part] = []
        starts: list[int] = []
        count = self.count = 0
        for each in stated:
            key, many = each.feature.key, each.feature.kind is Kind.MULTI
            places = np.append(each.places, width) if each.has_background else each.places
            slips = settings.slip / (2 if many else len(each.options))
            slipped = (1 - settings.slip) * each.plain + slips
            pull = settings.temper * (1 - settings.slip) * each.plain * (1 - each.plain)
            pull = pull * each.spreads
            alone = np.array([(key, option) not in linked for option in each.options])
            logs = settings.temper * np.log(slipped)
            chances, own, strayed = slipped, logs[alone], pull
            if many:
                unticked = settings.temper * np.log(1 - slipped)
                strays, others = (pull / slipped) ** 2, (pull / (1 - slipped)) ** 2
                chances = np.stack([slipped, 1 - slipped], axis=1).reshape(-1, len(places))
                own, strayed = (logs - unticked)[alone], (strays - others)[alone]
                if alone.any():
                    own = np.vstack([own, unticked[alone].sum(axis=0)])
                    strayed = np.vstack([strayed, others[alone].sum(axis=0)])
                    self.unticked[key] = count + len(own) - 1
                if width <= MOST_PAIRED:
                    self.overlaps[key] = overlap_of(each.filled(slipped, width)[alone])
            else:
                strayed = strays_of_a_row(each.plain, slipped, pull)[alone]
            starts.append(self.count)
            self.count += len(chances)
            for number, option in enumerate(each.options):
                self.outcome_of[key, option] = starts[-1] + number * (2 if many else 1)
            for number, option in enumerate(np.array(each.options, dtype=object)[alone]):
                self.term_of[key, option] = count + number
                self._rows.setdefault(key, {})[option] = count + number
            rows = np.arange(count, count + len(own))
            count += len(own)
            terms.append(Part(rows, places, own))
            variances.append(Part(rows, places, strayed))
            outcomes.append(Part(np.arange(starts[-1], self.count), places, chances))
            surprise = -(chances * np.log(chances)).sum(axis=0, keepdims=True)
            entropies.append(Part(np.array([len(entropies)]), places, surprise))
        self.starts: npt.NDArray[np.intp] = np.array(starts, dtype=np.intp)
        single = not sparse and self.count * width > MOST_DOUBLE
        self.rounding = 1e-5 if single else 0.0
        self.terms = matrix_of(width, terms, sparse=sparse)
        self.variances = matrix_of(width, variances, sparse=sparse)
        both = [
            Part(
                np.append(one.rows, other.rows + self.count),
                one.places,
                np.vstack([one.values, other.values]),
            )
            for one, other in zip(outcomes, entropies, strict=True)
        ]
        self.forecast = matrix_of(width, both, sparse=sparse)
        self.roots = matrix_of(
            width,
            [Part(part.rows, part.places, np.sqrt(part.values)) for part in outcomes],
            sparse=sparse,
            single=single,
        )
        stated_spreads = (
            {
                (condition.key, each.feature.key, option): float(spread)
                for each in stated
                for option, row in zip(each.options, each.filled(each.spreads, width), strict=True)
                if (each.feature.key, option) in linked
                for condition, spread in zip(conditions, row, strict=True)
            }
            if linked
            else {}
        )
        features = [each.feature for each in stated]
        keys = [condition.key for condition in conditions]
        self.syndromes = tuple(
            CompiledSyndrome(
                syndrome,
                keys,
                features,
                stated_spreads,
                spread_of(syndrome.basis, settings),
                settings,
            )
            for syndrome in syndromes
        )
        self._in_syndromes = frozenset(key for each in self.syndromes for key in each.features)
        for syndrome in self.syndromes:
            syndrome.owners = np.array(
                [self.place[feature] for feature, _, _ in syndrome.row_of], dtype=np.intp
            )
            syndrome.at = np.array(
                [
                    self.outcome_of[feature, option] + (not ticked)
                    for feature, option, ticked in syndrome.row_of
                ],
                dtype=np.intp,
            )

        self._added: dict[
            tuple[FeatureKey, frozenset[OptionKey]], tuple[Array, Mapping[int, Array]]
        ] = {}
        self._found: dict[tuple[FeatureKey, Reply], Found] = {}
        self._singles: dict[FeatureKey, dict[frozenset[OptionKey], Found]] = {
            each.feature.key: {
                one: (self.rows_of(each.feature, one), self._linked(each.feature, one))
                for one in (frozenset({option}) for option in each.options)
            }
            for each in stated
            if each.feature.kind is Kind.SINGLE
        }

    @property
    def outcomes(self) -> Matrix:
        """The first rows of the forecast."""
        return self.forecast

    def outcomes_at(self, place: int) -> range:
        """Return the rows of the outcomes of the feature at this place in `asked`."""
        end = int(self.starts[place + 1]) if place + 1 < len(self.starts) else self.count
        return range(int(self.starts[place]), end)

    def found(self, feature: FeatureKey, reply: Reply) -> Found:
        """Return the rows of `terms` that a reply adds, and the syndromes of which it tells
        something, by place, with the rows found of each. None if it is declined or not scored."""
        of_single = self._singles.get(feature)
        if of_single is not None and isinstance(reply, Chosen):
            return of_single.get(reply.options, NOTHING)
        found = self._found.get((feature, reply))
        if found is None:
            asked = self._asked.get(feature)
            options = None if asked is None else options_in(asked, reply)
            if asked is None or options is None:
                return NOTHING
            found = self.rows_of(asked, options), self._linked(asked, options)
            if len(self._found) < MOST_ADDED:
                self._found[feature, reply] = found
        return found

    def added(
        self, feature: Feature, options: frozenset[OptionKey]
    ) -> tuple[Array, Mapping[int, Array]]:
        """Return what options chosen of a feature add to every condition's log posterior, (C,)
        nats, and to the logs of each syndrome, (S, C), by place. Remembered, if it is not large."""
        key = feature.key, options
        added = self._added.get(key)
        if added is None:
            alone = np.asarray(self.terms[self.rows_of(feature, options)].sum(axis=0))
            linked = {
                place: np.asarray(each.logs[each.rows_of(feature, options)].sum(axis=0))
                for place, each in enumerate(self.syndromes)
                if feature.key in each.features
            }
            added = alone, linked
            if len(alone) <= MOST_PAIRED and len(self._added) < MOST_ADDED:
                self._added[key] = added
        return added

    def terms_of(self, feature: Feature, reply: Reply) -> Sequence[int]:
        """Return the rows of `terms` that a reply adds."""
        return self.found(feature.key, reply)[0]

    def linked_rows(self, feature: Feature, reply: Reply) -> Sequence[tuple[int, Sequence[int]]]:
        """Return the syndromes of which a reply tells something, by place, and which rows."""
        return self.found(feature.key, reply)[1]

    def rows_of(self, feature: Feature, options: frozenset[OptionKey]) -> list[int]:
        """Return the rows of `terms` that options chosen of a feature add."""
        own = self._rows.get(feature.key)
        if own is None:  # a syndrome speaks for all of it
            return []
        first = [self.unticked[feature.key]] if feature.key in self.unticked else []
        return [*first, *(own[key] for key in sorted(options) if key in own)]

    def _linked(
        self, feature: Feature, options: frozenset[OptionKey]
    ) -> list[tuple[int, list[int]]]:
        if feature.key not in self._in_syndromes:
            return []
        found = ((n, each.rows_of(feature, options)) for n, each in enumerate(self.syndromes))
        return [(n, rows) for n, rows in found if rows]


def _is_sparse(width: int, stated: Sequence[Stated]) -> bool:
    if not all(each.has_background for each in stated):
        return False
    kept = sum(len(each.options) * len(each.places) for each in stated)
    whole = sum(len(each.options) * width for each in stated)
    return kept <= (1 - LEAST_SPARED) * whole


def overlap_of(chances: Array) -> Array:
    """Return how alike each two conditions are in what they make of a list of options: the sum over
    all joint outcomes of the root of the product of the two chances.

    Shape:  chances (M, C) of each option, independent given the condition; overlap (C, C) in (0, 1].
    Source: Bhattacharyya A, Bull Calcutta Math Soc 1943;35:99-109.
    """
    overlap = np.ones((chances.shape[1],) * 2)
    for yes, no in zip(np.sqrt(chances), np.sqrt(1 - chances), strict=True):
        overlap *= np.outer(yes, yes) + np.outer(no, no)
    return overlap


def options_in(feature: Feature, reply: Reply) -> frozenset[OptionKey] | None:
    """Return the options of a reply, its number's band among them; None if it tells nothing."""
    match reply:
        case Declined():
            return None
        case Number(value):
            band = band_of(feature, value)
            return None if band is None else frozenset({band})
        case Chosen(options):
            unsure = feature.kind is Kind.MULTI and NOT_SURE in options
            return None if unsure else options


def band_of(feature: Feature, value: int) -> OptionKey | None:
    """Return the band of a number feature that holds this number, or None outside every band."""
    for option in feature.options:
        low = feature.low if option.low is None else option.low
        high = feature.high if option.high is None else option.high
        if option.scored and (low is None or low <= value) and (high is None or value <= high):
            return option.key
    return None
