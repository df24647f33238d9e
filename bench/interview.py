"""How many questions it takes, on simulated people, and what stopping earlier or later would cost.

Simulated people test consistency, never accuracy in life: their replies are drawn from our own
tables, as if independent given the condition.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean, median

import numpy as np

from triage.engine import (
    Ask,
    Disposition,
    Evidence,
    FlagReason,
    Knowledge,
    MayRaise,
    Settles,
    Tells,
    Urgency,
    disposition,
    next_step,
    posterior,
)
from triage.evaluation.cases import Case
from triage.evaluation.intervals import Share, quantile
from triage.evaluation.simulation import simulated
from triage.evaluation.tables import Table

from ._bars import Bar, print_bars
from ._hindsight import Fewest, fewest_replies
from ._topics import shipped_topics

GAIN_STOPS = (0.01, 0.02, 0.05, 0.10, 0.20)
LEAD_STOPS = (0.70, 0.80, 0.85, 0.90, 0.95)


@dataclass(frozen=True, slots=True)
class End:
    """Where an interview ended: all that was replied, and the place of the true condition, from 1."""

    said: Evidence
    rank: int

    @property
    def asked(self) -> int:
        return len(self.said)


class Walk:
    """One person's interview up to where only the causes are left to tell apart, and from there on
    to where each choice of thresholds ends it: they decide nothing before."""

    def __init__(self, knowledge: Knowledge, case: Case) -> None:
        self.knowledge, self.case = knowledge, case
        self.unknown = frozenset(f.key for f in knowledge.features if f.key not in case.evidence)
        self.replies = dict(case.evidence)
        self.why: Counter[str] = Counter()
        self._ends: dict[tuple[float, float], End] = {}
        said = Evidence()
        while isinstance(step := next_step(knowledge, said, skipped=self.unknown), Ask):
            if isinstance(step.why, Tells | MayRaise):
                break
            self.why["settle a rule" if isinstance(step.why, Settles) else "safety, age"] += 1
            said = said.set(step.feature, self.replies[step.feature])
        self.before_causes = said
        self.emergency = by_rules(self._disposition(said)) is Urgency.EMERGENCY_NOW
        self.in_scope = self._disposition(said).in_scope is True

    def end(self, knowledge: Knowledge) -> End:
        """Return where it ends with the thresholds of this knowledge."""
        stops = (knowledge.settings.gain_stop, knowledge.settings.lead_stop)
        if stops not in self._ends:
            said = self.before_causes
            while isinstance(step := next_step(knowledge, said, skipped=self.unknown), Ask):
                said = said.set(step.feature, self.replies[step.feature])
            self._ends[stops] = End(said, self._rank(said))
        return self._ends[stops]

    def _rank(self, said: Evidence) -> int:
        (truth,) = self.case.conditions
        weights = posterior(self.knowledge, said)
        keys = [condition.key for condition in self.knowledge.conditions]
        places = {key: (-round(float(p), 12), key) for key, p in zip(keys, weights, strict=True)}
        return 1 + sum(place < places[truth] for place in places.values())

    def disposition(self, end: End) -> Disposition:
        return self._disposition(end.said)

    @cached_property
    def whole(self) -> Disposition:
        """The disposition with all replies at once."""
        return self._disposition(self.case.evidence)

    def _disposition(self, said: Evidence) -> Disposition:
        return disposition(self.knowledge, said, skipped=self.unknown)

    @cached_property
    def hindsight(self) -> Fewest:
        return fewest_replies(self.knowledge, self.case.evidence)


def by_rules(reached: Disposition) -> Urgency:
    """Return the urgency that the rules alone set."""
    rules = [reason.urgency for reason in reached.reasons if isinstance(reason, FlagReason)]
    return max(rules, default=Urgency.SELF_CARE)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many walks, and the knowledge with whose thresholds they end."""

    walks: Sequence[Walk]
    knowledge: Knowledge

    def end(self, walk: Walk) -> End:
        return walk.end(self.knowledge)

    @property
    def asked(self) -> list[int]:
        return [self.end(walk).asked for walk in self.walks]

    @property
    def hindsight(self) -> list[int]:
        return [walk.hindsight.count for walk in self.walks]

    def only(self, holds: Callable[[Walk], bool]) -> "Crowd":
        return replace(self, walks=[walk for walk in self.walks if holds(walk)])

    def top(self, places: int) -> Share:
        """How often the true condition is among the first so many, where causes are shown."""
        ranks = [self.end(walk).rank for walk in self.walks if walk.in_scope]
        return Share(sum(rank <= places for rank in ranks), len(ranks))

    @property
    def lower(self) -> Share:
        """How often the urgency is lower than with all replies."""
        low = [w.disposition(self.end(w)).urgency < w.whole.urgency for w in self.walks]
        return Share(sum(low), len(low))

    @property
    def below_a_rule(self) -> Share:
        """How often it is lower than what the rules alone reach with all replies."""
        low = [by_rules(w.disposition(self.end(w))) < by_rules(w.whole) for w in self.walks]
        return Share(sum(low), len(low))


def walk_all(knowledge: Knowledge, people: int, seed: int, declines: float) -> Crowd:
    cases = simulated(knowledge, np.random.default_rng(seed), people, declines=declines)
    return Crowd([Walk(knowledge, case) for case in cases], knowledge)


