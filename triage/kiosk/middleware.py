"""Which terminal a request comes from, and what that changes: before a view is asked, and after."""

from collections.abc import Callable
from typing import Any, cast

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from triage.questionnaire import errors
from triage.questionnaire import services as questionnaire
from triage.questionnaire.languages import bare_path
from triage.questionnaire.models import Token, hash_of
from triage.questionnaire.trials import is_trial
from triage.questionnaire.views import token_of

from . import enrolment, services
from .models import Terminal
from .responses import lead_to, start_over, without_traces
from .showing import AtTerminal, Locked, Showing, Unreachable

log = structlog.get_logger("triage.kiosk")

OPEN_HERE = {"questionnaire", "handover", "kiosk"}
"""The parts of the site that a terminal shows: not the desk, the admin, or the API."""

CLOSED_HERE = {"questionnaire:robots", "questionnaire:sitemap", "handover:take"}
START = {"questionnaire:start", "questionnaire:start_of"}
BEGIN, LEAVE, MENU = "questionnaire:begin", "kiosk:leave", "kiosk:menu"
OWN = {"kiosk:desk", "kiosk:known"}
"""The pages of a kiosk that are a person's; the others see for themselves to who is there."""

WHEN_LOCKED = {"kiosk:enrol", "kiosk:pulse", "kiosk:worker"}
WHEN_UNREACHABLE = {
    "questionnaire:emergency",
    "questionnaire:healthz",
    "kiosk:offline",
    "kiosk:worker",
}


class KnowTerminal:
    """Set `request.terminal`. At home there is no cookie of a terminal, and nothing is looked up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        showing = cast(AtTerminal, request).terminal = _showing_of(request)
        response = self.get_response(request)
        if showing is None:
            return response
        if response.status_code == 404 and showing.reachable:
            response = _instead_of_nothing(request, showing, response)
        # Not even what is public elsewhere is kept: it tells what somebody has read.
        response.headers["Cache-Control"] = "no-store"
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        showing = cast(AtTerminal, request).terminal
        match = request.resolver_match
        if showing is None or match is None:
            return None
        name = match.view_name
        try:
            if not showing.reachable:
                return None if name in WHEN_UNREACHABLE else _unavailable(request, name)
            if showing.locked and name == MENU:
                return lead_to(request, reverse("kiosk:enrol"))  # where staff set it up again
            if showing.locked:
                return None if name in WHEN_LOCKED else _locked(request)
            if match.app_name not in OPEN_HERE or name in CLOSED_HERE or is_trial(request):
                raise Http404
            return _of_the_person(request, showing, name)
        except DatabaseError as error:
            log.error("database_failed", exception=type(error).__qualname__)
            return _unavailable(request, name)


def _showing_of(request: HttpRequest) -> Showing | None:
    """Return how the terminal shows its pages whose cookie this is; None at home."""
    cookie, now = request.COOKIES.get(settings.KIOSK_COOKIE_NAME), timezone.now()
    if cookie is None:
        return None
    try:
        terminal = Terminal.objects.filter(token_hash=hash_of(Token(cookie))).first()
    except DatabaseError as error:
        log.error("database_failed", exception=type(error).__qualname__)
        return Unreachable(now)
    if terminal is None or not enrolment.is_open(terminal):
        return Locked(now)
    return Showing(terminal, token_of(request), now)


def _of_the_person(request: HttpRequest, showing: Showing, name: str) -> HttpResponse | None:
    """Lead to the first page where nobody is any more, and let nobody go on where another was."""
    if name == BEGIN and request.method == "POST":
        services.wipe(showing=showing, why="begun anew", now=timezone.now())
        request.COOKIES.pop(settings.ASSESSMENT_COOKIE_NAME, None)
        return None
    if name.startswith("kiosk:") and name not in OWN:
        return None
    if showing.token is None:
        alone = bare_path(request.path_info).startswith("/check/")
        return start_over(request, showing, "nobody") if alone else None
    person = showing.find_person()
    if person is None:
        return start_over(request, showing, "idle")
    showing.person = person
    # A page read on the way may link to where a check is begun: nobody loses their answers by that.
    return lead_to(request, reverse("questionnaire:resume")) if name in START else None


def _instead_of_nothing(
    request: HttpRequest, showing: Showing, response: HttpResponse
) -> HttpResponse:
    """An address that leads nowhere reaches no view, so that it is looked at afterwards."""
    try:
        if showing.locked:
            return _locked(request)
        if showing.token is not None and showing.find_person() is None:
            return start_over(request, showing, "idle")
    except DatabaseError as error:
        log.error("database_failed", exception=type(error).__qualname__)
    return response


def _unavailable(request: HttpRequest, name: str) -> HttpResponse:
    """Say that the database is away. The server's own limit ends a visit that cannot be wiped now;
    the browser can forget it at once."""
    response = errors.unavailable(request)
    return without_traces(request, response) if name == LEAVE else response


def _locked(request: HttpRequest) -> HttpResponse:
    response = errors.static_page(request, "kiosk/locked.html", 403)
    if token := token_of(request):
        questionnaire.delete(token=token, now=timezone.now())
        without_traces(request, response)
    return response
