"""Whether the credible range holds the truth as often as it says, on worlds drawn at random.

In a world every stated number is drawn anew: logit-normal about its value, with the spread of its
basis, and what must sum to 1 made to. That is all the range claims to know, so what it misses here
is its own arithmetic, never a number that is wrong. The people come from the stated tables and not
from the world: the range is told to somebody of whom only the replies are known, and their chances
under the stated numbers are what is known of those. Many worlds can then share one person.

W worlds, C conditions, S states of a syndrome, K options.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from triage.engine import (
    NOT_SURE,
    Chance,
    Chosen,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Number,
    OptionKey,
    Reply,
)
from triage.engine.arrays import Array
from triage.engine.explanation import chance as word_for
from triage.engine.inference import credible_range, normalised, posterior_of
from triage.engine.spreads import spread_of, spread_of_cell
from triage.engine.standing import Standing
from triage.engine.tables import band_of

from .intervals import Share
from .tables import Table

CUTS = (0.01, 0.10, 0.30, 0.60, 0.80, 1.0)
"""Below 1 % a posterior is no news to anybody; the others are where the words change."""


@dataclass(frozen=True, slots=True)
class Held:
    """One range of one person, and in how many worlds it held the posterior."""

    posterior: float
    leading: bool
    word: Chance
    worlds: Share


@dataclass(frozen=True, slots=True)
class Coverage:
    """The ranges of all people: of each leading condition, and of each posterior above 1 %."""

    ranges: tuple[Held, ...]
    people: int

    @property
    def leading(self) -> Share:
        return _together(held for held in self.ranges if held.leading)

    @property
    def likely(self) -> Share:
        return _together(self.ranges)

    @property
    def hard_to_tell(self) -> Share:
        """How many of the leading conditions are called hard to tell."""
        words = [held.word for held in self.ranges if held.leading]
        return Share(words.count(Chance.HARD_TO_TELL), len(words))

    def between(self, low: float, high: float) -> "Coverage":
        """The ranges of posteriors from `low` up to `high`."""
        within = tuple(held for held in self.ranges if low <= held.posterior < high)
        return Coverage(within, self.people)


def _together(ranges: Iterable[Held]) -> Share:
    shares = [held.worlds for held in ranges]
    return Share(sum(share.hits for share in shares), sum(share.of for share in shares))


def coverage(
    knowledge: Knowledge, said: Sequence[Evidence], chance: np.random.Generator, worlds: int
) -> Coverage:
    """Set the range of each person in scope against the posterior in `worlds` worlds of their own.

    Only `chance.random()` is drawn from.
    """
    drawn = Worlds(knowledge)
    ranges: list[Held] = []
    for evidence in said:
        standing = Standing(knowledge, evidence)
        stated, reach = posterior_of(standing), credible_range(standing)
        truths = drawn.posteriors(standing, chance, worlds)
        hits = ((reach.low <= truths) & (truths <= reach.high)).sum(axis=0)
        leading = int(stated.argmax())
        for place in np.flatnonzero(stated >= CUTS[0]):
            p, low, high = (float(a[place]) for a in (stated, reach.low, reach.high))
            ranges.append(
                Held(
                    p,
                    place == leading,
                    word_for(p, low, high),
                    Share(int(hits[place]), worlds),
                )
            )
    return Coverage(tuple(ranges), len(said))


def table(title: str, found: Coverage) -> Table:
    """How often ranges hold the posterior, by how likely the condition is."""
    rows = [("all", found)]
    for low, high in pairwise(CUTS):
        name = f"{100 * low:.0f} to {100 * high:.0f} %"
        rows.append((name, found.between(low, high if high < 1 else 2)))
    return Table(
        title,
        ("posterior", "leading cause", "every cause above 1 %", "leading cause is hard to tell"),
        tuple(
            (name, str(part.leading), str(part.likely), str(part.hard_to_tell))
            for name, part in rows
        ),
    )


class Worlds:
    """The stated numbers of a topic as log-odds, with their spreads, ready to be drawn."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        settings, conditions = knowledge.settings, knowledge.conditions
        self.priors = _logit([condition.prior for condition in conditions])
        self.prior_spreads = np.array([spread_of(c.prior_basis, settings) for c in conditions])
        self.spreads: dict[FeatureKey, Array] = {}
        self.options: dict[FeatureKey, list[OptionKey]] = {}
        for feature in knowledge.features:
            keys = [option.key for option in feature.options if option.scored]
            cells = [
                [knowledge.likelihoods[c.key, feature.key, k] for k in keys] for c in conditions
            ]
            self.options[feature.key] = keys
            self.spreads[feature.key] = np.array(
                [[spread_of_cell(cell, settings) for cell in row] for row in cells]
            ).reshape(len(conditions), len(keys))

    def posteriors(self, standing: Standing, chance: np.random.Generator, count: int) -> Array:
        """Return the posterior of one person in each of `count` worlds, (W, C).

        By the formula of the engine, written out anew with the numbers of the world.
        """
        knowledge = self.knowledge
        temper = knowledge.settings.temper
        scores = np.log(_drawn(self.priors, self.prior_spreads, chance, count))
        told = [dict[tuple[FeatureKey, OptionKey], Array]() for _ in knowledge.syndromes]
        for feature, reply in standing.read:
            found = _found(feature, reply)
            if found is None or not self.options[feature.key]:
                continue
            for options in self._variables(feature):
                owner = self._owner(feature, options[0])
                logs = self._logs(feature, options, found, owner, chance, count)
                if owner is None:
                    scores = scores + temper * logs
                else:
                    told[owner][feature.key, options[0]] = logs
        for place, syndrome in enumerate(knowledge.syndromes):
            if not told[place]:
                continue
            stated = np.array([syndrome.chances[c.key] for c in knowledge.conditions])
            spread = np.asarray(spread_of(syndrome.basis, knowledge.settings))
            states = _drawn_states(_logit(stated), spread, chance, count)
            joint = np.log(np.moveaxis(states, -1, 1)) + sum(told[place].values())  # (W, S, C)
            scores = scores + temper * np.log(np.exp(joint).sum(axis=1))
        return normalised(scores)

    def _variables(self, feature: Feature) -> list[list[OptionKey]]:
        """Return the options that exclude each other: all of a choice, each of a multiple choice."""
        keys = self.options[feature.key]
        return [[key] for key in keys] if feature.kind is Kind.MULTI else [keys]

    def _owner(self, feature: Feature, option: OptionKey) -> int | None:
        """Return the place of the syndrome to which an option belongs."""
        first = self.knowledge.conditions[0].key
        return next(
            (
                place
                for place, syndrome in enumerate(self.knowledge.syndromes)
                if (first, feature.key, option) in syndrome.members
            ),
            None,
        )

    def _logs(
        self,
        feature: Feature,
        options: list[OptionKey],
        found: frozenset[OptionKey],
        owner: int | None,
        chance: np.random.Generator,
        count: int,
    ) -> Array:
        """Return log P'(what was found | condition), (W, C), or with the state, (W, S, C)."""
        knowledge, slip = self.knowledge, self.knowledge.settings.slip
        own = self.options[feature.key]
        spreads = self.spreads[feature.key][:, [own.index(option) for option in options]]
        cells = [[(c.key, feature.key, option) for option in options] for c in knowledge.conditions]
        if owner is None:
            stated = np.array(
                [[knowledge.likelihoods[c].probability for c in row] for row in cells]
            )
        else:
            members = knowledge.syndromes[owner].members
            stated = np.moveaxis(np.array([[members[c] for c in row] for row in cells]), -1, 0)
        if feature.kind is Kind.MULTI:
            yes = (1 - slip) * _drawn(_logit(stated), spreads, chance, count)[..., 0] + slip / 2
            return np.asarray(np.log(yes if options[0] in found else 1 - yes))
        rows = _drawn_rows(_logit(stated), spreads, chance, count)
        chosen = [place for place, option in enumerate(options) if option in found]
        if not chosen:  # an option that is not scored tells nothing
            return np.zeros(rows.shape[:-1])
        return np.asarray(np.log((1 - slip) * rows[..., chosen[0]] + slip / len(options)))


