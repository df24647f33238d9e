"""What clinicians say afterwards is kept, and leads to nobody."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone
from time_machine import Traveller

from triage.content.models import Release
from triage.desk import verdicts
from triage.desk.evidence import evidence
from triage.desk.models import Judgement, Verdict
from triage.engine import Urgency
from triage.handover import services
from triage.handover.models import Handover
from triage.handover.summary import summary_of_handover
from triage.questionnaire import services as questionnaire

from .conftest import Begin
from .people import AtKiosk, at_the_desk, member

pytestmark = pytest.mark.django_db
VERDICT, EVIDENCE = "/staff/desk/verdict", "/staff/desk/evidence"
TODAY = date(2031, 5, 7)


def text_of(response: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


@pytest.fixture
def person(somebody: Begin) -> AtKiosk:
    person = somebody()
    person.finish(timezone.now())
    return person


@pytest.fixture
def handover(person: AtKiosk) -> Handover:
    services.hand_over(assessment=person.assessment, visit=person.visit, now=timezone.now())
    return Handover.objects.get()


@pytest.fixture
def verdict(handover: Handover) -> Verdict:
    return verdicts.keep(handover=handover, summary=summary_of_handover(handover), on=TODAY)


@pytest.fixture
def page(handover: Handover, surgery: Client) -> str:
    """The address of what the doctor has opened."""
    opened = surgery.post(f"/staff/desk/people/{handover.pk}/open")
    address: str = opened.headers["Location"]
    return address


def test_the_reference_stands_on_the_note_and_stays_the_same(page: str, surgery: Client) -> None:
    first, second = surgery.get(page), surgery.get(page)

    (reference,) = Verdict.objects.values_list("reference", flat=True)
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", reference)
    assert text_of(first).count(reference) >= 2
    assert reference in text_of(second)
    assert reference in surgery.get(f"{page}/note").content.decode()


def test_a_verdict_has_what_was_advised_and_nothing_of_the_person(
    verdict: Verdict, handover: Handover, person: AtKiosk
) -> None:
    summary = summary_of_handover(handover)
    row = Verdict.objects.values().get()

    assert row["urgency"] == summary.urgency
    assert (row["release_id"], row["made_on"]) == (handover.release_id, TODAY)
    keys = [key for key, _ in row["leading"]]
    assert keys == [*(cause.key for cause in summary.differential[:10]), ""]
    assert sum(posterior for _, posterior in row["leading"]) == pytest.approx(1, abs=0.06)
    assert all(posterior == round(posterior, 2) for _, posterior in row["leading"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM desk_verdict")
        kept = str(cursor.fetchall())
    for word in (person.visit.ticket, "Waiting room", handover.link_hash, handover.code_hash):
        assert word not in kept
    assert not re.search(r"\d\d:\d\d", kept)
    assert not [feature for feature, _ in handover.document["replies"] if f"'{feature}'" in kept]


def test_nothing_leads_from_a_reference_to_a_person_once_it_is_deleted(
    verdict: Verdict, handover: Handover, person: AtKiosk
) -> None:
    services.forget(handover)
    services.hand_over(assessment=person.assessment, visit=person.visit, now=timezone.now())

    assert verdicts.reference_of(Handover.objects.get()) != verdict.reference


def test_three_buttons_on_the_page_say_whether_the_urgency_was_right(
    page: str, surgery: Client
) -> None:
    shown = surgery.get(page).content.decode()
    buttons = re.findall(r'name="urgency_right" value="(\w+)" aria-pressed="false"', shown)
    assert buttons == Judgement.values
    reference = Verdict.objects.get().reference

    response = surgery.post(
        VERDICT, {"reference": reference, "urgency_right": "too_urgent", "next": page}, follow=True
    )

    assert response.redirect_chain == [(page, 302)]
    assert "Kept. It counts from next month on." in text_of(response)
    assert 'value="too_urgent" aria-pressed="true"' in response.content.decode()
    row = Verdict.objects.get()
    assert (row.urgency_right, row.urgency_on) == ("too_urgent", TODAY)


def test_whoever_should_have_been_seen_sooner_is_somebody_to_tell_of_today(
    verdict: Verdict, surgery: Client, settings: LazySettings
) -> None:
    settings.CLINICAL_SAFETY_OFFICER = "Dr Lund"

    response = surgery.post(
        VERDICT, {"reference": verdict.reference, "urgency_right": "not_urgent_enough"}
    )

    assert "Tell Dr Lund today: one such case matters by itself." in text_of(response)


@pytest.mark.parametrize("how", [str, str.lower, lambda code: f" {code.replace('-', ' ')} "])
def test_later_the_reference_finds_it_however_it_is_typed(
    how: Any, verdict: Verdict, surgery: Client
) -> None:
    response = surgery.post(VERDICT, {"reference": how(verdict.reference)})

    said = text_of(response)
    assert f"Reference {verdict.reference} , 7 May 2031, release 1" in said
    assert "What was it?" in said
    assert verdict.reference not in response.request["PATH_INFO"]


@pytest.mark.parametrize("typed", ["", "K7M4", "BBBB-BBBB", "€" * 30, "AAAA-AAAA"])
def test_a_reference_of_no_note_says_so(typed: str, verdict: Verdict, surgery: Client) -> None:
    response = surgery.post(VERDICT, {"reference": typed})

    assert response.status_code == 422
    assert "No note has this reference." in text_of(response)


@pytest.mark.parametrize("cause", ["lipoma", "other"])
def test_the_cause_is_said_when_it_is_known(cause: str, verdict: Verdict, surgery: Client) -> None:
    surgery.post(VERDICT, {"reference": verdict.reference, "cause": cause})

    row = Verdict.objects.get()
    assert (row.cause, row.cause_on, row.urgency_right) == (cause, TODAY, "")
    shown = surgery.post(VERDICT, {"reference": verdict.reference}).content.decode()
    assert f'value="{cause}" selected' in shown
    surgery.post(VERDICT, {"reference": verdict.reference, "cause": ""})
    row = Verdict.objects.get()
    assert (row.cause, row.cause_on) == ("", None)


def test_a_cause_that_the_release_lacks_is_refused(verdict: Verdict, surgery: Client) -> None:
    response = surgery.post(VERDICT, {"reference": verdict.reference, "cause": "dragon pox"})

    assert "Choose one of the causes in the list." in text_of(response)
    assert Verdict.objects.get().cause == ""


def test_what_was_said_may_be_changed_until_its_month_is_over(
    verdict: Verdict, surgery: Client, doctor: Any, clock: Traveller
) -> None:
    said = {"reference": verdict.reference, "urgency_right": "right", "cause": "lipoma"}
    surgery.post(VERDICT, {**said, "urgency_right": "too_urgent", "cause": "other"})
    clock.shift(timedelta(days=20))
    surgery = at_the_desk(doctor)
    surgery.post(VERDICT, said)
    clock.shift(timedelta(days=10))
    surgery = at_the_desk(doctor)

    response = surgery.post(VERDICT, {**said, "urgency_right": "too_urgent"})
    also = surgery.post(VERDICT, {"reference": verdict.reference, "cause": ""})

    for page in (response, also):
        assert "This was said on 27 May 2031 and is counted: it stays as it is." in text_of(page)
    row = Verdict.objects.get()
    assert (row.urgency_right, row.cause) == ("right", "lipoma")


@pytest.mark.parametrize("said", [{}, {"urgency_right": "right"}, {"cause": "lipoma"}])
def test_what_nobody_said_anything_on_is_deleted_after_a_year(
    said: dict[str, str], verdict: Verdict, surgery: Client, clock: Traveller
) -> None:
    surgery.post(VERDICT, {"reference": verdict.reference, **said})

    clock.shift(timedelta(days=365))
    questionnaire.purge(now=timezone.now())
    assert Verdict.objects.exists()
    clock.shift(timedelta(days=1))
    questionnaire.purge(now=timezone.now())

    assert Verdict.objects.exists() is bool(said)


def test_a_person_out_of_scope_has_no_causes_and_can_be_judged(
    handover: Handover, surgery: Client
) -> None:
    handover.document |= {"replies": [["age", 9]], "set_by": ["other"]}
    verdict = verdicts.keep(handover=handover, summary=summary_of_handover(handover), on=TODAY)

    assert verdict.leading == []
    assert surgery.post(VERDICT, {"reference": verdict.reference}).status_code == 200


def test_only_clinicians_say_and_read_it(page: str, verdict: Verdict, desk: Client) -> None:
    assert desk.post(VERDICT, {"reference": verdict.reference}).status_code == 403
    assert desk.get(EVIDENCE).status_code == 403
    assert desk.get(f"{EVIDENCE}.csv").status_code == 403
    reader = at_the_desk(member("reader"))
    assert reader.get(EVIDENCE).status_code == 403


# What it comes to


def say(release: Release, count: int, *, on: date, right: Judgement, cause: str = "") -> None:
    start = Verdict.objects.count()
    Verdict.objects.bulk_create(
        Verdict(
            reference=f"{start + number:08}",
            release=release,
            urgency=Urgency.ROUTINE,
            leading=[["lipoma", 0.62], ["epidermoid_cyst", 0.2], ["", 0.18]],
            made_on=on,
            urgency_right=right,
            urgency_on=on,
            cause=cause,
            cause_on=on if cause else None,
        )
        for number in range(count)
    )


@pytest.fixture
def a_spring(release: Release, clock: Traveller) -> None:
    """Verdicts of two months that are over by now, and some of this one."""
    for month, right, late in ((3, 41, 12), (4, 30, 11)):
        on = date(2031, month, 20)
        say(release, right, on=on, right=Judgement.RIGHT, cause="lipoma")
        say(release, late, on=on, right=Judgement.NOT_URGENT_ENOUGH, cause="other")
        say(release, 10, on=on, right=Judgement.TOO_URGENT, cause="epidermoid_cyst")
    say(release, 3, on=TODAY, right=Judgement.RIGHT)


@pytest.mark.usefixtures("a_spring")
def test_the_page_tells_what_it_comes_to_and_that_it_is_no_study(surgery: Client) -> None:
    said = text_of(surgery.get(EVIDENCE))

    assert "These are impressions, not a study." in said
    assert "110 or more were judged." in said
    assert "71 114 62 % 53 to 71 %" in said
    assert "Should have been seen sooner" in said
    assert "23 114 20 %" in said
    assert "Could have waited" in said
    assert "April 2031 30 51 59 %" in said
    assert "March 2031" in said
    assert "Among the first three" in said
    assert "91 114 80 %" in said


@pytest.mark.usefixtures("a_spring")
def test_the_table_for_a_spreadsheet_has_the_same_numbers(surgery: Client) -> None:
    response = surgery.get(f"{EVIDENCE}.csv")

    rows = [line.split(",") for line in response.content.decode().splitlines()]
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert {tuple(row[2].split(" ")[:2]) for row in rows[1:]} >= {("urgency", "right")}
    april = [row for row in rows if row[2:5] == ["urgency right", "2031-04", "2031-04"]]
    assert [row[8:11] for row in april] == [["30", "51", "0.588"]]


def test_before_there_is_anything_the_page_says_what_will_stand_there(
    release: Release, surgery: Client
) -> None:
    response = surgery.get(EVIDENCE)

    assert evidence(today=TODAY) == []
    assert "Nothing yet For each release this page will say:" in text_of(response)
    assert "Download" not in text_of(response)


def test_with_too_few_it_says_when_it_will(release: Release, surgery: Client) -> None:
    say(release, 15, on=date(2031, 4, 2), right=Judgement.RIGHT, cause="lipoma")

    said = text_of(surgery.get(EVIDENCE))

    assert "10 or more were judged in months that are over." in said
    assert "Shown as soon as the urgency was right for 10 and not right for 10." in said
    assert "15" not in said


@pytest.mark.usefixtures("a_spring")
def test_the_page_takes_two_statements_however_many_verdicts_there_are(
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(2):
        evidence(today=TODAY)
