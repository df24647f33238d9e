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
    ConditionKey,
    Disposition,
    Evidence,
    FlagReason,
    Knowledge,
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

GAIN_STOPS = (0.0, 0.01, 0.02, 0.05, 0.10, 0.20)
LEAD_STOPS = (0.60, 0.70, 0.80, 0.90, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Stop:
    """A point at which the interview may end, since only the causes are left to tell apart.

    asked       how many questions it took so far
    lead, gain  the largest posterior, and what the next question tells at the most, nats
    rank        the place of the true condition, from 1
    """

    asked: int
    lead: float
    gain: float
    rank: int


class Walk:
    """One person's whole interview, as if nothing but the questions' running out ended it.

    With thresholds it is the same interview, only shorter: they decide nothing but when to stop.
    """

    def __init__(self, knowledge: Knowledge, endless: Knowledge, case: Case) -> None:
        self.knowledge, self.case = knowledge, case
        self.unknown = frozenset(f.key for f in knowledge.features if f.key not in case.evidence)
        self.why: Counter[str] = Counter()
        self.stops: list[Stop] = []
        (truth,) = case.conditions
        replies = dict(case.evidence)
        said = Evidence()
        while isinstance(step := next_step(endless, said, skipped=self.unknown), Ask):
            match step.why:
                case Tells(gain):
                    self.stops.append(self._stop(said, gain, truth))
                case Settles():
                    self.why["settle a rule"] += 1
                case _:
                    self.why["safety, age"] += 1
            said = said.set(step.feature, replies[step.feature])
        self.said = said
        self.stops.append(self._stop(said, 0.0, truth))
        self.emergency = by_rules(step.disposition) is Urgency.EMERGENCY_NOW
        self.in_scope = step.disposition.in_scope is True

    def _stop(self, said: Evidence, gain: float, truth: ConditionKey) -> Stop:
        weights = posterior(self.knowledge, said)
        keys = [condition.key for condition in self.knowledge.conditions]
        places = {key: (-round(float(p), 12), key) for key, p in zip(keys, weights, strict=True)}
        rank = 1 + sum(place < places[truth] for place in places.values())
        return Stop(len(said), float(weights.max()), gain, rank)

    def stop(self, gain_stop: float, lead_stop: float) -> Stop:
        """Return where the interview ends with these thresholds."""
        return next(
            (stop for stop in self.stops if stop.lead >= lead_stop or stop.gain <= gain_stop),
            self.stops[-1],
        )

    def ends(self, asked: int) -> Disposition:
        """Return the disposition after so many questions."""
        return self._disposition(Evidence(list(self.said)[:asked]))

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
    """Many walks, and the thresholds at which they end."""

    walks: Sequence[Walk]
    gain_stop: float
    lead_stop: float

    def stop(self, walk: Walk) -> Stop:
        return walk.stop(self.gain_stop, self.lead_stop)

    @property
    def asked(self) -> list[int]:
        return [self.stop(walk).asked for walk in self.walks]

    @property
    def hindsight(self) -> list[int]:
        return [walk.hindsight.count for walk in self.walks]

    def only(self, holds: Callable[[Walk], bool]) -> "Crowd":
        return replace(self, walks=[walk for walk in self.walks if holds(walk)])

    def top(self, places: int) -> Share:
        """How often the true condition is among the first so many, where causes are shown."""
        ranks = [self.stop(walk).rank for walk in self.walks if walk.in_scope]
        return Share(sum(rank <= places for rank in ranks), len(ranks))

    @property
    def lower(self) -> Share:
        """How often the urgency is lower than with all replies."""
        low = [w.ends(self.stop(w).asked).urgency < w.whole.urgency for w in self.walks]
        return Share(sum(low), len(low))

    @property
    def below_a_rule(self) -> Share:
        """How often it is lower than what the rules alone reach with all replies."""
        low = [by_rules(w.ends(self.stop(w).asked)) < by_rules(w.whole) for w in self.walks]
        return Share(sum(low), len(low))


def walk_all(knowledge: Knowledge, people: int, seed: int, declines: float) -> Crowd:
    endless = with_stops(knowledge, gain_stop=0.0, lead_stop=1.0)
    cases = simulated(knowledge, np.random.default_rng(seed), people, declines=declines)
    walks = [Walk(knowledge, endless, case) for case in cases]
    return Crowd(walks, knowledge.settings.gain_stop, knowledge.settings.lead_stop)


def with_stops(knowledge: Knowledge, *, gain_stop: float, lead_stop: float) -> Knowledge:
    return Knowledge(
        conditions=knowledge.conditions,
        features=knowledge.features,
        rules=knowledge.rules,
        likelihoods=knowledge.likelihoods,
        groups=knowledge.groups,
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
    causes = [crowd.stop(walk).asked - walk.why.total() for walk in walks]
    rows = {**by_rules, "tell the causes apart": causes}
    return Table(
        "What they are asked for, where no emergency ends the interview",
        ("", "mean", "most"),
        tuple((name, f"{fmean(counts):.1f}", str(max(counts))) for name, counts in rows.items()),
    )


def curve(crowd: Crowd) -> Table:
    """Length against accuracy by the thresholds of stopping."""
    others = crowd.only(lambda walk: not walk.emergency)
    rows = []
    for gain_stop in GAIN_STOPS:
        for lead_stop in LEAD_STOPS:
            part = replace(others, gain_stop=gain_stop, lead_stop=lead_stop)
            now = (gain_stop, lead_stop) == (crowd.gain_stop, crowd.lead_stop)
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
        print(
            f"{topic}: {given.people} people drawn from seed {given.seed}, {given.declines:.0%} of"
            f" replies declined; it stops at a gain of {crowd.gain_stop:g} nats or less, or at a"
            f" leading posterior of {crowd.lead_stop:g}."
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
