"""What clinic staff edit: the drafts of a topic, each row refused by the database where it is wrong."""

from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When

from triage.content.calibration import LEAST_PEOPLE, MOST_ERROR, UnfitTable, reliability_in
from triage.content.choices import (
    AdviceScope,
    Basis,
    ConditionKind,
    Kind,
    Mirror,
    Observation,
    RuleKind,
    Studied,
    Tier,
    TranslationStatus,
    Urgency,
)
from triage.engine import RuleError, parse

OLDEST = 120  # years; also the highest of any number that a question takes

PARAGRAPH_HELP = (
    "Where it stands in the source document: P1 to P9, or “added” where the document does not"
    " have it."
)
SIGN_OFF_HELP = "Ticked until a clinician has signed this off."
PLACEHOLDER_HELP = (
    "Never write a telephone number or the name of a service. Write {emergency_number},"
    " {urgent_advice_line}, {emergency_department}, {gp_surgery}, {pharmacist} or"
    " {cancer_team_line}: each clinic fills in its own."
)
RULE_HELP = (
    "Examples: fever == 'yes' · 'weak_legs' in leg_nerves · age >= 65 and lump_size in"
    " ('golf_ball', 'over_5cm'). Names are the keys of questions and answers; join them with"
    " and, or, not and brackets."
)
SOURCE_HELP = "Needed for a study or a guideline; for an estimate, what was in view if any."

WORD = r"^[a-z0-9][a-z0-9_]*$"
LANGUAGE = r"^[a-z]{2,3}$"
NAME_IN_RULES = r"^[a-z][a-z0-9_]*$"
HYPHENATED = r"^[a-z0-9]+(-[a-z0-9]+)*$"
lower_case_word = RegexValidator(WORD, "Use small letters, digits and _ only, such as skin_cyst.")
words_joined_by_hyphens = RegexValidator(
    HYPHENATED, "Use small letters, digits and - only, such as back-lump."
)


def in_the_rule_language(text: str) -> None:
    try:
        parse(text)
    except RuleError as error:
        raise ValidationError(f"This is not in the rule language: {error}.") from None


KEY_HELP = (
    "The name that rules and files use. Small letters, digits and _. Once published, leave it as"
    " it is."
)


def is_a_key(name: str, pattern: str = WORD) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(key__regex=pattern),
        name=name,
        violation_error_message="The key takes small letters, digits and _ only.",
    )


def one_of(field: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{field}__in": choices.values}),
        name=name,
        violation_error_message="Choose one of the values in the list.",
    )


