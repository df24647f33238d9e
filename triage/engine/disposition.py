"""How urgent it is, and every reason for it."""

from collections.abc import Iterable
from dataclasses import dataclass

from .evidence import Chosen, Declined, Evidence, Reply
from .inference import reaches
from .knowledge import Knowledge
from .risks import highest_posteriors, risks_of
from .rules import Compare, Has, Is, IsKnown, Literal, Reading, because, features_of
from .standing import NOTHING, Standing
from .verdicts import FALSE, TRUE
from .vocabulary import (
    NOT_SURE,
    ConditionKey,
    FeatureKey,
    OptionKey,
    RuleKey,
    RuleKind,
    Urgency,
)


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
    return (feature.key for feature, reply in standing.read if is_unknown(reply))


def is_unknown(reply: Reply) -> bool:
    """Whether a reply says that it is not known: declined, or not sure."""
    return isinstance(reply, Declined) or (isinstance(reply, Chosen) and NOT_SURE in reply.options)


def _risks(standing: Standing) -> list[RiskReason]:
    risks = risks_of(standing.knowledge)
    highest = highest_posteriors(standing, [risk.members for risk in risks])
    return [
        RiskReason(risk.conditions, risk.group, risk.urgency, posterior, risk.raise_at)
        for risk, posterior in zip(risks, highest, strict=True)
        if reaches(posterior, risk.raise_at)
    ]
