"""The clinic's own cases: what would be right is chosen, and what the case comes to is shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from triage.content.case_pages import answers_in_words, case_page_of, expected_in_words
from triage.content.choices import ConditionKind, Urgency
from triage.content.effect_tables import Pair
from triage.content.models import Condition, SavedCase
from triage.content.saved_cases import SAVED, UnfitCase, as_case, described
from triage.content.snapshots import content_of_snapshot, snapshot_of
from triage.engine import Unsound

from .base import ContentAdmin
from .forms import CarefulForm

ANY = [("", "Any")]
ENDS = ("urgency_at_least", "urgency_at_most")


class SavedCaseForm(CarefulForm):
    """What is expected is chosen: `expected` is made of the choices."""

    urgency_at_least = forms.ChoiceField(
        label="At least", choices=[*ANY, *Urgency.choices], required=False
    )
    urgency_at_most = forms.ChoiceField(
        label="At most", choices=[*ANY, *Urgency.choices], required=False
    )
    conditions = forms.MultipleChoiceField(
        label="Causes",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Any of them counts as right. None: only the urgency is judged.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        expected = self.instance.expected if isinstance(self.instance.expected, dict) else {}
        if "conditions" in self.fields:
            chosen = expected.get("conditions") or []
            self.fields["conditions"].choices = self._causes(chosen)  # type: ignore[attr-defined] # of any field
            self.initial = {
                **{name: expected.get(name, "") for name in ENDS},
                "conditions": chosen,
                **self.initial,
            }

    def _causes(self, chosen: list[str]) -> list[tuple[str, str]]:
        ranked = Condition.objects.filter(kind=ConditionKind.RANKED).order_by("name")
        if self.instance.pk:
            ranked = ranked.filter(topic=self.instance.topic)
        named = dict(ranked.values_list("key", "name"))
        return [*named.items(), *((key, f"{key}, not here") for key in chosen if key not in named)]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if self.errors:
            return said
        expected = {name: said[name] for name in ENDS if said.get(name)}
        if said.get("conditions"):
            expected["conditions"] = said["conditions"]
        self.instance.expected = expected
        for name in ("topic", "key", "story", "answers"):
            if name in said:
                setattr(self.instance, name, said[name])
        try:
            as_case(
                self.instance, content_of_snapshot(snapshot_of(self.instance.topic).pk).knowledge
            )
        except Unsound:
            pass  # while the drafts are half done nobody can tell; each effect says so
        except UnfitCase as unfit:
            raise forms.ValidationError(str(unfit)) from None
        return said


@admin.register(SavedCase)
class SavedCaseAdmin(ContentAdmin[SavedCase]):
    form = SavedCaseForm
    list_display = ("key", "story", "expects", "topic", "saved_by", "saved_at")
    list_filter = ("topic",)
    list_select_related = ("topic", "saved_by")
    search_fields = ("key", "story")
    fieldsets = (
        (None, {"fields": ("topic", "key", "story")}),
        (
            "What would be right",
            {"fields": (("urgency_at_least", "urgency_at_most"), "conditions")},
        ),
        ("What it comes to now", {"fields": ("comes_to",)}),
        ("What they answer", {"fields": ("answered", "answers")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = [*super().get_readonly_fields(request, obj)]
        return [*shown, "topic", "comes_to", "answered"] if obj else shown

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Somebody who may only look sees what is expected in words."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return [
                (title, {**options, "fields": _without(options["fields"], "comes_to", "answered")})
                for title, options in fieldsets
                if title != "What it comes to now"
            ]
        if self._may_save(request, obj):
            return fieldsets
        return [
            (title, {"fields": ("expects",)} if title == "What would be right" else options)
            for title, options in fieldsets
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.saved_by = request.user
        super().save_model(request, obj, form, change)

    @admin.display(description="what would be right")
    def expects(self, case: SavedCase) -> str:
        names = dict(case.topic.conditions.values_list("key", "name"))
        return expected_in_words(case.expected, names)

    @admin.display(description="in words")
    def answered(self, case: SavedCase) -> str:
        rows = answers_in_words(case.answers, case.topic)
        lines = format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows)
        return format_html("<dl>{}</dl>", lines) if lines else "Nothing."

    @admin.display(description="on what is live, and on the drafts")
    def comes_to(self, case: SavedCase) -> str:
        row = case_page_of(described(case), case.topic).row
        told = [("Urgency", _told(row.urgency)), ("Likeliest cause", _told(row.leading))]
        if row.expected:
            told.append(("Expected cause", f"{_told(row.expected)}; {_told(row.place)}"))
        unread = [("It cannot be read", reason) for reason in row.unread if reason]
        return format_html(
            '<dl>{}</dl><a href="{}">All that it comes to</a>',
            format_html_join("", "<dt>{}</dt><dd>{}</dd>", [*told, *unread]),
            reverse("content:case", args=[case.topic.key, SAVED, case.key]),
        )


def _told(pair: Pair) -> str:
    return f"{pair.before}, on the drafts {pair.after}" if pair.is_changed else pair.after


def _without(fields: Any, *names: str) -> Any:
    return tuple(field for field in fields if field not in names)
