"""What is proposed of a topic, and what becomes of it: the pages of author and approver."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from triage.content import approval
from triage.content.addresses import FORMS, LINES, Addresses
from triage.content.choices import ProposalState, Urgency
from triage.content.differences import Difference, Kind, differences, title_of
from triage.content.documents import Document, compile_release
from triage.content.effects import effect_of, find_effect, is_given_up, start_again
from triage.content.faults import Place, faults_in, notices_in
from triage.content.models import AuditRecord, Effect, Proposal, Topic
from triage.content.releases import PUBLISHES, NotDone, UnfitDraft, live_of
from triage.evaluation.effects import name_of
from triage.staff.pages import confirmed_recently, staff_page

from .page import page

FEW = 40
"""So many differences are read at once; of more, each part opens by itself."""


# Differences, as a page shows them


@dataclass(frozen=True, slots=True)
class Row:
    heading: str
    link: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    count: int
    rows: tuple[Row, ...]
    calmer: int
    """How many of them may let somebody wait longer."""


@dataclass(frozen=True, slots=True)
class Change:
    """All that changes. Of a first release only how much there is: all of it is new."""

    count: int
    parts: tuple[Part, ...]
    is_first: bool = False

    @property
    def is_open(self) -> bool:
        return self.count <= FEW


def change_between(
    before: Document | None, after: Document, topic: Topic, *, links: bool = True
) -> Change:
    found = differences(before, after)
    addresses = Addresses(topic) if links else None
    parts: dict[str, list[Difference]] = {}
    for difference in found:
        parts.setdefault(difference.part, []).append(difference)
    return Change(
        count=len(found),
        is_first=before is None,
        parts=tuple(
            Part(
                title=title_of(part),
                count=len(own),
                rows=() if before is None else tuple(_rows(own, addresses)),
                calmer=sum(difference.is_calmer for difference in own),
            )
            for part, own in parts.items()
        ),
    )


def _rows(found: Iterable[Difference], addresses: Addresses | None) -> Iterable[Row]:
    rows: dict[str, list[Difference]] = {}
    for difference in found:
        rows.setdefault(difference.heading, []).append(difference)
    for heading, own in rows.items():
        first = own[0]
        there = first.kind is not Kind.REMOVED and first.part in {*FORMS, *LINES, "topic"}
        place = Place(first.part, first.key)
        yield Row(heading, addresses.of(place) if addresses and there else "", tuple(own))


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who changed drafts, and how many rows of each kind."""

    name: str
    changes: int


def writers(records: QuerySet[AuditRecord]) -> list[Writer]:
    counts = Counter(records.order_by().values_list("who_name", flat=True))
    return [
        Writer(name or "Somebody who did not sign in (a command, or SQL)", count)
        for name, count in sorted(counts.items())
    ]


# All proposals of a topic, and submitting


@staff_page("content.view_topic")
@require_http_methods(["GET", "POST"])
def proposals(request: HttpRequest, topic: str) -> HttpResponse:
    """Say how the drafts stand; a post submits them."""
    found, person = get_object_or_404(Topic, key=topic), _person(request)
    why = request.POST.get("why", "")
    if request.method == "POST":
        try:
            proposal = approval.submit(topic=found, author=person, why=why)
        except NotDone as refusal:
            messages.error(request, _told(refusal))
        else:
            messages.success(request, "Submitted. Somebody else has to approve it now.")
            return redirect("content:proposal", found.key, proposal.pk)
    live = live_of(found)
    before, after = approval.document_of(live), compile_release(found)
    change = change_between(before, after, found)
    all_of_them = found.proposals.select_related("author", "approver", "closed_by", "base")
    return page(
        request,
        "content/proposals.html",
        title="Approval",
        topic=found,
        live=live,
        change=change,
        faults=len(faults_in(after)) if change.count else 0,
        jumps=[jump for jump in approval.jumps_of(after, live) if not jump.explained],
        writers=writers(approval.changes_since(found, live)) if change.count else [],
        open=all_of_them.filter(state__in=approval.OPEN).first(),
        past=all_of_them.exclude(state__in=approval.OPEN),
        may_submit=person.has_perm(approval.WRITES),
        may_put_back=live and live.rolled_back_to and person.has_perm(approval.WRITES),
        why=why,
        status=409 if request.method == "POST" else 200,
    )


# One proposal


