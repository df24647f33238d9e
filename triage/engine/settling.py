"""How much of a rule a reply to one feature would settle, for every way it may come out."""

from collections.abc import Sequence
from dataclasses import dataclass

from .tables import Tables
from .verdicts import Signs, Verdict
from .vocabulary import Feature, FeatureKey, Kind, Option


@dataclass(frozen=True, slots=True)
class Choice:
    """A single choice or a number: what each outcome settles, times its part of the outcome."""

    settled: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """One option of a multiple choice, and what is settled if it is ticked or not.

    An option without likelihoods has no outcome, and is taken to be as rare as a slip.
    """

    outcome: int | None
    ticked: "Branch"
    unticked: "Branch"


type Branch = Choice | Tick | float


class Settling:
    """What replies settle of each verdict. Worked out once for each verdict that is met."""

    def __init__(
        self, features: Sequence[Feature], signs: Signs, tables: Tables, slip: float
    ) -> None:
        self._features = features
        self._signs = signs
        self._outcome_of = tables.outcome_of
        self._slip = slip
        self._known: dict[int, dict[FeatureKey, Branch]] = {}  # verdicts live as long as the signs

    def of(self, verdict: Verdict) -> dict[FeatureKey, Branch]:
        """Return, for each feature on which the verdict hangs, what a reply to it would settle.

        Settled is the share of the features on which the verdict hangs that it need hang on no
        longer: 1 if it becomes true or false.
        """
        known = self._known.get(id(verdict))
        if known is None:
            hung = sorted({self._signs.owner[sign] for sign in self._signs.signs_of(verdict)})
            known = {f.key: self._branch(verdict, f) for f in (self._features[i] for i in hung)}
            self._known[id(verdict)] = known
        return known

    def expected(self, branch: Branch, chances: list[float]) -> float:
        """Return the expected share settled, for the chances of every outcome, in [0, 1]."""
        if isinstance(branch, float):  # asked in this order, as it is asked very often
            return branch
        if isinstance(branch, Choice):
            return sum([chances[outcome] * share for outcome, share in branch.settled])
        p = self._slip if branch.outcome is None else chances[branch.outcome]
        ticked, unticked = branch.ticked, branch.unticked
        return p * self.expected(ticked, chances) + (1 - p) * self.expected(unticked, chances)

    def _branch(self, verdict: Verdict, feature: Feature) -> Branch:
        if feature.kind is Kind.MULTI:
            tickable = [pair for pair in enumerate(feature.options) if not pair[1].exclusive]
            return self._ticks(verdict, verdict, feature, tickable)
        return self._choices(verdict, feature)

    def _share(self, before: Verdict, after: Verdict) -> float:
        return 1 - self._signs.breadth(after) / self._signs.breadth(before)

    def _ticks(
        self,
        before: Verdict,
        verdict: Verdict,
        feature: Feature,
        waiting: Sequence[tuple[int, Option]],
    ) -> Branch:
        if not verdict.branches or not waiting:
            return self._share(before, verdict)
        (index, option), *rest = waiting
        sign = self._signs.first[feature.key] + index
        ticked, unticked = (self._signs.with_value(verdict, sign, value) for value in (1, 0))
        if ticked is unticked:
            return self._ticks(before, unticked, feature, rest)
        return Tick(
            self._outcome_of.get((feature.key, option.key)),
            self._ticks(before, ticked, feature, rest),
            self._ticks(before, unticked, feature, rest),
        )

    def _choices(self, verdict: Verdict, feature: Feature) -> Choice:
        first = self._signs.first[feature.key]
        settled: dict[int, float] = {}
        for value in range(self._signs.values(feature.key) - 1):
            share = self._share(verdict, self._signs.with_value(verdict, first, value))
            for option, part in self._parts(feature, value):
                outcome = self._outcome_of.get((feature.key, option.key))
                if outcome is not None and share:
                    settled[outcome] = settled.get(outcome, 0.0) + part * share
        return Choice(tuple(settled.items()))

    def _parts(self, feature: Feature, value: int) -> list[tuple[Option, float]]:
        """Return the option to which a sign's value belongs, and the part of it that it makes."""
        if feature.kind is not Kind.NUMBER:
            return [(feature.options[value], 1.0)]
        cell = self._signs.cells[feature.key][value]
        parts = []
        for option in feature.options:
            low = feature.low if option.low is None else option.low
            high = feature.high if option.high is None else option.high
            if low is not None and high is not None and low <= cell.start <= high:
                parts.append((option, len(cell) / (high - low + 1)))
        return parts
