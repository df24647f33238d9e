"""One person's assessment: one row, found only by the hash of a token that the browser holds."""

import hashlib
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from threading import Lock
from typing import Any, NewType

from django.conf import settings
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import pgettext_lazy

from triage.content.knowledge import Content, content_of
from triage.content.snapshots import content_of_snapshot
from triage.engine import Evidence, FeatureKey, Reply, Urgency, reply_from_json

Token = NewType("Token", str)
"""256 bits that no guess finds. Only the person's cookie holds it; we keep its hash."""


def hash_of(token: Token) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


class ListLength(models.Func):
    """How many entries a JSON list has."""

    function = "JSON_ARRAY_LENGTH"
    output_field = models.IntegerField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, function="JSONB_ARRAY_LENGTH")


# An answer reads once and writes once. Both are SQL of our own: put together anew for each answer,
# they took the ORM a third of the answer's time.
FIND = """
SELECT assessment.*, release.recalled_at IS NOT NULL AS recalled
FROM questionnaire_assessment AS assessment
LEFT JOIN content_release AS release ON release.id = assessment.release_id
WHERE assessment.token_hash = %s
"""
WRITE = "UPDATE questionnaire_assessment SET {columns} WHERE id = %s AND revision = %s"


WRITING = Lock()
"""SQLite takes one writer at a time, and whoever finds it taken sleeps up to 100 ms before asking
again; threads of one process wait for each other here instead, which takes no longer than need be.
"""


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    def of(self, token: Token) -> "AssessmentQuerySet":
        return self.filter(token_hash=hash_of(token))

    def find(self, token_hash: str) -> "Assessment | None":
        """Return the one with this hash; `recalled` says whether its release was."""
        return next(iter(self.raw(FIND, [token_hash])), None)

    def write(self, assessment: "Assessment", values: Mapping[str, Any]) -> bool:
        """Write these values, unless somebody else has written to the row since it was read."""
        fields = [field for field in self.model._meta.concrete_fields if field.name in values]
        statement = WRITE.format(columns=", ".join(f"{field.column} = %s" for field in fields))
        ready = [field.get_db_prep_save(values[field.name], connection) for field in fields]
        turn = WRITING if connection.vendor == "sqlite" else nullcontext()
        with connection.cursor() as cursor, turn:
            cursor.execute(statement, [*ready, assessment.pk, assessment.revision])
            return bool(cursor.rowcount)

    def unchanged(self, assessment: "Assessment") -> "AssessmentQuerySet":
        """The row, as long as nobody has written to it since it was read."""
        return self.filter(pk=assessment.pk, revision=assessment.revision)

    def expired(self, now: datetime) -> "AssessmentQuerySet":
        over = ExpressionWrapper(F("active_at") + F("idle_limit"), models.DateTimeField())
        return self.alias(over=over).filter(
            Q(idle_limit=None, active_at__lte=now - settings.ASSESSMENT_LIFETIME)
            | Q(idle_limit__isnull=False, over__lte=now)
        )


