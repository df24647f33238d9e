"""A topic seen whole: which questions come first, which rules read them, what they tell apart.

It is made of a compiled draft, sound or not: what cannot be worked out is left out, and said.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from triage.engine import (
    Expression,
    FeatureKey,
    Knowledge,
    OptionKey,
    RuleError,
    Words,
    discrimination,
    in_words,
    parse,
)
from triage.engine.rules import (
    AllOf,
    AnyOf,
    Compare,
    Has,
    Is,
    IsKnown,
    Literal,
    Not,
    Reading,
    holds,
)
from triage.evaluation.asking import Asked, asked_of

from .choices import Urgency
from .documents import canonical
from .knowledge import (
    Document,
    Fields,
    by_falling_prior,
    by_falling_urgency,
    in_order,
    is_ranked,
    options_of,
)
from .models import Effect, Topic

MOST_TOLD = 3
LEAST_TOLD = 0.3
"""Of each condition the map draws so many features, if they tell so much of it (nats): all of them
would be 800 lines, of which nobody can follow one."""

MOST_TOLD_ALONE = 12
"""A map of one condition or one feature has room for more."""

PEOPLE, SEED = 100, 5
"""So many simulated people are asked where the effect of the drafts was not measured: a second."""

KEPT = 8

type Place = tuple[str, str]
"""What a thing is and its key: ("features", "fever")."""

type Tell = Mapping[tuple[str, str], float]
"""Nats by condition and feature."""


@dataclass(frozen=True, slots=True)
class Feature:
    """`asked` is None where nobody is asked it, or where nobody knows."""

    key: str
    name: str
    section: str
    tier: str
    asked: Asked | None


@dataclass(frozen=True, slots=True)
class Named:
    """One answer that a rule names. `is_enough`: it makes the rule hold, with nothing else known."""

    words: str
    is_enough: bool


@dataclass(frozen=True, slots=True)
class Need:
    """What a rule reads of one feature: in sentences, and each answer that they name once."""

    feature: str
    sentences: tuple[str, ...]
    answers: tuple[Named, ...]

    @property
    def is_enough(self) -> bool:
        return any(answer.is_enough for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Flag:
    key: str
    title: str
    kind: str
    urgency: Urgency
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    feature: str
    nats: float


@dataclass(frozen=True, slots=True)
class Condition:
    """A state has no share, and no question tells of it: only flags raise it."""

    key: str
    name: str
    urgency: Urgency
    prior_percent: float | None
    told_by: tuple[Telling, ...]


@dataclass(frozen=True, slots=True)
class TopicMap:
    """Features in the order in which they are asked, flags and conditions from the most urgent."""

    title: str
    features: tuple[Feature, ...]
    flags: tuple[Flag, ...]
    conditions: tuple[Condition, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.features or self.flags or self.conditions)

    @property
    def names(self) -> Mapping[str, str]:
        return {feature.key: feature.name for feature in self.features}


def map_of(
    document: Document, knowledge: Knowledge | None, asked: Mapping[FeatureKey, Asked]
) -> TopicMap:
    """Return the map of a compiled topic; without knowledge its conditions are told by nothing."""
    features = {row["key"]: row for row in document["features"]}
    options = {key: options_of(row, document) for key, row in features.items()}
    words = Words(
        features={FeatureKey(key): row["name"] for key, row in features.items()},
        options={
            (FeatureKey(key), OptionKey(row["key"])): row["text"]
            for key, rows in options.items()
            for row in rows
        },
    )
    tell = {} if knowledge is None else _tell(knowledge)
    return TopicMap(
        title=document["topic"]["title"],
        features=tuple(_features(document, asked)),
        flags=tuple(
            Flag(
                row["key"],
                row["title"],
                row["kind"],
                Urgency(row["urgency"]),
                tuple(_needs(row["rule"], features, options, words)),
            )
            for row in by_falling_urgency(document["red_flags"])
        ),
        conditions=tuple(
            Condition(
                row["key"],
                row["plain_name"],
                Urgency(row["urgency"]),
                row["prior_percent"],
                _told_by(row, tell),
            )
            for row in _by_urgency(document["conditions"])
        ),
    )


def _by_urgency(conditions: list[Fields]) -> list[Fields]:
    places = {urgency: place for place, urgency in enumerate(Urgency.values)}
    return sorted(by_falling_prior(conditions), key=lambda row: -places[row["urgency"]])


def _features(document: Document, asked: Mapping[FeatureKey, Asked]) -> Iterator[Feature]:
    """Yield them by the mean place at which they are asked; those never asked stay where they
    stand in the content, after them."""
    rows = {row["key"]: row for row in in_order(document["features"])}
    first = [key for key in asked if key in rows]
    for key in [*first, *(key for key in rows if key not in asked)]:
        row = rows[key]
        yield Feature(key, row["name"], row["section"], row["tier"], asked.get(FeatureKey(key)))


def _tell(knowledge: Knowledge) -> Tell:
    table = discrimination(knowledge)
    return {
        (condition.key, feature.key): float(table[row, column])
        for row, feature in enumerate(knowledge.features)
        for column, condition in enumerate(knowledge.conditions)
    }


def _told_by(condition: Fields, tell: Tell) -> tuple[Telling, ...]:
    """Return all that tells enough of a condition, the most first."""
    if not is_ranked(condition):
        return ()
    own = [
        Telling(feature, nats)
        for (key, feature), nats in tell.items()
        if key == condition["key"] and nats >= LEAST_TOLD
    ]
    return tuple(sorted(own, key=lambda telling: (-telling.nats, telling.feature)))


def _needs(
    rule: str,
    features: Mapping[str, Fields],
    options: Mapping[str, Sequence[Fields]],
    words: Words,
) -> Iterator[Need]:
    """Yield what a rule reads, each feature once, as written; a draft's rule may be half done."""
    try:
        expression = parse(rule)
    except RuleError:
        return
    sentences: dict[str, dict[str, None]] = {}
    named: dict[str, dict[str, list[Reading]]] = {}
    for literal, is_wanted in _signed(expression, wanted=True):
        key = literal.feature
        try:
            said = in_words(literal if is_wanted else Not(literal), words).removesuffix(".")
            answers = list(_answers(literal, features[key], words))
        except KeyError:  # no such feature or option: find_faults says so
            continue
        sentences.setdefault(key, {})[said] = None
        for answer, readings in answers:
            named.setdefault(key, {}).setdefault(answer, []).extend(readings)
    for feature, own in sentences.items():
        answers_of_it = (
            Named(answer, _is_enough(expression, FeatureKey(feature), readings))
            for answer, readings in named[feature].items()
        )
        yield Need(feature, tuple(own), tuple(answers_of_it))