def between_0_and_1(field: str, name: str) -> models.CheckConstraint:
    """0 and 1 are left out: one such number would let a single answer rule a condition out."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__gt": 0, f"{field}__lt": 1}),
        name=name,
        violation_error_message="A probability lies above 0 and below 1: 0.9 is nine in ten.",
    )


def not_empty(field: str, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=~Q(**{field: ""}),
        name=name,
        violation_error_message="This must not be left empty.",
    )


def names_its_source(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(basis=Basis.ESTIMATE) | Q(source__isnull=False),
        name=name,
        violation_error_message="A number from a study or a guideline names its source.",
    )


def in_order_of_urgency() -> Case:
    """The place of `urgency` in the scale, 0 the longest wait; the text would sort by letter."""
    return Case(
        *(When(urgency=key, then=Value(place)) for place, key in enumerate(Urgency.values)),
        output_field=models.IntegerField(),
    )


class TopicQuerySet(models.QuerySet["Topic"]):
    def get_by_natural_key(self, key: str) -> "Topic":
        return self.get(key=key)


class Topic(models.Model):
    """One complaint that the checker handles. Everything below belongs to a topic."""

    key = models.CharField(
        unique=True,
        validators=[words_joined_by_hyphens],
        help_text="The name that files and commands use, such as back-lump.",
    )
    title = models.CharField(
        help_text="What the person would call it, such as “Painful lump on the spine”."
    )
    covers = models.TextField(
        help_text="Who this is for and who it is not for, in two or three plain sentences."
    )
    usual_questions_low = models.PositiveSmallIntegerField(
        "usual questions, from",
        help_text="“Most people answer 15 to 25 questions”: the lower number.",
    )
    usual_questions_high = models.PositiveSmallIntegerField(
        "usual questions, to", help_text="The higher number of the same sentence."
    )
    temper = models.FloatField(
        help_text="How much each answer counts, above 0 and up to 1. Below 1 where answers go"
        " together, so that the same thing is not counted twice."
    )
    slip = models.FloatField(
        help_text="The share of answers taken to be mistakes: 0.03 is three in a hundred."
    )
    gain_stop = models.FloatField(
        help_text="Stop asking when no question can tell more than this about the cause (in nats)."
    )
    lead_stop = models.FloatField(
        help_text="Stop asking about the cause when one condition is this likely: 0.8 is 80 %."
    )
    spread_estimate = models.FloatField(
        help_text="How unsure an estimated number is taken to be (spread of its log-odds)."
    )
    spread_guideline = models.FloatField(
        help_text="The same for a number whose link a guideline states."
    )
    spread_study = models.FloatField(
        help_text="The same for a number from a study whose size is not known."
    )
    document_paragraph = models.CharField(help_text=PARAGRAPH_HELP)
    source_document = models.TextField(
        blank=True,
        help_text="The document that the content started from, word for word: its title on the"
        " first line, then its paragraphs. Pages of conditions quote those that a condition names.",
    )
    says_in_100 = models.BooleanField(
        "say “about N in 100”",
        default=False,
        help_text="Tick only when a calibration study bears the numbers out: then the last page"
        " says of each cause how many people in 100 have it. Without, it says so in words only.",
    )

    objects = TopicQuerySet.as_manager()

    class Meta:
        ordering = ("key",)
        constraints = [
            is_a_key("topic_key", HYPHENATED),
            models.CheckConstraint(
                condition=Q(temper__gt=0, temper__lte=1),
                name="topic_temper_up_to_1",
                violation_error_message="The temper lies above 0 and is 1 at the most.",
            ),
            models.CheckConstraint(
                condition=Q(slip__gte=0, slip__lt=0.5),
                name="topic_slip_below_a_half",
                violation_error_message="The share of slips is 0 or more and below 0.5.",
            ),
            models.CheckConstraint(
                condition=Q(gain_stop__gte=0, lead_stop__gt=0, lead_stop__lte=1),
                name="topic_stops_in_range",
                violation_error_message="The gain is 0 or more; the lead is above 0, at most 1.",
            ),
            models.CheckConstraint(
                condition=Q(spread_estimate__gt=0, spread_guideline__gt=0, spread_study__gt=0),
                name="topic_spreads_above_0",
                violation_error_message="Each spread lies above 0.",
            ),
            models.CheckConstraint(
                condition=Q(
                    usual_questions_low__gte=1,
                    usual_questions_low__lte=F("usual_questions_high"),
                ),
                name="topic_usual_questions_in_order",
                violation_error_message="The lower number of questions comes first.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def natural_key(self) -> tuple[str]:
        return (self.key,)

    def delete_drafts(self) -> None:
        """Delete all that staff edit but the topic itself; sources are shared and stay."""
        self.syndromes.all().delete()
        self.conditions.all().delete()
        self.features.all().delete()
        self.red_flags.all().delete()
        self.risk_groups.all().delete()
        self.advice.all().delete()
        self.glossary.all().delete()
        self.translations.all().delete()
        self.calibration_studies.all().delete()
        self.reviews.all().delete()


class SourceQuerySet(models.QuerySet["Source"]):
    def get_by_natural_key(self, key: str) -> "Source":
        return self.get(key=key)

    def not_of_others(self, topic: Topic) -> Self:
        """Leave out what only other topics name: their sources are none of this one's."""
        if not Topic.objects.exclude(pk=topic.pk).exists():
            return self
        own, anybodys = Q(), Q()
        for path in TO_TOPIC_OF_A_SOURCE:
            # Each asked by itself: joined, eight lists of rows would be multiplied.
            own |= Q(pk__in=Source.objects.filter(**{path: topic}).values("pk"))
            named = Source.objects.filter(**{f"{path}__isnull": False})
            anybodys |= Q(pk__in=named.values("pk"))
        return self.filter(own | ~anybodys)


TO_TOPIC_OF_A_SOURCE = (
    "conditions__topic",
    "likelihoods__condition__topic",
    "syndromes__topic",
    "syndrome_chances__syndrome__topic",
    "syndrome_members__syndrome__topic",
    "red_flags__topic",
    "risk_groups__topic",
    "calibration_studies__topic",
)


