"""Releases, to read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from triage.content.models import Release

from .base import ContentAdmin


@admin.register(Release)
class ReleaseAdmin(ContentAdmin[Release]):
    """To read: each topic's own pages publish, compare, roll back and recall."""

    list_display = (
        "__str__",
        "of_topic",
        "published_at",
        "author",
        "approver",
        "demonstration",
        "recalled_at",
        "why",
    )
    list_filter = ("topic", "demonstration", ("recalled_at", admin.EmptyFieldListFilter))
    list_select_related = ("topic", "author", "approver")
    search_fields = ("why", "recalled_why", "sha256")
    fieldsets = (
        (None, {"fields": ("topic", "number", "demonstration", "sha256")}),
        (
            "Published",
            {
                "fields": (
                    "published_at",
                    "author",
                    "approver",
                    "publisher",
                    "why",
                    "rolled_back_to",
                )
            },
        ),
        ("Recalled", {"fields": ("recalled_at", "recalled_by", "recalled_why")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("document")

    @admin.display(description="topic: all that can be done with its releases")
    def of_topic(self, release: Release) -> SafeString:
        address = reverse("content:releases", args=[release.topic.key])
        return format_html('<a href="{}">{}</a>', address, release.topic)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        return False
