"""Packs and answers drawn from a seed: the same for everybody that is compared.

What the others are given is worked out here from the knowledge's own numbers, not from what the
engine made of them, so that agreement says something.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from triage.engine import (
    NOT_SURE,
    Ask,
    Chosen,
    Condition,
    ConditionKey,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Number,
    Option,
    OptionKey,
    Reply,
    Settings,
    Urgency,
    applies,
    next_step,
)
from triage.engine.standing import Standing
from triage.evaluation.simulation import simulated

REPLIES = 10
INFORMATIVE = 0.25
"""The share of cells in which a condition differs from the rest, as in packs met in practice."""


@dataclass(frozen=True, slots=True)
class Variable:
    """What comes out in one of several ways: an option of a single choice, the band of a number, or
    one option of a multiple choice, ticked (0) or not (1).

    likelihoods  [outcome][condition], P'(outcome | condition), slips allowed for
    """

    feature: FeatureKey
    options: tuple[OptionKey, ...]
    likelihoods: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """A topic, and people's replies, of which each differs from the one before in one reply.

    observed  the same replies as {variable: outcome}
    open      the features that may be asked next
    """

    name: str
    knowledge: Knowledge
    variables: tuple[Variable, ...]
    replies: tuple[Evidence, ...]
    observed: tuple[Mapping[int, int], ...]
    open: tuple[frozenset[FeatureKey], ...]

    @property
    def priors(self) -> list[float]:
        return [condition.prior for condition in self.knowledge.conditions]

    @property
    def of_feature(self) -> dict[FeatureKey, list[int]]:
        """The variables of each feature."""
        places: dict[FeatureKey, list[int]] = {}
        for place, variable in enumerate(self.variables):
            places.setdefault(variable.feature, []).append(place)
        return places


def pack_of(
    name: str, knowledge: Knowledge, replies: tuple[Evidence, ...], *, for_others: bool = True
) -> Pack:
    variables = tuple(_variables(knowledge)) if for_others else ()
    return Pack(
        name,
        knowledge,
        variables,
        replies,
        observed=tuple(_observed(knowledge, variables, evidence) for evidence in replies),
        open=tuple(_open(knowledge, evidence) for evidence in replies),
    )


@dataclass(frozen=True, slots=True)
class Size:
    """How large a pack is. `own` is the number of features in which each condition differs from
    the background; without it every cell is stated."""

    conditions: int
    features: int
    options: int
    own: int | None = None

    @property
    def name(self) -> str:
        dense = f"{self.conditions:,} x {self.features:,} x {self.options}"
        return dense if self.own is None else f"{dense}, {self.own} own"

    @property
    def cells(self) -> int:
        """How many pairs of a condition and a feature are stated."""
        return self.conditions * (self.own or self.features)


def parts_of(size: Size, *, seed: int = 1) -> dict[str, Any]:
    """Return what the knowledge of a pack of single choices is made of, findings at full weight."""
    chance = np.random.default_rng(seed)
    keys = [ConditionKey(f"c{number:05}") for number in range(size.conditions)]
    options = tuple(Option(OptionKey(f"o{option}")) for option in range(size.options))
    asked = [
        Feature(FeatureKey(f"f{number:05}"), Kind.SINGLE, options)
        for number in range(size.features)
    ]
    usual = _rows(chance, size.features, np.full(size.options, 2.0))
    likelihoods: dict[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood] = {}

    def state(key: ConditionKey, feature: Feature, row: list[float]) -> None:
        for option, cell in zip(options, row, strict=True):
            likelihoods[key, feature.key, option.key] = Likelihood(cell)

    if size.own is None:
        for feature, background in zip(asked, usual, strict=True):
            informative = chance.random((size.conditions, 1)) < INFORMATIVE
            own = _rows(chance, size.conditions, np.ones(size.options))
            rows = np.where(informative, own, background)
            for key, row in zip(keys, rows.tolist(), strict=True):
                state(key, feature, row)
    else:
        for key in keys:
            places = chance.choice(size.features, size.own, replace=False)
            rows = _rows(chance, size.own, np.ones(size.options))
            for place, row in zip(places, rows.tolist(), strict=True):
                state(key, asked[place], row)
    priors = chance.dirichlet(np.full(size.conditions, 2.0)) + 1e-4
    parts = {
        "conditions": [
            Condition(key, float(prior), Urgency.SELF_CARE)
            for key, prior in zip(keys, priors / priors.sum(), strict=True)
        ],
        "features": asked,
        "rules": [],
        "likelihoods": likelihoods,
        "settings": Settings(temper=1.0, gain_stop=0.0, lead_stop=1.0),
    }
    if size.own is not None:
        parts["background"] = {
            (feature.key, option.key): Likelihood(cell)
            for feature, row in zip(asked, usual.tolist(), strict=True)
            for option, cell in zip(options, row, strict=True)
        }
    return parts


def _rows(chance: np.random.Generator, count: int, weights: np.ndarray) -> np.ndarray:
    rows = np.clip(chance.dirichlet(weights, count), 0.005, None)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def drawn(conditions: int, features: int, options: int, *, people: int, seed: int = 1) -> Pack:
    """Return a pack of single choices, and replies to ten of its features."""
    size = Size(conditions, features, options)
    return replied(size.name, Knowledge(**parts_of(size, seed=seed)), people=people, seed=seed)


def replied(
    name: str, knowledge: Knowledge, *, people: int, seed: int = 1, for_others: bool = True
) -> Pack:
    """Return the pack of this knowledge, and replies to ten of its features. What the others are
    given is left out where nobody asks for it."""
    chance = np.random.default_rng(seed)
    asked = knowledge.features
    first = [asked[place] for place in chance.choice(len(asked), REPLIES, replace=False)]
    replies = [Evidence((feature.key, _one_of(feature, chance)) for feature in first)]
    while len(replies) < people:
        feature = first[int(chance.random() * REPLIES)]
        changed = replies[-1].set(feature.key, _one_of(feature, chance))
        if changed != replies[-1]:
            replies.append(changed)
    return pack_of(name, knowledge, tuple(replies), for_others=for_others)


def shipped(name: str, knowledge: Knowledge, *, people: int, seed: int = 1) -> Pack:
    """Return a real topic without its syndromes, which plain Python does not have, and the replies
    of simulated people after ten questions."""
    knowledge = _independent(knowledge, knowledge.settings)
    chance = np.random.default_rng(seed)
    replies: list[Evidence] = []
    while len(replies) < people:
        person = next(simulated(knowledge, chance, 1)).evidence
        if replies and len(replies) % REPLIES:  # nine changes of one reply, then somebody else
            changed = _changed(knowledge, replies[-1], person, chance)
        else:
            changed = _after_ten(knowledge, person)
        if changed is not None:
            replies.append(changed)
    return pack_of(name, knowledge, tuple(replies))


def untempered(pack: Pack) -> Pack:
    """Return the pack with every finding at full weight, which is all that the others can do."""
    return tempered(pack, 1.0)


def tempered(pack: Pack, temper: float) -> Pack:
    """Return the pack with another temper, without syndromes, and with always something to ask."""
    settings = replace(pack.knowledge.settings, temper=temper, gain_stop=0.0)
    return replace(pack, knowledge=_independent(pack.knowledge, settings))


def _independent(knowledge: Knowledge, settings: Settings) -> Knowledge:
    return Knowledge(
        conditions=knowledge.conditions,
        features=knowledge.features,
        rules=knowledge.rules,
        likelihoods=knowledge.likelihoods,
        groups=knowledge.groups,
        settings=settings,
    )


def _after_ten(knowledge: Knowledge, person: Evidence) -> Evidence | None:
    said = Evidence()
    unknown = frozenset(f.key for f in knowledge.features if f.key not in person)
    while len(said) < REPLIES:
        step = next_step(knowledge, said, skipped=unknown)
        reply = person.get(step.feature) if isinstance(step, Ask) else None
        if not isinstance(step, Ask) or reply is None:
            return None
        said = said.set(step.feature, reply)
    return said


def _changed(
    knowledge: Knowledge, said: Evidence, other: Evidence, chance: np.random.Generator
) -> Evidence | None:
    """Return the evidence with one reply of somebody else's, if all of it still applies."""
    key = [key for key, _ in said][int(chance.random() * len(said))]
    reply = other.get(key)
    if reply is None or reply == said.get(key):
        return None
    changed = said.set(key, reply)
    return changed if all(applies(knowledge, changed, key) for key, _ in changed) else None


