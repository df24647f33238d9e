"""Who has reviewed what."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from triage.content.models import Review, Topic
from triage.content.reviews import PARTS, Reviewed, place_of_row, reviewables_of, reviews_of

from .base import ContentAdmin, ReasonedForm


def shown_reviews(row: Reviewed) -> SafeString:
    """Return who reviewed a row and when, and the way to write down another review."""
    if not row.pk:
        return format_html("Save it first.")
    place, today = place_of_row(row), timezone.localdate()
    lines = format_html_join(
        "",
        '<li><a href="{}">{}</a>, {}{}</li>',
        (
            (
                reverse("admin:content_review_change", args=[review.pk]),
                review.reviewed_on,
                review.reviewer,
                ""
                if i
                else f": {'overdue since' if review.due_on < today else 'again by'} {review.due_on}",
            )
            for i, review in enumerate(reviews_of(row.topic, place))
        ),
    )
    query = urlencode({"topic": str(row.topic_id), "place": place})
    added = f"{reverse('admin:content_review_add')}?{query}"
    add = format_html('<p><a href="{}">Write down a review</a></p>', added)
    return (
        format_html("<ul>{}</ul>{}", lines, add) if lines else format_html("<p>Never.</p>{}", add)
    )


class ReviewForm(ReasonedForm):
    """Offers what the topic has; a place of old, of which nothing is left, stays what it was."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "place" in self.fields:
            self.fields["place"] = forms.ChoiceField(
                label="What was reviewed",
                choices=self._places(),
                help_text="All of its texts and numbers: of a condition its likelihoods too.",
            )

    def _places(self) -> list[Any]:
        groups: list[Any] = [("", "Choose")]
        for topic in Topic.objects.all():
            rows = reviewables_of(topic)
            for part, (_, heading) in PARTS.items():
                named = [(row.place, row.name) for row in rows if row.part == part]
                if named:
                    groups.append((f"{topic}: {heading}", named))
        kept = self.instance.place
        if kept and not any(kept in dict(named) for _, named in groups[1:]):
            groups.append(("No longer there", [(kept, kept)]))
        return groups

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        topic, place = said.get("topic"), said.get("place")
        if not topic or "place" not in self.changed_data:
            return said
        if not any(row.place == place for row in reviewables_of(topic)):
            self.add_error("place", "This is of another topic. Choose the topic that it is of.")
        return said


@admin.register(Review)
class ReviewAdmin(ContentAdmin[Review]):
    form = ReviewForm
    list_display = ("place", "reviewer", "reviewed_on", "due_on", "is_overdue", "topic")
    list_filter = ("topic", "reviewer")
    list_select_related = ("topic",)
    search_fields = ("place", "reviewer", "note")
    date_hierarchy = "due_on"
    fieldsets = (
        (None, {"fields": ("topic", "place")}),
        ("Who and when", {"fields": ("reviewer", ("reviewed_on", "due_on"), "note")}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"reviewed_on": timezone.localdate(), **initial}

    @admin.display(description="overdue", boolean=True)
    def is_overdue(self, review: Review) -> bool:
        return review.due_on < timezone.localdate()
