"""How urgent it is, and every reason for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

import numpy as np

from .evidence import Chosen, Declined, Evidence, Reply
from .inference import normalised
from .knowledge import Knowledge
from .rules import Compare, Has, Is, IsKnown, Literal, Reading, because, features_of
from .standing import NOTHING, Standing
from .tables import Array
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


def _risks(standing: Standing) -> list[RiskReason]:
    knowledge = standing.knowledge
    highest = highest_posteriors(
        standing, [frozenset({i}) for i in range(len(knowledge.conditions))]
    )
    risks = [
        RiskReason((condition.key,), None, condition.urgency, reached, condition.raise_at)
        for condition, reached in zip(knowledge.conditions, highest, strict=True)
        if reached >= condition.raise_at
    ]
    members = [_members(knowledge, group) for group in knowledge.groups]
    for group, reached in zip(knowledge.groups, highest_posteriors(standing, members), strict=True):
        if reached >= group.raise_at:
            keys = tuple(c.key for c in knowledge.conditions if c.key in group.conditions)
            risks.append(RiskReason(keys, group.key, group.urgency, reached, group.raise_at))
    return risks


def _members(knowledge: Knowledge, group: RiskGroup) -> frozenset[int]:
    return frozenset(
        index
        for index, condition in enumerate(knowledge.conditions)
        if condition.key in group.conditions
    )


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
    if prod(map(len, choices)) > MOST_VARIANTS:
        return _upper_bounds(standing.knowledge.tables.log_priors, choices, sets)
    scores = standing.knowledge.tables.log_priors[None, :]
    for choice in choices:
        scores = (scores[:, None, :] + choice[None, :, :]).reshape(-1, scores.shape[1])
    variants = normalised(scores)
    return [float(variants[:, sorted(members)].sum(axis=1).max()) for members in sets]


def _upper_bounds(
    log_priors: Array, choices: list[Array], sets: list[frozenset[int]]
) -> list[float]:
    """Bound each posterior by letting every pair of conditions choose what suits it best."""
    apart = log_priors[:, None] - log_priors[None, :]
    for choice in choices:
        apart = apart + (choice[:, :, None] - choice[:, None, :]).min(axis=0)
    np.fill_diagonal(apart, 0)
    bounds = 1 / np.exp(apart).sum(axis=0)
    return [float(min(1.0, bounds[sorted(members)].sum())) for members in sets]


def _choices_of(standing: Standing) -> list[Array]:
    """Return what each reply may add to the log scores, (alternatives, C): more than one where it
    hangs on an alarm."""
    knowledge = standing.knowledge
    read = {feature.key for feature, _ in standing.read}
    choices: list[Array] = []
    alarming: set[FeatureKey] = set()
    for feature in knowledge.features:
        reply = standing.evidence.get(feature.key)
        # a reply that taking an alarm away could wake or put to sleep may or may not count
        hangs = not alarming.isdisjoint(features_of(knowledge.asked_if[feature.key]))
        if reply is None or not (hangs or feature.key in read):
            continue
        own = _with_and_without_alarms(standing, feature, reply)
        if hangs or any(len(choice) > 1 for choice in own):
            alarming.add(feature.key)
        choices.extend(_or_nothing(choice) if hangs else choice for choice in own)
    return choices


def _with_and_without_alarms(standing: Standing, feature: Feature, reply: Reply) -> list[Array]:
    tables = standing.knowledge.tables
    terms, term_of = tables.terms, tables.term_of
    scored = [o for o in feature.options if (feature.key, o.key) in term_of]
    alarm_rows = {term_of[feature.key, option.key] for option in scored if option.alarm}
    rows = tables.terms_of(feature, reply)
    alarms = [row for row in rows if row in alarm_rows]
    if not alarms:
        return [terms[rows].sum(axis=0, keepdims=True)]
    if feature.kind is not Kind.MULTI:
        calm = [term_of[feature.key, option.key] for option in scored if not option.alarm]
        return [_or_nothing(terms[[*rows, *calm]])]
    sums = terms[[row for row in rows if row not in alarm_rows]].sum(axis=0, keepdims=True)
    if 2 ** len(alarms) >= MOST_VARIANTS:  # too many to try: each by itself, for the upper bound
        return [_or_nothing(sums), *(_or_nothing(terms[[row]]) for row in alarms)]
    for row in alarms:
        sums = np.vstack([sums, sums + terms[row]])
    return [_or_nothing(sums)]


def _or_nothing(choice: Array) -> Array:
    return np.vstack([np.zeros((1, choice.shape[1])), choice])
