"""Questions and their answers: the wording in each variant and language on one page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from triage.content.choices import Kind, Mirror, Observation, Tier, TranslationStatus
from triage.content.feature_texts import FeatureTexts, Said
from triage.content.models import (
    Condition,
    Feature,
    Option,
)

from .base import (
    SUM_TOLERANCE,
    RuleWidget,
    TableInline,
    listed,
    rule_panel,
    shown_sum,
)
from .forms import CarefulForm
from .reviewed import ReviewedAdmin

WORDING = "The wording"  # the template sets it out beside its translations
BAND = ("low", "high")


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in one language, with its controls; `fits` is there where the English has changed."""

    said: Said
    language: str
    text: forms.BoundField
    status: forms.BoundField
    fits: forms.BoundField | None


@dataclass(frozen=True, slots=True)
class Row:
    """One text: where the English is written, or what it is, and its cells."""

    field: forms.BoundField | None
    english: str
    cells: list[Cell]


class FeatureForm(CarefulForm):
    """With the translations of the question and of its answers, each beside its English."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        texts = FeatureTexts(self.instance) if self.instance.pk else None
        self.said = texts.said if texts else {}
        self._languages = texts.languages if texts else {}
        for said in self.said.values():
            where = f"{said.place}, {self._languages[said.language]}"
            self.fields[said.name] = forms.CharField(
                required=False,
                initial=said.text,
                label=where,
                widget=forms.Textarea(
                    attrs={"rows": 2, "lang": said.language, "aria-label": where}
                ),
            )
            self.fields[f"{said.name}:status"] = forms.ChoiceField(
                required=False,
                choices=TranslationStatus.choices,
                initial=said.status,
                label=f"Status of {where}",
                widget=forms.Select(attrs={"aria-label": f"Status of {where}"}),
            )
            if said.has_aged:
                self.fields[f"{said.name}:fits"] = forms.BooleanField(
                    required=False, label="It fits the English of now"
                )

    def wording(self) -> Iterator[Row]:
        """Yield the texts of the question, each with its English field."""
        for name in ("name", "section", "text", "text_helper", "text_other", "help_text"):
            yield Row(self[name], "", self._cells(f"features/{self.instance.key}/{name}"))
        yield Row(self["why_we_ask"], "", self._cells(f"features/{self.instance.key}/why_we_ask"))

    def answers(self) -> Iterator[Row]:
        """Yield the texts of its answers, whose English is written in the table of the answers."""
        places = {said.place: said.english for said in self.said.values()}
        for place, english in places.items():
            if place.startswith("options/"):
                yield Row(None, english, self._cells(place))

    def _cells(self, place: str) -> list[Cell]:
        return [
            Cell(
                said,
                self._languages[said.language],
                self[said.name],
                self[f"{said.name}:status"],
                self[f"{said.name}:fits"] if said.has_aged else None,
            )
            for said in self.said.values()
            if said.place == place
        ]

    def say_what_changed(self) -> None:
        """Keep the translations that somebody wrote or looked at. The question is saved before."""
        texts = FeatureTexts(Feature.objects.select_related("topic").get(pk=self.instance.pk))
        for name, said in self.said.items():
            own = (name, f"{name}:status", f"{name}:fits")
            if any(each in self.changed_data for each in own):
                text, status = (self.cleaned_data[each] for each in own[:2])
                texts.say(said, text, status)


class OptionInline(TableInline[Option]):
    model = Option
    show_change_link = True
    fields = (
        "order",
        "key",
        "text",
        "exclusive",
        "scored",
        "alarm",
        *BAND,
        "document_paragraph",
    )

    def get_fields(self, request: HttpRequest, obj: Feature | None = None) -> Any:
        """Leave out where a band begins and ends of a question that takes no number."""
        shown = super().get_fields(request, obj)
        is_number = obj is None or obj.kind == Kind.NUMBER
        return [name for name in shown if is_number or name not in BAND]


@admin.register(Feature)
class FeatureAdmin(ReviewedAdmin[Feature]):
    form = FeatureForm
    change_form_template = "content/feature_form.html"
    inlines = (OptionInline,)
    list_display = (
        "order",
        "name",
        "key",
        "tier",
        "kind",
        "answers",
        "alarms",
        "asked_if",
    )
    list_display_links = ("order", "name")
    list_filter = ("topic", "section", "tier", "kind", "observe", "sensitive")
    search_fields = ("key", "name", "text", "help_text", "options__text", "options__key")
    readonly_fields = ("asked_if_checked", "sums", "preview")
    fieldsets = (
        (None, {"fields": ("topic", "key", ("order", "tier"))}),
        (
            WORDING,
            {
                "fields": (
                    "name",
                    "section",
                    "text",
                    "text_helper",
                    "text_other",
                    "help_text",
                    "why_we_ask",
                )
            },
        ),
        ("How it reads", {"fields": ("reading", "preview")}),
        ("When it is asked, and what for", {"fields": ("asked_if", "asked_if_checked", "purpose")}),
        (
            "The answer",
            {"fields": ("kind", ("low", "high"), "required", "sensitive", "sums")},
        ),
        ("What it takes to answer", {"fields": ("observe", "needs_mirror", "kiosk_can_answer")}),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "asked_if":
            options["widget"] = RuleWidget
        return super().formfield_for_dbfield(db_field, request, **options)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Put a new question last, and offer what is true of most."""
        given = super().get_changeform_initial_data(request)
        topic = str(given.get("topic", ""))
        own = Feature.objects.filter(topic=int(topic) if topic.isdecimal() else None)
        last = own.aggregate(last=Max("order"))["last"]
        usual = {"order": (last or 0) + 1, "tier": Tier.CORE, "observe": Observation.NONE}
        return {**usual, "needs_mirror": Mirror.NO, "kiosk_can_answer": "yes", **given}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .select_related("topic")
            .annotate(
                option_count=Count("options", distinct=True),
                alarm_count=Count("options", filter=Q(options__alarm=True), distinct=True),
            )
        )
        return counted

    def save_related(self, request: HttpRequest, form: Any, *args: Any) -> None:
        super().save_related(request, form, *args)
        form.say_what_changed()

    @admin.display
    def answers(self, feature: Any) -> SafeString:
        return listed(Option, feature.option_count, feature__id__exact=feature.pk)

    @admin.display
    def alarms(self, feature: Any) -> int:
        count: int = feature.alarm_count
        return count

    @admin.display(description="as the computer reads it")
    def asked_if_checked(self, feature: Feature) -> str:
        topic = feature.topic if feature.topic_id else None
        return rule_panel(feature.asked_if, topic, gate_of=feature.key)

    @admin.display(description="as patients see it")
    def preview(self, feature: Feature) -> str:
        if not feature.pk:
            return "Save the question first."
        seen = [*FeatureTexts(feature).seen()]
        context = {"seen": seen, "topic": feature.topic}
        return render_to_string("content/feature_preview.html", context)

    @admin.display(description="likelihoods")
    def sums(self, feature: Feature) -> str:
        if not feature.pk:
            return "Save the question first."
        grid = reverse("content:grid", args=[feature.topic.key, feature.key])
        link = format_html('<a href="{}">All numbers of this question, as a grid</a>', grid)
        if feature.kind == Kind.MULTI:
            return link
        rows: QuerySet[Any] = (
            Condition.objects.ranked()
            .filter(topic=feature.topic)
            .annotate(
                sum=Sum("likelihoods__probability", filter=Q(likelihoods__option__feature=feature))
            )
        )
        wrong = [row for row in rows if abs((row.sum or 0) - 1) > SUM_TOLERANCE]
        if not wrong:
            return format_html("{}<br>They add up to 1 for every condition.", link)
        lines = format_html_join(
            "", "<li>{}: {}</li>", ((row.plain_name, shown_sum(row.sum or 0, 1)) for row in wrong)
        )
        return format_html("{}<br>They do not add up for:<ul>{}</ul>", link, lines)
