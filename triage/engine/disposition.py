"""How urgent it is, and every reason for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from .arrays import Array
from .evidence import Chosen, Declined, Evidence, Reply
from .inference import normalised, reaches
from .knowledge import Knowledge
from .rules import Compare, Has, Is, IsKnown, Literal, Reading, because, features_of
from .standing import NOTHING, Standing
from .tables import Tables, options_in
from .verdicts import FALSE, TRUE
from .vocabulary import (
    NOT_SURE,
    ConditionKey,
    Feature,
    FeatureKey,
    Kind,
    OptionKey,
    RiskGroup,
    RuleKey,
    RuleKind,
    Urgency,
)

MOST_VARIANTS = 4096
"""More combinations of alarms than this are not tried one by one: an upper bound stands in."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An option, or a number, that holds in this person; or, not present, one that does not.

    A multiple choice of which the person ticked nothing more has neither option nor number.
    """

    feature: FeatureKey
    option: OptionKey | None = None
    number: int | None = None
    present: bool = True


@dataclass(frozen=True, slots=True)
class FlagReason:
    """A rule that holds, and what the person said that makes it hold."""

    rule: RuleKey
    kind: RuleKind
    urgency: Urgency
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class RiskReason:
    """Conditions that together pass their risk threshold. `posterior` is the highest reached when
    alarms are taken away one by one, since an alarm must never calm."""

    conditions: tuple[ConditionKey, ...]
    group: str | None
    urgency: Urgency
    posterior: float
    threshold: float


type Reason = FlagReason | RiskReason


@dataclass(frozen=True, slots=True)
class Disposition:
    """The urgency; its reasons, most urgent first; the emergencies that what is not known leaves
    possible; and whether the person is in the topic's scope (None while that is not known)."""

    urgency: Urgency
    reasons: tuple[Reason, ...]
    not_excluded: tuple[RuleKey, ...]
    in_scope: bool | None


def disposition(
    knowledge: Knowledge, evidence: Evidence, *, skipped: frozenset[FeatureKey] = NOTHING
) -> Disposition:
    """Return the disposition when nothing more is asked: the rest reads as not known.

    The highest of the rules that hold and, in scope, the risk thresholds that are passed.
    """
    return disposition_of(Standing(knowledge, evidence, skipped))


def disposition_of(standing: Standing) -> Disposition:
    knowledge, closed = standing.knowledge, standing.closed()
    in_scope = scope_of(standing)
    reasons: list[Reason] = [
        FlagReason(rule.key, rule.kind, rule.urgency, findings_of(closed, rule.key))
        for rule in closed.fired()
    ]
    if in_scope:
        reasons.extend(_risks(closed))
    reasons.sort(key=lambda reason: -reason.urgency)  # stable: rules before risks, in their order
    return Disposition(
        max((reason.urgency for reason in reasons), default=Urgency.SELF_CARE),
        tuple(reasons),
        _not_excluded(knowledge, closed),
        in_scope,
    )


def scope_of(standing: Standing) -> bool | None:
    """Return whether no scope rule holds, or None while one of them is open."""
    verdicts = [standing.verdicts[key] for key in standing.knowledge.scope]
    if any(verdict is TRUE for verdict in verdicts):
        return False
    return True if all(verdict is FALSE for verdict in verdicts) else None


def findings_of(standing: Standing, rule: RuleKey) -> tuple[Finding, ...]:
    """Return what the person said that makes a rule hold."""
    readings = standing.readings
    carriers = because(standing.knowledge.expressions[rule], readings)
    found = (_finding(literal, readings[literal.feature]) for literal in carriers)
    return tuple(dict.fromkeys(found))


def _finding(literal: Literal, reading: Reading) -> Finding:
    match literal:
        case Has(feature, option):
            return Finding(feature, option)
        case Is(feature, options):
            chosen = reading if isinstance(reading, frozenset) else frozenset()
            return Finding(feature, next(option for option in options if option in chosen))
        case Compare(feature) | IsKnown(feature):
            return Finding(feature, number=reading if isinstance(reading, int) else None)