def with_stops(knowledge: Knowledge, *, gain_stop: float, lead_stop: float) -> Knowledge:
    return Knowledge(
        conditions=knowledge.conditions,
        features=knowledge.features,
        rules=knowledge.rules,
        likelihoods=knowledge.likelihoods,
        groups=knowledge.groups,
        syndromes=knowledge.syndromes,
        settings=replace(knowledge.settings, gain_stop=gain_stop, lead_stop=lead_stop),
    )


def lengths(crowd: Crowd) -> Table:
    """The number of questions, beside the hindsight minimum."""
    parts = {
        "everybody": crowd,
        "ended by an emergency": crowd.only(lambda walk: walk.emergency),
        "all others": crowd.only(lambda walk: not walk.emergency),
    }
    return Table(
        "Questions asked, 95 % intervals in brackets",
        ("", "people", "median", "95th percentile", "mean", "with hindsight, median", "mean"),
        tuple(
            (
                name,
                str(len(part.walks)),
                str(quantile(part.asked, 0.5)),
                str(quantile(part.asked, 0.95)),
                f"{fmean(part.asked):.1f}",
                str(quantile(part.hindsight, 0.5)),
                f"{fmean(part.hindsight):.1f}",
            )
            for name, part in parts.items()
            if part.walks
        ),
    )


def purposes(crowd: Crowd) -> Table:
    """What the questions are asked for, where no emergency ends the interview."""
    walks = crowd.only(lambda walk: not walk.emergency).walks
    by_rules = {
        name: [walk.why[name] for walk in walks] for name in ("safety, age", "settle a rule")
    }
    causes = [crowd.end(walk).asked - walk.why.total() for walk in walks]
    rows = {**by_rules, "tell the causes apart, raise the urgency": causes}
    return Table(
        "What they are asked for, where no emergency ends the interview",
        ("", "mean", "most"),
        tuple((name, f"{fmean(counts):.1f}", str(max(counts))) for name, counts in rows.items()),
    )


def curve(crowd: Crowd) -> Table:
    """Length against accuracy by the thresholds of stopping."""
    others = crowd.only(lambda walk: not walk.emergency)
    settings = crowd.knowledge.settings
    rows = []
    for gain_stop in GAIN_STOPS:
        for lead_stop in LEAD_STOPS:
            stops = with_stops(crowd.knowledge, gain_stop=gain_stop, lead_stop=lead_stop)
            part = replace(others, knowledge=stops)
            now = (gain_stop, lead_stop) == (settings.gain_stop, settings.lead_stop)
            rows.append(
                (
                    f"{gain_stop:g}",
                    f"{lead_stop:g}",
                    f"{median(part.asked):g}",
                    f"{quantile(part.asked, 0.95).value:g}",
                    f"{fmean(part.asked):.1f}",
                    f"{100 * part.top(1).value:.1f}",
                    f"{100 * part.top(3).value:.1f}",
                    f"{100 * part.lower.value:.2f}",
                    "as shipped" if now else "",
                )
            )
    head = ("least gain", "settling lead", "median", "95th", "mean", "top 1", "top 3", "lower", "")
    return Table(
        "Length against accuracy, where no emergency ends the interview: questions, and per cent"
        " of people whose condition comes first, among the first 3, and whose urgency is lower"
        " than with all replies",
        head,
        tuple(rows),
    )


def bars(crowd: Crowd) -> list[Bar]:
    alarmed = crowd.only(lambda walk: by_rules(walk.whole) is Urgency.EMERGENCY_NOW)
    others = crowd.only(lambda walk: not walk.emergency)
    length = median(others.asked)
    found = []
    if alarmed.walks:
        ended = Share(sum(walk.emergency for walk in alarmed.walks), len(alarmed.walks))
        found = [
            Bar("share of emergencies that end as one", ended.value, "at least", 1, str(ended)),
            Bar("questions to an emergency, median", median(alarmed.asked), "at most", 10),
        ]
    return [
        *found,
        Bar("questions otherwise, median", length, "at most", 22),
        Bar("the same, stretch", length, "at most", 19),
        Bar("urgency lower, share", crowd.lower.value, "at most", 0.01, str(crowd.lower)),
        Bar(
            "urgency below a rule's, share",
            crowd.below_a_rule.value,
            "at most",
            0,
            str(crowd.below_a_rule),
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench interview", description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--declines", type=float, default=0.0, help="share of replies declined")
    given = parser.parse_args()
    print(f"# The length of an interview\n\n{__doc__}")
    for topic, knowledge in shipped_topics().items():
        crowd = walk_all(knowledge, given.people, given.seed, given.declines)
        settings = knowledge.settings
        print(
            f"{topic}: {given.people} people drawn from seed {given.seed}, {given.declines:.0%} of"
            f" replies declined; it stops at a gain of {settings.gain_stop:g} nats or less, or at a"
            f" leading posterior of {settings.lead_stop:g}, if no one reply could still raise the"
            " urgency."
        )
        for table in (lengths(crowd), purposes(crowd), curve(crowd)):
            print(f"\n{table.markdown()}")
        unproven = sum(w.hindsight.at_least < w.hindsight.count for w in crowd.walks)
        print(
            f"\nWith hindsight: the fewest replies that prove, whatever the others are, that the"
            f" rules reach the urgency they do and no higher one. Exact but for {unproven} of"
            f" {len(crowd.walks)} people, whose figure may be too high."
        )
        print_bars(f"{topic}: bars", bars(crowd))


if __name__ == "__main__":
    main()
