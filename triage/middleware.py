"""What every request and every response goes through."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from triage.staff.site import is_for_staff

type View = Callable[[HttpRequest], HttpResponse]

log = structlog.get_logger("triage.request")


def log_request(get_response: View) -> View:
    """Write one line for each request: the route's name, never the path, and nothing of the person."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=secrets.token_hex(8)):
            response = get_response(request)
            log.info(
                "request",
                method=request.method,
                route=request.resolver_match.view_name if request.resolver_match else None,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        return response

    return middleware


def speak_as_the_address_says(get_response: View) -> View:
    """Make each page in the language that its address begins with, else in the place's own.

    Nothing else decides: no cookie, no guess from the browser or from where somebody is.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        language = translation.get_language_from_path(request.path_info) or settings.LANGUAGE_CODE
        with translation.override(language):
            response = get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response

    return middleware


def close_the_page(get_response: View) -> View:
    """Shut each response off from other origins, and keep every page out of every cache that does
    not say itself that it is public."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            # A shared computer must not show the last person's answers when Back is pressed.
            if not {"no-store", "public"} & set(cache_control_of(response)):
                add_never_cache_headers(response)
            patch_vary_headers(response, ["HX-Request", "Cookie"])
        return response

    return middleware


def cache_control_of(response: HttpResponse) -> list[str]:
    return [part.strip() for part in response.headers.get("Cache-Control", "").split(",")]


class LimitThePost:
    """Refuse a post that no form of ours could have sent, before it is read."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        most = (
            settings.STAFF_POST_MAX_BYTES
            if is_for_staff(request)
            else settings.PATIENT_POST_MAX_BYTES
        )
        if int(request.META.get("CONTENT_LENGTH") or 0) > most:
            raise RequestDataTooBig
