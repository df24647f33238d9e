"""Who has looked at what, and what is to be looked at again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import models

from .choices import AdviceScope
from .models import (
    Advice,
    Condition,
    Feature,
    RedFlag,
    Review,
    RiskGroup,
    Syndrome,
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
    """The last review of a place, and everybody who ever reviewed it, the latest first."""

    last: Review
    reviewers: tuple[str, ...]

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
                name = f"{AdviceScope(scope).label} ({key}): {heading}"
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
    return {place: _standing(reviews) for place, reviews in by_place.items()}


def _standing(reviews: Iterable[Review]) -> Standing:
    last, *earlier = reviews
    names = dict.fromkeys(review.reviewer for review in (last, *earlier))
    return Standing(last, tuple(names))
