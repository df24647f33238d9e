"""Kiosks among the staff pages: who may look after them, and what those pages say and do."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.staff.people import log_of, sign_in, staff_member
from triage.kiosk import enrolment, pin
from triage.kiosk.models import Terminal

from .conftest import FIRST_PAGE, PIN, AtKiosk, enrolled, everything_is_gone

LIST = "/staff/kiosk/terminal/"
FORM = {
    "place": "Waiting room 2",
    "help_text": "",
    "language": "en-gb",
    "idle_question": "75",
    "idle_outcome": "180",
    "warning": "30",
    "target": "76",
    "shows_qr": "on",
    "pin": "",
}


def page_of(terminal: Terminal, name: str = "change") -> str:
    return f"{LIST}{terminal.pk}/{name}/"


def test_from_a_new_row_to_a_screen_that_is_on(clinic: Client) -> None:
    led: Any = clinic.post(f"{LIST}add/", {**FORM, "pin": PIN}, follow=True)
    terminal = Terminal.objects.get()
    assert led.redirect_chain[-1][0] == page_of(terminal, "code")
    assert "Not set up yet" in clinic.get(LIST).text

    shown = clinic.post(page_of(terminal, "code")).text
    code = re.search(r"\d{4} \d{4}", shown)
    assert code is not None
    assert "http://testserver/kiosk/enrol" in shown
    assert "Waits for its code until" in clinic.get(LIST).text
    assert not re.search(r"\d{4} \d{4}", clinic.get(page_of(terminal, "code")).text)

    screen = Client()
    assert screen.post("/kiosk/enrol", {"code": code[0]}).headers["Location"] == FIRST_PAGE
    page = clinic.get(LIST).text
    assert "Set up at" in page
    assert "On now" in page
    assert screen.post("/kiosk/menu", {"pin": PIN}).status_code == 303


def test_it_says_when_a_screen_was_last_seen(
    terminal: Terminal, clinic: Client, clock: time_machine.Traveller
) -> None:
    sign_in(clinic, terminal.made_by)
    enrolled(terminal)
    assert "On now" in clinic.get(LIST).text
    clock.shift(timedelta(minutes=10))

    assert "10\xa0minutes ago: is it switched on" in clinic.get(LIST).text


def test_ending_a_kiosk_is_asked_first_and_locks_its_screen(
    answering: AtKiosk, terminal: Terminal, clinic: Client
) -> None:
    assert page_of(terminal, "end") in clinic.get(page_of(terminal)).text
    assert clinic.get(page_of(terminal, "end")).status_code == 200
    assert answering.go("/check/1").status_code == 200

    clinic.post(page_of(terminal, "end"))

    assert everything_is_gone()
    assert answering.go("/check/1").status_code == 403
    assert "its screen is locked" in clinic.get(LIST).text
    assert clinic.post(page_of(terminal, "end")).status_code == 404


@pytest.mark.parametrize("guess", ["1234", "0000", "12", "pin!"])
def test_a_pin_that_is_easy_to_guess_is_refused(clinic: Client, guess: str) -> None:
    page = clinic.post(f"{LIST}add/", {**FORM, "pin": guess})

    assert page.status_code == 200
    assert not Terminal.objects.exists()


def test_the_pin_is_kept_as_a_hash_and_stays_until_there_is_a_new_one(
    terminal: Terminal, clinic: Client
) -> None:
    before = terminal.pin_hash
    clinic.post(page_of(terminal), FORM)
    terminal.refresh_from_db()
    assert terminal.pin_hash == before

    clinic.post(page_of(terminal), {**FORM, "pin": "80516"})
    terminal.refresh_from_db()

    assert terminal.pin_hash != before
    assert "80516" not in str(vars(terminal))
    assert "80516" not in clinic.get(page_of(terminal)).text


def test_a_new_pin_opens_a_locked_menu(
    terminal: Terminal, visitor: AtKiosk, clinic: Client
) -> None:
    for _ in range(pin.TRIES):
        visitor.browser.post("/kiosk/menu", {"pin": "9999"})
    assert "Locked after 5 wrong tries" in clinic.get(page_of(terminal)).text

    clinic.post(page_of(terminal), {**FORM, "pin": "80516"})

    assert visitor.browser.post("/kiosk/menu", {"pin": "80516"}).status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [
        {"warning": "19"},
        {"idle_question": "5"},
        {"target": "20"},
        {"language": "xx"},
        {"language": "es", "languages": ["en-gb"]},
        {"place": ""},
    ],
)
def test_what_would_cut_people_off_or_shut_them_out_is_refused(
    clinic: Client, wrong: dict[str, Any]
) -> None:
    clinic.post(f"{LIST}add/", {**FORM, **wrong})

    assert not Terminal.objects.exists()


def test_saving_the_form_leaves_alone_what_the_screen_wrote_meanwhile(
    terminal: Terminal, clinic: Client
) -> None:
    code = enrolment.make_code(terminal=terminal, by=terminal.made_by, now=timezone.now())
    clinic.post(page_of(terminal), {**FORM, "target": "104", "languages": ["en-gb", "es"]})
    screen = Client()

    assert screen.post("/kiosk/enrol", {"code": code}).status_code == 303
    assert 'data-kiosk="104"' in screen.get(FIRST_PAGE).text


@pytest.mark.parametrize("name", ["change", "code", "end", "delete"])
@pytest.mark.parametrize("who", ["demo-author", "reception"])
def test_who_does_not_look_after_kiosks_has_no_page_of_them(
    terminal: Terminal, name: str, who: str
) -> None:
    enrolled(terminal)
    user = User.objects.filter(username=who).first() or staff_member(who)
    browser = sign_in(Client(), user)

    assert browser.get(page_of(terminal, name)).status_code == 403
    assert browser.post(page_of(terminal, name)).status_code == 403
    assert Client().get(page_of(terminal, name)).status_code == 302


def test_what_is_done_to_kiosks_is_logged_with_a_name(
    clinic: Client, told: pytest.LogCaptureFixture
) -> None:
    clinic.post(f"{LIST}add/", {**FORM, "pin": PIN})
    terminal = Terminal.objects.get()
    clinic.post(page_of(terminal), {**FORM, "target": "90"})
    clinic.post(page_of(terminal, "delete"), {"post": "yes"})

    log = log_of(told)
    for event in ("terminal_added", "terminal_changed", "terminal_deleted"):
        assert re.search(rf'"who": "demo-clinic".*"{event}"', log)
    assert PIN not in log
