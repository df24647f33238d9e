"""Who a member of staff is: a password, then a code of their phone; and for how long that holds.

Between the two a session knows only whose code it waits for. Nobody is logged in until both were
right, so that no other part of the site can take half a sign-in for a whole one.
"""

import hashlib
import ipaddress
import math
import re
import secrets
import time
from base64 import b32encode
from binascii import unhexlify
from datetime import UTC, datetime
from typing import Any

import structlog
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django_otp import verify_token
from django_otp.oath import TOTP, hotp
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

HALF_WAY, NEW_PHONE = "staff_half_way", "staff_new_phone"
SIGNED_IN_AT, SEEN_AT, CONFIRMED_AT = "staff_signed_in_at", "staff_seen_at", "staff_confirmed_at"
IDLE, LONG = "idle", "long"
SEEN_EVERY = 60
"""Seconds: how often at most a session is written because somebody is still there."""

TOLERANCE = 1
"""Steps of 30 seconds by which a phone's clock may be off, either way."""

RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of recovery codes; without those that are mistaken for one another."""

log = structlog.get_logger("triage.staff")


class WrongCode(Exception):
    """The code is wrong, was used before, or comes from a clock that is off."""


class TooSoon(Exception):
    """After a wrong code the next one counts only some seconds later, twice as many each time."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class LockedOut(Exception):
    """Too many wrong tries for this name from this address."""


def address_of(request: HttpRequest) -> str | None:
    """Return where a request comes from; what a visitor wrote into the header itself is not read.

    Each of our own proxies adds on the right the address that it sees.
    """
    seen: str | None = request.META.get("REMOTE_ADDR") or None
    if settings.PROXY_COUNT:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(hops) >= settings.PROXY_COUNT:
            hop = hops[-settings.PROXY_COUNT].strip()
            try:
                return str(ipaddress.ip_address(hop))
            except ValueError:
                return seen
    return seen


# The password


def begin(*, request: HttpRequest, user: User) -> None:
    """Remember that somebody gave the password of `user`: what they still need is the code."""
    if request.user.is_authenticated:
        logout(request)
    request.session.cycle_key()
    request.session[HALF_WAY] = {
        "user": user.pk,
        "password": user.get_session_auth_hash(),
        "at": time.time(),
        "key": secrets.token_hex(20),  # for a phone, where there is none yet
    }


def half_way(request: HttpRequest) -> User | None:
    """Return whose password was given lately, if it is still theirs and they may still come in."""
    waiting = request.session.get(HALF_WAY)
    if not waiting or time.time() - waiting["at"] > settings.STAFF_HALF_WAY.total_seconds():
        return None
    user = User.objects.filter(pk=waiting["user"], is_active=True, is_staff=True).first()
    if user and secrets.compare_digest(user.get_session_auth_hash(), waiting["password"]):
        return user
    return None


# The code


