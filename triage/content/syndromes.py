"""What the numbers of a syndrome come to: how common each answer is with it and without it.

The likelihood P(option | condition) stays the number that a clinician reads. Staff add how many
with the condition have the syndrome, and how many of those give the answer; how many of the others
do follows, so that both together are the likelihood.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

type Document = Mapping[str, Any]
type Fields = Mapping[str, Any]
type Cell = tuple[str, str, str]
"""A condition, a feature, an option."""


@dataclass(frozen=True, slots=True)
class Split:
    """One likelihood, split into those with the syndrome and those without it.

    likelihood  P(option | condition)
    chance      P(syndrome | condition)
    present     P(option | syndrome, condition)
    absent      P(option | no syndrome, condition): 0 or less where the others do not agree
    named       whether staff named the answer; else it shares what the named ones leave
    """

    cell: Cell
    likelihood: float
    chance: float
    present: float
    named: bool

    @property
    def explained(self) -> float:
        """P(option and syndrome | condition)."""
        return self.chance * self.present

    @property
    def absent(self) -> float:
        return (self.likelihood - self.explained) / (1 - self.chance)


def likelihoods_of(document: Document) -> dict[Cell, float]:
    return {
        (row["condition"][1], *row["option"][1:]): row["probability"]
        for row in document["likelihoods"]
    }


def chances_of(syndrome: str, document: Document) -> dict[str, Fields]:
    """Return the rows that say how often each condition brings the syndrome, by condition."""
    rows = document.get("syndrome_chances", [])
    return {row["condition"][1]: row for row in rows if row["syndrome"][1] == syndrome}


def members_of(syndrome: str, document: Document) -> list[Fields]:
    rows = document.get("syndrome_members", [])
    return [row for row in rows if row["syndrome"][1] == syndrome]


def signs_of(syndrome: str, document: Document) -> dict[str, list[str]]:
    """Return the answers that show the syndrome, by feature, each once."""
    signs: dict[str, list[str]] = {}
    for row in members_of(syndrome, document):
        _, feature, option = row["option"]
        own = signs.setdefault(feature, [])
        if option not in own:
            own.append(option)
    return signs


def splits_of(
    syndrome: str, document: Document, likelihoods: Mapping[Cell, float]
) -> Iterator[Split]:
    """Yield each answer of the syndrome with each condition, where its numbers are in order.

    Of a multiple choice these are the named answers; of any other question all that are scored.
    Those not named share what the named ones leave, in proportion to their likelihoods.
    """
    signs, numbers = signs_of(syndrome, document), _numbers(members_of(syndrome, document))
    scored = _scored(document)
    multi = {row["key"] for row in document["features"] if row["kind"] == "multi"}
    for condition, row in chances_of(syndrome, document).items():
        chance = row["probability"]
        if not 0 < chance < 1:
            continue
        for feature, named in signs.items():
            present = {
                option: numbers.get((condition, feature, option), numbers.get((feature, option)))
                for option in named
            }
            cells = [
                (condition, feature, option)
                for option in (named if feature in multi else scored.get(feature, []))
            ]
            if None in present.values() or not all(0 < likelihoods.get(c, 0) < 1 for c in cells):
                continue
            left = 1 - sum(number for number in present.values() if number is not None)
            others = sum(likelihoods[cell] for cell in cells if cell[2] not in present)
            for cell in cells:
                own = present.get(cell[2])
                yield Split(
                    cell=cell,
                    likelihood=likelihoods[cell],
                    chance=chance,
                    present=left * likelihoods[cell] / others if own is None else own,
                    named=own is not None,
                )


def _numbers(rows: list[Fields]) -> dict[tuple[str, ...], float]:
    """Return P(option | syndrome) by feature and option, the condition before them if named."""
    return {
        (*(row["condition"] or ("",))[1:], *row["option"][1:]): row["probability"] for row in rows
    }


def _scored(document: Document) -> dict[str, list[str]]:
    scored: dict[str, list[str]] = {}
    for row in document["options"]:
        if row["scored"]:
            scored.setdefault(row["feature"][1], []).append(row["key"])
    return scored
