"""How sure each stated number is, as a standard deviation of its log-odds."""

import numpy as np

from .arrays import Array
from .vocabulary import Basis, Likelihood, Settings


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


def strays_of_a_row(plain: Array, slipped: Array, pull: Array) -> Array:
    """Return the variance of the log of each probability of a row that keeps summing to 1, when each
    number strays by its own standard deviation; to first order.

    Shape: all (K, ...), over the K options; plain P, slipped P' = (1 - e) P + e / K, pull the standard
    deviation of each number by itself, times 1 - e.
    """
    squares = pull**2
    others = np.maximum(squares.sum(axis=0) - squares, 0)
    return np.asarray(((1 - plain) * (pull / slipped)) ** 2 + (plain / slipped) ** 2 * others)