@dataclass(frozen=True, slots=True)
class Step:
    """What has to be so before it can be approved."""

    is_done: bool
    text: str


@dataclass(frozen=True, slots=True)
class Lowered:
    """A case that would be told to wait longer, and who has signed it off."""

    case: str
    story: str
    before: str
    after: str
    sign_off: Any


@staff_page("content.view_proposal")
@require_http_methods(["GET"])
def proposal(request: HttpRequest, topic: str, proposal: int) -> HttpResponse:
    found, person = _found(topic, proposal), _person(request)
    about, live = found.topic, live_of(found.topic)
    is_open = found.state in approval.OPEN
    # What was decided is shown as it was compared then.
    before = live if is_open else found.base
    outdated = is_open and approval.is_outdated(found, live)
    effect = (
        effect_of(found.snapshot, before)
        if is_open and not outdated
        else find_effect(about, found.snapshot.sha256, before)
    )
    is_waiting = effect is not None and effect.figures is None
    has_stopped = effect is not None and is_waiting and (effect.failed or is_given_up(effect))
    if "poll" in request.GET and is_open and is_waiting and not has_stopped:
        return HttpResponse(status=204)  # htmx leaves the page as it is
    document: Document = json.loads(found.snapshot.document)
    lowered = lowered_of(found, effect)
    jumps = approval.jumps_of(document, before)
    own = approval.wrote_a_part(found, person)
    may_approve = person.has_perm(approval.APPROVES) and not own
    steps = _steps(found, effect, lowered, [j for j in jumps if not j.explained], outdated=outdated)
    return page(
        request,
        "content/proposal.html",
        title=f"Change {found.pk}: {found.get_state_display()}",
        tab="content:proposals",
        topic=about,
        proposal=found,
        before=before,
        outdated=outdated,
        change=change_between(approval.document_of(before), document, about, links=is_open),
        contributors=[each.person for each in found.contributions.select_related("person")],
        effect=effect,
        is_measuring=is_open and is_waiting and not has_stopped,
        has_stopped=is_open and has_stopped,
        lowered=lowered,
        unsigned=sum(each.sign_off is None for each in lowered),
        jumps=jumps,
        notices=notices_in(document, timezone.localdate()) if is_open else [],
        comments=found.comments.select_related("by"),
        steps=steps,
        is_ready=all(step.is_done for step in steps),
        own=own,
        is_open=is_open,
        is_submitted=found.state == ProposalState.SUBMITTED,
        is_approved=found.state == ProposalState.APPROVED,
        may_approve=may_approve,
        may_sign=may_approve and found.state == ProposalState.SUBMITTED,
        why_not_approve=_why_not(person, approval.APPROVES, own, "approve", "Approver"),
        may_publish=person.has_perm(PUBLISHES) and not own,
        why_not_publish=_why_not(person, PUBLISHES, own, "publish", "Publisher"),
        may_send_back=person.has_perm(approval.APPROVES) or person.has_perm(PUBLISHES),
        may_withdraw=person.pk == found.author_id,
        may_comment=any(
            person.has_perm(each) for each in (approval.WRITES, approval.APPROVES, PUBLISHES)
        ),
        demonstration=settings.DEBUG_HTTP,
    )


def lowered_of(proposal: Proposal, effect: Effect | None) -> list[Lowered]:
    figures: Mapping[str, Any] = (effect.figures if effect else None) or {}
    signed = {each.case: each for each in proposal.sign_offs.select_related("by")}
    return [
        Lowered(
            case=name_of(figure["file"], figure["key"]),
            story=figure.get("story", ""),
            before=_urgencies(figure, 0),
            after=_urgencies(figure, 1),
            sign_off=signed.get(name_of(figure["file"], figure["key"])),
        )
        for figure in figures.get("cases", [])
        if figure["lowered"]
    ]


def _urgencies(figure: Mapping[str, Any], side: int) -> str:
    """Return what a case comes to on one side: by interview, and with all answers if that differs."""
    asked, whole = (
        Urgency(key).label if (key := figure[way]["urgency"][side]) else "cannot be read"
        for way in ("interview", "whole")
    )
    return asked if asked == whole else f"{asked} (with all answers: {whole})"


