"""What several findings share."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from triage.content.addresses import linked
from triage.content.faults import faults_of_syndrome
from triage.content.models import (
    Condition,
    Option,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
)

from .base import (
    TableInline,
    choices_read_once,
    shown_faults,
    topic_of_form,
)
from .reviewed import ReviewedAdmin


class AnswerField(forms.ModelChoiceField):  # type: ignore[type-arg] # takes none when it runs
    """“Yes” alone would not say to which question."""

    def label_from_instance(self, option: Option) -> str:
        return f"{option.feature.name}: {option.text}"


class LinkInline[M: models.Model](TableInline[M]):
    """The numbers of a syndrome."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Leave out the signs by which other rows could be made here: there are many lines."""
        field: Any = super().formfield_for_dbfield(db_field, request, **options)
        if field:
            field.widget = getattr(field.widget, "widget", field.widget)
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        topic = topic_of_form(request, Syndrome)
        if db_field.name == "condition":
            ranked = Condition.objects.ranked()
            options["queryset"] = ranked.filter(topic=topic) if topic else ranked
            if db_field.blank:
                options["empty_label"] = "Every condition"
        if db_field.name == "option":
            scored = Option.objects.filter(scored=True).select_related("feature")
            own = scored.filter(feature__topic=topic) if topic else scored
            options["queryset"] = own.order_by("feature__topic", "feature__order", "order")
            options["form_class"] = AnswerField
        return choices_read_once(super().formfield_for_foreignkey(db_field, request, **options))


class SyndromeChanceInline(LinkInline[SyndromeChance]):
    model = SyndromeChance
    verbose_name = "chance"
    verbose_name_plural = "How often each condition brings it: every ranked condition once"
    fields = ("condition", "probability", "basis", "source", "note")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("syndrome", "condition", "source")


class SyndromeMemberInline(LinkInline[SyndromeMember]):
    model = SyndromeMember
    verbose_name = "sign"
    verbose_name_plural = (
        "The answers that show it, and how many people with the syndrome give each"
    )
    fields = ("option", "condition", "probability", "basis", "source", "note")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = ("syndrome", "option__feature", "condition", "source")
        return super().get_queryset(request).select_related(*related)


@admin.register(Syndrome)
class SyndromeAdmin(ReviewedAdmin[Syndrome]):
    inlines = (SyndromeMemberInline, SyndromeChanceInline)
    list_display = (
        "plain_name",
        "name",
        "key",
        "conditions",
        "signs",
        "document_paragraph",
        "needs_clinical_sign_off",
    )
    list_filter = ("topic", "needs_clinical_sign_off")
    search_fields = ("key", "name", "plain_name", "explanation", "members__option__key")
    readonly_fields = ("faults",)
    fieldsets = (
        (None, {"fields": ("topic", "key", "needs_clinical_sign_off")}),
        ("What people read", {"fields": ("plain_name", "plain_name_absent")}),
        ("For clinicians", {"fields": ("name", "explanation", "sources")}),
        ("Before publishing", {"fields": ("faults",)}),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                chance_count=Count("chances", distinct=True),
                sign_count=Count("members", filter=Q(members__condition=None), distinct=True),
            )
        )
        return counted

    @admin.display
    def conditions(self, syndrome: Any) -> int:
        count: int = syndrome.chance_count
        return count

    @admin.display
    def signs(self, syndrome: Any) -> int:
        count: int = syndrome.sign_count
        return count

    @admin.display(description="what does not fit together")
    def faults(self, syndrome: Syndrome) -> str:
        if not syndrome.pk:
            return "Save the syndrome first."
        faults = linked(faults_of_syndrome(syndrome), syndrome.topic)
        return shown_faults(faults, "Nothing: the numbers fit.")