def phone_of(user: User) -> TOTPDevice | None:
    """Return the one phone of somebody, if they have set one up."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def codes_left(user: User) -> int:
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user))


def check_code(*, request: HttpRequest, user: User, code: str) -> TOTPDevice | StaticDevice:
    """Return the device whose code this is; the code is used up.

    Raises LockedOut, TooSoon, or WrongCode, which counts towards the lock-out.
    """
    who = {"username": user.get_username()}
    if not AxesProxyHandler.is_allowed(request, who):
        raise LockedOut
    typed = re.sub(r"[\s-]", "", code).lower()
    if re.fullmatch("[0-9]{6}", typed):
        device = phone_of(user)
    else:
        device, typed = StaticDevice.objects.filter(user=user).first(), stored(typed)
    if device:
        allowed, why = device.verify_is_allowed()
        if not allowed:
            left = (why["locked_until"] - timezone.now()).total_seconds()
            raise TooSoon(max(1, math.ceil(left)))
        if verify_token(user, device.persistent_id, typed):
            if isinstance(device, StaticDevice):
                log.warning("recovery_code_used", who=user.get_username())
            return device
    user_login_failed.send(sender=__name__, credentials=who, request=request)
    raise WrongCode


def let_in(*, request: HttpRequest, user: User, device: TOTPDevice | StaticDevice) -> None:
    """Sign somebody in, and clear away the sessions that nobody came back to."""
    request.session.clear_expired()
    request.session.pop(HALF_WAY, None)
    user.otp_device = device  # type: ignore[attr-defined] # django_otp keeps it in the session
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session.update(stamps())


def stamps() -> dict[str, float]:
    """Return what a session says of when its person signed in, was seen, and gave the password."""
    return dict.fromkeys((SIGNED_IN_AT, SEEN_AT, CONFIRMED_AT), time.time())


# The phone


def key_of(request: HttpRequest) -> str:
    """Return the secret that a phone may be set up with in this session, in hexadecimal."""
    waiting = request.session.get(HALF_WAY) or request.session.get(NEW_PHONE) or {}
    return str(waiting["key"])


def address_for_phones(user: User, key: str) -> str:
    return str(TOTPDevice(user=user, key=key).config_url)


def in_letters(key: str) -> str:
    """Return a secret as one types it into a phone that cannot read a picture."""
    letters = b32encode(unhexlify(key)).decode()
    return " ".join(re.findall("....", letters))


@transaction.atomic
def set_up_phone(*, user: User, key: str, code: str) -> tuple[TOTPDevice, list[str]]:
    """Make this the one phone of `user`; return it with new recovery codes. Raises WrongCode."""
    totp = TOTP(unhexlify(key))
    typed = re.sub(r"\s", "", code)
    if not re.fullmatch("[0-9]{6}", typed) or not totp.verify(int(typed), TOLERANCE):
        raise WrongCode
    TOTPDevice.objects.filter(user=user).delete()
    phone = TOTPDevice.objects.create(
        user=user, name="Phone", key=key, tolerance=TOLERANCE, last_t=totp.t()
    )
    log.info("second_factor_set_up", who=user.get_username())
    return phone, make_recovery_codes(user=user)


def give_phone(*, user: User) -> TOTPDevice:
    """Give a demonstration person a phone that is only a row here, see `next_code`."""
    return TOTPDevice.objects.create(user=user, name="Phone", tolerance=TOLERANCE)


def next_code(phone: TOTPDevice) -> str:
    """Return a code that will be accepted now. Raises TooSoon if the newest was used already."""
    totp = TOTP(phone.bin_key)
    step = max(totp.t(), phone.last_t + 1)
    if step > totp.t() + TOLERANCE:
        raise TooSoon((step - TOLERANCE) * totp.step - int(time.time()))
    return f"{hotp(phone.bin_key, step):06}"


@transaction.atomic
def make_recovery_codes(*, user: User, number: int = RECOVERY_CODES) -> list[str]:
    """Return new recovery codes in place of the old ones: only their hashes are kept."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="Recovery codes")
    codes = ["".join(secrets.choice(LETTERS) for _ in range(12)) for _ in range(number)]
    for code in codes:
        device.token_set.create(token=stored(code))
    return ["-".join(re.findall("....", code)) for code in codes]


def stored(code: str) -> str:
    """Return what is kept of a recovery code: its 59 bits are too many to be guessed from this."""
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def remove_phone(*, user: User, by: User) -> None:
    """Let somebody who lost phone and recovery codes set up a new one with their password."""
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    log.warning("second_factor_removed", who=by.get_username(), whose=user.get_username())


# How long it holds


def over(session: Any) -> str:
    """Return why a session has come to its end (IDLE, LONG), or nothing."""
    now = time.time()
    if now - session.get(SIGNED_IN_AT, 0) > settings.STAFF_SESSION.total_seconds():
        return LONG
    if now - session.get(SEEN_AT, 0) > settings.STAFF_IDLE.total_seconds():
        return IDLE
    return ""


def ends_at(session: Any) -> datetime:
    """Return when a session comes to its end, whoever is there."""
    signed_in_at: float = session[SIGNED_IN_AT]
    return datetime.fromtimestamp(signed_in_at, UTC) + settings.STAFF_SESSION


def seen(session: Any) -> None:
    now = time.time()
    if now - session[SEEN_AT] >= SEEN_EVERY:
        session[SEEN_AT] = now


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the password was given so lately that it is surely still the same person."""
    given: float = request.session.get(CONFIRMED_AT, 0)
    return time.time() - given <= settings.STAFF_CONFIRMED.total_seconds()


def confirm(*, request: HttpRequest, password: str) -> bool:
    """Ask for the password again; a wrong one counts towards the lock-out."""
    name = request.user.get_username()
    if authenticate(request, username=name, password=password) != request.user:
        return False
    request.session[CONFIRMED_AT] = time.time()
    log.info("confirmed", who=name)
    return True
