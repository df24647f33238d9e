"""Somebody at a kiosk has a ticket that staff can call, and nothing stands beside it for long."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.database_files import copies, sqlite_only
from triage.content.models import Release
from triage.handover import alerts, visits
from triage.handover.models import Alert, Visit
from triage.questionnaire import services
from triage.questionnaire.models import Assessment

from .visitors import Device, Visitor, of_the_clinic, receptionist, red_flags, visitor

CANARY = "canary-2b6a"

MORNING = datetime(2031, 5, 7, 8, 0, tzinfo=timezone.get_default_timezone())


def test_a_ticket_is_three_digits_and_says_nothing_else(release: Release) -> None:
    visit = visitor(release).visit

    assert re.fullmatch("[1-9][0-9]{2}", visit.ticket)
    assert (visit.place, visit.device, visit.language) == ("by the door", 7, "en-gb")


def test_no_ticket_comes_twice_on_a_day_even_of_those_who_left(release: Release) -> None:
    tickets = []
    for _ in range(25):
        person = visitor(release, now=MORNING)
        tickets.append(person.visit.ticket)
        person.leave()
        visits.forget(MORNING)

    assert len(set(tickets)) == 25
    assert tickets != sorted(tickets)
    assert Visit.objects.count() == 0


def test_the_order_of_tickets_is_another_one_every_day(release: Release) -> None:
    days = [visits._order_of(MORNING.date() + timedelta(days=day)) for day in range(3)]

    assert len({tuple(order) for order in days}) == 3
    assert all(len(set(order)) == len(visits.TICKETS) for order in days)
    assert not {"111", "112", "911", "999", settings.EMERGENCY_NUMBER} & set(days[0])


def test_a_ticket_that_somebody_has_is_passed_over(release: Release) -> None:
    first = visitor(release, now=MORNING).visit
    order = visits._order_of(MORNING.date())
    upcoming = order[(first.pk + 1) % len(order)]
    Visit.objects.filter(pk=first.pk).update(ticket=upcoming)

    second = visitor(release, now=MORNING).visit

    assert second.ticket != upcoming
    assert second.ticket in order


def test_when_every_ticket_is_somebodys_it_says_so(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "TICKETS", range(100, 103))
    for _ in range(3):
        visitor(release, now=MORNING)

    with pytest.raises(visits.NoTicketLeft):
        visitor(release, now=MORNING)


def test_opening_a_visit_twice_is_one_visit(release: Release) -> None:
    person = visitor(release)

    again = visits.open_visit(assessment=person.assessment, place="elsewhere", now=timezone.now())

    assert again == person.visit == visits.visit_of(person.pk)
    assert again.place == "by the door"


@pytest.mark.usefixtures("transactional_db")
def test_two_who_begin_at_once_have_two_tickets(release: Release) -> None:
    gate = Barrier(4)

    def begin(_: int) -> str:
        try:
            gate.wait()
            return visitor(release, now=MORNING).visit.ticket
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        tickets = list(threads.map(begin, range(4)))

    assert len(set(tickets)) == 4
    assert {visit.ticket for visit in Visit.objects.all()} == set(tickets)


def test_one_who_left_without_a_warning_is_forgotten(release: Release) -> None:
    stays, left = visitor(release), visitor(release)
    left.leave()

    assert visits.forget(timezone.now()) == 1

    assert list(Visit.objects.all()) == [stays.visit]


def test_one_who_left_with_a_warning_is_kept_until_staff_could_find_them(release: Release) -> None:
    person, now = visitor(release), timezone.now()
    person.say(flags=red_flags(release)[:2], withdrawn=[])
    person.leave()

    assert visits.forget(now) == 0
    kept = Visit.objects.get()
    assert (kept.ticket, kept.assessment) == (person.visit.ticket, None)
    assert kept.left_at is not None

    first, second = kept.alerts.order_by("pk")
    alerts.acknowledge(visit=kept, by=receptionist(), now=now, seen=[first.pk])
    assert visits.forget(now) == 0
    alerts.acknowledge(visit=kept, by=receptionist("ben"), now=now, seen=[second.pk])
    found = now + settings.ALERT_STAYS
    assert visits.forget(found - timedelta(seconds=1)) == 0
    assert visits.forget(found) == 1
    assert not Alert.objects.exists()


def test_twelve_hours_after_nothing_is_left_acknowledged_or_not(release: Release) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        person = visitor(release)
        person.say(flags=red_flags(release)[:1], withdrawn=[])
        person.leave()
        clock.shift(settings.HANDOVER_LASTS - timedelta(seconds=1))
        services.purge(now=timezone.now())
        assert Visit.objects.count() == Alert.objects.count() == 1

        clock.shift(timedelta(seconds=1))
        services.purge(now=timezone.now())

    assert Visit.objects.count() == Alert.objects.count() == 0


@sqlite_only
@pytest.mark.usefixtures("transactional_db")
def test_no_file_says_afterwards_which_warning_it_was(release: Release) -> None:
    for size in (1, 40, 400):
        person = visitor(release)
        person.say(flags=red_flags(release)[:2], withdrawn=[])
        alerts.gather(timezone.now())
        person.visit.alerts.update(title=CANARY * size)
        person.leave()
        alerts.acknowledge(visit=person.visit, by=of_the_clinic(), now=timezone.now())
    assert copies(CANARY) > 3

    services.purge(now=timezone.now() + settings.ALERT_STAYS)

    assert Visit.objects.count() == Alert.objects.count() == 0
    assert copies(CANARY) == 0


def test_one_who_is_still_there_is_kept_however_long_it_takes(release: Release) -> None:
    person = visitor(release, now=timezone.now() - timedelta(hours=13))
    alerts.gather(timezone.now())

    assert visits.forget(timezone.now()) == 0
    assert visits.visit_of(person.pk) == person.visit


def test_an_idle_visit_is_wiped_by_the_purge_and_keeps_its_warning(release: Release) -> None:
    person = visitor(release)
    flag = red_flags(release)[0]
    person.say(flags=[flag], withdrawn=[])

    with time_machine.travel(timezone.now() + Device().idle_limit + timedelta(seconds=1)):
        count, _ = services.purge(now=timezone.now())

    assert count == 1
    assert not Assessment.objects.exists()
    assert [alert.flag for alert in alerts.waiting()] == [flag]


def test_a_person_without_a_ticket_gets_one_before_their_warning_is_told(
    release: Release,
) -> None:
    before, person = visitor(release), visitor(release)
    Visit.objects.filter(pk=person.visit.pk).delete()
    person.say(flags=red_flags(release)[:1], withdrawn=[])

    services.purge(now=timezone.now())

    (alert,) = alerts.waiting()
    assert alert.visit.assessment == person.pk
    assert alert.visit.place == before.visit.place


def test_a_wipe_of_many_asks_no_more_of_the_database_than_of_one(release: Release) -> None:
    def asked_by(people: list[Visitor]) -> int:
        for person in people:
            person.say(flags=[], withdrawn=[])
        rows = Assessment.objects.filter(pk__in=[person.pk for person in people])
        with CaptureQueriesContext(connection) as asked:
            services._delete(rows, timezone.now())
        return len(asked)

    assert asked_by([visitor(release)]) == asked_by([visitor(release) for _ in range(10)])
