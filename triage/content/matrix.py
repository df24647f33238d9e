"""Conditions by features: what each feature tells of each, and which are hard to tell apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from triage.engine import Knowledge, discrimination, likeness, mistakes, telling_apart

SHADES = (0.1, 0.3, 0.7, 1.4)
"""From so many nats on a cell is a shade darker; 0.7 is about twice as likely, 1.4 four times."""

MOST_PAIRS = 10
MOST_NAMED = 3
LEAST_NAMED = 0.1


@dataclass(frozen=True, slots=True)
class Cell:
    """`shade` is from 0, hardly anything, to 4."""

    nats: float
    shade: int


@dataclass(frozen=True, slots=True)
class Row:
    """One feature: a cell for each condition, and `mean`, nats, what it tells of somebody with
    any of them, by their priors."""

    feature: str
    mean: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two conditions that look alike.

    wrong   the least and the most that anybody gets wrong with every answer known, of 100 people
            of whom half have the one and half the other
    telling the features that tell them apart best, the best first
    """

    one: str
    other: str
    wrong: tuple[float, float]
    telling: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Conditions by falling prior, features by what they tell over all, pairs from the hardest."""

    conditions: tuple[str, ...]
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]


def shade_of(nats: float) -> int:
    return sum(nats >= least for least in SHADES)


def matrix_of(knowledge: Knowledge) -> Matrix:
    table = discrimination(knowledge)
    means = table @ [condition.prior for condition in knowledge.conditions]
    rows = [
        Row(feature.key, float(mean), tuple(Cell(float(n), shade_of(n)) for n in nats))
        for feature, mean, nats in zip(knowledge.features, means, table, strict=True)
    ]
    return Matrix(
        conditions=tuple(condition.key for condition in knowledge.conditions),
        rows=tuple(sorted(rows, key=lambda row: -row.mean)),
        pairs=tuple(_hardest(knowledge)),
    )


def _hardest(knowledge: Knowledge) -> Sequence[Pair]:
    alike = likeness(knowledge)
    least, most = mistakes(alike)
    places = combinations(range(len(knowledge.conditions)), 2)
    keys = [condition.key for condition in knowledge.conditions]
    return [
        Pair(
            keys[one],
            keys[other],
            (100 * float(least[one, other]), 100 * float(most[one, other])),
            _telling(knowledge, one, other),
        )
        for one, other in sorted(places, key=lambda pair: -alike[pair])[:MOST_PAIRS]
    ]


def _telling(knowledge: Knowledge, one: int, other: int) -> tuple[str, ...]:
    told = telling_apart(knowledge, one, other)
    order = sorted(range(len(told)), key=lambda place: -told[place])[:MOST_NAMED]
    return tuple(knowledge.features[place].key for place in order if told[place] >= LEAST_NAMED)
