"""Where nothing has changed, a poll of the desk is answered before anything else is done for it."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from .watching import read, standing


def answer_at_a_glance(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Say that nothing has changed, if that is so and the mark of the last answer still holds.

    Such a poll leaves no line in the log: an open desk makes a thousand of them in an hour.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == live() and request.method == "GET" and nothing_has_changed(request):
            response = HttpResponse(status=204)
            add_never_cache_headers(response)
            return response
        return get_response(request)

    return middleware


@cache
def live() -> str:
    return reverse("desk:live")


def nothing_has_changed(request: HttpRequest) -> bool:
    now, session_key = timezone.now(), request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    mark = read(request.GET.get("poll", ""), session_key)
    if mark is None or mark.until <= now:
        return False
    try:
        stands = standing(now, session_key)
    except (DatabaseError, InterfaceError):
        return False  # the page itself says so in words
    return stands.has_session and not stands.is_due and stands.digest == mark.digest
