"""The posterior, and how sure it is."""

from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .evidence import Evidence
from .knowledge import Knowledge
from .standing import Standing
from .syndromes import CompiledSyndrome

QUANTILE_90 = 1.6448536269514722
"""Standard deviations to either side that hold 90 % of a normal distribution."""

LAST_BITS = 1e-12
"""Numbers within this of each other are equal: what is below it differs from machine to machine."""


DECIMALS = 6
"""Of a posterior, where one is ranked or written down."""


def reaches(number: float, bar: float) -> bool:
    """Whether a number is at the bar or above it, on every machine alike."""
    return number >= bar - LAST_BITS


def log_scores(standing: Standing) -> Array:
    """Return log P(condition) plus the tempered log-likelihood of all replies that are read.

    Shape:  (C,), in the order of `knowledge.conditions`; nats, not normalised.
    """
    return standing.sums.scores


def linked(standing: Standing) -> list[tuple[int, CompiledSyndrome, list[int]]]:
    """Return each syndrome of which something is known, by place, and the rows that were found."""
    syndromes = standing.knowledge.tables.syndromes
    found = standing.sums.linked
    return [(place, syndromes[place], list(found[place])) for place in sorted(found)]


def normalised(scores: Array) -> Array:
    """Return the probabilities whose logs are `scores` up to a constant; last axis sums to 1."""
    if scores.ndim == 1:  # the same, three times as fast
        weights = np.exp(scores - scores[scores.argmax()])
        weights /= np.add.reduce(weights)
        return np.asarray(weights)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))  # so that exp() cannot overflow
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def posterior_of(standing: Standing) -> Array:
    """Return P(condition | evidence) of one person.

    Shape:  (C,), in the order of `knowledge.conditions`; sums to 1.
    Units:  probabilities in (0, 1). What is not known weighs nothing.
    Source: naive Bayes as in de Dombal et al., BMJ 1972;2:9-13, with each finding's log-likelihood
            multiplied by a temper, and a share of replies taken to be slips. Findings that share a
            syndrome are independent given its state, which is summed over.
    """
    return normalised(log_scores(standing))


def posterior(knowledge: Knowledge, evidence: Evidence) -> Array:
    """Return P(condition | evidence), as `posterior_of` does.

    Raises: UnknownFeature if `evidence` names what `knowledge` lacks.
    """
    return posterior_of(Standing(knowledge, evidence))


def log_odds(scores: Array) -> Array:
    """Return log(p / (1 - p)) of each condition, exact where p rounds to 0 or 1.

    Shape: as `scores`, (..., C); nats.
    """
    return np.asarray(scores - _log_rest(scores))


def _log_rest(scores: Array) -> Array:
    """Return the log of what all the other conditions weigh together, for each condition.

    The others of any but the largest are the whole less itself, which is at most half of it, so
    that nothing cancels; those of the largest are added up.
    """
    flat = scores.reshape(-1, scores.shape[-1])
    each, top = np.arange(len(flat)), flat.argmax(axis=1)
    peak = flat[each, top]
    others = flat - peak[:, None]
    others[each, top] = -np.inf
    weights = np.exp(others)
    rest = np.log1p(np.add.reduce(weights, axis=1, keepdims=True) - weights)
    second = np.maximum.reduce(others, axis=1)
    rest[each, top] = second + np.log(np.exp(others - second[:, None]).sum(axis=1))
    rest += peak[:, None]
    return np.asarray(rest.reshape(scores.shape))


@dataclass(frozen=True, slots=True)
class CredibleRange:
    """Arrays (C,) of probabilities that hold the posterior in 90 of 100 cases."""

    low: Array
    high: Array


def credible_range(standing: Standing) -> CredibleRange:
    """Return how far each posterior could be off, given how sure the numbers behind it are.

    Every prior and likelihood is taken as logit-normal about its value, with the spread of its
    basis, and independent of the rest; the variance of each condition's log-odds follows to first
    order: Var L_c = V_c + sum over d != c of (p_d / (1 - p_c))^2 V_d.

    Shape:  (C,) each, in the order of `knowledge.conditions`; probabilities in (0, 1).
    Source: delta method; spreads are settings of the topic.
    """
    tables = standing.knowledge.tables
    scores = log_scores(standing)
    own = tables.prior_variances + tables.variances.total(standing.sums.rows)
    for _, syndrome, found in linked(standing):
        own = own + syndrome.variances(found)
    rest = _log_rest(scores)
    reach = QUANTILE_90 * np.sqrt(own + _variance_of_others(scores, rest, own))
    odds = scores - rest
    return CredibleRange(_expit(odds - reach), _expit(odds + reach))


def _variance_of_others(scores: Array, rest: Array, own: Array) -> Array:
    """Return the sum over d != c of (p_d / (1 - p_c))^2 V_d, (C,)."""
    top = int(scores.argmax())
    weighed = np.exp(2 * (scores - scores[top])) * own
    against = scores[top] - rest
    against[top] = 0
    found = np.asarray(np.maximum(weighed.sum() - weighed, 0) * np.exp(2 * against))
    shares = np.exp(2 * np.minimum(scores - rest[top], 0))  # nothing may cancel for the largest
    shares[top] = 0
    found[top] = shares @ own
    return found


def _expit(odds: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -odds)))
