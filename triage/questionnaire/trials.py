"""A draft that staff try out: the patients' own pages, below a mount and with a cookie of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse, set_script_prefix

MOUNT = "/try/"


def is_trial(request: HttpRequest) -> bool:
    return request.path.startswith(MOUNT)


def cookie_of(request: HttpRequest) -> str:
    """Return the name of the cookie that finds the answers: a trial leaves a patient's alone."""
    return settings.TRIAL_COOKIE_NAME if is_trial(request) else settings.ASSESSMENT_COOKIE_NAME


@contextmanager
def mounted(prefix: str) -> Iterator[None]:
    """Let every address that is made inside begin with this."""
    before = get_script_prefix()
    set_script_prefix(prefix)
    try:
        yield
    finally:
        set_script_prefix(before)


def desk_of_the_trial() -> str:
    """Return where staff end a trial, or save it as a case."""
    with mounted("/"):
        return reverse("trial")
