"""What each request for a page of the staff goes through; nobody else's is looked at."""

from collections.abc import Callable
from typing import Any

import structlog
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django_otp.middleware import OTPMiddleware

from . import kept, signing_in
from .pages import ask_to_save, is_about_typing, lead_to_sign_in, watches
from .site import is_for_staff

log = structlog.get_logger("triage.staff")


class KnowStaff:
    """Say which device a person signed in with, and end sessions that are over."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.with_device = OTPMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_for_staff(request):
            response: HttpResponse = self.with_device(request)
            return response
        return self.get_response(request)

    # After the check of the post's origin, which is made when the view is known.
    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        if not is_for_staff(request) or not request.user.is_authenticated:
            return None
        if why := signing_in.over(request.session):
            watched = watches(request)
            if watched and why == signing_in.IDLE:
                return None  # and not seen(): whoever comes by must not open the rest with it
            if is_about_typing(request) and not watched:
                return ask_to_save()
            log.info("session_over", who=request.user.get_username(), why=why)
            typed = kept.typed(request)
            request.session.flush()
            if typed:
                request.session[kept.KEPT] = typed
            elif request.method == "POST":
                why += "-lost"
            request.user = AnonymousUser()
            if request.resolver_match and request.resolver_match.view_name == "admin:login":
                return None
            return lead_to_sign_in(request, why=why)
        if "poll" not in request.GET:
            signing_in.seen(request.session)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, PermissionDenied) and is_for_staff(request):
            from .views import forbidden

            return forbidden(request)
        return None
