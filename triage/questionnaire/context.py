"""What every page may show, whoever looks at it."""

from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from triage.content.releases import NothingPublished

from . import services


def plain(request: HttpRequest) -> dict[str, Any]:
    """What can be said without the database."""
    return {
        "place": settings.PLACEHOLDERS,
        "operator": settings.OPERATOR,
        "complaints": settings.COMPLAINTS,
        "approved_for_clinical_use": bool(settings.CLINICAL_SAFETY_OFFICER),
        "demonstration": None,
        "language": get_language() or settings.LANGUAGE_CODE,
        "has_assessment": settings.ASSESSMENT_COOKIE_NAME in request.COOKIES,
    }


def site(request: HttpRequest) -> dict[str, Any]:
    """Add whether the live release is a demonstration, looked up only if a page shows it."""
    return plain(request) | {
        "demonstration": SimpleLazyObject(_is_demonstration),
        "approved_for_clinical_use": SimpleLazyObject(_is_approved),
    }


def _is_demonstration() -> bool | None:
    try:
        return services.live_release_here().demonstration
    except (NothingPublished, DatabaseError):
        return None


def _is_approved() -> bool:
    return bool(settings.CLINICAL_SAFETY_OFFICER) and _is_demonstration() is False
