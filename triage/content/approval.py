"""The way of a change: submitted, talked over, approved by somebody else, published, taken back.

Each service is one transaction and writes last. The database keeps the same rules by itself (see
the migration `only_what_was_approved`): what is asked here first can be said in words.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Max, Min, Q, QuerySet
from django.utils import timezone

from triage.evaluation.effects import lowered

from .audit import changing, draft_tables, is_audited
from .choices import ProposalState
from .documents import Document, canonical, compile_release
from .effects import effect_of
from .faults import faults_in
from .fixtures import FILES, natural_key_of, write_drafts
from .jumps import Jump, jumps_between
from .models import (
    AuditRecord,
    CaseSignOff,
    Comment,
    Effect,
    Proposal,
    Release,
    Snapshot,
    Source,
    Topic,
)
from .releases import (
    PUBLISHES,
    MayNot,
    MayNotApprove,
    MayNotPublish,
    NoReason,
    NotDone,
    OwnApprover,
    UnfitDraft,
    live_of,
)
from .snapshots import snapshot_of

OPEN = (ProposalState.SUBMITTED, ProposalState.APPROVED)

WRITES = "content.add_proposal"
APPROVES = "content.approve_release"


class NothingChanged(NotDone):
    """The drafts are what is live."""


class AlreadyProposed(NotDone):
    """Another change of the topic is being decided on."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(
            f"“{proposal.why}” by {proposal.author} is still open: decide on it first, or take it"
            " back."
        )
        self.proposal = proposal


class UnexplainedJumps(NotDone):
    """Numbers that moved far, without a source or a reason."""

    def __init__(self, jumps: list[Jump]) -> None:
        super().__init__("\n".join(map(str, jumps)))
        self.jumps = jumps


class AlreadyDecided(NotDone):
    """It was approved, published, sent back or taken back before."""


class NotMeasured(NotDone):
    """Nobody can see yet what the change would do."""

    def __init__(self, effect: Effect) -> None:
        super().__init__(
            f"Its effect could not be measured: {effect.failed}"
            if effect.failed
            else "Its effect is still being measured"
            f" ({effect.people_done} of {effect.people_total} people). Try again in a moment."
        )
        self.effect = effect


class Unsigned(NotDone):
    """Cases that would be told to wait longer, and that nobody has signed off."""

    def __init__(self, cases: list[str]) -> None:
        super().__init__(
            "These cases would go to a lower urgency, and nobody has signed them off: "
            f"{', '.join(cases)}."
        )
        self.cases = cases


class NotLowered(NotDone):
    """A case was to be signed off that does not go to a lower urgency."""


class Outdated(NotDone):
    """What is live is not what the change was compared with."""


class NotAudited(NotDone):
    """The triggers that write the audit are missing, so nobody can say who wrote a part of it."""


class Withdrawn(NotDone):
    """A release that was recalled, or that is not for patients, was to be live again."""


# Who, and from what


def writers_since(topic: Topic, live: Release | None) -> list[User]:
    """Return who changed the drafts since what is live was submitted: as the database finds them."""
    records = changes_since(topic, live)
    return list(User.objects.filter(pk__in=records.order_by().values("who")).order_by("username"))


def changes_since(topic: Topic, live: Release | None) -> QuerySet[AuditRecord]:
    """Return the changes of the drafts since what is live was submitted.

    Records are compared by their number, which no clock moves. After a roll-back the content is that
    of the first release that had it.
    """
    began = 0
    first = (
        topic.releases.filter(sha256=live.sha256).without_document().order_by("number").first()
        if live
        else None
    )
    if first and first.proposal_id:
        submitted = AuditRecord.objects.filter(
            table=Proposal._meta.db_table, row=first.proposal_id, action=AuditRecord.Action.ADDED
        )
        began = submitted.aggregate(began=Min("pk"))["began"] or 0
    own = Q(topic=topic) | Q(topic=None)  # sources belong to no topic
    return AuditRecord.objects.filter(own, table__in=draft_tables(), pk__gt=began)


def wrote_a_part(proposal: Proposal, person: User) -> bool:
    return proposal.contributions.filter(person=person).exists()


def document_of(release: Release | None) -> Document | None:
    if release is None:
        return None
    document: Document = json.loads(Release.objects.values_list("document").get(pk=release.pk)[0])
    return document


