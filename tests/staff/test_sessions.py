"""How long a sign-in holds, and what becomes of what was typed when it ends."""

from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from time_machine import Traveller

from triage.staff.kept import KEPT
from triage.staff.signing_in import SEEN_AT

from .people import PASSWORD, code_of, give_code, give_password, is_in, sign_in, staff_member

pytestmark = pytest.mark.django_db
PAGE, QUIET = "/staff/second-factor/", "/staff/second-factor/?poll=1"
CODES = "/staff/recovery-codes/"


@pytest.fixture
def signed_in(clock: Traveller, nurse: User) -> Client:
    return sign_in(Client(), nurse)


def test_fifteen_idle_minutes_end_a_session_and_the_page_says_so(
    signed_in: Client, clock: Traveller
) -> None:
    clock.shift(timedelta(minutes=15, seconds=1))

    response = signed_in.get(f"{PAGE}?a=b")

    assert response.headers["Location"] == (
        "/staff/login/?next=%2Fstaff%2Fsecond-factor%2F%3Fa%3Db&why=idle"
    )
    page = signed_in.get(response.headers["Location"]).content.decode()
    assert "nothing happened here for 15 minutes" in page
    assert f'value="{PAGE}?a=b"' in page
    assert "_auth_user_id" not in signed_in.session


def test_whoever_is_there_stays_in(signed_in: Client, clock: Traveller) -> None:
    for _ in range(6):
        clock.shift(timedelta(minutes=14))
        assert signed_in.get(PAGE).status_code == 200


def test_a_page_that_asks_by_itself_does_not_count_as_being_there(
    signed_in: Client, clock: Traveller
) -> None:
    for _ in range(3):
        clock.shift(timedelta(minutes=5))
        assert signed_in.get(QUIET).status_code == 200
    clock.shift(timedelta(seconds=1))

    assert signed_in.get(QUIET).status_code == 302


def test_eight_hours_end_a_session_whoever_is_there(signed_in: Client, clock: Traveller) -> None:
    for _ in range(8 * 6):
        assert signed_in.get(PAGE).status_code == 200
        clock.shift(timedelta(minutes=10))
    clock.shift(timedelta(seconds=1))

    response = signed_in.get(PAGE)

    assert response.headers["Location"].endswith("why=long")
    assert "for 8 hours" in signed_in.get(response.headers["Location"]).content.decode()


def test_a_session_is_written_once_a_minute_at_most(signed_in: Client, clock: Traveller) -> None:
    first = signed_in.session[SEEN_AT]
    clock.shift(timedelta(seconds=59))
    signed_in.get(PAGE)
    assert signed_in.session[SEEN_AT] == first

    clock.shift(timedelta(seconds=1))
    signed_in.get(PAGE)
    assert signed_in.session[SEEN_AT] == first + 60


def test_htmx_leads_the_whole_page_to_the_sign_in(signed_in: Client, clock: Traveller) -> None:
    clock.shift(timedelta(minutes=16))

    response = signed_in.get(
        QUIET, headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{PAGE}?c=d"}
    )

    assert response.headers["HX-Redirect"] == (
        "/staff/login/?next=%2Fstaff%2Fsecond-factor%2F%3Fc%3Dd&why=idle"
    )


def test_what_asks_while_somebody_types_says_that_they_are_out_and_loses_nothing(
    signed_in: Client, clock: Traveller
) -> None:
    clock.shift(timedelta(minutes=16))

    for _ in range(2):
        asked = signed_in.post(PAGE, {"a": "b"}, headers={"HX-Request": "true"})
        assert asked.status_code == 409
        assert "HX-Redirect" not in asked.headers
        assert "You are signed out. Press Save" in asked.content.decode()

    saved = signed_in.post(PAGE, {"typed": "for an hour"})
    assert saved.headers["Location"].endswith("why=idle")
    assert signed_in.session[KEPT]["fields"] == [["typed", "for an hour"]]
    assert not is_in(signed_in)


def test_logging_out_ends_the_session_on_the_server(signed_in: Client) -> None:
    cookie = signed_in.cookies["staff"].value

    signed_in.post("/staff/logout/")

    thief = Client()
    thief.cookies["staff"] = cookie
    assert not is_in(thief)