class Source(models.Model):
    """Where a number, a rule or a text comes from. Topics share sources."""

    key = models.CharField(unique=True, validators=[lower_case_word], help_text=KEY_HELP)
    citation = models.TextField(help_text="Authors, title, journal or publisher, year.")
    locator = models.CharField(
        "address", help_text="Web address, DOI or PubMed number; else where to find it in print."
    )
    year = models.CharField(help_text="Year, or “current” or “undated”.")
    how_checked = models.CharField(
        help_text="A: abstract or opening of the original seen. B: a secondary page or a mirror."
        " C: from general knowledge, not opened."
    )
    used_for_content = models.CharField(
        help_text="“yes” if a number, rule or text rests on it; “no” with the reason if not."
    )

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ("key",)
        constraints = [
            is_a_key("source_key"),
            not_empty("citation", "source_has_citation"),
            models.CheckConstraint(
                condition=Q(how_checked__regex="^[ABC]"),
                name="source_how_checked",
                violation_error_message="Begin with A, B or C.",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def natural_key(self) -> tuple[str]:
        return (self.key,)


class ConditionQuerySet(models.QuerySet["Condition"]):
    def get_by_natural_key(self, topic: str, key: str) -> "Condition":
        return self.get(topic__key=topic, key=key)

    def ranked(self) -> Self:
        return self.filter(kind=ConditionKind.RANKED)


class Condition(models.Model):
    """What may be wrong."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="conditions")
    key = models.CharField(validators=[lower_case_word], help_text=KEY_HELP)
    name = models.CharField("clinical name", help_text="As a clinician would write it.")
    plain_name = models.CharField(help_text="As the person reads it on the last page.")
    plain_summary = models.TextField(
        help_text="One or two short sentences that a worried person understands."
    )
    how_found = models.TextField(
        "how it is found out",
        help_text="How a clinician tells, and by which tests, in one to three short sentences. No"
        f" doses. {PLACEHOLDER_HELP}",
    )
    how_treated = models.TextField(
        "how it is treated",
        help_text="What is mostly done, in one to three short sentences. No doses, and a medicine"
        f" by name only if a source has it. {PLACEHOLDER_HELP}",
    )
    kind = models.CharField(choices=ConditionKind)
    prior_percent = models.FloatField(
        "prior, %",
        null=True,
        blank=True,
        help_text="Of a hundred people who come with this complaint, how many have it. All"
        " conditions of a topic together make 100. Empty for a state.",
    )
    prior_basis = models.CharField(choices=Basis, blank=True, help_text="Where the prior is from.")
    urgency = models.CharField(
        choices=Urgency, help_text="How soon somebody who is likely to have it must be seen."
    )
    raise_at_percent = models.FloatField(
        "raise at, %",
        null=True,
        blank=True,
        help_text="When it is at least this likely, the advice is raised to its urgency; mostly"
        " 10. Empty for a state.",
    )
    target_time = models.CharField(help_text="The urgency in words, such as “within 2 weeks”.")
    cannot_miss = models.BooleanField(
        help_text="Serious: always listed as something to rule out, whatever its rank."
    )
    icd10 = models.CharField("ICD-10", blank=True)
    icd10_note = models.CharField("ICD-10 note", blank=True)
    snomed = models.CharField("SNOMED CT", blank=True, help_text="Empty where not certain.")
    snomed_note = models.CharField("SNOMED CT note", blank=True)
    document_paragraph = models.CharField(help_text=PARAGRAPH_HELP)
    sources = models.ManyToManyField(Source, related_name="conditions", blank=True)
    needs_clinical_sign_off = models.BooleanField(default=True, help_text=SIGN_OFF_HELP)

    objects = ConditionQuerySet.as_manager()

    class Meta:
        ordering = ("topic", F("prior_percent").desc(nulls_last=True), "key")
        constraints = [
            models.UniqueConstraint("topic", "key", name="condition_once_per_key"),
            is_a_key("condition_key"),
            one_of("kind", ConditionKind, "condition_kind"),
            one_of("urgency", Urgency, "condition_urgency"),
            models.CheckConstraint(
                condition=Q(
                    kind=ConditionKind.RANKED,
                    prior_percent__isnull=False,  # or nothing would be compared, which passes
                    raise_at_percent__isnull=False,
                    prior_percent__gt=0,
                    prior_percent__lt=100,
                    prior_basis__in=Basis.values,
                    raise_at_percent__gt=0,
                    raise_at_percent__lt=100,
                )
                | Q(
                    kind=ConditionKind.STATE,
                    prior_percent=None,
                    prior_basis="",
                    raise_at_percent=None,
                ),
                name="condition_prior_if_ranked",
                violation_error_message="A ranked condition has a prior and a “raise at” above 0"
                " and below 100 %%, and a basis; a state has none of the three.",
            ),
        ]

    def __str__(self) -> str:
        return self.plain_name

    def natural_key(self) -> tuple[str, str]:
        return (self.topic.key, self.key)


class FeatureQuerySet(models.QuerySet["Feature"]):
    def get_by_natural_key(self, topic: str, key: str) -> "Feature":
        return self.get(topic__key=topic, key=key)


class Feature(models.Model):
    """One thing about the lump or the person that one question asks."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="features")
    key = models.CharField(validators=[lower_case_word], help_text=KEY_HELP)
    order = models.PositiveSmallIntegerField(
        help_text="Its place in the list. “Asked if” may only look at questions before it."
    )
    name = models.CharField(
        "short name", help_text="What it is about, for lists: “Fever”, “Size of the lump”."
    )
    section = models.CharField(help_text="The heading it stands under, such as “the lump”.")
    tier = models.CharField(choices=Tier, help_text="When it is asked: safety comes first.")
    kind = models.CharField(choices=Kind, help_text="What the person gives as an answer.")
    text = models.TextField("question", help_text="As asked of the person: “How old are you?”")
    help_text = models.TextField("help", blank=True, help_text="A line below the question.")
    text_helper = models.TextField(
        "question to a helper", help_text="As asked of somebody beside them who looks and touches."
    )
    text_other = models.TextField(
        "question about somebody",
        help_text="As asked of somebody who answers on their behalf.",
    )
    why_we_ask = models.TextField(help_text="Shown to the person who wonders why.")
    asked_if = models.TextField(
        blank=True,
        validators=[in_the_rule_language],
        help_text=f"Empty: always asked. Else asked only if this holds. {RULE_HELP}",
    )
    observe = models.CharField(choices=Observation, help_text="What it takes to answer.")
    needs_mirror = models.CharField(choices=Mirror)
    kiosk_can_answer = models.CharField(help_text="“yes”, “partly”, or “no” with the reason.")
    sensitive = models.BooleanField(help_text="Ask in private; “rather not say” is offered.")
    required = models.BooleanField(help_text="It cannot be skipped. Only for the age.")
    low = models.PositiveSmallIntegerField(
        "lowest number", null=True, blank=True, help_text="Only where the answer is a number."
    )
    high = models.PositiveSmallIntegerField(
        "highest number", null=True, blank=True, help_text=f"{OLDEST} at the most."
    )
    purpose = models.CharField(help_text="What the answer tells apart, or which rules need it.")
    document_paragraph = models.CharField(help_text=PARAGRAPH_HELP)
    reading_grade = models.FloatField(
        null=True, blank=True, help_text="School year needed to read it (Flesch-Kincaid)."
    )

    objects = FeatureQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "order", "key")
        verbose_name = "feature (question)"
        verbose_name_plural = "features (questions)"
        constraints = [
            models.UniqueConstraint("topic", "key", name="feature_once_per_key"),
            is_a_key("feature_key", NAME_IN_RULES),
            one_of("tier", Tier, "feature_tier"),
            one_of("kind", Kind, "feature_kind"),
            one_of("observe", Observation, "feature_observe"),
            one_of("needs_mirror", Mirror, "feature_needs_mirror"),
            models.CheckConstraint(
                condition=Q(
                    kind=Kind.NUMBER,
                    low__isnull=False,
                    high__isnull=False,
                    low__lt=F("high"),
                    high__lte=OLDEST,
                )
                | (~Q(kind=Kind.NUMBER) & Q(low=None, high=None)),
                name="feature_limits_if_a_number",
                violation_error_message="A question for a number has a lowest and a higher highest"
                f" number, {OLDEST} at the most; other questions have none.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str, str]:
        return (self.topic.key, self.key)


class OptionQuerySet(models.QuerySet["Option"]):
    def get_by_natural_key(self, topic: str, feature: str, key: str) -> "Option":
        return self.get(feature__topic__key=topic, feature__key=feature, key=key)

    def of(self, topic: Topic) -> Self:
        return self.filter(feature__topic=topic).prefetch_related("feature__topic")


class Option(models.Model):
    """A possible reply to a feature."""

    feature = models.ForeignKey(Feature, models.CASCADE, related_name="options")
    key = models.CharField(validators=[lower_case_word], help_text=KEY_HELP)
    order = models.PositiveSmallIntegerField(help_text="Its place below the question.")
    text = models.CharField(
        "answer", help_text="Without “I” or “you”, as it serves all three ways of asking."
    )
    exclusive = models.BooleanField(
        help_text="It holds alone: “None of these”, “Not sure”.",
    )
    scored = models.BooleanField(
        help_text="It has likelihoods. If not, only rules look at it.",
    )
    low = models.PositiveSmallIntegerField(
        "from", null=True, blank=True, help_text="Only for a number: the lowest in this band."
    )
    high = models.PositiveSmallIntegerField(
        "to", null=True, blank=True, help_text="The highest in this band; empty: no upper end."
    )
    alarm = models.BooleanField(help_text="Always bad news when it is true.")
    document_paragraph = models.CharField(help_text=PARAGRAPH_HELP)

    objects = OptionQuerySet.as_manager()

    class Meta:
        ordering = ("feature", "order", "key")
        verbose_name = "option (answer)"
        verbose_name_plural = "options (answers)"
        constraints = [
            models.UniqueConstraint("feature", "key", name="option_once_per_key"),
            is_a_key("option_key"),
            models.CheckConstraint(
                condition=Q(low=None, high=None)
                | Q(low__isnull=False, high=None)
                | Q(
                    low__isnull=False,
                    high__isnull=False,
                    low__lte=F("high"),
                    high__lte=OLDEST,
                ),
                name="option_band_in_order",
                violation_error_message="A band runs from its lower to its higher number,"
                f" {OLDEST} at the most.",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    def natural_key(self) -> tuple[str, str, str]:
        return (*self.feature.natural_key(), self.key)


class LikelihoodQuerySet(models.QuerySet["Likelihood"]):
    def get_by_natural_key(
        self, condition_topic: str, condition: str, topic: str, feature: str, option: str
    ) -> "Likelihood":
        return self.get(
            condition__topic__key=condition_topic,
            condition__key=condition,
            option__feature__topic__key=topic,
            option__feature__key=feature,
            option__key=option,
        )

    def of(self, topic: Topic) -> Self:
        """All of a topic's likelihoods; what they share is fetched once, not with each of them."""
        return self.filter(condition__topic=topic).prefetch_related(
            "condition__topic", "option__feature__topic", "source"
        )


class Likelihood(models.Model):
    """P(option | condition): how often people with the condition give this answer."""

    condition = models.ForeignKey(Condition, models.CASCADE, related_name="likelihoods")
    option = models.ForeignKey(Option, models.CASCADE, related_name="likelihoods")
    probability = models.FloatField(help_text="Above 0 and below 1: 0.9 is nine people in ten.")
    basis = models.CharField(choices=Basis)
    source = models.ForeignKey(
        Source,
        models.PROTECT,
        related_name="likelihoods",
        null=True,
        blank=True,
        help_text=SOURCE_HELP,
    )
    sample_size = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many people the study counted, where it says so."
    )
    note = models.TextField(blank=True, help_text="How the number was found.")
    document_paragraph = models.CharField(blank=True, help_text=PARAGRAPH_HELP)

    objects = LikelihoodQuerySet.as_manager()

    class Meta:
        ordering = ("condition", "option")
        constraints = [
            models.UniqueConstraint("condition", "option", name="likelihood_once_per_pair"),
            between_0_and_1("probability", "likelihood_between_0_and_1"),
            one_of("basis", Basis, "likelihood_basis"),
            names_its_source("likelihood_names_its_source"),
            models.CheckConstraint(
                condition=Q(sample_size=None) | Q(sample_size__gt=0, basis=Basis.STUDY),
                name="likelihood_sample_size_of_a_study",
                violation_error_message="Only a number from a study has a number of people.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.condition.key}: {self.option.feature.key} {self.option.key}"

    def natural_key(self) -> tuple[str, str, str, str, str]:
        return (*self.condition.natural_key(), *self.option.natural_key())


class SyndromeQuerySet(models.QuerySet["Syndrome"]):
    def get_by_natural_key(self, topic: str, key: str) -> "Syndrome":
        return self.get(topic__key=topic, key=key)


class Syndrome(models.Model):
    """What several findings share, such as being ill all over: one reason, however many show."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="syndromes")
    key = models.CharField(validators=[lower_case_word], help_text=KEY_HELP)
    name = models.CharField("clinical name", help_text="As a clinician would write it.")
    plain_name = models.CharField(
        help_text="As people read it where it shows, without “I” or “you”: “Ill all over”."
    )
    plain_name_absent = models.CharField(
        "plain name if absent",
        help_text="As people read it where nothing of it shows: “Not ill all over”.",
    )
    explanation = models.TextField(
        "why it is one reason",
        help_text="What makes these findings come together, beyond the condition itself.",
    )
    document_paragraph = models.CharField(help_text=PARAGRAPH_HELP)
    sources = models.ManyToManyField(Source, related_name="syndromes", blank=True)
    needs_clinical_sign_off = models.BooleanField(default=True, help_text=SIGN_OFF_HELP)

    objects = SyndromeQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "key")
        constraints = [
            models.UniqueConstraint("topic", "key", name="syndrome_once_per_key"),
            is_a_key("syndrome_key"),
            not_empty("plain_name", "syndrome_has_plain_name"),
            not_empty("plain_name_absent", "syndrome_has_plain_name_absent"),
        ]

    def __str__(self) -> str:
        return self.plain_name

    def natural_key(self) -> tuple[str, str]:
        return (self.topic.key, self.key)


class SyndromeChanceQuerySet(models.QuerySet["SyndromeChance"]):
    def get_by_natural_key(
        self, topic: str, syndrome: str, condition_topic: str, condition: str
    ) -> "SyndromeChance":
        return self.get(
            syndrome__topic__key=topic,
            syndrome__key=syndrome,
            condition__topic__key=condition_topic,
            condition__key=condition,
        )

    def of(self, topic: Topic) -> Self:
        return self.filter(syndrome__topic=topic).select_related(
            "syndrome__topic", "condition__topic", "source"
        )


class SyndromeChance(models.Model):
    """P(syndrome | condition): how often people with the condition have the syndrome."""

    syndrome = models.ForeignKey(Syndrome, models.CASCADE, related_name="chances")
    condition = models.ForeignKey(Condition, models.CASCADE, related_name="syndrome_chances")
    probability = models.FloatField(
        help_text="Of people with the condition, how many have the syndrome: 0.7 is seven in ten."
    )
    basis = models.CharField(choices=Basis)
    source = models.ForeignKey(
        Source,
        models.PROTECT,
        related_name="syndrome_chances",
        null=True,
        blank=True,
        help_text=SOURCE_HELP,
    )
    note = models.TextField(blank=True, help_text="How the number was found.")

    objects = SyndromeChanceQuerySet.as_manager()

    class Meta:
        ordering = ("syndrome", "condition")
        constraints = [
            models.UniqueConstraint("syndrome", "condition", name="syndrome_chance_once_per_pair"),
            between_0_and_1("probability", "syndrome_chance_between_0_and_1"),
            one_of("basis", Basis, "syndrome_chance_basis"),
            names_its_source("syndrome_chance_names_its_source"),
        ]

    def __str__(self) -> str:
        return f"{self.syndrome.key}: {self.condition.key}"

    def natural_key(self) -> tuple[str, str, str, str]:
        return (*self.syndrome.natural_key(), *self.condition.natural_key())


class SyndromeMemberQuerySet(models.QuerySet["SyndromeMember"]):
    def get_by_natural_key(
        self,
        topic: str,
        syndrome: str,
        option_topic: str,
        feature: str,
        option: str,
        *condition: str,
    ) -> "SyndromeMember":
        rows = self.filter(
            syndrome__topic__key=topic,
            syndrome__key=syndrome,
            option__feature__topic__key=option_topic,
            option__feature__key=feature,
            option__key=option,
        )
        if not condition:
            return rows.get(condition=None)
        condition_topic, key = condition
        return rows.get(condition__topic__key=condition_topic, condition__key=key)

    def of(self, topic: Topic) -> Self:
        return self.filter(syndrome__topic=topic).select_related(
            "syndrome__topic", "option__feature__topic", "condition__topic", "source"
        )


class SyndromeMember(models.Model):
    """P(option | syndrome): how often people with the syndrome give this answer.

    A row that names a condition stands in the place of the general one for that condition.
    """

    syndrome = models.ForeignKey(Syndrome, models.CASCADE, related_name="members")
    option = models.ForeignKey(
        Option,
        models.CASCADE,
        related_name="syndrome_members",
        help_text="The answer that shows the syndrome: “Fever: Yes”.",
    )
    condition = models.ForeignKey(
        Condition,
        models.CASCADE,
        related_name="syndrome_members",
        null=True,
        blank=True,
        help_text="Empty: for every condition. Else the number stands for this condition only.",
    )
    probability = models.FloatField(
        help_text="Of people with the syndrome, how many give this answer: 0.8 is eight in ten."
        " Never fewer than of all people with the condition."
    )
    basis = models.CharField(choices=Basis)
    source = models.ForeignKey(
        Source,
        models.PROTECT,
        related_name="syndrome_members",
        null=True,
        blank=True,
        help_text=SOURCE_HELP,
    )
    note = models.TextField(blank=True, help_text="How the number was found.")

    objects = SyndromeMemberQuerySet.as_manager()

    class Meta:
        ordering = ("syndrome", "option", F("condition").asc(nulls_first=True))
        constraints = [
            # Two, as an empty condition equals no other.
            models.UniqueConstraint(
                fields=["syndrome", "option"],
                condition=Q(condition=None),
                name="syndrome_member_once_in_general",
            ),
            models.UniqueConstraint(
                "syndrome", "option", "condition", name="syndrome_member_once_per_condition"
            ),
            between_0_and_1("probability", "syndrome_member_between_0_and_1"),
            one_of("basis", Basis, "syndrome_member_basis"),
            names_its_source("syndrome_member_names_its_source"),
        ]

    def __str__(self) -> str:
        condition = f", {self.condition.key}" if self.condition else ""
        return f"{self.syndrome.key}: {self.option.feature.key} {self.option.key}{condition}"

    def natural_key(self) -> tuple[str, ...]:
        condition = self.condition.natural_key() if self.condition else ()
        return (*self.syndrome.natural_key(), *self.option.natural_key(), *condition)


class RedFlagQuerySet(models.QuerySet["RedFlag"]):
    def get_by_natural_key(self, topic: str, key: str) -> "RedFlag":
        return self.get(topic__key=topic, key=key)


class RedFlag(models.Model):
    """A rule over the evidence that sets a least urgency, whatever the differential says."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="red_flags")
    key = models.CharField(validators=[lower_case_word], help_text=KEY_HELP)
    kind = models.CharField(choices=RuleKind)
    urgency = models.CharField(choices=Urgency, help_text="The least urgency when it fires.")
    rule = models.TextField(validators=[in_the_rule_language], help_text=RULE_HELP)
    plain_rule = models.TextField(help_text="The same rule as people say it, for reviewers.")
    title = models.CharField(help_text="As the person reads it.")
    message = models.TextField(help_text=f"What the person is told. {PLACEHOLDER_HELP}")
    why_clinician = models.TextField("why, for clinicians", help_text="What it is meant to catch.")
    document_paragraph = models.CharField(help_text=PARAGRAPH_HELP)
    sources = models.ManyToManyField(Source, related_name="red_flags", blank=True)
    needs_clinical_sign_off = models.BooleanField(default=True, help_text=SIGN_OFF_HELP)

    objects = RedFlagQuerySet.as_manager()

    class Meta:
        ordering = ("topic", in_order_of_urgency().desc(), "key")
        constraints = [
            models.UniqueConstraint("topic", "key", name="red_flag_once_per_key"),
            is_a_key("red_flag_key"),
            one_of("kind", RuleKind, "red_flag_kind"),
            one_of("urgency", Urgency, "red_flag_urgency"),
            not_empty("rule", "red_flag_has_rule"),
        ]

    def __str__(self) -> str:
        return self.title

    def natural_key(self) -> tuple[str, str]:
        return (self.topic.key, self.key)


class RiskGroupQuerySet(models.QuerySet["RiskGroup"]):
    def get_by_natural_key(self, topic: str, key: str) -> "RiskGroup":
        return self.get(topic__key=topic, key=key)


class RiskGroup(models.Model):
    """Conditions that raise the urgency together, as all cancers at 3 % in NICE NG12."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="risk_groups")
    key = models.CharField(validators=[lower_case_word], help_text=KEY_HELP)
    name = models.CharField(help_text="As the person reads it, such as “A cancer”.")
    conditions = models.ManyToManyField(Condition, related_name="risk_groups")
    urgency = models.CharField(choices=Urgency)
    raise_at_percent = models.FloatField(
        "raise at, %", help_text="When its conditions together are at least this likely."
    )
    sources = models.ManyToManyField(Source, related_name="risk_groups", blank=True)

    objects = RiskGroupQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "key")
        constraints = [
            models.UniqueConstraint("topic", "key", name="risk_group_once_per_key"),
            is_a_key("risk_group_key"),
            one_of("urgency", Urgency, "risk_group_urgency"),
            models.CheckConstraint(
                condition=Q(raise_at_percent__gt=0, raise_at_percent__lt=100),
                name="risk_group_raise_at_in_range",
                violation_error_message="“Raise at” lies above 0 and below 100 %%.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str, str]:
        return (self.topic.key, self.key)


class AdviceQuerySet(models.QuerySet["Advice"]):
    def get_by_natural_key(self, topic: str, scope: str, key: str) -> "Advice":
        return self.get(topic__key=topic, scope=scope, key=key)


class Advice(models.Model):
    """What to do, for an urgency, a condition, a state or a floor rule."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="advice")
    scope = models.CharField("for", choices=AdviceScope)
    key = models.CharField(
        validators=[lower_case_word],
        help_text="The key of the urgency, the condition, the state or the rule.",
    )
    heading = models.CharField()
    what_to_do = models.TextField(help_text=PLACEHOLDER_HELP)
    self_care = models.TextField("what helps meanwhile")
    safety_net = models.TextField("what to watch for, and what to do then")
    do_not = models.TextField("what not to do")
    document_paragraph = models.CharField(help_text=PARAGRAPH_HELP)
    needs_clinical_sign_off = models.BooleanField(default=True, help_text=SIGN_OFF_HELP)

    objects = AdviceQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "scope", "key")
        verbose_name_plural = "advice"
        constraints = [
            models.UniqueConstraint("topic", "scope", "key", name="advice_once_per_key"),
            is_a_key("advice_key"),
            one_of("scope", AdviceScope, "advice_scope"),
        ]

    def __str__(self) -> str:
        return self.heading

    def natural_key(self) -> tuple[str, str, str]:
        return (self.topic.key, self.scope, self.key)


class GlossaryTermQuerySet(models.QuerySet["GlossaryTerm"]):
    def get_by_natural_key(self, topic: str, term: str) -> "GlossaryTerm":
        return self.get(topic__key=topic, term=term)


class GlossaryTerm(models.Model):
    """A word that people may not know, and what it means; pages explain it where it is used."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="glossary")
    term = models.CharField(
        "word", help_text="As it is mostly written, without a capital: “cyst”, “spinal cord”."
    )
    also = models.TextField(
        "also written",
        blank=True,
        help_text="Its other forms, one a line: “cysts”. Capitals make no difference.",
    )
    meaning = models.TextField(
        help_text="One or two short sentences, in words that need no glossary."
    )
    document_paragraph = models.CharField(help_text=PARAGRAPH_HELP)
    needs_clinical_sign_off = models.BooleanField(default=True, help_text=SIGN_OFF_HELP)

    objects = GlossaryTermQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "term")
        constraints = [
            models.UniqueConstraint("topic", "term", name="glossary_term_once_per_word"),
            not_empty("term", "glossary_term_has_word"),
            not_empty("meaning", "glossary_term_has_meaning"),
        ]

    def __str__(self) -> str:
        return self.term

    def natural_key(self) -> tuple[str, str]:
        return (self.topic.key, self.term)


class CalibrationStudyQuerySet(models.QuerySet["CalibrationStudy"]):
    def get_by_natural_key(self, topic: str, key: str) -> "CalibrationStudy":
        return self.get(topic__key=topic, key=key)


class CalibrationStudy(models.Model):
    """Evidence that what the checker claims of a cause is as often right as it says."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="calibration_studies")
    key = models.CharField(validators=[lower_case_word], help_text=KEY_HELP)
    studied = models.TextField(
        "what was studied",
        help_text="Who the people were, where and when, and how their cause was found out.",
    )
    kind = models.CharField(
        "who was studied",
        choices=Studied,
        help_text="Simulated people show nothing about people, and do not count.",
    )
    source = models.ForeignKey(
        Source,
        models.PROTECT,
        related_name="calibration_studies",
        help_text="Where it was published, or who holds the report. The last page names it.",
    )
    people = models.PositiveIntegerField(
        "number of people",
        help_text=f"Below {LEAST_PEOPLE} the study does not count: a half would be known to no"
        " better than 6 in 100 either way, which is a rough guess.",
    )
    table = models.JSONField(
        help_text="What “manage.py calibrate” writes of every cause that the last page listed for"
        f" these people. If it is off by more than {100 * MOST_ERROR:g} points in the mean, the"
        " study does not count.",
    )
    knowledge_sha256 = models.CharField(
        "hash of the numbers it was measured on",
        help_text="“manage.py calibrate” says it. Once a number of the topic is changed it fits no"
        " more, and the study has to be measured again.",
    )

    objects = CalibrationStudyQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "key")
        verbose_name_plural = "calibration studies"
        constraints = [
            models.UniqueConstraint("topic", "key", name="calibration_study_once_per_key"),
            is_a_key("calibration_study_key"),
            not_empty("studied", "calibration_study_says_what"),
            one_of("kind", Studied, "calibration_study_kind"),
            models.CheckConstraint(
                condition=Q(people__gte=1),
                name="calibration_study_has_people",
                violation_error_message="A study has one person at least.",
            ),
            models.CheckConstraint(
                condition=Q(knowledge_sha256__regex=r"^[0-9a-f]{64}$"),
                name="calibration_study_sha256",
                violation_error_message="The hash has 64 digits, 0 to 9 and a to f.",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def natural_key(self) -> tuple[str, str]:
        return (self.topic.key, self.key)

    def clean(self) -> None:
        try:
            reliability_in(self.table)
        except UnfitTable as unfit:
            raise ValidationError({"table": str(unfit)}) from None


class TranslationQuerySet(models.QuerySet["Translation"]):
    def get_by_natural_key(self, topic: str, language: str, place: str) -> "Translation":
        return self.get(topic__key=topic, language=language, place=place)


class Translation(models.Model):
    """One text of the topic in another language. The topic's own texts are in English."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="translations")
    language = models.CharField(
        validators=[RegexValidator(LANGUAGE, "Use its code of two or three letters, such as es.")],
        help_text="Its code: es is Spanish. It is offered once no text of the topic lacks.",
    )
    place = models.CharField(help_text="Which text it is: “features/fever/text”.")
    original = models.TextField(
        "in English",
        blank=True,
        help_text="The English as it was when this was translated. Once it changes, this text has"
        " to be looked at again, and until then the language is not offered.",
    )
    text = models.TextField("translated", help_text=PLACEHOLDER_HELP)
    status = models.CharField(choices=TranslationStatus, default=TranslationStatus.DRAFT)

    objects = TranslationQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "language", "place")
        constraints = [
            models.UniqueConstraint(
                "topic", "language", "place", name="translation_once_per_place"
            ),
            models.CheckConstraint(
                condition=Q(language__regex=LANGUAGE),
                name="translation_language",
                violation_error_message="A language is a code of two or three letters.",
            ),
            not_empty("place", "translation_has_place"),
            not_empty("text", "translation_has_text"),
            one_of("status", TranslationStatus, "translation_status"),
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.place}"

    def natural_key(self) -> tuple[str, str, str]:
        return (self.topic.key, self.language, self.place)


class ReviewQuerySet(models.QuerySet["Review"]):
    def get_by_natural_key(
        self, topic: str, place: str, reviewer: str, reviewed_on: str
    ) -> "Review":
        return self.get(topic__key=topic, place=place, reviewer=reviewer, reviewed_on=reviewed_on)


class Review(models.Model):
    """Somebody with the knowledge has looked at a row, all of its texts and numbers."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="reviews")
    place = models.CharField(
        "what was reviewed", help_text="Such as “conditions/lipoma”: all of its texts and numbers."
    )
    reviewer = models.CharField(help_text="Name and profession, as others would look them up.")
    reviewed_on = models.DateField()
    due_on = models.DateField("to be reviewed again by")
    note = models.TextField(blank=True, help_text="What was looked at, and what is in doubt.")

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "place", "-reviewed_on")
        constraints = [
            models.UniqueConstraint(
                "topic", "place", "reviewer", "reviewed_on", name="review_once_per_day"
            ),
            not_empty("place", "review_says_what"),
            not_empty("reviewer", "review_says_who"),
            models.CheckConstraint(
                condition=Q(due_on__gt=F("reviewed_on")),
                name="review_due_later",
                violation_error_message="The next review comes after this one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place}, {self.reviewed_on}"

    def natural_key(self) -> tuple[str, str, str, str]:
        return (self.topic.key, self.place, self.reviewer, str(self.reviewed_on))
