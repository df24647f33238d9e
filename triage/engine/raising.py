"""Which reply could still raise the urgency by making a condition likely enough."""

from collections.abc import Sequence

import numpy as np

from .arrays import Array
from .disposition import highest_posteriors, risks_of
from .inference import reaches
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
    closed = set(standing.not_to_ask)
    best: list[tuple[float, Feature, tuple[ConditionKey, ...]]] = []
    for place, key in enumerate(tables.asked):
        if key in closed:
            continue
        rows = tables.outcomes_at(place)
        raised = odds * _factors(prospect, rows, members) >= PART_OF_THE_WAY * least
        chance = float(prospect.chances[rows.start : rows.stop][raised.any(axis=1)].sum())
        if chance >= LEAST_CHANCE:
            risen = [risks[above[n]].conditions for n in np.flatnonzero(raised.any(axis=0))]
            conditions = tuple(dict.fromkeys(key for keys in risen for key in keys))
            best.append((chance, knowledge.feature(key), conditions))
    if not best:
        return None
    most = max(chance for chance, _, _ in best)
    _, feature, conditions = min(
        (one for one in best if one[0] >= most - TIE), key=lambda one: one[1].key
    )
    return feature, conditions


def _factors(prospect: Outlook, rows: range, members: Sequence[Sequence[int]]) -> Array:
    """Return how much likelier each outcome is in some conditions than in all others.

    Shape: rows (R,) of the tables' outcomes, N sets of places of conditions, factors (R, N).
    """
    expected, weights = _expected(prospect, rows), prospect.weights
    joint = expected * weights
    factors = []
    for places in members:
        share = weights[places] + TINY  # so that there is one where the posterior rounds to 0
        inside = expected[:, places] @ (share / share.sum())
        rest = joint.sum(axis=1) - joint[:, places].sum(axis=1)
        outside = rest / max(1 - float(weights[places].sum()), TINY)
        factors.append(inside / np.maximum(outside, TINY))
    return np.array(factors).T


def _expected(prospect: Outlook, rows: range) -> Array:
    """Return P(outcome | condition, evidence), (R, C)."""
    tables = prospect.knowledge.tables
    expected = np.array(tables.outcomes[rows])
    for place, leaning in prospect.leanings.items():
        syndrome = tables.syndromes[place]
        own = np.isin(syndrome.at, rows)
        if own.any():
            expected[np.searchsorted(rows, syndrome.at[own])] = syndrome.expected(leaning)[own]
    return expected