def test_logging_out_too_late_leads_to_the_first_page(signed_in: Client, clock: Traveller) -> None:
    clock.shift(timedelta(minutes=16))
    response = signed_in.post("/staff/logout/")

    page = signed_in.get(response.headers["Location"]).content.decode()

    assert 'name="next" value="/staff/"' in page


def test_sessions_that_nobody_came_back_to_are_cleared_away(
    signed_in: Client, nurse: User, clock: Traveller
) -> None:
    left = signed_in.session.session_key
    clock.shift(timedelta(hours=8, seconds=1))
    later = Client()
    give_password(later, "nurse")
    assert Session.objects.filter(pk=left).exists()

    give_code(later, code_of(nurse))

    assert is_in(later)
    assert not Session.objects.filter(pk=left).exists()


@pytest.mark.parametrize("change", ["is_active", "is_staff"])
def test_whose_account_is_closed_is_out_at_the_next_request(
    signed_in: Client, nurse: User, change: str
) -> None:
    assert is_in(signed_in)
    setattr(nurse, change, False)
    nurse.save()

    assert not is_in(signed_in)


def test_whose_phone_was_removed_is_out_at_the_next_request(signed_in: Client, nurse: User) -> None:
    nurse.totpdevice_set.all().delete()  # type: ignore[attr-defined] # django_otp has no types

    assert not is_in(signed_in)


def test_a_new_password_ends_the_other_sessions(signed_in: Client, nurse: User) -> None:
    elsewhere = sign_in(Client(), nurse)
    nurse.set_password(PASSWORD)
    nurse.save()
    here = sign_in(Client(), nurse)
    new = "quite another password"

    response = here.post(
        "/staff/password_change/",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )

    assert response.headers["Location"] == "/staff/password_change/done/"
    assert is_in(here)
    assert not is_in(elsewhere)
    assert not is_in(signed_in)


# What was typed


def test_what_was_sent_too_late_is_offered_again_and_saved_by_one_press(
    clock: Traveller,
) -> None:
    chief = User.objects.create_superuser("chief", password=PASSWORD)
    client = sign_in(Client(), chief)
    other = staff_member("other")
    change = f"/staff/auth/user/{other.pk}/change/"
    post = {"username": "other", "first_name": "<Ann>\n2", "is_active": "on", "is_staff": "on"}
    clock.shift(timedelta(minutes=16))

    response = client.post(change, post)
    other.refresh_from_db()
    assert other.first_name == ""
    sign_in_page = client.get(response.headers["Location"]).content.decode()
    assert "offered to you once you are in" in sign_in_page
    give_password(client, "chief")
    response = client.post("/staff/code/", {"code": code_of(chief), "next": change})
    assert response.headers["Location"].startswith("/staff/kept/?next=")
    offered = client.get(response.headers["Location"]).content.decode()

    assert f'action="{change}"' in offered
    fields = dict(
        unescape(part).split('" value="')
        for part in (each.split('">')[0] for each in offered.split('type="hidden" name="')[1:])
    )
    assert {name: fields[name] for name in post} == post
    client.post(change, {name: fields[name] for name in post})
    other.refresh_from_db()
    assert other.first_name.startswith("<Ann>")
    assert KEPT not in client.session
    assert client.get("/staff/kept/").status_code == 302


def test_what_was_sent_too_late_is_offered_to_nobody_else(
    signed_in: Client, clock: Traveller
) -> None:
    other = staff_member("other")
    clock.shift(timedelta(minutes=16))
    signed_in.post(CODES, {"why": "a secret of the nurse"})
    give_password(signed_in, "other")

    response = give_code(signed_in, code_of(other))

    assert response.headers["Location"] == "/staff/"
    assert KEPT not in signed_in.session
    assert signed_in.get("/staff/kept/").headers["Location"] == "/staff/"


@pytest.mark.parametrize("field", ["password", "new_password1"])
def test_a_password_that_was_sent_too_late_is_not_kept(
    signed_in: Client, clock: Traveller, field: str
) -> None:
    clock.shift(timedelta(minutes=16))

    response = signed_in.post(CODES, {field: "a secret", "why": "because"})

    assert KEPT not in signed_in.session
    page = signed_in.get(response.headers["Location"]).content.decode()
    assert "was not saved and could not be kept" in page
