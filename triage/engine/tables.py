"""A topic's priors and likelihoods as arrays, compiled once.

C conditions. A *term* is what one finding adds to every condition's log posterior, tempered, with
slips allowed for. An *outcome* is one way in which one variable can come out: an option of a single
choice, a band of a number, or one option of a multiple choice ticked or not.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .evidence import Chosen, Declined, Number, Reply
from .vocabulary import (
    NOT_SURE,
    Basis,
    Condition,
    ConditionKey,
    Feature,
    FeatureKey,
    Kind,
    Likelihood,
    OptionKey,
    Settings,
)

type Array = npt.NDArray[np.float64]
type Cells = Mapping[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood]


class Tables:
    """Compiled arrays.

    log_priors           (C,)    nats
    prior_variances      (C,)    of the log prior, from its stated spread
    terms, variances     (T, C)  nats, and their variance from the stated spread of each number
    outcomes             (E, C)  P'(outcome | condition), in (0, 1)
    conditional_entropy  (F, C)  nats, of each asked feature's outcome given the condition
    asked, starts        (F,)    features with any outcome, and where their outcomes start
    """

    def __init__(
        self,
        conditions: Sequence[Condition],
        features: Sequence[Feature],
        cells: Cells,
        settings: Settings,
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
        terms: list[Array] = []
        variances: list[Array] = []
        outcomes: list[Array] = []
        entropies: list[Array] = []
        starts: list[int] = []
        for feature in features:
            scored = [option.key for option in feature.options if option.scored]
            if not scored:
                continue
            many = feature.kind is Kind.MULTI
            stated = [[cells[c.key, feature.key, key] for c in conditions] for key in scored]
            plain = np.array([[cell.probability for cell in row] for row in stated])
            spreads = np.array([[spread_of_cell(cell, settings) for cell in row] for row in stated])
            slipped = (1 - settings.slip) * plain + settings.slip / (2 if many else len(scored))
            pull = settings.temper * (1 - settings.slip) * plain * (1 - plain) * spreads
            self.place[feature.key] = len(self.asked)
            self.asked.append(feature.key)
            starts.append(len(outcomes))
            entropy = np.zeros(len(conditions))
            for row, key in enumerate(scored):
                yes = slipped[row]
                self.term_of[feature.key, key] = len(terms)
                self.outcome_of[feature.key, key] = len(outcomes)
                terms.append(settings.temper * np.log(yes))
                variances.append((pull[row] / yes) ** 2)
                outcomes.append(yes)
                entropy -= yes * np.log(yes)
                if many:
                    no = 1 - yes
                    terms[-1] = settings.temper * (np.log(yes) - np.log(no))
                    variances[-1] = (pull[row] / yes) ** 2 - (pull[row] / no) ** 2
                    outcomes.append(no)
                    entropy -= no * np.log(no)
            if many:
                self.unticked[feature.key] = len(terms)
                terms.append(settings.temper * np.log(1 - slipped).sum(axis=0))
                variances.append(((pull / (1 - slipped)) ** 2).sum(axis=0))
            entropies.append(entropy)
        self.terms: Array = np.array(terms).reshape(-1, len(conditions))
        self.variances: Array = np.array(variances).reshape(-1, len(conditions))
        self.outcomes: Array = np.array(outcomes).reshape(-1, len(conditions))
        self.conditional_entropy: Array = np.array(entropies).reshape(-1, len(conditions))
        self.starts: npt.NDArray[np.intp] = np.array(starts, dtype=np.intp)

    def terms_of(self, feature: Feature, reply: Reply) -> list[int]:
        """Return the rows of `terms` that a reply adds; none if it is declined or not scored."""
        match reply:
            case Declined():
                return []
            case Number(value):
                band = band_of(feature, value)
                return [] if band is None else [self.term_of[feature.key, band]]
            case Chosen(chosen) if feature.kind is Kind.MULTI:
                if feature.key not in self.unticked or NOT_SURE in chosen:
                    return []
                ticked = [self.term_of.get((feature.key, key)) for key in sorted(chosen)]
                return [self.unticked[feature.key], *(row for row in ticked if row is not None)]
            case Chosen(chosen):
                rows = [self.term_of.get((feature.key, key)) for key in chosen]
                return [row for row in rows if row is not None]


def band_of(feature: Feature, value: int) -> OptionKey | None:
    """Return the band of a number feature that holds this number, or None outside every band."""
    for option in feature.options:
        low = feature.low if option.low is None else option.low
        high = feature.high if option.high is None else option.high
        if option.scored and (low is None or low <= value) and (high is None or value <= high):
            return option.key
    return None


def spread_of(basis: Basis, settings: Settings) -> float:
    """Return the standard deviation, in log-odds, of a number that has this basis."""
    match basis:
        case Basis.STUDY:
            return settings.spread_study
        case Basis.GUIDELINE:
            return settings.spread_guideline
        case Basis.ESTIMATE:
            return settings.spread_estimate


def spread_of_cell(cell: Likelihood, settings: Settings) -> float:
    """Return the standard deviation of a likelihood's log-odds.

    Source: a study of n people gives the log-odds of p with variance 1 / (n p (1 - p)); it counts
    for no more than the spread set for studies, since its people are not ours.
    """
    spread = spread_of(cell.basis, settings)
    if cell.basis is Basis.STUDY and cell.sample_size:
        p = cell.probability
        return max(spread, float((cell.sample_size * p * (1 - p)) ** -0.5))
    return spread
