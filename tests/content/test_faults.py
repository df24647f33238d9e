"""Content broken in each way, and the sentence that says so."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from triage.content.addresses import linked
from triage.content.documents import Document
from triage.content.faults import Fault, Place, faults_in, find_faults
from triage.content.models import Advice, Likelihood, Option, RedFlag, Topic

from .breaking import add_like, change, double, drop, row, shipped
from .forms import leading_nowhere

FEVER = ("ill_all_over", "fever", "yes")
OSTEOMYELITIS = "vertebral_osteomyelitis"
SOFT = ("likelihoods", "lipoma", "lump_feel", "soft")
BROKEN: dict[str, tuple[Callable[[Document], None], str]] = {
    "a row that does not add up": (
        change(*SOFT, probability=0.5),
        "The likelihoods of “lipoma” / “lump_feel” add up to",
    ),
    "a likelihood of zero": (
        change(*SOFT, probability=0.0),
        "The likelihood of “lipoma” / “lump_feel” / “soft” is 0.0",
    ),
    "a likelihood that is no number": (
        change(*SOFT, probability=float("nan")),
        "The likelihood of “lipoma” / “lump_feel” / “soft” is nan",
    ),
    "a missing likelihood": (
        drop(*SOFT),
        "The likelihood of “lipoma” / “lump_feel” / “soft” is missing",
    ),
    "a likelihood twice": (
        double(*SOFT),
        "The likelihoods of “lipoma”: “lump_feel: soft” has 2 of them",
    ),
    "a likelihood of an option that is not scored": (
        change("options", "lump_feel", "soft", scored=False),
        "There is a likelihood of “lipoma” / “lump_feel” / “soft”, which is not in the topic",
    ),
    "a likelihood of another topic's option": (
        change(*SOFT, option=["knee", "lump_feel", "soft"]),
        "its condition “lipoma” is of this topic, its answer is of “knee”",
    ),
    "priors that are not 100 %": (
        change("conditions", "lipoma", prior_percent=11.0),
        "The priors add up to 1.01",
    ),
    "a condition twice": (double("conditions", "lipoma"), "There are 2 of the condition “lipoma”"),
    "a rule that cannot be read": (
        change("red_flags", "rf_fever", rule="fever == 'yes' and"),
        "The rule “rf_fever” is not in order",
    ),
    "a rule that calls something": (
        change("red_flags", "rf_fever", rule="open('x')"),
        "The rule “rf_fever” is not in order",
    ),
    "a rule with an unknown question": (
        change("red_flags", "rf_fever", rule="temperature == 'yes'"),
        "“temperature”",
    ),
    "a rule with an unknown answer": (
        change("red_flags", "rf_fever", rule="fever == 'perhaps'"),
        "“perhaps”",
    ),
    "a rule that can never hold": (
        change("red_flags", "rf_fever", rule="fever == 'yes' and fever == 'no'"),
        "The rule “rf_fever” can never hold",
    ),
    "an alarm in the negative": (
        change("red_flags", "rf_fever", rule="not ('unwell' in general_signs)"),
        "The rule “rf_fever” is switched off by the alarm “general_signs: unwell”",
    ),
    "a gate that looks at a later question": (
        change("features", "fever", asked_if="age >= 16"),
        "The condition for asking “fever” looks at “age”, which does not come before it",
    ),
    "gates in a circle": (
        lambda document: (
            change("features", "fever", asked_if="injury == 'none'")(document),
            change("features", "injury", asked_if="fever == 'no'")(document),
        )[0],
        "The condition for asking “fever” looks at “injury”",
    ),
    "a gate that cannot be read": (
        change("features", "sex", asked_if="not (age <"),
        "The condition for asking “sex” is not in order",
    ),
    "bands with a gap": (
        change("options", "age", "30_49", low=31),
        "No band of “age” holds 30",
    ),
    "bands that overlap": (
        change("options", "age", "30_49", low=29),
        "Two bands of “age” overlap at 29",
    ),
    "a band out of range": (
        change("options", "pain_severity", "severe_7_10", high=11),
        "The band 7 to 11 of “pain_severity” is empty or out of range",
    ),
    "a condition without a source": (
        change("conditions", "lipoma", sources=[]),
        "The condition “lipoma”: it names no source",
    ),
    "a red flag without a source": (
        change("red_flags", "rf_fever", sources=[]),
        "The red flag “rf_fever”: it names no source",
    ),
    "an unknown placeholder": (
        change("red_flags", "rf_fever", message="Call {doctor} today."),
        "The red flag “rf_fever”: “message” has the placeholder {doctor}, which nothing fills in",
    ),
    "half a placeholder": (
        change("advice", "urgency", "routine", what_to_do="Call {gp_surgery today."),
        "The advice for the urgency “routine”: “what_to_do” has a curly bracket without its pair",
    ),
    "an urgency without advice": (
        drop("advice", "urgency", "few_days"),
        "The urgency “few_days”: there is no advice for it",
    ),
    "a condition without advice": (
        drop("advice", "condition", "lipoma"),
        "The condition “lipoma”: there is no advice for it",
    ),
    "a state without advice": (
        drop("advice", "state", "cord_cauda_compression"),
        "The state “cord_cauda_compression”: there is no advice for it",
    ),
    "a floor without advice": (
        drop("advice", "floor", "floor_see_gp"),
        "The floor “floor_see_gp”: there is no advice for it",
    ),
    "advice for nothing": (
        change("advice", "condition", "lipoma", key="knee_cyst"),
        "The advice for the condition “knee_cyst”: there is no such condition",
    ),
    "a question without its text": (
        change("features", "fever", text_other=" "),
        "The question “fever”: the field “text_other” is empty",
    ),
    "a question for hands that asks a helper about their own back": (
        change("features", "lump_moves", text_helper="Does the lump move when you push it?"),
        (
            "The question “lump_moves”: it needs eyes or hands, but asks two people in the same"
            " words. Word it for each"
        ),
    ),
    "a question for eyes that asks the same of somebody who answers for another": (
        change(
            "features",
            "back_shape",
            text_other="Is your back curved, humped or higher on one side?",
        ),
        "The question “back_shape”: it needs eyes or hands, but asks two people in the same words",
    ),
    "a question for eyes that does not say how to look": (
        change("features", "skin_look", help_text=" "),
        "The question “skin_look”: it needs eyes or hands, but no help text says how to look or",
    ),
    "an answer without its text": (
        change("options", "fever", "yes", text=""),
        "The answer “yes” of “fever”: the field “text” is empty",
    ),
    "two questions at one place": (
        change("features", "fever", order=5),
        "The order of the questions: “fever” and “injury” share place 5",
    ),
    "two answers at one place": (
        change("options", "fever", "yes", order=2),
        "The answers of “fever”: “no” and “yes” share place 2",
    ),
    "a not-sure that is scored": (
        change("options", "fever", "not_sure", scored=True),
        "The answer “not_sure” of “fever”: “not sure” holds alone and has no likelihoods",
    ),
    "a none that is an alarm": (
        change("options", "leg_nerves", "none", alarm=True),
        "The answer “none” of “leg_nerves”: an answer that holds alone cannot be an alarm",
    ),
    "a risk group of nothing": (
        lambda document: document["risk_groups"].append(
            {
                "topic": ["back-lump"],
                "key": "cancer",
                "name": "A cancer",
                "urgency": "urgent_2_weeks",
                "raise_at_percent": 3.0,
                "conditions": [],
                "sources": [["nice_ng12"]],
            }
        ),
        "The risk group “cancer” is empty",
    ),
    "a risk group of another topic": (
        lambda document: document["risk_groups"].append(
            {
                "topic": ["back-lump"],
                "key": "cancer",
                "name": "A cancer",
                "urgency": "urgent_2_weeks",
                "raise_at_percent": 3.0,
                "conditions": [["knee", "myeloma"]],
                "sources": [["nice_ng12"]],
            }
        ),
        "The risk group “cancer”: its condition “myeloma” is of the topic “knee”",
    ),
    "a condition that does not say how it is found out": (
        change("conditions", "lipoma", how_found=" "),
        "The condition “lipoma”: the field “how_found” is empty. Fill it in.",
    ),
    "a condition that does not say how it is treated": (
        change("conditions", "lipoma", how_treated=""),
        "The condition “lipoma”: the field “how_treated” is empty. Fill it in.",
    ),
    "a condition that names a paragraph which is nowhere": (
        change("conditions", "lipoma", document_paragraph="P3, P10"),
        "The condition “lipoma”: it names P10, which the topic's source document does not have.",
    ),
    "a syndrome without a source": (
        change("syndromes", "ill_all_over", sources=[]),
        "The syndrome “ill_all_over”: it names no source. Add one.",
    ),
    "a syndrome without an explanation": (
        change("syndromes", "ill_all_over", explanation=""),
        "The syndrome “ill_all_over”: the field “explanation” is empty. Fill it in.",
    ),
    "a condition that nobody says brings the syndrome or not": (
        drop("syndrome_chances", "ill_all_over", "lipoma"),
        "The syndrome “ill_all_over”: nobody says how often “lipoma” brings it. Add the chance.",
    ),
    "a chance for a state": (
        change(
            "syndrome_chances",
            "ill_all_over",
            "lipoma",
            condition=["back-lump", "cord_cauda_compression"],
        ),
        "it has a chance for “cord_cauda_compression”, which is no ranked condition. Remove it.",
    ),
    "a chance of another topic's condition": (
        change("syndrome_chances", "ill_all_over", "lipoma", condition=["knee", "lipoma"]),
        "The syndrome “ill_all_over”: its condition “lipoma” is of the topic “knee”.",
    ),
    "a chance that is no chance": (
        change("syndrome_chances", "ill_all_over", "lipoma", probability=1.0),
        "its chance for “lipoma” is 1.0: not between 0 and 1.",
    ),
    "a sign that is no chance": (
        change("syndrome_members", *FEVER, "any", probability=float("nan")),
        "its number for “fever: yes” is nan: not between 0 and 1.",
    ),
    "a sign of another topic": (
        change("syndrome_members", *FEVER, "any", option=["knee", "fever", "yes"]),
        "The syndrome “ill_all_over”: its option “yes” is of the topic “knee”.",
    ),
    "a syndrome that explains more than there is": (
        lambda document: (
            change("syndrome_chances", "ill_all_over", OSTEOMYELITIS, probability=0.7)(document),
            change("syndrome_members", *FEVER, OSTEOMYELITIS, probability=0.8)(document),
            change("likelihoods", OSTEOMYELITIS, "fever", "yes", probability=0.4)(document),
            change("likelihoods", OSTEOMYELITIS, "fever", "no", probability=0.6)(document),
        )[0],
        (
            "The syndrome “ill_all_over”: 40 in 100 with “vertebral_osteomyelitis” say “fever: yes”,"
            " but this syndrome alone (70 in 100 of them, of whom 80 in 100 do) would make it 56,"
            " where 38 is the most: lower one of the two."
        ),
    ),
    "a syndrome that leaves next to nothing to the others": (
        add_like(
            "syndrome_members",
            *FEVER,
            "any",
            condition=["back-lump", "lipoma"],
            probability=0.96,
        ),
        (
            "1 in 100 with “lipoma” say “fever: yes”, but this syndrome alone (1 in 100 of them, of"
            " whom 96 in 100 do) would make it 0.96, where 0.95 is the most: lower one of the two."
        ),
    ),
    "a syndrome that speaks against its sign": (
        change("syndrome_members", *FEVER, "infected_haematoma", probability=0.5),
        (
            "The syndrome “ill_all_over”: 50 in 100 who have it say “fever: yes”, but 55 in 100 of all"
            " with “infected_haematoma” do: having it would speak against what it shows."
        ),
    ),
    "a number for one condition and none for the others": (
        drop("syndrome_members", *FEVER, "any"),
        (
            "“fever: yes” has a number for “infected_haematoma” but none for the other conditions."
            " Add one without a condition."
        ),
    ),
    "a number for a condition that is none": (
        change(
            "syndrome_members",
            *FEVER,
            "skin_abscess",
            condition=["back-lump", "cord_cauda_compression"],
        ),
        "it names “cord_cauda_compression”, which is no ranked condition.",
    ),
    "a sign that has no likelihoods": (
        change("syndrome_members", *FEVER, "any", option=["back-lump", "fever", "not_sure"]),
        "“fever: not_sure” has no likelihoods, so it cannot show the syndrome.",
    ),
    "a syndrome of one sign": (
        lambda document: document.update(
            syndrome_members=[row(document, "syndrome_members", *FEVER, "any")]
        ),
        "fewer than two findings show it, so there is nothing to link. Add another.",
    ),
    "a question all of whose answers are signs": (
        add_like("syndrome_members", *FEVER, "any", option=["back-lump", "fever", "no"]),
        "every answer of “fever” shows it. Leave out those that do not.",
    ),
    "signs of one question that leave nothing to its other answers": (
        change(
            "syndrome_members",
            "long_standing",
            "pain_duration",
            "months3_12",
            "any",
            probability=0.8,
        ),
        (
            "The syndrome “long_standing”: the answers of “pain_duration” that show it make 100 in"
            " 100 or more of those who have it with “"
        ),
    ),
    "a question whose alarm is no sign": (
        change(
            "syndrome_members",
            "inflamed_skin",
            "skin_look",
            "pus",
            "any",
            option=["back-lump", "lump_change", "bigger_days"],
        ),
        (
            "The syndrome “inflamed_skin”: the alarm “lump_change: bigger_hours” is none of the"
            " answers that show it, so having it would speak against the alarm."
        ),
    ),
    "a question that shows two syndromes": (
        change(
            "syndrome_members",
            "inflamed_skin",
            "skin_look",
            "pus",
            "any",
            option=["back-lump", "eases", "moving"],
        ),
        (
            "The question “eases”: it shows “inflamed_skin” and “relentless_pain”, but may show one"
            " syndrome only."
        ),
    ),
    "an answer that shows two syndromes": (
        change(
            "syndrome_members",
            "inflamed_skin",
            "skin_look",
            "pus",
            "any",
            option=["back-lump", "pain_when", "rest"],
        ),
        (
            "The answer “rest” of “pain_when”: it shows “inflamed_skin” and “relentless_pain”, but may"
            " show one syndrome only."
        ),
    ),
    "a temper above one": (
        lambda document: document["topic"].update(temper=1.5),
        "The temper is 1.5",
    ),
}


# For one worker, which finds the faults of each only once.
broken_in_each_way = pytest.mark.xdist_group("broken in each way")


@cache
def found_in(kind: str) -> list[Fault]:
    """Return the faults of the shipped content that is broken in this way."""
    broken = deepcopy(shipped())
    break_it, _ = BROKEN[kind]
    break_it(broken)
    return faults_in(broken)


@broken_in_each_way
@pytest.mark.parametrize("kind", BROKEN)
def test_content_with_this_fault_is_refused_in_a_sentence(kind: str) -> None:
    _, sentence = BROKEN[kind]

    faults = [str(fault) for fault in found_in(kind)]

    assert any(sentence in fault for fault in faults), faults
    assert all(fault.endswith(".") for fault in faults), faults


def test_the_shipped_content_is_sound(document: Document) -> None:
    assert faults_in(document) == []


def test_a_syndrome_that_does_not_fit_is_not_refused_again_in_the_words_of_the_engine(
    document: Document,
) -> None:
    change("syndrome_chances", "ill_all_over", "lipoma", probability=0.5)(document)

    assert {fault.where for fault in faults_in(document)} == {"The syndrome “ill_all_over”"}


def test_every_fault_is_named_at_once(document: Document) -> None:
    change("features", "fever", text="")(document)
    drop("advice", "urgency", "routine")(document)
    change("conditions", "lipoma", prior_percent=11.0)(document)
    change(*SOFT, probability=0.5)(document)

    assert len(faults_in(document)) == 4


@broken_in_each_way
def test_every_fault_leads_to_the_field_to_mend(topic: Topic) -> None:
    faults = [
        fault
        for kind, (_, sentence) in BROKEN.items()
        for fault in found_in(kind)
        if sentence in str(fault)
    ]

    assert not leading_nowhere(linked(faults, topic))


def test_the_database_is_asked_once_for_each_kind_of_row(
    topic: Topic, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    faults = [
        Fault("It", "is wrong.", place=Place(part, key, field))
        for part, field in (("conditions", "name"), ("likelihoods", "note"), ("options", "text"))
        for key in (("lipoma",), ("fever", "yes"), ("lipoma", "fever", "yes"))
    ]

    with django_assert_num_queries(4):  # an answer stands on the page of its question
        linked(faults, topic)


def test_faults_of_the_drafts_are_found_in_the_database(topic: Topic) -> None:
    Likelihood.objects.filter(option__key="golf_ball", condition__key="lipoma").delete()
    Advice.objects.filter(scope="urgency", key="routine").update(what_to_do="")
    RedFlag.objects.get(key="rf_fever").sources.clear()
    Option.objects.filter(feature__key="fever", key="no").update(order=1)

    faults = find_faults(topic)

    assert set(map(str, faults)) == {
        "The reasoning: The likelihood of “lipoma” / “lump_size” / “golf_ball” is missing.",
        "The advice for the urgency “routine”: the field “what_to_do” is empty. Fill it in.",
        "The red flag “rf_fever”: it names no source. Add one.",
        "The answers of “fever”: “no” and “yes” share place 1.",
    }


def test_faults_of_all_topics_are_found(topic: Topic) -> None:
    second = Topic.objects.get()
    second.pk, second.key = None, "knee"
    second.save()

    faults = find_faults()

    assert Fault("The urgency “routine”", "there is no advice for it. Write some.") in faults


@pytest.mark.django_db
def test_no_topic_at_all_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Topic.objects, "all", Topic.objects.none)

    assert [fault.where for fault in find_faults()] == ["The content"]
