"""Topics: what stands in the way of publishing, and what all of their content shares."""

from dataclasses import asdict
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString

from triage.content.addresses import linked
from triage.content.calibration import UnfitTable, knowledge_sha256, reliability_in, why_not
from triage.content.documents import compile_release
from triage.content.faults import Fault, find_faults, find_gaps
from triage.content.models import (
    CalibrationStudy,
    Condition,
    Feature,
    RedFlag,
    Release,
    Topic,
)
from triage.engine import Settings

from .base import (
    ContentAdmin,
    listed,
    shown_faults,
    shown_sum,
)


@admin.register(Topic)
class TopicAdmin(ContentAdmin[Topic]):
    list_display = ("title", "key", "conditions", "priors", "questions", "red_flags", "live")
    search_fields = ("key", "title", "covers")
    readonly_fields = ("faults", "gaps", "studies")
    fieldsets = (
        (None, {"fields": ("key", "title", "covers")}),
        ("Before publishing", {"fields": ("faults", "gaps")}),
        ("Length", {"fields": (("usual_questions_low", "usual_questions_high"),)}),
        (
            "How the numbers are used",
            {
                "fields": (
                    ("temper", "slip"),
                    ("gain_stop", "lead_stop"),
                    ("spread_estimate", "spread_guideline", "spread_study"),
                ),
                "description": "Change these together with whoever looks after the engine.",
            },
        ),
        (
            "Numbers for patients",
            {
                "fields": ("says_in_100", "studies"),
                "description": "Tick it only once a study shows that the numbers are right.",
            },
        ),
        ("The source document", {"fields": ("document_paragraph", "source_document")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        priors = Condition.objects.filter(topic=OuterRef("pk")).order_by().values("topic")
        live = Release.objects.filter(topic=OuterRef("pk")).not_recalled().order_by("-number")
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                condition_count=Count("conditions", distinct=True),
                feature_count=Count("features", distinct=True),
                red_flag_count=Count("red_flags", distinct=True),
                prior_sum=Subquery(priors.annotate(sum=Sum("prior_percent")).values("sum")),
                live_number=Subquery(live.values("number")[:1]),
            )
        )
        return counted

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the numbers that the engine was measured with."""
        return {**super().get_changeform_initial_data(request), **asdict(Settings())}

    def response_add(self, request: HttpRequest, obj: Topic, *args: Any) -> HttpResponse:
        """Lead on to the topic's own page, which says what to write first."""
        if {"_addanother", "_continue", "_popup"} & request.POST.keys():
            return super().response_add(request, obj, *args)
        self.message_user(request, f"“{obj}” is there. Write its questions first.")
        return redirect("content:topic", obj.key)

    @admin.display
    def conditions(self, topic: Any) -> SafeString:
        return listed(Condition, topic.condition_count, topic__id__exact=topic.pk)

    @admin.display(description="priors add up to, %")
    def priors(self, topic: Any) -> str:
        return shown_sum(topic.prior_sum, 100)

    @admin.display
    def questions(self, topic: Any) -> SafeString:
        return listed(Feature, topic.feature_count, topic__id__exact=topic.pk)

    @admin.display
    def red_flags(self, topic: Any) -> SafeString:
        return listed(RedFlag, topic.red_flag_count, topic__id__exact=topic.pk)

    @admin.display(description="live release", empty_value="none")
    def live(self, topic: Any) -> int | None:
        number: int | None = topic.live_number
        return number

    @admin.display(description="what stands in the way of publishing")
    def faults(self, topic: Topic) -> str:
        if not topic.pk:
            return "Save the topic first."
        return shown_faults(linked(find_faults(topic), topic), "Nothing: the drafts are sound.")

    @admin.display(description="what keeps a translation from being shown")
    def gaps(self, topic: Topic) -> str:
        if not topic.pk:
            return "Save the topic first."
        return shown_faults(
            linked(find_gaps(topic), topic), "Nothing: every text is there, and of today."
        )

    @admin.display(description="calibration studies")
    def studies(self, topic: Topic) -> str:
        if not topic.pk:
            return "Save the topic first."
        count = topic.calibration_studies.count()
        return listed(CalibrationStudy, f"{count} of this topic", topic__id__exact=topic.pk)


@admin.register(CalibrationStudy)
class CalibrationStudyAdmin(ContentAdmin[CalibrationStudy]):
    list_display = ("key", "topic", "kind", "people", "error", "source")
    list_filter = ("topic", "kind")
    list_select_related = ("topic", "source")
    search_fields = ("key", "studied", "source__key", "source__citation")
    readonly_fields = ("error", "verdict")
    fieldsets = (
        (None, {"fields": ("topic", "key", "kind", "source")}),
        ("Who and how", {"fields": ("studied", "people")}),
        ("What came out", {"fields": ("table", "error", "knowledge_sha256")}),
        ("Does it count?", {"fields": ("verdict",)}),
    )

    @admin.display(description="points off in the mean", empty_value="not known")
    def error(self, study: CalibrationStudy) -> str | None:
        try:
            return f"{100 * reliability_in(study.table).error:.1f}"
        except UnfitTable:
            return None

    @admin.display(description="what speaks against it")
    def verdict(self, study: CalibrationStudy) -> str:
        if not study.pk:
            return "Save the study first."
        document = compile_release(study.topic)
        (row,) = (row for row in document["calibration_studies"] if row["key"] == study.key)
        against = why_not(row, knowledge_sha256(document))
        faults = [Fault("It does not count", what) for what in against]
        return shown_faults(faults, "Nothing: it counts, and the topic may be ticked.")
