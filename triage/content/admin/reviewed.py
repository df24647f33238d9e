"""What pages of rows that are reviewed say of it."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from triage.content.reviews import Reviewed, place_of_row, reviews_of

from .base import ContentAdmin


def shown_reviews(row: Reviewed) -> SafeString:
    """Return who reviewed a row and when, and the way to write down another review."""
    if not row.pk:
        return format_html("Save it first.")
    place, today = place_of_row(row), timezone.localdate()
    reviews = reviews_of(row.topic, place)
    lines = format_html_join(
        "",
        '<li><a href="{}">{}</a>, {}{}</li>',
        (
            (
                reverse("admin:content_review_change", args=[review.pk]),
                date_format(review.reviewed_on),
                review.reviewer,
                _again(review.due_on, today) if review is reviews[0] else "",
            )
            for review in reviews
        ),
    )
    query = urlencode({"topic": str(row.topic_id), "place": place})
    added = f"{reverse('admin:content_review_add')}?{query}"
    add = format_html('<p><a href="{}">Write down a review</a></p>', added)
    return (
        format_html("<ul>{}</ul>{}", lines, add) if lines else format_html("<p>Never.</p>{}", add)
    )


def _again(due: date, today: date) -> str:
    return (
        f": overdue since {date_format(due)}" if due < today else f": again by {date_format(due)}"
    )


class ReviewedAdmin[M: models.Model](ContentAdmin[M]):
    """Says below the form who has reviewed the row, and leads to where that is written down."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_readonly_fields(request, obj)
        return [*shown, "reviews"] if obj else shown

    @admin.display(description="who has reviewed it")
    def reviews(self, row: Any) -> SafeString:
        return shown_reviews(row)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = [*super().get_fieldsets(request, obj)]
        if not obj or "reviews" in flatten_fieldsets(fieldsets):
            return fieldsets
        own = ("Reviews", {"fields": ("reviews",)})
        # Why it is changed is asked last, next to the button that saves.
        asks_why = "why" in flatten_fieldsets(fieldsets[-1:])
        return [*fieldsets[:-1], own, *fieldsets[-1:]] if asks_why else [*fieldsets, own]
