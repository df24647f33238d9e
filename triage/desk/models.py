"""What clinicians say afterwards of the advice that was given."""

from django.db import models
from django.db.models import Q

from triage.engine import Urgency


class Judgement(models.TextChoices):
    RIGHT = "right", "It was right"
    TOO_URGENT = "too_urgent", "It could have waited longer"
    NOT_URGENT_ENOUGH = "not_urgent_enough", "It should have been seen sooner"


class Verdict(models.Model):
    """One outcome against what was found: evidence on a release, and nothing of the person.

    `leading` is `[[condition, posterior], ...]`, the ten likeliest, and what is left under "". The
    reference stands on the clinician's note, and leads nowhere else.
    """

    reference = models.CharField(max_length=9, unique=True)
    release = models.ForeignKey("content.Release", models.PROTECT, related_name="+")
    urgency = models.PositiveSmallIntegerField(
        choices=[(urgency.value, urgency.key) for urgency in Urgency]
    )
    leading = models.JSONField(default=list, blank=True)
    made_on = models.DateField()
    urgency_right = models.CharField(max_length=20, choices=Judgement, blank=True)
    urgency_on = models.DateField(null=True, blank=True)
    cause = models.CharField(
        max_length=100, blank=True, help_text="A condition of the release, or “other”."
    )
    cause_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(urgency_right="", urgency_on=None)
                | Q(urgency_right__in=list(Judgement.values), urgency_on__isnull=False),
                name="verdict_on_urgency_has_its_day",
            ),
            models.CheckConstraint(
                condition=Q(cause="", cause_on=None) | ~Q(cause="") & Q(cause_on__isnull=False),
                name="verdict_on_cause_has_its_day",
            ),
        ]

    def __str__(self) -> str:
        return f"verdict {self.reference}"
