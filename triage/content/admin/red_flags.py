"""Rules that set a least urgency, and groups of conditions that raise it."""

from django.contrib import admin

from triage.content.models import (
    RedFlag,
    RiskGroup,
    in_order_of_urgency,
)

from .base import ContentAdmin, said


@admin.register(RedFlag)
class RedFlagAdmin(ContentAdmin[RedFlag]):
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
    readonly_fields = ("rule_in_words",)
    fieldsets = (
        (None, {"fields": ("topic", ("key", "kind"), "urgency", "needs_clinical_sign_off")}),
        ("The rule", {"fields": ("rule", "rule_in_words", "plain_rule")}),
        ("What the person reads", {"fields": ("title", "message")}),
        ("Why, and from where", {"fields": ("why_clinician", "sources", "document_paragraph")}),
    )

    @admin.display(description="urgency", ordering=in_order_of_urgency())
    def by_urgency(self, flag: RedFlag) -> str:
        return flag.get_urgency_display()

    @admin.display(description="the rule as the computer reads it")
    def rule_in_words(self, flag: RedFlag) -> str:
        if not flag.pk:
            return "Save the rule first."
        return said(flag.rule, flag.topic)


@admin.register(RiskGroup)
class RiskGroupAdmin(ContentAdmin[RiskGroup]):
    list_display = ("name", "key", "urgency", "raise_at_percent")
    list_filter = ("topic", "urgency")
    search_fields = ("key", "name")