def is_outdated(proposal: Proposal, live: Release | None) -> bool:
    """Return whether patients meet other content than the change was compared with."""
    before = proposal.base.sha256 if proposal.base else ""
    return before != (live.sha256 if live else "")


def jumps_of(document: Document, live: Release | None) -> list[Jump]:
    before = document_of(live)
    return jumps_between(before, document) if before else []


# What goes lower


def lowered_in(effect: Effect) -> list[str]:
    """Return the cases that would be told to wait longer."""
    return list(lowered(effect.figures)) if effect.figures else []


# Submitting, and what becomes of it


def submit(*, topic: Topic, author: User, why: str) -> Proposal:
    """Freeze the drafts as they are and ask for them to be published.

    Raises MayNot, NoReason, NotAudited, NothingChanged, AlreadyProposed, UnfitDraft,
    UnexplainedJumps.
    """
    _needs(author, WRITES, "submit a change: the Author group can")
    if not is_audited():
        raise NotAudited(
            "The database does not write down who changes what: run “manage.py migrate” first."
        )
    with changing(who=author, why=_said(why)):
        _wait_for_writers()
        live = live_of(topic)
        snapshot = snapshot_of(topic)
        if live and snapshot.sha256 == live.sha256:
            raise NothingChanged(f"The drafts are the same as {live}: change something first.")
        return _propose(snapshot, live, author, why)


def _propose(
    snapshot: Snapshot, live: Release | None, author: User, why: str, *, asks_of_jumps: bool = True
) -> Proposal:
    topic = snapshot.topic
    if other := topic.proposals.filter(state__in=OPEN).select_related("author").first():
        raise AlreadyProposed(other)
    _refuse_unfit(json.loads(snapshot.document), live if asks_of_jumps else None)
    return Proposal.objects.create(
        topic=topic, snapshot=snapshot, base=live, author=author, why=why.strip()
    )


def comment(*, proposal: Proposal, by: User, text: str) -> None:
    """Say something of a proposal. The same words twice in a row are said once."""
    if not any(by.has_perm(each) for each in (WRITES, APPROVES, PUBLISHES)):
        raise MayNot(f"{by} may read this, not comment on it.")
    said = _said(text)
    with changing(who=by, why="A comment"):
        last = proposal.comments.order_by("pk").last()
        if last is None or (last.by_id, last.text) != (by.pk, said):
            Comment.objects.create(proposal=proposal, by=by, text=said)


def withdraw(*, proposal: Proposal, by: User) -> None:
    """Take back what one has submitted. Raises MayNot, AlreadyDecided."""
    if by.pk != proposal.author_id:
        raise MayNot(f"Only {proposal.author} can take it back; others can send it back.")
    with changing(who=by, why="Taken back by its author"):
        _move(proposal, OPEN, state=ProposalState.WITHDRAWN, closed_by=by, closed_at=timezone.now())


def send_back(*, proposal: Proposal, by: User, why: str) -> None:
    """Let the author change it and submit it again. Raises MayNot, NoReason, AlreadyDecided."""
    if not (by.has_perm(APPROVES) or by.has_perm(PUBLISHES)):
        raise MayNot(f"{by} may not send a change back: the Approver and Publisher groups can.")
    said = _said(why)
    with changing(who=by, why=said):
        _move(
            proposal,
            OPEN,
            state=ProposalState.SENT_BACK,
            closed_by=by,
            closed_at=timezone.now(),
            closed_why=said,
        )


def sign_off(*, proposal: Proposal, case: str, by: User, reason: str) -> None:
    """Give one's word that a case may be told to wait longer. Signing twice changes nothing.

    Raises OwnApprover, MayNotApprove, NoReason, AlreadyDecided, NotMeasured, NotLowered.
    """
    _may_approve(proposal, by)
    said = _said(reason)
    effect = effect_of(proposal.snapshot, live_of(proposal.topic))
    if effect.figures is None:
        raise NotMeasured(effect)
    if case not in lowered_in(effect):
        raise NotLowered(f"“{case}” does not go to a lower urgency: there is nothing to sign.")
    with changing(who=by, why=said):
        _still(proposal, [ProposalState.SUBMITTED])
        CaseSignOff.objects.get_or_create(
            proposal=proposal, case=case, defaults={"by": by, "reason": said}
        )


def unsigned_of(proposal: Proposal, lowered: Iterable[str]) -> list[str]:
    signed = set(proposal.sign_offs.values_list("case", flat=True))
    return [case for case in lowered if case not in signed]


