"""The pages of a terminal: those of the person at it, and those of the staff who look after it."""

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, cast

import structlog
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.staticfiles import finders
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from triage.content.knowledge import content_of
from triage.content.places import language_here
from triage.questionnaire import errors, health
from triage.questionnaire import services as questionnaire
from triage.questionnaire.models import Token
from triage.questionnaire.views import SeeOther, token_of
from triage.staff.signing_in import address_of

from . import enrolment, pin, services
from .forms import CodeForm, LanguageForm, PinForm
from .responses import lead_to, start_over, without_traces
from .showing import AtTerminal, Locked, Showing

log = structlog.get_logger("triage.kiosk")

type TerminalView[**P] = Callable[Concatenate[HttpRequest, Showing, P], HttpResponse]
type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


def at_a_terminal[**P](view: TerminalView[P]) -> View[P]:
    """Open a page to terminals alone."""

    @never_cache
    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        showing = cast(AtTerminal, request).terminal
        if showing is None or showing.locked:
            raise Http404
        return view(request, showing, *args, **kwargs)

    return page


def behind_the_pin(view: TerminalView[[]]) -> View[[]]:
    """Open a page of the menu to those who gave the PIN within the last five minutes."""

    @at_a_terminal
    @wraps(view)
    def page(request: HttpRequest, showing: Showing) -> HttpResponse:
        if not pin.is_menu_open(request, showing):
            return SeeOther(reverse("kiosk:menu"))
        return view(request, showing)

    return page


# The person at it


@never_cache
@require_safe
def attract(request: HttpRequest) -> HttpResponse:
    """The first page. Whatever the person before has left is deleted by now."""
    showing = cast(AtTerminal, request).terminal
    if showing is None:
        return redirect("kiosk:enrol")
    left_something = showing.token is not None
    services.wipe(showing=showing, why="first page", now=timezone.now())
    request.COOKIES.pop(settings.ASSESSMENT_COOKIE_NAME, None)
    response = render(request, "kiosk/attract.html", {"topics": _topics_here()})
    if left_something:
        without_traces(request, response)
    enrolment.keep_token(response, Token(request.COOKIES[settings.KIOSK_COOKIE_NAME]))
    return response


def _topics_here() -> list[str]:
    """Return what can be checked, as each release says it in the language of the page."""
    language = language_here()
    live = [content_of(release) for release in questionnaire.live_releases_here()]
    return [each.wordings[language].topic_title for each in live if language in each.wordings]


@require_safe
@at_a_terminal
def desk(request: HttpRequest, showing: Showing) -> HttpResponse:
    return render(request, "kiosk/desk.html")


# These need the terminal's cookie, which no other site can make a browser send (SameSite=Strict).
# A visit must end even where the page, and the token in it, is older than the last wipe.


@csrf_exempt
@require_POST
@at_a_terminal
def leave(request: HttpRequest, showing: Showing) -> HttpResponse:
    """Delete everything of this person, here and in the browser."""
    try:
        services.wipe(showing=showing, why="left", now=timezone.now())
    except DatabaseError as error:
        log.error("not_wiped", terminal=showing.pk, exception=type(error).__qualname__)
        return without_traces(request, errors.unavailable(request))
    return without_traces(request, lead_to(request, showing.first_page))


@csrf_exempt
@require_POST
@at_a_terminal
def here(request: HttpRequest, showing: Showing) -> HttpResponse:
    there = showing.token and services.still_here(token=showing.token, now=timezone.now())
    return HttpResponse(status=204 if there else 410)


@csrf_exempt
@require_POST
@at_a_terminal
def more_time(request: HttpRequest, showing: Showing) -> HttpResponse:
    now = timezone.now()
    there = showing.token and services.more_time(showing=showing, token=showing.token, now=now)
    return HttpResponse(status=204 if there else 410)


@require_safe
@at_a_terminal
def known(request: HttpRequest, showing: Showing) -> HttpResponse:
    """What staff know of a raised flag, asked again and again; it keeps nobody's visit alive."""
    if showing.person is None:
        return start_over(request, showing, "nobody")
    return render(request, "kiosk/known.html", {"known": showing.known})


@never_cache
@require_safe
def pulse(request: HttpRequest) -> HttpResponse:
    """Whether the server is there and this is a terminal still: 204, or 410 if it is none."""
    showing = cast(AtTerminal, request).terminal
    if showing is None or showing.locked:
        return HttpResponse(status=410)
    enrolment.seen(terminal=showing.row, now=timezone.now())
    return HttpResponse(status=204)


