"""Where numbers, rules and texts come from."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from triage.content.models import (
    Likelihood,
    Source,
)

from .base import (
    ContentAdmin,
    listed,
)


@admin.register(Source)
class SourceAdmin(ContentAdmin[Source]):
    list_display = ("key", "citation", "year", "how_checked", "used_for_content", "numbers")
    list_filter = ("used_for_content", "year")
    search_fields = ("key", "citation", "locator")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super().get_queryset(request).annotate(number_count=Count("likelihoods"))
        )
        return counted

    @admin.display(description="numbers that name it", ordering="number_count")
    def numbers(self, source: Any) -> SafeString:
        return listed(Likelihood, source.number_count, source__id__exact=source.pk)
