"""Releases of any document, past every check of ours but the database's own."""

import hashlib

from django.utils import timezone

from triage.content.choices import ProposalState
from triage.content.models import Proposal, Release, Snapshot

WHY = "For a test."


def frozen(last: Release, document: str) -> Release:
    """Return the next release after `last`, approved by the same two people."""
    sha256 = hashlib.sha256(document.encode()).hexdigest()
    snapshot = Snapshot.objects.create(topic=last.topic, sha256=sha256, document=document)
    proposal = Proposal.objects.create(
        topic=last.topic, snapshot=snapshot, author=last.author, why=WHY
    )
    Proposal.objects.filter(pk=proposal.pk).update(
        state=ProposalState.APPROVED, approver=last.approver, approved_at=timezone.now()
    )
    release = Release.objects.create(
        topic=last.topic,
        number=last.number + 1,
        document=document,
        sha256=sha256,
        proposal=proposal,
        author=last.author,
        approver=last.approver,
        publisher=last.approver,
        published_at=timezone.now(),
        why=WHY,
        demonstration=True,
    )
    Proposal.objects.filter(pk=proposal.pk).update(state=ProposalState.PUBLISHED)
    return release