def approve(*, proposal: Proposal, by: User) -> None:
    """Say that this may be published.

    Raises OwnApprover, MayNotApprove, AlreadyDecided, Outdated, UnfitDraft, UnexplainedJumps,
    NotMeasured and Unsigned with the cases.
    """
    _may_approve(proposal, by)
    live = live_of(proposal.topic)
    # Before the transaction, which would take back that the measuring was begun.
    effect = effect_of(proposal.snapshot, live)
    with changing(who=by, why=f"Approved: {proposal.why}"):
        _still(proposal, [ProposalState.SUBMITTED])
        _refuse_outdated(proposal, live_of(proposal.topic))
        _refuse_unfit(json.loads(proposal.snapshot.document), live)
        if effect.figures is None:
            raise NotMeasured(effect)
        if unsigned := unsigned_of(proposal, lowered_in(effect)):
            raise Unsigned(unsigned)
        _approve(proposal, by)


def publish_proposal(*, proposal: Proposal, by: User, demonstration: bool = False) -> Release:
    """Freeze what was approved as the next release: whoever begins from now on meets it.

    Raises MayNotPublish, AlreadyDecided, Outdated.
    """
    _needs(by, PUBLISHES, "publish: the Publisher group can", MayNotPublish)
    if wrote_a_part(proposal, by):
        raise MayNotPublish("Nobody publishes what they wrote a part of.")
    with changing(who=by, why=f"Published: {proposal.why}"):
        _lock(proposal.topic)
        _still(proposal, [ProposalState.APPROVED])
        _refuse_outdated(proposal, live_of(proposal.topic))
        return _publish(proposal, by, demonstration=demonstration)


def publish_at_once(
    *, topic: Topic, author: User, approver: User, why: str, demonstration: bool
) -> Release:
    """Submit, approve and publish in one go, the approver publishing.

    The people, the faults and the steps are the same as on the pages. The effect is not asked for:
    nobody is there to look at it or to sign. The command `publish` measures it before.

    Raises OwnApprover, MayNotApprove, MayNotPublish, AlreadyProposed, UnfitDraft, UnexplainedJumps.
    """
    if author == approver:
        raise OwnApprover("Nobody approves what they wrote: author and approver must differ.")
    if not approver.has_perm(APPROVES):
        raise MayNotApprove(f"{approver} may not approve: the Approver group can.")
    _needs(approver, PUBLISHES, "publish: the Publisher group can", MayNotPublish)
    said = _said(why)
    with transaction.atomic():
        with changing(who=author, why=said):
            _wait_for_writers()
            proposal = _propose(
                snapshot_of(topic), live_of(topic), author, said, asks_of_jumps=not demonstration
            )
        with changing(who=approver, why=said):
            _may_approve(proposal, approver)
            _approve(proposal, approver)
            _lock(topic)
            return _publish(proposal, approver, demonstration=demonstration)


def roll_back(*, release: Release, by: User, why: str) -> Release:
    """Make the content of an earlier release live again, to the byte, as a new release.

    Who is in the middle of an assessment finishes on the release that they began with. Raises
    MayNotPublish, NoReason, Withdrawn, NothingChanged.
    """
    _needs(by, PUBLISHES, "roll back: the Publisher group can", MayNotPublish)
    said = _said(why)
    with changing(who=by, why=said):
        _lock(release.topic)
        earlier = Release.objects.select_related("topic").get(pk=release.pk)
        live = live_of(earlier.topic)
        if earlier.recalled_at:
            raise Withdrawn(f"{earlier} was recalled: {earlier.recalled_why}")
        if not Release.objects.for_patients().filter(pk=earlier.pk).exists():
            raise Withdrawn(f"{earlier} is a demonstration, which a real service never shows.")
        if live and live.sha256 == earlier.sha256:
            raise NothingChanged(f"{live}, which is live, has the content of {earlier} already.")
        return Release.objects.create(
            topic=earlier.topic,
            number=_next_number(earlier.topic),
            document=earlier.document,
            sha256=earlier.sha256,
            author_id=earlier.author_id,
            approver_id=earlier.approver_id,
            publisher=by,
            published_at=timezone.now(),
            why=said,
            rolled_back_to=earlier,
            demonstration=earlier.demonstration,
        )


