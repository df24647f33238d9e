"""What staff see of somebody at a kiosk, what somebody hands over, and who may ask by program."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact

from triage.engine import Urgency

URGENCIES = [(urgency.value, urgency.key) for urgency in Urgency]


class VisitQuerySet(models.QuerySet["Visit"]):
    def there(self) -> "VisitQuerySet":
        """Visits whose replies still exist."""
        return self.filter(assessment__isnull=False)

    def begun_before(self, when: datetime) -> "VisitQuerySet":
        return self.filter(started_at__lte=when)


class Visit(models.Model):
    """One person at a kiosk, as staff see them: no reply and no name, but a ticket to call.

    `assessment` is the key of the row with the replies, and empty once these are gone; what the
    visit itself says stays until its alerts were acknowledged, `settings.HANDOVER_LASTS` at most.
    """

    ticket = models.CharField(max_length=3, help_text="What staff call out: 472.")
    day = models.DateField(help_text="The day of the place, within which no ticket comes twice.")
    device = models.PositiveBigIntegerField()
    place = models.CharField(max_length=100)
    language = models.CharField(max_length=20)
    started_at = models.DateTimeField(db_index=True)
    assessment = models.PositiveBigIntegerField(null=True, blank=True, unique=True)
    urgency = models.PositiveSmallIntegerField(null=True, blank=True, choices=URGENCIES)
    concluded = models.BooleanField(default=False)
    left_at = models.DateTimeField(null=True, blank=True)

    objects = VisitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("day", "ticket", name="visit_ticket_once_a_day"),
            models.CheckConstraint(
                condition=Exact(Length("ticket"), 3), name="visit_ticket_has_three_digits"
            ),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(assessment=None), name="visit_left_has_no_replies"
            ),
        ]

    def __str__(self) -> str:
        return f"ticket {self.ticket}"


class AlertQuerySet(models.QuerySet["Alert"]):
    def unacknowledged(self) -> "AlertQuerySet":
        return self.filter(acknowledged_at=None)

    def still_needed(self, now: datetime) -> "AlertQuerySet":
        """Alerts that nobody has acknowledged, or only just now."""
        return self.filter(
            Q(acknowledged_at=None) | Q(acknowledged_at__gt=now - settings.ALERT_STAYS)
        )


class Alert(models.Model):
    """A red flag that somebody at a kiosk has raised, until a member of staff says that they know.

    One that was withdrawn since stays, marked so.
    """

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="alerts")
    flag = models.CharField()  # as long as content may make it: a cut or refused one would be lost
    title = models.CharField(help_text="In the language of the place.")
    urgency = models.PositiveSmallIntegerField(choices=URGENCIES)
    raised_at = models.DateTimeField()
    raised_again_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    acknowledged_name = models.CharField(max_length=310, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        permissions = [("acknowledge_alert", "Can say that staff know of a red flag")]
        constraints = [
            models.UniqueConstraint("visit", "flag", name="alert_once_per_flag_of_a_visit"),
            models.CheckConstraint(
                condition=Q(acknowledged_at=None, acknowledged_name="")
                | Q(acknowledged_at__isnull=False) & ~Q(acknowledged_name=""),
                name="alert_is_acknowledged_by_name",
            ),
        ]

    def __str__(self) -> str:
        return f"alert of ticket {self.visit.ticket}"


class HandoverQuerySet(models.QuerySet["Handover"]):
    def expired(self, now: datetime) -> "HandoverQuerySet":
        return self.filter(
            Q(made_at__lte=now - settings.HANDOVER_LASTS)
            | Q(opened_at__lte=now - settings.HANDOVER_AFTER_OPENING)
        )


class Handover(models.Model):
    """An assessment that its person handed over, until staff have taken it.

    `document` holds all that a Summary needs beside the release: topic, replies, set_by, voice,
    language, channel, started_at, finished_at, withdrawn, ticket, place. The code and the link are
    known to the person alone; we keep their hashes.
    """

    visit = models.OneToOneField(
        Visit, models.SET_NULL, related_name="handover", null=True, blank=True
    )
    release = models.ForeignKey("content.Release", models.PROTECT, related_name="+")
    assessment = models.PositiveBigIntegerField(
        null=True, blank=True, unique=True, help_text="Whose copy it is, as long as that exists."
    )
    document = models.JSONField()
    code_hash = models.CharField(max_length=64, unique=True)
    link_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(db_index=True)
    link_used_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )

    objects = HandoverQuerySet.as_manager()

    class Meta:
        permissions = [("pick_up", "Can open what patients have handed over")]
        constraints = [
            models.CheckConstraint(
                condition=Exact(Length("code_hash"), 64) & Exact(Length("link_hash"), 64),
                name="handover_codes_are_hashed",
            ),
        ]

    def __str__(self) -> str:
        return f"handover {self.pk}"  # nothing of the person, wherever it may be printed

    @property
    def gone_at(self) -> datetime:
        """When it will have deleted itself."""
        last: datetime = self.made_at + settings.HANDOVER_LASTS
        if self.opened_at is None:
            return last
        after: timedelta = settings.HANDOVER_AFTER_OPENING
        return min(last, self.opened_at + after)

    def is_link_open(self, now: datetime) -> bool:
        lasts: timedelta = settings.HANDOVER_LINK_LASTS
        return self.link_used_at is None and now < self.made_at + lasts


class WrongCode(models.Model):
    """A code that nobody's summary has, typed by a member of staff: too many, and they wait."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"wrong code at {self.at:%H:%M}"


class Watch(models.Model):
    """The one row that says when a screen of the desk last asked for alerts."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="watch_is_one_row")]

    def __str__(self) -> str:
        return "watch"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def valid(self) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """What a program of somebody else's shows to ask the checker. It is said once; its hash is kept."""

    name = models.CharField(max_length=100, unique=True, help_text="Whose program it is.")
    key_hash = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    per_minute = models.PositiveSmallIntegerField(default=60, help_text="How often it may ask.")
    minute = models.DateTimeField(null=True, blank=True)
    used = models.PositiveSmallIntegerField(default=0)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Exact(Length("key_hash"), 64), name="api_key_is_hashed"
            ),
        ]

    def __str__(self) -> str:
        return self.name
