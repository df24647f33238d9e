"""What patients meet: the live release, how one is published at a shell, and how one is recalled."""

from django.contrib.auth.models import User
from django.utils import timezone

from .audit import changing
from .documents import canonical, compile_release
from .faults import Fault
from .models import Release, Topic

__all__ = [
    "AlreadyRecalled",
    "MayNot",
    "MayNotApprove",
    "MayNotPublish",
    "NoReason",
    "NotDone",
    "NothingPublished",
    "OnlyDemonstrations",
    "OwnApprover",
    "UnfitDraft",
    "canonical",
    "compile_release",
    "live_of",
    "live_release",
    "publish",
    "recall",
]


PUBLISHES = "content.publish_release"


class NothingPublished(Exception):
    """No release of this topic may be shown to anybody."""


class OnlyDemonstrations(NothingPublished):
    """Releases there are, but only demonstrations, and this is a real service."""


class NotDone(Exception):
    """Something was to be decided that cannot be. Says why in a sentence for staff."""


class UnfitDraft(NotDone):
    """A draft with faults was to be submitted, approved or published."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class OwnApprover(NotDone):
    """Somebody was to approve what they wrote, or a part of it."""


class MayNotApprove(NotDone):
    """Somebody was to approve who is not allowed to."""


class NoReason(NotDone):
    """A decision without a why."""


class MayNot(NotDone):
    """Somebody is not allowed to do this."""


class MayNotPublish(MayNot):
    """Somebody is not allowed to publish this, or anything."""


class AlreadyRecalled(NotDone):
    """The release was recalled before; who, when and why stay as they were."""


def publish(
    *, topic: Topic, author: User, approver: User, why: str, demonstration: bool = False
) -> Release:
    """Submit, approve and publish the drafts of a topic in one go, with two people's names.

    For commands and demonstrations: see `approval.publish_at_once` for what it asks and raises.
    """
    from .approval import publish_at_once  # it stands on what is live

    return publish_at_once(
        topic=topic, author=author, approver=approver, why=why, demonstration=demonstration
    )


def recall(*, release: Release, by: User, why: str) -> None:
    """Take a release out of use: whoever is in the middle of it stops at a page that says so.

    The release before it is live again. Raises MayNotPublish, NoReason and AlreadyRecalled.
    """
    if not by.has_perm(PUBLISHES):
        raise MayNotPublish(f"{by} may not recall: the Publisher group can.")
    if not why.strip():
        raise NoReason("Say why: whoever looks back at this reads it.")
    with changing(who=by, why=why):
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


def live_of(topic: Topic) -> Release | None:
    """Return the live release without its document, or nothing where there is none."""
    try:
        return live_release(topic.key)
    except NothingPublished:
        return None
