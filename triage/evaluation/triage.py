"""Under- and over-triage of simulated people, and what other thresholds and rules would change.

N people, R rules, K things that can be likely enough to raise the urgency: each condition, then
each risk group.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from triage.engine import (
    Condition,
    ConditionKey,
    Disposition,
    FeatureKey,
    FlagReason,
    Knowledge,
    Number,
    RiskGroup,
    RiskReason,
    RuleKey,
    RuleKind,
    Urgency,
)

from .cases import Case
from .intervals import Share
from .interviews import interviewed, with_all_answers

type Flags = npt.NDArray[np.bool_]
type Levels = npt.NDArray[np.int64]
type Chances = npt.NDArray[np.float64]

AGE = FeatureKey("age")
FAR = 2
"""Levels too low that are never safe.

Source: Gilbert S et al., BMJ Open 2020;10:e040269, call safe what is at most one level too low.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """An operating point: all risk thresholds, or that of the condition `alone`, times `scale`
    (None: none is ever passed); and the rules left out."""

    scale: float | None = 1.0
    without: frozenset[RuleKey] = frozenset()
    alone: ConditionKey | None = None


SHIPPED = Setting()


@dataclass(frozen=True, slots=True)
class Levelled:
    """What came of everybody, before any threshold.

    fired  (N, R)  whether each rule holds
    risks  (N, K)  the highest posterior that each reaches; 0 for somebody out of scope
    """

    fired: Flags
    risks: Chances


@dataclass(frozen=True, slots=True)
class People:
    """Simulated people, each run once by interview and once with all answers.

    The interview is that of the thresholds and rules as they are, by which it chooses what to ask
    and when to stop. What others would come to can only be told with all answers.

    truths  (N,)  the place of the true condition
    ages    (N,)  years, -1 where the topic does not ask
    """

    knowledge: Knowledge
    truths: Levels
    ages: Levels
    asked: Levelled
    whole: Levelled

    @classmethod
    def of(cls, knowledge: Knowledge, cases: Sequence[Case]) -> Self:
        """Run cases of which each expects one condition."""
        bare = _without_thresholds(knowledge)
        places = {condition.key: place for place, condition in enumerate(knowledge.conditions)}
        truths, ages = [], []
        ends: list[tuple[Disposition, Disposition]] = []
        for case in cases:
            [truth] = case.conditions
            truths.append(places[truth])
            age = case.evidence.get(AGE)
            ages.append(age.value if isinstance(age, Number) else -1)
            said, end = interviewed(knowledge, case.evidence)
            asked = with_all_answers(bare, said) if end.in_scope else end
            ends.append((asked, with_all_answers(bare, case.evidence)))
        return cls(
            knowledge,
            np.array(truths, dtype=np.int64),
            np.array(ages, dtype=np.int64),
            _levelled(knowledge, [asked for asked, _ in ends]),
            _levelled(knowledge, [whole for _, whole in ends]),
        )

    def only(self, chosen: Flags) -> "People":
        """Return the people for whom `chosen`, (N,), holds."""
        asked, whole = (
            Levelled(part.fired[chosen], part.risks[chosen]) for part in (self.asked, self.whole)
        )
        return People(self.knowledge, self.truths[chosen], self.ages[chosen], asked, whole)

    def and_also(self, others: "People") -> "People":
        """Return these people and others of the same topic."""
        asked, whole = (
            Levelled(
                np.concatenate([mine.fired, theirs.fired]),
                np.concatenate([mine.risks, theirs.risks]),
            )
            for mine, theirs in ((self.asked, others.asked), (self.whole, others.whole))
        )
        return People(
            self.knowledge,
            np.concatenate([self.truths, others.truths]),
            np.concatenate([self.ages, others.ages]),
            asked,
            whole,
        )

    @property
    def own(self) -> Levels:
        """The own urgency of everybody's true condition, (N,)."""
        urgencies = np.array([int(condition.urgency) for condition in self.knowledge.conditions])
        return np.asarray(urgencies[self.truths])

    @property
    def due(self) -> Levels:
        """The urgency that everybody is due, (N,): the condition's own or, if it is higher, that
        of the shipped rules with all answers. A rule holds whatever the cause turns out to be."""
        return np.maximum(self.own, self.by_rules(self.whole, SHIPPED))

    def reached(self, part: Levelled, setting: Setting = SHIPPED) -> Levels:
        """The urgency that everybody ends at, (N,)."""
        return np.maximum(self.by_rules(part, setting), self.by_risks(part, setting))

    def by_rules(self, part: Levelled, setting: Setting) -> Levels:
        levels = np.array(
            [
                0 if rule.key in setting.without else int(rule.urgency)
                for rule in self.knowledge.rules
            ],
            dtype=np.int64,
        )
        return np.asarray((part.fired * levels).max(axis=1, initial=0))

    def by_risks(self, part: Levelled, setting: Setting) -> Levels:
        if setting.scale is None:
            return np.zeros(len(self.truths), dtype=np.int64)
        raising: tuple[Condition | RiskGroup, ...] = (
            *self.knowledge.conditions,
            *self.knowledge.groups,
        )
        levels = np.array([int(each.urgency) for each in raising], dtype=np.int64)
        moved = [setting.alone in (None, each.key) for each in raising]
        scales = np.where(moved, setting.scale, 1.0)
        thresholds = scales * np.array([each.raise_at for each in raising])
        return np.asarray(((part.risks >= thresholds) * levels).max(axis=1, initial=0))


