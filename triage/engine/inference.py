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


def reaches(number: float, bar: float) -> bool:
    """Whether a number is at the bar or above it, on every machine alike."""
    return number >= bar - LAST_BITS


def log_scores(standing: Standing) -> Array:
    """Return log P(condition) plus the tempered log-likelihood of all replies that are read.

    Shape:  (C,), in the order of `knowledge.conditions`; nats, not normalised.
    """
    tables = standing.knowledge.tables
    rows = [row for feature, reply in standing.read for row in tables.terms_of(feature, reply)]
    scores = tables.log_priors + tables.terms[rows].sum(axis=0)
    for _, syndrome, found in linked(standing):
        scores = scores + syndrome.terms(syndrome.logs[found].sum(axis=0))
    return np.asarray(scores)


def linked(standing: Standing) -> list[tuple[int, CompiledSyndrome, list[int]]]:
    """Return each syndrome of which something is known, by place, and the rows that were found."""
    tables = standing.knowledge.tables
    found: dict[int, list[int]] = {}
    if tables.syndromes:
        for feature, reply in standing.read:
            for place, rows in tables.linked_rows(feature, reply):
                found.setdefault(place, []).extend(rows)
    return [(place, tables.syndromes[place], rows) for place, rows in sorted(found.items())]


def normalised(scores: Array) -> Array:
    """Return the probabilities whose logs are `scores` up to a constant; last axis sums to 1."""
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
    """Return the log of what all the other conditions weigh together, for each condition."""
    itself = np.eye(scores.shape[-1], dtype=bool)
    others = np.where(itself, -np.inf, scores[..., None, :])
    peak = others.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(others - peak).sum(axis=-1)) + peak[..., 0])


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
    rows = [row for feature, reply in standing.read for row in tables.terms_of(feature, reply)]
    scores = log_scores(standing)
    own = tables.prior_variances + tables.variances[rows].sum(axis=0)
    for _, syndrome, found in linked(standing):
        own = own + syndrome.variances(found)
    odds = log_odds(scores)
    shares = np.minimum(scores[None, :] - _log_rest(scores)[:, None], 0)  # log p_d / (1 - p_c)
    shares = np.exp(2 * shares)
    np.fill_diagonal(shares, 1)
    reach = QUANTILE_90 * np.sqrt(shares @ own)
    return CredibleRange(_expit(odds - reach), _expit(odds + reach))


def _expit(odds: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -odds)))
