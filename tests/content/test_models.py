"""The database refuses what is wrong, whichever way it comes in."""

import math
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, models, transaction

from triage.content import choices
from triage.content.documents import compile_release
from triage.content.models import (
    Advice,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    Option,
    RedFlag,
    RiskGroup,
    Source,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
    Topic,
)
from triage.engine import vocabulary

pytestmark = pytest.mark.usefixtures("topic")


@pytest.mark.parametrize(
    ("model", "key", "changes"),
    [
        (Likelihood, {}, {"probability": 0}),
        (Likelihood, {}, {"probability": 1}),
        (Likelihood, {}, {"probability": 90}),
        (Likelihood, {}, {"probability": -0.1}),
        (Likelihood, {}, {"probability": math.nan}),
        (Likelihood, {}, {"probability": math.inf}),
        (Likelihood, {}, {"basis": "hearsay"}),
        (Likelihood, {"basis": "study"}, {"source": None}),
        (Likelihood, {"basis": "guideline"}, {"source": None}),
        (Likelihood, {"basis": "estimate"}, {"sample_size": 100}),
        (Likelihood, {"basis": "study"}, {"sample_size": 0}),
        (Condition, {"key": "lipoma"}, {"prior_percent": 0}),
        (Condition, {"key": "lipoma"}, {"prior_percent": 100}),
        (Condition, {"key": "lipoma"}, {"prior_percent": None}),
        (Condition, {"key": "lipoma"}, {"prior_basis": ""}),
        (Condition, {"key": "lipoma"}, {"raise_at_percent": None}),
        (Condition, {"key": "lipoma"}, {"urgency": "soon"}),
        (Condition, {"key": "lipoma"}, {"kind": "other"}),
        (Condition, {"key": "lipoma"}, {"key": "Lipoma!"}),
        (Condition, {"key": "lipoma"}, {"key": "skin_cancer"}),
        (Condition, {"kind": "state"}, {"prior_percent": 5}),
        (Feature, {"key": "age"}, {"low": None}),
        (Feature, {"key": "age"}, {"high": 121}),
        (Feature, {"key": "age"}, {"low": 120}),
        (Feature, {"key": "fever"}, {"low": 0, "high": 1}),
        (Feature, {"key": "fever"}, {"kind": "text"}),
        (Feature, {"key": "fever"}, {"tier": "last"}),
        (Feature, {"key": "fever"}, {"observe": "nose"}),
        (Feature, {"key": "fever"}, {"needs_mirror": "maybe"}),
        (Feature, {"key": "fever"}, {"key": "1_fever"}),
        (Feature, {"key": "fever"}, {"key": "age"}),
        (Option, {"key": "16_29"}, {"low": 30}),
        (Option, {"key": "16_29"}, {"high": 200}),
        (Option, {"key": "16_29"}, {"low": None}),
        (Option, {"key": "16_29"}, {"key": "30_49"}),
        (Option, {"key": "16_29"}, {"key": "16-29"}),
        (Syndrome, {"key": "ill_all_over"}, {"key": "inflamed_skin"}),
        (Syndrome, {"key": "ill_all_over"}, {"key": "Ill all over"}),
        (Syndrome, {"key": "ill_all_over"}, {"plain_name": ""}),
        (Syndrome, {"key": "ill_all_over"}, {"plain_name_absent": ""}),
        (SyndromeChance, {}, {"probability": 0}),
        (SyndromeChance, {}, {"probability": 1}),
        (SyndromeChance, {}, {"basis": "hearsay"}),
        (SyndromeChance, {}, {"basis": "study"}),
        (SyndromeMember, {}, {"probability": 0}),
        (SyndromeMember, {}, {"probability": 1}),
        (SyndromeMember, {}, {"basis": "hearsay"}),
        (SyndromeMember, {}, {"basis": "guideline"}),
        (SyndromeMember, {"condition__key": "shingles"}, {"condition": None}),
        (RedFlag, {"key": "rf_fever"}, {"urgency": "soon"}),
        (RedFlag, {"key": "rf_fever"}, {"kind": "hint"}),
        (RedFlag, {"key": "rf_fever"}, {"rule": ""}),
        (RedFlag, {"key": "rf_fever"}, {"key": "rf_sepsis"}),
        (RedFlag, {"key": "rf_fever"}, {"key": "fever flag"}),
        (Advice, {"key": "lipoma"}, {"scope": "any"}),
        (Advice, {"key": "lipoma"}, {"key": "skin_cancer"}),
        (Advice, {"key": "lipoma"}, {"key": ""}),
        (GlossaryTerm, {"term": "cyst"}, {"term": "pus"}),
        (GlossaryTerm, {"term": "cyst"}, {"term": ""}),
        (GlossaryTerm, {"term": "cyst"}, {"meaning": ""}),
        (Source, {"key": "nice_ng12"}, {"key": "nice_ng41"}),
        (Source, {"key": "nice_ng12"}, {"key": "NICE NG12"}),
        (Source, {"key": "nice_ng12"}, {"citation": ""}),
        (Source, {"key": "nice_ng12"}, {"how_checked": "unread"}),
        (Topic, {}, {"temper": 0}),
        (Topic, {}, {"temper": 1.1}),
        (Topic, {}, {"slip": 0.5}),
        (Topic, {}, {"slip": -0.01}),
        (Topic, {}, {"gain_stop": -1}),
        (Topic, {}, {"lead_stop": 0}),
        (Topic, {}, {"spread_study": 0}),
        (Topic, {}, {"usual_questions_low": 30}),
        (Topic, {}, {"usual_questions_low": 0}),
        (Topic, {}, {"key": "back_lump"}),
    ],
)
def test_the_database_refuses(
    model: type[models.Model], key: dict[str, Any], changes: dict[str, Any]
) -> None:
    row = model._default_manager.filter(**key).first()
    assert row

    with pytest.raises(DatabaseError), transaction.atomic():
        model._default_manager.filter(pk=row.pk).update(**changes)


