"""The page of one person: what they handed over, as it is read, copied, printed and taken away."""

import json
import math
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

import structlog
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.timezone import localtime
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from triage.content.views.page import page
from triage.handover import fhir as fhir_document
from triage.handover import note as clinicians_note
from triage.handover import receipt as receipt_file
from triage.handover import services
from triage.handover.models import Handover
from triage.handover.summary import summary_of_handover
from triage.staff.pages import View, staff_page
from triage.staff.pages import person as person_here

from . import verdicts
from .forms import CodeForm
from .models import Judgement
from .names import name_of

log = structlog.get_logger("triage.desk")

STILL_ON_DISK = "Deleted here. The file on the disk is overwritten within minutes."
NO_SUCH_CODE = (
    "Nothing is here under this code. Look at it again: it has six letters and digits. It may also be"
    " older than 12 hours, or replaced by a newer one."
)
TOO_MANY = "Too many wrong codes. The next one counts in {minutes} minutes."


class NotHere(Exception):
    """Nobody has handed this over, or it was taken or has deleted itself, or is for a colleague."""


def on_a_handover[V: View](view: V) -> V:
    """Open a page on what was handed over to clinicians alone, and say it where that is not here."""

    @staff_page("handover.pick_up")
    @wraps(view)
    def found(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotHere:
            return page(request, "desk/gone.html", title="This is not here any more", status=404)

    return cast(V, found)


def _taken_by(handover: Handover) -> str:
    assert handover.opened_at is not None  # that is what made it somebody's
    by = name_of(handover.opened_by) if handover.opened_by else "A colleague"
    return f"{by} opened this at {localtime(handover.opened_at):%H:%M}: ask them."


@staff_page("handover.pick_up")
@require_http_methods(["GET", "HEAD", "POST"])
def pick_up(request: HttpRequest) -> HttpResponse:
    scanned = {"code": request.GET.get("link", "")}
    form = CodeForm(request.POST if request.method == "POST" else None, initial=scanned)
    status = HTTPStatus.OK
    if form.is_valid():
        code, by = form.cleaned_data["code"], person_here(request)
        try:
            found = services.pick_up(code=code, by=by, now=timezone.now())
        except services.TooManyTries as why:
            form.add_error("code", TOO_MANY.format(minutes=math.ceil(why.seconds / 60)))
            status = HTTPStatus.TOO_MANY_REQUESTS
        except services.PickedUp as why:
            form.add_error("code", _taken_by(why.handover))
        except services.NoSuchCode:
            form.add_error("code", NO_SUCH_CODE)
        else:
            return redirect("desk:person", found.pk)
    if form.errors and status is HTTPStatus.OK:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return page(request, "desk/pick_up.html", title="Open by code", form=form, status=status)


def _find(request: HttpRequest, pk: int) -> Handover:
    """Return what was handed over, if this person may see it: of a kiosk, any clinician; of
    somebody's own phone, whoever was given the code. Raises NotHere."""
    found = Handover.objects.select_related("visit", "opened_by").filter(pk=pk).first()
    if found is None or found.gone_at <= timezone.now():
        raise NotHere
    if found.visit is None and found.opened_by != person_here(request):
        raise NotHere
    return found


def _opened(request: HttpRequest, pk: int) -> Handover:
    found = _find(request, pk)
    if found.opened_at is None:
        raise NotHere
    return found


@on_a_handover
@require_POST
def open_it(request: HttpRequest, pk: int) -> HttpResponse:
    services.open_handover(handover=_find(request, pk), by=person_here(request), now=timezone.now())
    return redirect("desk:person", pk)


@on_a_handover
@require_safe
def person(request: HttpRequest, pk: int) -> HttpResponse:
    handover = _find(request, pk)
    if handover.opened_at is None:
        return page(request, "desk/closed.html", title=_title(handover), handover=handover)
    summary = summary_of_handover(handover)
    verdict = verdicts.keep(handover=handover, summary=summary, on=timezone.localdate())
    return page(
        request,
        "desk/person.html",
        title=_title(handover),
        handover=handover,
        summary=summary,
        opened_by=name_of(handover.opened_by) if handover.opened_by else "",
        plain_text=clinicians_note.plain_text(summary, reference=verdict.reference),
        reference=verdict.reference,
        verdict=verdict,
        judgements=Judgement.choices,
        back=request.path,
        idle_seconds=settings.STAFF_IDLE.seconds,
    )


def _title(handover: Handover) -> str:
    ticket = handover.document.get("ticket")
    return f"Ticket {ticket}" if ticket else "Summary"


@on_a_handover
@require_safe
def note(request: HttpRequest, pk: int) -> HttpResponse:
    handover = _opened(request, pk)
    text = clinicians_note.plain_text(
        summary_of_handover(handover), reference=verdicts.reference_of(handover)
    )
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@on_a_handover
@require_safe
def fhir(request: HttpRequest, pk: int) -> HttpResponse:
    handover = _opened(request, pk)
    base = request.build_absolute_uri("/").rstrip("/")
    document = fhir_document.document_of(summary_of_handover(handover), base=base)
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _file(text.encode(), "application/fhir+json", f"{_file_name(handover)}.fhir.json")


@on_a_handover
@require_safe
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    handover = _opened(request, pk)
    content = receipt_file.receipt_of(summary_of_handover(handover))
    return _file(content, "application/json", f"{_file_name(handover)}.receipt.json")


def _file_name(handover: Handover) -> str:
    """Name a file so that two on one day are told apart, and neither tells of a person."""
    ticket = handover.document.get("ticket") or handover.pk
    return f"checker-{timezone.localdate(handover.made_at):%Y-%m-%d}-{ticket}"


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@on_a_handover
@require_http_methods(["GET", "HEAD", "POST"])
def done(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask once, then delete what was taken into the record."""
    handover = _opened(request, pk)
    if request.method == "POST":
        is_overwritten = services.forget(handover)
        log.info("handover_taken", who=person_here(request).get_username())
        messages.success(request, "Deleted here." if is_overwritten else STILL_ON_DISK)
        return redirect("desk:waiting")
    return page(request, "desk/done.html", title="Delete it here", handover=handover)
