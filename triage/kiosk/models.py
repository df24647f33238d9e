"""The devices in waiting rooms that one person after another uses."""

from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

LEAST_WARNING = 20
"""Seconds that anybody has, at the least, to say that they are still there (WCAG 2.2.1)."""

GRACE = timedelta(seconds=30)
"""How much longer the server waits than the page does, whose word it may not have heard."""


class Target(models.IntegerChoices):
    """How large what is touched is at the least, in CSS pixels: 76 are about 20 mm."""

    USUAL = 76, "76 px, about 20 mm"
    LARGER = 90, "90 px"
    LARGEST = 104, "104 px"


class TerminalQuerySet(models.QuerySet["Terminal"]):
    def enrolled(self) -> "TerminalQuerySet":
        return self.filter(token_hash__isnull=False, revoked_at=None)


def seconds(low: int, high: int) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(low), MaxValueValidator(high)]


class Terminal(models.Model):
    """A device that staff enrolled as a kiosk, and how it shows the pages."""

    place = models.CharField(
        max_length=100, unique=True, help_text="Where it stands, as staff say it: waiting room 2."
    )
    language = models.CharField(
        max_length=20, blank=True, help_text="What it begins in; empty: the language of the place."
    )
    languages = models.JSONField(
        default=list, blank=True, help_text="Which ones it offers; none chosen: all there are."
    )
    idle_question = models.PositiveSmallIntegerField(
        "idle on a question",
        default=75,
        validators=seconds(30, 600),
        help_text="Seconds without a touch until it asks whether somebody is still there.",
    )
    idle_outcome = models.PositiveSmallIntegerField(
        "idle on the advice", default=180, validators=seconds(60, 900), help_text="Seconds."
    )
    warning = models.PositiveSmallIntegerField(
        default=30,
        validators=seconds(LEAST_WARNING, 120),
        help_text="Seconds in which any touch keeps the answers; then they are deleted.",
    )
    target = models.PositiveSmallIntegerField(
        "size of what is touched", choices=Target, default=Target.USUAL
    )
    prints = models.BooleanField(
        "a printer is there", default=False, help_text="Then the advice can be printed."
    )
    shows_qr = models.BooleanField(
        "QR code",
        default=False,
        help_text="For phones that reach this server and trust its certificate, which they do not"
        " where the clinic made it itself: a picture to take the advice along.",
    )
    sound = models.BooleanField(default=False, help_text="A sound with the warning.")
    controls_low = models.BooleanField(
        "buttons low",
        default=False,
        help_text="For people who sit: in the lower half when upright.",
    )
    help_text = models.CharField(
        max_length=200,
        blank=True,
        help_text="Who helps, on its first page: “Ask at the desk by the door.”",
    )

    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    code_hash = models.CharField(max_length=64, null=True, blank=True, unique=True)
    code_until = models.DateTimeField(null=True, blank=True)
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True)
    enrolled_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)

    pin_hash = models.CharField(max_length=128, blank=True)
    pin_tries = models.PositiveSmallIntegerField(default=0)
    pin_locked_until = models.DateTimeField(null=True, blank=True)

    objects = TerminalQuerySet.as_manager()

    class Meta:
        verbose_name = "kiosk"
        constraints = [
            models.CheckConstraint(
                condition=Q(warning__gte=LEAST_WARNING), name="terminal_warns_long_enough"
            ),
            models.CheckConstraint(
                condition=Q(target__in=[target.value for target in Target]),
                name="terminal_target_is_large",
            ),
            models.CheckConstraint(
                condition=Q(code_hash=None, code_until=None)
                | Q(code_hash__isnull=False, code_until__isnull=False),
                name="terminal_code_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.place

    @property
    def idle_limit(self) -> timedelta:
        """After how long without a sign of anybody the server ends a visit by itself."""
        longest = max(self.idle_question, self.idle_outcome) + self.warning
        return timedelta(seconds=longest) + GRACE


class WrongEnrolment(models.Model):
    """A code that opens no kiosk, typed somewhere: too many, and everybody waits."""

    address = models.CharField(max_length=64, help_text="A hash of where it came from.")
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"wrong code at {self.at:%H:%M}"
