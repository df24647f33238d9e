"""Why: what speaks for and against each condition, and which unknowns matter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np

from .arrays import Array
from .disposition import Finding, unknown_features
from .evidence import Chosen, Declined, Number, Reply
from .inference import log_odds, reaches
from .replaying import Replay
from .standing import Standing
from .verdicts import FALSE
from .vocabulary import (
    ConditionKey,
    Feature,
    FeatureKey,
    Kind,
    OptionKey,
    RuleKey,
    SyndromeKey,
    Urgency,
)


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
    """Something asked but not known, that matters.

    rules            those above the urgency that some reply to it makes hold
    lowest, highest  the least and the most urgent that a reply to it makes the advice
    leads            the conditions that a reply to it brings to the front, in place of the one that
                     leads now; in the order of the content
    """

    feature: FeatureKey
    rules: tuple[RuleKey, ...]
    lowest: Urgency
    highest: Urgency
    leads: tuple[ConditionKey, ...]


def unknowns_that_matter(standing: Standing, replay: Replay | None = None) -> tuple[Unknown, ...]:
    """Return each unknown to which some reply, another way to decline included, changes the urgency
    or the leading condition.

    That is exact unless a multiple choice has more than `MOST_OPTIONS` options: of such a one not
    all sets are tried. A replay of the standing that is there already spares making one.
    """
    closed = standing.closed()
    unknown = [standing.knowledge.feature(key) for key in unknown_features(closed)]
    if not unknown:
        return ()
    replay = replay or Replay(standing)
    now = replay.now.urgency
    urgencies: dict[FeatureKey, set[Urgency]] = {feature.key: {now} for feature in unknown}
    leads: dict[FeatureKey, set[ConditionKey | None]] = {feature.key: set() for feature in unknown}
    changes = [(f.key, reply) for f in unknown for reply in _extremes(replay, f)]
    for (key, _), replayed in zip(changes, replay.after([(c,) for c in changes]), strict=True):
        urgencies[key].add(replayed.urgency)
    changes = [(f.key, reply) for f in unknown for reply in _tellings(replay, f)]
    lead, *others = replay.leads([(), *((change,) for change in changes)])
    for (key, _), other in zip(changes, others, strict=True):
        leads[key].add(other)
    found = [
        Unknown(
            key,
            _rules_by(standing, closed, key, now),
            min(urgencies[key]),
            max(urgencies[key]),
            tuple(c.key for c in standing.knowledge.conditions if c.key in leads[key] - {lead}),
        )
        for key in urgencies
    ]
    return tuple(one for one in found if one.lowest < now or one.highest > now or one.leads)


MOST_OPTIONS = 12


def _rules_by(
    standing: Standing, closed: Standing, key: FeatureKey, urgency: Urgency
) -> tuple[RuleKey, ...]:
    """Return the rules above the urgency that some reply to the feature makes hold."""
    reopened = Standing(standing.knowledge, standing.evidence.without(key), closed.skipped - {key})
    return tuple(
        rule.key
        for rule in standing.knowledge.rules
        if rule.urgency > urgency and reopened.verdict(rule.key) is not FALSE
    )


def _replies_alone(replay: Replay, feature: Feature) -> Iterator[Reply]:
    """Yield every reply but those that tick several options; of the numbers one of each cell."""
    yield from map(Declined, feature.declines)
    if feature.kind is Kind.NUMBER:
        for cell in replay.knowledge.signs.cells[feature.key]:
            yield Number(cell.start)
    else:
        for option in feature.options:
            yield Chosen(frozenset({option.key}))


def _extremes(replay: Replay, feature: Feature) -> Iterator[Reply]:
    """Yield replies among which are the least urgent and the most urgent one: since an alarm never
    lowers the urgency, of those that tick several options the ones with no alarm and with all."""
    yield from _replies_alone(replay, feature)
    if feature.kind is Kind.MULTI:
        together = [option for option in feature.options if not option.exclusive]
        alarms = frozenset(option.key for option in together if option.alarm)
        for calm in _sets([option.key for option in together if not option.alarm]):
            if len(calm) > 1:
                yield Chosen(calm)
            if len(calm | alarms) > 1 and alarms:
                yield Chosen(calm | alarms)


def _tellings(replay: Replay, feature: Feature) -> Iterator[Reply]:
    """Yield replies among which is one of each kind that tells the conditions apart in its own way:
    options that are not scored tell nothing beside others."""
    yield from _replies_alone(replay, feature)
    if feature.kind is Kind.MULTI:
        scored = [o.key for o in feature.options if o.scored and not o.exclusive]
        yield from (Chosen(options) for options in _sets(scored) if len(options) > 1)


def _sets(options: Sequence[OptionKey]) -> Iterator[frozenset[OptionKey]]:
    """Yield every set of options, the empty one too; of many options only small ones and all."""
    if len(options) > MOST_OPTIONS:
        yield frozenset(options)
    sizes = range(len(options) + 1 if len(options) <= MOST_OPTIONS else 3)
    for size in sizes:
        yield from map(frozenset, combinations(options, size))


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
