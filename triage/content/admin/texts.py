"""Advice, explained words and translations."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from triage.content.advising import Wanted, lacking_in, wanted_of
from triage.content.documents import compile_release
from triage.content.models import (
    Advice,
    GlossaryTerm,
    Topic,
    Translation,
)
from triage.content.translations import MAY_BE_ADDED, texts_in

from .base import ContentAdmin
from .forms import CarefulForm
from .reviewed import ReviewedAdmin


class AdviceForm(CarefulForm):
    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        topic, scope, key = said.get("topic"), said.get("scope"), said.get("key")
        if topic and scope and key:
            known = [wanted.key for wanted in wanted_of(topic) if wanted.scope == scope]
            if key not in known:
                what = f"There is none with this key. There are: {', '.join(known) or 'none'}."
                self.add_error("key", what)
        return said


@admin.register(Advice)
class AdviceAdmin(ReviewedAdmin[Advice]):
    form = AdviceForm
    list_display = ("heading", "scope", "key", "what_to_do", "needs_clinical_sign_off")
    list_filter = ("topic", "scope", "needs_clinical_sign_off")
    search_fields = ("key", "heading", "what_to_do", "self_care", "safety_net", "do_not")
    fieldsets = (
        (None, {"fields": ("topic", ("scope", "key"), "needs_clinical_sign_off")}),
        (
            "What the person reads",
            {"fields": ("heading", "what_to_do", "self_care", "safety_net", "do_not")},
        ),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the form of each advice that lacks, filled in as far as it can be."""
        add = reverse("admin:content_advice_add")
        lacking = [
            (topic, [(f"{add}?{_given(topic, wanted)}", wanted.name) for wanted in wanteds])
            for topic in Topic.objects.all()
            if (wanteds := lacking_in(topic))
        ]
        own = {"lacking": lacking} if self.has_add_permission(request) else {}
        return super().changelist_view(request, own | (extra_context or {}))


def _given(topic: Topic, wanted: Wanted) -> str:
    return urlencode({"topic": str(topic.pk), "scope": wanted.scope, "key": wanted.key})


@admin.register(GlossaryTerm)
class GlossaryTermAdmin(ContentAdmin[GlossaryTerm]):
    list_display = ("term", "meaning", "document_paragraph", "needs_clinical_sign_off")
    list_filter = ("topic", "needs_clinical_sign_off")
    search_fields = ("term", "also", "meaning")
    fieldsets = (
        (None, {"fields": ("topic", "term", "also", "needs_clinical_sign_off")}),
        ("What the person reads", {"fields": ("meaning",)}),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )


class TranslationForm(CarefulForm):
    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if (topic := said.get("topic")) and (place := said.get("place")):
            known = texts_in(compile_release(topic))
            if place not in known and not place.endswith(f"/{MAY_BE_ADDED}"):
                self.add_error("place", "No text of the topic has this place. See the list.")
        return said


@admin.register(Translation)
class TranslationAdmin(ContentAdmin[Translation]):
    """Both Englishes are only shown: the text itself is edited on the page that it belongs to."""

    form = TranslationForm
    readonly_fields = ("original", "english_now")
    list_display = ("place", "language", "status", "original", "text")
    list_filter = ("topic", "language", "status")
    search_fields = ("place", "original", "text")
    fieldsets = (
        (None, {"fields": ("topic", "language", "place", "status")}),
        (
            "What the person reads",
            {
                "fields": ("original", "english_now", "text"),
                "description": "Whoever saves this says that the text fits the English of now.",
            },
        ),
    )

    @admin.display(description="in English now")
    def english_now(self, translation: Translation) -> str:
        return english_of(translation) if translation.pk else "Save the place first."

    def save_model(self, request: HttpRequest, obj: Translation, form: Any, change: bool) -> None:
        obj.original = english_of(obj)
        super().save_model(request, obj, form, change)


def english_of(translation: Translation) -> str:
    """Return the text of the drafts that is translated; empty if there is none at its place."""
    return texts_in(compile_release(translation.topic)).get(translation.place, "")
