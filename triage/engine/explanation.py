"""Why: what speaks for and against each condition, and which unknowns matter."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .arrays import Array
from .disposition import Finding, unknown_features
from .evidence import Chosen, Number, Reply
from .inference import log_odds, reaches
from .standing import Standing
from .verdicts import FALSE
from .vocabulary import Feature, FeatureKey, Kind, OptionKey, RuleKey, SyndromeKey, Urgency


@dataclass(frozen=True, slots=True)
class Together:
    """The findings of one syndrome, which are one reason and not several."""

    syndrome: SyndromeKey
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Weight:
    """What one reason adds to a condition's log-odds against all the others; nats."""

    finding: Finding | Together
    nats: float


def weights_of_evidence(standing: Standing) -> tuple[tuple[Finding | Together, ...], Array]:
    """Return every reason, and what it adds to the log-odds of each condition.

    Each reason is weighed against the others' posterior before it, features in the order of the
    content, a syndrome where the first of its findings stands; so each column's sum is exactly the
    change of log-odds from prior to now, whatever the order of asking.

    Shape:  reasons (N,), weights (N, C); nats.
    Source: I. J. Good, Probability and the Weighing of Evidence, 1950.
    """
    knowledge = standing.knowledge
    reasons: list[Finding | Together] = []
    scores = [knowledge.tables.log_priors]
    for reason, term in _reasons(standing):
        reasons.append(reason)
        scores.append(scores[-1] + term)
    if not reasons:
        return (), np.zeros((0, len(knowledge.conditions)))
    return tuple(reasons), np.diff(log_odds(np.array(scores)), axis=0)


def _reasons(standing: Standing) -> Iterator[tuple[Finding | Together, Array]]:
    """Yield each reason, and what it adds to the log scores of all conditions."""
    tables = standing.knowledge.tables
    together = _together(standing)
    told: set[SyndromeKey] = set()
    for feature, reply in standing.read:
        for finding, row in _findings(standing, feature, reply):
            yield finding, tables.terms[row]
        for place, _ in tables.linked_rows(feature, reply):
            syndrome = tables.syndromes[place]
            if syndrome.key not in told:
                told.add(syndrome.key)
                findings, rows = zip(*together[syndrome.key], strict=True)
                term = syndrome.terms(syndrome.logs[list(rows)].sum(axis=0))
                yield Together(syndrome.key, findings), term


def _together(standing: Standing) -> dict[SyndromeKey, list[tuple[Finding, int]]]:
    """Return the findings of each syndrome, and the row that each of them is."""
    tables = standing.knowledge.tables
    together: dict[SyndromeKey, list[tuple[Finding, int]]] = {}
    for feature, reply in standing.read:
        for place, rows in tables.linked_rows(feature, reply):
            syndrome = tables.syndromes[place]
            names = {row: (option, ticked) for (_, option, ticked), row in syndrome.row_of.items()}
            together.setdefault(syndrome.key, []).extend(
                (_linked_finding(feature, reply, *names[row]), row) for row in rows
            )
    return together


def _linked_finding(feature: Feature, reply: Reply, option: OptionKey, present: bool) -> Finding:
    if isinstance(reply, Number):
        return Finding(feature.key, number=reply.value)
    return Finding(feature.key, option, present=present)


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
    return sum(reaches(probability, cut) for cut in _CUTS)
