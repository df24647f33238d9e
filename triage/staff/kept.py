"""What somebody had typed when a page asked them to sign in, or for the password, before saving it.

It waits in their session and is offered to them once; nobody else who signs in there sees it.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

KEPT = "staff_kept"


@dataclass(frozen=True)
class Kept:
    """A post that was not carried out: where it went, and its fields in order."""

    address: str
    fields: list[tuple[str, str]]


def typed(request: HttpRequest) -> dict[str, Any] | None:
    """Return what a post would have saved, or nothing where it has files, or a password in it."""
    if request.method != "POST" or request.headers.get("HX-Request") or request.FILES:
        return None
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
    if not fields or any("password" in name for name, _ in fields):
        return None
    return {"user": request.user.pk, "address": request.get_full_path(), "fields": fields}


def is_kept(request: HttpRequest) -> bool:
    return KEPT in request.session and request.session[KEPT]["user"] == request.user.pk


def take(request: HttpRequest) -> Kept | None:
    if not is_kept(request):
        return None
    kept = request.session.pop(KEPT)
    return Kept(kept["address"], [(name, value) for name, value in kept["fields"]])
