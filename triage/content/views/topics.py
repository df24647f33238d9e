"""The first page of a topic: how its drafts stand, and the way to everything in it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from triage.content.models import Topic
from triage.content.overview import overview_of
from triage.staff.pages import staff_page

from .page import page


@staff_page("content.view_topic")
def topic(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    return page(
        request, "content/topic.html", title=found.title, topic=found, overview=overview_of(found)
    )
