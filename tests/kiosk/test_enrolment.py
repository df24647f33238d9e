"""How a browser becomes a kiosk, and stops being one."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils import timezone

from tests.staff.people import log_of, sign_in
from triage.kiosk import enrolment
from triage.kiosk.models import Terminal, WrongEnrolment
from triage.questionnaire import services as questionnaire
from triage.questionnaire.models import Assessment, Token, hash_of

from .conftest import FIRST_PAGE, AtKiosk, enrolled, everything_is_gone, make_terminal

HERE = "192.0.2.7"


def code_of(terminal: Terminal) -> str:
    return enrolment.make_code(terminal=terminal, by=terminal.made_by, now=timezone.now())


def type_in(code: str, browser: Client | None = None, address: str = HERE) -> Any:
    return (browser or Client()).post("/kiosk/enrol", {"code": code}, REMOTE_ADDR=address)


def test_a_code_has_eight_digits_and_only_its_hash_is_kept(terminal: Terminal) -> None:
    code = code_of(terminal)
    terminal.refresh_from_db()

    assert re.fullmatch(r"\d{8}", code)
    assert code not in str(vars(terminal))
    assert terminal.code_until is not None
    assert terminal.code_until - timezone.now() <= timedelta(minutes=30)


def test_a_code_makes_a_browser_the_terminal(terminal: Terminal) -> None:
    code = code_of(terminal)

    response = type_in(f" {code[:4]}-{code[4:]} ")

    assert (response.status_code, response.headers["Location"]) == (303, FIRST_PAGE)
    cookie = response.cookies[settings.KIOSK_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert cookie["max-age"] == 400 * 24 * 60 * 60  # browsers keep none for longer
    terminal.refresh_from_db()
    assert len(cookie.value) == 43  # 256 bits in base 64
    assert terminal.token_hash == hash_of(Token(cookie.value))
    assert cookie.value not in str(vars(terminal))


@override_settings(
    KIOSK_COOKIE_NAME="__Host-kiosk", ASSESSMENT_COOKIE_SECURE=True, SECURE_SSL_REDIRECT=True
)
def test_over_https_the_cookie_is_bound_to_the_host(terminal: Terminal) -> None:
    code = code_of(terminal)

    refused = Client().post("/kiosk/enrol", {"code": code})
    cookie = Client().post("/kiosk/enrol", {"code": code}, secure=True).cookies["__Host-kiosk"]

    assert refused.status_code == 301
    assert refused.headers["Location"].startswith("https://")
    assert "__Host-kiosk" not in refused.cookies
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


def test_a_code_works_once(terminal: Terminal) -> None:
    code = code_of(terminal)
    type_in(code)

    response = type_in(code)

    assert response.status_code == 422
    assert settings.KIOSK_COOKIE_NAME not in response.cookies


def test_a_newer_code_voids_the_one_before(terminal: Terminal) -> None:
    first, second = code_of(terminal), code_of(terminal)

    assert type_in(first).status_code == 422
    assert type_in(second).status_code == 303


def test_a_code_is_over_after_half_an_hour(
    terminal: Terminal, clock: time_machine.Traveller
) -> None:
    code = code_of(terminal)
    clock.shift(timedelta(minutes=30))

    assert type_in(code).status_code == 422


@pytest.mark.parametrize(
    "typed", ["", "  ", "1234567", "١٢٣٤٥٦٧٨", "\x00", "9" * 31, "' OR 1=1 --"]
)
def test_what_is_no_code_is_refused(terminal: Terminal, typed: str) -> None:
    code_of(terminal)

    assert type_in(typed).status_code == 422


def test_five_wrong_codes_from_one_address_and_none_is_looked_at(
    terminal: Terminal, clock: time_machine.Traveller
) -> None:
    code = code_of(terminal)
    for _ in range(5):
        assert type_in("0").status_code == 422

    assert type_in(code).status_code == 429
    assert type_in(code, address="192.0.2.8").status_code == 303
    clock.shift(timedelta(minutes=15, seconds=1))
    assert type_in(code_of(terminal)).status_code == 303
    assert not WrongEnrolment.objects.exists()


def test_too_many_wrong_codes_from_everywhere_and_none_is_looked_at(terminal: Terminal) -> None:
    code = code_of(terminal)
    now = timezone.now()
    for _ in range(enrolment.TRIES_IN_ALL - 1):
        WrongEnrolment.objects.create(address="elsewhere", at=now)

    assert type_in("0").status_code == 422
    assert type_in(code).status_code == 429


def test_a_wrong_code_is_typed_anew(terminal: Terminal) -> None:
    assert "31415926" not in type_in("31415926").text


def test_no_address_is_kept_as_it_is(terminal: Terminal) -> None:
    type_in("0")

    assert HERE not in str(WrongEnrolment.objects.values())


def test_wrong_codes_are_forgotten_when_they_count_no_more(
    terminal: Terminal, clock: time_machine.Traveller
) -> None:
    type_in("0")
    clock.shift(timedelta(minutes=14))
    questionnaire.purge(now=timezone.now())
    assert WrongEnrolment.objects.exists()
    clock.shift(timedelta(minutes=1))
    questionnaire.purge(now=timezone.now())

    assert not WrongEnrolment.objects.exists()


def test_a_second_enrolment_ends_the_first(terminal: Terminal) -> None:
    first = AtKiosk(enrolled(terminal))
    first.begin()
    second = AtKiosk(enrolled(terminal))

    assert everything_is_gone()
    assert first.go("/check/1").status_code == 403
    assert second.go(FIRST_PAGE).status_code == 200


def test_whoever_was_signed_in_there_is_signed_out(terminal: Terminal) -> None:
    browser = sign_in(Client(), User.objects.get(username="demo-clinic"))
    assert type_in(code_of(terminal), browser).status_code == 303
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value == ""


def test_what_somebody_began_at_home_there_is_deleted(terminal: Terminal) -> None:
    at_home = AtKiosk()
    at_home.begin()
    type_in(code_of(terminal), at_home.browser)

    assert not at_home.token
    assert everything_is_gone()


def test_a_browser_that_is_a_terminal_is_not_made_another(visitor: AtKiosk) -> None:
    other = make_terminal("Waiting room 3")
    response = type_in(code_of(other), visitor.browser)

    assert (response.status_code, response.headers["Location"]) == (303, FIRST_PAGE)
    other.refresh_from_db()
    assert other.token_hash is None


def test_a_code_can_be_typed_on_a_screen_without_a_keyboard(release: object) -> None:
    page = Client().get("/kiosk/enrol").text

    assert "data-kiosk" in page
    assert 'data-pad=""' in page


def test_whoever_is_at_another_kiosk_is_nobody_here(answering: AtKiosk) -> None:
    other = AtKiosk(enrolled(make_terminal("Waiting room 3")))
    other.browser.cookies[settings.ASSESSMENT_COOKIE_NAME] = answering.token

    assert other.browser.get("/check/1").headers["Location"] == FIRST_PAGE


def test_a_browser_that_is_none_is_led_to_where_it_becomes_one(release: object) -> None:
    response = Client().get(FIRST_PAGE)

    assert response.headers["Location"] == "/kiosk/enrol"
    page = Client().get("/kiosk/enrol")
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert "ask at the desk" in page.text


def test_the_first_page_keeps_a_terminal_one_for_good(visitor: AtKiosk) -> None:
    token = visitor.browser.cookies[settings.KIOSK_COOKIE_NAME].value
    cookie = visitor.browser.get(FIRST_PAGE).cookies[settings.KIOSK_COOKIE_NAME]

    assert cookie.value == token
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert cookie["max-age"] == 400 * 24 * 60 * 60


def test_a_clock_that_is_set_back_lets_no_code_hold_for_longer(
    terminal: Terminal, clock: time_machine.Traveller
) -> None:
    code = code_of(terminal)
    clock.shift(timedelta(hours=-2))

    assert type_in(code).status_code == 422


def test_a_clock_that_is_set_back_locks_nobody_out_for_longer(
    terminal: Terminal, clock: time_machine.Traveller
) -> None:
    for _ in range(5):
        type_in("0")
    clock.shift(timedelta(hours=-2))

    assert type_in(code_of(terminal)).status_code == 303


# The end of one

ADDRESSES = ["/", FIRST_PAGE, "/check/1", "/es/check/1", "/staff/", "/nowhere", "/emergency"]


@pytest.mark.parametrize("path", ADDRESSES)
def test_from_its_next_request_on_a_revoked_screen_is_locked(
    answering: AtKiosk, terminal: Terminal, path: str
) -> None:
    enrolment.revoke(terminal=terminal, by=terminal.made_by, now=timezone.now())

    assert everything_is_gone()
    response = answering.go(path)
    assert response.status_code == 403
    assert "data-locked" in answering.page
    assert "999" in answering.page
    assert not answering.token
    assert "/staff" not in answering.page


def test_the_pages_of_a_revoked_screen_find_out(visitor: AtKiosk, terminal: Terminal) -> None:
    assert visitor.browser.get("/kiosk/pulse").status_code == 204
    enrolment.revoke(terminal=terminal, by=terminal.made_by, now=timezone.now())

    assert visitor.browser.get("/kiosk/pulse").status_code == 410


def test_a_screen_whose_kiosk_was_deleted_is_locked(answering: AtKiosk, clinic: Client) -> None:
    page = f"/staff/kiosk/terminal/{Terminal.objects.get().pk}/delete/"
    assert clinic.post(page, {"post": "yes"}).status_code == 302

    assert everything_is_gone()
    assert answering.go(FIRST_PAGE).status_code == 403


def test_a_revoked_screen_can_be_set_up_again(visitor: AtKiosk, terminal: Terminal) -> None:
    enrolment.revoke(terminal=terminal, by=terminal.made_by, now=timezone.now())
    assert visitor.browser.get("/kiosk/enrol").status_code == 200

    assert type_in(code_of(terminal), visitor.browser).status_code == 303
    assert visitor.go(FIRST_PAGE).status_code == 200


def test_the_corner_of_a_locked_screen_leads_to_where_it_is_set_up_again(
    visitor: AtKiosk, terminal: Terminal
) -> None:
    enrolment.revoke(terminal=terminal, by=terminal.made_by, now=timezone.now())

    assert visitor.go("/kiosk/menu").status_code == 200
    assert visitor.path == "/kiosk/enrol"


def test_a_code_does_not_outlive_the_end(terminal: Terminal) -> None:
    code = code_of(terminal)
    enrolment.revoke(terminal=terminal, by=terminal.made_by, now=timezone.now())

    assert type_in(code).status_code == 422


def test_it_is_written_down_that_a_screen_is_on_but_not_each_time(
    terminal: Terminal, clock: time_machine.Traveller
) -> None:
    browser = enrolled(terminal)
    seen = []
    for _ in range(7):
        clock.shift(timedelta(seconds=10))
        browser.get("/kiosk/pulse")
        terminal.refresh_from_db()
        seen.append(terminal.seen_at)

    assert len(set(seen)) == 3


def test_what_happens_to_a_kiosk_is_logged_without_a_secret(
    terminal: Terminal, told: pytest.LogCaptureFixture
) -> None:
    code = code_of(terminal)
    type_in("0000")
    visitor = AtKiosk(Client())
    type_in(code, visitor.browser)
    visitor.begin()
    visitor.answer(visitor.calm())
    token, kiosk = visitor.token, visitor.browser.cookies[settings.KIOSK_COOKIE_NAME].value
    visitor.leave()
    enrolment.revoke(terminal=terminal, by=terminal.made_by, now=timezone.now())

    log = log_of(told)
    for event in ("code_made", "enrolment_refused", "enrolled", "wiped", "revoked"):
        assert f'"{event}"' in log
    for secret in (code, token, kiosk, HERE, "right_now"):
        assert secret not in log


def test_an_assessment_at_home_is_nobody_here(visitor: AtKiosk) -> None:
    at_home = AtKiosk()
    at_home.begin()
    visitor.browser.cookies[settings.ASSESSMENT_COOKIE_NAME] = at_home.token

    assert visitor.browser.get("/check/1").headers["Location"] == FIRST_PAGE
    assert Assessment.objects.count() == 0
