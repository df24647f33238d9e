"""The pages on which clinicians say what was right, and read what that comes to."""

import csv
from io import StringIO
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_http_methods, require_safe

from triage.content.knowledge import content_of
from triage.content.places import language_here
from triage.content.views.page import page
from triage.engine import ConditionKey, Urgency
from triage.evaluation.intervals import Share
from triage.staff.pages import next_page, staff_page

from . import verdicts
from .evidence import FEWEST_BINS, LEAST, Calibration, Kept, Line, evidence, table
from .models import Judgement, Verdict

NO_SUCH_REFERENCE = (
    "No note has this reference. It has eight letters and digits, such as K7M4-QX2P."
)


class ReferenceForm(forms.Form):
    reference = forms.CharField(
        label="Reference on the note",
        max_length=30,
        error_messages={"required": NO_SUCH_REFERENCE},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    verdict: Verdict

    def clean_reference(self) -> str:
        reference: str = self.cleaned_data["reference"]
        try:
            self.verdict = verdicts.find(reference)
        except verdicts.NoSuchReference:
            raise forms.ValidationError(NO_SUCH_REFERENCE) from None
        return reference


@staff_page("desk.add_verdict")
@require_http_methods(["GET", "HEAD", "POST"])
def verdict(request: HttpRequest) -> HttpResponse:
    """Find a verdict by what stands on the note, and say what is known by now.

    The reference is posted, so that it stands in no address and no history of a browser.
    """
    form = ReferenceForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return page(request, "desk/verdict.html", title="Verdicts", form=form, status=status)
    found = form.verdict
    _say(request, found)
    if "next" in request.POST:
        return redirect(next_page(request))
    return page(request, "desk/verdict.html", title="Verdict", form=form, **_shown(found))


def _say(request: HttpRequest, found: Verdict) -> None:
    """Keep what the form says, if it says anything that there is to choose."""
    today = timezone.localdate()
    right, cause = request.POST.get("urgency_right", ""), request.POST.get("cause")
    try:
        if right in Judgement:
            verdicts.judge_urgency(verdict=found, right=Judgement(right), on=today)
        if cause is not None:
            verdicts.say_cause(verdict=found, cause=cause, on=today)
    except verdicts.NoSuchCause:
        messages.error(request, "Choose one of the causes in the list.")
    except verdicts.Stands as stands:
        since = date_format(stands.since)
        messages.error(request, f"This was said on {since} and is counted: it stays as it is.")
    else:
        if right in Judgement or cause is not None:
            messages.success(request, "Kept. It counts from next month on.")
        if right == Judgement.NOT_URGENT_ENOUGH:
            who = settings.CLINICAL_SAFETY_OFFICER or "whoever is responsible for clinical safety"
            messages.warning(request, f"Tell {who} today: one such case matters by itself.")


def _shown(found: Verdict) -> dict[str, Any]:
    content = content_of(found.release_id)
    wording = content.wording(language_here())

    def name(key: str) -> str:
        return wording.condition(ConditionKey(key)).name

    return {
        "verdict": found,
        "urgency": wording.advice("urgency", Urgency(found.urgency).key).heading,
        "leading": [
            (name(key), posterior) for key, posterior in found.leading[:3] if key != verdicts.REST
        ],
        "causes": sorted(
            ((key, name(key)) for key in verdicts.causes_of(found)), key=lambda pair: pair[1]
        ),
        "other": verdicts.OTHER,
        "judgements": Judgement.choices,
    }


# What it comes to


def _row(name: str, line: Line | None) -> list[dict[str, object]]:
    return [_told(name, line.share, line)] if line else []


def _told(name: str, share: Share, when: Line | Calibration) -> dict[str, object]:
    low, high = share.interval
    return {
        "name": name or _months(when),
        "months": _months(when),
        "hits": share.hits,
        "of": share.of,
        "value": f"{100 * share.value:.0f} %",
        "range": f"{100 * low:.0f} to {100 * high:.0f} %",
    }


def _months(when: Line | Calibration) -> str:
    first, last = (date_format(month.first_day, "F Y") for month in (when.first, when.last))
    return first if first == last else f"{first} to {last}"


def _section(kept: Kept) -> dict[str, object]:
    return {
        "release": kept.release,
        "judged": kept.judged,
        "urgency": [_told("", line.share, line) for line in kept.urgency],
        "urgency_in_all": [
            *_row("Right", kept.urgency_in_all),
            *_row("Could have waited", kept.too_urgent),
            *_row("Should have been seen sooner", kept.not_urgent_enough),
        ],
        "found": kept.found,
        "causes": [_told("", line.share, line) for line in kept.causes],
        "causes_in_all": [
            *_row("Among the first three", kept.causes_in_all),
            *_row("The first", kept.leading),
        ],
        "calibrations": [
            {
                "months": _months(calibration),
                "rows": [
                    {
                        **_told("", claims.right, calibration),
                        "said": f"{100 * claims.low:.0f} to {100 * claims.high:.0f} %",
                        "mean": f"{100 * claims.claimed:.0f} %",
                    }
                    for claims in calibration.bins
                ],
            }
            for calibration in kept.calibration
        ],
    }


@staff_page("desk.view_verdict")
@require_safe
def show_evidence(request: HttpRequest) -> HttpResponse:
    sections = [_section(kept) for kept in evidence(today=timezone.localdate())]
    return page(
        request,
        "desk/evidence.html",
        title="Evidence from the desk",
        sections=sections,
        least=LEAST,
        fewest_bins=FEWEST_BINS,
    )


@staff_page("desk.view_verdict")
@require_safe
def evidence_csv(request: HttpRequest) -> HttpResponse:
    """The same numbers: whoever takes both learns nothing more."""
    written = StringIO()
    csv.writer(written).writerows(table(evidence(today=timezone.localdate())))
    return HttpResponse(
        written.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="evidence-from-the-desk.csv"'},
    )
