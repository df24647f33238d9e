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
    Reply,
    RiskReason,
    RuleKey,
    Urgency,
    applies,
    disposition,
    posterior,
)
from triage.engine.arrays import Array
from triage.engine.inference import posterior_of
from triage.engine.interview import step_of
from triage.engine.standing import Standing


@dataclass(frozen=True, slots=True)
class Run:
    """What the checker made of one case.

    ranked      (condition, posterior) by falling posterior, all of them; empty for somebody of
                whom no causes are shown, as under 16
    flags       every rule that fired, in the order of the content
    risks       every condition likely enough to raise the urgency, most urgent first
    asked       how many questions it took
    cut_short   whether an emergency ended the interview before the causes could be told apart
    said        the replies that were taken, asked for or given
    """

    urgency: Urgency
    ranked: tuple[tuple[ConditionKey, float], ...]
    flags: tuple[RuleKey, ...]
    risks: tuple[ConditionKey, ...]
    asked: int
    cut_short: bool
    said: Evidence


def interview(knowledge: Knowledge, known: Evidence) -> Run:
    """Ask one question after the other, until the checker concludes.

    Where `known` has no reply to a question, it is passed over: the feature is never asked, and is
    neither "no" nor declined. Who would be asked it only finds out on the way, as in life.
    """
    standing, reached = _interviewed(knowledge, known)
    return run_of(standing, reached, known, standing.evidence)


def run_of(standing: Standing, reached: Disposition, known: Evidence, said: Evidence) -> Run:
    """Return what was made of somebody who ended there. `said` are their own replies, which may be
    other numbers of the same cells."""
    knowledge = standing.knowledge
    in_scope = reached.in_scope
    if in_scope is None:  # an emergency ended it before the age was asked
        in_scope = with_all_answers(knowledge, known).in_scope
    return Run(
        urgency=reached.urgency,
        ranked=_ranked(knowledge, posterior_of(standing)) if in_scope else (),
        flags=_flags(knowledge, reached),
        risks=_risks(reached),
        asked=len(said),
        cut_short=any(
            isinstance(reason, FlagReason) and reason.urgency is Urgency.EMERGENCY_NOW
            for reason in reached.reasons
        ),
        said=said,
    )


def interviewed(knowledge: Knowledge, known: Evidence) -> tuple[Evidence, Disposition]:
    """Return what somebody was asked and replied by the end of an interview, and what came of it."""
    standing, reached = _interviewed(knowledge, known)
    return standing.evidence, reached


def _interviewed(knowledge: Knowledge, known: Evidence) -> tuple[Standing, Disposition]:
    standing = Standing(knowledge, Evidence())
    while isinstance(step := step_of(standing), Ask):
        standing = replied(standing, step.feature, known.get(step.feature))
    return standing, step.disposition


def replied(standing: Standing, feature: FeatureKey, reply: Reply | None) -> Standing:
    """Return where somebody stands who was asked this; None passes it over."""
    if reply is not None:
        return standing.after(feature, reply, to_the_last_bit=True)
    return Standing(standing.knowledge, standing.evidence, standing.skipped | {feature})


def all_at_once(knowledge: Knowledge, known: Evidence) -> Run:
    """Take every reply as given, those to questions that do not apply left unread."""
    reached = with_all_answers(knowledge, known)
    return Run(
        urgency=reached.urgency,
        ranked=_ranked(knowledge, posterior(knowledge, known)) if reached.in_scope else (),
        flags=_flags(knowledge, reached),
        risks=_risks(reached),
        asked=sum(_is_asked(knowledge, known, feature) for feature, _ in known),
        cut_short=False,
        said=known,
    )


def _is_asked(knowledge: Knowledge, known: Evidence, key: FeatureKey) -> bool:
    return not knowledge.feature(key).asked_if or applies(knowledge, known, key)


def urgency_with_all_answers(knowledge: Knowledge, known: Evidence) -> Urgency:
    return with_all_answers(knowledge, known).urgency


def with_all_answers(knowledge: Knowledge, known: Evidence) -> Disposition:
    """Return what comes of all that is known, the rest never asked."""
    unknown = frozenset(feature.key for feature in knowledge.features if feature.key not in known)
    return disposition(knowledge, known, skipped=unknown)


def _flags(knowledge: Knowledge, reached: Disposition) -> tuple[RuleKey, ...]:
    fired = {reason.rule for reason in reached.reasons if isinstance(reason, FlagReason)}
    return tuple(rule.key for rule in knowledge.rules if rule.key in fired)


def _risks(reached: Disposition) -> tuple[ConditionKey, ...]:
    risks = (reason for reason in reached.reasons if isinstance(reason, RiskReason))
    return tuple(dict.fromkeys(key for reason in risks for key in reason.conditions))


def _ranked(knowledge: Knowledge, weights: Array) -> tuple[tuple[ConditionKey, float], ...]:
    keys = [condition.key for condition in knowledge.conditions]
    pairs = zip(keys, weights.tolist(), strict=True)
    # Rounded for the order only, so that the last bit of a machine decides no tie.
    return tuple(sorted(pairs, key=lambda pair: (-round(pair[1], 12), pair[0])))
