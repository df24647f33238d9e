"""The formula of the checker in nothing but Python, and the gain by its definition."""

from collections.abc import Mapping, Sequence
from math import exp, fsum, log, sumprod

import numpy as np

from triage.engine import FeatureKey

from ._packs import Pack

TIE = 1e-9


class Plain:
    """Lists and loops, with what can be worked out beforehand worked out."""

    def __init__(self, pack: Pack, *, temper: float = 1.0) -> None:
        self.pack = pack
        self.features = pack.of_feature
        self.log_priors = [log(prior) for prior in pack.priors]
        self.logs = [
            [[temper * log(p) for p in row] for row in variable.likelihoods]
            for variable in pack.variables
        ]
        self.rows = [[list(row) for row in variable.likelihoods] for variable in pack.variables]
        self.entropies = [
            [-fsum(p * log(p) for p in column) for column in zip(*rows, strict=True)]
            for rows in self.rows
        ]

    def posterior(self, turn: int) -> list[float]:
        scores = self.log_priors
        for place, outcome in self.pack.observed[turn % len(self.pack.observed)].items():
            scores = [a + b for a, b in zip(scores, self.logs[place][outcome], strict=True)]
        peak = max(scores)
        weights = [exp(score - peak) for score in scores]
        total = sum(weights)
        return [weight / total for weight in weights]

    def gains(self, weights: Sequence[float]) -> dict[FeatureKey, float]:
        """Return H(O) - H(O | C) of every feature, nats; summed over a multiple choice's options."""
        gains = []
        for rows, entropies in zip(self.rows, self.entropies, strict=True):
            chances = [sumprod(row, weights) for row in rows]
            gains.append(-sum(p * log(p) for p in chances) - sumprod(entropies, weights))
        return {key: sum(gains[place] for place in own) for key, own in self.features.items()}

    def next_question(self, turn: int) -> FeatureKey:
        return best(self.pack, turn, self.gains(self.posterior(turn)))


def gains_by_definition(pack: Pack, weights: np.ndarray) -> dict[FeatureKey, float]:
    """Return how far each feature is expected to lower the entropy of the posterior, the long way:
    for every outcome the posterior that it would give. One numpy call at a time, as in textbooks.
    """
    now = _entropy(weights)
    gains: dict[FeatureKey, float] = {}
    for variable in pack.variables:
        expected = 0.0
        for row in variable.likelihoods:
            joint = np.asarray(row) * weights
            chance = joint.sum()
            expected += chance * _entropy(joint / chance)
        gains[variable.feature] = gains.get(variable.feature, 0.0) + float(now - expected)
    return gains


def _entropy(weights: np.ndarray) -> float:
    return float(-(weights * np.log(weights)).sum())


def best(pack: Pack, turn: int, gains: Mapping[FeatureKey, float]) -> FeatureKey:
    """Return the feature that tells most of those that may be asked; the lowest key among equals."""
    candidates = pack.open[turn % len(pack.open)] & gains.keys()
    most = max(gains[key] for key in candidates)
    return min(key for key in candidates if gains[key] >= most - TIE)
