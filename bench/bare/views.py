"""A view that does nothing, and the bare round trip in two ways: one transaction around it all, as
most would write it, and reading first, so that nobody waits for the lock."""

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_POST

from .models import Answer

OPTIONS = [
    ("not_at_all", "Not at all, I have not noticed anything like that"),
    ("a_little", "A little, but only when I press on it"),
    ("somewhat", "Somewhat, it comes and goes through the day"),
    ("much", "Much of the time, whatever I am doing"),
    ("all_the_time", "All the time, and it is getting worse"),
    ("not_sure", "I am not sure"),
]


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


@require_POST
def answer(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        return keep_and_ask(request)


@require_POST
def answer_without_lock(request: HttpRequest) -> HttpResponse:
    return keep_and_ask(request)


def keep_and_ask(request: HttpRequest) -> HttpResponse:
    person = request.session["person"]
    earlier = list(Answer.objects.filter(person=person).order_by("step"))
    said = Answer(
        person=person,
        step=len(earlier) + 1,
        feature=request.POST["feature"],
        reply=" ".join(request.POST.getlist("reply")),
    )
    said.save(force_insert=True)
    context = {"number": said.step + 1, "asked": len(earlier), "options": OPTIONS}
    return render(request, "bare/question.html", context, using="bare")


def bare_urls(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """Resolve by the addresses of this file, whatever the project's own are."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__
        return get_response(request)

    return middleware


urlpatterns = [
    path("bare/plain", plain),
    path("bare/answer", answer),
    path("bare/answer-without-lock", answer_without_lock),
]
