"""The pages of one person's assessment."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from triage.content.knowledge import content_of
from triage.content.releases import NothingPublished, live_release
from triage.engine import Ask, FeatureKey, Urgency

from . import errors, pages, services
from .forms import AnswerForm
from .models import Assessment, Token
from .trials import cookie_of, desk_of_the_trial, is_trial

log = structlog.get_logger("triage.questionnaire")


class HtmxHttpRequest(HttpRequest):
    htmx: HtmxDetails


class SeeOther(HttpResponseRedirect):
    """After a post: look there, with a GET, whatever the method was."""

    status_code = 303


type AssessmentView[**P] = Callable[Concatenate[HtmxHttpRequest, Assessment, P], HttpResponse]
type View[**P] = Callable[Concatenate[HtmxHttpRequest, P], HttpResponse]


def token_of(request: HttpRequest) -> Token | None:
    token = request.COOKIES.get(cookie_of(request))
    return Token(token) if token else None


def keep_token(response: HttpResponse, cookie: str, token: Token) -> None:
    response.set_cookie(
        cookie,
        token,
        secure=settings.ASSESSMENT_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def of_an_assessment[**P](view: AssessmentView[P]) -> View[P]:
    """Find the assessment by the cookie, or show the one page that says why there is none."""

    @never_cache
    @wraps(view)
    def found(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        token = token_of(request)
        if token is None:
            return show(request, "questionnaire/lost.html", {}, status=404)
        try:
            assessment = services.find(token=token, now=timezone.now())
            return view(request, assessment, *args, **kwargs)
        except (services.NoAssessment, services.Expired):
            return show(request, "questionnaire/gone.html", {}, status=410)
        except services.Recalled as recalled:
            raised = recalled.assessment.urgency == Urgency.EMERGENCY_NOW
            return show(request, "questionnaire/recalled.html", {"emergency": raised}, status=410)

    return found


NOT_SAVED = gettext_lazy(
    "We could not save this answer just now. It is still filled in: press the button again"
)
NOT_CHANGED = gettext_lazy(
    "We could not change how you check the back just now. Your answers are kept: try again"
)

# Pages that have a part for htmx; the others are whole, or refused before they get that far.
STEPS = {
    f"questionnaire/{name}.html"
    for name in ("question", "answers", "outcome", "withdraw", "conflict")
}


def show(
    request: HtmxHttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
    push: str = "false",
) -> HttpResponse:
    """Render a page, or for htmx the part of it that is swapped in; `push` is its address."""
    if request.htmx and template in STEPS:
        response = render(request, f"{template}#step", context, status=status)
    else:
        response = render(request, template, context, status=status)
    if request.htmx:
        response.headers["HX-Push-Url"] = push
    return response


def where(assessment: Assessment) -> str:
    """Return the address of what comes next."""
    if assessment.asking:
        return pages.url_of(len(assessment.replies) + 1)
    return reverse(f"questionnaire:{'outcome' if assessment.finished_at else 'answers'}")


def show_step(request: HtmxHttpRequest, progress: services.Progress) -> HttpResponse:
    """Show what comes next: in this response with htmx, else where a redirect leads."""
    assessment, there = progress.assessment, where(progress.assessment)
    if not request.htmx:
        return SeeOther(there)
    match progress.step:
        case Ask() as ask:
            number = len(assessment.replies) + 1
            form = pages.form_of(assessment, ask.feature)
            page = "questionnaire/question.html", pages.question_page(assessment, number, form, ask)
        case _ if assessment.finished_at:
            page = "questionnaire/outcome.html", pages.outcome_page(assessment, timezone.now())
        case _:
            page = "questionnaire/answers.html", pages.answers_page(assessment)
    return show(request, *page, push=there)


@never_cache
@require_safe
def start(request: HtmxHttpRequest, topic: str = "") -> HttpResponse:
    """Where a topic is begun; without one, the first that there is."""
    if is_trial(request):
        return redirect(desk_of_the_trial())
    live = [content_of(release) for release in services.live_releases_here()]
    shown = next((content for content in live if not topic or content.topic == topic), None)
    if shown is None:
        if topic and live:
            raise Http404
        return errors.unavailable(request)
    template = pages.own_start(shown.topic) or "questionnaire/start.html"
    return render(request, template, pages.start_page(shown, live))


@never_cache
@require_POST
def begin(request: HtmxHttpRequest) -> HttpResponse:
    """Start an assessment. Somebody who is in the middle of one is asked first."""
    if is_trial(request):
        return redirect(desk_of_the_trial())
    now, token = timezone.now(), token_of(request)
    if token and not request.POST.get("again"):
        try:
            running = services.find(token=token, now=now)
        except (services.NoAssessment, services.Expired, services.Recalled):
            pass
        else:
            return render(request, "questionnaire/resume.html", {"continue_url": where(running)})
    if token:
        services.delete(token=token, now=now)
    try:
        topic = request.POST.get("topic")
        release = live_release(topic) if topic else services.live_release_here()
    except NothingPublished:
        return errors.unavailable(request)
    voice = request.POST.get("voice", "")
    token, assessment = services.start(
        on=release,
        language=get_language() or settings.LANGUAGE_CODE,
        voice=Assessment.Voice(voice if voice in Assessment.Voice else "text"),
        now=now,
        terminal=getattr(request, "terminal", None),
    )
    response = SeeOther(where(assessment))
    keep_token(response, settings.ASSESSMENT_COOKIE_NAME, token)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@of_an_assessment
def question(request: HtmxHttpRequest, assessment: Assessment, number: int) -> HttpResponse:
    if request.method == "POST":
        return _answer(request, assessment, number)
    if not 1 <= number <= len(assessment.replies) + 1:
        raise Http404
    try:
        feature = services.feature_at(assessment, number)
    except services.NotAskedHere:
        return redirect(where(assessment))
    form = pages.form_of(assessment, feature)
    return show(
        request,
        "questionnaire/question.html",
        pages.question_page(assessment, number, form),
        push=pages.url_of(number),
    )


def _answer(request: HtmxHttpRequest, assessment: Assessment, number: int) -> HttpResponse:
    try:
        form = pages.form_of(assessment, services.feature_at(assessment, number), request.POST)
        if form.is_stale:
            raise services.NotAskedHere
        if not form.is_valid():
            return _show_again(request, assessment, number, form, status=422)
        progress = services.answer(
            assessment=assessment,
            number=number,
            feature=form.asked.key,
            reply=form.reply,
            revision=form.revision_shown,
            confirmed=request.POST.get("confirm") == "1",
            now=timezone.now(),
        )
    except services.NotAskedHere:
        return show(
            request, "questionnaire/conflict.html", pages.marks_of(assessment.content), status=409
        )
    except services.ChangedSince as changed:
        page = pages.conflict_page(assessment, number, form.asked.key, form.reply, changed.theirs)
        return show(request, "questionnaire/conflict.html", page, status=409)
    except services.Withdraws as withdraws:
        hidden = _posted(request, withdraws.revision)
        page = pages.withdraw_page(assessment, number, withdraws.flags, hidden)
        return show(request, "questionnaire/withdraw.html", page)
    except (services.Overtaken, DatabaseError) as error:
        log.warning("answer_not_saved", exception=type(error).__qualname__)
        form.errors.append(str(NOT_SAVED))
        return _show_again(request, assessment, number, form, status=503)
    return show_step(request, progress)


@require_POST
@of_an_assessment
def voice(request: HtmxHttpRequest, assessment: Assessment) -> HttpResponse:
    """Go on in another voice, on the question from which it was asked for, if it was on one."""
    chosen, feature = request.POST.get("voice", ""), FeatureKey(request.POST.get("feature", ""))
    try:
        if chosen not in Assessment.Voice:
            raise services.NotAskedHere
        assessment = services.change_voice(
            assessment=assessment, voice=Assessment.Voice(chosen), now=timezone.now()
        )
    except (services.NotAskedHere, services.Finished):
        return show(
            request, "questionnaire/conflict.html", pages.marks_of(assessment.content), status=409
        )
    except (services.Overtaken, DatabaseError) as error:
        log.warning("voice_not_changed", exception=type(error).__qualname__)
        if not (number := services.number_of(assessment, feature)):
            return errors.unavailable(request)
        form = pages.form_of(assessment, feature, request.POST)
        form.errors = [str(NOT_CHANGED)]
        return _show_again(request, assessment, number, form, status=503)
    if not (number := services.number_of(assessment, feature)):
        return show_step(request, services.progress(assessment))
    if not request.htmx:
        return SeeOther(pages.url_of(number))
    form = pages.form_of(assessment, feature)
    return show(
        request, "questionnaire/question.html", pages.question_page(assessment, number, form)
    )


def _show_again(
    request: HtmxHttpRequest, assessment: Assessment, number: int, form: AnswerForm, *, status: int
) -> HttpResponse:
    page = pages.question_page(assessment, number, form)
    response = show(request, "questionnaire/question.html", page, status=status)
    if status == 503:
        response.headers["Retry-After"] = errors.RETRY_AFTER
    return response


def _posted(request: HttpRequest, revision: int) -> list[tuple[str, str]]:
    """Return what was posted, to be sent once more on top of the present revision."""
    names = ("feature", "reply", "decline")
    posted = [(name, value) for name in names for value in request.POST.getlist(name)]
    return [*posted, ("revision", str(revision))]


@require_safe
@of_an_assessment
def answers(request: HtmxHttpRequest, assessment: Assessment) -> HttpResponse:
    if not assessment.concluded:
        return redirect(where(assessment))
    return render(request, "questionnaire/answers.html", pages.answers_page(assessment))


@require_POST
@of_an_assessment
def finish(request: HtmxHttpRequest, assessment: Assessment) -> HttpResponse:
    if not services.finish(assessment=assessment, now=timezone.now()):
        return SeeOther(reverse("questionnaire:resume"))
    return show_step(request, services.progress(assessment))


@require_safe
@of_an_assessment
def outcome(request: HtmxHttpRequest, assessment: Assessment) -> HttpResponse:
    if assessment.finished_at is None:
        return redirect(where(assessment))
    page = pages.outcome_page(assessment, timezone.now())
    return render(request, "questionnaire/outcome.html", page)


@require_safe
@of_an_assessment
def resume(request: HtmxHttpRequest, assessment: Assessment) -> HttpResponse:
    return redirect(where(assessment))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HtmxHttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "questionnaire/delete.html")
    if token := token_of(request):
        services.delete(token=token, now=timezone.now())
    response = SeeOther(reverse("questionnaire:deleted"))
    response.delete_cookie(cookie_of(request), samesite="Lax")
    return response


@never_cache
@require_safe
def deleted(request: HttpRequest) -> HttpResponse:
    return render(request, "questionnaire/deleted.html")


@require_safe
def page(request: HttpRequest, *, name: str) -> HttpResponse:
    """A page that says the same to everybody."""
    return render(request, f"pages/{name}.html")


@require_safe
def emergency(request: HttpRequest) -> HttpResponse:
    """Whom to call, even with the database gone."""
    return errors.static_page(request, "pages/emergency.html", 200)
