"""How a browser becomes a terminal, and stops being one.

Staff make a code, which is said once and holds for half an hour; typed at the device, it is spent
for a token of 256 bits. Of both only the hash is kept.
"""

import secrets
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils.crypto import salted_hmac

from triage.questionnaire import services as questionnaire
from triage.questionnaire.models import Token, hash_of

from .models import Terminal, WrongEnrolment

DIGITS = 8
CODE_LASTS = timedelta(minutes=30)
TRIES = 5
"""Wrong codes from one address within `WINDOW`."""

TRIES_IN_ALL = 50
"""From everywhere. A code meets at most 150 of them while it holds: one in 600,000 is guessed."""

WINDOW = timedelta(minutes=15)
SEEN_EVERY = timedelta(seconds=30)
COOKIE_LASTS = timedelta(days=400)

log = structlog.get_logger("triage.kiosk")


class NoSuchCode(Exception):
    """No terminal waits for this code: it was mistyped, used already, or its time is over."""


class TooManyTries(Exception):
    """Too many wrong codes came from this address, or in all; none is looked at for a while."""


def make_code(*, terminal: Terminal, by: User, now: datetime) -> str:
    """Return a new code for this terminal; an earlier one opens nothing any more."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    Terminal.objects.filter(pk=terminal.pk).update(
        code_hash=_hashed(code), code_until=now + CODE_LASTS
    )
    log.info("code_made", terminal=terminal.pk, place=terminal.place, who=by.get_username())
    return code


def enrol(*, code: str, address: str, now: datetime) -> tuple[Terminal, Token]:
    """Spend a code: the browser that sent it is the terminal from now on, and no other is.

    Raises NoSuchCode, or TooManyTries.
    """
    if _is_locked_out(address, now):
        log.warning("enrolment_locked")
        raise TooManyTries
    typed = "".join(letter for letter in code if letter.isascii() and letter.isdigit())
    waiting = Terminal.objects.filter(
        # A clock that was set back must not let a code hold for longer.
        code_hash=_hashed(typed),
        code_until__gt=now,
        code_until__lte=now + CODE_LASTS,
    ).first()
    token = Token(secrets.token_urlsafe(32))
    # The code is in the condition, so that of two who send it at once only one comes in.
    spent = waiting and Terminal.objects.filter(pk=waiting.pk, code_hash=waiting.code_hash).update(
        code_hash=None,
        code_until=None,
        token_hash=hash_of(token),
        enrolled_at=now,
        revoked_at=None,
        seen_at=now,
    )
    if waiting is None or not spent:
        WrongEnrolment.objects.create(address=_hashed(address), at=now)
        log.warning("enrolment_refused")
        raise NoSuchCode
    _end_visit(waiting, now)
    log.info("enrolled", terminal=waiting.pk, place=waiting.place)
    return waiting, token


def revoke(*, terminal: Terminal, by: User, now: datetime) -> None:
    """Lock the screen of a terminal from its next request on, and delete what somebody answered."""
    Terminal.objects.filter(pk=terminal.pk).update(revoked_at=now, code_hash=None, code_until=None)
    _end_visit(terminal, now)
    log.info("revoked", terminal=terminal.pk, place=terminal.place, who=by.get_username())


def keep_token(response: HttpResponse, token: Token) -> None:
    """Let the browser be the terminal from now on; browsers keep a cookie 400 days at the most."""
    response.set_cookie(
        settings.KIOSK_COOKIE_NAME,
        token,
        max_age=COOKIE_LASTS,
        secure=settings.ASSESSMENT_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def is_open(terminal: Terminal) -> bool:
    return terminal.token_hash is not None and terminal.revoked_at is None


def seen(*, terminal: Terminal, now: datetime) -> None:
    """Note that the screen is on, but not each time it says so."""
    if terminal.seen_at is None or now - terminal.seen_at >= SEEN_EVERY:
        Terminal.objects.filter(pk=terminal.pk).update(seen_at=now)


def _end_visit(terminal: Terminal, now: datetime) -> None:
    questionnaire.delete_at(device=terminal.pk, now=now)


def forget_wrong_codes(now: datetime) -> None:
    """Delete what counts no more."""
    WrongEnrolment.objects.filter(at__lte=now - WINDOW).delete()


def _is_locked_out(address: str, now: datetime) -> bool:
    forget_wrong_codes(now)
    wrong = WrongEnrolment.objects.filter(at__lte=now)  # nor lock anybody out for longer
    here = wrong.filter(address=_hashed(address)).count()
    return here >= TRIES or wrong.count() >= TRIES_IN_ALL


def _hashed(text: str) -> str:
    """Eight digits and an address are few enough to try all: without the secret key nobody can."""
    return salted_hmac("triage.kiosk", text, algorithm="sha256").hexdigest()
