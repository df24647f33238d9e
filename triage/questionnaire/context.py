"""What every page may show, whoever looks at it."""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language, gettext

from triage.content.knowledge import NotTranslated, content_of
from triage.content.places import language_here, place_in
from triage.content.releases import NothingPublished
from triage.content.translations import ENGLISH

from . import services
from .pages import marks_of
from .trials import cookie_of, desk_of_the_trial, is_trial

OF_THE_RELEASE = (
    "check_name",
    "demonstration",
    "approved_for_clinical_use",
    "languages",
    "translation_unchecked",
)


def plain(request: HttpRequest) -> dict[str, Any]:
    """What can be said without the database."""
    language = language_here()
    return {
        "place": place_in(language),
        # The words of a demonstration are in the catalogues; a deployer's own stay as they are.
        "operator": settings.OPERATOR
        or gettext("This is for trying out on this computer. Nobody runs it as a service."),
        "complaints": settings.COMPLAINTS
        or gettext("This is for trying out, so there is nobody to complain to."),
        "approved_for_clinical_use": bool(settings.CLINICAL_SAFETY_OFFICER),
        "check_name": gettext("Back lump check"),
        "demonstration": None,
        "draft": False,
        "desk": desk_of_the_trial() if is_trial(request) else "",
        "language": get_language() or settings.LANGUAGE_CODE,
        "languages": (language,),
        "translation_unchecked": language != ENGLISH,
        # A device that one person after another uses.
        "terminal": getattr(request, "terminal", None),
        "has_assessment": cookie_of(request) in request.COOKIES,
    }


def site(request: HttpRequest) -> dict[str, Any]:
    """Add what the live release says of itself, looked up only if a page shows it."""
    said = plain(request)
    marks: Any = SimpleLazyObject(_marks)
    return said | {
        name: SimpleLazyObject(partial(_mark, marks, name, said[name])) for name in OF_THE_RELEASE
    }


def _mark(marks: dict[str, Any], name: str, otherwise: Any) -> Any:
    return marks.get(name, otherwise)


def _marks() -> dict[str, Any]:
    try:
        return marks_of(content_of(services.live_release_here().pk))
    except (NothingPublished, NotTranslated, DatabaseError):
        return {}
