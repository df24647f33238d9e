"""One line for each thing that happens to an account, and nothing in it that was typed."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from time_machine import Traveller

from triage.staff.roles import set_up_groups
from triage.staff.signing_in import make_recovery_codes, next_code

from .people import (
    PASSWORD,
    code_of,
    give_code,
    give_password,
    lines,
    log_of,
    sign_in,
    staff_member,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief(db: None) -> Client:
    return sign_in(Client(), User.objects.create_superuser("chief", password=PASSWORD))


def test_signing_in_and_out(client: Client, nurse: User, told: pytest.LogCaptureFixture) -> None:
    give_password(client, "nurse")
    give_code(client, code_of(nurse))
    client.post("/staff/logout/")

    assert lines(told) == [
        {"event": "signed_in", "who": "nurse"},
        {"event": "signed_out", "who": "nurse"},
    ]


def test_a_wrong_password_and_a_wrong_code(
    client: Client, nurse: User, told: pytest.LogCaptureFixture
) -> None:
    give_password(client, "nurse", "a secret guess")
    give_password(client, "nurse")
    give_code(client, code_of(nurse, timedelta(hours=1)))

    assert lines(told) == [{"event": "refused", "who": "nurse"}] * 2


def test_a_lock_out(client: Client, nurse: User, told: pytest.LogCaptureFixture) -> None:
    for _ in range(6):
        give_password(client, "nurse", "a secret guess")

    refused, locked = {"event": "refused", "who": "nurse"}, {"event": "locked_out", "who": "nurse"}
    assert lines(told) == [refused] * 4 + [locked] * 2


def test_a_session_that_is_over(
    client: Client, nurse: User, clock: Traveller, told: pytest.LogCaptureFixture
) -> None:
    sign_in(client, nurse)
    told.clear()
    clock.shift(timedelta(minutes=16))
    client.get("/staff/")

    assert lines(told) == [{"event": "session_over", "who": "nurse", "why": "idle"}]


def test_a_phone_recovery_codes_and_the_password_once_more(
    client: Client, clock: Traveller, told: pytest.LogCaptureFixture
) -> None:
    newcomer = staff_member("newcomer", phone=False)
    give_password(client, "newcomer")
    key = client.session["staff_half_way"]["key"]
    client.post("/staff/phone/", {"code": next_code(TOTPDevice(key=key))})
    client.post("/staff/recovery-codes/")
    client.post("/staff/confirm/", {"password": PASSWORD})
    client.post("/staff/logout/")
    give_password(client, "newcomer")
    give_code(client, make_recovery_codes(user=newcomer)[0])

    assert [line["event"] for line in lines(told)] == [
        "second_factor_set_up",
        "signed_in",
        "recovery_codes_made",
        "confirmed",
        "signed_out",
        "recovery_code_used",
        "signed_in",
    ]
    assert {line["who"] for line in lines(told)} == {"newcomer"}
    assert key not in log_of(told)


def test_a_changed_password(client: Client, nurse: User, told: pytest.LogCaptureFixture) -> None:
    sign_in(client, nurse)
    told.clear()
    new = "quite another password"
    post = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    client.post("/staff/password_change/", {**post, "new_password2": "a slip"})
    client.post("/staff/password_change/", post)

    assert lines(told) == [{"event": "password_changed", "who": "nurse"}]
    assert new not in log_of(told)


def test_a_changed_role(chief: Client, nurse: User, told: pytest.LogCaptureFixture) -> None:
    set_up_groups()
    told.clear()
    author = Group.objects.get(name="Author")
    post = {"username": "nurse", "is_active": "on", "is_staff": "on"}
    change = f"/staff/auth/user/{nurse.pk}/change/"
    chief.post(change, {**post, "groups": [author.pk]})
    chief.post(change, {**post, "groups": [author.pk], "first_name": "Ann"})

    assert lines(told) == [
        {
            "event": "role_changed",
            "who": "chief",
            "whose": "nurse",
            "roles": ["Author"],
            "active": True,
            "staff": True,
            "superuser": False,
        }
    ]


def test_a_removed_phone(chief: Client, nurse: User, told: pytest.LogCaptureFixture) -> None:
    told.clear()
    phone = nurse.totpdevice_set.get()  # type: ignore[attr-defined] # django_otp has no types
    chief.post(f"/staff/otp_totp/totpdevice/{phone.pk}/delete/", {"post": "yes"})

    assert lines(told) == [{"event": "second_factor_removed", "who": "chief", "whose": "nurse"}]


CANARY = "a canary that was typed into the wrong field"


def test_nothing_that_was_typed_and_no_address_is_logged_by_anybody(
    client: Client, nurse: User, told: pytest.LogCaptureFixture
) -> None:
    told.set_level("DEBUG", "triage")
    for _ in range(6):
        give_password(
            client,
            CANARY,
            CANARY,
            REMOTE_ADDR="192.0.2.77",
            HTTP_USER_AGENT=CANARY,
            QUERY_STRING=f"next={CANARY}",
        )
    give_password(client, "nurse")
    give_code(client, CANARY[:20])
    give_code(client, code_of(nurse), REMOTE_ADDR="192.0.2.77")

    text = log_of(told)
    assert "canary" not in text
    assert "192.0.2.77" not in text
    assert "127.0.0.1" not in text
    assert lines(told)[0] == {"event": "refused", "who": None}


def test_a_name_cannot_write_a_line_of_its_own(
    client: Client, told: pytest.LogCaptureFixture
) -> None:
    name = 'eve\n{"event": "signed_in", "who": "chief"}'
    staff_member(name)

    give_password(client, name, "a guess")

    written = [line for line in log_of(told).splitlines() if "triage.staff" in line]
    assert len(written) == 1
    assert json.loads(written[0])["event"] == "refused"
    assert json.loads(written[0])["who"] == name
