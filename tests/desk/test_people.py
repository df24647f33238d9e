"""Picking up what a person handed over: by its code, or from the list."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from time_machine import Traveller

from tests.staff.people import sign_in
from triage.desk.models import Verdict
from triage.handover import services
from triage.handover.models import Handover
from triage.staff.roles import ROLES

from .conftest import Begin
from .people import AtKiosk, at_the_desk, member

pytestmark = pytest.mark.django_db
DESK = "/staff/desk/"
PICK_UP = f"{DESK}pick-up"


def text_of(response: Any) -> str:
    page = response.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def person(somebody: Begin) -> AtKiosk:
    person = somebody()
    person.finish(timezone.now())
    return person


@pytest.fixture
def code(person: AtKiosk) -> str:
    visit, now = person.visit, timezone.now()
    return services.hand_over(assessment=person.assessment, visit=visit, now=now).code


@pytest.fixture
def opened(code: str, surgery: Client) -> str:
    """The address of what the doctor has opened."""
    address: str = surgery.post(PICK_UP, {"code": code}).headers["Location"]
    return address


@pytest.mark.parametrize("how", [str, str.lower, lambda code: f" {code.replace('-', ' ')} "])
def test_a_code_opens_it_however_it_is_typed(how: Any, code: str, surgery: Client) -> None:
    response = surgery.post(PICK_UP, {"code": how(code)}, follow=True)

    handover = Handover.objects.get()
    assert response.redirect_chain == [(f"{DESK}people/{handover.pk}", 302)]
    said = text_of(response)
    assert f"Ticket {handover.document['ticket']} Waiting room 2" in said
    assert "Opened by Chidi Okafor at 10:00. It deletes itself at 10:30 ." in said
    assert response.headers["Cache-Control"].count("no-store") == 1


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Type the code that the patient shows you"),
        ("BBB-BBB", "Nothing is here under this code."),
        ("K7M-4Q", "Nothing is here under this code."),
        ("€" * 30, "Nothing is here under this code."),
    ],
)
def test_a_code_that_opens_nothing_says_why(typed: str, why: str, surgery: Client) -> None:
    response = surgery.post(PICK_UP, {"code": typed})

    assert response.status_code == 422
    assert why in text_of(response)
    assert "<title>Error: Open by code" in response.content.decode()


def test_who_types_many_wrong_codes_waits(code: str, surgery: Client, clock: Traveller) -> None:
    for _ in range(services.MOST_WRONG):
        surgery.post(PICK_UP, {"code": "BBB-BBB"})

    response = surgery.post(PICK_UP, {"code": code})

    assert response.status_code == 429
    assert "Too many wrong codes. The next one counts in 10 minutes." in text_of(response)
    clock.shift(timedelta(minutes=10))
    assert surgery.post(PICK_UP, {"code": code}).status_code == 302


def test_a_code_that_a_colleague_used_says_who_it_was(code: str, opened: str) -> None:
    colleague = at_the_desk(member("lund", "Clinician"))

    response = colleague.post(PICK_UP, {"code": code})

    assert "Chidi Okafor opened this at 10:00: ask them." in text_of(response)


def test_what_was_handed_over_opens_from_the_list(
    code: str, person: AtKiosk, surgery: Client
) -> None:
    ticket = person.visit.ticket
    person.leave(timezone.now())
    listed = surgery.get(DESK).content.decode()
    (way,) = re.findall(rf'action="({DESK}people/\d+/open)"', listed)

    looked_at = surgery.get(way.removesuffix("/open"))
    assert "Nobody has opened it yet." in text_of(looked_at)
    assert Handover.objects.get().opened_at is None

    opened = surgery.post(way, follow=True)
    assert f"Ticket {ticket}" in text_of(opened)
    assert "Opened 10:00" in text_of(surgery.get(DESK))


def test_what_came_from_a_phone_at_home_opens_by_its_code_alone(
    person: AtKiosk, surgery: Client
) -> None:
    services.hand_over(assessment=person.assessment, visit=None, now=timezone.now())
    address = f"{DESK}people/{Handover.objects.get().pk}"

    assert surgery.get(address).status_code == 404
    assert surgery.post(f"{address}/open").status_code == 404
    assert Handover.objects.get().opened_at is None


def test_it_is_taken_away_as_text_as_fhir_and_with_its_receipt(
    opened: str, surgery: Client
) -> None:
    ticket = Handover.objects.get().document["ticket"]
    shown = re.search(r'<pre id="plain-text" hidden>(.*?)</pre>', surgery.get(opened).text, re.S)
    note = surgery.get(f"{opened}/note")
    fhir = surgery.get(f"{opened}/fhir")
    receipt = surgery.get(f"{opened}/receipt")

    assert note.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert f"Ticket {ticket}" in note.content.decode()
    assert Verdict.objects.get().reference in note.content.decode()
    assert shown is not None
    assert unescape(shown[1]) == note.content.decode()
    assert json.loads(fhir.content)["resourceType"] == "Bundle"
    assert '"http://testserver/fhir/CodeSystem/' in fhir.content.decode()
    assert fhir.headers["Content-Disposition"] == (
        f'attachment; filename="checker-2031-05-07-{ticket}.fhir.json"'
    )
    assert json.loads(receipt.content)["replies"]
    for response in (note, fhir, receipt):
        assert "no-store" in response.headers["Cache-Control"]


def test_what_was_taken_into_the_record_is_deleted_once_that_is_confirmed(
    opened: str, surgery: Client
) -> None:
    asked = surgery.get(f"{opened}/done")
    assert "Yes, delete it here" in text_of(asked)
    assert Handover.objects.exists()

    response = surgery.post(f"{opened}/done", follow=True)

    assert response.redirect_chain == [(DESK, 302)]
    assert "Deleted here." in text_of(response)
    assert not Handover.objects.exists()
    gone = surgery.get(opened)
    assert gone.status_code == 404
    assert "This is not here any more" in text_of(gone)


def test_half_an_hour_later_it_is_gone_though_the_row_is_still_there(
    opened: str, surgery: Client, clock: Traveller
) -> None:
    clock.shift(timedelta(minutes=14))
    assert surgery.get(opened).status_code == 200
    clock.shift(timedelta(minutes=14))
    assert surgery.get(opened).status_code == 200
    clock.shift(timedelta(minutes=2))

    for address in (
        opened,
        f"{opened}/note",
        f"{opened}/fhir",
        f"{opened}/receipt",
        f"{opened}/done",
    ):
        assert surgery.get(address).status_code == 404


def test_nothing_is_taken_away_before_it_was_opened(code: str, surgery: Client) -> None:
    address = f"{DESK}people/{Handover.objects.get().pk}"

    for way in ("note", "fhir", "receipt", "done"):
        assert surgery.get(f"{address}/{way}").status_code == 404


# Who may do what

OPEN_TO = {
    "": {"Reception", "Clinician"},
    "live": {"Reception", "Clinician"},
    "visits/{visit}/seen": {"Reception", "Clinician"},
    "pick-up": {"Clinician"},
    "people/{handover}": {"Clinician"},
    "people/{handover}/note": {"Clinician"},
    "people/{handover}/fhir": {"Clinician"},
    "people/{handover}/receipt": {"Clinician"},
    "people/{handover}/done": {"Clinician"},
    "people/{handover}/open": {"Clinician"},
    "verdict": {"Clinician"},
    "evidence": {"Clinician"},
    "evidence.csv": {"Clinician"},
}
POSTS = {"visits/{visit}/seen", "people/{handover}/open"}


def test_each_address_opens_to_those_roles_alone(opened: str, person: AtKiosk) -> None:
    known = {"visit": person.visit.pk, "handover": Handover.objects.get().pk}
    clients = {role: at_the_desk(member(role.lower(), role)) for role in ROLES}
    for path, roles in OPEN_TO.items():
        address = DESK + path.format(**known)
        for role, client in clients.items():
            answer = client.post(address) if path in POSTS else client.get(address)
            assert (answer.status_code in (200, 302)) is (role in roles), (path, role)
            assert answer.status_code != 302 or "login" not in answer.headers["Location"]


def test_the_first_page_of_staff_leads_to_the_desk(surgery: Client) -> None:
    assert f'href="{DESK}"' in surgery.get("/staff/").content.decode()
    author = at_the_desk(member("author", "Author"))
    assert f'href="{DESK}"' not in author.get("/staff/").content.decode()


def test_nobody_gets_in_with_a_password_alone_or_as_nobody(opened: str, doctor: User) -> None:
    half = Client()
    half.force_login(doctor)
    for client in (Client(), half):
        for address in (DESK, PICK_UP, opened, f"{opened}/note"):
            assert client.get(address).headers["Location"].startswith("/staff/login/")


def test_reception_sees_no_answer_and_no_way_to_one(
    code: str, person: AtKiosk, ana: User, surgery: Client
) -> None:
    seen = sign_in(Client(), ana).get(DESK).content.decode()

    assert "people/" not in seen
    assert "Patient&#x27;s code" not in seen
    assert "Patient&#x27;s code" in surgery.get(DESK).content.decode()
    wording = person.assessment.content.wording("en")
    for feature, _ in person.assessment.replies:
        assert wording.feature_name(feature) not in seen


@pytest.mark.parametrize("address", ["live", "", "pick-up"])
def test_only_what_is_meant_to_be_posted_to_is(address: str, surgery: Client) -> None:
    assert surgery.put(DESK + address).status_code == 405
