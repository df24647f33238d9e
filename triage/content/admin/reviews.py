"""Who has reviewed what."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from triage.content.models import Review, Topic
from triage.content.reviews import PARTS, reviewables_of

from .base import ContentAdmin
from .forms import CarefulForm


class ReviewForm(CarefulForm):
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
