"""What each question tells, before anybody has answered: the expected weight of its evidence."""

from collections.abc import Sequence

import numpy as np

from .arrays import Array
from .knowledge import Knowledge
from .vocabulary import ConditionKey, Feature, Kind


def expected_weights(chances: Array, priors: Array, *, several: bool = False) -> Array:
    """Return how much the reply to one feature is expected to speak for each condition against
    the others, in somebody who has that condition.

    That is the mean of log P(option | condition) / P(option | any other), the others mixed by
    their priors, over the options as often as that condition gives them: the Kullback-Leibler
    divergence of the first from the second. Of a multiple choice (`several`) every option is a
    yes or no of its own, and the sum over them is returned, as if they were independent.

    Shape:  chances (K, C), P(option | condition) in (0, 1), priors (C,); returns (C,).
    Units:  nats, 0 or more: 0 tells nothing, log(10) = 2.3 makes the condition ten times as likely
            against the rest. Neither tempered nor with slips: what the stated numbers say.
    Errors: none; of a single condition, which has no others, 0.
    Source: Good IJ, Probability and the Weighing of Evidence, 1950, chapter 6; Kullback S, Leibler
            RA, Ann Math Stat 1951;22:79-86.
    """
    if len(priors) < 2:
        return np.zeros(len(priors))
    others = (chances @ priors)[:, None] - chances * priors
    others = others / (priors.sum() - priors)
    weights = chances * np.log(chances / others)
    if several:
        weights += (1 - chances) * np.log((1 - chances) / (1 - others))
    # Rounding alone may bring the divergence of two equal rows below 0.
    return np.asarray(np.maximum(weights.sum(axis=0), 0.0))


def discrimination(knowledge: Knowledge) -> Array:
    """Return the expected weight of every feature for every condition.

    Shape:  (F, C), in the order of `knowledge.features` and `knowledge.conditions`; 0 throughout
            where a feature has no likelihoods and only rules read it.
    Units:  nats, as in `expected_weights`.
    """
    priors = np.array([condition.prior for condition in knowledge.conditions])
    keys = [condition.key for condition in knowledge.conditions]
    return np.array([_weights(feature, knowledge, keys, priors) for feature in knowledge.features])


def mistakes(alike: Array) -> tuple[Array, Array]:
    """Return the least and the most that is told wrongly between two conditions as alike as this,
    by whoever makes the best of every reply, were both equally frequent.

    Shape:  alike of any shape, as `portrait.likeness` has it, in (0, 1]; both results like it.
    Units:  the probability to be wrong, 0 to 0.5; 0.5 is tossing a coin.
    Source: Kailath T, IEEE Trans Commun Technol 1967;15:52-60: (1 - sqrt(1 - B^2)) / 2 to B / 2.
    """
    alike = np.minimum(alike, 1.0)
    return (1 - np.sqrt(1 - alike**2)) / 2, alike / 2


def telling_apart(knowledge: Knowledge, one: int, other: int) -> Array:
    """Return how much each feature is expected to tell between two conditions, were both equally
    frequent: the mean of what it tells whoever has the one and whoever has the other.

    Shape:  (F,), in the order of `knowledge.features`, for two places in `knowledge.conditions`.
    Units:  nats, as in `expected_weights`.
    """
    pair = [knowledge.conditions[one].key, knowledge.conditions[other].key]
    weights = (_weights(f, knowledge, pair, np.array([0.5, 0.5])) for f in knowledge.features)
    return np.array([weight.mean() for weight in weights])


def _weights(
    feature: Feature, knowledge: Knowledge, conditions: Sequence[ConditionKey], priors: Array
) -> Array:
    chances = [
        [knowledge.likelihoods[key, feature.key, option.key].probability for key in conditions]
        for option in feature.options
        if option.scored
    ]
    if not chances:
        return np.zeros(len(priors))
    return expected_weights(np.array(chances), priors, several=feature.kind is Kind.MULTI)
