"""From drafts to a release: compiled, hashed, published by two people, recalled by one."""

import json

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from .choices import ProposalState
from .documents import canonical, compile_release
from .faults import Fault, faults_in
from .models import Proposal, Release, Topic
from .snapshots import snapshot_of

__all__ = [
    "AlreadyRecalled",
    "MayNotApprove",
    "NothingPublished",
    "OnlyDemonstrations",
    "OwnApprover",
    "UnfitDraft",
    "canonical",
    "compile_release",
    "live_release",
    "publish",
    "recall",
]


class NothingPublished(Exception):
    """No release of this topic may be shown to anybody."""


class OnlyDemonstrations(NothingPublished):
    """Releases there are, but only demonstrations, and this is a real service."""


class UnfitDraft(Exception):
    """A draft with faults was to be published."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class OwnApprover(Exception):
    """Somebody was to approve what they wrote."""


class MayNotApprove(Exception):
    """Somebody was to approve who is not allowed to."""


class AlreadyRecalled(Exception):
    """The release was recalled before; who, when and why stay as they were."""


@transaction.atomic
def publish(
    *, topic: Topic, author: User, approver: User, why: str, demonstration: bool = False
) -> Release:
    """Freeze the drafts of a topic as its next release.

    Raises OwnApprover, MayNotApprove, and UnfitDraft with every fault of the drafts.
    """
    if author == approver:
        raise OwnApprover("Nobody approves what they wrote: author and approver must differ.")
    if not approver.has_perm("content.approve_release"):
        raise MayNotApprove(f"{approver} may not approve: the Approver group can.")
    snapshot = snapshot_of(topic)
    if faults := faults_in(json.loads(snapshot.document)):
        raise UnfitDraft(faults)
    proposal = Proposal.objects.create(topic=topic, snapshot=snapshot, author=author, why=why)
    Proposal.objects.filter(pk=proposal.pk).update(
        state=ProposalState.APPROVED, approver=approver, approved_at=timezone.now()
    )
    last = topic.releases.aggregate(last=Max("number"))["last"] or 0
    release = Release.objects.create(
        topic=topic,
        number=last + 1,
        document=snapshot.document,
        sha256=snapshot.sha256,
        proposal=proposal,
        author=author,
        approver=approver,
        publisher=approver,
        published_at=timezone.now(),
        why=why,
        demonstration=demonstration,
    )
    Proposal.objects.filter(pk=proposal.pk).update(state=ProposalState.PUBLISHED)
    return release


def recall(*, release: Release, by: User, why: str) -> None:
    """Take a release out of use: whoever is in the middle of it stops at a page that says so.

    The release before it is live again. Raises AlreadyRecalled.
    """
    recalled = Release.objects.filter(pk=release.pk, recalled_at=None).update(
        recalled_at=timezone.now(), recalled_by=by, recalled_why=why
    )
    if not recalled:
        raise AlreadyRecalled(f"{release} was recalled before.")


def live_release(topic_key: str) -> Release:
    """Return the newest release that was not recalled, without its document.

    Raises NothingPublished, and OnlyDemonstrations where a real service has nothing else.
    """
    unrecalled = Release.objects.filter(topic__key=topic_key).not_recalled().without_document()
    if newest := unrecalled.for_patients().order_by("-number").first():
        return newest
    if unrecalled.exists():
        raise OnlyDemonstrations(
            f"“{topic_key}” has demonstration releases only, and a real service shows none of"
            " them. Publish one that a clinician has approved: manage.py publish."
        )
    raise NothingPublished(f"Nothing is published for “{topic_key}”: manage.py publish.")
