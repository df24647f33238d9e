"""What an assessment comes to, and its one canonical form."""

import json
from dataclasses import dataclass
from typing import Any

from .changes import Changes, changes_in
from .disposition import Disposition, Finding, FlagReason, Reason, RiskReason, disposition_of
from .evidence import Evidence
from .explanation import (
    Chance,
    Together,
    Unknown,
    Weight,
    chance,
    unknowns_that_matter,
    weights_of_evidence,
)
from .inference import DECIMALS, LAST_BITS, credible_range, posterior_of
from .knowledge import Knowledge
from .replaying import Replay
from .standing import NOTHING, Standing
from .vocabulary import ConditionKey, FeatureKey

ENGINE_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Ranked:
    """One condition of the differential: its posterior, the range that holds it in 90 of 100
    cases, the word for it, and the findings for and against it, the weightiest first."""

    condition: ConditionKey
    posterior: float
    low: float
    high: float
    chance: Chance
    supports: tuple[Weight, ...]
    opposes: tuple[Weight, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The disposition; the differential, by falling posterior, which is empty unless the person is
    in scope; the serious conditions, which must be ruled out whatever their rank; and the unknowns
    by which, were they known, the urgency or the leading condition could be another."""

    disposition: Disposition
    differential: tuple[Ranked, ...]
    must_not_miss: tuple[ConditionKey, ...]
    unknowns: tuple[Unknown, ...]


def outcome(
    knowledge: Knowledge, evidence: Evidence, *, skipped: frozenset[FeatureKey] = NOTHING
) -> Outcome:
    """Return what this evidence comes to when nothing more is asked.

    Raises: UnknownFeature if `evidence` or `skipped` names what `knowledge` lacks.
    """
    return _outcome_of(Standing(knowledge, evidence, skipped))


def outcome_and_changes(
    knowledge: Knowledge, evidence: Evidence, *, skipped: frozenset[FeatureKey] = NOTHING
) -> tuple[Outcome, Changes]:
    """Return the outcome, and what would change its advice, for whoever wants both: what other
    replies would come to is made ready once for the two.

    Raises: UnknownFeature if `evidence` or `skipped` names what `knowledge` lacks.
    """
    standing = Standing(knowledge, evidence, skipped)
    replay = Replay(standing)
    return _outcome_of(standing, replay), changes_in(replay)


def _outcome_of(standing: Standing, replay: Replay | None = None) -> Outcome:
    knowledge = standing.knowledge
    disposed = disposition_of(standing)
    differential = _differential(standing) if disposed.in_scope else ()
    return Outcome(
        disposed,
        differential,
        tuple(r.condition for r in differential if knowledge.condition(r.condition).serious),
        unknowns_that_matter(standing, replay),
    )


def _differential(standing: Standing) -> tuple[Ranked, ...]:
    knowledge = standing.knowledge
    weights, ranges = posterior_of(standing), credible_range(standing)
    findings, nats = weights_of_evidence(standing)
    ranked = []
    for index, condition in enumerate(knowledge.conditions):
        p, low, high = (float(a[index]) for a in (weights, ranges.low, ranges.high))
        told = [Weight(f, float(n)) for f, n in zip(findings, nats[:, index], strict=True)]
        told.sort(key=lambda weight: -round(abs(weight.nats), DECIMALS))
        ranked.append(
            Ranked(
                condition.key,
                p,
                low,
                high,
                chance(p, low, high),
                tuple(weight for weight in told if weight.nats > LAST_BITS),
                tuple(weight for weight in told if weight.nats < -LAST_BITS),
            )
        )
    return tuple(sorted(ranked, key=lambda r: (-round(r.posterior, DECIMALS), r.condition)))


def receipt(outcome: Outcome) -> str:
    """Return the outcome as canonical JSON: sorted keys, no spaces, numbers rounded to 1e-6.

    The same release, engine version and replies give the same bytes on any machine.
    """
    document = {
        "engine": ENGINE_VERSION,
        "urgency": outcome.disposition.urgency.key,
        "in_scope": outcome.disposition.in_scope,
        "reasons": [_reason(reason) for reason in outcome.disposition.reasons],
        "not_excluded": list(outcome.disposition.not_excluded),
        "differential": [_ranked(ranked) for ranked in outcome.differential],
        "must_not_miss": list(outcome.must_not_miss),
        "unknowns": [_unknown(unknown) for unknown in outcome.unknowns],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _reason(reason: Reason) -> dict[str, Any]:
    match reason:
        case FlagReason(rule, kind, urgency, findings):
            return {
                "rule": rule,
                "kind": kind.value,
                "urgency": urgency.key,
                "findings": [_finding(finding) for finding in findings],
            }
        case RiskReason(conditions, group, urgency, posterior, threshold):
            return {
                "conditions": list(conditions),
                "group": group,
                "urgency": urgency.key,
                "posterior": _rounded(posterior),
                "threshold": _rounded(threshold),
            }


def _finding(finding: Finding) -> list[str | int | bool | None]:
    return [finding.feature, finding.option, finding.number, finding.present]


def _reason_of(reason: Finding | Together) -> list[Any]:
    match reason:
        case Finding():
            return _finding(reason)
        case Together(syndrome, findings):
            return [syndrome, [_finding(finding) for finding in findings]]


def _ranked(ranked: Ranked) -> dict[str, Any]:
    return {
        "condition": ranked.condition,
        "posterior": _rounded(ranked.posterior),
        "low": _rounded(ranked.low),
        "high": _rounded(ranked.high),
        "chance": ranked.chance.value,
        "weights": sorted(
            [
                [*_reason_of(weight.finding), _rounded(weight.nats)]
                for weight in (*ranked.supports, *ranked.opposes)
            ],
            key=str,
        ),
    }


def _unknown(unknown: Unknown) -> list[Any]:
    return [
        unknown.feature,
        list(unknown.rules),
        unknown.lowest.key,
        unknown.highest.key,
        list(unknown.leads),
    ]


def _rounded(number: float) -> float:
    return round(number, DECIMALS) + 0.0  # so that -0.0 reads as 0.0
