"""The note as a clinician meets it: in what order, in whose words, and on how much paper."""

import re
from dataclasses import replace

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from pytest_django.fixtures import Settings

from triage.handover.note import per_cent, plain_text
from triage.handover.summary import ReasonTold, Summary, summary_of_assessment

from .summaries import (
    interviewed,
    replied,
    summarised,
    unusual,
)


def html_of(summary: Summary, **context: str) -> str:
    return render_to_string("handover/note.html", {"summary": summary, **context})


def headings_of(text: str) -> list[str]:
    return [block.splitlines()[0] for block in text.split("\n\n")]


def test_urgency_and_flags_come_first_and_what_was_not_asked_comes_late() -> None:
    evidence = interviewed(age=44, fever="yes", bladder_saddle="not_sure", skin_look="cant_see")

    text = plain_text(summarised(evidence, withdrawn=["rf_sepsis"]))

    assert headings_of(text) == [
        "PAINFUL LUMP ON THE SPINE IN THE MIDDLE OF THE BACK",
        "URGENT: TODAY - Get help today",
        "RED FLAGS AND OTHER REASONS",
        "RED FLAGS TAKEN BACK: RAISED, THEN THE ANSWER WAS CHANGED",
        "NOT RULED OUT, AS AN ANSWER IS NOT KNOWN",
        "POSSIBLE CAUSES: ESTIMATES, WITH THE RANGE FOR 90 IN 100",
        "SERIOUS CAUSES TO RULE OUT",
        "PRESENT",
        "ABSENT",
        "ASKED, BUT NOT KNOWN",
        "NOT ASKED",
        "Seen or felt by the person: Heat of the skin; Shape of the back.",
        "NOT KNOWN, AND COULD CHANGE THE ADVICE",
        "NOT KNOWN, AND COULD CHANGE WHICH CAUSE COMES FIRST",
    ]


def test_the_first_lines_say_where_to_find_the_person_and_not_to_trust_it_blindly() -> None:
    first, where, *rest = plain_text(summarised(interviewed(age=44))).splitlines()

    assert first == "PAINFUL LUMP ON THE SPINE IN THE MIDDLE OF THE BACK"
    assert where == "Ticket 472. By the door. Begun on 26 November 2026, 09:30, done at 09:34."
    head = " ".join(rest[:5])
    assert "Not a diagnosis. Not approved for clinical use. Demonstration." in head
    assert "Content release 3 (" in head


def test_the_page_has_the_same_order_as_the_text() -> None:
    summary = summarised(interviewed(age=44, fever="yes", bladder_saddle="not_sure"))
    note = html_of(summary)

    parts = re.findall(r'data-part="(\w+)"', note)
    order = ["urgency", "reasons", "not_excluded", "causes", "must_not_miss"]
    assert parts == [*order, *["findings"] * 4, "observed", "unknowns", "leads"]
    statuses = re.findall(r'data-status="(\w+)"', note)
    assert statuses == ["present", "absent", "not_known", "not_asked"]


def test_causes_have_the_names_that_clinicians_use() -> None:
    text = plain_text(summarised(interviewed(age=44)))

    assert "Metastatic cancer in the spine" in text
    assert "Cancer that has spread" not in text


def test_without_a_reason_it_says_that_there_is_no_red_flag() -> None:
    calm = replace(summarised(interviewed(age=30)), reasons=())

    assert "No red flag, and no other reason to be seen sooner." in plain_text(calm)
    assert "No red flag" in html_of(calm)
    assert "No red flag" not in plain_text(summarised(interviewed(fever="yes")))


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("under 16", "This check does not list causes for this person."),
        (
            "an emergency before the age is known",
            "Not listed: it ended before it was known whether this check fits this person.",
        ),
    ],
)
def test_where_no_causes_are_listed_it_says_why(who: str, says: str) -> None:
    summary = summary_of_assessment(unusual()[who])

    assert says in " ".join(plain_text(summary).split())
    assert says in " ".join(html_of(summary).split())


@pytest.mark.parametrize(
    ("posterior", "says"),
    [
        (0.12, "(12%, counts from 10%)"),
        (0.41, "(41% if some of the alarms are left out, counts from 10%)"),
    ],
)
def test_a_risk_says_how_high_it_is_and_from_where_it_counts(posterior: float, says: str) -> None:
    summary = summarised(interviewed(age=44))
    cause = replace(summary.differential[0], posterior=0.12)
    risk = ReasonTold(
        kind="risk",
        key=cause.key,
        title=cause.name,
        message="",
        urgency=summary.urgency,
        conditions=(cause.key,),
        posterior=posterior,
        threshold=0.1,
    )

    said = replace(summary, differential=(cause,), must_not_miss=(), reasons=(risk,))

    text = plain_text(said)

    assert f"It could be: {cause.name} {says}" in " ".join(text.split())


def test_a_reference_stands_on_it_where_there_is_one() -> None:
    summary = summarised(interviewed(age=44))

    assert "Reference: AB12-CD34." in html_of(summary, reference="AB12-CD34")
    assert "Reference: AB12-CD34." in plain_text(summary, reference="AB12-CD34")
    assert "Reference" not in html_of(summary)


def test_one_that_was_broken_off_says_so() -> None:
    summary = summarised(replied(age=44), finished_at=None)

    assert "Begun on 26 November 2026, 09:30, not finished." in plain_text(summary)


def test_it_is_in_the_language_of_the_place(settings: Settings) -> None:
    spanish = summarised(interviewed(age=44), language="es")

    with translation.override("es"):
        text = plain_text(spanish)

    assert text == plain_text(spanish)
    assert "RED FLAGS AND OTHER REASONS" in text
    settings.LANGUAGE_CODE = "es"
    assert "RED FLAGS" not in headings_of(plain_text(summarised(interviewed(age=44))))[1]
    assert "Edad: 44" in plain_text(summarised(interviewed(age=44)))
    assert '<article class="note" lang="es">' in html_of(summarised(interviewed(age=44)))


@pytest.mark.parametrize(
    ("probability", "shown"),
    [
        (0.0, "<0.1%"),
        (0.00099, "<0.1%"),
        (0.001, "0.1%"),
        (0.0449, "4.5%"),
        (0.0996, "9.9%"),  # 10% would be the next word
        (0.1, "10%"),
        (0.2999, "29%"),
        (0.623, "62%"),
        (0.99, "99%"),
        (0.9901, ">99%"),
        (1.0, ">99%"),
    ],
)
def test_a_percentage_never_claims_more_than_is_known(probability: float, shown: str) -> None:
    assert per_cent(probability) == shown
