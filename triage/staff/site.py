"""The admin site: a password alone opens no page of it."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

PREFIX = "staff/"

log = structlog.get_logger("triage.staff")


def is_for_staff(request: HttpRequest) -> bool:
    return request.path_info.startswith(f"/{PREFIX}")


def is_signed_in(request: HttpRequest) -> bool:
    """Whether this is a member of staff who gave a password and a code."""
    user = request.user
    verified = getattr(user, "otp_device", None) is not None
    return bool(user.is_active and user.is_staff and verified)


class StaffSite(AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return is_signed_in(request)

    def login(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        from .views import sign_in  # it needs this site

        return sign_in(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        response = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == 302:
            log.info("password_changed", who=request.user.get_username())
        return response
