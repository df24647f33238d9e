"""The screen behind the counter: who waits, and which red flags nobody has seen."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from triage.content.views.page import page
from triage.handover import alerts
from triage.handover.models import Visit
from triage.staff import signing_in
from triage.staff.pages import person, watching_page

from .forms import CodeForm
from .names import name_of
from .waiting import lists, tend
from .watching import HOLDS, Mark, Standing, read, shown_to, standing

ENDS_SOON = timedelta(minutes=15)

log = structlog.get_logger("triage.desk")


@watching_page("handover.view_visit")
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    tend(now)
    shown = _shown(request, now)
    return page(request, "desk/waiting.html", title="Desk", form=CodeForm(), **shown)


@watching_page("handover.view_visit")
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Tell what has changed since the mark that the asking page has: all of the lists, or nothing."""
    now, session_key = timezone.now(), _session_key(request)
    mark, stands = read(request.GET.get("poll", ""), session_key), standing(now, session_key)
    if mark is None or stands.is_due or stands.digest != mark.digest:
        tend(now)
        stands = standing(now, session_key)
    may = _may(request, now)
    new = _mark(request, stands, may, now)
    if mark is not None and (mark.digest, mark.shown) == (new.digest, new.shown):
        # Most often nothing has changed, and it costs least not to know of this request.
        return HttpResponse(render_to_string("desk/poll.html", {"mark": new.signed(session_key)}))
    return render(request, "desk/live.html", _shown(request, now))


@watching_page("handover.acknowledge_alert")
@require_POST
def acknowledge(request: HttpRequest, visit: int) -> HttpResponse:
    """Take down who has seen the red flags of a visit that stood on their screen."""
    now = timezone.now()
    if about := Visit.objects.filter(pk=visit).first():
        seen = [int(pk) for pk in request.POST.getlist("seen") if pk.isdecimal()]
        alerts.acknowledge(visit=about, by=person(request), now=now, seen=seen)
        idle = bool(signing_in.over(request.session))
        log.info("alert_acknowledged", who=person(request).get_username(), idle=idle)
    if request.headers.get("HX-Request"):
        return render(request, "desk/live.html", _shown(request, now))
    return redirect("desk:waiting")


def _shown(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Return what the desk shows to this person now, and the mark of it."""
    session_key = _session_key(request)
    stands = standing(now, session_key)  # before the lists: what comes after is a change
    may = _may(request, now)
    mark = _mark(request, stands, may, now).signed(session_key)
    return {
        **may,
        "mark": mark,
        "lists": lists(now),
        "idle_minutes": settings.STAFF_IDLE.seconds // 60,
    }


def _may(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Return who looks, and what they may do here and for how long."""
    user, ends_at = person(request), signing_in.ends_at(request.session)
    return {
        "who": name_of(user),
        "may_acknowledge": user.has_perm("handover.acknowledge_alert"),
        "may_pick_up": user.has_perm("handover.pick_up"),
        "is_idle": bool(signing_in.over(request.session)),
        "ends_at": ends_at,
        "ends_soon": ends_at - now < ENDS_SOON,
    }


def _mark(request: HttpRequest, stands: Standing, may: dict[str, Any], now: datetime) -> Mark:
    shown = shown_to(person(request).pk, *may.values())
    return Mark(stands.digest, shown, min(now + HOLDS, may["ends_at"]))


def _session_key(request: HttpRequest) -> str:
    return request.session.session_key or ""
