"""Which feature to ask next: what settles the rules first, then what tells most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .inference import linked, posterior_of
from .knowledge import Knowledge
from .standing import Standing
from .vocabulary import Feature, FeatureKey, Kind, Rule

TIE = 1e-9
"""Two features within this of each other (nats, or what they settle) are equal."""


MOST_JOINT = 12
"""Of a multiple choice with more options than this the joint outcomes are too many to go through."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the next replies may be.

    weights   (C,) P(condition | evidence)
    leanings  for each syndrome of which something is known, by place: (S, C) P(state | condition,
              evidence)
    chances   (E,) P(outcome | evidence)
    gains     (F,) nats, in the order of `tables.asked`; of a multiple choice the sum over its
              options, for which `gain_of` stands in where it counts
    """

    weights: Array
    leanings: Mapping[int, Array]
    chances: Array
    gains: Array

    @property
    def lead(self) -> float:
        """The largest posterior."""
        return float(self.weights.max())


def outlook(standing: Standing) -> Outlook:
    """Return the expected information of every feature about the condition, H(O) - H(O | C).

    The posterior is tempered, the chances of the next reply are not: the gain orders questions and
    claims no more.

    Source: mutual information by the identity H(O) - sum over c of P(c) H(O | c).
    """
    leanings = {place: syndrome.leaning(rows) for place, syndrome, rows in linked(standing)}
    return outlook_of(standing.knowledge, posterior_of(standing), leanings)


def outlook_of(
    knowledge: Knowledge, weights: Array, leanings: Mapping[int, Array] | None = None
) -> Outlook:
    """Return the outlook for these weights of the conditions, (C,), which sum to 1, and what the
    syndromes lean to, as in `Outlook`."""
    tables = knowledge.tables
    chances = tables.outcomes @ weights
    known = tables.conditional_entropy @ weights
    for place, leaning in (leanings or {}).items():
        syndrome = tables.syndromes[place]
        expected = syndrome.expected(leaning)
        chances[syndrome.at] = expected @ weights
        np.add.at(known, syndrome.owners, (_surprise(expected) - syndrome.surprise) @ weights)
    gains = np.add.reduceat(chances * np.log(chances), tables.starts)
    gains += known
    np.negative(gains, out=gains)
    np.maximum(gains, 0, out=gains)
    return Outlook(weights, leanings or {}, chances, gains)


def _surprise(chances: Array) -> Array:
    return np.asarray(-chances * np.log(chances))


def gain_of(knowledge: Knowledge, prospect: Outlook, feature: Feature) -> float:
    """Return the expected information of one feature, nats; 0 if it has no likelihoods.

    That of a multiple choice is exact, by its joint outcomes, up to `MOST_JOINT` options. Above, it
    is the sum over its options or the entropy of the posterior, whichever is less.
    """
    tables = knowledge.tables
    place = tables.place.get(feature.key)
    if place is None:
        return 0.0
    if feature.kind is not Kind.MULTI:
        return float(prospect.gains[place])
    if sum(option.scored for option in feature.options) > MOST_JOINT:
        return min(float(prospect.gains[place]), float(_surprise(prospect.weights).sum()))
    return _joint_gain(knowledge, prospect, feature)


def _joint_gain(knowledge: Knowledge, prospect: Outlook, feature: Feature) -> float:
    tables, weights = knowledge.tables, prospect.weights
    joint = np.ones((1, len(weights)))
    known = np.zeros(len(weights))
    for option in feature.options:
        if (feature.key, option.key) in tables.term_of:
            first = tables.outcome_of[feature.key, option.key]
            both = tables.outcomes[first : first + 2]  # ticked, not ticked
            joint = _crossed(joint, both)
            known += _surprise(both).sum(axis=0)
    for place, syndrome in enumerate(tables.syndromes):
        if feature.key in syndrome.features:
            leaning = prospect.leanings.get(place, syndrome.chances)
            together = syndrome.joint(feature, leaning)
            joint = _crossed(joint, together)
            known += _surprise(together).sum(axis=0)
    return max(0.0, float(_surprise(joint @ weights).sum() - known @ weights))


def _crossed(one: Array, other: Array) -> Array:
    """Return the chances of every pair of outcomes, (pairs, C)."""
    return (one[:, None] * other[None, :]).reshape(-1, one.shape[1])


def most_telling(standing: Standing, prospect: Outlook) -> tuple[Feature, float] | None:
    """Return the open feature that tells most for the effort of a reply, and its gain; None if
    none tells more than the topic's `gain_stop`.

    Ties go to the lowest key.
    """
    knowledge, tables = standing.knowledge, standing.knowledge.tables
    gains = prospect.gains.copy()
    gains[[tables.place[key] for key in standing.not_to_ask if key in tables.place]] = -1
    for place in tables.several:
        if gains[place] >= 0:
            feature = knowledge.feature(tables.asked[place])
            gains[place] = gain_of(knowledge, prospect, feature)
    worth = np.where(gains > knowledge.settings.gain_stop, gains / tables.efforts, -1)
    best = float(worth.max(initial=-1))
    if best < 0:
        return None
    first = min(tables.asked[index] for index in np.flatnonzero(worth >= best - TIE))
    return knowledge.feature(first), float(gains[tables.place[first]])


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
    features = map(standing.knowledge.feature, equal)
    told = {each.key: gain_of(standing.knowledge, prospect, each) for each in features}
    chosen = min(key for key in equal if told[key] >= max(told.values()) - TIE)
    return standing.knowledge.feature(chosen), tuple(bearing[chosen])
