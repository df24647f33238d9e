"""The way of staff who set a kiosk up for the first time: from the admin to a screen that has no
keyboard, into its menu, and to the end of it."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import BrowserContext, Page, expect

from tests.staff.people import sign_in
from triage.kiosk.models import Terminal

from .test_access import faults_of
from .test_kiosk import OUTSIDE, SMALL
from .visitor import Watch

ADMIN = "/staff/kiosk/terminal/"
PIN = "6042"


@pytest.fixture
def session(transactional_db: None) -> Iterator[str]:
    """Somebody of the clinic who has just signed in; their phone is gone after the test."""
    somebody = User.objects.get(username="demo-clinic")
    yield sign_in(Client(), somebody).cookies[settings.SESSION_COOKIE_NAME].value
    TOTPDevice.objects.filter(user=somebody).delete()


def test_staff_set_up_a_kiosk_and_end_it(
    new_context: Callable[..., BrowserContext], base_url: str, session: str
) -> None:
    behind_the_counter = new_context(viewport={"width": 1024, "height": 768})
    in_the_waiting_room = new_context(viewport={"width": 768, "height": 1024}, has_touch=True)
    watches = [Watch(context, base_url) for context in (behind_the_counter, in_the_waiting_room)]
    behind_the_counter.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": session,
                "url": base_url,
            }
        ]
    )
    desk, screen = behind_the_counter.new_page(), in_the_waiting_room.new_page()
    found: list[tuple[str, str]] = []

    def look_at_the_desk(name: str) -> None:
        found.extend((name, fault) for fault in faults_of(desk))

    def look_at_the_screen(name: str) -> None:
        faults = [*faults_of(screen), *screen.evaluate(SMALL, 76), *screen.evaluate(OUTSIDE)]
        found.extend((name, str(fault)) for fault in faults)

    desk.goto(f"{ADMIN}add/")
    look_at_the_desk("add")
    desk.get_by_label("Place").fill("Waiting room 2")
    desk.get_by_label("PIN for staff").fill(PIN)
    desk.get_by_label("A printer is there").check()
    desk.get_by_role("button", name="Save", exact=True).click()
    desk.get_by_role("button", name="Make a code").click()
    look_at_the_desk("code")
    code = re.search(r"\d{4} \d{4}", desk.locator("#content").inner_text())
    assert code is not None

    screen.goto("/kiosk/")
    look_at_the_screen("enrol")
    press(screen, "00000000", "Set up this screen")
    expect(screen.locator(".error-summary")).to_contain_text("No kiosk waits for this code")
    look_at_the_screen("wrong code")
    press(screen, code[0].replace(" ", ""), "Set up this screen")
    expect(screen.locator("#main [data-first]")).to_be_visible()
    desk.goto(ADMIN)
    expect(desk.locator("#result_list")).to_contain_text("On now")
    look_at_the_desk("list")

    screen.goto("/kiosk/menu")
    press(screen, "9999", "Open the menu")
    expect(screen.locator(".error-summary")).to_contain_text("Tries left: 4")
    look_at_the_screen("wrong PIN")
    press(screen, PIN, "Open the menu")
    expect(screen.locator("#pulses")).to_contain_text(re.compile(r"takes \d+ ms, at most \d+ ms"))
    look_at_the_screen("menu")
    screen.get_by_role("link", name="Print a test page").tap()
    expect(screen.get_by_role("button", name="Print this page")).to_be_visible()
    look_at_the_screen("test page")

    desk.get_by_role("link", name="Waiting room 2").click()
    look_at_the_desk("change")
    desk.get_by_role("link", name="End it, and lock its screen").click()
    look_at_the_desk("end")
    desk.get_by_role("button", name="End it, and lock its screen").click()
    expect(desk.locator("#content")).to_contain_text("its screen is locked")
    screen.goto("/kiosk/menu")
    expect(screen.locator("h1")).to_have_text("Set up this screen as a kiosk")

    assert found == []
    assert [note for watch in watches for note in watch.noted] == []
    assert Terminal.objects.get().revoked_at is not None


def press(screen: Page, digits: str, button: str) -> None:
    """Type on the pad of the page, as there is no other."""
    for digit in digits:
        screen.get_by_role("button", name=digit, exact=True).tap()
    screen.get_by_role("button", name=button).tap()
