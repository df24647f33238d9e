"""Who may ask: keys are shown once, counted by the minute over all processes, and revoked."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.staff.people import log_of, sign_in, staff_member
from triage.content.models import Release
from triage.handover.api import keys
from triage.handover.api.problems import Refused
from triage.handover.models import ApiKey
from triage.staff.roles import set_up_groups

from .asking import Program, checked

NOON = datetime(2031, 5, 7, 12, 0, 20, tzinfo=UTC)


@pytest.fixture
def program(release: Release) -> Program:
    return Program.with_a_key(per_minute=3)


@pytest.fixture
def clinic(client: Client, db: None) -> User:
    """Whoever runs the clinic, signed in at `client`."""
    person = staff_member("clinic-lead")
    person.groups.add(set_up_groups()["Clinic"])
    sign_in(client, person)
    return person


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic YTpi", "triage_x"])
def test_without_a_key_nothing_is_told(program: Program, authorization: str) -> None:
    response = program.post("{}", Authorization=authorization)

    assert response.status_code == 401
    assert checked(response)["code"] == "no_key"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert ApiKey.objects.get().used == 0


@pytest.mark.parametrize("key", ["triage_x", "é", "\x00", "a b", "x" * 5000])
def test_a_wrong_key_is_refused(program: Program, key: str) -> None:
    response = program.post("{}", Authorization=f"Bearer {key}")

    assert response.status_code == 401
    assert checked(response)["code"] == "wrong_key"


def test_a_revoked_key_is_refused_and_says_so(program: Program, clinic: User) -> None:
    assert keys.revoke(key=ApiKey.objects.get(), by=clinic, now=NOON)
    assert not keys.revoke(key=ApiKey.objects.get(), by=clinic, now=NOON + timedelta(days=1))

    response = program.post("{}")

    assert response.status_code == 401
    assert checked(response)["code"] == "revoked_key"
    assert ApiKey.objects.get().revoked_at == NOON


def test_a_key_asks_so_often_in_a_minute_and_is_told_when_to_come_back(program: Program) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        statuses = [program.post("{}").status_code for _ in range(4)]
        last = program.post("{}")
        clock.shift(39)
        still = program.post("{}").status_code
        clock.shift(1)
        again = program.post("{}").status_code

    assert statuses == [422, 422, 422, 429]
    assert checked(last)["code"] == "too_many"
    assert last.headers["Retry-After"] == "40"
    assert (still, again) == (429, 422)
    assert ApiKey.objects.get().used == 1


def spent(key: str, now: datetime) -> bool:
    try:
        keys.spend(authorization=f"Bearer {key}", now=now)
    except Refused:
        return False
    return True


def test_clocks_that_differ_a_little_share_one_count_and_a_wrong_clock_locks_nobody_out(
    program: Program,
) -> None:
    ahead = NOON + timedelta(minutes=1)
    assert [spent(program.key, now) for now in (ahead, NOON, ahead, NOON, ahead)] == [
        *[True] * 3,
        *[False] * 2,
    ]

    assert spent(program.key, NOON + timedelta(days=400))
    assert [spent(program.key, NOON) for _ in range(4)] == [True, True, True, False]


def test_two_keys_are_counted_apart(program: Program, clinic: User) -> None:
    other = keys.make(key=ApiKey(name="Other", per_minute=1), by=clinic, now=NOON)

    assert [spent(program.key, NOON) for _ in range(3)] == [True] * 3
    assert [spent(other, NOON) for _ in range(2)] == [True, False]


def test_a_request_is_counted_in_one_statement(program: Program) -> None:
    with CaptureQueriesContext(connection) as captured:
        keys.spend(authorization=f"Bearer {program.key}", now=NOON)

    (statement,) = captured.captured_queries
    assert statement["sql"].startswith("UPDATE")


# In the admin

ADD = "/staff/handover/apikey/add/"


def made(client: Client, name: str = "Surgery") -> str:
    response = client.post(ADD, {"name": name, "per_minute": "30"})
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    (key,) = re.findall(r"<code class=\"secret\">(triage_[\w-]{43})</code>", response.text)
    return str(key)


def test_a_key_is_shown_once_and_kept_as_its_hash(
    client: Client, clinic: User, release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")

    key = made(client)

    row = ApiKey.objects.get()
    assert (row.name, row.per_minute, row.made_by) == ("Surgery", 30, clinic)
    assert row.key_hash == keys.hash_of(key)
    for page in ("/staff/handover/apikey/", f"/staff/handover/apikey/{row.pk}/change/"):
        shown = client.get(page)
        assert shown.status_code == 200
        assert key not in shown.text
        assert row.key_hash not in shown.text
    assert key not in str(client.session.items()) + str(client.cookies) + log_of(caplog)
    assert Program(key).ask()["next"]["is"] == "question"


def test_a_name_is_given_once_and_a_key_may_ask_at_least_once_a_minute(
    client: Client, clinic: User
) -> None:
    made(client)

    again = client.post(ADD, {"name": "Surgery", "per_minute": "0"})

    assert "already exists" in again.text
    assert "Once a minute is the least" in again.text
    assert ApiKey.objects.count() == 1


def test_a_key_is_revoked_by_a_tick_and_keeps_its_day(
    client: Client, clinic: User, release: Release
) -> None:
    program = Program(made(client))
    page = reverse("admin:handover_apikey_change", args=[ApiKey.objects.get().pk])

    client.post(page, {"name": "Renamed", "per_minute": "31"})
    assert program.post("{}").status_code == 422
    client.post(page, {"per_minute": "31", "revoke": "on"})

    assert program.post("{}").status_code == 401
    row = ApiKey.objects.get()
    assert (row.name, row.per_minute) == ("Surgery", 31)
    assert row.revoked_at
    assert 'name="revoke"' not in client.get(page).text


def test_a_key_is_made_only_by_whoever_gave_the_password_just_now(
    client: Client, clinic: User
) -> None:
    with time_machine.travel(
        datetime.now(UTC) + settings.STAFF_CONFIRMED + timedelta(seconds=1), tick=False
    ):
        response = client.post(ADD, {"name": "Surgery", "per_minute": "30"})

    assert response.status_code == 302
    assert "confirm" in response.headers["Location"]
    assert not ApiKey.objects.exists()


def test_others_see_no_keys(client: Client, release: Release) -> None:
    groups = set_up_groups()
    person = staff_member("clinician")
    person.groups.add(groups["Clinician"], groups["Publisher"])
    sign_in(client, person)

    assert client.get("/staff/handover/apikey/").status_code == 403
    assert client.get(ADD).status_code == 403
    assert Group.objects.filter(permissions__codename="add_apikey").get().name == "Clinic"
