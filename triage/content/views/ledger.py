"""The evidence ledger of a topic: to look through, and as a file for a spreadsheet."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from triage.content.choices import Basis
from triage.content.ledger import (
    NO_BASIS,
    NO_SOURCE,
    UNSIGNED,
    Entry,
    Ledger,
    ReviewState,
    Share,
    Sort,
    Wanted,
    found,
    ledger_of,
    review_of,
)
from triage.content.models import Topic
from triage.content.reviews import PARTS, Reviewable, Standing, reviewables_of, standings_of
from triage.content.spreadsheets import guarded
from triage.staff.pages import staff_page

from .page import page

A_PAGE = 100
BAR = 120
MOST_AGAIN = 50

COLUMNS = (
    "what it is",
    "of what",
    "value",
    "basis",
    "sources",
    "citations",
    "sample size",
    "note",
    "paragraph of the source document",
    "reviewers",
    "last review",
    "review again by",
    "review",
    "signed off",
)


class Search(forms.Form):
    sort = forms.ChoiceField(label="What", required=False)
    condition = forms.ChoiceField(required=False)
    feature = forms.ChoiceField(label="Question", required=False)
    basis = forms.ChoiceField(required=False)
    source = forms.ChoiceField(required=False)
    standing = forms.ChoiceField(label="Review", required=False)

    def __init__(self, ledger: Ledger, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        named = {key for entry in ledger.entries for key in entry.sources}
        bases = [(basis.value, basis.label.partition(":")[0]) for basis in Basis]
        offered: Mapping[str, Sequence[tuple[str, str]]] = {
            "sort": [("", "Everything"), *Sort.choices],
            "condition": [("", "Any"), *ledger.conditions.items()],
            "feature": [("", "Any"), *ledger.features.items()],
            "basis": [("", "Any"), *bases, (NO_BASIS, "Names sources only")],
            "source": [("", "Any"), (NO_SOURCE, "None named"), *((k, k) for k in sorted(named))],
            "standing": [("", "Any"), *ReviewState.choices, (UNSIGNED, "Not signed off")],
        }
        for name, choices in offered.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined] # all are choices

    def wanted(self) -> Wanted:
        return Wanted(**self.cleaned_data) if self.is_valid() else Wanted()


@staff_page("content.view_topic")
@require_safe
def ledger(request: HttpRequest, topic: str) -> HttpResponse:
    of = get_object_or_404(Topic, key=topic)
    whole, today = ledger_of(of), timezone.localdate()
    search = Search(whole, request.GET)
    entries = found(whole.entries, search.wanted(), today)
    shown = Paginator(entries, A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    reviewables, standings = reviewables_of(of), standings_of(of)
    return page(
        request,
        "content/ledger.html",
        title="Evidence",
        topic=of,
        search=search,
        shown=shown,
        rows=[_row(entry, whole, today) for entry in shown.object_list],
        query=query.urlencode(),
        whole=_share(whole.share()),
        by_condition=[_share(share) for share in whole.by_condition()],
        by_feature=[_share(share) for share in whole.by_feature() if share.total],
        parts=_parts(reviewables, standings, today),
        states=ReviewState,
        again=_again(of, reviewables, standings, today),
        is_nav_sidebar_enabled=False,  # its table is wide
    )


@staff_page("content.view_topic")
@require_safe
def as_csv(request: HttpRequest, topic: str) -> HttpResponse:
    of = get_object_or_404(Topic, key=topic)
    whole, today = ledger_of(of), timezone.localdate()
    entries = found(whole.entries, Search(whole, request.GET).wanted(), today)
    lines = _lines(entries, whole, today)
    response = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{of.key}-evidence.csv"'
    return response


class _Echo:
    def write(self, line: str) -> str:
        return line


def _lines(entries: Sequence[Entry], whole: Ledger, today: date) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # by which a spreadsheet knows UTF-8
    yield writer.writerow(COLUMNS)
    for entry in entries:
        standing = entry.standing
        cells = (
            entry.sort.label,
            entry.what,
            entry.value,
            entry.basis,
            " ".join(entry.sources),
            " | ".join(whole.sources[key].citation for key in entry.sources),
            "" if entry.sample_size is None else str(entry.sample_size),
            entry.note,
            entry.paragraph,
            "; ".join(standing.reviewers) if standing else "",
            standing.last.reviewed_on.isoformat() if standing else "",
            standing.last.due_on.isoformat() if standing else "",
            entry.review(today).label,
            {True: "yes", False: "no", None: ""}[entry.is_signed],
        )
        yield writer.writerow([guarded(cell) for cell in cells])


def _row(entry: Entry, whole: Ledger, today: date) -> dict[str, Any]:
    return {
        "entry": entry,
        "basis": Basis(entry.basis).label.partition(":")[0] if entry.basis else "",
        "review": entry.review(today),
        "sources": [
            {"source": source, "address": reverse("admin:content_source_change", args=[source.pk])}
            for source in (whole.sources[key] for key in entry.sources)
        ],
    }


def _share(share: Share) -> dict[str, Any]:
    """Return a share with the lengths of its bar, which always fill it."""
    total = share.total or 1
    study, known = (
        round(BAR * share.study / total),
        round(BAR * (share.study + share.guideline) / total),
    )
    return {
        "share": share,
        "percents": [
            round(100 * n / total) for n in (share.study, share.guideline, share.estimate)
        ],
        "bars": (study, known - study, BAR - known) if share.total else (0, 0, 0),
        "starts": (0, study, known),
    }


def _parts(
    reviewables: Sequence[Reviewable], standings: Mapping[str, Standing], today: date
) -> list[dict[str, Any]]:
    """Return of each kind of row how the reviews of how many stand."""
    counted = Counter((row.part, review_of(standings.get(row.place), today)) for row in reviewables)
    return [
        {
            "name": name,
            "counts": [counted[part, state] for state in ReviewState],
            "total": sum(counted[part, state] for state in ReviewState),
        }
        for part, (_, name) in PARTS.items()
    ]


def _again(
    topic: Topic,
    reviewables: Sequence[Reviewable],
    standings: Mapping[str, Standing],
    today: date,
) -> list[dict[str, Any]]:
    """Return what is to be looked at again, as it is overdue or was changed; the first due first."""
    late = [
        (row, standings[row.place], review_of(standings[row.place], today))
        for row in reviewables
        if row.place in standings
    ]
    late.sort(key=lambda each: (each[1].last.due_on, each[0].place))
    return [
        {
            "row": row,
            "standing": standing,
            "is_overdue": state is ReviewState.OVERDUE,
            "address": reverse("admin:content_review_add")
            + "?"
            + urlencode({"topic": str(topic.pk), "place": row.place}),
        }
        for row, standing, state in late
        if state is not ReviewState.IN_TIME
    ][:MOST_AGAIN]
