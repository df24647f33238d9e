"""What is found of one row, for its form."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from triage.content.addresses import linked
from triage.content.models import Topic
from triage.staff.pages import staff_page

from .faults import found_in


@staff_page("content.view_topic")
def row_faults(request: HttpRequest, topic: str) -> HttpResponse:
    """Say what is found whose place is on the form with this address."""
    about = get_object_or_404(Topic, key=topic)
    form = request.GET.get("form", "")
    found = [fault for fault in linked(found_in(about), about) if _page(fault.link) == form]
    return render(request, "content/row_faults.html", {"topic": about, "found": found})


def _page(link: str) -> str:
    return link.partition("#")[0]
