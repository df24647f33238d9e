"""What can be done at a terminal with the visit of the person who is there."""

from datetime import datetime

import structlog

from triage.questionnaire import services as questionnaire
from triage.questionnaire.models import Assessment, Token

from .models import Terminal
from .showing import Showing

LONGER = 2
"""How many times as long somebody has who asked for more time."""

log = structlog.get_logger("triage.kiosk")


def wipe(*, showing: Showing, why: str, now: datetime) -> None:
    """Delete what this person answered, and whatever else stands at this terminal.

    One that was begun elsewhere, before the browser became a terminal, goes with it.
    """
    if showing.token is None and not Assessment.objects.filter(device=showing.pk).exists():
        return
    if showing.token is not None:
        questionnaire.delete(token=showing.token, now=now)
    questionnaire.delete_at(device=showing.pk, now=now)
    showing.forget()
    log.info("wiped", terminal=showing.pk, why=why)


def still_here(*, token: Token, now: datetime) -> bool:
    """Let the visit last as long again from now on. Returns whether there is one."""
    return questionnaire.touch(token=token, now=now)


def more_time(*, showing: Showing, token: Token, now: datetime) -> bool:
    """Double every limit for this person alone. Returns whether there is a visit."""
    return questionnaire.touch(token=token, now=now, idle_limit=LONGER * showing.idle_limit)


def begin_in(*, showing: Showing, language: str) -> None:
    """Let this terminal begin in another of the languages that it offers."""
    if language in showing.languages:
        Terminal.objects.filter(pk=showing.pk).update(language=language)
        log.info("language_changed", terminal=showing.pk, language=language)
