"""A Summary: nothing here has a database, so it asks none."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation
from pytest_django.fixtures import Settings

from triage.engine import (
    NOT_SURE,
    Decline,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Number,
    Option,
    OptionKey,
    Urgency,
)
from triage.handover.models import Handover
from triage.handover.summary import (
    FindingTold,
    Status,
    Summary,
    _read,
    summary_of_assessment,
    summary_of_handover,
)

from .summaries import (
    BEGAN,
    RELEASE,
    chosen,
    in_json,
    interviewed,
    replied,
    shipped_content,
    summarised,
    unusual,
)


def finding(summary: Summary, feature: str) -> FindingTold:
    (found,) = (each for each in summary.findings if each.feature == feature)
    return found


def labels(options: tuple[tuple[OptionKey, str], ...]) -> list[str]:
    return [label for _key, label in options]


# What is known of a feature


def test_what_was_ticked_is_present_and_the_rest_of_it_absent() -> None:
    summary = summarised(replied(age=44, pain_when=["night", "move"]))

    told = finding(summary, "pain_when")
    assert told.status is Status.PRESENT
    assert labels(told.present) == [
        "When bending, lifting or twisting",
        "It wakes from sleep at night",
    ]
    assert labels(told.absent) == [
        "When it is pressed or leaned on",
        "All the time, even when keeping still",
        "When coughing, sneezing or straining on the toilet",
    ]


def test_none_of_these_denies_each_of_them() -> None:
    told = finding(summarised(replied(leg_nerves=["none"])), "leg_nerves")

    assert told.status is Status.ABSENT
    assert told.present == ()
    assert len(told.absent) == 5
    assert told.answer == "None of these"


def test_a_no_denies_what_it_says_no_to() -> None:
    told = finding(summarised(replied(fever="no")), "fever")

    assert (told.status, told.present, told.absent) == (Status.ABSENT, (), (("yes", "Yes"),))


def test_one_of_several_kinds_denies_none_of_the_others() -> None:
    told = finding(summarised(replied(lump_feel="hard")), "lump_feel")

    assert (told.status, told.present, told.absent) == (
        Status.PRESENT,
        (("hard", "Hard, like bone"),),
        (),
    )


def test_a_number_is_present_as_it_was_given() -> None:
    told = finding(summarised(replied(pain_severity=0)), "pain_severity")

    assert (told.status, told.number, told.answer) == (Status.PRESENT, 0, "0")


@pytest.mark.parametrize(
    ("reply", "declined", "answer"),
    [
        (chosen("not_sure"), None, "Not sure"),
        (Declined(Decline.CANT_SEE), Decline.CANT_SEE, "Could not see or reach it"),
    ],
)
def test_who_is_not_sure_has_not_said_no(reply: Any, declined: Decline | None, answer: str) -> None:
    told = finding(summarised(Evidence([(FeatureKey("skin_look"), reply)])), "skin_look")

    assert told.status is Status.NOT_KNOWN
    assert (told.present, told.absent, told.declined) == ((), (), declined)
    assert (told.answer, told.number_asked) == (answer, 1)


def test_what_was_never_asked_is_said_to_be_so() -> None:
    told = finding(summarised(replied(age=44)), "fever")

    assert told.status is Status.NOT_ASKED
    assert (told.answer, told.present, told.absent, told.number_asked) == ("", (), (), None)
    assert told.question == shipped_content().wording("en").question(told.feature)


def test_what_does_not_apply_is_not_in_the_list() -> None:
    of_a_lump = {"lump_size", "lump_feel", "lump_moves", "lump_duration", "tap_shock"}
    before = summarised(replied(age=44, lump_count="one", lump_size="walnut"))
    after = summarised(replied(age=44, lump_count="no_clear_lump", lump_size="walnut"))

    assert of_a_lump <= {told.feature for told in before.findings}
    assert not of_a_lump & {told.feature for told in after.findings}


def option(key: str, **more: Any) -> Option:
    return Option(OptionKey(key), **more)


@pytest.mark.parametrize(
    ("kind", "options", "reply", "expected"),
    [
        # “No” to “Can you walk?” is bad news, and there.
        (
            Kind.SINGLE,
            [option("yes"), option("no", alarm=True)],
            chosen("no"),
            (Status.PRESENT, ["no"], []),
        ),
        (Kind.SINGLE, [option("yes"), option("no")], chosen("no"), (Status.ABSENT, [], ["yes"])),
        (Kind.SINGLE, [option("yes"), option("no")], chosen("yes"), (Status.PRESENT, ["yes"], [])),
        # Somebody who ticked one, and is not sure of the rest, denies none of the rest.
        (
            Kind.MULTI,
            [option("red"), option("hot"), option("not_sure")],
            chosen("red", NOT_SURE),
            (Status.NOT_KNOWN, ["red"], []),
        ),
        (Kind.NUMBER, [], Number(3), (Status.PRESENT, [], [])),
    ],
)
def test_other_topics_are_read_alike(
    kind: Kind, options: list[Option], reply: Any, expected: tuple[Status, list[str], list[str]]
) -> None:
    assert _read(Feature(FeatureKey("walk"), kind, tuple(options)), reply) == expected


# Who


def test_it_says_whose_eyes_and_hands_told_what_only_these_can() -> None:
    evidence = replied(age=44, lump_count="one", skin_look=["red"], lump_size="not_sure")

    summary = summarised(evidence, set_by=["text", "helper", "mirror", "helper"])

    assert finding(summary, "lump_count").observed_by == "a helper who is with them"
    assert finding(summary, "skin_look").observed_by == "the person, with a mirror or a phone photo"
    assert finding(summary, "age").observed_by == ""
    assert finding(summary, "lump_size").observed_by == ""
    assert finding(summary, "lump_size").set_by == "helper"
    assert summary.answered_by == (
        "the person",
        "a helper who is with them",
        "the person, with a mirror or a phone photo",
    )


# What it comes to


def test_a_flag_that_was_raised_again_is_no_longer_taken_back() -> None:
    people_at_edges = unusual()

    once = summary_of_assessment(people_at_edges["a flag taken back"])
    again = summary_of_assessment(people_at_edges["a flag taken back and raised again"])

    assert [flag.key for flag in once.withdrawn] == ["rf_cord_legs", "rf_sepsis"]
    assert again.withdrawn == ()
    assert "rf_cord_legs" in {reason.key for reason in again.reasons}


def test_under_16_there_are_no_causes() -> None:
    summary = summary_of_assessment(unusual()["under 16"])

    assert not summary.in_scope
    assert (summary.differential, summary.must_not_miss) == ((), ())
    assert "scope" in {reason.kind for reason in summary.reasons}
    assert not [told for told in summary.findings if told.feature == "lump_feel"]


def test_an_alarm_that_a_not_sure_leaves_possible_is_named() -> None:
    summary = summarised(interviewed(age=44, bladder_saddle="not_sure"))

    assert "rf_cauda_equina" in {flag.key for flag in summary.not_excluded}
    [unknown] = [each for each in summary.unknowns if each.feature == "bladder_saddle"]
    assert unknown.answer == "Not sure"
    assert unknown.highest is Urgency.EMERGENCY_NOW
    assert "rf_cauda_equina" in {flag.key for flag in unknown.rules}


def test_it_is_in_the_language_of_the_place_whatever_was_read() -> None:
    with translation.override("es"):
        told = summarised(interviewed(age=44), language="es")

    assert told.advice_heading == summarised(interviewed(age=44)).advice_heading
    assert (told.language, told.translation_unchecked) == ("es", True)
    assert not summarised(interviewed(age=44)).translation_unchecked


def test_a_language_that_is_no_longer_spoken_here_does_not_hide_the_summary() -> None:
    assert summarised(interviewed(age=44), language="fr").translation_unchecked


def test_it_is_approved_only_where_somebody_answers_for_it(settings: Settings) -> None:
    settings.CLINICAL_SAFETY_OFFICER = "Dr Ann Other"

    summary = summarised(replied(age=44))

    assert summary.demonstration
    assert not summary.approved_for_clinical_use


def test_a_handover_says_what_the_assessment_said() -> None:
    for assessment in unusual().values():
        handover = Handover(
            release_id=RELEASE,
            document={
                "topic": "back-lump",
                "replies": in_json(assessment),
                "set_by": assessment.set_by,
                "voice": assessment.voice,
                "language": assessment.language,
                "channel": assessment.channel,
                "started_at": BEGAN.isoformat(),
                "finished_at": (BEGAN + timedelta(minutes=4)).isoformat(),
                "withdrawn": assessment.withdrawn,
                "ticket": "472",
                "place": "By the door",
            },
        )

        told = summary_of_assessment(assessment, ticket="472", place="By the door")

        assert summary_of_handover(handover) == told
