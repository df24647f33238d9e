"""One case as staff read it: who it is, what they answer, and what they come to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from triage.engine import Decline, Unsound
from triage.evaluation.effects import Compared, Described, Unread, came_of, case_json

from .choices import Urgency
from .effect_tables import Row, row_of
from .knowledge import knowledge_of
from .models import Option, Topic
from .releases import live_of
from .saved_cases import SAVED
from .snapshots import content_of_snapshot, snapshot_of

DECLINED = {
    Decline.DONT_KNOW: "does not know",
    Decline.CANT_SEE: "cannot see or reach it",
    Decline.RATHER_NOT_SAY: "would rather not say",
}


@dataclass(frozen=True, slots=True)
class CasePage:
    """`row` is what the case comes to on what is live, if anything is, and on the drafts; `edit`
    is where it is changed, empty of one that comes with the topic."""

    case: Described
    answers: tuple[tuple[str, str], ...]
    expected: str
    note: str
    source: str
    row: Row
    has_live: bool
    edit: str


def case_page_of(case: Described, topic: Topic) -> CasePage:
    record: Mapping[str, Any] = json.loads(case.text)
    names = dict(topic.conditions.values_list("key", "name"))
    live = live_of(topic)
    compared = Compared(
        case, came_of(case, knowledge_of(live.pk)) if live else None, _on_drafts(case, topic)
    )
    edit = ""
    if case.file == SAVED:
        saved = topic.saved_cases.get(key=case.key)
        edit = reverse("admin:content_savedcase_change", args=[saved.pk])
    source = record.get("source")
    return CasePage(
        case,
        tuple(answers_in_words(record.get("answers"), topic)),
        expected_in_words(record.get("expected"), names),
        str(record.get("note", "")),
        ", ".join(map(str, source.values())) if isinstance(source, dict) else "",
        row_of(case_json(compared), names, topic),
        has_live=live is not None,
        edit=edit,
    )


def _on_drafts(case: Described, topic: Topic) -> Any:
    try:
        return came_of(case, content_of_snapshot(snapshot_of(topic).pk).knowledge)
    except Unsound:
        return Unread(("The engine refuses the drafts as they are now",))


def answers_in_words(answers: object, topic: Topic) -> Iterator[tuple[str, str]]:
    """Yield the name of each question and what is answered; what the topic lacks by its key."""
    if not isinstance(answers, dict):
        return
    names = dict(topic.features.values_list("key", "name"))
    texts = {
        (feature, option): text
        for feature, option, text in Option.objects.of(topic).values_list(
            "feature__key", "key", "text"
        )
    }
    known = [key for key in names if key in answers]
    for feature in (*known, *(key for key in answers if key not in names)):
        given = answers[feature]
        parts = given if isinstance(given, list) else [given]
        told = (texts.get((feature, str(part)), _declined(part)) for part in parts)
        yield names.get(feature, feature), "; ".join(told)


def _declined(part: object) -> str:
    return DECLINED[Decline(part)] if isinstance(part, str) and part in Decline else str(part)


def expected_in_words(expected: object, names: Mapping[str, str]) -> str:
    """Return what would be right, or that nobody said."""
    if not isinstance(expected, dict):
        return "Nothing."
    parts = []
    least, most = (expected.get(f"urgency_at_{end}") for end in ("least", "most"))
    if least and least == most:
        parts.append(_label(least))
    elif least and most:
        parts.append(f"{_label(least)} to {_label(most)}")
    elif least:
        parts.append(f"{_label(least)} or more urgent")
    elif most:
        parts.append(f"{_label(most)} or less urgent")
    if causes := expected.get("conditions"):
        parts.append("the cause is " + " or ".join(names.get(key, str(key)) for key in causes))
    return f"{'; '.join(parts)}." if parts else "Nothing."


def _label(key: object) -> str:
    return str(Urgency(key).label) if key in Urgency.values else str(key)