def _one_of(feature: Feature, chance: np.random.Generator) -> Reply:
    option = feature.options[int(chance.random() * len(feature.options))]
    return Chosen(frozenset({option.key}))


def _variables(knowledge: Knowledge) -> Iterator[Variable]:
    slip = knowledge.settings.slip
    for feature in knowledge.features:
        scored = [option.key for option in feature.options if option.scored]
        ways = 2 if feature.kind is Kind.MULTI else len(scored)
        rows = {
            option: tuple(
                (1 - slip) * knowledge.likelihoods[c.key, feature.key, option].probability
                + slip / ways
                for c in knowledge.conditions
            )
            for option in scored
        }
        if feature.kind is Kind.MULTI:
            for option, row in rows.items():
                yield Variable(feature.key, (option,), (row, tuple(1 - p for p in row)))
        elif scored:
            yield Variable(feature.key, tuple(scored), tuple(rows.values()))


def _open(knowledge: Knowledge, evidence: Evidence) -> frozenset[FeatureKey]:
    standing = Standing(knowledge, evidence)
    return frozenset(filter(standing.may_ask, (feature.key for feature in knowledge.features)))


def _observed(
    knowledge: Knowledge, variables: tuple[Variable, ...], evidence: Evidence
) -> dict[int, int]:
    seen: dict[int, int] = {}
    for place, variable in enumerate(variables):
        outcome = _outcome(knowledge.feature(variable.feature), variable, evidence)
        if outcome is not None:
            seen[place] = outcome
    return seen


def _outcome(feature: Feature, variable: Variable, evidence: Evidence) -> int | None:
    match evidence.get(feature.key):
        case None | Declined():
            return None
        case Number(value):
            for place, key in enumerate(variable.options):
                option = next(option for option in feature.options if option.key == key)
                low = feature.low if option.low is None else option.low
                high = feature.high if option.high is None else option.high
                if low is not None and high is not None and low <= value <= high:
                    return place
            return None
        case Chosen(options) if feature.kind is Kind.MULTI:
            if NOT_SURE in options:
                return None
            return 0 if variable.options[0] in options else 1
        case Chosen(options):
            places = [place for place, key in enumerate(variable.options) if key in options]
            return places[0] if places else None
