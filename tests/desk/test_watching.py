"""A screen that is looked at and not touched: what a poll costs, and for how long it is answered."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from time_machine import Traveller

from tests.staff.people import sign_in
from triage.desk.watching import HOLDS
from triage.handover.models import Alert, Visit, Watch

from .conftest import Begin
from .people import AtKiosk, at_the_desk, member

pytestmark = pytest.mark.django_db
DESK, ELSEWHERE = "/staff/desk/", "/staff/second-factor/"
LIVE = re.compile(r'hx-get="([^"]+)"')


class Screen:
    """An open desk, which asks as its script does."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.take(client.get(DESK))

    def take(self, response: Any) -> HttpResponse:
        if found := LIVE.search(response.content.decode()):
            self.address = unescape(found[1])
        answer: HttpResponse = response
        return answer

    def look(self) -> HttpResponse:
        return self.take(self.client.get(self.address, headers={"HX-Request": "true"}))

    def queries(self) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.look()
        return len(captured)


@pytest.fixture
def screen(desk: Client) -> Screen:
    return Screen(desk)


def test_where_nothing_has_changed_a_poll_is_one_statement_and_no_content(
    screen: Screen, somebody: Begin, clock: Traveller
) -> None:
    somebody().raise_flag(timezone.now())
    screen.look()
    clock.shift(timedelta(seconds=3))

    with CaptureQueriesContext(connection) as captured:
        answer = screen.look()

    assert (answer.status_code, answer.content) == (204, b"")
    assert "no-store" in answer.headers["Cache-Control"]
    assert len(captured) == 1


def test_a_red_flag_is_in_the_answer_to_the_very_next_poll(
    screen: Screen, somebody: Begin, clock: Traveller
) -> None:
    person = somebody()
    screen.look()
    assert screen.look().status_code == 204
    clock.shift(timedelta(seconds=3))
    person.raise_flag(timezone.now())

    answer = screen.look()

    assert Alert.objects.get().title in answer.content.decode()
    assert 'hx-swap-oob="outerHTML"' in answer.content.decode()
    assert screen.look().status_code == 204


def test_a_flag_whose_alert_was_never_written_is_found_by_the_next_poll(
    screen: Screen, somebody: Begin
) -> None:
    person = somebody()
    person.raise_flag(timezone.now())
    screen.look()
    Alert.objects.all().delete()  # as if the process had died between the two writes
    Visit.objects.update(urgency=None)

    answer = screen.look()

    assert Alert.objects.get().title in answer.content.decode()