def _not_excluded(knowledge: Knowledge, closed: Standing) -> tuple[RuleKey, ...]:
    """The emergency rules that do not hold, but would for some reply to what was declined."""
    unknown = frozenset(unknown_features(closed))
    if not unknown:
        return ()
    rest = Evidence((key, reply) for key, reply in closed.evidence if key not in unknown)
    reopened = Standing(knowledge, rest, closed.skipped - unknown)
    return tuple(
        rule.key
        for rule in knowledge.rules
        if rule.urgency is Urgency.EMERGENCY_NOW
        and closed.verdicts[rule.key] is FALSE
        and reopened.verdicts[rule.key] is not FALSE
        and not unknown.isdisjoint(features_of(knowledge.expressions[rule.key]))
    )


def unknown_features(standing: Standing) -> Iterable[FeatureKey]:
    """The features that were asked and are not known: declined, or replied to with not sure."""
    for feature, reply in standing.read:
        match reply:
            case Declined():
                yield feature.key
            case Chosen(options) if NOT_SURE in options:
                yield feature.key


@dataclass(frozen=True, slots=True)
class Risk:
    """What raises the urgency once it is likely enough: a condition by itself, or a risk group.
    `members` are the places of its conditions."""

    conditions: tuple[ConditionKey, ...]
    group: str | None
    urgency: Urgency
    raise_at: float
    members: frozenset[int]


def risks_of(knowledge: Knowledge) -> list[Risk]:
    """Return all that can raise the urgency, in the order of the content, groups last."""
    alone = [
        Risk((condition.key,), None, condition.urgency, condition.raise_at, frozenset({place}))
        for place, condition in enumerate(knowledge.conditions)
    ]
    return alone + [_group_risk(knowledge, group) for group in knowledge.groups]


def _group_risk(knowledge: Knowledge, group: RiskGroup) -> Risk:
    places = [n for n, c in enumerate(knowledge.conditions) if c.key in group.conditions]
    keys = tuple(knowledge.conditions[place].key for place in places)
    return Risk(keys, group.key, group.urgency, group.raise_at, frozenset(places))


def _risks(standing: Standing) -> list[RiskReason]:
    risks = risks_of(standing.knowledge)
    highest = highest_posteriors(standing, [risk.members for risk in risks])
    return [
        RiskReason(risk.conditions, risk.group, risk.urgency, posterior, risk.raise_at)
        for risk, posterior in zip(risks, highest, strict=True)
        if reaches(posterior, risk.raise_at)
    ]


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
    variants = normalised(_all_scores(standing.knowledge.tables, choices))
    return [float(variants[:, sorted(members)].sum(axis=1).max()) for members in sets]


@dataclass(frozen=True, slots=True)
class _Choice:
    """What one reply may add to the log scores: more than one alternative where it hangs on alarms.

    alone   (A, C)     nats
    linked  (A, S, C)  for each syndrome that it bears on, by place: nats in each state
    """

    alone: Array
    linked: Mapping[int, Array]

    @property
    def count(self) -> int:
        return len(self.alone)

    def or_nothing(self) -> "_Choice":
        return _Choice(
            _with_nothing(self.alone),
            {place: _with_nothing(told) for place, told in self.linked.items()},
        )


def _with_nothing(choice: Array) -> Array:
    return np.concatenate([np.zeros((1, *choice.shape[1:])), choice])


def _all_scores(tables: Tables, choices: list[_Choice]) -> Array:
    """Return the log scores of every combination of alternatives, (combinations, C)."""
    scores = tables.log_priors[None, :]
    told = {
        place: np.zeros((1, *tables.syndromes[place].chances.shape))
        for choice in choices
        for place in choice.linked
    }
    for choice in choices:
        scores = _combined(scores, choice.alone)
        for place, sums in told.items():
            nothing = np.zeros((choice.count, *sums.shape[1:]))
            told[place] = _combined(sums, choice.linked.get(place, nothing))
    for place, sums in told.items():
        scores = scores + tables.syndromes[place].terms(sums)
    return scores


def _combined(sums: Array, choice: Array) -> Array:
    return (sums[:, None] + choice[None, :]).reshape(-1, *sums.shape[1:])