def _without_thresholds(knowledge: Knowledge) -> Knowledge:
    """Return knowledge by which every posterior is a reason, however low."""
    lowest = 1e-12
    return Knowledge(
        conditions=[replace(condition, raise_at=lowest) for condition in knowledge.conditions],
        features=knowledge.features,
        rules=knowledge.rules,
        likelihoods=knowledge.likelihoods,
        groups=[replace(group, raise_at=lowest) for group in knowledge.groups],
        syndromes=knowledge.syndromes,
        settings=knowledge.settings,
    )


def _levelled(knowledge: Knowledge, ends: Iterable[Disposition]) -> Levelled:
    rules = [rule.key for rule in knowledge.rules]
    conditions = [condition.key for condition in knowledge.conditions]
    groups = [group.key for group in knowledge.groups]
    fired, risks = [], []
    for end in ends:
        holds = {reason.rule for reason in end.reasons if isinstance(reason, FlagReason)}
        fired.append([key in holds for key in rules])
        alone: dict[str, float] = {}
        together: dict[str, float] = {}
        for reason in end.reasons:
            match reason:
                case RiskReason((condition,), None):
                    alone[condition] = reason.posterior
                case RiskReason(_, str(group)):
                    together[group] = reason.posterior
                case _:
                    pass
        risks.append(
            [
                *(alone.get(key, 0.0) for key in conditions),
                *(together.get(key, 0.0) for key in groups),
            ]
        )
    return Levelled(
        np.array(fired, dtype=np.bool_).reshape(-1, len(rules)),
        np.array(risks, dtype=np.float64).reshape(-1, len(conditions) + len(groups)),
    )


def too_low(reached: Levels, due: Levels) -> Flags:
    return np.asarray(reached < due)


def far_too_low(reached: Levels, due: Levels) -> Flags:
    return np.asarray(reached <= due - FAR)


def hazardous(reached: Levels, due: Levels) -> Flags:
    """Whether each is too low by so much that waiting is a hazard: by two or more levels, or below
    same day where same day or an ambulance is due."""
    waits = (due >= Urgency.SAME_DAY) & (reached < Urgency.SAME_DAY)
    return far_too_low(reached, due) | waits


def too_high(reached: Levels, due: Levels) -> Flags:
    return np.asarray(reached > due)


def today(reached: Levels) -> Flags:
    return np.asarray(reached >= Urgency.SAME_DAY)


def share(holds: Flags) -> Share:
    return Share(int(holds.sum()), len(holds))


@dataclass(frozen=True, slots=True)
class Point:
    """What one setting comes to, against the own urgency of everybody's true condition."""

    name: str
    today: Share
    too_low: Share
    hazardous: Share
    too_high: Share

    @classmethod
    def of(cls, name: str, people: People, part: Levelled, setting: Setting) -> Self:
        reached, own = people.reached(part, setting), people.own
        return cls(
            name,
            share(today(reached)),
            share(too_low(reached, own)),
            share(hazardous(reached, own)),
            share(too_high(reached, own)),
        )


SCALES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, None)


def by_thresholds(people: People) -> tuple[Point, ...]:
    """Return a point for each of SCALES, with all answers: an interview asks by its thresholds."""
    return tuple(
        Point.of("none" if scale is None else f"{scale:g}", people, people.whole, Setting(scale))
        for scale in SCALES
    )


def by_one_threshold(people: People) -> tuple[Point, ...]:
    """Return a point as shipped, and with the threshold of one condition at a half and a quarter,
    with all answers, where that changes who is too low."""
    shipped = Point.of("as shipped", people, people.whole, SHIPPED)
    points = [shipped]
    for condition in people.knowledge.conditions:
        for scale in (0.5, 0.25):
            name = f"{condition.key} {100 * condition.raise_at:g} to "
            name += f"{100 * scale * condition.raise_at:g} %"
            setting = Setting(scale, alone=condition.key)
            point = Point.of(name, people, people.whole, setting)
            if point.too_low != shipped.too_low:
                points.append(point)
    return tuple(points)


def by_rules(people: People) -> tuple[Point, ...]:
    """Return a point as shipped, without the floors, without each rule that matters and without
    any, with all answers, since an interview without a rule would ask something else."""
    rules = people.knowledge.rules
    floors = frozenset(rule.key for rule in rules if rule.kind is RuleKind.FLOOR)
    shipped = Point.of("as shipped", people, people.whole, SHIPPED)
    points = [shipped, Point.of("no floor", people, people.whole, Setting(without=floors))]
    for rule in rules:
        point = Point.of(
            f"no {rule.key}", people, people.whole, Setting(without=frozenset({rule.key}))
        )
        if replace(point, name=shipped.name) != shipped:
            points.append(point)
    everything = frozenset(rule.key for rule in rules)
    points.append(Point.of("no rule at all", people, people.whole, Setting(without=everything)))
    return tuple(points)
