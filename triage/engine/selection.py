"""Which feature to ask next: what settles the rules first, then what tells most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .inference import posterior_of
from .knowledge import Knowledge
from .standing import Standing
from .tables import Array
from .vocabulary import Feature, FeatureKey, Rule

TIE = 1e-9
"""Two features within this of each other (nats, or what they settle) are equal."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the next replies may be.

    chances  (E,) P(outcome | evidence), a list for its fast single reads
    gains    (F,) nats, in the order of `tables.asked`
    lead     the largest posterior
    """

    chances: list[float]
    gains: Array
    lead: float


def outlook(standing: Standing) -> Outlook:
    """Return the expected information of every feature about the condition, H(O) - H(O | C).

    The posterior is tempered, the chances of the next reply are not: the gain orders questions and
    claims no more. That of a multiple choice is the sum over its options, an upper bound.

    Source: mutual information by the identity H(O) - sum over c of P(c) H(O | c).
    """
    return outlook_of(standing.knowledge, posterior_of(standing))


def outlook_of(knowledge: Knowledge, weights: Array) -> Outlook:
    """Return the outlook for these weights of the conditions, (C,), which sum to 1."""
    tables = knowledge.tables
    chances = tables.outcomes @ weights
    surprise = chances * np.log(chances)
    gains = -np.add.reduceat(surprise, tables.starts) - tables.conditional_entropy @ weights
    np.maximum(gains, 0, out=gains)
    return Outlook(chances.tolist(), gains, float(weights.max()))


def most_telling(
    knowledge: Knowledge, candidates: Sequence[Feature], prospect: Outlook
) -> tuple[Feature, float] | None:
    """Return the candidate with the largest gain, and the gain; None if none tells anything."""
    place = knowledge.tables.place
    gains = prospect.gains
    ranked = [(float(gains[place[f.key]]), f) for f in candidates if f.key in place]
    if not ranked:
        return None
    best = max(gain for gain, _ in ranked)
    return min(
        ((f, gain) for gain, f in ranked if gain >= best - TIE), key=lambda pair: pair[0].key
    )


def most_settling(
    standing: Standing, rules: Sequence[Rule], candidates: Sequence[Feature], prospect: Outlook
) -> tuple[Feature, tuple[Rule, ...]] | None:
    """Return the candidate whose reply is expected to settle most of what is open, and the rules
    that it bears on; None if no candidate bears on any.

    What a reply settles of a rule is the share of the features on which the rule hangs that it
    need hang on no longer: all of them if the rule becomes true or false. Each rule counts by its
    urgency. Ties go to the candidate with the larger gain, then to the lower key.
    """
    knowledge = standing.knowledge
    worth = {feature.key: 0.0 for feature in candidates}
    bearing: dict[FeatureKey, list[Rule]] = {feature.key: [] for feature in candidates}
    for rule in rules:
        branches = knowledge.settling.of(standing.verdicts[rule.key])
        for key, branch in branches.items():
            if key in worth:
                settled = knowledge.settling.expected(branch, prospect.chances)
                worth[key] += rule.urgency * settled
                bearing[key].append(rule)
    useful = [key for key, found in bearing.items() if found]
    if not useful:
        return None
    most = max(worth[key] for key in useful)
    equal = [knowledge.feature(key) for key in useful if worth[key] >= most - TIE]
    telling = most_telling(knowledge, equal, prospect)
    chosen = telling[0] if telling else min(equal, key=lambda feature: feature.key)
    return chosen, tuple(bearing[chosen.key])