@pytest.mark.parametrize("number", ["0", "1", "'NaN'", "90"])
def test_sql_by_hand_is_refused_too(number: str) -> None:
    if connection.vendor == "sqlite" and number == "'NaN'":
        number = "NULL"  # SQLite has no NaN: it stores none

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE content_likelihood SET probability = {number}")


@pytest.mark.parametrize("percent", [0, 100])
def test_the_database_refuses_a_risk_group_that_is_raised_never_or_always(
    topic: Topic, percent: float
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RiskGroup.objects.create(
            topic=topic, key="cancer", name="A cancer", urgency="routine", raise_at_percent=percent
        )


@pytest.mark.parametrize(
    "rows",
    [
        Likelihood.objects.all(),
        SyndromeChance.objects.all(),
        SyndromeMember.objects.filter(condition=None),
        SyndromeMember.objects.exclude(condition=None),
    ],
)
def test_one_condition_has_one_number_of_a_kind(rows: "models.QuerySet[models.Model]") -> None:
    row = rows.all()[0]
    row.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_the_form_says_in_plain_words_what_the_database_refuses() -> None:
    likelihood = Likelihood.objects.all()[0]
    likelihood.probability = 1

    with pytest.raises(ValidationError) as refused:
        likelihood.full_clean()

    assert refused.value.messages == ["A probability lies above 0 and below 1: 0.9 is nine in ten."]


@pytest.mark.parametrize("rule", ["fever =", "fever.yes", "__import__('os')", "fever == yes()"])
def test_the_form_refuses_a_rule_that_is_not_in_the_rule_language(rule: str) -> None:
    flag = RedFlag.objects.get(key="rf_fever")
    flag.rule = rule

    with pytest.raises(ValidationError, match="This is not in the rule language"):
        flag.full_clean()


@pytest.mark.parametrize(
    "model",
    [
        *(Topic, Source, Condition, Feature, Option, Likelihood, RedFlag, Advice),
        *(Syndrome, SyndromeChance, SyndromeMember),
    ],
)
def test_a_row_is_found_again_by_its_natural_key(model: Any) -> None:
    row = model.objects.all()[0]

    assert model.objects.get_by_natural_key(*row.natural_key()) == row


def test_a_number_for_one_condition_is_found_again_by_its_natural_key() -> None:
    row = SyndromeMember.objects.exclude(condition=None)[0]

    assert SyndromeMember.objects.get_by_natural_key(*row.natural_key()) == row


def test_the_choices_are_those_of_the_engine() -> None:
    for ours, theirs in (
        (choices.Basis, vocabulary.Basis),
        (choices.Kind, vocabulary.Kind),
        (choices.Tier, vocabulary.Tier),
        (choices.Observation, vocabulary.Observation),
        (choices.RuleKind, vocabulary.RuleKind),
    ):
        assert ours.values == [member.value for member in theirs]
    assert choices.Urgency.values == [urgency.key for urgency in vocabulary.Urgency]


def test_every_field_that_staff_edit_explains_itself() -> None:
    """A field whose name says it all is the exception, and is listed here."""
    plain = {"name", "heading", "topic", "kind", "scope", "icd10", "icd10_note", "snomed_note"}
    plain |= {"feature", "condition", "option", "basis", "urgency", "needs_mirror"}
    plain |= {"self_care", "safety_net", "do_not", "sources", "conditions"}
    plain |= {"syndrome"}
    edited = (Topic, Source, Condition, Feature, Option, Likelihood, RedFlag, Advice)
    for model in (*edited, Syndrome, SyndromeChance, SyndromeMember):
        for field in (*model._meta.concrete_fields, *model._meta.many_to_many):
            if field.editable and not field.primary_key and field.name not in plain:
                assert field.help_text, f"{model.__name__}.{field.name} has no help"


def test_what_only_another_topic_rests_on_is_no_part_of_this_one(topic: Topic) -> None:
    before = compile_release(topic)
    knee = Topic.objects.get(pk=topic.pk)
    knee.pk, knee.key = None, "knee"
    knee.save()
    source = Source.objects.get(key="milton2021")
    source.pk, source.key = None, "knee_guide"
    source.save()
    condition = topic.conditions.get(key="lipoma")
    condition.pk, condition.topic = None, knee
    condition.save()
    condition.sources.add(source, Source.objects.get(key="milton2021"))

    assert compile_release(topic) == before
    named = {row["key"] for row in compile_release(knee)["sources"]}
    assert {"knee_guide", "milton2021"} <= named
    assert len(named) < len(before["sources"])
