"""Below /api/ there is JSON only, whatever part of the site refuses."""

import re
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .problems import Refused

PREFIX = "/api/"

TOLD = {
    HTTPStatus.BAD_REQUEST: ("bad_request", "The request is not one that we can read."),
    HTTPStatus.NOT_FOUND: ("not_found", "There is nothing at this address: see openapi.json."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("wrong_method", "This address does not take this method."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("unavailable", "We cannot answer just now. Try again."),
}
BROKEN = ("broken", "Something went wrong on our side.")
LENGTH = re.compile("[0-9]{1,12}")
KEPT = ("Content-Security-Policy", "Content-Language")


def answer_in_json(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Say as JSON what the site would say as a page, and set no cookie."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        try:
            _look_at(request)
        except Refused as refused:
            return refused.response
        response = get_response(request)
        response.cookies.clear()
        if response.status_code < 400 or "json" in response.headers.get("Content-Type", ""):
            return response
        return _said(response)

    return middleware


def _look_at(request: HttpRequest) -> None:
    """Refuse here what the site would redirect, or refuse with a page. Raises Refused."""
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "not_secure",
            "Ask by HTTPS. A key that went over plain HTTP is known: have it revoked.",
        )
    if "Transfer-Encoding" in request.headers:
        raise Refused(
            HTTPStatus.LENGTH_REQUIRED,
            "no_length",
            "Send the body whole, with its “Content-Length”, not in chunks.",
        )
    length = request.META.get("CONTENT_LENGTH") or "0"
    most: int = settings.PATIENT_POST_MAX_BYTES
    if not LENGTH.fullmatch(length):
        raise Refused(HTTPStatus.BAD_REQUEST, *TOLD[HTTPStatus.BAD_REQUEST])
    if int(length) > most:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            f"A body has {most:,} bytes at the most; this one has {int(length):,}.",
        )


def _said(response: HttpResponse) -> HttpResponse:
    """Return the same refusal as JSON, with all that its headers said but of its body."""
    code, detail = TOLD.get(HTTPStatus(response.status_code), BROKEN)
    said = Refused(HTTPStatus(response.status_code), code, detail).response
    for name, value in response.headers.items():
        if not name.startswith("Content-") or name in KEPT:
            said.headers.setdefault(name, value)
    return said
