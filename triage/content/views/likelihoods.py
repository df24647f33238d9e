"""What numbers add up to, as somebody types them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import escape
from django.views.decorators.http import require_POST

from triage.content.entries import added_up, priors_with
from triage.content.models import Topic
from triage.staff.pages import staff_page

MOST_BOXES = 100


@require_POST
@staff_page("content.view_likelihood")
def row_sum(request: HttpRequest, topic: str) -> HttpResponse:
    """Add up the numbers in the post: those of one condition with one question."""
    texts = [text for name, text in request.POST.items() if name.startswith("probability-")]
    total = added_up(str(text) for text in texts[:MOST_BOXES])
    return render(request, "content/total.html", {"total": total})


@require_POST
@staff_page("content.view_condition")
def sum_of_priors(request: HttpRequest, topic: str, condition: int) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    total = priors_with(found, condition, request.POST.get("prior_percent", ""))
    return HttpResponse(f"All priors together: {escape(total)}.")
