"""From drafts to what patients meet: proposed, measured, approved by another, frozen, recalled."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from triage.content.choices import ProposalState

from .drafts import Topic, not_empty, one_of

SHA256 = r"^[0-9a-f]{64}$"


def has_sha256(field: str, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{field}__regex": SHA256}),
        name=name,
        violation_error_message="The hash has 64 digits, 0 to 9 and a to f.",
    )


class Snapshot(models.Model):
    """A topic's drafts as they were at one moment. Triggers refuse to change it."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="snapshots")
    sha256 = models.CharField("SHA-256")
    document = models.TextField(help_text="Canonical JSON: sorted keys, no spaces.")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-made_at",)
        constraints = [
            models.UniqueConstraint("topic", "sha256", name="snapshot_once_per_content"),
            has_sha256("sha256", "snapshot_sha256"),
        ]

    def __str__(self) -> str:
        return f"draft {self.sha256[:8]}"


class Proposal(models.Model):
    """A change of a topic, submitted by its author to be approved by somebody else.

    Triggers refuse another snapshot, author or reason than was submitted, an approver who wrote a
    part of it, and to undo an approval.
    """

    topic = models.ForeignKey(Topic, models.PROTECT, related_name="proposals")
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, related_name="proposals")
    base = models.ForeignKey(
        "Release",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="What was live when it was submitted.",
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="proposals_written"
    )
    contributors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="ProposalContributor",
        related_name="proposals_contributed_to",
    )
    submitted_at = models.DateTimeField(default=timezone.now)
    why = models.TextField(help_text="What changes for the people we serve.")
    state = models.CharField(choices=ProposalState, default=ProposalState.SUBMITTED)
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="proposals_approved",
        null=True,
        blank=True,
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="proposals_closed",
        null=True,
        blank=True,
        help_text="Who sent it back, or took it back.",
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_why = models.TextField(blank=True)

    class Meta:
        ordering = ("-submitted_at",)
        constraints = [
            not_empty("why", "proposal_says_why"),
            one_of("state", ProposalState, "proposal_state"),
            models.CheckConstraint(
                condition=~Q(author=F("approver")), name="proposal_approved_by_another"
            ),
            models.CheckConstraint(
                condition=Q(approver=None, approved_at=None)
                | Q(approver__isnull=False, approved_at__isnull=False),
                name="proposal_approval_whole",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["submitted", "sent_back", "withdrawn"])
                | Q(state__in=["approved", "published"], approver__isnull=False),
                name="proposal_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["submitted", "approved", "published"],
                    closed_by=None,
                    closed_at=None,
                    closed_why="",
                )
                | Q(
                    state__in=["sent_back", "withdrawn"],
                    closed_by__isnull=False,
                    closed_at__isnull=False,
                ),
                name="proposal_closed_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["topic"],
                condition=Q(state__in=["submitted", "approved"]),
                name="proposal_one_open_per_topic",
                violation_error_message="One change of a topic is decided on at a time.",
            ),
        ]

    def __str__(self) -> str:
        return f"change {self.pk} of {self.topic}"


class ProposalContributor(models.Model):
    """Somebody who wrote a part of a proposal, and so may not approve it."""

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="contributions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint("proposal", "person", name="proposal_contributor_once"),
        ]

    def __str__(self) -> str:
        return str(self.person)


class Comment(models.Model):
    """What somebody says of a proposal."""

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="comments")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField()

    class Meta:
        ordering = ("at", "pk")
        constraints = [not_empty("text", "comment_says_something")]

    def __str__(self) -> str:
        return self.text


