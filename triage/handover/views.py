"""The pages on which a patient hands over what they answered, or takes it home."""

from typing import Any

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from triage.engine import Urgency
from triage.questionnaire import pages
from triage.questionnaire import services as questionnaire
from triage.questionnaire.models import Assessment
from triage.questionnaire.trials import cookie_of, desk_of_the_trial, is_trial
from triage.questionnaire.views import (
    HtmxHttpRequest,
    SeeOther,
    keep_token,
    of_an_assessment,
    token_of,
    where,
)

from . import services, visits
from .codes import new_seed


@require_http_methods(["GET", "HEAD", "POST"])
@of_an_assessment
def begin(request: HtmxHttpRequest, assessment: Assessment) -> HttpResponse:
    """Say what is handed over, to whom and for how long; on a post do it, and show the codes."""
    if is_trial(request):
        return redirect(desk_of_the_trial())
    now = timezone.now()
    if request.method != "POST":
        if assessment.finished_at is None:
            return redirect(where(assessment))
        asked = {"once": new_seed(), "before": services.handed_over(assessment, now)}
        return render(request, "handover/begin.html", _first(assessment) | asked)
    try:
        codes = services.hand_over(
            assessment=assessment,
            visit=visits.visit_of(assessment.pk) if assessment.device is not None else None,
            now=now,
            once=request.POST.get("once", ""),
        )
    except services.NotFinished:
        return SeeOther(where(assessment))
    address = request.build_absolute_uri(reverse("handover:take", args=[codes.link]))
    shown: dict[str, Any] = {
        "code": codes.code,
        "picture": _picture(address),
        "until": now + settings.HANDOVER_LASTS,
        "link_minutes": settings.HANDOVER_LINK_LASTS.seconds // 60,
        "now": now,
    }
    return render(request, "handover/codes.html", _first(assessment) | shown)


def _first(assessment: Assessment) -> dict[str, Any]:
    """What every page says first: in an emergency nothing comes before the advice."""
    assert assessment.urgency is not None  # it is finished
    urgency = Urgency(assessment.urgency)
    advice = pages.wording_of(assessment).advice("urgency", urgency.key)
    return pages.marks_of(assessment.content) | {
        "emergency": urgency is Urgency.EMERGENCY_NOW,
        "urgency": {
            "key": urgency.key,
            "heading": advice.heading,
            "what_to_do": advice.what_to_do,
        },
    }


def _picture(address: str) -> SafeString:
    # Attributes only, no style; and black on white also where the page is dark.
    picture = segno.make(address, error="m").svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True
    )
    return mark_safe(picture)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HtmxHttpRequest, link: str) -> HttpResponse:
    """Open a link once: by a button, since programs that preview links get every one of them."""
    if is_trial(request):
        return redirect(desk_of_the_trial())
    if (desk := _desk_for(request, link)) is not None:
        return redirect(desk)
    now = timezone.now()
    handover, own = services.behind(link, now), _own(request)
    if handover is None:
        return render(request, "handover/used.html", {"own": own}, status=410)
    if own is not None and own.pk == handover.assessment:
        return SeeOther(where(own))  # it is here already, and the link is still good elsewhere
    if request.method != "POST":
        return render(request, "handover/take.html", {"own": own})
    try:
        token, assessment = services.take_along(token=link, now=now)
    except services.NoSuchLink:
        return render(request, "handover/used.html", {"own": own}, status=410)
    if (before := token_of(request)) is not None:
        questionnaire.delete(token=before, now=now)
    response = SeeOther(where(assessment))
    keep_token(response, cookie_of(request), token)
    return response


def _desk_for(request: HttpRequest, link: str) -> str | None:
    """Return where a member of staff opens it, whose page makes sure that they are."""
    if not request.user.is_authenticated:
        return None
    try:
        return f"{reverse('desk:pick_up')}?{urlencode({'link': link})}"
    except NoReverseMatch:
        return None


def _own(request: HttpRequest) -> Assessment | None:
    """Return the assessment that this browser holds already."""
    if (token := token_of(request)) is None:
        return None
    try:
        return questionnaire.find(token=token, now=timezone.now())
    except (questionnaire.NoAssessment, questionnaire.Expired, questionnaire.Recalled):
        return None
