"""Handing an assessment over to staff, picking it up, and taking a copy of it home."""

import math
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q

from triage.questionnaire import erasure
from triage.questionnaire import services as questionnaire
from triage.questionnaire.models import Assessment, Token

from .codes import Codes, hash_of, make_codes, new_seed, scanned, typed
from .models import Handover, HandoverQuerySet, Visit, WrongCode

TRIES = 5
MOST_WRONG, WRONG_WITHIN = 10, timedelta(minutes=10)

log = structlog.get_logger("triage.handover")


class NotFinished(Exception):
    """There is no advice yet that could be handed over, or it is a trial of a draft."""


class NoSuchCode(Exception):
    """Nothing is handed over under this code."""


class PickedUp(NoSuchCode):
    """It was, and a colleague has opened it, whose it is now."""

    def __init__(self, handover: Handover) -> None:
        super().__init__()
        self.handover = handover


class TooManyTries(Exception):
    """The same member of staff typed too many wrong codes."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class NoSuchLink(Exception):
    """The link was used, is too old, or never was."""


def hand_over(
    *, assessment: Assessment, visit: Visit | None, now: datetime, once: str = ""
) -> Codes:
    """Keep a copy of an assessment for staff, in place of an earlier one, whose codes are void.

    Safe to repeat with the same `once`, which a form brings along. Raises NotFinished, and
    NoAssessment if it was deleted meanwhile.
    """
    seed = once or new_seed()
    for again in range(TRIES):
        with suppress(IntegrityError), transaction.atomic():
            # Locked, so that whoever deletes the answers now deletes this as well.
            row = Assessment.objects.select_for_update().filter(pk=assessment.pk).first()
            if row is None:
                raise questionnaire.NoAssessment
            if row.finished_at is None or row.release_id is None:
                raise NotFinished
            codes = make_codes(row.pk, row.revision, seed, again)
            _keep(row, visit, codes, now)
            return codes
    raise questionnaire.Overtaken


def _keep(row: Assessment, visit: Visit | None, codes: Codes, now: datetime) -> None:
    assert row.release_id is not None  # its caller has seen to that
    code_hash = hash_of(typed(codes.code))
    if _current(now).filter(assessment=row.pk, code_hash=code_hash).exists():
        return  # the same form once more
    Handover.objects.update_or_create(
        assessment=row.pk,
        defaults={
            "visit": visit,
            "release_id": row.release_id,
            "document": _document_of(row, visit),
            "code_hash": code_hash,
            "link_hash": hash_of(codes.link),
            "made_at": now,
            "link_used_at": None,
            "opened_at": None,
            "opened_by": None,
        },
    )


def _document_of(row: Assessment, visit: Visit | None) -> dict[str, Any]:
    assert row.finished_at is not None  # its caller has seen to that
    return {
        "topic": row.content.topic,
        "replies": row.replies,
        "set_by": row.set_by,
        "voice": row.voice,
        "language": row.language,
        "channel": row.channel,
        "started_at": row.started_at.isoformat(),
        "finished_at": row.finished_at.isoformat(),
        "withdrawn": row.withdrawn,
        "ticket": visit.ticket if visit else "",
        "place": visit.place if visit else "",
    }


def handed_over(assessment: Assessment, now: datetime) -> Handover | None:
    """Return what somebody has handed over already, without the answers in it."""
    return _current(now).filter(assessment=assessment.pk).defer("document").first()


def _current(now: datetime) -> HandoverQuerySet:
    """Return what has not deleted itself, though the row may still be there for a moment."""
    unopened_or_just_now = Q(opened_at=None) | Q(
        opened_at__gt=now - settings.HANDOVER_AFTER_OPENING
    )
    return Handover.objects.filter(unopened_or_just_now, made_at__gt=now - settings.HANDOVER_LASTS)


# By the code


def pick_up(*, code: str, by: User, now: datetime) -> Handover:
    """Open what was handed over under this code, for one member of staff. Safe to repeat.

    What a scanner reads from the picture beside the code does as well, but once. Raises NoSuchCode,
    or PickedUp; and TooManyTries, even for the right code, after ten wrong ones within ten minutes.
    """
    if link := scanned(code):
        return _pick_up_by_link(link, by, now)
    if not (plain := typed(code)):
        raise NoSuchCode  # and no guess: no code looks like this
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(
            pk=by.pk
        )  # one try at a time, in whatever process
        lately = WrongCode.objects.filter(by=by, at__gt=now - WRONG_WITHIN).order_by("-at")
        wrong = list(lately.values_list("at", flat=True)[:MOST_WRONG])
        if len(wrong) == MOST_WRONG:
            log.warning("too_many_wrong_codes", who=by.get_username())
            raise TooManyTries(math.ceil((wrong[-1] + WRONG_WITHIN - now).total_seconds()))
        found = _current(now).filter(code_hash=hash_of(plain)).first()
        if found is None:
            WrongCode.objects.create(by=by, at=now)
    if found is None:
        raise NoSuchCode
    return _opened_for(found, by, now)


def _opened_for(found: Handover, by: User, now: datetime) -> Handover:
    opened = open_handover(handover=found, by=by, now=now)
    if opened.opened_by_id != by.pk:
        raise PickedUp(opened)
    return opened


@transaction.atomic
def _pick_up_by_link(link: str, by: User, now: datetime) -> Handover:
    """A colleague who comes second leaves the link to its person: nothing of this is written then."""
    found = _openable(link, now).first()
    if found is None or not _openable(link, now).update(link_used_at=now):
        raise NoSuchCode
    return _opened_for(found, by, now)


def open_handover(*, handover: Handover, by: User, now: datetime) -> Handover:
    """Take down who opened it, if nobody has yet; from then on it lasts half an hour."""
    closed = Handover.objects.filter(pk=handover.pk, opened_at=None)
    if closed.update(opened_at=now, opened_by=by):
        log.info("handover_opened", who=by.get_username())
    return Handover.objects.select_related("visit", "opened_by").get(pk=handover.pk)


# By the link


def behind(link: str, now: datetime) -> Handover | None:
    """Return what a link leads to, without the answers, as long as it can be opened."""
    return _openable(link, now).defer("document").first()


def _openable(link: str, now: datetime) -> HandoverQuerySet:
    return _current(now).filter(
        link_hash=hash_of(link),
        link_used_at=None,
        made_at__gt=now - settings.HANDOVER_LINK_LASTS,
    )


@transaction.atomic
def take_along(*, token: str, now: datetime) -> tuple[Token, Assessment]:
    """Copy what was handed over to the device that opens the link first.

    Raises NoSuchLink.
    """
    if not _openable(token, now).update(link_used_at=now):
        raise NoSuchLink
    handover = Handover.objects.select_related("release").get(link_hash=hash_of(token))
    kept = handover.document
    return questionnaire.copy_home(
        release=handover.release,
        replies=kept["replies"],
        set_by=kept["set_by"],
        withdrawn=kept["withdrawn"],
        voice=Assessment.Voice(kept["voice"]),
        language=kept["language"],
        now=now,
    )


# Forgetting


def forget(handover: Handover) -> bool:
    """Delete what staff have taken; True once no file of ours holds it."""
    handover.delete()
    return erasure.overwrite()


def forget_expired(now: datetime) -> None:
    """Delete what was not picked up, and what was, half an hour after. The files are the caller's."""
    Handover.objects.expired(now).delete()
    WrongCode.objects.filter(at__lte=now - WRONG_WITHIN).delete()


def forget_withdrawn(*, at_home: list[int], at_kiosks: list[int]) -> None:
    """Let go of assessments that are being deleted. At home what nobody has opened goes with them;
    whoever leaves a kiosk has given it away."""
    Handover.objects.filter(assessment__in=at_home, opened_at=None).delete()
    Handover.objects.filter(assessment__in=[*at_home, *at_kiosks]).update(assessment=None)
