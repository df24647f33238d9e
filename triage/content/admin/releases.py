"""Releases, to read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from triage.content.models import (
    Release,
)

from .base import (
    ContentAdmin,
)


@admin.register(Release)
class ReleaseAdmin(ContentAdmin[Release]):
    """To read: `manage.py publish` and `manage.py recall` write, and the database keeps the rest."""

    list_display = (
        "__str__",
        "topic",
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
        ("Published", {"fields": ("published_at", "author", "approver", "why")}),
        ("Recalled", {"fields": ("recalled_at", "recalled_by", "recalled_why")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("document")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        return False
