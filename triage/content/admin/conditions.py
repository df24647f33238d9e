"""What may be wrong, and its numbers: one page for a condition with all of its likelihoods."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet, Sum
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from triage.content.choices import Basis, ConditionKind
from triage.content.entries import (
    Entry,
    Table,
    said_of,
    said_of_priors,
    table_of_condition,
    typed_in,
)
from triage.content.jumps import jumps, moved
from triage.content.models import Condition, Topic, in_order_of_urgency

from .base import (
    form_of,
    shown_sum,
)
from .forms import CarefulForm
from .reviewed import ReviewedAdmin

WHY = "Say why: whoever approves it reads this."
ADD_UP = "_add_up"
"""The button that adds up what was typed, where no script does: it saves nothing."""


class ConditionForm(CarefulForm):
    """A condition with the table of its numbers, checked and saved together."""

    may_change_numbers = False
    table: Table | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        condition = self.instance
        if "why" in self.fields:
            self.fields["why"].error_messages["required"] = WHY
        if condition.pk and condition.kind == ConditionKind.RANKED:
            typed = typed_in(self.data) if self.is_bound and self.may_change_numbers else None
            self.table = table_of_condition(condition, typed)
            if "prior_percent" in self.fields:
                self._show_sum_of_priors(self.table)

    @property
    def only_adds_up(self) -> bool:
        return self.is_bound and ADD_UP in self.data

    def full_clean(self) -> None:
        super().full_clean()
        if self.only_adds_up:
            self._errors = ErrorDict()

    def is_valid(self) -> bool:
        return super().is_valid() and not self.only_adds_up

    def clean(self) -> Any:
        if self.only_adds_up:
            return self.cleaned_data
        said = super().clean()
        if self.table and not self.table.check():
            self.add_error(None, ValidationError("Some of its numbers are not right yet:"))
        self._ask_for_sources_of_a_jump()
        return said

    def _ask_for_sources_of_a_jump(self) -> None:
        prior = self.cleaned_data.get("prior_percent")
        if "prior_percent" not in self.changed_data or not prior or not 0 < prior < 100:
            return
        live = self.table.live.priors.get(self.instance.key) if self.table else None
        if live is None or not jumps(live / 100, prior / 100) or self.cleaned_data.get("sources"):
            return
        what = moved(live / 100, prior / 100, in_100=True)
        self.add_error("prior_percent", f"{what} So large a step needs a source: tick one below.")

    def _show_sum_of_priors(self, table: Table) -> None:
        condition = self.instance
        prior = self.fields["prior_percent"]
        here = reverse("content:sum_of_priors", args=[condition.topic.key, condition.pk])
        prior.widget.attrs |= {
            "hx-post": here,
            "hx-trigger": "input delay:250ms",
            "hx-target": "#sum-of-priors",
            "hx-params": "prior_percent,csrfmiddlewaretoken",
        }
        typed = (
            self.data.get("prior_percent", "") if self.is_bound else repr(condition.prior_percent)
        )
        prior.help_text = format_html(
            '{} <output id="sum-of-priors">{}</output>',
            prior.help_text,
            said_of_priors(condition, typed, table.live),
        )


@admin.register(Condition)
class ConditionAdmin(ReviewedAdmin[Condition]):
    form = ConditionForm
    list_display = (
        "plain_name",
        "name",
        "prior_percent",
        "by_urgency",
        "raise_at_percent",
        "cannot_miss",
        "numbers",
        "needs_clinical_sign_off",
    )
    list_filter = ("topic", "kind", "urgency", "cannot_miss", "needs_clinical_sign_off")
    search_fields = ("key", "name", "plain_name", "plain_summary", "icd10", "snomed")
    readonly_fields = ("syndromes",)
    fieldsets = (
        (None, {"fields": ("topic", "key", "kind", "needs_clinical_sign_off")}),
        (
            "What people read",
            {"fields": ("plain_name", "plain_summary", "how_found", "how_treated")},
        ),
        (
            "For clinicians",
            {"fields": ("name", ("icd10", "icd10_note"), ("snomed", "snomed_note"))},
        ),
        (
            "How likely, and from where",
            {"fields": (("prior_percent", "prior_basis"), "syndromes", "sources")},
        ),
        (
            "How soon",
            {"fields": (("urgency", "raise_at_percent"), "target_time", "cannot_miss")},
        ),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super().get_queryset(request).annotate(number_count=Count("likelihoods"))
        )
        return counted.select_related("topic")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        sums = (
            Topic.objects.annotate(sum=Sum("conditions__prior_percent"))
            .filter(sum__isnull=False)
            .values_list("title", "sum")
        )
        words = "; ".join(f"{title}: {shown_sum(total, 100)} %" for title, total in sums)
        context = {"subtitle": f"The priors add up to: {words}"} if words else {}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kw)
        form.may_change_numbers = self._may_save(request, obj) and request.user.has_perms(
            ["content.change_likelihood", "content.add_likelihood"]
        )
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        form = context["adminform"].form
        table: Table | None = form.table
        context |= {
            "table": table,
            "bases": [(basis.value, basis.value.capitalize()) for basis in Basis],
            "may_change_numbers": form.may_change_numbers,
            "only_adds_up": form.only_adds_up,
            "errors": None,  # the page has its own summary of them
            "wrong": bool(form.errors),
            "field_errors": [
                (f"id_{name}", form[name].label, what)
                for name, found in form.errors.items()
                if name in form.fields
                for what in found
            ],
            "is_nav_sidebar_enabled": False,  # the table needs the room
            "show_save_and_add_another": options.get("add", False),
            "show_save_and_continue": False,
        }
        response: HttpResponse = super().render_change_form(
            request, context, *args, **{**options, "form_url": request.get_full_path()}
        )
        return response

    def save_related(self, request: HttpRequest, form: Any, *args: Any) -> None:
        super().save_related(request, form, *args)
        form.written = form.table.write() if form.table else []
        self._tell(request, form.table, form.written)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """Stay: the sums are here, and mostly the next number to be changed."""
        return HttpResponseRedirect(f"{form_of(obj)}#content-start")

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """Go on with its numbers."""
        return HttpResponseRedirect(f"{form_of(obj)}#content-start")

    def construct_change_message(self, request: HttpRequest, form: Any, *args: Any) -> Any:
        message: Any = super().construct_change_message(request, form, *args)
        if written := getattr(form, "written", None):
            fields = [entry.name for entry in written]
            message.append({"changed": {"name": "likelihoods", "object": "", "fields": fields}})
        return message

    def _tell(self, request: HttpRequest, table: Table | None, written: list[Entry]) -> None:
        if not table or not written:
            return
        self.message_user(request, said_of(written))
        touched = {entry.option.feature_id for entry in written}
        for group in table.groups:
            if group.is_wrong and group.feature.pk in touched:
                self.message_user(
                    request,
                    format_html(
                        '<a href="#feature-{}">{}</a> {}. The draft keeps it like this, but it'
                        " cannot be submitted before it adds up to 1.",
                        group.feature.key,
                        group.feature.name,
                        group.total,
                    ),
                    messages.WARNING,
                )

    @admin.display(description="urgency", ordering=in_order_of_urgency())
    def by_urgency(self, condition: Condition) -> str:
        return condition.get_urgency_display()

    @admin.display(description="likelihoods")
    def numbers(self, condition: Any) -> str:
        count: int = condition.number_count
        return (
            format_html('<a href="{}#numbers">{}</a>', form_of(condition), count) if count else "0"
        )

    @admin.display(description="syndromes it brings")
    def syndromes(self, condition: Condition) -> str:
        if not condition.pk:
            return "Save the condition first."
        chances = condition.syndrome_chances.select_related("syndrome")
        rows = (
            (form_of(chance.syndrome), chance.syndrome.plain_name, f"{chance.probability:g}")
            for chance in chances.order_by("-probability", "syndrome__key")
        )
        lines = format_html_join("", '<li><a href="{}">{}</a>: {}</li>', rows)
        return format_html("<ul>{}</ul>", lines) if lines else "None."
