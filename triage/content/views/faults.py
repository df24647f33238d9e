"""The faults of a topic's drafts, found anew each time the page is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from triage.content.addresses import linked
from triage.content.approval import jumps_of
from triage.content.documents import compile_release
from triage.content.faults import REASONING, Fault, Place, all_in
from triage.content.jumps import Jump
from triage.content.leading import WALKS
from triage.content.models import Topic
from triage.content.plain_language import MOST
from triage.content.releases import live_of
from triage.staff.pages import staff_page

from .page import page

SHOWN = 50
"""Of one part; a topic that is just begun lacks thousands of numbers."""

# In the order in which a topic is written.
PARTS = {
    "topic": "The topic",
    "features": "Questions",
    "options": "Answers",
    "conditions": "Conditions",
    "likelihoods": "Likelihoods",
    "syndromes": "Syndromes",
    "syndrome_chances": "Syndromes",
    "syndrome_members": "Syndromes",
    "red_flags": "Red flags and other rules",
    "risk_groups": "Risk groups",
    "advice": "Advice",
    "glossary": "Glossary",
    "calibration_studies": "Calibration studies",
    "translations": "Translations",
    "reviews": "Reviews",
}
ELSE = "Everything else"


@dataclass(frozen=True, slots=True)
class Group:
    """The faults of one part: those that are shown, and how many there are."""

    name: str
    faults: tuple[Fault, ...]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.faults)


def grouped(faults: Iterable[Fault]) -> list[Group]:
    groups: dict[str, list[Fault]] = {name: [] for name in (*PARTS.values(), ELSE)}
    for fault in faults:
        groups[PARTS.get(fault.place.part, ELSE) if fault.place else ELSE].append(fault)
    return [Group(name, tuple(own[:SHOWN]), len(own)) for name, own in groups.items() if own]


def found_in(topic: Topic) -> list[Fault]:
    """Return all that is found: what keeps the drafts from being submitted, and the notices."""
    draft = compile_release(topic)
    jumps = (jump for jump in jumps_of(draft, live_of(topic)) if not jump.explained)
    return [*map(_fault_of, jumps), *all_in(draft, timezone.localdate())]


def _fault_of(jump: Jump) -> Fault:
    """A number that is far from what is live, without what explains it, is refused as well."""
    key = tuple(filter(None, jump.place))  # a syndrome's sign of every condition names none
    name = {"conditions": "sources", "likelihoods": ""}.get(jump.part, jump.lacks[0])
    what = str(jump).removeprefix(f"{jump.where}: ")
    return Fault(jump.where, what, place=Place(jump.part, key, name))


def counts(topic: Topic) -> tuple[int, int]:
    """Return how many faults stand in the way of publishing, and how many notices there are."""
    found = found_in(topic)
    blocking = sum(fault.blocks for fault in found)
    return blocking, len(found) - blocking


@staff_page("content.view_topic")
def faults(request: HttpRequest, topic: str) -> HttpResponse:
    about = get_object_or_404(Topic, key=topic)
    found = linked(found_in(about), about)
    blocking = [fault for fault in found if fault.blocks]
    notices = [fault for fault in found if not fault.blocks]
    return page(
        request,
        "content/faults.html",
        title="Faults",
        topic=about,
        blocking=grouped(blocking),
        blocking_count=len(blocking),
        notices=grouped(notices),
        notice_count=len(notices),
        checked_at=timezone.now(),
        reasoning=REASONING,
        is_unsound=any(fault.where == REASONING for fault in found),
        walks=WALKS,
        most_grade=MOST,
        is_begun=about.conditions.exists() and about.features.exists(),
    )


@staff_page("content.view_topic")
def fault_counts(request: HttpRequest, topic: str) -> HttpResponse:
    """Say how many there are, for the first page of the topic."""
    about = get_object_or_404(Topic, key=topic)
    blocking, notices = counts(about)
    return render(
        request,
        "content/fault_counts.html",
        {"topic": about, "blocking": blocking, "notices": notices},
    )
