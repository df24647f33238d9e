"""One line for each thing that happens to an account: its name and the event, nothing else.

Never what was typed: somebody may type a password where the name belongs.
"""

from typing import Any

import structlog
from axes.signals import user_locked_out
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

log = structlog.get_logger("triage.staff")


def known(name: str | None) -> str | None:
    """Return a name if it is somebody's."""
    exists = name and User.objects.filter(username=name).exists()
    return name if exists else None


@receiver(user_logged_in)
def signed_in(user: User, **_: Any) -> None:
    log.info("signed_in", who=user.get_username())


@receiver(user_logged_out)
def signed_out(user: User | None, **_: Any) -> None:
    if user:
        log.info("signed_out", who=user.get_username())


# After django-axes, which has counted this try: a locked-out one has its own line.
@receiver(user_login_failed)
def refused(credentials: dict[str, str], request: HttpRequest | None = None, **_: Any) -> None:
    if not getattr(request, "axes_locked_out", False):
        log.warning("refused", who=known(credentials.get("username")))


@receiver(user_locked_out)
def locked_out(username: str | None, **_: Any) -> None:
    log.warning("locked_out", who=known(username))
