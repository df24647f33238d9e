"""What a staff page is wrapped in: both factors, rights, and the password asked for once more."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from time_machine import Traveller

from triage.staff.signing_in import codes_left

from .people import PASSWORD, sign_in, staff_member

pytestmark = pytest.mark.django_db
PAGE, CODES, CONFIRM = "/staff/second-factor/", "/staff/recovery-codes/", "/staff/confirm/"


@pytest.fixture
def a_while_ago(nurse: User, clock: Traveller) -> Client:
    """Somebody who signed in more than five minutes ago."""
    client = sign_in(Client(), nurse)
    clock.shift(timedelta(minutes=5, seconds=1))
    return client


@pytest.mark.parametrize("address", [PAGE, CONFIRM, "/staff/kept/", "/staff/recovery-codes/"])
def test_a_stranger_is_led_to_the_sign_in_page_and_back(client: Client, address: str) -> None:
    response = client.get(address)

    assert response.headers["Location"] == (f"/staff/login/?next={address.replace('/', '%2F')}")
    assert "no-store" in response.headers["Cache-Control"]


def test_a_post_from_elsewhere_is_refused(nurse: User) -> None:
    client = sign_in(Client(enforce_csrf_checks=True), nurse)

    assert client.post(CODES).status_code == 403
    assert codes_left(nurse) == 0


def test_without_the_right_a_page_says_whom_to_ask(client: Client, nurse: User) -> None:
    sign_in(client, nurse)

    response = client.get(f"/staff/auth/user/{nurse.pk}/change/")

    assert response.status_code == 403
    assert "rights come with being an author" in response.content.decode()


def test_within_five_minutes_of_signing_in_nothing_is_asked(
    nurse: User, client: Client, clock: Traveller
) -> None:
    sign_in(client, nurse)
    clock.shift(timedelta(minutes=5))

    assert client.post(CODES).status_code == 200
    assert codes_left(nurse) == 10


def test_after_five_minutes_nothing_is_done_until_the_password_is_given(
    a_while_ago: Client, nurse: User
) -> None:
    response = a_while_ago.post(f"{CODES}?a=b")

    assert response.headers["Location"] == f"{CONFIRM}?next=%2Fstaff%2Frecovery-codes%2F%3Fa%3Db"
    assert codes_left(nurse) == 0
    page = a_while_ago.get(response.headers["Location"]).content.decode()
    assert "Nothing was done yet" in page

    response = a_while_ago.post(response.headers["Location"], {"password": PASSWORD})
    assert response.headers["Location"] == f"{CODES}?a=b"
    assert a_while_ago.post(CODES).status_code == 200
    assert codes_left(nurse) == 10


def test_what_was_typed_before_the_password_was_asked_for_is_offered_again(
    a_while_ago: Client,
) -> None:
    address = a_while_ago.post(CODES, {"why": "A better word"}).headers["Location"]

    response = a_while_ago.post(address, {"password": PASSWORD})

    page = a_while_ago.get(response.headers["Location"]).content.decode()
    assert f'action="{CODES}"' in page
    assert 'name="why" value="A better word"' in page


def test_a_page_that_has_to_be_confirmed_asks_before_it_is_read(
    a_while_ago: Client,
) -> None:
    response = a_while_ago.get("/staff/phone/")

    assert response.headers["Location"] == f"{CONFIRM}?next=%2Fstaff%2Fphone%2F"


def test_htmx_leads_the_whole_page_to_the_password(a_while_ago: Client) -> None:
    response = a_while_ago.post(
        CODES, headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{PAGE}"}
    )

    assert response.headers["HX-Redirect"] == f"{CONFIRM}?next=%2Fstaff%2Fsecond-factor%2F"


def test_a_wrong_password_confirms_nothing_and_counts(a_while_ago: Client, nurse: User) -> None:
    answers = [
        a_while_ago.post(CONFIRM, {"password": f"guess {number}"}).status_code
        for number in range(6)
    ]

    assert answers == [200] * 4 + [429] * 2
    assert a_while_ago.post(CONFIRM, {"password": PASSWORD}).status_code == 429
    assert a_while_ago.post(CODES).status_code == 302
    assert codes_left(nurse) == 0


def test_the_password_of_somebody_else_confirms_nothing(a_while_ago: Client) -> None:
    other = staff_member("other")
    other.set_password("quite another password")
    other.save()

    response = a_while_ago.post(CONFIRM, {"password": "quite another password"})

    assert "This is not your password" in response.content.decode()


def test_pages_of_patients_ask_nothing_about_staff(
    client: Client, nurse: User, clock: Traveller
) -> None:
    sign_in(client, nurse)
    clock.shift(timedelta(hours=9))

    with CaptureQueriesContext(connection) as queries:
        response = client.post("/check/begin", follow=True)

    assert response.status_code == 200
    assert not [query for query in queries if "django_session" in query["sql"]]
    assert "staff" not in response.cookies
