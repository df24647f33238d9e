"""How a visit ends for the browser."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from triage.questionnaire.views import SeeOther

from . import pin, services
from .showing import Showing


def start_over(request: HttpRequest, showing: Showing, why: str) -> HttpResponse:
    """Wipe what is left of whoever was here, and lead to the first page."""
    if showing.token is not None:
        services.wipe(showing=showing, why=why, now=timezone.now())
    return without_traces(request, lead_to(request, showing.first_page))


def lead_to(request: HttpRequest, address: str) -> HttpResponse:
    """Redirect; htmx would put the page where a question was."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(address)
    return SeeOther(address)


def without_traces(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let the browser forget all that it has of a visit; that it is a terminal, it keeps."""
    response.delete_cookie(settings.ASSESSMENT_COOKIE_NAME, samesite="Lax")
    pin.close_menu(response)
    rotate_token(request)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
