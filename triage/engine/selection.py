"""Which feature to ask next: what settles the rules first, then what tells most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np

from .arrays import Array
from .inference import LAST_BITS, posterior_of
from .knowledge import Knowledge
from .standing import Standing
from .syndromes import Leaning
from .tables import MOST_PAIRED, overlap_of
from .verdicts import TRUE
from .vocabulary import Feature, FeatureKey, Kind, Rule

TIE = 1e-9
"""Two features within this of each other (nats, or what they settle) are equal."""

MOST_JOINT = 12
"""Of a multiple choice with more options than this the joint outcomes are too many to go through."""

MOST_CROSSED = 1_000_000
"""So they are where joint outcomes times conditions are more than this."""


class Outlook:
    """What the next replies may be, worked out as far as it is looked at.

    weights   (C,) P(condition | evidence)
    leanings  what each syndrome leans to of which something is known, by place
    """

    def __init__(
        self, knowledge: Knowledge, weights: Array, leanings: Mapping[int, Leaning]
    ) -> None:
        self.knowledge = knowledge
        self.weights = weights
        self.leanings = leanings

    @cached_property
    def _forecast(self) -> tuple[Array, Array]:
        tables = self.knowledge.tables
        both = tables.forecast @ self.weights
        chances, known = both[: tables.count], both[tables.count :]
        for place, leaning in self.leanings.items():
            syndrome = tables.syndromes[place]
            chances[syndrome.at] = leaning.expected @ self.weights
            np.add.at(known, syndrome.owners, leaning.more_surprise @ self.weights)
        return chances, known

    @property
    def chances(self) -> Array:
        """P(outcome | evidence), (E,)."""
        return self._forecast[0]

    @cached_property
    def gains(self) -> Array:
        """The expected information of every feature, in the order of `tables.asked`; of a multiple
        choice the sum over its options, which `gain_of` puts right. Shape (F,); nats."""
        chances, known = self._forecast
        gains = np.add.reduceat(chances * np.log(chances), self.knowledge.tables.starts)
        gains += known
        np.negative(gains, out=gains)
        np.maximum(gains, 0, out=gains)
        return np.asarray(gains)

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
    return Outlook(standing.knowledge, posterior_of(standing), standing.sums.leanings)


def outlook_of(
    knowledge: Knowledge, weights: Array, leanings: Mapping[int, Leaning] | None = None
) -> Outlook:
    """Return the outlook for these weights of the conditions, (C,), which sum to 1, and what the
    syndromes lean to, as in `Outlook`."""
    return Outlook(knowledge, weights, leanings or {})


def _surprise(chances: Array) -> Array:
    return np.asarray(-chances * np.log(chances))


def gain_of(knowledge: Knowledge, prospect: Outlook, feature: Feature) -> float:
    """Return the expected information of one feature, nats; 0 if it has no likelihoods.

    That of a multiple choice is exact, by its joint outcomes, up to `MOST_JOINT` options; above, it
    is a bound from below. Among very many conditions it is a bound from above: the sum over its
    options, or all that is left to know.

    Source of the bound: Kolchinsky and Tracey, Entropy 2017;19:361, by Bhattacharyya's distance.
    """
    tables = knowledge.tables
    place = tables.place.get(feature.key)
    if place is None:
        return 0.0
    if feature.kind is not Kind.MULTI:
        return _gain_at(prospect, place)
    weights, options = prospect.weights, sum(option.scored for option in feature.options)
    if options <= MOST_JOINT and 2**options * len(weights) <= MOST_CROSSED:
        return _joint_gain(knowledge, prospect, feature)
    if len(weights) <= MOST_PAIRED:
        alike = _overlap(knowledge, prospect, feature) @ weights
        return max(0.0, float(-(weights @ np.log(alike))))
    certain = weights[weights > 0]
    return min(float(prospect.gains[place]), float(_surprise(certain).sum()))


def _gain_at(prospect: Outlook, place: int) -> float:
    """Return the gain of a single choice or a number, without working out those of all others."""
    tables = prospect.knowledge.tables
    if prospect.leanings:
        return float(prospect.gains[place])
    own = tables.outcomes_at(place)
    chances = tables.forecast[own.start : own.stop] @ prospect.weights
    known = tables.forecast[tables.count + place] @ prospect.weights
    return max(0.0, -float(chances @ np.log(chances)) - float(known))


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
    for together in _linked_outcomes(knowledge, prospect, feature):
        joint = _crossed(joint, together)
        known += _surprise(together).sum(axis=0)
    return max(0.0, float(_surprise(joint @ weights).sum() - known @ weights))


def _linked_outcomes(knowledge: Knowledge, prospect: Outlook, feature: Feature) -> list[Array]:
    """Return the chances of the joint outcomes of the options that each syndrome links."""
    return [
        prospect.leanings.get(place, syndrome.unheard).joint(feature)
        for place, syndrome in enumerate(knowledge.tables.syndromes)
        if feature.key in syndrome.features
    ]


def _crossed(one: Array, other: Array) -> Array:
    """Return the chances of every pair of outcomes, (pairs, C)."""
    return (one[:, None] * other[None, :]).reshape(-1, one.shape[1])


def _overlap(knowledge: Knowledge, prospect: Outlook, feature: Feature) -> Array:
    """Return how alike each two conditions are in what they make of a multiple choice, (C, C)."""
    tables = knowledge.tables
    overlap = tables.overlaps.get(feature.key)
    if overlap is None:
        yes = [
            tables.outcomes[tables.outcome_of[feature.key, option.key]]
            for option in feature.options
            if (feature.key, option.key) in tables.term_of
        ]
        overlap = overlap_of(np.array(yes).reshape(-1, len(prospect.weights)))
    for together in _linked_outcomes(knowledge, prospect, feature):
        roots = np.sqrt(together)
        overlap = overlap * (roots.T @ roots)
    return overlap


def worths(knowledge: Knowledge, prospect: Outlook) -> Array:
    """Return how much each feature is expected to sharpen the posterior: information of order 1/2.

    It is the expected fall of 2 log of the sum of the roots of the posterior. Against Shannon's
    information, of order 1, it prefers what brings one condition to the front; that of a multiple
    choice is exact however many options it has. Among very many conditions it is the sum over its
    options, at most all that is left.

    Shape:  (F,), in the order of `tables.asked`; nats. Off by at most `tables.rounding`.
    Source: Arimoto S, Information measures and capacity of order alpha, 1977; the bound on the
            error by the roots is Bhattacharyya's.
    """
    tables = knowledge.tables
    roots = np.sqrt(prospect.weights)
    shared = tables.roots @ roots
    np.square(shared, out=shared)
    for place, leaning in prospect.leanings.items():
        shared[tables.syndromes[place].at] = (leaning.roots @ roots) ** 2
    left = np.log(np.add.reduceat(shared, tables.starts))
    whole = 2 * log(roots.sum())
    for place in tables.several:
        left[place] = _left_of_several(prospect, roots, place, shared[tables.outcomes_at(place)])
    np.subtract(whole, left, out=left)
    return np.asarray(np.maximum(left, 0, out=left))


def _left_of_several(prospect: Outlook, roots: Array, place: int, shared: Array) -> float:
    """Return the log of what is expected to be left after a multiple choice, `shared` for each
    option ticked and not ticked."""
    knowledge = prospect.knowledge
    if len(roots) <= MOST_PAIRED:
        feature = knowledge.feature(knowledge.tables.asked[place])
        return log(roots @ _overlap(knowledge, prospect, feature) @ roots)
    whole = 2 * log(roots.sum())
    options = np.log(shared.reshape(-1, 2).sum(axis=1))
    return max(0.0, whole - float((whole - options).sum()))


def most_telling(standing: Standing, prospect: Outlook) -> tuple[Feature, float] | None:
    """Return the open feature that sharpens most for the effort of a reply, and its gain; None if
    none tells more than the topic's `gain_stop`.

    A feature counts with what one reply to it opens, its likeliest way on, where that is worth more
    for the effort of both: nobody would be asked whether it hurts, where all have pain, and so
    nobody where. Ties go to the lowest key.
    """
    knowledge, tables = standing.knowledge, standing.knowledge.tables
    place, asked = tables.place, tables.asked
    enough = knowledge.settings.gain_stop + LAST_BITS
    worth = worths(knowledge, prospect)
    ways = _ways_on(standing, prospect, worth)
    if tables.has_efforts:
        worth /= tables.efforts
    for index, way in ways.items():
        worth[index] = way.worth
    worth[[place[key] for key in standing.not_to_ask if key in place]] = -1
    while len(worth) and (best := float(worth[worth.argmax()])) >= 0:
        near = (worth >= best - TIE - 2 * tables.rounding).nonzero()[0].tolist()
        plain = not prospect.leanings and ways.keys().isdisjoint(near)
        if len(near) > 1 and tables.rounding and plain:
            near = _best_of(prospect, near)
        first = min([asked[index] for index in near])
        feature = knowledge.feature(first)
        gain = gain_of(knowledge, prospect, feature)
        if place[first] in ways:
            gain += ways[place[first]].gain
        if gain > enough:
            return feature, gain
        worth[_all_gains(prospect, worth, ways) <= enough] = -1
        worth[place[first]] = -1
    return None


def _all_gains(prospect: Outlook, worth: Array, ways: "Mapping[int, _Way]") -> Array:
    """Return what each feature tells, as `gain_of`, and on its way on; not exact of those whose
    worth is below 0."""
    knowledge, tables = prospect.knowledge, prospect.knowledge.tables
    gains = prospect.gains.copy()
    for place in tables.several:
        if worth[place] >= 0:
            gains[place] = gain_of(knowledge, prospect, knowledge.feature(tables.asked[place]))
    for place, way in ways.items():
        gains[place] += way.gain
    return gains


@dataclass(frozen=True, slots=True)
class _Way:
    """What a feature is worth with one that a reply to it opens, for the effort of both; and what
    the second is expected to add to the gain of the first, nats."""

    worth: float
    gain: float


def _ways_on(standing: Standing, prospect: Outlook, worth: Array) -> Mapping[int, _Way]:
    """Return the features, by their places in `tables.asked`, that are worth more with what a reply
    to them opens than alone. `worth` is that of each alone, whatever its effort."""
    knowledge, tables = standing.knowledge, standing.knowledge.tables
    found: dict[int, _Way] = {}
    for (place, row), opened in _opened(standing).items():
        likely = tables.outcomes[row]
        chance = float(likely @ prospect.weights)
        weights = prospect.weights * likely**knowledge.settings.temper
        then = Outlook(knowledge, weights / weights.sum(), prospect.leanings)
        follows = worths(knowledge, then)
        efforts = tables.efforts
        second = min(opened, key=lambda at: (-float(follows[at] / efforts[at]), tables.asked[at]))
        effort = float(efforts[place] + chance * efforts[second])
        both = float(worth[place] + chance * follows[second]) / effort
        alone = found[place].worth if place in found else float(worth[place] / efforts[place])
        if both > alone + TIE:
            gain = gain_of(knowledge, then, knowledge.feature(tables.asked[second]))
            found[place] = _Way(both, chance * gain)
    return found


def _opened(standing: Standing) -> Mapping[tuple[int, int], Sequence[int]]:
    """Return what each reply to an open single choice, by its feature's place in `tables.asked` and
    its outcome, would open: features by their places."""
    knowledge = standing.knowledge
    signs, tables = knowledge.signs, knowledge.tables
    found: dict[tuple[int, int], list[int]] = {}
    for gated, gate in standing.gates.items():
        closed = gated in standing.evidence or gated in standing.skipped
        if closed or not gate.branches or gated not in tables.place:
            continue
        for owner in sorted({signs.owner[sign] for sign in signs.signs_of(gate)}):
            feature = knowledge.features[owner]
            if feature.kind is not Kind.SINGLE or not standing.may_ask(feature.key):
                continue
            for index, option in enumerate(feature.options):
                opens = signs.with_value(gate, signs.first[feature.key], index) is TRUE
                if opens and option.scored:
                    reply = tables.place[feature.key], tables.outcome_of[feature.key, option.key]
                    found.setdefault(reply, []).append(tables.place[gated])
    return found


def _best_of(prospect: Outlook, near: Sequence[int]) -> list[int]:
    """Return which of some features sharpen most, reckoned in double precision."""
    tables = prospect.knowledge.tables
    roots = np.sqrt(prospect.weights)
    exact = []
    for place in near:
        shared = (np.sqrt(tables.outcomes[tables.outcomes_at(place)]) @ roots) ** 2
        several = place in tables.several
        left = _left_of_several(prospect, roots, place, shared) if several else log(shared.sum())
        exact.append(-left / float(tables.efforts[place]))
    return [place for place, worth in zip(near, exact, strict=True) if worth >= max(exact) - TIE]


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
    verdicts, closed = standing.verdicts, frozenset(standing.not_to_ask)
    for rule in rules:
        urgency = int(rule.urgency)
        for key, branch in settling.of(verdicts[rule.key]).items():
            if key not in closed:
                settled = settling.expected(branch, chances)
                worth[key] = worth.get(key, 0.0) + urgency * settled
                bearing.setdefault(key, []).append(rule)
    if not worth:
        return None
    most = max(worth.values())
    equal = [key for key, value in worth.items() if value >= most - TIE]
    chosen = equal[0]
    if len(equal) > 1:
        features = map(standing.knowledge.feature, equal)
        told = {each.key: gain_of(standing.knowledge, prospect, each) for each in features}
        chosen = min(key for key in equal if told[key] >= max(told.values()) - TIE)
    return standing.knowledge.feature(chosen), tuple(bearing[chosen])