@never_cache
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. It stands for the whole site, which only a header can allow."""
    found = finders.find("js/kiosk_worker.js")
    if found is None:
        raise Http404
    return HttpResponse(
        Path(found).read_bytes(),
        content_type="text/javascript; charset=utf-8",
        headers={"Service-Worker-Allowed": "/"},
    )


@never_cache
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the service worker keeps and shows while the server is away: of nobody."""
    return errors.static_page(request, "kiosk/offline.html", 200)


# The staff who look after it


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Make this browser a terminal, with a code of the admin."""
    showing = cast(AtTerminal, request).terminal
    if showing is not None and not showing.locked:
        return lead_to(request, showing.first_page)
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        try:
            terminal, token = enrolment.enrol(
                code=form.cleaned_data["code"],
                address=address_of(request) or "",
                now=timezone.now(),
            )
        except enrolment.NoSuchCode:
            form.add_error(
                "code",
                "No kiosk waits for this code. Look whether it is typed right. A code works once,"
                " for 30 minutes; if it may be over, make a new one.",
            )
        except enrolment.TooManyTries:
            form.add_error("code", "There were too many wrong codes. Try again in 15 minutes.")
            status = 429
        else:
            here = Showing(terminal, token_of(request), timezone.now())
            return _enrolled(request, here, token)
    # Looks like a kiosk already: a screen may have no keyboard, and a kiosk has a number pad.
    cast(AtTerminal, request).terminal = showing or Locked(timezone.now())
    response = render(
        request,
        "kiosk/enrol.html",
        {"form": form, "was_one": showing is not None},
        status=422 if form.errors and status == 200 else status,
    )
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _enrolled(request: HttpRequest, showing: Showing, token: Token) -> HttpResponse:
    """Keep the token of the terminal, and nothing else that was done on this browser before."""
    logout(request)
    response = start_over(request, showing, "enrolled")
    enrolment.keep_token(response, token)
    return response


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@at_a_terminal
def menu(request: HttpRequest, showing: Showing) -> HttpResponse:
    """What staff can do at the terminal itself; the PIN opens it, and never the admin."""
    if pin.is_menu_open(request, showing) and request.method != "POST":
        return _show_menu(request, showing)
    form = PinForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        try:
            pin.try_pin(terminal=showing.row, pin=form.cleaned_data["pin"], now=timezone.now())
        except pin.WrongPin as wrong:
            form.add_error("pin", f"This is not the PIN. Tries left: {wrong.left}.")
        except pin.Locked as locked:
            until = date_format(timezone.localtime(locked.until), "H:i")
            form.add_error("pin", f"There were too many wrong PINs. Try again after {until}.")
            status = 429
        else:
            response = SeeOther(reverse("kiosk:menu"))
            pin.open_menu(response, showing)
            return response
    return render(
        request,
        "kiosk/pin.html",
        {"form": form, "has_pin": bool(showing.row.pin_hash)},
        status=422 if form.errors and status == 200 else status,
    )


def _show_menu(request: HttpRequest, showing: Showing) -> HttpResponse:
    started = time.perf_counter()
    ready = health.ready(request).status_code == 200
    return render(
        request,
        "kiosk/menu.html",
        {
            "form": LanguageForm(showing=showing),
            "ready": ready,
            "took": round((time.perf_counter() - started) * 1000),
            "now": timezone.now(),
            "closes_after": int(pin.OPEN.total_seconds() // 60),
        },
    )


@require_POST
@behind_the_pin
def restart(request: HttpRequest, showing: Showing) -> HttpResponse:
    services.wipe(showing=showing, why="restarted by staff", now=timezone.now())
    return without_traces(request, lead_to(request, showing.first_page))


@require_POST
@behind_the_pin
def language(request: HttpRequest, showing: Showing) -> HttpResponse:
    form = LanguageForm(request.POST, showing=showing)
    if form.is_valid():
        services.begin_in(showing=showing, language=form.cleaned_data["language"])
    return SeeOther(reverse("kiosk:menu"))


@require_POST
@behind_the_pin
def close(request: HttpRequest, showing: Showing) -> HttpResponse:
    """Shut the menu, and leave the visit of whoever was in the middle of one as it is."""
    resume = "questionnaire:resume" if showing.person else "kiosk:attract"
    response = SeeOther(reverse(resume))
    pin.close_menu(response)
    return response


@require_safe
@behind_the_pin
def test_print(request: HttpRequest, showing: Showing) -> HttpResponse:
    return render(request, "kiosk/test_print.html", {"now": timezone.now()})
