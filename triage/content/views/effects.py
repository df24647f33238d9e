"""What the drafts of a topic would change, and each of the cases by which that is told."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from triage.content.case_pages import case_page_of
from triage.content.effects import cases_of, effect_of, find_effect, start_again
from triage.content.models import Effect, Topic
from triage.content.releases import live_of
from triage.content.snapshots import sha256_of_drafts, snapshot_of
from triage.evaluation.effects import name_of
from triage.staff.pages import staff_page

from .page import page


@staff_page("content.view_topic")
@require_http_methods(["GET", "HEAD", "POST"])
def effects(request: HttpRequest, topic: str) -> HttpResponse:
    about = get_object_or_404(Topic, key=topic)
    if "poll" in request.GET:
        return _progress(request, about)
    draft, live = sha256_of_drafts(about), live_of(about)
    if request.method == "POST":
        start_again(effect_of(snapshot_of(about), live))
        return redirect("content:effects", about.key)
    return page(
        request,
        "content/effects.html",
        title="Effect",
        topic=about,
        live=live,
        is_same=live is not None and live.sha256 == draft,
        effect=find_effect(about, draft, live),
    )


def _progress(request: HttpRequest, topic: Topic) -> HttpResponse:
    asked = request.GET.get("effect", "")
    if not asked.isdecimal():
        raise Http404
    effect = get_object_or_404(Effect, pk=int(asked), draft__topic=topic)
    return render(request, "content/effect_progress.html", {"topic": topic, "effect": effect})


@staff_page("content.view_topic")
@require_safe
def case(request: HttpRequest, topic: str, file: str, key: str) -> HttpResponse:
    about = get_object_or_404(Topic, key=topic)
    found = next((c for c in cases_of(about) if c.name == name_of(file, key)), None)
    if found is None:
        raise Http404
    return page(
        request,
        "content/case.html",
        title=f"Case {found.name}",
        topic=about,
        case=case_page_of(found, about),
    )
