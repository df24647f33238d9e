"""What all forms of the content share."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import User
from django.db import models
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from triage.content.audit import changing
from triage.content.faults import Fault
from triage.content.models import (
    Condition,
    Feature,
    Option,
    Topic,
)
from triage.content.usage import grouped, has_uses, uses_of
from triage.engine import FeatureKey, OptionKey, RuleError, Words, in_words, parse

SUM_TOLERANCE = 1e-6
LAST_REASON = "why"
"""In the session of a member of staff: several changes in a row mostly have one reason."""


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


SHORT_TEXTS: "Mapping[type[models.Field[Any, Any]], Mapping[str, Any]]" = {
    models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 90})}
}


class RowFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # as above
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        name_cells(form)  # again, with the box that deletes the line


class ReasonedForm(forms.ModelForm):  # type: ignore[type-arg] # takes none when it runs
    why = forms.CharField(
        label="Why, for the record",
        widget=forms.Textarea(attrs={"rows": 2, "cols": 90}),
        help_text="What was wrong, and what this mends: whoever approves it reads this.",
    )


class ContentAdmin[M: models.Model](admin.ModelAdmin):  # type: ignore[type-arg] # as above
    """Every change is written with who made it and why, and one row at a time."""

    form = ReasonedForm
    actions = None
    list_per_page = 100
    formfield_overrides = SHORT_TEXTS
    delete_confirmation_template = "admin/content/delete.html"

    class Media:
        css = {"all": ("content/admin.css",)}

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer boxes to tick: a list needs a held-down key, and Django's double list fails axe."""
        options["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **options)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_readonly_fields(request, obj)
        return [*shown, "where_used"] if obj and has_uses(self.model) else shown

    @admin.display(description="where it is used")
    def where_used(self, row: models.Model) -> str:
        return shown_uses(row)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = [*super().get_fieldsets(request, obj)]
        if obj and has_uses(self.model) and "where_used" not in flatten_fieldsets(fieldsets):
            fieldsets.append(("Where it is used", {"fields": ("where_used",)}))
        if not self._may_save(request, obj) or "why" in flatten_fieldsets(fieldsets):
            return fieldsets
        return [*fieldsets, ("For the record", {"fields": ("why",)})]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kw)
        if "why" in form.base_fields and not self._may_save(request, obj):
            del form.base_fields["why"]
        elif "why" in form.base_fields:
            form.base_fields["why"].initial = request.session.get(LAST_REASON, "")
        return form

    def _may_save(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, obj)

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
        if request.method != "POST":
            row = self.get_object(request, object_id)
            used = {"where_used": shown_uses(row)} if row and has_uses(self.model) else {}
            return super().delete_view(request, object_id, used | (extra_context or {}))
        if not request.POST.get("why", "").strip():
            self.message_user(request, "Nothing was deleted: say why first.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        with self._changing(request):
            return super().delete_view(request, object_id, extra_context)

    def _changing(self, request: HttpRequest) -> AbstractContextManager[None]:
        why = request.POST.get("why", "").strip()
        if why:
            request.session[LAST_REASON] = why
        return changing(who=cast(User, request.user), why=why)


class TableInline[M: models.Model](admin.TabularInline):  # type: ignore[type-arg] # as above
    template = "admin/content/table.html"
    form = RowForm
    formset = RowFormSet
    formfield_overrides = SHORT_TEXTS
    extra = 0


def words_of(topic: Topic) -> Words:
    options = Option.objects.of(topic).values_list("feature__key", "key", "text")
    return Words(
        features={FeatureKey(key): name for key, name in topic.features.values_list("key", "name")},
        options={
            (FeatureKey(feature), OptionKey(option)): text for feature, option, text in options
        },
    )


def said(rule: str, topic: Topic) -> str:
    """Return a rule in words, or why that cannot be: what is being edited may be half done."""
    try:
        return in_words(parse(rule), words_of(topic))
    except RuleError as error:
        return f"This is not in the rule language: {error}."
    except KeyError as error:
        return f"The rule names {error}, which this topic does not have."
