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
from .spreads import spread_of, spread_of_cell, strays_of_a_row
from .syndromes import CompiledSyndrome
from .vocabulary import (
    NOT_SURE,
    Condition,
    ConditionKey,
    Feature,
    FeatureKey,
    Kind,
    Likelihood,
    OptionKey,
    Settings,
    Syndrome,
)

MOST_PAIRED = 512
"""Of more conditions than this it takes too long to compare each with each."""

type Cells = Mapping[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood]


class Tables:
    """Compiled arrays.

    log_priors           (C,)    nats
    prior_variances      (C,)    of the log prior, from its stated spread
    terms, variances     (T, C)  nats, and their variance from the stated spread of each number
    outcomes             (E, C)  P'(outcome | condition), in (0, 1)
    roots                (E, C)  square roots of the outcomes
    conditional_entropy  (F, C)  nats, of each asked feature's outcome given the condition
    asked, starts        (F,)    features with any outcome, and where their outcomes start
    efforts              (F,)    of a reply to each
    several              the places in `asked` of the multiple choices
    overlaps             (C, C) for each multiple choice, of its options that no syndrome links; only
                         up to `MOST_PAIRED` conditions
    syndromes            what their members say together; they have no terms of their own

    The conditional entropy of a multiple choice is the sum over its options.
    """

    def __init__(
        self,
        conditions: Sequence[Condition],
        features: Sequence[Feature],
        cells: Cells,
        settings: Settings,
        syndromes: Sequence[Syndrome] = (),
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
        self.asked: list[FeatureKey] = []
        self.place: dict[FeatureKey, int] = {}
        self.overlaps: dict[FeatureKey, Array] = {}
        terms: list[Array] = []
        variances: list[Array] = []
        outcomes: list[Array] = []
        entropies: list[Array] = []
        starts: list[int] = []
        efforts: list[float] = []
        linked = {(feature, option) for each in syndromes for _, feature, option in each.members}
        stated_spreads: dict[tuple[ConditionKey, FeatureKey, OptionKey], float] = {}
        for feature in features:
            scored = [option.key for option in feature.options if option.scored]
            if not scored:
                continue
            many = feature.kind is Kind.MULTI
            stated = [[cells[c.key, feature.key, key] for c in conditions] for key in scored]
            plain = np.array([[cell.probability for cell in row] for row in stated])
            spreads = np.array([[spread_of_cell(cell, settings) for cell in row] for row in stated])
            alone = np.array([(feature.key, key) not in linked for key in scored])
            for row in map(int, np.flatnonzero(~alone)):
                for condition, spread in zip(conditions, spreads[row], strict=True):
                    stated_spreads[condition.key, feature.key, scored[row]] = float(spread)
            slipped = (1 - settings.slip) * plain + settings.slip / (2 if many else len(scored))
            pull = settings.temper * (1 - settings.slip) * plain * (1 - plain) * spreads
            strays = (pull / slipped) ** 2 if many else strays_of_a_row(plain, slipped, pull)
            self.place[feature.key] = len(self.asked)
            self.asked.append(feature.key)
            starts.append(len(outcomes))
            efforts.append(feature.effort)
            entropy = np.zeros(len(conditions))
            for row, key in enumerate(scored):
                yes, no = slipped[row], 1 - slipped[row]
                self.outcome_of[feature.key, key] = len(outcomes)
                outcomes.append(yes)
                entropy -= yes * np.log(yes)
                term, variance = settings.temper * np.log(yes), strays[row]
                if many:
                    outcomes.append(no)
                    entropy -= no * np.log(no)
                    term = term - settings.temper * np.log(no)
                    variance = variance - (pull[row] / no) ** 2
                if alone[row]:
                    self.term_of[feature.key, key] = len(terms)
                    terms.append(term)
                    variances.append(variance)
            if many and alone.any():
                self.unticked[feature.key] = len(terms)
                terms.append(settings.temper * np.log(1 - slipped[alone]).sum(axis=0))
                variances.append(((pull[alone] / (1 - slipped[alone])) ** 2).sum(axis=0))
            if many and len(conditions) <= MOST_PAIRED:
                self.overlaps[feature.key] = overlap_of(slipped[alone])
            entropies.append(entropy)
        self.terms: Array = np.array(terms).reshape(-1, len(conditions))
        self.variances: Array = np.array(variances).reshape(-1, len(conditions))
        self.outcomes: Array = np.array(outcomes).reshape(-1, len(conditions))
        self.roots: Array = np.sqrt(self.outcomes)
        self.conditional_entropy: Array = np.array(entropies).reshape(-1, len(conditions))
        self.starts: npt.NDArray[np.intp] = np.array(starts, dtype=np.intp)
        self.efforts: Array = np.array(efforts)
        kinds = {feature.key: feature.kind for feature in features}
        self.several = [n for n, key in enumerate(self.asked) if kinds[key] is Kind.MULTI]
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

    def terms_of(self, feature: Feature, reply: Reply) -> list[int]:
        """Return the rows of `terms` that a reply adds; none if it is declined or not scored, or if
        a syndrome speaks for it."""
        options = options_in(feature, reply)
        return [] if options is None else self.rows_of(feature, options)

    def rows_of(self, feature: Feature, options: frozenset[OptionKey]) -> list[int]:
        """Return the rows of `terms` that options chosen of a feature add."""
        rows = [self.term_of.get((feature.key, key)) for key in sorted(options)]
        if feature.kind is Kind.MULTI:
            rows.insert(0, self.unticked.get(feature.key))
        return [row for row in rows if row is not None]

    def linked_rows(self, feature: Feature, reply: Reply) -> list[tuple[int, list[int]]]:
        """Return the syndromes for which a reply tells something, by place, and which rows."""
        if not self.syndromes:
            return []
        options = options_in(feature, reply)
        if options is None:
            return []
        found = ((n, each.rows_of(feature, options)) for n, each in enumerate(self.syndromes))
        return [(n, rows) for n, rows in found if rows]


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