def _signed(expression: Expression, *, wanted: bool) -> Iterator[tuple[Literal, bool]]:
    """Yield every literal, and whether the rule wants it to hold."""
    match expression:
        case Not(part):
            yield from _signed(part, wanted=not wanted)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _signed(part, wanted=wanted)
        case _:
            yield expression, wanted


def _answers(
    literal: Literal, feature: Fields, words: Words
) -> Iterator[tuple[str, Sequence[Reading]]]:
    """Yield each answer that a literal names, and how it is read."""
    match literal:
        case Is(_, options):
            for option in options:
                yield words.options[literal.feature, option], [frozenset({option})]
        case Has(_, option):
            yield words.options[literal.feature, option], [frozenset({option})]
        case Compare() | IsKnown():
            said = in_words(literal, words).removesuffix(".").removeprefix(feature["name"]).strip()
            numbers = range(feature["low"] or 0, (feature["high"] or 0) + 1)
            fitting = [n for n in numbers if holds(literal, {literal.feature: n})]
            yield said.removeprefix("is "), fitting


def _is_enough(expression: Expression, feature: FeatureKey, readings: Sequence[Reading]) -> bool:
    if holds(expression, {}):
        return False
    return any(holds(expression, {feature: reading}) for reading in readings)


# A part of it


