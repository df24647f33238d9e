"""Who waits, and which red flags nobody has seen."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from time_machine import Traveller

from triage.desk.waiting import State, lists
from triage.engine import Urgency
from triage.handover.models import Alert

from .conftest import Begin
from .people import at_the_desk

pytestmark = pytest.mark.django_db
DESK = "/staff/desk/"


def text_of(client: Client) -> str:
    page = client.get(DESK).content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def acknowledge(client: Client, visit: int, seen: list[int]) -> None:
    response = client.post(f"{DESK}visits/{visit}/seen", {"seen": seen})
    assert response.headers["Location"] == DESK


def test_nobody_is_there_and_the_page_says_so(desk: Client) -> None:
    page = text_of(desk)

    assert "No red flag waits to be seen" in page
    assert "Nobody is at a kiosk, and nothing is handed over." in page


def test_a_red_flag_stands_on_top_with_place_ticket_flag_and_urgency(
    desk: Client, somebody: Begin
) -> None:
    person = somebody()
    person.raise_flag(timezone.now())

    page = text_of(desk)

    alert = Alert.objects.get()
    assert "Red flags nobody has seen yet: 1" in page
    assert f"Today Waiting room 2 ticket {person.visit.ticket} {alert.title}" in page
    assert "Since 10:00 . Still at the kiosk." in page
    assert "(1) Desk" in page


def test_whoever_walks_away_stays_until_somebody_says_that_they_have_seen_it(
    desk: Client, somebody: Begin, clock: Traveller
) -> None:
    person = somebody()
    ticket, visit = person.visit.ticket, person.visit.pk
    person.raise_flag(timezone.now())
    clock.shift(timedelta(minutes=1))
    person.leave(timezone.now())

    page = text_of(desk)
    assert f"Has left the kiosk at 10:01: call ticket {ticket}." in page

    acknowledge(desk, visit, [Alert.objects.get().pk])
    page = text_of(desk)
    assert "No red flag waits to be seen" in page
    assert "Seen by Ana Ruiz, 10:01" in page


def test_what_was_taken_back_stays_and_is_marked_so(
    desk: Client, somebody: Begin, clock: Traveller
) -> None:
    person = somebody()
    person.raise_flag(timezone.now())
    clock.shift(timedelta(minutes=1))
    person.reply("leg_nerves", ["none"], timezone.now())

    page = text_of(desk)

    assert f"{Alert.objects.get().title} Taken back at 10:01" in page
    assert "I have seen this" in page


def test_only_what_stood_on_the_screen_is_seen(desk: Client, somebody: Begin) -> None:
    person = somebody()
    person.raise_flag(timezone.now())
    shown = Alert.objects.get()
    person.reply("leg_nerves", ["numb_legs", "weak_legs"], timezone.now())
    assert Alert.objects.count() > 1

    acknowledge(desk, person.visit.pk, [shown.pk])

    shown.refresh_from_db()
    assert shown.acknowledged_name == "Ana Ruiz"
    others = Alert.objects.exclude(pk=shown.pk)
    assert {alert.acknowledged_at for alert in others} == {None}
    assert "Red flags nobody has seen yet: 1" in text_of(desk)


def test_a_second_press_and_a_second_desk_leave_the_first_name(
    desk: Client, surgery: Client, somebody: Begin, clock: Traveller
) -> None:
    person = somebody()
    person.raise_flag(timezone.now())
    seen = [Alert.objects.get().pk]

    acknowledge(desk, person.visit.pk, seen)
    clock.shift(timedelta(seconds=5))
    acknowledge(desk, person.visit.pk, seen)
    acknowledge(surgery, person.visit.pk, seen)

    alert = Alert.objects.get()
    assert alert.acknowledged_name == "Ana Ruiz"
    assert alert.acknowledged_at == timezone.now() - timedelta(seconds=5)


def test_a_visit_that_is_gone_meanwhile_is_no_error(desk: Client) -> None:
    acknowledge(desk, 4711, [1])


def test_nobody_has_seen_it_for_two_minutes_and_it_is_raised_again(
    desk: Client, somebody: Begin, clock: Traveller
) -> None:
    somebody().raise_flag(timezone.now())
    desk.get(DESK)
    clock.shift(timedelta(minutes=2))

    assert "Raised again at 10:02" in text_of(desk)


def test_the_list_goes_by_urgency_and_then_by_time(somebody: Begin, clock: Traveller) -> None:
    calm, unknown, urgent = somebody(), somebody(), somebody()
    clock.shift(timedelta(minutes=1))
    later = somebody()
    calm.finish(timezone.now())
    urgent.raise_flag(timezone.now())

    here = lists(timezone.now()).here

    order = [calm, unknown, urgent, later]
    pks = [person.visit.pk for person in order]
    assert [pks.index(each.visit.pk) for each in here] == [2, 0, 1, 3]
    assert [each.urgency for each in here] == [Urgency.SAME_DAY, here[1].urgency, None, None]
    assert [each.state for each in here] == [
        State.ANSWERING,
        State.FINISHED,
        State.ANSWERING,
        State.ANSWERING,
    ]


def test_nobody_drops_out_at_midnight(somebody: Begin, clock: Traveller) -> None:
    clock.shift(timedelta(hours=13, minutes=50))  # 23:50 in London
    somebody()
    clock.shift(timedelta(minutes=20))

    assert len(lists(timezone.now()).here) == 1


def test_a_language_that_is_not_that_of_the_place_is_named(desk: Client, somebody: Begin) -> None:
    somebody(language="es")
    somebody(language="en-gb")

    page = text_of(desk)

    assert page.count("Reads") == 1
    assert "Reads Spanish" in page


def test_who_left_without_an_alert_is_folded_away(desk: Client, somebody: Begin) -> None:
    person = somebody()
    person.leave(timezone.now())

    assert "Left the kiosk, with nothing handed over: 1" in text_of(desk)


def test_somebody_without_a_name_acknowledges_by_their_user_name(
    somebody: Begin, doctor: User
) -> None:
    doctor.first_name = doctor.last_name = ""
    doctor.save()
    person = somebody()
    person.raise_flag(timezone.now())

    acknowledge(at_the_desk(doctor), person.visit.pk, [Alert.objects.get().pk])

    assert Alert.objects.get().acknowledged_name == "okafor"


def test_the_list_takes_as_many_queries_for_ten_as_for_one(somebody: Begin) -> None:
    somebody().raise_flag(timezone.now())
    with CaptureQueriesContext(connection) as one:
        lists(timezone.now())
    for _ in range(9):
        somebody().raise_flag(timezone.now())
    with CaptureQueriesContext(connection) as ten:
        lists(timezone.now())

    assert len(ten) == len(one) <= 3
