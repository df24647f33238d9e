"""Rules that set a least urgency, and groups of conditions that raise it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from triage.content.models import (
    Condition,
    RedFlag,
    RiskGroup,
    in_order_of_urgency,
)

from .base import RuleWidget, rule_panel, topic_of_form
from .reviewed import ReviewedAdmin


@admin.register(RedFlag)
class RedFlagAdmin(ReviewedAdmin[RedFlag]):
    list_display = (
        "title",
        "key",
        "kind",
        "by_urgency",
        "document_paragraph",
        "needs_clinical_sign_off",
    )
    list_filter = ("topic", "kind", "urgency", "needs_clinical_sign_off")
    search_fields = ("key", "title", "rule", "plain_rule", "message", "why_clinician")
    readonly_fields = ("rule_checked",)
    fieldsets = (
        (None, {"fields": ("topic", ("key", "kind"), "urgency", "needs_clinical_sign_off")}),
        ("The rule", {"fields": ("rule", "rule_checked", "plain_rule")}),
        ("What the person reads", {"fields": ("title", "message")}),
        ("Why, and from where", {"fields": ("why_clinician", "sources", "document_paragraph")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "rule":
            options["widget"] = RuleWidget
        return super().formfield_for_dbfield(db_field, request, **options)

    @admin.display(description="urgency", ordering=in_order_of_urgency())
    def by_urgency(self, flag: RedFlag) -> str:
        return flag.get_urgency_display()

    @admin.display(description="as the computer reads it")
    def rule_checked(self, flag: RedFlag) -> str:
        topic = flag.topic if flag.topic_id else None
        return rule_panel(flag.rule, topic, urgency=flag.urgency, key=flag.key)


@admin.register(RiskGroup)
class RiskGroupAdmin(ReviewedAdmin[RiskGroup]):
    list_display = ("name", "key", "urgency", "raise_at_percent")
    list_filter = ("topic", "urgency")
    search_fields = ("key", "name")
    fieldsets = (
        (None, {"fields": ("topic", "key", "name")}),
        ("Which conditions together", {"fields": ("conditions",)}),
        ("How soon", {"fields": (("urgency", "raise_at_percent"),)}),
        ("From where", {"fields": ("sources",)}),
    )

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer the conditions of its topic only; those of another would be a fault."""
        topic = topic_of_form(request, RiskGroup)
        if db_field.name == "conditions" and topic:
            options["queryset"] = Condition.objects.filter(topic=topic)
        return super().formfield_for_manytomany(db_field, request, **options)