CHANGES: dict[str, Callable[[AtKiosk, Begin], object]] = {
    "somebody begins": lambda person, begin: begin(),
    "the urgency rises": lambda person, begin: person.reply(
        "leg_nerves", ["weak_legs"], timezone.now()
    ),
    "somebody finishes": lambda person, begin: person.finish(timezone.now()),
    "somebody leaves": lambda person, begin: person.leave(timezone.now()),
    "a flag is taken back": lambda person, begin: person.reply(
        "leg_nerves", ["none"], timezone.now()
    ),
    "a flag is seen": lambda person, begin: Alert.objects.update(
        acknowledged_at=timezone.now(), acknowledged_name="Ana Ruiz"
    ),
    "a flag is raised again": lambda person, begin: Alert.objects.update(
        raised_again_at=timezone.now()
    ),
    "a visit is forgotten": lambda person, begin: Visit.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_shown_once(
    change: str, screen: Screen, somebody: Begin, clock: Traveller
) -> None:
    person = somebody()
    person.raise_flag(timezone.now())
    screen.look()
    clock.shift(timedelta(seconds=1))
    assert screen.look().status_code == 204

    CHANGES[change](person, somebody)

    answer = screen.look()
    assert answer.status_code == 200
    assert b'id="lists"' in answer.content
    assert screen.look().status_code == 204


def test_a_poll_raises_again_what_nobody_has_seen(
    screen: Screen, somebody: Begin, clock: Traveller
) -> None:
    somebody().raise_flag(timezone.now())
    for _ in range(40):
        screen.look()
        clock.shift(timedelta(seconds=3))

    answer = screen.look()

    assert "Raised again at 10:02" in answer.content.decode()
    assert screen.look().status_code == 204


def test_polls_keep_it_true_that_a_desk_is_looking(screen: Screen, clock: Traveller) -> None:
    for _ in range(20):
        clock.shift(timedelta(seconds=3))
        screen.look()
        assert timezone.now() - Watch.objects.get().seen_at <= timedelta(seconds=5)


def test_a_person_is_looked_up_again_before_long_and_the_list_stays_as_it_is(
    screen: Screen, clock: Traveller
) -> None:
    before = screen.address
    clock.shift(HOLDS)

    answer = screen.look()

    assert answer.status_code == 200
    assert b'id="lists"' not in answer.content
    assert screen.address != before


def test_signing_out_ends_it_at_once(screen: Screen, desk: Client) -> None:
    cookie = desk.cookies["staff"].value
    assert screen.look().status_code == 204
    desk.post("/staff/logout/")

    desk.cookies["staff"] = cookie

    assert screen.look().status_code == 401


@pytest.mark.parametrize("change", ["closed", "no role", "password", "no phone"])
def test_whose_rights_end_sees_nothing_any_more_a_minute_later(
    change: str, screen: Screen, ana: User, clock: Traveller
) -> None:
    match change:
        case "closed":
            User.objects.filter(pk=ana.pk).update(is_active=False)
        case "no role":
            ana.groups.clear()
        case "password":
            ana.set_password("another long password")
            ana.save()
        case _:
            TOTPDevice.objects.filter(user=ana).delete()
    clock.shift(HOLDS)

    assert screen.look().status_code in (401, 403)


def test_a_mark_opens_nothing_in_another_session(
    screen: Screen, ana: User, somebody: Begin
) -> None:
    somebody()
    screen.look()
    other = Client()
    assert other.get(screen.address).status_code == 401

    other = at_the_desk(member("nobody"))
    assert other.get(screen.address).status_code == 403

    # The list again, as this browser may show another person's.
    again = sign_in(Client(), ana).get(screen.address, headers={"HX-Request": "true"})
    assert b'id="lists"' in again.content


@pytest.mark.parametrize("mark", ["", "1", "a-b-c-d", "a-b-9999999999-d", "€", "-----"])
def test_a_mark_that_we_did_not_make_is_none(mark: str, screen: Screen) -> None:
    answer = screen.client.get(f"{DESK}live", {"poll": mark}, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert b'id="lists"' in answer.content


# A session that is idle


def test_the_list_is_shown_on_an_idle_session_and_nothing_else_is(
    screen: Screen,
    desk: Client,
    somebody: Begin,
    clock: Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "triage.desk")
    for _ in range(8):
        clock.shift(timedelta(minutes=2))
        screen.look()
    person = somebody()
    person.raise_flag(timezone.now())

    answer = screen.look().content.decode()
    assert Alert.objects.get().title in answer
    assert "Nobody has touched this for 15 minutes." in answer
    assert "Nobody has touched this for 15 minutes." in desk.get(DESK).content.decode()

    seen = {"seen": [Alert.objects.get().pk]}
    desk.post(f"{DESK}visits/{person.visit.pk}/seen", seen)
    assert Alert.objects.get().acknowledged_name == "Ana Ruiz"
    told: list[Any] = [record.msg for record in caplog.records if record.name == "triage.desk"]
    assert [(each["event"], each["who"], each["idle"]) for each in told] == [
        ("alert_acknowledged", "ana", True)
    ]

    assert desk.get(DESK).status_code == 200
    response = desk.get(ELSEWHERE)
    assert response.headers["Location"].endswith("why=idle")
    assert screen.look().status_code == 401


def test_being_looked_at_does_not_wake_an_idle_session(desk: Client, clock: Traveller) -> None:
    clock.shift(timedelta(minutes=16))

    assert desk.get(DESK).status_code == 200
    clock.shift(timedelta(minutes=1))

    assert desk.get("/staff/").headers["Location"].endswith("why=idle")


def test_after_eight_hours_the_screen_is_told_that_it_is_over(
    screen: Screen, desk: Client, clock: Traveller
) -> None:
    clock.shift(timedelta(hours=7, minutes=50))
    assert "only until 18:00" in screen.look().content.decode()
    clock.shift(timedelta(minutes=9, seconds=50))
    assert screen.look().status_code in (200, 204)
    clock.shift(timedelta(seconds=11))

    assert screen.look().status_code == 401
    assert desk.get(DESK).headers["Location"].startswith("/staff/login/")


def test_whoever_says_that_they_have_seen_it_after_eight_hours_signs_in_first(
    desk: Client, somebody: Begin, clock: Traveller
) -> None:
    clock.shift(timedelta(hours=8, seconds=1))
    person = somebody()
    person.raise_flag(timezone.now())

    answer = desk.post(
        f"{DESK}visits/{person.visit.pk}/seen",
        {"seen": [Alert.objects.get().pk]},
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{DESK}"},
    )

    assert answer.headers["HX-Redirect"].startswith("/staff/login/?next=%2Fstaff%2Fdesk%2F")
    assert Alert.objects.get().acknowledged_at is None


def test_seeing_a_flag_answers_with_the_new_list(screen: Screen, somebody: Begin) -> None:
    person = somebody()
    person.raise_flag(timezone.now())
    seen = {"seen": [Alert.objects.get().pk]}

    answer = screen.take(
        screen.client.post(
            f"{DESK}visits/{person.visit.pk}/seen", seen, headers={"HX-Request": "true"}
        )
    )

    assert "No red flag waits to be seen" in answer.content.decode()
    assert screen.look().status_code == 204
