"""A draft that staff try out as a patient would: begun here, and kept as a case if they like."""

from typing import cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import override

from triage.content.models import Topic
from triage.content.saved_cases import UnfitCase, save_case
from triage.content.snapshots import content_of_snapshot, snapshot_of
from triage.content.views.page import page
from triage.engine import Unsound
from triage.evaluation.cases import as_answers
from triage.staff.pages import staff_page

from . import services
from .models import Assessment, Token
from .trial_forms import BeginForm, CaseForm
from .trials import MOUNT, mounted
from .views import keep_token, where


@staff_page("content.view_topic")
def begin(request: HttpRequest, topic: str) -> HttpResponse:
    """Try the drafts as they are now, or a change as it was submitted."""
    found = get_object_or_404(Topic, key=topic)
    form = BeginForm(request.POST or None, topic=found)
    running = _running(request)
    faults: tuple[str, ...] = ()
    if request.method == "POST" and form.is_valid():
        snapshot = form.snapshot or snapshot_of(found)
        try:
            content_of_snapshot(snapshot.pk)
        except Unsound as unsound:
            faults = unsound.faults
        else:
            if running:
                services.delete(token=_token(request), now=timezone.now())
            token, assessment = services.start(
                on=snapshot,
                language=settings.LANGUAGE_CODE,
                voice=form.voice,
                now=timezone.now(),
            )
            response = redirect(_there(assessment))
            keep_token(response, settings.TRIAL_COOKIE_NAME, token)
            return response
    return page(
        request,
        "trial/begin.html",
        title="Try it out",
        topic=found,
        form=form,
        faults=faults,
        running=running,
        there=_there(running) if running else "",
    )


@staff_page("content.view_topic")
def end(request: HttpRequest) -> HttpResponse:
    """End the trial that runs in this browser, or keep its answers as a case first."""
    running = _running(request)
    if running is None or running.snapshot is None:
        return redirect("admin:index")
    topic = running.snapshot.topic
    form = CaseForm(request.POST or None, assessment=running)
    if request.method == "POST" and "delete" in request.POST:
        return _ended(request, topic)
    may_keep = request.user.has_perm("content.add_savedcase")
    if request.method == "POST" and may_keep and form.is_valid():
        try:
            save_case(
                topic=topic,
                key=form.cleaned_data["key"],
                story=form.cleaned_data["story"],
                answers=as_answers(running.evidence, running.content.knowledge),
                expected=form.expected,
                knowledge=running.content.knowledge,
                who=cast(User, request.user),
            )
        except UnfitCase as unfit:
            form.add_error(None, str(unfit))
        else:
            return _ended(request, topic)
    return page(
        request,
        "trial/end.html",
        title="The trial",
        topic=topic,
        form=form,
        running=running,
        there=_there(running),
    )


def _token(request: HttpRequest) -> Token:
    return Token(request.COOKIES.get(settings.TRIAL_COOKIE_NAME, ""))


def _running(request: HttpRequest) -> Assessment | None:
    try:
        return services.find(token=_token(request), now=timezone.now())
    except (services.NoAssessment, services.Expired):
        return None


def _there(assessment: Assessment) -> str:
    with mounted(MOUNT), override(assessment.language):
        return where(assessment)


def _ended(request: HttpRequest, topic: Topic) -> HttpResponse:
    services.delete(token=_token(request), now=timezone.now())
    response = redirect("try", topic=topic.key)
    response.delete_cookie(settings.TRIAL_COOKIE_NAME, samesite="Lax")
    return response
