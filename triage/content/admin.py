"""The plain admin in which staff edit the drafts and read the releases."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from triage.engine import FeatureKey, OptionKey, RuleError, Words, in_words, parse

from .calibration import UnfitTable, knowledge_sha256, reliability_in, why_not
from .choices import Kind
from .documents import compile_release
from .faults import Fault, faults_of_syndrome, find_faults, find_gaps
from .models import (
    Advice,
    CalibrationStudy,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    Option,
    RedFlag,
    Release,
    RiskGroup,
    Source,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
    Topic,
    Translation,
    in_order_of_urgency,
)
from .translations import MAY_BE_ADDED, texts_in

admin.site.site_header = "Symptom checker: content"
admin.site.site_title = "Content"
admin.site.index_title = "Drafts and releases"

SUM_TOLERANCE = 1e-6


def listed(model: type[models.Model], text: str, **filters: int) -> SafeString:
    """Return a link to the list of a model's rows that the filters leave."""
    address = reverse(f"admin:content_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(filters), text)


def form_of(row: models.Model) -> str:
    return reverse(f"admin:content_{row._meta.model_name}_change", args=[row.pk])


def shown_sum(total: float | None, whole: float) -> str:
    if total is None:
        return "nothing yet"
    right = abs(total - whole) <= SUM_TOLERANCE * whole
    return f"{total:.6g}" if right else f"{total:.6g}, should be {whole:g}"


def shown_faults(faults: Iterable[Fault], none: str) -> str:
    rows = format_html_join("", "<li>{}</li>", ((fault,) for fault in faults))
    return format_html("<ul>{}</ul>", rows) if rows else none


def choices_read_once(field: Any) -> Any:
    """A choice of rows asks the database again for each line of a table; this asks once."""
    field.choices = list(field.choices)
    return field


def name_cells(form: Any) -> None:
    """Let each cell of a line name itself to a screen reader: in a table no label stands by it."""
    row = form.instance if form.instance.pk else "new line"
    for field in form.fields.values():
        cell: Any = getattr(field.widget, "widget", field.widget)
        cell.attrs["aria-label"] = f"{field.label}, {row}"


class RowForm(forms.ModelForm):  # type: ignore[type-arg] # takes none when it runs
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name_cells(self)


SHORT_TEXTS: "Mapping[type[models.Field[Any, Any]], Mapping[str, Any]]" = {
    models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 90})}
}


class RowFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # as above
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        name_cells(form)  # again, with the box that deletes the line


