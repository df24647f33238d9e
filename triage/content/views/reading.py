"""How hard a text is, worked out while it is written."""

import re

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.http import require_POST

from triage.content.models import Topic
from triage.content.plain_language import READ
from triage.content.reading_help import readings_of
from triage.staff.pages import staff_page

from .page import page

ANSWER = re.compile(r"options-\d+-text")


@staff_page("content.view_topic")
@require_POST
def reading(request: HttpRequest, part: str) -> HttpResponse:
    if part not in READ:
        return HttpResponseBadRequest("There are no texts of this kind.")
    posted = {name: str(value) for name, value in request.POST.items()}
    number = posted.get("topic", "")
    topic = Topic.objects.filter(pk=int(number)).first() if number.isdecimal() else None
    answers = [text for name, text in posted.items() if ANSWER.fullmatch(name)]
    read, complaints = readings_of(part, posted, topic, answers)
    if "HX-Request" in request.headers:
        found = {"read": read, "complaints": complaints}
        return render(request, "content/reading_found.html", found)
    return page(
        request,
        "content/reading.html",
        title="How it reads",
        topic=topic,
        read=read,
        complaints=complaints,
    )
