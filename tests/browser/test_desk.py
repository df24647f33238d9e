"""The desk in a browser: what it shows by itself, what it says aloud, and when it says that it is
blind."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.desk.people import AtKiosk, at_the_desk, begin, member, terminal_of
from triage.content.releases import live_release
from triage.handover import services
from triage.handover.models import Alert, Handover
from triage.kiosk.models import Terminal

from .test_access import faults_of
from .test_admin import too_wide
from .visitor import NARROW, Watch

WITHIN = 5_000  # milliseconds from an answer at a kiosk to the desk
BLIND = 20_000

type SitDown = Callable[..., Page]


@pytest.fixture
def staff(live_server: LiveServer) -> Iterator[dict[str, User]]:
    """People outlive the tests that use a live server."""
    people = {
        "ana": member("ana", "Reception", called="Ana Ruiz"),
        "okafor": member("okafor", "Clinician", called="Chidi Okafor"),
    }
    yield people
    Terminal.objects.all().delete()
    for user in people.values():
        user.delete()


@pytest.fixture
def sit_down(
    new_context: Callable[..., BrowserContext], base_url: str, staff: dict[str, User]
) -> Iterator[SitDown]:
    """Sign somebody in at a browser of their own; at the end none has broken the policy."""
    watches: list[Watch] = []

    def open_desk(name: str, **more: object) -> Page:
        context = new_context(**more)
        context.set_default_timeout(10_000)
        watches.append(Watch(context, base_url))
        session = at_the_desk(staff[name]).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base_url}]
        )
        page = context.new_page()
        page.goto(reverse("desk:waiting"))
        return page

    yield open_desk

    for watch in watches:
        assert watch.elsewhere + watch.violations + watch.crashes == []


@pytest.fixture
def person(staff: dict[str, User]) -> AtKiosk:
    now = timezone.now()
    kiosk = terminal_of("Waiting room 2", staff["ana"], now)
    person = begin(kiosk, live_release("back-lump"), now)
    person.reply_until("leg_nerves", now)
    return person


def played(page: Page) -> int:
    return int(page.locator("#desk").get_attribute("data-played") or 0)


def test_a_red_flag_comes_to_every_desk_by_itself_and_goes_when_one_has_seen_it(
    sit_down: SitDown, person: AtKiosk
) -> None:
    ana, doctor = sit_down("ana", viewport=NARROW), sit_down("okafor")
    ticket, visit = person.visit.ticket, person.visit.pk
    expect(ana.get_by_role("heading", name="No red flag waits to be seen")).to_be_visible()
    assert faults_of(ana) == []
    assert played(ana) == 0

    person.reply("leg_nerves", ["numb_legs"], timezone.now())

    alarm = ana.get_by_role("article", name=f"Today Waiting room 2 ticket {ticket}")
    expect(alarm).to_be_visible(timeout=WITHIN)
    expect(alarm).to_contain_text("Still at the kiosk.")
    expect(ana).to_have_title(re.compile(r"^\(1\) Desk"))
    expect(ana.locator("#said")).to_have_text(f"Today. Waiting room 2, ticket {ticket}.")
    assert played(ana) == 1
    expect(doctor.get_by_role("article")).to_be_visible(timeout=WITHIN)
    assert faults_of(ana) + too_wide(ana) == []

    person.leave(timezone.now())

    expect(alarm).to_contain_text("Has left the kiosk", timeout=WITHIN)
    assert played(ana) == 1

    button = alarm.get_by_role("button", name=re.compile(f"^I have seen this.* ticket {ticket}$"))
    button.focus()
    ana.keyboard.press("Enter")

    expect(ana.get_by_role("heading", name="No red flag waits to be seen")).to_be_focused()
    expect(ana).to_have_title(re.compile(r"^Desk"))
    assert Alert.objects.get(visit=visit).acknowledged_name == "Ana Ruiz"
    expect(doctor.get_by_role("article")).to_have_count(0, timeout=WITHIN)
    ana.get_by_text("Left the kiosk, with nothing handed over").click()
    expect(ana.get_by_text("Seen by Ana Ruiz")).to_be_visible()

    ana.get_by_role("button", name="Sound is on").click()
    ana.reload()
    expect(ana.get_by_role("button", name="Sound is off")).to_be_visible()


def test_a_desk_that_shows_no_alerts_any_more_says_so_aloud(
    sit_down: SitDown, person: AtKiosk
) -> None:
    page = sit_down("ana")
    lost = page.get_by_role("alert").filter(has_text="No alerts are shown here.")
    expect(page.get_by_text("Answering now")).to_be_visible()

    page.context.set_offline(True)

    expect(lost).to_contain_text("cannot reach the checker since", timeout=BLIND)
    expect(page).to_have_title(re.compile("^No alerts!"))
    assert played(page) == 1
    expect(page.get_by_text("Answering now")).to_be_visible()
    assert faults_of(page) == []

    theirs = "<!doctype html><title>Guest network</title><p>Sign in to go online."
    page.route("**/desk/live*", lambda route: route.fulfill(body=theirs, content_type="text/html"))
    page.context.set_offline(False)
    with page.expect_response("**/desk/live*"):
        pass
    page.wait_for_timeout(500)  # for the page to take it for an answer, if it did
    expect(lost).to_be_visible()

    page.unroute("**/desk/live*")

    expect(lost).to_be_hidden(timeout=BLIND)
    expect(page).to_have_title(re.compile("^Desk"))

    Session.objects.all().delete()

    expect(lost).to_contain_text("You are signed out. Sign in again.", timeout=WITHIN)
    assert played(page) == 2
    expect(page.get_by_text("Answering now")).to_have_count(0)
    assert faults_of(page) == []


def test_a_doctor_opens_reads_copies_prints_and_deletes(sit_down: SitDown, person: AtKiosk) -> None:
    person.finish(timezone.now())
    visit, now = person.visit, timezone.now()
    codes = services.hand_over(assessment=person.assessment, visit=visit, now=now)
    page = sit_down("okafor", permissions=["clipboard-read", "clipboard-write"])

    page.get_by_label("Patient's code").fill("bbb bbb")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing is here under this code.")
    assert faults_of(page) == []
    page.get_by_label("Patient's code").fill(codes.code.lower().replace("-", " "))
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name=f"Ticket {visit.ticket}")).to_be_visible()
    page.get_by_role("button", name="Copy the note").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"Ticket {visit.ticket}" in copied
    assert faults_of(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert faults_of(page) == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 360, "height": 740})
    assert too_wide(page) == []
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1

    expect(page.get_by_role("link", name="Taken into the record")).to_be_visible()
    address = page.url
    page.clock.install()
    page.reload()
    page.clock.fast_forward("15:10")
    page.wait_for_url("**?poll=1")  # left alone, it asks whether they are still signed in
    page.clock.fast_forward("16:00")
    expect(page.get_by_text("This has deleted itself.")).to_be_visible()

    page.goto(f"{address}/done")
    assert faults_of(page) == []
    page.get_by_role("button", name="Yes, delete it here").click()
    expect(page.get_by_text("Deleted here.")).to_be_visible()
    assert not Handover.objects.exists()


def test_without_a_script_the_desk_says_so_and_does_its_work(
    sit_down: SitDown, person: AtKiosk
) -> None:
    page = sit_down("ana", java_script_enabled=False)
    expect(page.get_by_text("This page does not refresh by itself")).to_be_visible()
    expect(page.get_by_role("button", name="Sound")).to_have_count(0)
    person.reply("leg_nerves", ["numb_legs"], timezone.now())

    page.get_by_role("link", name="Refresh").click()
    page.get_by_role("button", name="I have seen this").click()

    expect(page.get_by_role("heading", name="No red flag waits to be seen")).to_be_visible()
    expect(page.get_by_text("Seen by Ana Ruiz")).to_be_visible()
