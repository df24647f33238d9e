"""The one function the web calls: what to ask next, or that it is time to conclude."""

from dataclasses import dataclass

from .disposition import Disposition, disposition_of
from .evidence import Evidence
from .inference import reaches
from .knowledge import Knowledge
from .raising import most_raising
from .selection import most_settling, most_telling, outlook
from .standing import NOTHING, Standing
from .verdicts import FALSE
from .vocabulary import ConditionKey, FeatureKey, Rule, RuleKey, Urgency


@dataclass(frozen=True, slots=True)
class Safety:
    """Asked of everybody first, to find who needs help now."""


@dataclass(frozen=True, slots=True)
class Required:
    """Without this reply nothing can be concluded."""


@dataclass(frozen=True, slots=True)
class Settles:
    """The reply may settle these rules, which could still raise the urgency."""

    rules: tuple[RuleKey, ...]


@dataclass(frozen=True, slots=True)
class Tells:
    """The reply tells the causes apart; `gain` is the expected information, nats."""

    gain: float


@dataclass(frozen=True, slots=True)
class MayRaise:
    """The reply may make these conditions likely enough to raise the urgency."""

    conditions: tuple[ConditionKey, ...]


type Why = Safety | Required | Settles | Tells | MayRaise


@dataclass(frozen=True, slots=True)
class Ask:
    feature: FeatureKey
    why: Why


@dataclass(frozen=True, slots=True)
class Conclude:
    disposition: Disposition


type Step = Ask | Conclude


def next_step(
    knowledge: Knowledge, evidence: Evidence, *, skipped: frozenset[FeatureKey] = NOTHING
) -> Step:
    """Return what to ask next of this person, or the disposition if nothing is left worth asking.

    An emergency concludes at once. Otherwise in this order: what settles an emergency that a reply
    has made pending; the safety features; what is required; what settles the rules that could
    still raise the urgency; what tells the causes apart; and what may still make a condition likely
    enough to raise it.

    Features in `skipped` are never asked and read as not known.
    Raises: UnknownFeature if `evidence` or `skipped` names what `knowledge` lacks.
    """
    return step_of(Standing(knowledge, evidence, skipped))


def step_of(standing: Standing) -> Step:
    """Return what comes next for somebody who stands there, as `next_step` does."""
    reached = max((rule.urgency for rule in standing.fired()), default=Urgency.SELF_CARE)
    if reached is Urgency.EMERGENCY_NOW:
        return Conclude(disposition_of(standing))
    return (
        _settle(standing, _pending_emergencies(standing))
        or _ask_first(standing, standing.knowledge.safety, Safety())
        or _ask_first(standing, standing.knowledge.required, Required())
        or _settle(standing, [rule for rule in standing.open_rules() if rule.urgency > reached])
        or _ask_telling(standing)
        or _ask_raising(standing, reached)
        or Conclude(disposition_of(standing))
    )


def _pending_emergencies(standing: Standing) -> list[Rule]:
    return [
        rule
        for rule in standing.open_rules()
        if rule.urgency is Urgency.EMERGENCY_NOW and standing.is_pending(rule)
    ]


def _ask_first(standing: Standing, features: tuple[FeatureKey, ...], why: Why) -> Ask | None:
    feature = next(filter(standing.may_ask, features), None)
    return None if feature is None else Ask(feature, why)


def _settle(standing: Standing, rules: list[Rule]) -> Ask | None:
    if not rules:
        return None
    found = most_settling(standing, rules, outlook(standing))
    if found is None:
        return None
    feature, settles = found
    return Ask(feature.key, Settles(tuple(rule.key for rule in settles)))


def _shows_causes(standing: Standing) -> bool:
    return all(standing.verdicts[key] is FALSE for key in standing.knowledge.scope)


def _ask_telling(standing: Standing) -> Ask | None:
    if not _shows_causes(standing):
        return None
    knowledge, prospect = standing.knowledge, outlook(standing)
    if reaches(prospect.lead, knowledge.settings.lead_stop):
        return None
    found = most_telling(standing, prospect)
    return None if found is None else Ask(found[0].key, Tells(found[1]))


def _ask_raising(standing: Standing, reached: Urgency) -> Ask | None:
    if not _shows_causes(standing):
        return None
    found = most_raising(standing, outlook(standing), reached)
    return None if found is None else Ask(found[0].key, MayRaise(found[1]))


def applies(knowledge: Knowledge, evidence: Evidence, feature: FeatureKey) -> bool:
    """Whether the feature's `asked_if` holds for sure. Raises UnknownFeature."""
    return Standing(knowledge, evidence).applies(knowledge.feature(feature).key)


def fired(knowledge: Knowledge, evidence: Evidence) -> tuple[RuleKey, ...]:
    """Return the rules that hold whatever is still to be replied, in the order of the content."""
    return tuple(rule.key for rule in Standing(knowledge, evidence).fired())
