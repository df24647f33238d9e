"""What has to be done here when something happens to an assessment."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from triage.questionnaire import signals
from triage.questionnaire.models import Assessment, AssessmentQuerySet

from . import alerts, services, visits
from .models import Visit


@receiver([signals.flags_changed, signals.concluded])
def tell_staff(assessment: Assessment, now: datetime, **_: Any) -> None:
    visits.open_missing(among=Assessment.objects.filter(pk=assessment.pk), now=now)
    alerts.gather(now)


@receiver(signals.leaving)
def keep_what_staff_have_to_see(assessments: AssessmentQuerySet, now: datetime, **_: Any) -> None:
    """Copy the flags of those who leave a kiosk. Their rows are locked first: an answer that comes
    now finds nothing to be written to, and is not acknowledged."""
    rows = list(assessments.select_for_update().values_list("pk", "device"))
    at_home = [pk for pk, device in rows if device is None]
    at_kiosks = [pk for pk, device in rows if device is not None]
    if at_kiosks:
        visits.open_missing(among=Assessment.objects.filter(pk__in=at_kiosks), now=now)
        theirs = Visit.objects.filter(assessment__in=at_kiosks).values_list("pk", flat=True)
        there = list(theirs)
        alerts.bring_up_to_date(there, now)
        visits.leave(visits=there, now=now)
    if rows:
        services.forget_withdrawn(at_home=at_home, at_kiosks=at_kiosks)


@receiver(signals.purging)
def forget_what_is_over(now: datetime, **_: Any) -> None:
    visits.open_missing(among=Assessment.objects.all(), now=now)
    alerts.gather(now)
    services.forget_expired(now)
    visits.forget(now)
