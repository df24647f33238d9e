"""What may be wrong, and its numbers."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join

from triage.content.models import (
    Condition,
    Likelihood,
    Topic,
    in_order_of_urgency,
)

from .base import (
    ContentAdmin,
    form_of,
    listed,
    shown_sum,
)


@admin.register(Condition)
class ConditionAdmin(ContentAdmin[Condition]):
    list_display = (
        "plain_name",
        "key",
        "kind",
        "prior_percent",
        "prior_basis",
        "by_urgency",
        "raise_at_percent",
        "cannot_miss",
        "numbers",
        "needs_clinical_sign_off",
    )
    list_filter = ("topic", "kind", "urgency", "cannot_miss", "needs_clinical_sign_off")
    search_fields = ("key", "name", "plain_name", "plain_summary", "icd10", "snomed")
    readonly_fields = ("numbers", "syndromes")
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
            {"fields": (("prior_percent", "prior_basis"), "numbers", "syndromes", "sources")},
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
        return counted

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

    @admin.display(description="urgency", ordering=in_order_of_urgency())
    def by_urgency(self, condition: Condition) -> str:
        return condition.get_urgency_display()

    @admin.display(description="likelihoods")
    def numbers(self, condition: Any) -> str:
        if not condition.pk:
            return "Save the condition first."
        return listed(Likelihood, condition.number_count, condition__id__exact=condition.pk)

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
