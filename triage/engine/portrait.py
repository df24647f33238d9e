"""What a condition looks like, and which others look like it: said of nobody in particular."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from .arrays import Array
from .disposition import Finding
from .explanation import Together
from .knowledge import Knowledge
from .syndromes import CompiledSyndrome
from .tables import overlap_of
from .vocabulary import ConditionKey, FeatureKey, Kind, OptionKey, SyndromeKey

COMMON = 0.5
"""A finding is common in a condition if at least this share of people with it have it."""

AT_LEAST_SEEN = 0.1
"""What fewer have than this is no way in which a condition shows, however telling it is."""

COMMON_BY = log(1.5)
TELLING_BY = log(2)
"""How much likelier than in the other conditions a finding must be to be said of one; nats. What
most people with any of them have says nothing of this one."""

DIGITS = 9  # of a nat; further apart, the order is the same on every machine


@dataclass(frozen=True, slots=True)
class Portrait:
    """How one condition shows, the most telling first: what most people with it have, and what
    fewer have but sets it apart. Findings of one syndrome are one reason, as everywhere, and said
    once."""

    common: tuple[Finding | Together, ...]
    telling: tuple[Finding | Together, ...]


@dataclass(frozen=True, slots=True)
class _Sign:
    """`lift` is how much likelier it is in the condition than in the others, nats."""

    finding: Finding
    probability: float
    lift: float


def portrait(knowledge: Knowledge, condition: ConditionKey) -> Portrait:
    """Return how a condition shows, from P(option | condition) against the mean of the others by
    their priors."""
    signs = sorted(_signs(knowledge, condition), key=lambda sign: -sign.lift)
    common = [s.finding for s in signs if s.probability >= COMMON and s.lift >= COMMON_BY]
    telling = [
        s.finding for s in signs if AT_LEAST_SEEN <= s.probability < COMMON and s.lift >= TELLING_BY
    ]
    syndrome_of = _syndromes_shown(knowledge, condition)
    said = {syndrome_of.get(finding) for finding in common} - {None}
    return Portrait(
        _together(common, syndrome_of, knowledge),
        _together([f for f in telling if syndrome_of.get(f) not in said], syndrome_of, knowledge),
    )


def _signs(knowledge: Knowledge, condition: ConditionKey) -> list[_Sign]:
    others = [other for other in knowledge.conditions if other.key != condition]
    whole = sum(other.prior for other in others)
    signs = []
    for feature in knowledge.features:
        for option in feature.options:
            if not option.scored:
                continue
            own = knowledge.likelihoods[condition, feature.key, option.key].probability
            rest = sum(
                other.prior * knowledge.likelihoods[other.key, feature.key, option.key].probability
                for other in others
            )
            lift = round(log(own * whole / rest), DIGITS)
            signs.append(_Sign(Finding(feature.key, option.key), own, lift))
    return signs


def _syndromes_shown(knowledge: Knowledge, condition: ConditionKey) -> dict[Finding, SyndromeKey]:
    """Return the findings that are likelier with a syndrome than without it, and which it is."""
    return {
        Finding(feature, option): syndrome.key
        for syndrome in knowledge.syndromes
        for (of_condition, feature, option), chances in syndrome.members.items()
        if of_condition == condition and max(chances[1:]) > chances[0]
    }


def _together(
    findings: Sequence[Finding], syndrome_of: Mapping[Finding, SyndromeKey], knowledge: Knowledge
) -> tuple[Finding | Together, ...]:
    """Gather the findings of a syndrome where the first of them stands; one alone is itself."""
    groups: dict[SyndromeKey | Finding, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(syndrome_of.get(finding, finding), []).append(finding)
    return tuple(
        Together(key, tuple(sorted(group, key=lambda f: knowledge.place[f.feature])))
        if isinstance(key, str) and len(group) > 1
        else group[0]
        for key, group in groups.items()
    )


def most_alike(knowledge: Knowledge, condition: ConditionKey) -> tuple[ConditionKey, ...]:
    """Return the other conditions, the one that looks most like it first."""
    keys = [each.key for each in knowledge.conditions]
    alike = likeness(knowledge)[keys.index(condition)].round(DIGITS)
    order = np.argsort(-alike, kind="stable")
    return tuple(keys[place] for place in order if keys[place] != condition)


def likeness(knowledge: Knowledge) -> Array:
    """Return how alike each two conditions are in all that is asked: the sum, over all joint
    outcomes, of the root of the product of their chances, as if the states of the syndromes
    could be seen.

    Shape:  (C, C), in (0, 1]; 1 on the diagonal.
    Source: Bhattacharyya A, Bull Calcutta Math Soc 1943;35:99-109.
    """
    tables = knowledge.tables
    alike: Array = np.ones((len(knowledge.conditions),) * 2)
    for feature in knowledge.features:
        rows = [
            tables.outcome_of[feature.key, option.key]
            for option in feature.options
            if (feature.key, option.key) in tables.term_of
        ]
        if not rows:
            continue
        chances = tables.outcomes[rows]
        if feature.kind is Kind.MULTI:
            alike *= overlap_of(chances)
        else:
            roots = np.sqrt(chances)
            alike *= roots.T @ roots
    for syndrome in tables.syndromes:
        alike *= _likeness_of(syndrome, knowledge)
    return alike


def _likeness_of(syndrome: CompiledSyndrome, knowledge: Knowledge) -> Array:
    """Return the part that one syndrome and its members have in the likeness, (C, C)."""
    variables: dict[tuple[FeatureKey, OptionKey | None], list[int]] = {}
    for (feature, option, _), row in syndrome.row_of.items():
        several = knowledge.feature(feature).kind is Kind.MULTI
        variables.setdefault((feature, option if several else None), []).append(row)
    roots = np.sqrt(syndrome.chances)
    alike = roots[:, :, None] * roots[:, None, :]
    for rows in variables.values():
        roots = np.sqrt(syndrome.given[rows])
        alike = alike * np.einsum("rsc,rsd->scd", roots, roots)
    return np.asarray(alike.sum(axis=0))
