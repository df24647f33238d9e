"""The number by which staff open the menu of a terminal, at the terminal."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, TimestampSigner
from django.db.models import F
from django.http import HttpRequest, HttpResponse

from .models import Terminal
from .showing import Showing

SHORTEST, LONGEST = 4, 8
TRIES = 5
LOCKED = timedelta(minutes=15)
OPEN = timedelta(minutes=5)
COOKIE_NAME = f"{settings.KIOSK_COOKIE_NAME}-menu"
UPWARDS = "01234567890123456789"

log = structlog.get_logger("triage.kiosk")
signer = TimestampSigner(salt="triage.kiosk.menu")


class WrongPin(Exception):
    """It is not the number of this terminal."""

    def __init__(self, left: int) -> None:
        super().__init__(left)
        self.left = left


class Locked(Exception):
    """It was wrong too often: none is looked at until then."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


def check_is_hard_to_guess(pin: str) -> None:
    """Raises ValidationError for what is no PIN, or is the first that anybody would try."""
    if not (pin.isascii() and pin.isdecimal() and SHORTEST <= len(pin) <= LONGEST):
        raise ValidationError(f"Use {SHORTEST} to {LONGEST} digits, and nothing else.")
    half = len(pin) // 2
    if len(set(pin)) <= 2 or pin in UPWARDS or pin[::-1] in UPWARDS or pin[:half] == pin[half:]:
        raise ValidationError(
            "This is one of the first that anybody tries. Do not count up or down, and do not"
            " repeat digits."
        )
    if len(pin) == SHORTEST and pin.startswith(("19", "20")):
        raise ValidationError("This looks like a year, which many people try first.")


def hashed(pin: str) -> str:
    return make_password(pin)


def try_pin(*, terminal: Terminal, pin: str, now: datetime) -> None:
    """Count a try, then look whether it is right. Raises WrongPin or Locked."""
    log_to = log.bind(terminal=terminal.pk)
    row, until = Terminal.objects.filter(pk=terminal.pk), terminal.pin_locked_until
    # A clock that was set back must not lock it for longer.
    if until and now < until <= now + LOCKED:
        log_to.warning("pin_locked")
        raise Locked(until)
    if until:
        row.filter(pin_locked_until=until).update(pin_tries=0, pin_locked_until=None)
    # Counted before it is looked at: many sent at once would all be looked at otherwise.
    if not row.filter(pin_tries__lt=TRIES).update(pin_tries=F("pin_tries") + 1):
        raise _locked(terminal, now)
    if check_password(pin, terminal.pin_hash):
        row.update(pin_tries=0, pin_locked_until=None)
        log_to.info("menu_opened")
        return
    left = TRIES - row.values_list("pin_tries", flat=True).get()
    log_to.warning("pin_wrong", left=left)
    if left <= 0:
        raise _locked(terminal, now)
    raise WrongPin(left)


def _locked(terminal: Terminal, now: datetime) -> Locked:
    until = now + LOCKED
    Terminal.objects.filter(pk=terminal.pk, pin_locked_until=None).update(pin_locked_until=until)
    log.warning("pin_locked", terminal=terminal.pk)
    return Locked(until)


def open_menu(response: HttpResponse, showing: Showing) -> None:
    response.set_cookie(
        COOKIE_NAME,
        signer.sign(_bound_to(showing)),
        max_age=int(OPEN.total_seconds()),
        secure=settings.ASSESSMENT_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def close_menu(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE_NAME, samesite="Strict")


def is_menu_open(request: HttpRequest, showing: Showing) -> bool:
    """Whether the PIN was given here within the last minutes. A new one, or a new enrolment of this
    terminal, shuts the menu."""
    try:
        given = signer.unsign(request.COOKIES.get(COOKIE_NAME, ""), max_age=OPEN)
    except BadSignature:
        return False
    return bool(showing.row.pin_hash) and given == _bound_to(showing)


def _bound_to(showing: Showing) -> str:
    row = showing.row
    return signer.signature(f"{row.pk} {row.token_hash} {row.pin_hash}")