def _found(feature: Feature, reply: Reply) -> frozenset[OptionKey] | None:
    """Return the options that a reply comes to, None if it tells nothing."""
    match reply:
        case Number(value):
            band = band_of(feature, value)
            return None if band is None else frozenset({band})
        case Chosen(options) if NOT_SURE not in options:
            return options
        case _:
            return None


def _logit(stated: object) -> Array:
    p = np.asarray(stated, dtype=float)
    return np.asarray(np.log(p) - np.log1p(-p))


def _drawn(logits: Array, spreads: Array, chance: np.random.Generator, count: int) -> Array:
    """Return `count` draws of each number, (W, ...)."""
    odds = logits + spreads * _normals(chance, (count, *logits.shape))
    return np.asarray(np.exp(-np.logaddexp(0, -odds)))


def _drawn_rows(logits: Array, spreads: Array, chance: np.random.Generator, count: int) -> Array:
    """Return draws of numbers of which the last axis must sum to 1."""
    rows = _drawn(logits, spreads, chance, count)
    return np.asarray(rows / rows.sum(axis=-1, keepdims=True))


def _drawn_states(logits: Array, spreads: Array, chance: np.random.Generator, count: int) -> Array:
    """Return draws of a syndrome's chances, (W, C, S). Two states are one number and its rest."""
    if logits.shape[-1] != 2:
        return _drawn_rows(logits, spreads, chance, count)
    present = _drawn(logits[..., 1], spreads, chance, count)
    return np.stack([1 - present, present], axis=-1)


def _normals(chance: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return standard normal draws made of `chance.random()`, which gives the same everywhere.

    Source: Box GEP, Muller ME, Ann Math Stat 1958;29:610-1.
    """
    reach = np.sqrt(-2 * np.log1p(-chance.random(shape)))
    return np.asarray(reach * np.cos(2 * np.pi * chance.random(shape)))
