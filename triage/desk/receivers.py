"""What has to be done here when something happens to assessments."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver
from django.utils.timezone import localdate

from triage.questionnaire import signals

from . import verdicts


@receiver(signals.purging)
def forget_what_nobody_said(now: datetime, **_: Any) -> None:
    verdicts.forget_unsaid(today=localdate(now))