def overview(whole: TopicMap) -> TopicMap:
    """Return the map with the strongest few of what tells of each condition."""
    conditions = (
        replace(condition, told_by=condition.told_by[:MOST_TOLD]) for condition in whole.conditions
    )
    return replace(whole, conditions=tuple(conditions))


def around(whole: TopicMap, place: Place) -> TopicMap | None:
    """Return only what is linked with one feature, flag or condition; None if there is no such."""
    part, key = place
    match part:
        case "features":
            return _around_feature(whole, key)
        case "red_flags":
            flags = [flag for flag in whole.flags if flag.key == key]
            asked = {need.feature for flag in flags for need in flag.needs}
            return _part(whole, flags, asked, []) if flags else None
        case "conditions":
            conditions = [
                replace(condition, told_by=condition.told_by[:MOST_TOLD_ALONE])
                for condition in whole.conditions
                if condition.key == key
            ]
            telling = {each.feature for condition in conditions for each in condition.told_by}
            return _part(whole, [], telling, conditions) if conditions else None
        case _:
            return None


def _around_feature(whole: TopicMap, key: str) -> TopicMap | None:
    if key not in whole.names:
        return None

    def of_it[T: (Need, Telling)](parts: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(part for part in parts if part.feature == key)

    flags = [replace(flag, needs=of_it(flag.needs)) for flag in whole.flags]
    conditions = [
        replace(condition, told_by=of_it(condition.told_by)) for condition in whole.conditions
    ]
    told = sorted((c for c in conditions if c.told_by), key=lambda c: -c.told_by[0].nats)
    kept = {condition.key for condition in told[:MOST_TOLD_ALONE]}
    return _part(
        whole,
        [flag for flag in flags if flag.needs],
        {key},
        [condition for condition in conditions if condition.key in kept],
    )


def _part(
    whole: TopicMap, flags: Sequence[Flag], features: set[str], conditions: Sequence[Condition]
) -> TopicMap:
    return replace(
        whole,
        features=tuple(q for q in whole.features if q.key in features),
        flags=tuple(flags),
        conditions=tuple(conditions),
    )


# The order of asking


@dataclass(frozen=True, slots=True)
class Order:
    """`people` are the simulated people whom it rests on; 0: the order of the content."""

    asked: Mapping[FeatureKey, Asked]
    people: int
    is_measured: bool = False


_asked: dict[str, Order] = {}


def order_of(topic: Topic, document: Document, knowledge: Knowledge | None) -> Order:
    """Return the order in which the drafts ask: from the last effect that was measured of just
    these drafts, or else of a few people, remembered by what the drafts hold."""
    if knowledge is None:
        return Order({}, 0)
    sha256 = hashlib.sha256(canonical(dict(document))).hexdigest()
    effects = Effect.objects.filter(
        draft__topic=topic, draft__sha256=sha256, figures__isnull=False
    ).order_by("-asked_at")
    if (effect := effects.first()) and effect.figures:
        asked = {
            FeatureKey(key): Asked(share=row["share"], place=row["place"])
            for key, row in effect.figures["asked"].items()
            if row["share"] > 0
        }
        in_turn = dict(sorted(asked.items(), key=lambda item: (item[1].place, item[0])))
        return Order(in_turn, effect.figures["people"]["count"], is_measured=True)
    if sha256 not in _asked:
        while len(_asked) >= KEPT:
            _asked.pop(next(iter(_asked)))
        _asked[sha256] = Order(asked_of(knowledge, np.random.default_rng(SEED), PEOPLE), PEOPLE)
    return _asked[sha256]
