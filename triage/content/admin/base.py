"""What all forms of the content share."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from triage.content.audit import changing
from triage.content.faults import Fault
from triage.content.history import address_of
from triage.content.models import (
    Advice,
    CalibrationStudy,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    Option,
    RedFlag,
    Release,
    RiskGroup,
    Source,
    Syndrome,
    Topic,
    Translation,
)
from triage.content.reading_help import MODELS, readings_of, sent_for
from triage.content.rule_help import help_with
from triage.content.usage import grouped, has_uses, uses_of

from .forms import CarefulForm

SUM_TOLERANCE = 1e-6
FOR_THE_RECORD = "For the record"  # the template shows it last, below the lines of a table too


def listed(model: type[models.Model], text: str, **filters: int) -> SafeString:
    """Return a link to the list of a model's rows that the filters leave."""
    address = reverse(f"admin:content_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(filters), text)


def form_of(row: models.Model) -> str:
    return reverse(f"admin:content_{row._meta.model_name}_change", args=[row.pk])


def copy_page_of(row: models.Model) -> str:
    """Return where a row is copied, or nothing if only its like is added anew."""
    match row:
        case Topic():
            return reverse("content:copy_topic", args=[row.key])
        case Condition() | Feature():
            name = f"content:copy_{row._meta.model_name}"
            return reverse(name, args=[row.topic.key, row.key])
        case _:
            return ""


def shown_sum(total: float | None, whole: float) -> str:
    if total is None:
        return "nothing yet"
    right = abs(total - whole) <= SUM_TOLERANCE * whole
    return f"{total:.6g}" if right else f"{total:.6g}, should be {whole:g}"


def shown_faults(faults: Iterable[Fault], none: str) -> str:
    rows = format_html_join("", "<li>{}: {}</li>", ((_led(fault), fault.what) for fault in faults))
    return format_html("<ul>{}</ul>", rows) if rows else none


def shown_uses(row: models.Model) -> str:
    groups = (
        (
            how,
            format_html_join("", '<li><a href="{}">{}</a></li>', ((u.link, u.what) for u in uses)),
        )
        for how, uses in grouped(uses_of(row)).items()
    )
    lines = format_html_join("", "<dt>{}</dt><dd><ul>{}</ul></dd>", groups)
    return format_html('<dl class="uses">{}</dl>', lines) if lines else "Nowhere yet."


def _led(fault: Fault) -> str:
    return (
        format_html('<a href="{}">{}</a>', fault.link, fault.where) if fault.link else fault.where
    )


def topic_of_form(request: HttpRequest, model: type[models.Model]) -> int | None:
    """Return the topic of the row whose form this is: chosen on it, or its own; None if neither."""
    chosen = request.POST.get("topic") or request.GET.get("topic") or ""
    if chosen.isdecimal():
        return int(chosen)
    pk = request.resolver_match and request.resolver_match.kwargs.get("object_id")
    rows = model._default_manager.filter(pk=pk) if pk else model._default_manager.none()
    return rows.values_list("topic", flat=True).first()


def choices_read_once(field: Any) -> Any:
    """A choice of rows asks the database again for each line of a table; this asks once."""
    field.choices = list(field.choices)
    return field


def name_cells(form: Any) -> None:
    """Let each cell of a line name itself to a screen reader: in a table no label stands by it."""
    row = form.instance if form.instance.pk else "new line"
    for field in form.fields.values():
        cell: Any = getattr(field.widget, "widget", field.widget)
        cell.attrs["aria-label"] = f"{field.label}, {row}"


class RowForm(forms.ModelForm):  # type: ignore[type-arg] # takes none when it runs
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name_cells(self)


class RuleWidget(forms.Textarea):
    """A rule is checked as it is typed, into the panel that `rule_panel` renders."""

    template_name = "content/rule_widget.html"

    class Media:
        js = ("content/rule.js",)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        live = {
            "rows": 5,
            "cols": 100,
            "spellcheck": "false",
            "data-rule": "",
            "hx-post": reverse("content:rule"),
            "hx-trigger": "input changed delay:250ms, change from:#id_topic, change from:#id_urgency",
            "hx-target": "#rule-check",
            "hx-swap": "innerHTML",
            "hx-sync": "this:replace",
            "hx-params": f"{name},topic,urgency,key,csrfmiddlewaretoken",
        }
        return {**super().get_context(name, value, live | (attrs or {})), "here": live["hx-post"]}


def rule_panel(text: str, topic: Topic | None, **options: Any) -> str:
    """Return what the desk says of a rule, to be brought up to date while it is typed."""
    said = help_with(text, topic, **options) if topic else {}
    return format_html(
        '<div id="rule-check" class="rule-check" aria-live="polite">{}</div>',
        mark_safe(
            render_to_string("content/rule_check.html", said)
        ),  # a template escapes by itself
    )


def _topic_of(row: models.Model) -> Topic | None:
    """Return the topic of a row; one that is being added may have none yet."""
    if isinstance(row, Topic):
        return row if row.pk else None
    return getattr(row, "topic", None) if getattr(row, "topic_id", None) else None


HAS_FAULTS = (Condition, Feature, RedFlag, RiskGroup, Advice, GlossaryTerm)
READ_AS = {model: part for part, model in MODELS.items()}


def reading_panel(row: models.Model) -> str:
    """Return how hard the texts of a row are, to be brought up to date while they are written."""
    part = READ_AS[type(row)]
    fields = {field.name: str(getattr(row, field.attname) or "") for field in row._meta.fields}
    answers = Option.objects.filter(feature=row.pk) if isinstance(row, Feature) else ()
    read, complaints = readings_of(
        part, fields, _topic_of(row), [option.text for option in answers]
    )
    context = {
        "here": reverse("content:reading", args=[part]),
        "sent": sent_for(part),
        "read": read,
        "complaints": complaints,
    }
    return mark_safe(render_to_string("content/reading_panel.html", context))  # as above


# What a list without rows says: what to do first.
EMPTY: Mapping[type[models.Model], str] = {
    Topic: "No topics yet. Add one: a complaint that people come with, such as a sore throat.",
    Source: "No sources yet. Add the guideline, study or page that your first numbers rest on.",
    Feature: "No questions yet. Add the danger signs and the age first, each with its answers.",
    Option: "No answers yet. They are written on the page of their question.",
    Condition: "No conditions yet. Write the questions first, then add each condition: its numbers"
    " are asked for on its page.",
    Likelihood: "No numbers yet. They are written on the page of their condition.",
    Syndrome: "No syndromes yet, and a topic can do without. Add one where several answers come"
    " together for one reason, so that they do not count several times.",
    RedFlag: "No red flags yet. Write the questions first, then add a rule for each danger sign.",
    RiskGroup: "No risk groups yet, and a topic can do without. Add one where several conditions"
    " together raise the urgency, as all cancers do.",
    Advice: "No advice yet. Write one for each of the six urgencies, then one for each condition.",
    GlossaryTerm: "No words yet. Add a word that people may not know, and what it means.",
    Translation: "No translations yet. Those of a question are written on its own page.",
    CalibrationStudy: "No studies yet, and a topic can do without: then the last page says in words"
    " how likely a cause is, never in numbers.",
    Release: "Nothing was published yet. Submit the drafts of a topic on its page “Approval”.",
}


SHORT_TEXTS: "Mapping[type[models.Field[Any, Any]], Mapping[str, Any]]" = {
    models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 90})}
}


class RowFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # as above
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        name_cells(form)  # again, with the box that deletes the line


class ContentAdmin[M: models.Model](admin.ModelAdmin):  # type: ignore[type-arg] # as above
    """Every change is written with who made it and why, and one row at a time."""

    form = CarefulForm
    actions = None
    list_per_page = 100
    formfield_overrides = SHORT_TEXTS
    delete_confirmation_template = "admin/content/delete.html"

    class Media:
        css = {"all": ("content/admin.css", "content/forms.css")}

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer boxes to tick: a list needs a held-down key, and Django's double list fails axe."""
        options["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **options)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = [*super().get_readonly_fields(request, obj)]
        if obj and self.model in HAS_FAULTS:
            shown.append("found_here")
        if self.model in READ_AS:
            shown.append("reading")
        if obj and has_uses(self.model):
            shown.append("where_used")
        return shown

    @admin.display(description="what was found")
    def found_here(self, row: Any) -> str:
        """What is found takes a second, so that the form does not wait for it."""
        here = reverse("content:row_faults", args=[row.topic.key])
        context = {
            "here": f"{here}?{urlencode({'form': form_of(row)})}",
            "all": reverse("content:faults", args=[row.topic.key]),
        }
        return render_to_string("content/row_faults_panel.html", context)

    @admin.display(description="how it reads")
    def reading(self, row: models.Model) -> str:
        return reading_panel(row)

    @admin.display(description="where it is used")
    def where_used(self, row: models.Model) -> str:
        return shown_uses(row)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = [*super().get_fieldsets(request, obj)]
        if obj and self.model in HAS_FAULTS:
            fieldsets.insert(1, ("Before publishing", {"fields": ("found_here",)}))
        if self.model in READ_AS and "reading" not in flatten_fieldsets(fieldsets):
            fieldsets.append(("How it reads", {"fields": ("reading",)}))
        if obj and has_uses(self.model) and "where_used" not in flatten_fieldsets(fieldsets):
            fieldsets.append(("Where it is used", {"fields": ("where_used",)}))
        if not self._may_save(request, obj) or "why" in flatten_fieldsets(fieldsets):
            return fieldsets
        return [*fieldsets, (FOR_THE_RECORD, {"fields": ("why",)})]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kw)
        if "why" in form.base_fields and not self._may_save(request, obj):
            del form.base_fields["why"]
        return form

    def _may_save(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the only topic there is, and that the source document does not have it."""
        topics = Topic.objects.values_list("pk", flat=True)[:2]
        only = {"topic": topics[0]} if len(topics) == 1 else {}
        return {
            **only,
            "document_paragraph": "added",
            **super().get_changeform_initial_data(request),
        }

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        empty = {"empty": EMPTY.get(self.model, "")}
        return super().changelist_view(request, empty | (extra_context or {}))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> Any:
        row = context.get("original")
        copied = row and self.has_add_permission(request) and copy_page_of(row)
        return super().render_change_form(request, {**context, "copy": copied}, *args, **options)

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        if request.method != "POST":
            return super().changeform_view(request, *args, **options)
        with self._changing(request):
            return super().changeform_view(request, *args, **options)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        row = self.get_object(request, object_id)
        if request.method != "POST":
            used = {"where_used": shown_uses(row)} if row and has_uses(self.model) else {}
            return super().delete_view(request, object_id, used | (extra_context or {}))
        says_why = request.POST.get("why", "").strip()
        if self.has_delete_permission(request, row) and not says_why:
            self.message_user(request, "Nothing was deleted: say why first.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        with self._changing(request):
            return super().delete_view(request, object_id, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show what the database wrote down of the row, not what went through this form alone."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return HttpResponseRedirect(address_of(row))

    def _changing(self, request: HttpRequest) -> AbstractContextManager[None]:
        why = request.POST.get("why", "").strip()
        return changing(who=cast(User, request.user), why=why)


class TableInline[M: models.Model](admin.TabularInline):  # type: ignore[type-arg] # as above
    template = "admin/content/table.html"
    form = RowForm
    formset = RowFormSet
    formfield_overrides = SHORT_TEXTS
    extra = 0
