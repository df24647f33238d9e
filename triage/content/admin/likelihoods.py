"""One number at a time, found by condition, question, basis or source."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest

from triage.content.choices import Kind
from triage.content.models import (
    Likelihood,
    Option,
)

from .base import (
    ContentAdmin,
    RowForm,
    TableInline,
    choices_read_once,
    shown_sum,
)


class LikelihoodInline(TableInline[Likelihood]):
    model = Likelihood
    fields = (
        "condition",
        "probability",
        "basis",
        "source",
        "sample_size",
        "note",
        "document_paragraph",
    )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        return choices_read_once(super().formfield_for_foreignkey(db_field, request, **options))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = ("condition", "option__feature", "source")
        return super().get_queryset(request).select_related(*related)


@admin.register(Option)
class OptionAdmin(ContentAdmin[Option]):
    inlines = (LikelihoodInline,)
    list_display = ("text", "key", "feature", "order", "exclusive", "scored", "alarm", "band")
    list_filter = ("feature__topic", "alarm", "scored", "exclusive", "feature")
    list_select_related = ("feature",)
    search_fields = ("key", "text", "feature__key", "feature__name")
    fieldsets = (
        (None, {"fields": ("feature", ("key", "order"), "text")}),
        ("What it means", {"fields": ("exclusive", "scored", "alarm", ("low", "high"))}),
        ("In the source document", {"fields": ("document_paragraph",)}),
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


@admin.register(Likelihood)
class LikelihoodAdmin(ContentAdmin[Likelihood]):
    """Pick a condition and a question on the right: their row of numbers fits on one page."""

    list_display = (
        "condition",
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
    list_select_related = ("condition", "option__feature", "source")
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

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> Any:
        return super().get_changelist_form(request, form=RowForm, **options)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "option":
            options["queryset"] = Option.objects.select_related("feature")
        return super().formfield_for_foreignkey(db_field, request, **options)

    @admin.display(ordering="option__feature__order")
    def question(self, likelihood: Likelihood) -> str:
        return likelihood.option.feature.name

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
