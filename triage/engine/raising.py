"""Which reply could still raise the urgency by making a condition likely enough."""

from collections.abc import Sequence

import numpy as np

from .arrays import Array
from .inference import reaches
from .risks import highest_posteriors, risks_of
from .selection import TIE, Outlook
from .standing import Standing
from .vocabulary import ConditionKey, Feature, Urgency

LEAST_CHANCE = 0.02
"""A reply that fewer people give is not asked for."""

PART_OF_THE_WAY = 0.5
"""A reply counts if it takes the odds to this share of the risk threshold's: another may follow."""

TINY = 1e-300


def most_raising(
    standing: Standing, prospect: Outlook, reached: Urgency
) -> tuple[Feature, tuple[ConditionKey, ...]] | None:
    """Return the open feature that is likeliest to bring the reply with which some condition above
    the urgency reached comes near its risk threshold, and those conditions; None if no feature
    brings one in at least `LEAST_CHANCE` of people.

    Each posterior is taken as the thresholds take it: the highest with any alarms taken away.
    Ties go to the lowest key.
    """
    knowledge, tables = standing.knowledge, standing.knowledge.tables
    risks = risks_of(knowledge)
    if all(risk.urgency <= reached for risk in risks):
        return None
    highest = highest_posteriors(standing, [risk.members for risk in risks])
    passed = (r.urgency for r, p in zip(risks, highest, strict=True) if reaches(p, r.raise_at))
    reached = max([reached, *passed])
    above = [place for place, risk in enumerate(risks) if risk.urgency > reached]
    if not above:
        return None
    members = [sorted(risks[place].members) for place in above]
    odds = np.array([highest[place] / max(1 - highest[place], TINY) for place in above])
    least = np.array([risks[p].raise_at / max(1 - risks[p].raise_at, TINY) for p in above])
    raised = odds * _factors(prospect, members) >= PART_OF_THE_WAY * least
    chances = np.add.reduceat(prospect.chances * raised.any(axis=1), tables.starts)
    chances[[tables.place[key] for key in standing.not_to_ask if key in tables.place]] = -1
    most = float(chances.max(initial=-1))
    if most < LEAST_CHANCE:
        return None
    chosen = min(tables.asked[place] for place in np.flatnonzero(chances >= most - TIE))
    own = tables.outcomes_at(tables.place[chosen])
    risen = [
        risks[above[number]].conditions
        for number in np.flatnonzero(raised[own.start : own.stop].any(axis=0))
    ]
    conditions = tuple(dict.fromkeys(key for keys in risen for key in keys))
    return knowledge.feature(chosen), conditions


def _factors(prospect: Outlook, members: Sequence[Sequence[int]]) -> Array:
    """Return how much likelier each outcome is in some conditions than in all others.

    Shape: N sets of places of conditions, factors (E, N).
    """
    expected, weights = _expected(prospect), prospect.weights
    shares = np.zeros((len(weights), len(members)))
    own = np.zeros_like(shares)
    for number, places in enumerate(members):
        share = weights[places] + TINY  # so that there is one where the posterior rounds to 0
        shares[places, number] = share / share.sum()
        own[places, number] = weights[places]
    outside = np.maximum((expected @ weights)[:, None] - expected @ own, TINY)
    outside /= np.maximum(1 - own.sum(axis=0), TINY)
    return np.asarray((expected @ shares) / np.maximum(outside, TINY))


def _expected(prospect: Outlook) -> Array:
    """Return P(outcome | condition, evidence), (E, C)."""
    tables = prospect.knowledge.tables
    expected = tables.outcomes[: tables.count]
    if prospect.leanings:
        expected = expected.copy()
    for place, leaning in prospect.leanings.items():
        expected[tables.syndromes[place].at] = leaning.expected
    return expected
