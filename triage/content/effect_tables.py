"""The effect of a draft as staff read it: cases by what changes for them, and simulated people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from triage.evaluation.effects import name_of

from .choices import Urgency
from .models import Effect, Topic

type Figure = Mapping[str, Any]

NONE = "none is shown"
UNREAD = "cannot be read"
NOTHING = "nothing is live"
FOLDED = 10
"""More cases than this of which the urgency stays are folded away."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What something was, and what it is on the draft."""

    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Row:
    """What changes for one case.

    whole   the urgency with all answers, where the two ways differ
    leaves  whether its urgency is no longer in the range that the case expects
    unread  why it cannot be read, before and on the draft
    """

    name: str
    link: str
    story: str
    urgency: Pair
    whole: Pair | None
    place: Pair
    leading: Pair
    expected: Pair | None
    leaves: bool
    unread: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    about: str
    rows: tuple[Row, ...]

    @property
    def is_folded(self) -> bool:
        """Whether it only is opened by who wants to see it."""
        return len(self.rows) > FOLDED and self.title == STAYS


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of simulated people."""

    name: str
    pair: Pair


@dataclass(frozen=True, slots=True)
class Tables:
    groups: tuple[Group, ...]
    lowered: int
    unchanged: int
    cases: int
    measures: tuple[Measure, ...]
    people: int
    has_live: bool


def tables_of(effect: Effect) -> Tables:
    """Return the figures of an effect that has been measured."""
    figures: Figure = effect.figures or {}
    topic, people = effect.draft.topic, figures["people"]
    names = dict(topic.conditions.values_list("key", "name"))
    groups = [
        Group(
            title,
            about,
            tuple(row_of(case, names, topic) for case in figures["cases"] if belongs(case)),
        )
        for title, about, belongs in GROUPS
    ]
    return Tables(
        groups=tuple(group for group in groups if group.rows),
        lowered=sum(case["lowered"] for case in figures["cases"]),
        unchanged=figures["unchanged"],
        cases=figures["unchanged"] + len(figures["cases"]),
        measures=tuple(_measures(people["before"], people["after"])),
        people=people["count"],
        has_live=people["before"] is not None,
    )


def _goes_lower(case: Figure) -> bool:
    return bool(case["lowered"])


def _goes_higher(case: Figure) -> bool:
    return bool(case["higher"]) and not case["lowered"]


def _stays(case: Figure) -> bool:
    return not case["higher"] and not case["lowered"]


STAYS = "Other causes or ranges"
LOWER = (
    "These people would be told to wait longer, by interview or with all of their answers; or"
    " nobody can say any more what they would be told. Each has to be signed for before the change"
    " can be approved."
)
GROUPS: Sequence[tuple[str, str, Callable[[Figure], bool]]] = (
    ("Lower urgency", LOWER, _goes_lower),
    ("Higher urgency", "These people would be seen sooner.", _goes_higher),
    (STAYS, "The urgency of these people stays as it is.", _stays),
)


def row_of(case: Figure, names: Mapping[str, str], topic: Topic) -> Row:
    """Return what the figures say of one case. `names` are those of the conditions, by key."""
    asked, whole = case["interview"], case["whole"]
    within = asked["within"]
    has_expected = any(asked["expected"])
    return Row(
        name=name_of(case["file"], case["key"]),
        link=reverse("content:case", args=[topic.key, case["file"], case["key"]]),
        story=case["story"],
        urgency=_pair(asked["urgency"], _urgency, UNREAD),
        whole=(
            _pair(whole["urgency"], _urgency, UNREAD)
            if whole["urgency"] != asked["urgency"]
            else None
        ),
        place=_pair(asked["rank"], _place, "not among them"),
        leading=_causes(asked["leading"], names),
        expected=(
            _causes(asked["expected"], names)
            if has_expected and asked["expected"] != asked["leading"]
            else None
        ),
        leaves=within == [True, False],
        unread=(" ".join(case["unread"][0]), " ".join(case["unread"][1])),
    )


def _pair(sides: Sequence[Any], told: Callable[[Any], str], none: str) -> Pair:
    before, after = (none if side is None else told(side) for side in sides)
    return Pair(before, after)


def _urgency(key: str) -> str:
    return str(Urgency(key).label)


def _place(rank: int) -> str:
    return f"number {rank}"


def _causes(sides: Sequence[Figure | None], names: Mapping[str, str]) -> Pair:
    """Return what two causes are told to be; the same one is named once."""
    before, after = sides
    told = Pair(*(_chance(cause, names) if cause else NONE for cause in sides))
    if before and after and before["condition"] == after["condition"] and told.is_changed:
        return Pair(told.before, _chance(after))
    return told


def _chance(cause: Figure, names: Mapping[str, str] | None = None) -> str:
    word = cause["word"].replace("_", " ")
    p, low, high = (round(100 * cause[part]) for part in ("posterior", "low", "high"))
    told = f"{word}, {p} % ({low} to {high})"
    if names is None:
        return told
    return f"{names.get(cause['condition'], cause['condition'])}: {told}"


MEASURES = (
    ("too_low", "Urgency lower than that of their condition"),
    ("hazardous", "So much lower that it is a hazard"),
    ("too_high", "Urgency higher than that of their condition"),
    ("today", "Sent the same day, or to an ambulance"),
    ("first", "Their condition comes first"),
    ("first_three", "Their condition is among the first three"),
    ("asked", "Questions asked, median"),
    ("asked_by_most", "Questions asked, 95 of 100 have no more"),
)


def _measures(before: Figure | None, after: Figure) -> list[Measure]:
    return [
        Measure(name, Pair(_told(before[key]) if before else NOTHING, _told(after[key])))
        for key, name in MEASURES
    ]


def _told(figure: Figure) -> str:
    if figure["value"] is None:
        return "none to judge"
    if "of" not in figure:
        return f"{figure['value']:g} ({figure['low']} to {figure['high']})"
    value, low, high = (100 * figure[part] for part in ("value", "low", "high"))
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"