class ContentAdmin[M: models.Model](admin.ModelAdmin):  # type: ignore[type-arg] # as above
    list_per_page = 100
    formfield_overrides = SHORT_TEXTS

    class Media:
        css = {"all": ("content/admin.css",)}

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer boxes to tick: a list needs a held-down key, and Django's double list fails axe."""
        options["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **options)


class TableInline[M: models.Model](admin.TabularInline):  # type: ignore[type-arg] # as above
    template = "admin/content/table.html"
    form = RowForm
    formset = RowFormSet
    formfield_overrides = SHORT_TEXTS
    extra = 0


def words_of(topic: Topic) -> Words:
    options = Option.objects.of(topic).values_list("feature__key", "key", "text")
    return Words(
        features={FeatureKey(key): name for key, name in topic.features.values_list("key", "name")},
        options={
            (FeatureKey(feature), OptionKey(option)): text for feature, option, text in options
        },
    )


def said(rule: str, topic: Topic) -> str:
    """Return a rule in words, or why that cannot be: what is being edited may be half done."""
    try:
        return in_words(parse(rule), words_of(topic))
    except RuleError as error:
        return f"This is not in the rule language: {error}."
    except KeyError as error:
        return f"The rule names {error}, which this topic does not have."


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
        return shown_faults(find_faults(topic), "Nothing: the drafts are sound.")

    @admin.display(description="what keeps a translation from being shown")
    def gaps(self, topic: Topic) -> str:
        if not topic.pk:
            return "Save the topic first."
        return shown_faults(find_gaps(topic), "Nothing: every text is there, and of today.")

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


@admin.register(Condition)
class ConditionAdmin(ContentAdmin[Condition]):
    list_display = (
        "plain_name",
        "key",
        "kind",
        "prior_percent",
        "prior_basis",
        "by_urgency",
        "raise_at_percent",
        "cannot_miss",
        "numbers",
        "needs_clinical_sign_off",
    )
    list_filter = ("topic", "kind", "urgency", "cannot_miss", "needs_clinical_sign_off")
    search_fields = ("key", "name", "plain_name", "plain_summary", "icd10", "snomed")
    readonly_fields = ("numbers", "syndromes")
    fieldsets = (
        (None, {"fields": ("topic", "key", "kind", "needs_clinical_sign_off")}),
        (
            "What people read",
            {"fields": ("plain_name", "plain_summary", "how_found", "how_treated")},
        ),
        (
            "For clinicians",
            {"fields": ("name", ("icd10", "icd10_note"), ("snomed", "snomed_note"))},
        ),
        (
            "How likely, and from where",
            {"fields": (("prior_percent", "prior_basis"), "numbers", "syndromes", "sources")},
        ),
        (
            "How soon",
            {"fields": (("urgency", "raise_at_percent"), "target_time", "cannot_miss")},
        ),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super().get_queryset(request).annotate(number_count=Count("likelihoods"))
        )
        return counted

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        sums = (
            Topic.objects.annotate(sum=Sum("conditions__prior_percent"))
            .filter(sum__isnull=False)
            .values_list("title", "sum")
        )
        words = "; ".join(f"{title}: {shown_sum(total, 100)} %" for title, total in sums)
        context = {"subtitle": f"The priors add up to: {words}"} if words else {}
        return super().changelist_view(request, context | (extra_context or {}))

    @admin.display(description="urgency", ordering=in_order_of_urgency())
    def by_urgency(self, condition: Condition) -> str:
        return condition.get_urgency_display()

    @admin.display(description="likelihoods")
    def numbers(self, condition: Any) -> str:
        if not condition.pk:
            return "Save the condition first."
        return listed(Likelihood, condition.number_count, condition__id__exact=condition.pk)

    @admin.display(description="syndromes it brings")
    def syndromes(self, condition: Condition) -> str:
        if not condition.pk:
            return "Save the condition first."
        chances = condition.syndrome_chances.select_related("syndrome")
        rows = (
            (form_of(chance.syndrome), chance.syndrome.plain_name, f"{chance.probability:g}")
            for chance in chances.order_by("-probability", "syndrome__key")
        )
        lines = format_html_join("", '<li><a href="{}">{}</a>: {}</li>', rows)
        return format_html("<ul>{}</ul>", lines) if lines else "None."


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
        "low",
        "high",
        "document_paragraph",
    )


@admin.register(Feature)
class FeatureAdmin(ContentAdmin[Feature]):
    inlines = (OptionInline,)
    list_display = (
        "order",
        "name",
        "key",
        "section",
        "tier",
        "kind",
        "asked_if",
        "answers",
        "alarms",
        "required",
        "sensitive",
    )
    list_display_links = ("order", "name")
    list_filter = ("topic", "section", "tier", "kind", "observe", "sensitive")
    search_fields = ("key", "name", "text", "help_text", "options__text", "options__key")
    readonly_fields = ("asked_if_in_words", "sums")
    fieldsets = (
        (None, {"fields": ("topic", ("key", "name"), ("order", "section", "tier"))}),
        ("The question", {"fields": ("text", "text_helper", "text_other", "help_text")}),
        ("Why it is asked", {"fields": ("why_we_ask", "purpose")}),
        ("When it is asked", {"fields": ("asked_if", "asked_if_in_words")}),
        (
            "The answer",
            {"fields": ("kind", ("low", "high"), "required", "sensitive", "sums")},
        ),
        ("What it takes to answer", {"fields": ("observe", "needs_mirror", "kiosk_can_answer")}),
        ("In the source document", {"fields": ("document_paragraph", "reading_grade")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                option_count=Count("options", distinct=True),
                alarm_count=Count("options", filter=Q(options__alarm=True), distinct=True),
            )
        )
        return counted

    @admin.display
    def answers(self, feature: Any) -> SafeString:
        return listed(Option, feature.option_count, feature__id__exact=feature.pk)

    @admin.display
    def alarms(self, feature: Any) -> int:
        count: int = feature.alarm_count
        return count

    @admin.display(description="asked if, in words")
    def asked_if_in_words(self, feature: Feature) -> str:
        if not feature.pk or not feature.asked_if:
            return "Always asked."
        return said(feature.asked_if, feature.topic)

    @admin.display(description="likelihoods")
    def sums(self, feature: Feature) -> str:
        if not feature.pk:
            return "Save the question first."
        link = listed(
            Likelihood, "All likelihoods of this question", option__feature__id__exact=feature.pk
        )
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


class LikelihoodInline(TableInline[Likelihood]):
    model = Likelihood
    fields = (
        "condition",
        "probability",
        "basis",
        "source",
        "sample_size",
        "note",
        "document_paragraph",
    )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        return choices_read_once(super().formfield_for_foreignkey(db_field, request, **options))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = ("condition", "option__feature", "source")
        return super().get_queryset(request).select_related(*related)


@admin.register(Option)
class OptionAdmin(ContentAdmin[Option]):
    inlines = (LikelihoodInline,)
    list_display = ("text", "key", "feature", "order", "exclusive", "scored", "alarm", "band")
    list_filter = ("feature__topic", "alarm", "scored", "exclusive", "feature")
    list_select_related = ("feature",)
    search_fields = ("key", "text", "feature__key", "feature__name")
    fieldsets = (
        (None, {"fields": ("feature", ("key", "order"), "text")}),
        ("What it means", {"fields": ("exclusive", "scored", "alarm", ("low", "high"))}),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    @admin.display(empty_value="")
    def band(self, option: Option) -> str | None:
        if option.low is None:
            return None
        return f"{option.low} or more" if option.high is None else f"{option.low} to {option.high}"


class HasSource(admin.SimpleListFilter):
    title = "has a source"
    parameter_name = "sourced"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Likelihood]
    ) -> QuerySet[Likelihood]:
        match self.value():
            case "yes":
                return queryset.filter(source__isnull=False)
            case "no":
                return queryset.filter(source__isnull=True)
            case _:
                return queryset


