"""How a topic's drafts stand: what is in them, what is live, what is being decided."""

from dataclasses import dataclass

from django.db import models
from django.db.models import Count
from django.urls import reverse
from django.utils.http import urlencode

from .audit import draft_tables
from .history import Change, changes_of, told
from .models import (
    Advice,
    CalibrationStudy,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    Option,
    Proposal,
    RedFlag,
    Release,
    RiskGroup,
    SavedCase,
    Syndrome,
    Topic,
    Translation,
)
from .releases import NothingPublished, live_release
from .snapshots import sha256_of_drafts

LAST = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of row: how many there are, where they are listed, and where one is added."""

    name: str
    count: int
    listed: str
    added: str
    what_first: str


@dataclass(frozen=True, slots=True)
class Overview:
    parts: tuple[Part, ...]
    live: Release | None
    changed: bool
    proposal: Proposal | None
    changes: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        return not any(part.count for part in self.parts)


# What a new topic needs, in the order in which it is written.
PARTS = (
    (Feature, "topic", "What is asked. Write the age and the safety questions first."),
    (Option, "feature__topic", "The answers of the questions; they are written with them."),
    (Condition, "topic", "What may be wrong, with how common it is and how soon it must be seen."),
    (Likelihood, "condition__topic", "How often people with a condition give an answer."),
    (RedFlag, "topic", "The danger signs, and the least advice allowed."),
    (RiskGroup, "topic", "Conditions that raise the urgency together. May stay empty."),
    (Syndrome, "topic", "Findings that come together for one reason. May stay empty."),
    (Advice, "topic", "What to do: for each urgency, and for each condition."),
    (GlossaryTerm, "topic", "Hard words that are explained where they are used."),
    (Translation, "topic", "The texts in other languages. May stay empty."),
    (CalibrationStudy, "topic", "Studies of how often the checker is right. May stay empty."),
    (SavedCase, "topic", "People to try each change on, and what would be right for them."),
)


def overview_of(topic: Topic) -> Overview:
    try:
        live = live_release(topic.key)
    except NothingPublished:
        live = None
    open_ones = topic.proposals.filter(state__in=["submitted", "approved"])
    return Overview(
        parts=tuple(_part(topic, *part) for part in PARTS),
        live=live,
        changed=live is None or sha256_of_drafts(topic) != live.sha256,
        proposal=open_ones.select_related("author").first(),
        changes=tuple(told(changes_of(topic).filter(table__in=draft_tables())[:LAST])),
    )


def _part(topic: Topic, model: type[models.Model], to_topic: str, what_first: str) -> Part:
    name = model._meta.model_name
    counted = model._default_manager.filter(**{to_topic: topic}).aggregate(count=Count("pk"))
    listed = reverse(f"admin:content_{name}_changelist")
    return Part(
        name=str(model._meta.verbose_name_plural),
        count=counted["count"],
        listed=f"{listed}?{urlencode({f'{to_topic}__id__exact': topic.pk})}",
        added=f"{reverse(f'admin:content_{name}_add')}?{urlencode({'topic': topic.pk})}"
        if to_topic == "topic"
        else "",
        what_first=what_first,
    )