def _steps(
    found: Proposal,
    effect: Effect | None,
    lowered: list[Lowered],
    jumps: list[Any],
    *,
    outdated: bool,
) -> list[Step]:
    if found.state != ProposalState.SUBMITTED:
        return []
    if outdated:
        return [
            Step(
                False,
                "Something else is live now than it was compared with. Its author has to take it"
                " back and submit it again.",
            )
        ]
    unsigned = sum(each.sign_off is None for each in lowered)
    measured = effect is not None and effect.figures is not None
    return [
        Step(True, "It has no faults: otherwise nobody could have submitted it."),
        Step(
            not jumps,
            f"{len(jumps)} numbers move far without a source and a reason."
            if jumps
            else "No number moves far without a source and a reason.",
        ),
        Step(
            measured,
            "Its effect is measured."
            if measured
            else f"Its effect could not be measured: {effect.failed}"
            if effect and effect.failed
            else "Its effect is being measured, which takes some seconds. This page shows it then;"
            " without JavaScript, load it again.",
        ),
        *(
            [
                Step(
                    not unsigned,
                    f"Cases that go to a lower urgency: {len(lowered)}. Still to be signed off:"
                    f" {unsigned}."
                    if unsigned
                    else f"Cases that go to a lower urgency: {len(lowered)}. All are signed off."
                    if lowered
                    else "No case goes to a lower urgency.",
                )
            ]
            if measured
            else []
        ),
    ]


def _why_not(person: User, permission: str, own: bool, what: str, group: str) -> str:
    if own:
        return f"You wrote a part of this, so somebody else has to {what} it."
    if not person.has_perm(permission):
        return f"Only members of the {group} group can {what} it."
    return ""


# Deciding

type Act = Callable[[Proposal, User, QueryDict], object]


def _publish(found: Proposal, by: User, _: QueryDict) -> object:
    return approval.publish_proposal(proposal=found, by=by, demonstration=settings.DEBUG_HTTP)


ACTS: Mapping[str, tuple[Act, str]] = {
    "comment": (
        lambda found, by, post: approval.comment(proposal=found, by=by, text=post.get("text", "")),
        "",
    ),
    "sign_off": (
        lambda found, by, post: approval.sign_off(
            proposal=found, case=post.get("case", ""), by=by, reason=post.get("reason", "")
        ),
        "Signed off.",
    ),
    "send_back": (
        lambda found, by, post: approval.send_back(proposal=found, by=by, why=post.get("why", "")),
        "Sent back. Its author can change the drafts and submit them again.",
    ),
    "measure": (
        lambda found, by, _: start_again(effect_of(found.snapshot, live_of(found.topic))),
        "",
    ),
    "withdraw": (
        lambda found, by, _: approval.withdraw(proposal=found, by=by),
        "Taken back. The drafts stay as they are.",
    ),
    "approve": (
        lambda found, by, _: approval.approve(proposal=found, by=by),
        "Approved. Patients meet it once it is published.",
    ),
    "publish": (_publish, "Published. Whoever begins from now on meets it."),
}


@staff_page("content.view_proposal")
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, topic: str, proposal: int, act: str) -> HttpResponse:
    """Comment, sign a case off, send back, take back."""
    return _decided(request, topic, proposal, act)


@staff_page("content.view_proposal")
@require_http_methods(["GET", "POST"])
@confirmed_recently
def decide_confirmed(request: HttpRequest, topic: str, proposal: int, act: str) -> HttpResponse:
    """Approve or publish."""
    return _decided(request, topic, proposal, act)


def _decided(request: HttpRequest, topic: str, proposal: int, act: str) -> HttpResponse:
    """Do it and lead back. Whoever comes back from giving their password only looks."""
    found = _found(topic, proposal)
    if request.method == "POST":
        do, said = ACTS[act]
        try:
            do(found, _person(request), request.POST)
        except NotDone as refusal:
            messages.error(request, _told(refusal))
        else:
            if said:
                messages.success(request, said)
    return redirect("content:proposal", topic, proposal)


def _told(refusal: NotDone) -> str:
    if isinstance(refusal, UnfitDraft):
        count = len(refusal.faults)
        return (
            f"{count} fault{'s' if count > 1 else ''} stand{'' if count > 1 else 's'} in the way:"
            f" see the page of faults. The first: {refusal.faults[0]}"
        )
    return str(refusal)


def _found(topic: str, proposal: int) -> Proposal:
    return get_object_or_404(
        Proposal.objects.select_related(
            "topic", "snapshot", "author", "approver", "closed_by", "base"
        ),
        topic__key=topic,
        pk=proposal,
    )


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)
