"""The engine as every answer calls it, to be timed against others."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from triage.engine import Evidence, FeatureKey, Reply, changes_of, next_step, posterior
from triage.engine.explanation import weights_of_evidence
from triage.engine.inference import posterior_of
from triage.engine.selection import most_telling, outlook, outlook_of
from triage.engine.standing import Standing

from ._clock import Call, alternating
from ._packs import Pack
from ._plain import best


class Ours:
    """Evidence in, posterior or next question out, nothing cut out of it."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.knowledge = pack.knowledge

    @cached_property
    def _before(self) -> list[tuple[Standing, FeatureKey, Reply]]:
        """Where everybody stands before their last reply, and that reply."""
        before = []
        for said in self.pack.replies:
            *_, (key, reply) = said
            standing = Standing(self.knowledge, said.without(key))
            posterior_of(standing)
            before.append((standing, key, reply))
        return before

    def evidence(self, turn: int) -> Evidence:
        return self.pack.replies[turn % len(self.pack.replies)]

    def posterior(self, turn: int) -> np.ndarray:
        return posterior(self.knowledge, self.evidence(turn))

    def update(self, turn: int) -> np.ndarray:
        """The posterior after one more reply, where the one before it is known."""
        standing, key, reply = self._before[turn % len(self._before)]
        return posterior_of(standing.after(key, reply))

    def next_question(self, turn: int) -> FeatureKey:
        """The feature that tells most: posterior, gain of all features, and the choice."""
        standing = Standing(self.knowledge, self.evidence(turn))
        found = most_telling(standing, outlook(standing))
        assert found is not None  # in these packs something is always open
        return found[0].key

    def most_informative(self, turn: int) -> FeatureKey:
        """The feature with the largest gain, by which the others choose."""
        evidence = self.evidence(turn)
        return best(self.pack, turn, self.gains(posterior(self.knowledge, evidence)))

    def step(self, turn: int) -> object:
        """What the web calls: rules and the order of questions included."""
        return next_step(self.knowledge, self.evidence(turn))

    def explanation(self, turn: int) -> object:
        """What each finding adds to each condition."""
        return weights_of_evidence(Standing(self.knowledge, self.evidence(turn)))

    def changes(self, turn: int) -> object:
        """What would raise the urgency, and what would lower it."""
        return changes_of(self.knowledge, self.evidence(turn))

    def whole(self, turn: int) -> object:
        """All of an answer: posterior, rules, next question, explanation."""
        return self.step(turn), self.explanation(turn)

    def gains(self, weights: np.ndarray) -> dict[FeatureKey, float]:
        gains = outlook_of(self.knowledge, weights).gains
        return dict(zip(self.knowledge.tables.asked, map(float, gains), strict=True))


@dataclass(frozen=True, slots=True)
class Effort:
    """How many rounds, and how many calls in each of what is fast and of what is slow."""

    rounds: int
    calls: int
    slow_calls: int

    def of(self, seconds: float) -> int:
        return self.slow_calls if seconds > 1e-3 else self.calls


def versus(ours: Call, theirs: Call, effort: Effort) -> tuple[float, float, float]:
    """Return theirs / ours, and the seconds of theirs and of ours."""
    guess = alternating({"theirs": theirs}, rounds=1, each=3).seconds("theirs")
    timings = alternating(
        {"ours": ours, "theirs": theirs}, rounds=effort.rounds, each=effort.of(guess)
    )
    return (
        timings.ratio("theirs", "ours"),
        timings.seconds("theirs"),
        timings.seconds("ours"),
    )


def worst(ours: Sequence[np.ndarray], theirs: Sequence[Sequence[float] | np.ndarray]) -> float:
    pairs = zip(ours, theirs, strict=True)
    return max(float(np.abs(one - np.asarray(other)).max()) for one, other in pairs)


def furthest(ours: dict[FeatureKey, float], theirs: dict[FeatureKey, float]) -> float:
    return max(abs(ours[key] - gain) for key, gain in theirs.items())