class Assessment(models.Model):
    """One person's run through a release, or of staff through a draft. The replies are the state; the rest follows from them.

    `replies` is a list of `[feature, reply]` in the order first asked; the number of a step is the
    place in it. Beside each reply, `set_at` says at which revision it was last set and `set_by` in
    which voice, as `voice` may change on the way. `asking`, `concluded`, `urgency` and `flags` are
    what the replies imply, stored by the same UPDATE.
    """

    class Channel(models.TextChoices):
        HOME = "home", "at home"
        KIOSK = "kiosk", "at a kiosk"
        TRIAL = "trial", "tried out by staff"

    class Voice(models.TextChoices):
        """Who answers, and how they look at the back and feel it."""

        TEXT = "text", pgettext_lazy("seen or felt by …", "the person")
        MIRROR = (
            "mirror",
            pgettext_lazy("seen or felt by …", "the person, with a mirror or a phone photo"),
        )
        HELPER = "helper", pgettext_lazy("seen or felt by …", "a helper who is with them")
        OTHER = "other", pgettext_lazy("seen or felt by …", "somebody answering for them")

    token_hash = models.CharField(max_length=64, unique=True)
    release = models.ForeignKey(
        "content.Release", models.PROTECT, related_name="+", null=True, blank=True
    )
    snapshot = models.ForeignKey(
        "content.Snapshot", models.PROTECT, related_name="+", null=True, blank=True
    )
    revision = models.PositiveIntegerField(default=0)
    language = models.CharField(max_length=20)
    voice = models.CharField(max_length=10, choices=Voice, default=Voice.TEXT)
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.HOME)
    device = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="At a kiosk, which terminal it is."
    )
    idle_limit = models.DurationField(
        null=True,
        blank=True,
        help_text="At a kiosk, how long it lasts when nothing happens; elsewhere a setting says so.",
    )
    started_at = models.DateTimeField()
    active_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    replies = models.JSONField(default=list, blank=True)
    set_at = models.JSONField(default=list, blank=True)
    set_by = models.JSONField(default=list, blank=True)

    asking = models.CharField(
        max_length=100, blank=True, help_text="The feature of the next question; empty at the end."
    )
    concluded = models.BooleanField(default=False)
    urgency = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        choices=[(urgency.value, urgency.key) for urgency in Urgency],
        help_text="The highest that a rule has set so far; at the end, that of the disposition.",
    )
    flags = models.JSONField(default=list, blank=True, help_text="The red flags raised now.")
    withdrawn = models.JSONField(
        default=list,
        blank=True,
        help_text="Red flags that were raised once, and withdrawn by a confirmed change.",
    )

    objects = AssessmentQuerySet.as_manager()

    recalled: bool  # set by `find`

    class Meta:
        indexes = [
            models.Index(
                "device", condition=Q(device__isnull=False), name="assessment_at_a_terminal"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Exact(Length("token_hash"), 64), name="assessment_token_is_hashed"
            ),
            models.CheckConstraint(
                condition=Q(voice__in=["text", "mirror", "helper", "other"]),
                name="assessment_voice",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["home", "trial"], device=None, idle_limit=None)
                | Q(channel="kiosk", device__isnull=False, idle_limit__isnull=False),
                name="assessment_at_a_kiosk_has_a_device",
            ),
            models.CheckConstraint(
                condition=Q(channel="trial", release=None, snapshot__isnull=False)
                | (~Q(channel="trial") & Q(release__isnull=False, snapshot=None)),
                name="assessment_of_a_release_or_a_trial",
            ),
            models.CheckConstraint(
                condition=Exact(ListLength("replies"), ListLength("set_at")),
                name="assessment_says_when_each_reply_was_set",
            ),
            models.CheckConstraint(
                condition=Exact(ListLength("replies"), ListLength("set_by")),
                name="assessment_says_by_whom_each_reply_was_set",
            ),
            models.CheckConstraint(
                condition=Q(concluded=True, asking="") | Q(concluded=False) & ~Q(asking=""),
                name="assessment_asks_until_concluded",
            ),
            models.CheckConstraint(
                condition=Q(concluded=False) | Q(urgency__isnull=False),
                name="assessment_concluded_has_urgency",
            ),
            models.CheckConstraint(
                condition=Q(urgency=None) | Q(urgency__in=[urgency.value for urgency in Urgency]),
                name="assessment_urgency_is_one_of_six",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(concluded=True),
                name="assessment_finished_is_concluded",
            ),
        ]

    def __str__(self) -> str:
        return f"assessment {self.pk}"  # nothing of the person, wherever it may be printed

    @property
    def content(self) -> Content:
        if self.snapshot_id is not None:
            return content_of_snapshot(self.snapshot_id)
        return content_of(self.release_id)  # type: ignore[arg-type] # the database sees to one of both

    @property
    def evidence(self) -> Evidence:
        return Evidence((FeatureKey(key), reply_from_json(reply)) for key, reply in self.replies)

    @property
    def features(self) -> list[FeatureKey]:
        """The features replied to, in the order first asked."""
        return [FeatureKey(key) for key, _ in self.replies]

    def reply(self, feature: FeatureKey) -> Reply | None:
        return next((reply_from_json(reply) for key, reply in self.replies if key == feature), None)

    def is_expired(self, now: datetime) -> bool:
        return self.active_at <= now - (self.idle_limit or settings.ASSESSMENT_LIFETIME)


class Pulse(models.Model):
    """The one row that a readiness probe writes, because a full disk still answers reads."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    beat_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="pulse_is_one_row")]

    def __str__(self) -> str:
        return "pulse"
