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

    chances  (E,) P(outcome | evidence)
    gains    (F,) nats, in the order of `tables.asked`
    lead     the largest posterior
    """

    chances: Array
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
    gains = np.add.reduceat(chances * np.log(chances), tables.starts)
    gains += tables.conditional_entropy @ weights
    np.negative(gains, out=gains)
    np.maximum(gains, 0, out=gains)
    return Outlook(chances, gains, float(weights.max()))


def most_telling(standing: Standing, prospect: Outlook) -> tuple[Feature, float] | None:
    """Return the open feature with the largest gain, and the gain; None if nothing tells anything.

    Ties go to the lowest key.
    """
    place, asked = standing.knowledge.tables.place, standing.knowledge.tables.asked
    gains = prospect.gains.copy()
    gains[[place[key] for key in standing.not_to_ask if key in place]] = -1
    best = float(gains.max(initial=-1))
    if best < 0:
        return None
    first = min(asked[index] for index in np.flatnonzero(gains >= best - TIE))
    return standing.knowledge.feature(first), float(gains[place[first]])


def most_settling(
    standing: Standing, rules: Sequence[Rule], prospect: Outlook
) -> tuple[Feature, tuple[Rule, ...]] | None:
    """Return the open feature whose reply is expected to settle most of what is open, and the
    rules that it bears on; None if no feature that may be asked bears on any.

    What a reply settles of a rule is the share of the features on which the rule hangs that it
    need hang on no longer: all of them if the rule becomes true or false. Each rule counts by its
    urgency. Ties go to the feature with the larger gain, then to the lower key.
    """
    settling, chances = standing.knowledge.settling, prospect.chances.tolist()
    worth: dict[FeatureKey, float] = {}
    bearing: dict[FeatureKey, list[Rule]] = {}
    for rule in rules:
        for key, branch in settling.of(standing.verdicts[rule.key]).items():
            if standing.may_ask(key):
                settled = settling.expected(branch, chances)
                worth[key] = worth.get(key, 0.0) + rule.urgency * settled
                bearing.setdefault(key, []).append(rule)
    if not worth:
        return None
    most = max(worth.values())
    equal = [key for key, value in worth.items() if value >= most - TIE]
    told = {key: _gain(standing.knowledge, prospect, key) for key in equal}
    chosen = min(key for key in equal if told[key] >= max(told.values()) - TIE)
    return standing.knowledge.feature(chosen), tuple(bearing[chosen])


def _gain(knowledge: Knowledge, prospect: Outlook, feature: FeatureKey) -> float:
    place = knowledge.tables.place.get(feature)
    return 0.0 if place is None else float(prospect.gains[place])