class CaseSignOff(models.Model):
    """Somebody's word that a case may go to a lower urgency than before, and why."""

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="sign_offs")
    case = models.CharField(help_text="The case, by its file and key.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField()

    class Meta:
        ordering = ("at", "pk")
        constraints = [
            models.UniqueConstraint("proposal", "case", name="sign_off_once_per_case"),
            not_empty("reason", "sign_off_says_why"),
        ]

    def __str__(self) -> str:
        return self.case


class Effect(models.Model):
    """What a draft would change: cases and simulated people, measured in a process of its own."""

    draft = models.ForeignKey(Snapshot, models.CASCADE, related_name="effects")
    live_sha256 = models.CharField(blank=True, help_text="Empty: nothing was live.")
    cases_sha256 = models.CharField(help_text="The cases that it was measured on.")
    asked_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(
        default=timezone.now, help_text="When it last got on; long ago: its process is gone."
    )
    people_done = models.PositiveIntegerField(default=0)
    people_total = models.PositiveIntegerField(default=0)
    figures = models.JSONField(null=True, blank=True)
    failed = models.TextField(blank=True)

    class Meta:
        ordering = ("-asked_at",)
        constraints = [
            models.UniqueConstraint(
                "draft", "live_sha256", "cases_sha256", name="effect_once_per_comparison"
            ),
            has_sha256("cases_sha256", "effect_cases_sha256"),
        ]

    def __str__(self) -> str:
        return f"effect of {self.draft}"


class SavedCase(models.Model):
    """A person that the clinic made up or met: what they answer, and what would be right."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="saved_cases")
    key = models.CharField(help_text="A short name, such as “boil-with-fever”.")
    story = models.TextField(
        help_text="Who it is, in a line or two. Never a name, a birthday or an address."
    )
    answers = models.JSONField(help_text="The answers, by question.")
    expected = models.JSONField(
        default=dict, blank=True, help_text="The causes and the urgency that would be right."
    )
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("topic", "key")
        constraints = [
            models.UniqueConstraint("topic", "key", name="saved_case_once_per_key"),
            not_empty("key", "saved_case_has_key"),
            not_empty("story", "saved_case_has_story"),
        ]

    def __str__(self) -> str:
        return self.key


class AuditRecord(models.Model):
    """One row that was added, changed or deleted: by triggers, through whatever path.

    `triage.content.audit` makes the triggers, and says who and why. Nobody can change a record.
    """

    class Action(models.TextChoices):
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        DELETED = "deleted", "Deleted"

    at = models.DateTimeField("when")
    who = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="+",
        null=True,
        blank=True,
        db_constraint=False,
    )
    who_name = models.CharField("who", blank=True)
    why = models.TextField(blank=True)
    topic = models.ForeignKey(
        Topic, models.DO_NOTHING, related_name="+", null=True, blank=True, db_constraint=False
    )
    table = models.CharField()
    row = models.BigIntegerField()
    action = models.CharField(choices=Action)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ("-pk",)
        indexes = [models.Index(fields=["topic", "at"], name="audit_by_topic")]

    def __str__(self) -> str:
        return f"{self.table} {self.row} {self.action}"


class ReleaseQuerySet(models.QuerySet["Release"]):
    def get_by_natural_key(self, topic: str, number: int) -> "Release":
        return self.get(topic__key=topic, number=number)

    def without_document(self) -> Self:
        """The document is some 900 kB: few pages need it."""
        return self.defer("document")

    def not_recalled(self) -> Self:
        return self.filter(recalled_at=None)

    def for_patients(self) -> Self:
        """Leave out demonstrations, except where this is one."""
        return self if settings.DEBUG_HTTP else self.filter(demonstration=False)


class Release(models.Model):
    """Published, frozen, hashed content. The database refuses to change or delete it.

    Triggers let only the three recall columns be filled in, once, and let nothing in that was not
    approved: see the migration `only_what_was_approved`. On SQLite a later migration that alters this table
    drops them and must make them again.
    """

    topic = models.ForeignKey(Topic, models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    document = models.TextField(help_text="Canonical JSON: sorted keys, no spaces.")
    sha256 = models.CharField("SHA-256")
    proposal = models.ForeignKey(
        Proposal,
        models.PROTECT,
        related_name="releases",
        null=True,
        blank=True,
        help_text="Empty for a roll-back, and for releases from before changes were proposed.",
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="releases_written"
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="releases_approved"
    )
    publisher = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="releases_published",
        null=True,
        blank=True,
    )
    published_at = models.DateTimeField()
    why = models.TextField(help_text="What changes for the people we serve.")
    rolled_back_to = models.ForeignKey(
        "self",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="The earlier release whose content this one brings back.",
    )
    demonstration = models.BooleanField(
        help_text="For trying out only: every page says so, and a real service refuses it."
    )
    recalled_at = models.DateTimeField(null=True, blank=True)
    recalled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="releases_recalled",
        null=True,
        blank=True,
    )
    recalled_why = models.TextField(blank=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "-number")
        permissions = [
            ("approve_release", "Can approve what somebody else wrote"),
            ("publish_release", "Can publish, roll back and recall"),
        ]
        constraints = [
            models.UniqueConstraint("topic", "number", name="release_once_per_number"),
            models.CheckConstraint(
                condition=~Q(author=F("approver")), name="release_approved_by_another"
            ),
            models.CheckConstraint(
                condition=Q(publisher=None)
                | ~Q(publisher=F("author"))
                | Q(rolled_back_to__isnull=False),
                name="release_published_by_another",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="release_number_from_1"),
            has_sha256("sha256", "release_sha256"),
            not_empty("why", "release_says_why"),
            models.CheckConstraint(
                condition=Q(recalled_at=None, recalled_by=None, recalled_why="")
                | (Q(recalled_at__isnull=False, recalled_by__isnull=False) & ~Q(recalled_why="")),
                name="release_recall_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"Release {self.number}"

    def natural_key(self) -> tuple[str, int]:
        return (self.topic.key, self.number)
