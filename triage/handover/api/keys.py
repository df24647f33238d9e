"""The keys of integrators: made once, kept as a hash, counted by the minute, and revoked."""

import hashlib
import secrets
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog
from django.contrib.auth.models import User
from django.db.models import Case, F, Q, Value, When

from triage.handover.models import ApiKey

from .problems import Refused

PREFIX = "triage_"
"""So that a key that somebody published by mistake is known for one."""

A_MINUTE = timedelta(minutes=1)

log = structlog.get_logger("triage.staff")


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def make(*, key: ApiKey, by: User, now: datetime) -> str:
    """Save a key that has a name, and return what its holder sends: nobody can look it up again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    key.key_hash, key.made_by, key.made_at = hash_of(secret), by, now
    key.save(force_insert=True)
    log.warning("api_key_made", who=by.get_username(), key=key.name)
    return secret


def revoke(*, key: ApiKey, by: User, now: datetime) -> bool:
    """Let a key open nothing from now on; False if it was revoked before."""
    revoked = ApiKey.objects.valid().filter(pk=key.pk).update(revoked_at=now)
    if revoked:
        log.warning("api_key_revoked", who=by.get_username(), key=key.name)
    return bool(revoked)


def spend(*, authorization: str, now: datetime) -> None:
    """Count one request of the key that this header shows. Raises Refused.

    One conditional UPDATE finds the key, and counts over all processes and machines. A minute of
    another clock that is a little ahead goes on; one that is further off is a clock that was wrong.
    """
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refused(
            HTTPStatus.UNAUTHORIZED,
            "no_key",
            "Send your key: “Authorization: Bearer triage_…”. Whoever runs this checker makes one.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    ours = ApiKey.objects.filter(key_hash=hash_of(key.strip()))
    minute = now.replace(second=0, microsecond=0)
    counting = Q(minute__gte=minute, minute__lte=minute + A_MINUTE)
    allowed = Q(minute=None) | ~counting | Q(used__lt=F("per_minute"))
    spent = (
        ours.valid()
        .filter(allowed, per_minute__gt=0)
        .update(
            used=Case(When(counting, then=F("used") + 1), default=Value(1)),
            minute=Case(When(counting, then=F("minute")), default=Value(minute)),
        )
    )
    if spent:
        return
    if not ours.valid().exists():
        raise _unknown(revoked=ours.exists())
    left = 60 - now.second
    raise Refused(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many",
        f"This key has asked as often as it may in one minute. Ask again in {left} seconds.",
        headers={"Retry-After": f"{left}"},
    )


def _unknown(*, revoked: bool) -> Refused:
    return Refused(
        HTTPStatus.UNAUTHORIZED,
        "revoked_key" if revoked else "wrong_key",
        "This key was revoked." if revoked else "Nobody here was given this key.",
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )
