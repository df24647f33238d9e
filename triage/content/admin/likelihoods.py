"""One number at a time, found by condition, question, basis or source."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from triage.content.choices import Kind
from triage.content.entries import LiveNumber, live_numbers
from triage.content.jumps import jumps, lacking, moved, to_be_filled_in
from triage.content.models import (
    Feature,
    Likelihood,
    Option,
)

from .base import (
    ContentAdmin,
    form_of,
    shown_sum,
)
from .forms import CarefulForm


def grid_of(feature: Feature) -> str:
    return reverse("content:grid", args=[feature.topic.key, feature.key])


@admin.register(Option)
class OptionAdmin(ContentAdmin[Option]):
    readonly_fields = ("numbers",)
    list_display = ("text", "key", "feature", "order", "exclusive", "scored", "alarm", "band")
    list_filter = ("feature__topic", "alarm", "scored", "exclusive", "feature")
    search_fields = ("key", "text", "feature__key", "feature__name")
    fieldsets = (
        (None, {"fields": ("feature", ("key", "order"), "text")}),
        ("What it means", {"fields": ("exclusive", "scored", "alarm", ("low", "high"))}),
        ("Its numbers", {"fields": ("numbers",)}),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("feature__topic")

    @admin.display(description="likelihoods")
    def numbers(self, option: Option) -> str:
        if not option.pk:
            return "Save the answer first."
        if not option.scored:
            return "None: only rules look at it."
        count = option.likelihoods.count()
        return format_html(
            '<a href="{}">{} in the table of this question</a>', grid_of(option.feature), count
        )

    @admin.display(empty_value="")
    def band(self, option: Option) -> str | None:
        if option.low is None:
            return None
        return f"{option.low} or more" if option.high is None else f"{option.low} to {option.high}"


class HasSource(admin.SimpleListFilter):
    title = "has a source"
    parameter_name = "sourced"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Likelihood]
    ) -> QuerySet[Likelihood]:
        match self.value():
            case "yes":
                return queryset.filter(source__isnull=False)
            case "no":
                return queryset.filter(source__isnull=True)
            case _:
                return queryset


class LikelihoodForm(CarefulForm):
    def clean(self) -> Any:
        said: Any = super().clean()
        live = self._live_number()
        probability = self.cleaned_data.get("probability")
        if live is None or probability is None or "probability" not in self.changed_data:
            return said
        if 0 < probability < 1 and jumps(live.probability, probability):
            note, source = self.cleaned_data.get("note", ""), self.cleaned_data.get("source")
            if lacks := lacking(live.note, note, has_source=bool(source)):
                what = f"{moved(live.probability, probability)} {to_be_filled_in(lacks)}"
                self.add_error(lacks[0], what)
        return said

    def _live_number(self) -> LiveNumber | None:
        row = self.instance
        if not row.pk:
            return None
        place = row.condition.key, row.option.feature.key, row.option.key
        return live_numbers(row.condition.topic).likelihoods.get(place)


@admin.register(Likelihood)
class LikelihoodAdmin(ContentAdmin[Likelihood]):
    """Finds numbers by where they are from; they are changed on the page of their condition, or on
    that of their question."""

    form = LikelihoodForm
    list_display = (
        "of_condition",
        "question",
        "answer",
        "probability",
        "sum_of_row",
        "where_from",
        "note",
    )
    list_display_links = ("answer",)
    list_filter = (
        "basis",
        HasSource,
        "condition",
        "option__feature",
        ("source", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("condition", "option__feature__topic", "source")
    search_fields = (
        "condition__key",
        "condition__plain_name",
        "option__key",
        "option__text",
        "option__feature__key",
        "note",
    )
    ordering = ("condition", "option__feature__order", "option__order")
    fieldsets = (
        (None, {"fields": ("condition", "option", "probability")}),
        ("From where", {"fields": ("basis", "source", "sample_size", "note")}),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        row = (
            Likelihood.objects.filter(
                condition=OuterRef("condition"), option__feature=OuterRef("option__feature")
            )
            .order_by()
            .values("condition")
        )
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(row_sum=Subquery(row.annotate(sum=Sum("probability")).values("sum")))
        )
        return counted

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "option":
            options["queryset"] = Option.objects.select_related("feature")
        return super().formfield_for_foreignkey(db_field, request, **options)

    @admin.display(description="condition", ordering="condition")
    def of_condition(self, likelihood: Likelihood) -> str:
        condition, feature = likelihood.condition, likelihood.option.feature
        address = f"{form_of(condition)}#feature-{feature.key}"
        return format_html('<a href="{}">{}</a>', address, condition.plain_name)

    @admin.display(ordering="option__feature__order")
    def question(self, likelihood: Likelihood) -> str:
        feature = likelihood.option.feature
        return format_html('<a href="{}">{}</a>', grid_of(feature), feature.name)

    @admin.display(ordering="option__order")
    def answer(self, likelihood: Likelihood) -> str:
        return likelihood.option.text

    @admin.display(description="from", ordering="basis")
    def where_from(self, likelihood: Likelihood) -> str:
        size = f", {likelihood.sample_size} people" if likelihood.sample_size else ""
        source = f": {likelihood.source.key}" if likelihood.source else ""
        return f"{likelihood.basis}{source}{size}"

    @admin.display(description="adds up to", empty_value="each alone")
    def sum_of_row(self, likelihood: Any) -> str | None:
        if likelihood.option.feature.kind == Kind.MULTI:
            return None
        return shown_sum(likelihood.row_sum, 1)
