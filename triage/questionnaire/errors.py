"""Every refusal is a page that still says whom to call in an emergency. None touches the database."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext, gettext_noop

from triage.content.places import language_here, place_in

from .context import plain

RETRY_AFTER = "10"  # seconds
BROKEN = gettext_noop(
    "Something went wrong on our side. In an emergency call %(emergency_number)s now."
)


def static_page(request: HttpRequest, name: str, status: int) -> HttpResponse:
    response = HttpResponse(render_to_string(name, plain(request)), status=status)
    response.headers["HX-Push-Url"] = "false"
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return static_page(request, "400.html", 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return static_page(request, "403.html", 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return static_page(request, "403_csrf.html", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return static_page(request, "404.html", 404)


def not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    response = static_page(request, "405.html", 405)
    response.headers["Allow"] = allowed
    return response


def broken(request: HttpRequest) -> HttpResponse:
    """The last resort: it must come out even if the templates do not."""
    try:
        return static_page(request, "500.html", 500)
    except Exception:
        return HttpResponse(
            _last_words(),
            content_type="text/plain; charset=utf-8",
            status=500,
        )


def _last_words() -> str:
    try:
        return gettext(BROKEN) % place_in(language_here())
    except Exception:  # the catalogues may be gone as well
        return BROKEN % {"emergency_number": settings.EMERGENCY_NUMBER}


def unavailable(request: HttpRequest) -> HttpResponse:
    """The database cannot be reached or written, or nothing is published."""
    response = static_page(request, "503.html", 503)
    response.headers["Retry-After"] = RETRY_AFTER
    return response
