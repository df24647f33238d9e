"""The history of a topic: every change, by whom, from what to what, and why."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from triage.content.history import changes_of, people_of, told
from triage.content.models import AuditRecord, Topic
from triage.content.spreadsheets import guarded
from triage.staff.pages import staff_page

from .page import page

A_PAGE = 50
COLUMNS = ("when", "who", "why", "table", "row", "what was done", "before", "after")


class Search(forms.Form):
    who = forms.ChoiceField(required=False)
    table = forms.ChoiceField(label="what", required=False)
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    row = forms.IntegerField(required=False, widget=forms.HiddenInput)
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, topic: Topic, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        people = [(str(person.pk), person.get_username()) for person in people_of(topic)]
        tables = changes_of(topic).order_by("table").values_list("table", flat=True).distinct()
        names = [(name, name.removeprefix("content_").replace("_", ", ")) for name in tables]
        self.fields["who"].choices = [("", "Everybody"), *people]  # type: ignore[attr-defined] # a choice
        self.fields["table"].choices = [("", "Everything"), *names]  # type: ignore[attr-defined] # likewise

    def found(self, records: QuerySet[AuditRecord]) -> QuerySet[AuditRecord]:
        if not self.is_valid():
            return records
        lookups = {
            "who": "who",
            "table": "table",
            "row": "row",
            "since": "at__date__gte",
            "until": "at__date__lte",
        }
        wanted = {lookups[name]: value for name, value in self.cleaned_data.items() if value}
        return records.filter(**wanted)


@staff_page("content.view_topic")
def changes(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    search = Search(found, request.GET)
    pages = Paginator(search.found(changes_of(found)), A_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    return page(
        request,
        "content/changes.html",
        title="History",
        topic=found,
        search=search,
        shown=shown,
        changes=told(shown.object_list),
        query=query.urlencode(),
    )


@staff_page("content.view_topic")
def as_csv(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    records = Search(found, request.GET).found(changes_of(found))
    response = HttpResponse(_lines(records), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.key}-history.csv"'
    return response


class _Echo:
    def write(self, line: str) -> str:
        return line


def _lines(records: QuerySet[AuditRecord]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # by which a spreadsheet knows UTF-8
    yield writer.writerow(COLUMNS)
    for record in records.iterator():
        yield writer.writerow(
            [
                record.at.isoformat(),
                guarded(record.who_name),
                guarded(record.why),
                record.table,
                record.row,
                record.action,
                *(
                    guarded(json.dumps(side, ensure_ascii=False)) if side else ""
                    for side in (record.before, record.after)
                ),
            ]
        )