@admin.register(Likelihood)
class LikelihoodAdmin(ContentAdmin[Likelihood]):
    """Pick a condition and a question on the right: their row of numbers fits on one page."""

    list_display = (
        "condition",
        "question",
        "answer",
        "probability",
        "sum_of_row",
        "where_from",
        "note",
    )
    list_display_links = ("answer",)
    list_editable = ("probability",)
    list_filter = (
        "basis",
        HasSource,
        "condition",
        "option__feature",
        ("source", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("condition", "option__feature", "source")
    search_fields = (
        "condition__key",
        "condition__plain_name",
        "option__key",
        "option__text",
        "option__feature__key",
        "note",
    )
    ordering = ("condition", "option__feature__order", "option__order")
    fieldsets = (
        (None, {"fields": ("condition", "option", "probability")}),
        ("From where", {"fields": ("basis", "source", "sample_size", "note")}),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        row = (
            Likelihood.objects.filter(
                condition=OuterRef("condition"), option__feature=OuterRef("option__feature")
            )
            .order_by()
            .values("condition")
        )
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(row_sum=Subquery(row.annotate(sum=Sum("probability")).values("sum")))
        )
        return counted

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> Any:
        return super().get_changelist_form(request, form=RowForm, **options)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "option":
            options["queryset"] = Option.objects.select_related("feature")
        return super().formfield_for_foreignkey(db_field, request, **options)

    @admin.display(ordering="option__feature__order")
    def question(self, likelihood: Likelihood) -> str:
        return likelihood.option.feature.name

    @admin.display(ordering="option__order")
    def answer(self, likelihood: Likelihood) -> str:
        return likelihood.option.text

    @admin.display(description="from", ordering="basis")
    def where_from(self, likelihood: Likelihood) -> str:
        size = f", {likelihood.sample_size} people" if likelihood.sample_size else ""
        source = f": {likelihood.source.key}" if likelihood.source else ""
        return f"{likelihood.basis}{source}{size}"

    @admin.display(description="adds up to", empty_value="each alone")
    def sum_of_row(self, likelihood: Any) -> str | None:
        if likelihood.option.feature.kind == Kind.MULTI:
            return None
        return shown_sum(likelihood.row_sum, 1)


class AnswerField(forms.ModelChoiceField):  # type: ignore[type-arg] # takes none when it runs
    """“Yes” alone would not say to which question."""

    def label_from_instance(self, option: Option) -> str:
        return f"{option.feature.name}: {option.text}"


class LinkInline[M: models.Model](TableInline[M]):
    """The numbers of a syndrome."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Leave out the signs by which other rows could be made here: there are many lines."""
        field: Any = super().formfield_for_dbfield(db_field, request, **options)
        if field:
            field.widget = getattr(field.widget, "widget", field.widget)
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "condition":
            options["queryset"] = Condition.objects.ranked()
            if db_field.blank:
                options["empty_label"] = "Every condition"
        if db_field.name == "option":
            scored = Option.objects.filter(scored=True).select_related("feature")
            options["queryset"] = scored.order_by("feature__topic", "feature__order", "order")
            options["form_class"] = AnswerField
        return choices_read_once(super().formfield_for_foreignkey(db_field, request, **options))


class SyndromeChanceInline(LinkInline[SyndromeChance]):
    model = SyndromeChance
    verbose_name = "chance"
    verbose_name_plural = "How often each condition brings it: every ranked condition once"
    fields = ("condition", "probability", "basis", "source", "note")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("syndrome", "condition", "source")


class SyndromeMemberInline(LinkInline[SyndromeMember]):
    model = SyndromeMember
    verbose_name = "sign"
    verbose_name_plural = (
        "The answers that show it, and how many people with the syndrome give each"
    )
    fields = ("option", "condition", "probability", "basis", "source", "note")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = ("syndrome", "option__feature", "condition", "source")
        return super().get_queryset(request).select_related(*related)


@admin.register(Syndrome)
class SyndromeAdmin(ContentAdmin[Syndrome]):
    inlines = (SyndromeMemberInline, SyndromeChanceInline)
    list_display = (
        "plain_name",
        "name",
        "key",
        "conditions",
        "signs",
        "document_paragraph",
        "needs_clinical_sign_off",
    )
    list_filter = ("topic", "needs_clinical_sign_off")
    search_fields = ("key", "name", "plain_name", "explanation", "members__option__key")
    readonly_fields = ("faults",)
    fieldsets = (
        (None, {"fields": ("topic", "key", "needs_clinical_sign_off")}),
        ("What people read", {"fields": ("plain_name", "plain_name_absent")}),
        ("For clinicians", {"fields": ("name", "explanation", "sources")}),
        ("Before publishing", {"fields": ("faults",)}),
        ("In the source document", {"fields": ("document_paragraph",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                chance_count=Count("chances", distinct=True),
                sign_count=Count("members", filter=Q(members__condition=None), distinct=True),
            )
        )
        return counted

    @admin.display
    def conditions(self, syndrome: Any) -> int:
        count: int = syndrome.chance_count
        return count

    @admin.display
    def signs(self, syndrome: Any) -> int:
        count: int = syndrome.sign_count
        return count

    @admin.display(description="what does not fit together")
    def faults(self, syndrome: Syndrome) -> str:
        if not syndrome.pk:
            return "Save the syndrome first."
        return shown_faults(faults_of_syndrome(syndrome), "Nothing: the numbers fit.")


@admin.register(RedFlag)
class RedFlagAdmin(ContentAdmin[RedFlag]):
    list_display = (
        "title",
        "key",
        "kind",
        "by_urgency",
        "document_paragraph",
        "needs_clinical_sign_off",
    )
    list_filter = ("topic", "kind", "urgency", "needs_clinical_sign_off")
    search_fields = ("key", "title", "rule", "plain_rule", "message", "why_clinician")
    readonly_fields = ("rule_in_words",)
    fieldsets = (
        (None, {"fields": ("topic", ("key", "kind"), "urgency", "needs_clinical_sign_off")}),
        ("The rule", {"fields": ("rule", "rule_in_words", "plain_rule")}),
        ("What the person reads", {"fields": ("title", "message")}),
        ("Why, and from where", {"fields": ("why_clinician", "sources", "document_paragraph")}),
    )

    @admin.display(description="urgency", ordering=in_order_of_urgency())
    def by_urgency(self, flag: RedFlag) -> str:
        return flag.get_urgency_display()

    @admin.display(description="the rule as the computer reads it")
    def rule_in_words(self, flag: RedFlag) -> str:
        if not flag.pk:
            return "Save the rule first."
        return said(flag.rule, flag.topic)


@admin.register(RiskGroup)
class RiskGroupAdmin(ContentAdmin[RiskGroup]):
    list_display = ("name", "key", "urgency", "raise_at_percent")
    list_filter = ("topic", "urgency")
    search_fields = ("key", "name")


@admin.register(Advice)
class AdviceAdmin(ContentAdmin[Advice]):
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


class TranslationForm(forms.ModelForm):  # type: ignore[type-arg] # takes none when it runs
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
