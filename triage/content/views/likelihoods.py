"""What numbers add up to, as somebody types them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from triage.content.entries import group_of, live_numbers, said_of_priors, typed_in
from triage.content.models import Feature, Topic
from triage.staff.pages import staff_page


@require_POST
@staff_page("content.view_likelihood")
def row_sum(request: HttpRequest, topic: str, feature: str) -> HttpResponse:
    """Add up the numbers in the post: those of one condition with one question."""
    found = get_object_or_404(
        Feature.objects.select_related("topic"), topic__key=topic, key=feature
    )
    group = group_of(found, typed_in(request.POST))
    if group is None:
        raise Http404
    return render(request, "content/total.html", {"group": group})


@require_POST
@staff_page("content.view_condition")
def sum_of_priors(request: HttpRequest, topic: str, condition: int) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    own = get_object_or_404(found.conditions, pk=condition)
    typed = request.POST.get("prior_percent", "")
    return HttpResponse(said_of_priors(own, typed, live_numbers(found)))
