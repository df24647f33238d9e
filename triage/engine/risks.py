"""Which conditions are likely enough to raise the urgency, whatever alarms are taken away."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np

from .arrays import Array
from .evidence import Chosen, Reply
from .inference import normalised
from .knowledge import Knowledge
from .rules import features_of
from .standing import Standing
from .tables import MOST_PAIRED, Tables, options_in
from .vocabulary import (
    ConditionKey,
    Feature,
    FeatureKey,
    Kind,
    OptionKey,
    RiskGroup,
    Urgency,
)

MOST_VARIANTS = 4096
"""More combinations of alarms than this are not tried one by one: an upper bound stands in."""

MOST_TICKED = 6
"""What a reply of more options than this comes to is not remembered: it can be large."""

type Replies = tuple[tuple[FeatureKey, Reply], ...]


@dataclass(frozen=True, slots=True)
class Risk:
    """What raises the urgency once it is likely enough: a condition by itself, or a risk group.
    `members` are the places of its conditions."""

    conditions: tuple[ConditionKey, ...]
    group: str | None
    urgency: Urgency
    raise_at: float
    members: frozenset[int]


@lru_cache(8)
def risks_of(knowledge: Knowledge) -> tuple[Risk, ...]:
    """Return all that can raise the urgency, in the order of the content, groups last."""
    alone = (
        Risk((condition.key,), None, condition.urgency, condition.raise_at, frozenset({place}))
        for place, condition in enumerate(knowledge.conditions)
    )
    return (*alone, *(_group_risk(knowledge, group) for group in knowledge.groups))


def _group_risk(knowledge: Knowledge, group: RiskGroup) -> Risk:
    places = [n for n, c in enumerate(knowledge.conditions) if c.key in group.conditions]
    keys = tuple(knowledge.conditions[place].key for place in places)
    return Risk(keys, group.key, group.urgency, group.raise_at, frozenset(places))


def highest_posteriors(standing: Standing, sets: list[frozenset[int]]) -> list[float]:
    """Return, for each set of conditions, the highest posterior that it reaches when any of the
    alarms that are present are taken away: a multiple choice's unticked or read as not sure, a
    single choice's or a number's replaced by each reply that is no alarm.

    A risk threshold judged on this cannot be passed before an alarm is reported and missed after:
    with one alarm more, every combination that was tried before is tried again.
    """
    if not sets:
        return []
    choices = _choices_of(standing)
    if prod(choice.count for choice in choices) > MOST_VARIANTS:
        return _upper_bounds(standing.knowledge.tables, choices, sets)
    variants = normalised(all_scores(standing.knowledge.tables, choices))
    peaks = variants.max(axis=0).tolist()
    return [
        peaks[min(members)]
        if len(members) == 1
        else float(variants[:, sorted(members)].sum(axis=1).max())
        for members in sets
    ]


@dataclass(frozen=True, slots=True)
class Choice:
    """What one reply may add to the log scores: more than one alternative where it hangs on alarms.

    alone   (A, C)     nats
    linked  (A, S, C)  for each syndrome that it bears on, by place: nats in each state
    """

    alone: Array
    linked: Mapping[int, Array]

    @property
    def count(self) -> int:
        return len(self.alone)

    def or_nothing(self) -> "Choice":
        return Choice(
            _with_nothing(self.alone),
            {place: _with_nothing(told) for place, told in self.linked.items()},
        )


def _with_nothing(choice: Array) -> Array:
    return np.concatenate([np.zeros((1, *choice.shape[1:])), choice])


def all_scores(tables: Tables, choices: list[Choice]) -> Array:
    """Return the log scores of every combination of alternatives, (combinations, C)."""
    alone = tables.log_priors
    told: dict[int, Array] = {}
    several = [choice for choice in choices if choice.count > 1]
    for choice in choices:
        if choice.count == 1:  # nothing to combine: these are added up once
            alone = alone + choice.alone[0]
            for place, sums in choice.linked.items():
                told[place] = told.get(place, 0.0) + sums
    scores = alone[None]
    bearing = {place for choice in several for place in choice.linked}
    for place in bearing:
        told.setdefault(place, np.zeros((1, *tables.syndromes[place].chances.shape)))
    for choice in several:
        scores = combined(scores, choice.alone)
        for place in bearing:
            nothing = np.zeros((choice.count, *told[place].shape[1:]))
            told[place] = combined(told[place], choice.linked.get(place, nothing))
    for place, sums in sorted(told.items(), key=lambda pair: pair[0]):
        scores = scores + tables.syndromes[place].terms(sums)
    return scores


def combined(sums: Array, choice: Array) -> Array:
    return (sums[:, None] + choice[None, :]).reshape(-1, *sums.shape[1:])


def _upper_bounds(tables: Tables, choices: list[Choice], sets: list[frozenset[int]]) -> list[float]:
    """Bound each posterior by letting every pair of conditions choose what suits it best: of the
    combinations of the choices that share a syndrome, if those can be tried; else of the
    alternatives of each choice and of the states of each syndrome."""
    apart = tables.log_priors[:, None] - tables.log_priors[None, :]
    for group in _sharing(choices):
        if prod(choice.count for choice in group) > MOST_VARIANTS:
            for choice in group:
                apart = apart + _loosely_apart(tables, choice)
        else:
            told = all_scores(tables, group) - tables.log_priors
            apart = apart + (told[:, :, None] - told[:, None, :]).min(axis=0)
    np.fill_diagonal(apart, 0)
    bounds = 1 / np.exp(apart).sum(axis=0)
    return [float(min(1.0, bounds[sorted(members)].sum())) for members in sets]


def _loosely_apart(tables: Tables, choice: Choice) -> Array:
    low, high = choice.alone, choice.alone
    for place, told in choice.linked.items():
        temper = tables.syndromes[place].temper
        low = low + temper * told.min(axis=1)
        high = high + temper * told.max(axis=1)
    return np.asarray((low[:, :, None] - high[:, None, :]).min(axis=0))


def _sharing(choices: Iterable[Choice]) -> list[list[Choice]]:
    """Return the choices in groups that share no syndrome with each other."""
    groups: list[tuple[set[int], list[Choice]]] = []
    for choice in choices:
        places, own = set(choice.linked), [choice]
        apart = []
        for others, group in groups:
            if places.isdisjoint(others):
                apart.append((others, group))
            else:
                places, own = places | others, group + own
        groups = [*apart, (places, own)]
    return [own for _, own in groups]


def _choices_of(standing: Standing) -> list[Choice]:
    """Return what each reply may add to the log scores."""
    return [choice for own in choices_by_feature(standing)[0].values() for choice in own]


def choices_by_feature(
    standing: Standing,
) -> tuple[dict[FeatureKey, Sequence[Choice]], frozenset[FeatureKey]]:
    """Return the choices that each reply makes, and the features of which there are several, or on
    which it hangs whether others are read."""
    knowledge = standing.knowledge
    read = {feature.key for feature, _ in standing.read}
    choices: dict[FeatureKey, Sequence[Choice]] = {}
    alarming: set[FeatureKey] = set()
    for feature in knowledge.features:
        reply = standing.evidence.get(feature.key)
        if reply is None:
            continue
        # a reply that taking an alarm away could wake or put to sleep may or may not count
        hangs = bool(alarming and feature.asked_if) and not alarming.isdisjoint(
            features_of(knowledge.asked_if[feature.key])
        )
        if not (hangs or feature.key in read):
            continue
        own = choices_of(knowledge, feature.key, reply)
        if hangs or any(choice.count > 1 for choice in own):
            alarming.add(feature.key)
        choices[feature.key] = [choice.or_nothing() for choice in own] if hangs else own
    return choices, frozenset(alarming)


def choices_of(knowledge: Knowledge, key: FeatureKey, reply: Reply) -> Sequence[Choice]:
    """Return the choices that a reply makes if it is read, with its alarms and without: none if it
    tells nothing, and several only where it has too many alarms to try every set of them.

    Remembered, if it is not large.
    """
    ticked = len(reply.options) if isinstance(reply, Chosen) else 0
    is_large = len(knowledge.conditions) > MOST_PAIRED or ticked > MOST_TICKED
    found = _with_and_without_alarms.__wrapped__ if is_large else _with_and_without_alarms
    return found(knowledge, key, reply, MOST_VARIANTS)


@lru_cache(2048)
def _with_and_without_alarms(
    knowledge: Knowledge, key: FeatureKey, reply: Reply, most: int
) -> Sequence[Choice]:
    tables, feature = knowledge.tables, knowledge.feature(key)
    options = options_in(feature, reply)
    if options is None:
        return ()
    alarms = alarms_in(tables, feature, options)
    if feature.kind is Kind.MULTI and 2 ** len(alarms) >= most:
        # too many to try: each by itself, for the upper bound
        return _each_alarm_by_itself(tables, feature, options, alarms)
    ways = ways_to_read(tables, feature, options)
    choice = _choice(tables, feature, ways)
    return (choice.or_nothing() if alarms else choice,)


def alarms_in(tables: Tables, feature: Feature, options: frozenset[OptionKey]) -> list[OptionKey]:
    """Return the alarms among options chosen, of those that are scored."""
    return sorted(
        option.key
        for option in feature.options
        if option.alarm and option.key in options and (feature.key, option.key) in tables.outcome_of
    )


def ways_to_read(
    tables: Tables, feature: Feature, options: frozenset[OptionKey]
) -> list[frozenset[OptionKey]]:
    """Return what may be read of options chosen when any of the alarms in it are taken away."""
    alarms = alarms_in(tables, feature, options)
    if alarms and feature.kind is not Kind.MULTI:
        scored = [o for o in feature.options if (feature.key, o.key) in tables.outcome_of]
        return [options, *(frozenset({o.key}) for o in scored if not o.alarm)]
    variants = [options - set(alarms)]
    for alarm in alarms:
        variants += [variant | {alarm} for variant in variants]
    return variants


def _choice(
    tables: Tables, feature: Feature, alternatives: Sequence[frozenset[OptionKey]]
) -> Choice:
    added = [tables.added(feature, options) for options in alternatives]
    places = added[0][1]
    return Choice(
        np.array([alone for alone, _ in added]),
        {place: np.array([linked[place] for _, linked in added]) for place in places},
    )


def _each_alarm_by_itself(
    tables: Tables, feature: Feature, options: frozenset[OptionKey], alarms: Sequence[OptionKey]
) -> list[Choice]:
    """Return what the reply without its alarms adds, or nothing, and what each alarm adds to that,
    or nothing."""
    calm = options - set(alarms)
    base = _choice(tables, feature, [calm])
    added = [_choice(tables, feature, [calm | {alarm}]) for alarm in alarms]
    differences = [
        Choice(
            one.alone - base.alone,
            {place: told - base.linked[place] for place, told in one.linked.items()},
        )
        for one in added
    ]
    return [base.or_nothing(), *(difference.or_nothing() for difference in differences)]