def _upper_bounds(
    tables: Tables, choices: list[_Choice], sets: list[frozenset[int]]
) -> list[float]:
    """Bound each posterior by letting every pair of conditions choose what suits it best: of the
    combinations of the choices that share a syndrome, if those can be tried; else of the
    alternatives of each choice and of the states of each syndrome."""
    apart = tables.log_priors[:, None] - tables.log_priors[None, :]
    for group in _sharing(choices):
        if prod(choice.count for choice in group) > MOST_VARIANTS:
            for choice in group:
                apart = apart + _loosely_apart(tables, choice)
        else:
            told = _all_scores(tables, group) - tables.log_priors
            apart = apart + (told[:, :, None] - told[:, None, :]).min(axis=0)
    np.fill_diagonal(apart, 0)
    bounds = 1 / np.exp(apart).sum(axis=0)
    return [float(min(1.0, bounds[sorted(members)].sum())) for members in sets]


def _loosely_apart(tables: Tables, choice: _Choice) -> Array:
    low, high = choice.alone, choice.alone
    for place, told in choice.linked.items():
        temper = tables.syndromes[place].temper
        low = low + temper * told.min(axis=1)
        high = high + temper * told.max(axis=1)
    return np.asarray((low[:, :, None] - high[:, None, :]).min(axis=0))


def _sharing(choices: Iterable[_Choice]) -> list[list[_Choice]]:
    """Return the choices in groups that share no syndrome with each other."""
    groups: list[tuple[set[int], list[_Choice]]] = []
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


def _choices_of(standing: Standing) -> list[_Choice]:
    """Return what each reply may add to the log scores."""
    knowledge = standing.knowledge
    read = {feature.key for feature, _ in standing.read}
    choices: list[_Choice] = []
    alarming: set[FeatureKey] = set()
    for feature in knowledge.features:
        reply = standing.evidence.get(feature.key)
        # a reply that taking an alarm away could wake or put to sleep may or may not count
        hangs = not alarming.isdisjoint(features_of(knowledge.asked_if[feature.key]))
        if reply is None or not (hangs or feature.key in read):
            continue
        own = _with_and_without_alarms(knowledge.tables, feature, reply)
        if hangs or any(choice.count > 1 for choice in own):
            alarming.add(feature.key)
        choices.extend(choice.or_nothing() if hangs else choice for choice in own)
    return choices


def _with_and_without_alarms(tables: Tables, feature: Feature, reply: Reply) -> list[_Choice]:
    options = options_in(feature, reply)
    if options is None:
        return []
    scored = [o for o in feature.options if (feature.key, o.key) in tables.outcome_of]
    alarms = sorted(o.key for o in scored if o.alarm and o.key in options)
    if not alarms:
        return [_choice(tables, feature, [options])]
    if feature.kind is not Kind.MULTI:
        calm = [frozenset({o.key}) for o in scored if not o.alarm]
        return [_choice(tables, feature, [options, *calm]).or_nothing()]
    if 2 ** len(alarms) >= MOST_VARIANTS:  # too many to try: each by itself, for the upper bound
        return _each_alarm_by_itself(tables, feature, options, alarms)
    variants = [options - set(alarms)]
    for alarm in alarms:
        variants += [variant | {alarm} for variant in variants]
    return [_choice(tables, feature, variants).or_nothing()]


def _choice(
    tables: Tables, feature: Feature, alternatives: Sequence[frozenset[OptionKey]]
) -> _Choice:
    rows = [tables.rows_of(feature, options) for options in alternatives]
    alone = np.array([tables.terms[own].sum(axis=0) for own in rows])
    linked = {
        place: np.array(
            [
                syndrome.logs[syndrome.rows_of(feature, options)].sum(axis=0)
                for options in alternatives
            ]
        )
        for place, syndrome in enumerate(tables.syndromes)
        if feature.key in syndrome.features
    }
    return _Choice(alone, linked)


def _each_alarm_by_itself(
    tables: Tables, feature: Feature, options: frozenset[OptionKey], alarms: Sequence[OptionKey]
) -> list[_Choice]:
    """Return what the reply without its alarms adds, or nothing, and what each alarm adds to that,
    or nothing."""
    calm = options - set(alarms)
    base = _choice(tables, feature, [calm])
    added = [_choice(tables, feature, [calm | {alarm}]) for alarm in alarms]
    differences = [
        _Choice(
            one.alone - base.alone,
            {place: told - base.linked[place] for place, told in one.linked.items()},
        )
        for one in added
    ]
    return [base.or_nothing(), *(difference.or_nothing() for difference in differences)]
