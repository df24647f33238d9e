"""The releases of a topic: compared with each other, rolled back to, recalled."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from triage.content import approval
from triage.content.models import Release, Topic
from triage.content.models.publishing import ReleaseQuerySet
from triage.content.releases import PUBLISHES, NotDone, live_of, recall
from triage.staff.pages import confirmed_recently, staff_page

from .page import page
from .proposals import change_between


@staff_page("content.view_release")
@require_http_methods(["GET"])
def releases(request: HttpRequest, topic: str) -> HttpResponse:
    """List them; with `before` and `after` say what changes from one to the other."""
    found = get_object_or_404(Topic, key=topic)
    all_of_them = list(_releases(found))
    numbers = {str(release.number): release for release in all_of_them}
    before, after = (numbers.get(request.GET.get(name, "")) for name in ("before", "after"))
    change = None
    if before and after and (document := approval.document_of(after)):
        change = change_between(approval.document_of(before), document, found, links=False)
    return page(
        request,
        "content/releases.html",
        title="Releases",
        topic=found,
        releases=all_of_them,
        live=live_of(found),
        before=before or (all_of_them[1] if len(all_of_them) > 1 else None),
        after=after or (all_of_them[0] if all_of_them else None),
        change=change,
        may_publish=_person(request).has_perm(PUBLISHES),
    )


@staff_page("content.view_release", PUBLISHES)
@require_http_methods(["GET", "POST"])
@confirmed_recently
def roll_back(request: HttpRequest, topic: str, number: int) -> HttpResponse:
    release = _release(topic, number)
    live = live_of(release.topic)
    why = request.POST.get("why", "")
    if request.method == "POST":
        try:
            new = approval.roll_back(release=release, by=_person(request), why=why)
        except NotDone as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{new} is live, with the content of {release}.")
            return redirect("content:releases", topic)
    document = approval.document_of(release) or {}
    return page(
        request,
        "content/roll_back.html",
        title=f"Roll back to {release}",
        tab="content:releases",
        topic=release.topic,
        release=release,
        live=live,
        change=change_between(approval.document_of(live), document, release.topic, links=False),
        why=why,
        status=409 if request.method == "POST" else 200,
    )


@staff_page("content.view_release", PUBLISHES)
@require_http_methods(["GET", "POST"])
@confirmed_recently
def recall_release(request: HttpRequest, topic: str, number: int) -> HttpResponse:
    release = _release(topic, number)
    why = request.POST.get("why", "")
    if request.method == "POST":
        try:
            recall(release=release, by=_person(request), why=why)
        except NotDone as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{release} is recalled.")
            return redirect("content:releases", topic)
    live = live_of(release.topic)
    others = _releases(release.topic).not_recalled().for_patients().exclude(pk=release.pk)
    return page(
        request,
        "content/recall.html",
        title=f"Recall {release}",
        tab="content:releases",
        topic=release.topic,
        release=release,
        live=live,
        next=others.first(),
        why=why,
        status=409 if request.method == "POST" else 200,
    )


@staff_page("content.view_release", approval.WRITES)
@require_http_methods(["GET", "POST"])
def put_back(request: HttpRequest, topic: str, number: int) -> HttpResponse:
    """Make the drafts what a release holds."""
    release = _release(topic, number)
    if request.method == "POST":
        try:
            is_same = approval.put_back(
                release=release,
                by=_person(request),
                why=request.POST.get("why", "") or f"The drafts put back to {release}",
            )
        except NotDone as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(
                request,
                f"The drafts are those of {release} again."
                if is_same
                else f"The drafts are those of {release} again, but for what came later and is used"
                " by other topics, or was not there yet: see below.",
            )
    return redirect("content:proposals", topic)


def _releases(topic: Topic) -> ReleaseQuerySet:
    return (
        Release.objects.filter(topic=topic)
        .without_document()
        .select_related("topic", "author", "approver", "publisher", "recalled_by", "rolled_back_to")
        .order_by("-number")
    )


def _release(topic: str, number: int) -> Release:
    return get_object_or_404(
        Release.objects.without_document().select_related("topic"),
        topic__key=topic,
        number=number,
    )


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the page opens to nobody else
    return request.user