def put_back(*, release: Release, by: User, why: str) -> bool:
    """Make the drafts what a release holds; return whether they now are the same to the byte.

    They are not where other topics still use sources that came later, or where the release is from
    before a part of the content was there. Raises MayNot, NoReason.
    """
    if not all(by.has_perm(each) for each in (WRITES, "content.change_topic")):
        raise MayNot(f"{by} may not change the drafts: the Author group can.")
    said = _said(why)
    document = document_of(release) or {}
    parts = {
        part: [(f"{release}, {part}", row) for row in _listed(document, part)] for part in FILES
    }
    with changing(who=by, why=said):
        write_drafts(parts, replace=True)
        _remove_sources(document)
        now = canonical(compile_release(release.topic))
    return now == canonical(document)


def _listed(document: Document, part: str) -> list[dict[str, Any]]:
    """Return the rows of a part; releases made before it was there have none."""
    rows = document.get(part, [])
    return rows if isinstance(rows, list) else [rows]


def _remove_sources(document: Document) -> None:
    """Delete the sources that the release does not know, and that nothing else uses."""
    known = [natural_key_of(Source, row)[0] for row in _listed(document, "sources")]
    used = [f"{field.name}__isnull" for field in Source._meta.related_objects]
    unused = Source.objects.exclude(key__in=known).filter(**dict.fromkeys(used, True))
    Source.objects.filter(pk__in=unused.values("pk")).delete()


# Steps


def _said(why: str) -> str:
    if not (said := why.strip()):
        raise NoReason("Say why: whoever looks back at this reads it.")
    return said


def _needs(person: User, permission: str, what: str, refusal: type[MayNot] = MayNot) -> None:
    if not person.has_perm(permission):
        raise refusal(f"{person} may not {what}.")


def _may_approve(proposal: Proposal, by: User) -> None:
    if wrote_a_part(proposal, by):
        raise OwnApprover("Nobody approves what they wrote a part of: somebody else must look.")
    if not by.has_perm(APPROVES):
        raise MayNotApprove(f"{by} may not approve: the Approver group can.")


def _refuse_unfit(document: Document, live: Release | None) -> None:
    if faults := faults_in(document):
        raise UnfitDraft(faults)
    if jumps := [jump for jump in jumps_of(document, live) if not jump.explained]:
        raise UnexplainedJumps(jumps)


def _refuse_outdated(proposal: Proposal, live: Release | None) -> None:
    if is_outdated(proposal, live):
        raise Outdated(
            f"{live or 'Nothing'} is live now, and this was compared with"
            f" {proposal.base or 'nothing'}. Take it back and submit it again."
        )


def _approve(proposal: Proposal, by: User) -> None:
    _move(
        proposal,
        [ProposalState.SUBMITTED],
        state=ProposalState.APPROVED,
        approver=by,
        approved_at=timezone.now(),
    )


def _publish(proposal: Proposal, by: User, *, demonstration: bool) -> Release:
    assert proposal.approver, "it stands at approved"
    release = Release.objects.create(
        topic=proposal.topic,
        number=_next_number(proposal.topic),
        document=proposal.snapshot.document,
        sha256=proposal.snapshot.sha256,
        proposal=proposal,
        author=proposal.author,
        approver=proposal.approver,
        publisher=by,
        published_at=timezone.now(),
        why=proposal.why,
        demonstration=demonstration,
    )
    _move(proposal, [ProposalState.APPROVED], state=ProposalState.PUBLISHED)
    return release


def _still(proposal: Proposal, states: Collection[str]) -> None:
    """Look again at a proposal that somebody else may have decided on meanwhile."""
    now = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if now.state not in states:
        raise AlreadyDecided(f"Too late: it stands at “{now.get_state_display()}”.")


def _move(proposal: Proposal, states: Collection[str], **fields: Any) -> None:
    _still(proposal, states)
    Proposal.objects.filter(pk=proposal.pk, state__in=states).update(**fields)
    proposal.refresh_from_db()


def _next_number(topic: Topic) -> int:
    last: int = topic.releases.aggregate(last=Max("number"))["last"] or 0
    return last + 1


def _lock(topic: Topic) -> None:
    """Let one at a time give a topic its next release. SQLite lets one at a time write at all."""
    Topic.objects.select_for_update().get(pk=topic.pk)


def _wait_for_writers() -> None:
    """Let nobody write a draft between the snapshot and the list of who wrote it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE content_auditrecord IN SHARE ROW EXCLUSIVE MODE")
