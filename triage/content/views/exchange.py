"""Files of a topic: taken away, brought back, looked at, and only then written."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from triage.content.admission import Refused
from triage.content.documents import Document
from triage.content.exchange import (
    DraftsMoved,
    drafts_of,
    export_fixtures,
    export_topic,
    preview,
    read,
)
from triage.content.faults import Fault
from triage.content.models import Topic
from triage.content.spreadsheets import (
    Change,
    likelihood_table,
    read_likelihoods,
    read_translations,
    translation_table,
)
from triage.content.topic_file import MOST_MEGABYTES
from triage.content.translations import ENGLISH
from triage.content.uploads import (
    Kind,
    TooLarge,
    Unusable,
    Upload,
    confirm,
    of_table,
    of_topic,
    packed,
    unpacked,
)
from triage.staff.pages import person, staff_page

from .page import page
from .proposals import change_between

MAY_CHANGE = {
    Kind.TOPIC: ("content.change_topic", "content.add_topic"),
    Kind.LIKELIHOODS: ("content.change_likelihood", "content.add_likelihood"),
    Kind.TRANSLATIONS: ("content.change_translation", "content.add_translation"),
}
NO_FILE = f"Choose a file, of {MOST_MEGABYTES} MB at the most."


class FileForm(forms.Form):
    file = forms.FileField(
        error_messages={"required": NO_FILE, "invalid": NO_FILE, "empty": "The file is empty."}
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["file"].widget.attrs["accept"] = self.accepted

    accepted = ".json,.zip"

    @property
    def content(self) -> bytes:
        content: bytes = self.cleaned_data["file"].read()
        return content


class TableForm(FileForm):
    accepted = ".csv"


class TranslationsForm(TableForm):
    language = forms.ChoiceField()

    def __init__(self, topic: Topic, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["language"].choices = languages_of(topic)  # type: ignore[attr-defined] # a choice
        self.order_fields(["language", "file"])


class Confirmation(forms.Form):
    upload = forms.CharField(widget=forms.HiddenInput)
    why = forms.CharField(
        label="Why, for the record",
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        error_messages={"required": "Say why: whoever approves the change reads it."},
    )


def languages_of(topic: Topic) -> list[tuple[str, str]]:
    """Return the languages that the topic or the interface speaks, without the content's own."""
    begun = topic.translations.order_by("language").values_list("language", flat=True).distinct()
    codes = {*begun, *settings.INTERFACES} - {ENGLISH}
    return [(code, settings.INTERFACES.get(code, code)) for code in sorted(codes)]


@staff_page("content.view_topic")
@require_GET
def exchange(request: HttpRequest, topic: str) -> HttpResponse:
    return _files(request, get_object_or_404(Topic, key=topic))


def _files(request: HttpRequest, topic: Topic, refused: FileForm | None = None) -> HttpResponse:
    forms_of = {
        Kind.TOPIC: FileForm(prefix="topic"),
        Kind.LIKELIHOODS: TableForm(prefix="likelihoods"),
        Kind.TRANSLATIONS: TranslationsForm(topic, prefix="translations"),
    }
    if refused:
        forms_of[Kind(str(refused.prefix))] = refused
    offered = {
        str(kind): form
        for kind, form in forms_of.items()
        if person(request).has_perms(MAY_CHANGE[kind])
    }
    return page(
        request,
        "content/exchange.html",
        title="Files",
        topic=topic,
        forms=offered,
        languages=languages_of(topic),
        likelihoods=topic.conditions.filter(likelihoods__isnull=False).exists(),
        status=422 if refused else 200,
    )


# Taken away


