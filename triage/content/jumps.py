"""Numbers that move far from what is live: each needs a source, and a note that says why.

A number jumps if it, or what it leaves to 1, becomes more than three times as much or less than a
third; or if it comes to lie on the other side of a half. So 0.99 to 0.9 jumps: those who do not
give the answer become ten times as many. Conditions have no note of their own: of their priors only
the sources are asked for, and the reason is that of the change itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

type Document = Mapping[str, Any]
type Fields = Mapping[str, Any]

MOST = 3.0
SLACK = 1e-9  # 0.9 is three times 0.3, whatever floating point makes of it

SOURCE, NOTE = "source", "note"

NUMBERS = {
    "likelihoods": ("condition", "option"),
    "syndrome_chances": ("syndrome", "condition"),
    "syndrome_members": ("syndrome", "option", "condition"),
}
"""The rows that are one number each, and what names them."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A number that has moved far.

    part           of the compiled topic: “likelihoods”, “conditions” (a prior), “syndrome_chances”
                   or “syndrome_members”
    place          the keys of its row, without the topic
    where          the row in words
    before, after  what is live and what is drafted, as probabilities
    lacks          what would explain it: SOURCE, NOTE, both or nothing
    """

    part: str
    place: tuple[str, ...]
    where: str
    before: float
    after: float
    lacks: tuple[str, ...]

    @property
    def explained(self) -> bool:
        return not self.lacks

    @property
    def sentence(self) -> str:
        return f"{self.where}: {moved(self.before, self.after, in_100=self.part == 'conditions')}"

    def __str__(self) -> str:
        return f"{self.sentence} {to_be_filled_in(self.lacks)}".strip()


def factor(before: float, after: float) -> float:
    """Return how many times as much, or as little, a probability or what it leaves to 1 becomes."""
    return max(_times(before, after), _times(1 - before, 1 - after))


def jumps(before: float, after: float) -> bool:
    return factor(before, after) > MOST * (1 + SLACK) or _crosses(before, after)


def moved(before: float, after: float, *, in_100: bool = False) -> str:
    """Say how far a number has moved from what is live."""
    unit = 100 if in_100 else 1

    def said(number: float) -> str:
        return f"{unit * number:.4g}{' %' if in_100 else ''}"

    own, rest = _times(before, after), _times(1 - before, 1 - after)
    words = []
    if own >= rest and own > MOST:
        words.append(f"is {own:.3g} times {'as large' if after > before else 'smaller'}")
    elif rest > MOST:
        more = "less" if after > before else "as much"
        left = f"{said(1 - before)} before, {said(1 - after)} now"
        words.append(f"leaves {rest:.3g} times {more} to the rest ({left})")
    if _crosses(before, after):
        words.append("lies on the other side of a half")
    if not words:
        return ""
    return f"{said(before)} is live, and {said(after)} {' and '.join(words)}."


def to_be_filled_in(lacks: tuple[str, ...]) -> str:
    """Say what somebody has to do who moved a number so far."""
    match lacks:
        case ():
            return ""
        case ("source",):
            return "So large a step needs a source: name it."
        case ("note",):
            return "So large a step needs a reason that stays with the number: say it in its note."
        case _:
            return "So large a step needs a source, and a reason that stays with the number: say it in its note."


def lacking(live_note: str, note: str, *, has_source: bool) -> tuple[str, ...]:
    """Return what a number needs that has jumped: a source, and a note that is not the live one."""
    wanted = (
        (SOURCE, has_source),
        (NOTE, bool(note.strip()) and note.strip() != live_note.strip()),
    )
    return tuple(name for name, there in wanted if not there)


def jumps_between(live: Document, draft: Document) -> list[Jump]:
    """Return the numbers of a draft that jump, as far as both know them, in the draft's order."""
    return [*_priors(live, draft), *_rows(live, draft)]


def _priors(live: Document, draft: Document) -> Iterator[Jump]:
    before = {row["key"]: row["prior_percent"] for row in live["conditions"]}
    for row in draft["conditions"]:
        old, new = before.get(row["key"]), row["prior_percent"]
        if old is None or new is None or not jumps(old / 100, new / 100):
            continue
        where = f"The prior of “{row['plain_name']}”"
        lacks = () if row["sources"] else (SOURCE,)
        yield Jump("conditions", (row["key"],), where, old / 100, new / 100, lacks)


def _rows(live: Document, draft: Document) -> Iterator[Jump]:
    names = _names(draft)
    for part, keys in NUMBERS.items():
        before = {_place(row, keys): row for row in live.get(part, ())}
        for row in draft.get(part, ()):
            place = _place(row, keys)
            old = before.get(place)
            if old is None or not jumps(old["probability"], row["probability"]):
                continue
            yield Jump(
                part=part,
                place=place,
                where=", ".join(
                    names.get((key, *row[key][1:]), row[key][-1]) for key in keys if row[key]
                ),
                before=old["probability"],
                after=row["probability"],
                lacks=lacking(old["note"], row["note"], has_source=bool(row["source"])),
            )


def _place(row: Fields, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for key in keys for part in (row[key] or ("",))[1:])


def _names(document: Document) -> dict[tuple[str, ...], str]:
    names: dict[tuple[str, ...], str] = {}
    for kind, part in (("condition", "conditions"), ("syndrome", "syndromes")):
        for row in document.get(part, ()):
            names[kind, row["key"]] = f"“{row['plain_name']}”"
    features = {row["key"]: row["name"] for row in document["features"]}
    for row in document["options"]:
        feature = row["feature"][1]
        names["option", feature, row["key"]] = f"“{features[feature]}: {row['text']}”"
    return names


def _times(before: float, after: float) -> float:
    low, high = sorted((before, after))
    if low == high:
        return 1.0
    return high / low if low > 0 else inf


def _crosses(before: float, after: float) -> bool:
    """A half itself counts as above, so that two steps do not pass where one would not."""
    return (before < 0.5) != (after < 0.5)
