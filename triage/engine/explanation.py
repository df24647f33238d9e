"""Why: what speaks for and against each condition, and which unknowns matter."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .disposition import Finding, unknown_features
from .evidence import Chosen, Number, Reply
from .inference import log_odds
from .standing import Standing
from .tables import Array
from .verdicts import FALSE
from .vocabulary import Feature, FeatureKey, Kind, RuleKey, Urgency


@dataclass(frozen=True, slots=True)
class Weight:
    """What one finding adds to a condition's log-odds against all the others; nats."""

    finding: Finding
    nats: float


def weights_of_evidence(standing: Standing) -> tuple[tuple[Finding, ...], Array]:
    """Return every finding, and what it adds to the log-odds of each condition.

    Each finding is weighed against the others' posterior before it, features in the order of the
    content; so each column's sum is exactly the change of log-odds from prior to now, whatever the
    order of asking.

    Shape:  findings (N,), weights (N, C); nats.
    Source: I. J. Good, Probability and the Weighing of Evidence, 1950.
    """
    knowledge, tables = standing.knowledge, standing.knowledge.tables
    findings: list[Finding] = []
    scores = [tables.log_priors]
    for feature, reply in standing.read:
        for finding, row in _findings(standing, feature, reply):
            findings.append(finding)
            scores.append(scores[-1] + tables.terms[row])
    if not findings:
        return (), np.zeros((0, len(knowledge.conditions)))
    return tuple(findings), np.diff(log_odds(np.array(scores)), axis=0)


def _findings(standing: Standing, feature: Feature, reply: Reply) -> list[tuple[Finding, int]]:
    tables = standing.knowledge.tables
    rows = tables.terms_of(feature, reply)
    match reply:
        case Number(value):
            return [(Finding(feature.key, number=value), row) for row in rows]
        case Chosen(options):
            named = {tables.term_of.get((feature.key, key)): key for key in options}
            nothing_more = Finding(feature.key, present=feature.kind is not Kind.MULTI)
            return [
                (Finding(feature.key, named[row]) if row in named else nothing_more, row)
                for row in rows
            ]
        case _:
            return []


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something asked but not known, and the rules that could still raise the urgency by it."""

    feature: FeatureKey
    rules: tuple[RuleKey, ...]


def unknowns_that_matter(standing: Standing, urgency: Urgency) -> tuple[Unknown, ...]:
    """Return each unknown by which, were it known, a rule above `urgency` could come to hold."""
    found = []
    for feature in unknown_features(standing.closed()):
        reopened = Standing(
            standing.knowledge,
            standing.evidence.without(feature),
            standing.closed().skipped - {feature},
        )
        rules = tuple(
            rule.key
            for rule in standing.knowledge.rules
            if rule.urgency > urgency and reopened.verdicts[rule.key] is not FALSE
        )
        if rules:
            found.append(Unknown(feature, rules))
    return tuple(found)


class Chance(StrEnum):
    """Five words with steady meanings, cut at 0.10, 0.30, 0.60 and 0.80.

    Source: Hashim, Ulster Med J 2024;93(1):18.
    """

    VERY_UNLIKELY = "very_unlikely"
    UNLIKELY = "unlikely"
    POSSIBLE = "possible"
    LIKELY = "likely"
    VERY_LIKELY = "very_likely"
    HARD_TO_TELL = "hard_to_tell"


_CUTS = (0.10, 0.30, 0.60, 0.80)
_WORDS = tuple(Chance)[:5]


def chance(probability: float, low: float, high: float) -> Chance:
    """Return the word for a probability whose range is `low` to `high`.

    A range that spans more than two words says that it is hard to tell.
    """
    if _word(high) - _word(low) > 1:
        return Chance.HARD_TO_TELL
    return _WORDS[_word(probability)]


def _word(probability: float) -> int:
    return sum(probability >= cut for cut in _CUTS)
