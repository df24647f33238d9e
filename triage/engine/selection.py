"""Which feature to ask next: what settles the rules first, then what tells most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .inference import posterior_of
from .knowledge import Knowledge
from .standing import Standing
from .tables import Array
from .verdicts import Verdict
from .vocabulary import Feature, Kind, Option, Rule

TIE = 1e-9
"""Two features within this of each other (nats, or rules settled) are equal: the lower key wins."""


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
    """Return the candidate whose reply is expected to settle most of the open rules, and which
    rules it may settle; None if no candidate bears on any of them.

    Ties go to the candidate that settles the more urgent rules, then to the larger gain, then to
    the lower key.
    """
    knowledge = standing.knowledge
    best: tuple[float, float, float] | None = None
    chosen: Feature | None = None
    verdicts = [(rule, standing.verdicts[rule.key]) for rule in rules]
    for feature in sorted(candidates, key=lambda f: f.key):
        settled = urgent = 0.0
        for rule, verdict in verdicts:
            chance = chance_settled(knowledge, verdict, feature, prospect.chances)
            settled += chance
            urgent += chance * rule.urgency
        if settled <= 0 and not any(bears_on(knowledge, v, feature) for _, v in verdicts):
            continue
        place = knowledge.tables.place.get(feature.key)
        gain = 0.0 if place is None else float(prospect.gains[place])
        merit = (settled, urgent, gain)
        if best is None or _beats(merit, best):
            best, chosen = merit, feature
    if chosen is None:
        return None
    return chosen, tuple(r for r, v in verdicts if bears_on(knowledge, v, chosen))


def _beats(merit: tuple[float, ...], best: tuple[float, ...]) -> bool:
    for mine, theirs in zip(merit, best, strict=True):
        if abs(mine - theirs) > TIE:
            return mine > theirs
    return False


def bears_on(knowledge: Knowledge, verdict: Verdict, feature: Feature) -> bool:
    """Whether a reply to the feature can change the verdict."""
    return _settling(knowledge, verdict, feature) is not None


def chance_settled(
    knowledge: Knowledge, verdict: Verdict, feature: Feature, chances: list[float]
) -> float:
    """Return the chance that the reply to the feature makes the verdict true or false for good."""
    tree = _settling(knowledge, verdict, feature)
    return 0.0 if tree is None else tree.chance(chances, knowledge.settings.slip)


@dataclass(frozen=True, slots=True)
class _Cells:
    """A single choice or a number: the outcomes whose reply settles, with their share of it."""

    shares: tuple[tuple[int, float], ...]

    def chance(self, chances: list[float], rare: float) -> float:
        return sum(chances[outcome] * share for outcome, share in self.shares)


@dataclass(frozen=True, slots=True)
class _Tick:
    """One option of a multiple choice, and what follows if it is ticked or not."""

    outcome: int | None
    exclusive: bool
    ticked: "_Tick | bool"
    unticked: "_Tick | bool"

    def chance(self, chances: list[float], rare: float) -> float:
        """An option without likelihoods is as rare as a slip; an exclusive one is left out."""
        p = 0.0 if self.exclusive else rare if self.outcome is None else chances[self.outcome]
        return p * _chance(self.ticked, chances, rare) + (1 - p) * _chance(
            self.unticked, chances, rare
        )


def _chance(branch: "_Tick | bool", chances: list[float], rare: float) -> float:
    return float(branch) if isinstance(branch, bool) else branch.chance(chances, rare)


def _settling(knowledge: Knowledge, verdict: Verdict, feature: Feature) -> "_Cells | _Tick | None":
    """Return how replies to the feature settle the verdict, remembered with the verdict."""
    if not verdict.branches:
        return None
    first = knowledge.signs.first[feature.key]
    if first not in verdict.settling:
        verdict.settling[first] = (
            _tick_tree(knowledge, verdict, feature, tuple(_ranked(feature)))
            if feature.kind is Kind.MULTI
            else _settling_cells(knowledge, verdict, feature)
        )
    tree = verdict.settling[first]
    return tree if isinstance(tree, _Cells | _Tick) else None


def _ranked(feature: Feature) -> list[tuple[int, Option]]:
    return sorted(enumerate(feature.options), key=lambda pair: (not pair[1].exclusive, pair[0]))


def _tick_tree(
    knowledge: Knowledge,
    verdict: Verdict,
    feature: Feature,
    waiting: tuple[tuple[int, Option], ...],
) -> _Tick | bool:
    if not verdict.branches:
        return True
    if not waiting:
        return False
    (index, option), *rest = waiting
    sign = knowledge.signs.first[feature.key] + index
    ticked, unticked = (knowledge.signs.with_value(verdict, sign, value) for value in (1, 0))
    if ticked is unticked:
        return _tick_tree(knowledge, unticked, feature, tuple(rest))
    return _Tick(
        knowledge.tables.outcome_of.get((feature.key, option.key)),
        option.exclusive,
        _tick_tree(knowledge, ticked, feature, tuple(rest)),
        _tick_tree(knowledge, unticked, feature, tuple(rest)),
    )


def _settling_cells(knowledge: Knowledge, verdict: Verdict, feature: Feature) -> _Cells | None:
    signs, outcome_of = knowledge.signs, knowledge.tables.outcome_of
    first = signs.first[feature.key]
    after = [signs.with_value(verdict, first, v) for v in range(signs.values(feature.key))]
    if all(value is verdict for value in after):
        return None
    shares: dict[int, float] = {}
    for value, settled in enumerate(after[:-1]):
        if settled.branches:
            continue
        for option, share in _shares(knowledge, feature, value):
            outcome = outcome_of.get((feature.key, option.key))
            if outcome is not None:
                shares[outcome] = shares.get(outcome, 0.0) + share
    return _Cells(tuple(sorted(shares.items())))


def _shares(knowledge: Knowledge, feature: Feature, value: int) -> list[tuple[Option, float]]:
    """Return which options a sign's value belongs to, and the share of the option that it is."""
    if feature.kind is not Kind.NUMBER:
        return [(feature.options[value], 1.0)]
    cell = knowledge.signs.cells[feature.key][value]
    shares = []
    for option in feature.options:
        low = feature.low if option.low is None else option.low
        high = feature.high if option.high is None else option.high
        if low is not None and high is not None and low <= cell.start <= high:
            shares.append((option, len(cell) / (high - low + 1)))
    return shares
