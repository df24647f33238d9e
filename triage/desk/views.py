"""The screen behind the counter: who waits, and which red flags nobody has seen."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
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
from .watching import HOLDS, Mark, glance, read, shown_to, standing

ENDS_SOON = timedelta(minutes=15)

log = structlog.get_logger("triage.desk")


@watching_page("handover.view_visit")
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    tend(now)
    context = _desk(request, now)
    return page(request, "desk/waiting.html", title="Desk", form=CodeForm(), **context)


@watching_page("handover.view_visit", glance=glance)
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """What has changed since the mark that the asking page has: all of the lists, or nothing."""
    now = timezone.now()
    tend(now)
    return _changed(request, now, read(request.GET.get("poll", ""), _session_key(request)))


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
        return _changed(request, now, None)
    return redirect("desk:waiting")


def _changed(request: HttpRequest, now: datetime, shown: Mark | None) -> HttpResponse:
    context = _desk(request, now)
    mark: Mark = context["stands"]
    is_same = shown is not None and (shown.digest, shown.shown) == (mark.digest, mark.shown)
    return render(request, "desk/live.html", {**context, "is_same": is_same})


def _desk(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Return what the desk shows to this person now, and the mark of it."""
    user, ends_at = person(request), signing_in.ends_at(request.session)
    stands = standing(now, _session_key(request))  # before the lists: what comes after is a change
    may = {
        "may_acknowledge": user.has_perm("handover.acknowledge_alert"),
        "may_pick_up": user.has_perm("handover.pick_up"),
        "is_idle": bool(signing_in.over(request.session)),
        "ends_at": ends_at,
        "ends_soon": ends_at - now < ENDS_SOON,
        "who": name_of(user),
    }
    mark = Mark(stands.digest, shown_to(user.pk, may), min(now + HOLDS, ends_at))
    return {
        **may,
        "lists": lists(now),
        "stands": mark,
        "mark": mark.signed(_session_key(request)),
        "idle_minutes": settings.STAFF_IDLE.seconds // 60,
    }


def _session_key(request: HttpRequest) -> str:
    return request.session.session_key or ""
