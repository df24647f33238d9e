"""Who has looked at what, and what is to be looked at again."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import Max
from django.utils import timezone

from .choices import AdviceScope
from .models import (
    Advice,
    AuditRecord,
    Condition,
    Feature,
    Likelihood,
    Option,
    RedFlag,
    Review,
    RiskGroup,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
    Topic,
)

PARTS: Mapping[str, tuple[type[models.Model], str]] = {
    "conditions": (Condition, "Conditions"),
    "features": (Feature, "Questions"),
    "red_flags": (RedFlag, "Red flags and other rules"),
    "risk_groups": (RiskGroup, "Risk groups"),
    "syndromes": (Syndrome, "Syndromes"),
    "advice": (Advice, "Advice"),
}
"""What is reviewed row by row; a review covers the row with all of its texts and numbers."""

COVERED: tuple[tuple[type[models.Model], str, tuple[str, ...]], ...] = (
    (Condition, "conditions", ("key",)),
    (Likelihood, "conditions", ("condition__key",)),
    (Feature, "features", ("key",)),
    (Option, "features", ("feature__key",)),
    (RedFlag, "red_flags", ("key",)),
    (RiskGroup, "risk_groups", ("key",)),
    (Syndrome, "syndromes", ("key",)),
    (SyndromeChance, "syndromes", ("syndrome__key",)),
    (SyndromeMember, "syndromes", ("syndrome__key",)),
    (Advice, "advice", ("scope", "key")),
)
"""The rows that a review covers, and the fields that lead from each to its place."""

type Reviewed = Condition | Feature | RedFlag | RiskGroup | Syndrome | Advice


@dataclass(frozen=True, slots=True)
class Reviewable:
    """One row that can be reviewed, in words; `place` is what a review names."""

    place: str
    part: str
    name: str
    pk: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The last review of a place, and everybody who ever reviewed it, the latest first.

    changed_on  when any of the rows that it covers was changed last, as the audit has it
    """

    last: Review
    reviewers: tuple[str, ...]
    changed_on: date | None = None

    @property
    def is_of_before(self) -> bool:
        """Whether something was changed on a later day than it was looked at."""
        return self.changed_on is not None and self.changed_on > self.last.reviewed_on

    def is_overdue(self, today: date) -> bool:
        return self.last.due_on < today


def place_of_row(row: Reviewed) -> str:
    """Return what a review of a row names: “conditions/lipoma”, “advice/urgency/same_day”."""
    (part,) = (part for part, (model, _) in PARTS.items() if isinstance(row, model))
    return "/".join((part, *row.natural_key()[1:]))


def reviewables_of(topic: Topic) -> list[Reviewable]:
    """Return every row of a topic that can be reviewed; one query for each kind."""
    found: list[Reviewable] = []
    for part, manager in _managers(topic).items():
        if part == "advice":
            for pk, scope, key, heading in manager.order_by("scope", "key").values_list(
                "pk", "scope", "key", "heading"
            ):
                name = f"{heading} (advice for the {AdviceScope(scope)} {key})"
                found.append(Reviewable(f"{part}/{scope}/{key}", part, name, pk))
        else:
            named = "plain_name" if part in ("conditions", "syndromes") else "name"
            named = "title" if part == "red_flags" else named
            rows = manager.values_list("pk", "key", named)
            found += (Reviewable(f"{part}/{key}", part, name, pk) for pk, key, name in rows)
    return found


def _managers(topic: Topic) -> "Mapping[str, models.QuerySet[models.Model]]":
    return {part: getattr(topic, part).all() for part in PARTS}


def reviews_of(topic: Topic, place: str) -> list[Review]:
    """Return the reviews of one row, the latest first."""
    return list(topic.reviews.filter(place=place).order_by("-reviewed_on", "reviewer"))


def standings_of(topic: Topic) -> dict[str, Standing]:
    """Return how each place that was ever reviewed stands, by place."""
    by_place: dict[str, list[Review]] = {}
    for review in topic.reviews.order_by("-reviewed_on", "-pk"):
        by_place.setdefault(review.place, []).append(review)
    changed = _last_changes(topic, set(by_place)) if by_place else {}
    return {place: _standing(reviews, changed.get(place)) for place, reviews in by_place.items()}


def _standing(reviews: Iterable[Review], changed_on: date | None) -> Standing:
    last, *earlier = reviews
    names = dict.fromkeys(review.reviewer for review in (last, *earlier))
    return Standing(last, tuple(names), changed_on)


def _last_changes(topic: Topic, places: Set[str]) -> dict[str, date]:
    """Return when each place was changed last. What was only added does not count: a topic that is
    brought in from a file was reviewed elsewhere."""
    records = AuditRecord.objects.filter(topic=topic, action=AuditRecord.Action.CHANGED)
    by_table: dict[str, dict[int, date]] = {}
    for table, row, at in records.order_by().values_list("table", "row").annotate(Max("at")):
        by_table.setdefault(table, {})[row] = timezone.localtime(at).date()
    changes: dict[str, date] = {}
    for model, part, fields in COVERED:
        rows = by_table.get(model._meta.db_table, {})
        if not rows:
            continue
        for pk, *key in model._default_manager.filter(pk__in=rows).values_list("pk", *fields):
            place = "/".join((part, *key))
            if place in places:
                changes[place] = max(rows[pk], changes.get(place, rows[pk]))
    return changes
