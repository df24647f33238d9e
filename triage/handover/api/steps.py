"""What is told to a program: the next question or the outcome, in the words of the patients' pages."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from triage.content.knowledge import Content, Wording
from triage.engine import (
    ENGINE_VERSION,
    Ask,
    Decline,
    Evidence,
    FlagReason,
    Kind,
    MayRaise,
    Ranked,
    Reason,
    RiskReason,
    Tells,
    Unknown,
    applies,
    outcome,
    receipt,
)
from triage.questionnaire import services
from triage.questionnaire.forms import AnswerForm
from triage.questionnaire.pages import READS, TOLD_AT_ONCE, marks_of
from triage.questionnaire.sentences import CHANCES, told, why_asked

from .answers import Asked

DECLINES: Mapping[Decline, Promise] = {
    Decline.DONT_KNOW: gettext_lazy("Don\N{RIGHT SINGLE QUOTATION MARK}t know"),
    Decline.CANT_SEE: gettext_lazy("Can\N{RIGHT SINGLE QUOTATION MARK}t see or reach it"),
    Decline.RATHER_NOT_SAY: gettext_lazy("Rather not say"),
}


def step_document(asked: Asked) -> dict[str, Any]:
    """Return what the same answers would bring up on the pages: they share every function."""
    content, evidence = asked.content, asked.evidence
    implied = services.implied(content.knowledge, evidence)
    with override(asked.language):
        wording = content.wording(asked.language)
        marks = marks_of(content)
        return {
            "release": {
                "topic": content.topic,
                "number": content.release_number,
                "sha256": content.sha256,
                "engine": ENGINE_VERSION,
                "demonstration": content.demonstration,
                "approved_for_clinical_use": marks["approved_for_clinical_use"],
                "calibrated": content.says_in_100,
            },
            "language": asked.language,
            "notices": _notices(marks),
            "flags": [
                {
                    "flag": key,
                    "urgency": content.knowledge.rule(key).urgency.key,
                    "title": wording.flag(key).title,
                    "message": wording.flag(key).message,
                }
                for key in implied.flags
            ],
            "so_far": _so_far(implied, wording),
            "not_read": [
                feature
                for feature in evidence.features
                if not applies(content.knowledge, evidence, feature)
            ],
            "next": _question(implied.step, asked, wording)
            if isinstance(implied.step, Ask) and not _is_enough(implied.step, asked)
            else _outcome(content, evidence, wording),
        }


def _notices(marks: Mapping[str, Any]) -> list[str]:
    notices = [_("This is not a diagnosis.")]
    if marks["demonstration"]:
        notices.append(_("Demonstration."))
    if not marks["approved_for_clinical_use"]:
        notices.append(_("This content has not been approved for clinical use. Do not rely on it."))
    if marks["translation_unchecked"]:
        notices.append(_("This was translated from English. No clinician has checked it."))
    return notices


def _so_far(implied: services.Implied, wording: Wording) -> dict[str, str] | None:
    """Return the advice that cannot wait for the last question."""
    if implied.urgency is None or implied.urgency < TOLD_AT_ONCE:
        return None
    advice = wording.advice("urgency", implied.urgency.key)
    return {
        "urgency": implied.urgency.key,
        "heading": advice.heading,
        "what_to_do": advice.what_to_do,
    }


def _is_enough(step: Ask, asked: Asked) -> bool:
    """Whether this question can be left out for somebody who wants to be told now: no reply to it,
    nor to any after it, makes a red flag raise the urgency."""
    return asked.conclude and isinstance(step.why, (Tells, MayRaise))


def _question(step: Ask, asked: Asked, wording: Wording) -> dict[str, Any]:
    feature = asked.content.knowledge.feature(step.feature)
    choices = AnswerForm(feature=feature, wording=wording, reply=None, revision=0).choices_view
    is_number = feature.kind is Kind.NUMBER
    return {
        "is": "question",
        "feature": feature.key,
        "kind": feature.kind.value,
        "name": wording.feature_name(feature.key),
        "section": wording.section(feature.key),
        "question": wording.question(feature.key, READS[asked.voice]),
        "help": wording.help(feature.key),
        "why": wording.why_we_ask(feature.key),
        "why_now": why_asked(step.why, asked.content.knowledge),
        "options": []
        if is_number
        else [
            {"key": choice.value, "label": choice.label, "exclusive": choice.exclusive}
            for choice in choices
        ],
        "low": feature.low if is_number else None,
        "high": feature.high if is_number else None,
        "declines": [{"key": way.value, "label": str(DECLINES[way])} for way in feature.declines],
        "terms": [
            {"word": term.word, "meaning": term.meaning} for term in wording.terms_of(feature.key)
        ],
    }


def _outcome(content: Content, evidence: Evidence, wording: Wording) -> dict[str, Any]:
    found = outcome(content.knowledge, evidence)
    disposed = found.disposition
    advice = wording.advice("urgency", disposed.urgency.key)
    return {
        "is": "outcome",
        "urgency": disposed.urgency.key,
        "in_scope": disposed.in_scope,
        "advice": {
            "heading": advice.heading,
            "what_to_do": advice.what_to_do,
            "self_care": advice.self_care,
            "safety_net": advice.safety_net,
            "do_not": advice.do_not,
        },
        "reasons": [_reason(reason, content, evidence, wording) for reason in disposed.reasons],
        "not_excluded": [
            {"flag": flag, "title": wording.flag(flag).title} for flag in disposed.not_excluded
        ],
        "differential": [_ranked(ranked, wording) for ranked in found.differential],
        "must_not_miss": [
            {
                "condition": condition,
                "name": wording.condition(condition).name,
                "plain_name": wording.condition(condition).plain_name,
            }
            for condition in found.must_not_miss
        ],
        "unknowns": [_unknown(unknown, wording) for unknown in found.unknowns],
        "receipt": receipt(found),
    }


def _reason(
    reason: Reason, content: Content, evidence: Evidence, wording: Wording
) -> dict[str, Any]:
    match reason:
        case FlagReason(rule, kind, urgency, findings):
            return {
                "kind": kind.value,
                "urgency": urgency.key,
                "rule": rule,
                "title": wording.flag(rule).title,
                "message": wording.flag(rule).message,
                "findings": [
                    told(finding, evidence, content.knowledge, wording) for finding in findings
                ],
            }
        case RiskReason(conditions, group, urgency, posterior, threshold):
            names = [wording.condition(condition).plain_name for condition in conditions]
            return {
                "kind": "risk",
                "urgency": urgency.key,
                "group": group,
                "conditions": list(conditions),
                "title": wording.risk_group(group) if group else names[0],
                "posterior": posterior,
                "threshold": threshold,
            }


def _ranked(ranked: Ranked, wording: Wording) -> dict[str, Any]:
    text = wording.condition(ranked.condition)
    return {
        "condition": ranked.condition,
        "name": text.name,
        "plain_name": text.plain_name,
        "posterior": ranked.posterior,
        "low": ranked.low,
        "high": ranked.high,
        "chance": ranked.chance.value,
        "chance_words": str(CHANCES[ranked.chance]),
    }


def _unknown(unknown: Unknown, wording: Wording) -> dict[str, Any]:
    return {
        "feature": unknown.feature,
        "name": wording.feature_name(unknown.feature),
        "rules": list(unknown.rules),
        "lowest": unknown.lowest.key,
        "highest": unknown.highest.key,
        "leads": list(unknown.leads),
    }
