"""The menu of a kiosk, and the number that opens it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import Client

from tests.staff.people import log_of
from triage.kiosk import pin
from triage.kiosk.models import Terminal

from .conftest import FIRST_PAGE, PIN, AtKiosk, enrolled, everything_is_gone, make_terminal

MENU = "/kiosk/menu"


def give(visitor: AtKiosk, typed: str = PIN) -> Any:
    return visitor.browser.post(MENU, {"pin": typed})


def is_open(visitor: AtKiosk) -> bool:
    return "Close this menu" in visitor.browser.get(MENU).text


@pytest.mark.parametrize("guess", ["6042", "1848", "90317", "27182818"])
def test_a_pin_may_be(guess: str) -> None:
    pin.check_is_hard_to_guess(guess)


@pytest.mark.parametrize(
    "guess",
    [
        *("", "123", "123456789", "abcd", "12 4", "١٢٣٤", "-123"),
        *("1234", "4321", "0123", "7890", "45678", "0000", "1212", "7777", "1122"),
        *("1985", "2031", "604604", "12341234", "98765432"),
    ],
)
def test_a_pin_may_not_be(guess: str) -> None:
    with pytest.raises(ValidationError):
        pin.check_is_hard_to_guess(guess)


def test_the_pin_opens_the_menu_for_five_minutes(
    terminal: Terminal, clock: time_machine.Traveller
) -> None:
    visitor = AtKiosk(enrolled(terminal))
    assert not is_open(visitor)

    response: HttpResponse = give(visitor)

    assert (response.status_code, response.headers["Location"]) == (303, MENU)
    cookie = response.cookies[pin.COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Strict", 300)
    assert PIN not in cookie.value
    clock.shift(timedelta(minutes=4, seconds=59))
    assert is_open(visitor)
    clock.shift(timedelta(seconds=2))
    assert not is_open(visitor)  # whatever the browser made of the cookie's own time


def test_five_wrong_pins_and_none_is_looked_at_for_a_quarter_of_an_hour(
    terminal: Terminal, clock: time_machine.Traveller, told: pytest.LogCaptureFixture
) -> None:
    visitor = AtKiosk(enrolled(terminal))
    statuses = [give(visitor, "9999").status_code for _ in range(6)]

    assert statuses == [422, 422, 422, 422, 429, 429]
    assert give(visitor).status_code == 429
    clock.shift(timedelta(minutes=14, seconds=59))
    assert give(visitor).status_code == 429
    clock.shift(timedelta(seconds=1))
    assert give(visitor, "9999").status_code == 422
    assert give(visitor).status_code == 303
    log = log_of(told)
    assert '"pin_locked"' in log
    assert '"menu_opened"' in log
    assert PIN not in log


def test_a_clock_that_is_set_back_locks_the_menu_for_no_longer(
    terminal: Terminal, clock: time_machine.Traveller
) -> None:
    visitor = AtKiosk(enrolled(terminal))
    for _ in range(5):
        give(visitor, "9999")
    clock.shift(timedelta(hours=-2))

    assert give(visitor).status_code == 303


def test_a_right_pin_starts_the_count_anew(visitor: AtKiosk) -> None:
    for _ in range(3):
        statuses = [give(visitor, "9999").status_code for _ in range(4)]
        assert statuses == [422] * 4
        assert give(visitor).status_code == 303


def test_tries_count_for_the_kiosk_whatever_the_browser_keeps(
    terminal: Terminal, visitor: AtKiosk
) -> None:
    for _ in range(5):
        visitor.leave()
        give(visitor, "9999")

    assert give(visitor).status_code == 429


def test_without_a_pin_the_menu_stays_shut(release: object) -> None:
    terminal = make_terminal()
    visitor = AtKiosk(enrolled(terminal))
    Terminal.objects.update(pin_hash="")

    assert give(visitor, "").status_code == 422
    assert give(visitor, "0000").status_code == 422
    assert "has no PIN yet" in visitor.browser.get(MENU).text


@pytest.mark.parametrize("path", ["restart", "language", "close", "print"])
def test_what_the_menu_does_needs_the_pin(answering: AtKiosk, path: str) -> None:
    address = f"{MENU}/{path}"
    send = answering.browser.get if path == "print" else answering.browser.post

    assert send(address).headers["Location"] == MENU
    assert answering.browser.get("/check/1").status_code == 200


def test_the_menu_of_one_kiosk_opens_no_other(visitor: AtKiosk) -> None:
    give(visitor)
    other = AtKiosk(enrolled(make_terminal("Waiting room 3")))
    other.browser.cookies[pin.COOKIE_NAME] = visitor.browser.cookies[pin.COOKIE_NAME].value

    assert is_open(visitor)
    assert not is_open(other)


def test_a_new_pin_shuts_the_menu(visitor: AtKiosk) -> None:
    give(visitor)
    Terminal.objects.update(pin_hash=pin.hashed("7315"))

    assert not is_open(visitor)


def test_starting_again_ends_the_visit_and_the_menu(answering: AtKiosk) -> None:
    give(answering)
    response = answering.browser.post(f"{MENU}/restart")

    assert (response.status_code, response.headers["Location"]) == (303, FIRST_PAGE)
    assert everything_is_gone()
    assert not is_open(answering)


def test_closing_the_menu_leaves_the_visit_as_it_is(answering: AtKiosk) -> None:
    give(answering)
    response = answering.browser.post(f"{MENU}/close")

    assert response.headers["Location"] == "/check/resume"
    assert answering.go("/check/resume").status_code == 200
    assert not is_open(answering)


def test_the_menu_ends_with_the_visit(answering: AtKiosk) -> None:
    give(answering)
    answering.leave()

    assert not is_open(answering)


def test_the_language_of_the_screen_is_one_that_it_offers(visitor: AtKiosk) -> None:
    give(visitor)
    visitor.browser.post(f"{MENU}/language", {"language": "es"})
    assert visitor.leave().headers["Location"] == "/es/kiosk/"
    give(visitor)
    visitor.browser.post(f"{MENU}/language", {"language": "xx"})

    assert Terminal.objects.get().language == "es"


def test_the_menu_says_whether_the_server_is_well(visitor: AtKiosk) -> None:
    give(visitor)
    page = visitor.browser.get(MENU).text

    assert "The database is ready" in page
    assert 'data-pulse="/kiosk/pulse"' in page


def test_a_test_page_can_be_printed(release: object) -> None:
    visitor = AtKiosk(enrolled(make_terminal(prints=True)))
    give(visitor)

    assert "/kiosk/menu/print" in visitor.browser.get(MENU).text
    assert "data-print" in visitor.browser.get(f"{MENU}/print").text


def test_the_menu_is_not_there_at_home(release: object) -> None:
    assert Client().get(MENU).status_code == 404
