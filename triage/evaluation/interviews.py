"""One case through the checker: by interview, or with all of its answers at once."""

from dataclasses import dataclass

from triage.engine import (
    Ask,
    ConditionKey,
    Disposition,
    Evidence,
    FeatureKey,
    FlagReason,
    Knowledge,
    RuleKey,
    Urgency,
    applies,
    disposition,
    next_step,
    posterior,
)


@dataclass(frozen=True, slots=True)
class Run:
    """What the checker made of one case.

    ranked   (condition, posterior) by falling posterior, all of them; empty where no causes are
             shown, as under 16
    flags    every rule that fired, in the order of the content
    asked    how many questions it took
    """

    urgency: Urgency
    ranked: tuple[tuple[ConditionKey, float], ...]
    flags: tuple[RuleKey, ...]
    asked: int


def interview(knowledge: Knowledge, known: Evidence) -> Run:
    """Ask one question after the other, until the checker concludes.

    A feature of which `known` has no reply is never asked: it is neither "no" nor declined.
    """
    skipped = _unknown(knowledge, known)
    replies = dict(known)
    said = Evidence()
    while isinstance(step := next_step(knowledge, said, skipped=skipped), Ask):
        said = said.set(step.feature, replies[step.feature])
    return _run(knowledge, said, step.disposition, asked=len(said))


def all_at_once(knowledge: Knowledge, known: Evidence) -> Run:
    """Take every reply as given, those to questions that do not apply left unread."""
    asked = sum(applies(knowledge, known, feature) for feature, _ in known)
    reached = disposition(knowledge, known, skipped=_unknown(knowledge, known))
    return _run(knowledge, known, reached, asked=asked)


def _unknown(knowledge: Knowledge, known: Evidence) -> frozenset[FeatureKey]:
    return frozenset(feature.key for feature in knowledge.features if feature.key not in known)


def _run(knowledge: Knowledge, said: Evidence, reached: Disposition, *, asked: int) -> Run:
    flags = {reason.rule for reason in reached.reasons if isinstance(reason, FlagReason)}
    return Run(
        urgency=reached.urgency,
        ranked=() if reached.in_scope is False else _ranked(knowledge, said),
        flags=tuple(rule.key for rule in knowledge.rules if rule.key in flags),
        asked=asked,
    )


def _ranked(knowledge: Knowledge, said: Evidence) -> tuple[tuple[ConditionKey, float], ...]:
    keys = [condition.key for condition in knowledge.conditions]
    pairs = zip(keys, map(float, posterior(knowledge, said)), strict=True)
    # Rounded for the order only, so that the last bit of a machine decides no tie.
    return tuple(sorted(pairs, key=lambda pair: (-round(pair[1], 12), pair[0])))