@staff_page("content.view_topic")
@require_GET
def topic_file(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    return _download(export_topic(found), f"{found.key}.json", "application/json")


@staff_page("content.view_topic")
@require_GET
def fixtures(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    return _download(export_fixtures(found), f"{found.key}.zip", "application/zip")


@staff_page("content.view_topic")
@require_GET
def likelihoods(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    table = likelihood_table(drafts_of(found))
    return _download(table, f"{found.key}-likelihoods.csv", "text/csv; charset=utf-8")


@staff_page("content.view_topic")
@require_GET
def translations(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    language = request.GET.get("language", "")
    if language not in dict(languages_of(found)):
        return redirect("content:exchange", found.key)
    table = translation_table(drafts_of(found), language)
    return _download(table, f"{found.key}-{language}.csv", "text/csv; charset=utf-8")


def _download(content: bytes, name: str, kind: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


# Brought back, and looked at


@staff_page("content.view_topic", *MAY_CHANGE[Kind.TOPIC])
def upload_topic(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    form = FileForm(*_posted(request), prefix="topic")

    def looked_at(file: bytes) -> HttpResponse:
        document = read(file)
        if document["topic"]["key"] != found.key:
            what = "Bring it in on the page that begins a new topic, or on its own page."
            other = f"The file is of the topic “{document['topic']['key']}”"
            raise Refused([Fault(other, what)])
        return _whole_topic(request, document, found)

    return _looked_at(request, form, looked_at, found)


@staff_page("content.view_topic", *MAY_CHANGE[Kind.LIKELIHOODS])
def upload_likelihoods(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    form = TableForm(*_posted(request), prefix="likelihoods")

    def looked_at(file: bytes) -> HttpResponse:
        changes = read_likelihoods(file, drafts_of(found))
        upload = of_table(Kind.LIKELIHOODS, found, changes, person(request))
        return _table(request, found, changes, upload)

    return _looked_at(request, form, looked_at, found)


@staff_page("content.view_topic", *MAY_CHANGE[Kind.TRANSLATIONS])
def upload_translations(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    form = TranslationsForm(found, *_posted(request), prefix="translations")

    def looked_at(file: bytes) -> HttpResponse:
        language = form.cleaned_data["language"]
        changes = read_translations(file, drafts_of(found), language)
        upload = of_table(Kind.TRANSLATIONS, found, changes, person(request), language)
        return _table(request, found, changes, upload)

    return _looked_at(request, form, looked_at, found)


@staff_page("content.view_topic", *MAY_CHANGE[Kind.TOPIC])
def begin(request: HttpRequest) -> HttpResponse:
    """Bring in a topic that is not here yet."""
    form = FileForm(*_posted(request), prefix="topic")

    def looked_at(file: bytes) -> HttpResponse:
        document = read(file)
        return _whole_topic(
            request, document, Topic.objects.filter(key=document["topic"]["key"]).first()
        )

    return _looked_at(request, form, looked_at, None)


def _posted(request: HttpRequest) -> tuple[Any, Any]:
    """Return what a form is bound to; a file too large for the memory leaves a post without one."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _looked_at(
    request: HttpRequest,
    form: FileForm,
    looked_at: Callable[[bytes], HttpResponse],
    topic: Topic | None,
) -> HttpResponse:
    """Show what a file would change, or the form again with all that is wrong with it."""
    if request.method == "POST" and form.is_valid():
        try:
            return looked_at(form.content)
        except (Refused, TooLarge) as refused:
            faults = refused.faults if isinstance(refused, Refused) else [refused]
            return page(
                request,
                "content/upload_refused.html",
                title="This file cannot be taken",
                topic=topic,
                faults=faults,
                back=_back(topic),
                status=422,
            )
    if topic is None:
        status = 422 if request.method == "POST" else 200
        title = "Bring in a topic from a file"
        return page(request, "content/begin.html", title=title, form=form, status=status)
    if request.method == "POST":
        return _files(request, topic, form)
    return redirect(_back(topic))


def _whole_topic(request: HttpRequest, document: Document, topic: Topic | None) -> HttpResponse:
    shown = preview(document)
    return _shown(
        request,
        topic,
        of_topic(document, shown, person(request)),
        title=document["topic"]["title"],
        rows=shown.rows,
        change=topic and change_between(shown.before, shown.after, topic),
        shared=shown.shared,
        nothing=shown.changes_nothing,
    )


def _table(
    request: HttpRequest, topic: Topic, changes: list[Change], upload: Upload
) -> HttpResponse:
    return _shown(request, topic, upload, changes=changes, nothing=not changes)


def _shown(
    request: HttpRequest,
    topic: Topic | None,
    upload: Upload,
    *,
    title: str = "",
    **context: Any,
) -> HttpResponse:
    form = Confirmation(initial={"upload": packed(upload)})
    return page(
        request,
        "content/upload.html",
        title="What the file would change" if topic else f"A new topic: {title}",
        topic=topic,
        form=form,
        back=_back(topic),
        **context,
    )


# Confirmed


@staff_page("content.view_topic")
def confirmed(request: HttpRequest) -> HttpResponse:
    """Write what was shown. Whoever had to sign in again comes back here without it."""
    if request.method != "POST":
        messages.warning(request, "Nothing was changed: choose the file again.")
        return redirect("admin:index")
    form = Confirmation(request.POST)
    topic = None
    try:
        upload = unpacked(request.POST.get("upload", ""), person(request))
        if not person(request).has_perms(MAY_CHANGE[Kind(upload.kind)]):
            raise PermissionDenied
        topic = Topic.objects.filter(key=upload.topic).first()
        if not form.is_valid():
            return page(
                request,
                "content/upload.html",
                title="Why is it changed?",
                topic=topic,
                form=form,
                back=_back(topic),
                is_asked_again=True,
                status=422,
            )
        written = confirm(upload, who=person(request), why=form.cleaned_data["why"])
    except (Unusable, DraftsMoved) as refused:
        return page(
            request,
            "content/upload_refused.html",
            title="Nothing was changed",
            topic=topic,
            faults=[refused],
            back=_back(topic),
            status=409,
        )
    messages.success(request, "The drafts are what the file says. Patients see nothing of it yet.")
    return redirect("content:topic", written.key)


def _back(topic: Topic | None) -> str:
    return reverse("content:exchange", args=[topic.key]) if topic else reverse("content:import")
