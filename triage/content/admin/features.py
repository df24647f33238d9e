"""Questions and their answers."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from triage.content.choices import Kind
from triage.content.models import (
    Condition,
    Feature,
    Likelihood,
    Option,
)

from .base import (
    SUM_TOLERANCE,
    ContentAdmin,
    TableInline,
    listed,
    said,
    shown_sum,
)


class OptionInline(TableInline[Option]):
    model = Option
    show_change_link = True
    fields = (
        "order",
        "key",
        "text",
        "exclusive",
        "scored",
        "alarm",
        "low",
        "high",
        "document_paragraph",
    )


@admin.register(Feature)
class FeatureAdmin(ContentAdmin[Feature]):
    inlines = (OptionInline,)
    list_display = (
        "order",
        "name",
        "key",
        "section",
        "tier",
        "kind",
        "asked_if",
        "answers",
        "alarms",
        "required",
        "sensitive",
    )
    list_display_links = ("order", "name")
    list_filter = ("topic", "section", "tier", "kind", "observe", "sensitive")
    search_fields = ("key", "name", "text", "help_text", "options__text", "options__key")
    readonly_fields = ("asked_if_in_words", "sums")
    fieldsets = (
        (None, {"fields": ("topic", ("key", "name"), ("order", "section", "tier"))}),
        ("The question", {"fields": ("text", "text_helper", "text_other", "help_text")}),
        ("Why it is asked", {"fields": ("why_we_ask", "purpose")}),
        ("When it is asked", {"fields": ("asked_if", "asked_if_in_words")}),
        (
            "The answer",
            {"fields": ("kind", ("low", "high"), "required", "sensitive", "sums")},
        ),
        ("What it takes to answer", {"fields": ("observe", "needs_mirror", "kiosk_can_answer")}),
        ("In the source document", {"fields": ("document_paragraph", "reading_grade")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                option_count=Count("options", distinct=True),
                alarm_count=Count("options", filter=Q(options__alarm=True), distinct=True),
            )
        )
        return counted

    @admin.display
    def answers(self, feature: Any) -> SafeString:
        return listed(Option, feature.option_count, feature__id__exact=feature.pk)

    @admin.display
    def alarms(self, feature: Any) -> int:
        count: int = feature.alarm_count
        return count

    @admin.display(description="asked if, in words")
    def asked_if_in_words(self, feature: Feature) -> str:
        if not feature.pk or not feature.asked_if:
            return "Always asked."
        return said(feature.asked_if, feature.topic)

    @admin.display(description="likelihoods")
    def sums(self, feature: Feature) -> str:
        if not feature.pk:
            return "Save the question first."
        link = listed(
            Likelihood, "All likelihoods of this question", option__feature__id__exact=feature.pk
        )
        if feature.kind == Kind.MULTI:
            return link
        rows: QuerySet[Any] = (
            Condition.objects.ranked()
            .filter(topic=feature.topic)
            .annotate(
                sum=Sum("likelihoods__probability", filter=Q(likelihoods__option__feature=feature))
            )
        )
        wrong = [row for row in rows if abs((row.sum or 0) - 1) > SUM_TOLERANCE]
        if not wrong:
            return format_html("{}<br>They add up to 1 for every condition.", link)
        lines = format_html_join(
            "", "<li>{}: {}</li>", ((row.plain_name, shown_sum(row.sum or 0, 1)) for row in wrong)
        )
        return format_html("{}<br>They do not add up for:<ul>{}</ul>", link, lines)
