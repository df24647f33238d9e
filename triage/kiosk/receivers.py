"""What a kiosk does when an assessment is begun at one, and when the server tidies up."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from triage.handover import visits
from triage.questionnaire.models import Assessment
from triage.questionnaire.signals import begun, purging

from . import enrolment
from .showing import Showing


@receiver(begun)
def give_ticket(assessment: Assessment, terminal: Showing, **_: Any) -> None:
    visits.open_visit(assessment=assessment, place=terminal.place, now=assessment.started_at)


@receiver(purging)
def forget(now: datetime, **_: Any) -> None:
    enrolment.forget_wrong_codes(now)
