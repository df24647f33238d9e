"""Who gets in: a password, a code that holds once, and not too many tries."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django.fixtures import Settings
from time_machine import Traveller

from triage.staff import signing_in
from triage.staff.signing_in import HALF_WAY, codes_left, make_recovery_codes

from .people import (
    CODE,
    PASSWORD,
    PHONE,
    SIGN_IN,
    code_of,
    give_code,
    give_password,
    is_in,
    sign_in,
    staff_member,
)

pytestmark = pytest.mark.django_db
HALF_A_MINUTE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def standing(clock: Traveller) -> None:
    """No test here depends on how long it takes."""


def wrong_code(person: User) -> str:
    """Return a code that none of the three that would be taken is."""
    taken = {code_of(person, off) for off in (-HALF_A_MINUTE, timedelta(), HALF_A_MINUTE)}
    return next(code for code in map("{:06}".format, range(9)) if code not in taken)


# Two factors


def test_password_and_code_let_in_and_lead_where_one_wanted_to_go(
    client: Client, nurse: User
) -> None:
    first = client.post(
        SIGN_IN, {"username": "nurse", "password": PASSWORD, "next": "/staff/second-factor/"}
    )
    second = client.post(CODE, {"code": code_of(nurse), "next": "/staff/second-factor/"})

    assert first.headers["Location"] == f"{CODE}?next=%2Fstaff%2Fsecond-factor%2F"
    assert second.headers["Location"] == "/staff/second-factor/"
    assert client.get("/staff/second-factor/").status_code == 200


@pytest.mark.parametrize(
    "wanted", ["https://elsewhere.example/", "//elsewhere.example", "javascript:1"]
)
def test_signing_in_leads_nowhere_else(client: Client, nurse: User, wanted: str) -> None:
    give_password(client, "nurse")

    response = client.post(CODE, {"code": code_of(nurse), "next": wanted})

    assert response.headers["Location"] == "/staff/"


@pytest.mark.parametrize(
    "address", ["/staff/", "/staff/second-factor/", "/staff/confirm/", "/staff/password_change/"]
)
def test_a_password_alone_opens_nothing(client: Client, nurse: User, address: str) -> None:
    give_password(client, "nurse")

    response = client.get(address)

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/staff/login/?next=")
    assert "_auth_user_id" not in client.session


def test_a_session_of_django_without_a_code_opens_nothing(client: Client, nurse: User) -> None:
    client.force_login(nurse)

    assert not is_in(client)


def test_a_code_alone_opens_nothing(client: Client, nurse: User) -> None:
    response = give_code(client, code_of(nurse))

    assert response.headers["Location"].startswith("/staff/login/")
    assert not is_in(client)


def test_the_code_of_somebody_else_is_refused(client: Client, nurse: User) -> None:
    other = staff_member("other")
    give_password(client, "nurse")

    give_code(client, code_of(other))

    assert not is_in(client)


def test_a_code_works_once(client: Client, nurse: User) -> None:
    code = code_of(nurse)
    give_password(client, "nurse")
    give_code(client, code)
    again = Client()
    give_password(again, "nurse")

    response = give_code(again, code)

    assert is_in(client)
    assert "was used already" in response.content.decode()
    assert not is_in(again)


@pytest.mark.parametrize(
    ("seconds", "let_in"),
    [(0, True), (-30, True), (30, True), (-60, False), (60, False), (-300, False), (300, False)],
)
def test_a_phone_may_be_half_a_minute_off(
    client: Client, nurse: User, seconds: int, let_in: bool
) -> None:
    give_password(client, "nurse")

    give_code(client, code_of(nurse, timedelta(seconds=seconds)))

    assert is_in(client) is let_in


def test_a_phone_that_is_off_does_not_get_more_room_each_time(
    client: Client, nurse: User, clock: Traveller
) -> None:
    give_password(client, "nurse")
    give_code(client, code_of(nurse, HALF_A_MINUTE))
    clock.shift(timedelta(minutes=5))
    later = Client()
    give_password(later, "nurse")

    give_code(later, code_of(nurse, 2 * HALF_A_MINUTE))

    assert is_in(client)
    assert not is_in(later)


def test_a_code_may_be_pasted_with_blanks(client: Client, nurse: User) -> None:
    code = code_of(nurse)
    give_password(client, "nurse")

    give_code(client, f" {code[:3]} {code[3:]} ")

    assert is_in(client)


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "²²²²²²", "١٢٣٤٥٦", "abcdef", "'; --", "x" * 500]
)
def test_what_is_no_code_is_refused_in_words(client: Client, nurse: User, typed: str) -> None:
    give_password(client, "nurse")

    response = give_code(client, typed)

    assert response.status_code == 200
    assert "Error: " in response.content.decode()
    assert not is_in(client)


def test_half_a_sign_in_lasts_ten_minutes(client: Client, nurse: User, clock: Traveller) -> None:
    give_password(client, "nurse")
    clock.shift(timedelta(minutes=10, seconds=1))

    response = give_code(client, code_of(nurse))

    assert response.headers["Location"].startswith("/staff/login/")


@pytest.mark.parametrize("change", ["closed", "no longer staff", "other password"])
def test_half_a_sign_in_ends_with_the_right_to_it(client: Client, nurse: User, change: str) -> None:
    give_password(client, "nurse")
    match change:
        case "closed":
            nurse.is_active = False
        case "no longer staff":
            nurse.is_staff = False
        case _:
            nurse.set_password("quite another password")
    nurse.save()

    give_code(client, code_of(nurse))

    assert not is_in(client)


def test_who_is_no_member_of_staff_is_refused(client: Client) -> None:
    User.objects.create_user("patient", password=PASSWORD)

    response = give_password(client, "patient")

    assert response.status_code == 200
    assert HALF_WAY not in client.session


def test_a_session_is_another_one_after_signing_in(client: Client, nurse: User) -> None:
    client.get(SIGN_IN)
    give_password(client, "nurse")
    before = client.session.session_key

    give_code(client, code_of(nurse))

    assert client.session.session_key != before


# The phone


def test_the_first_sign_in_sets_up_a_phone_and_shows_recovery_codes_once(
    client: Client,
) -> None:
    newcomer = staff_member("newcomer", phone=False)
    response = give_password(client, "newcomer")
    assert response.headers["Location"].startswith(PHONE)
    page = client.get(PHONE).content.decode()
    key = client.session[HALF_WAY]["key"]
    assert "<svg" in page
    assert "style=" not in page
    assert signing_in.in_letters(key) in page

    shown = client.post(PHONE, {"code": code_from(key)}).content.decode()

    codes = [code for code in shown.split('<code class="secret">') if "</code>" in code]
    assert len(codes) == codes_left(newcomer) == 10
    assert is_in(client)
    assert codes[0][:14] not in client.get("/staff/second-factor/").content.decode()


def code_from(key: str) -> str:
    return signing_in.next_code(TOTPDevice(key=key))


def test_a_phone_is_set_up_only_with_its_own_code(client: Client) -> None:
    newcomer = staff_member("newcomer", phone=False)
    give_password(client, "newcomer")

    response = client.post(PHONE, {"code": code_from("00" * 20)})

    assert "This code is wrong" in response.content.decode()
    assert signing_in.phone_of(newcomer) is None
    assert not is_in(client)


def test_the_code_that_set_up_a_phone_does_not_work_again(client: Client) -> None:
    staff_member("newcomer", phone=False)
    give_password(client, "newcomer")
    code = code_from(client.session[HALF_WAY]["key"])
    client.post(PHONE, {"code": code})
    again = Client()
    give_password(again, "newcomer")

    give_code(again, code)

    assert not is_in(again)


def test_who_has_a_phone_cannot_set_up_another_with_the_password_alone(
    client: Client, nurse: User
) -> None:
    give_password(client, "nurse")

    response = client.get(PHONE)

    assert response.headers["Location"].startswith("/staff/login/")


def test_another_phone_takes_the_place_of_the_first(client: Client, nurse: User) -> None:
    sign_in(client, nurse)
    before = signing_in.phone_of(nurse)
    client.get(PHONE)

    client.post(PHONE, {"code": code_from(client.session[signing_in.NEW_PHONE]["key"])})

    phone = signing_in.phone_of(nurse)
    assert phone != before
    assert TOTPDevice.objects.filter(user=nurse).count() == 1
    assert is_in(client)


# Recovery codes


def test_a_recovery_code_works_once(client: Client, nurse: User) -> None:
    codes = make_recovery_codes(user=nurse)
    give_password(client, "nurse")
    give_code(client, codes[0].upper())
    again = Client()
    give_password(again, "nurse")

    give_code(again, codes[0])

    assert is_in(client)
    assert not is_in(again)
    assert codes_left(nurse) == 9


def test_only_hashes_of_recovery_codes_are_kept(nurse: User) -> None:
    codes = make_recovery_codes(user=nurse)

    kept = set(StaticToken.objects.values_list("token", flat=True))

    assert len(set(codes)) == 10
    assert not kept & {form for code in codes for form in (code, code.replace("-", ""))}
    assert all(signing_in.stored(code.replace("-", "")) in kept for code in codes)


def test_a_stolen_hash_is_no_recovery_code(client: Client, nurse: User) -> None:
    make_recovery_codes(user=nurse)
    give_password(client, "nurse")

    give_code(client, StaticToken.objects.filter(device__user=nurse)[0].token)

    assert not is_in(client)


def test_new_recovery_codes_end_the_old_ones(client: Client, nurse: User) -> None:
    old = make_recovery_codes(user=nurse)
    sign_in(client, nurse)

    shown = client.post("/staff/recovery-codes/").content.decode()

    assert shown.count("<code") == codes_left(nurse) == 10
    other = Client()
    give_password(other, "nurse")
    give_code(other, old[0])
    assert not is_in(other)


# Too many tries


def test_a_hundred_wrong_passwords_lock_one_name_at_one_address_for_a_quarter_of_an_hour(
    client: Client, nurse: User, clock: Traveller
) -> None:
    answers = []
    for number in range(100):
        response = give_password(client, "nurse", f"guess {number}")
        answers.append(response.status_code)
        clock.shift(timedelta(seconds=1))
    locked = give_password(client, "nurse")

    assert answers == [200] * 4 + [429] * 96
    assert locked.status_code == 429
    assert "For 15 minutes" in locked.content.decode()
    assert HALF_WAY not in client.session

    fifth = timedelta(seconds=96)  # ago
    clock.shift(timedelta(minutes=15) - fifth)
    assert give_password(client, "nurse").status_code == 429
    clock.shift(timedelta(seconds=1))
    assert give_password(client, "nurse").status_code == 302


def test_a_colleague_at_the_same_address_gets_in(client: Client, nurse: User) -> None:
    colleague = staff_member("colleague")
    for number in range(10):
        give_password(client, "nurse", f"guess {number}")

    give_password(client, "colleague")
    give_code(client, code_of(colleague))

    assert is_in(client)


def test_the_same_name_gets_in_from_another_address(client: Client, nurse: User) -> None:
    for number in range(10):
        give_password(client, "nurse", f"guess {number}", REMOTE_ADDR="192.0.2.1")

    give_password(client, "nurse", REMOTE_ADDR="192.0.2.2")
    give_code(client, code_of(nurse), REMOTE_ADDR="192.0.2.2")

    assert is_in(client)


def test_another_browser_does_not_give_more_tries(client: Client, nurse: User) -> None:
    answers = [
        give_password(client, "nurse", f"guess {number}", HTTP_USER_AGENT=f"browser {number}")
        for number in range(6)
    ]

    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2


def test_wrong_codes_lock_as_wrong_passwords_do(
    client: Client, nurse: User, clock: Traveller
) -> None:
    give_password(client, "nurse")
    answers = []
    for _ in range(10):
        answers.append(give_code(client, wrong_code(nurse)).status_code)
        clock.shift(timedelta(seconds=20))
    locked = give_code(client, code_of(nurse))

    assert answers == [200] * 4 + [429] * 6
    assert locked.status_code == 429
    assert not is_in(client)


def test_after_a_wrong_code_the_right_one_has_to_wait(
    client: Client, nurse: User, clock: Traveller
) -> None:
    give_password(client, "nurse")
    give_code(client, wrong_code(nurse))

    at_once = give_code(client, code_of(nurse))
    assert "a second later" in at_once.content.decode()
    assert not is_in(client)

    clock.shift(timedelta(seconds=1))
    give_code(client, code_of(nurse))
    assert is_in(client)


def test_wrong_codes_and_wrong_passwords_count_together(
    client: Client, nurse: User, clock: Traveller
) -> None:
    for number in range(3):
        give_password(client, "nurse", f"guess {number}")
    give_password(client, "nurse")
    first = give_code(client, wrong_code(nurse))
    clock.shift(timedelta(seconds=2))

    second = give_code(client, wrong_code(nurse))

    assert (first.status_code, second.status_code) == (200, 429)
    assert give_password(client, "nurse").status_code == 429


def test_getting_in_forgets_the_wrong_tries(client: Client, nurse: User) -> None:
    for number in range(4):
        give_password(client, "nurse", f"guess {number}")
    give_password(client, "nurse")
    give_code(client, code_of(nurse))

    assert is_in(client)
    assert AccessAttempt.objects.count() == 0


def test_no_record_is_kept_of_who_signed_in_from_where(client: Client, nurse: User) -> None:
    give_password(client, "nurse")
    give_code(client, code_of(nurse))
    client.post("/staff/logout/")

    assert AccessLog.objects.count() == AccessAttempt.objects.count() == 0


# Where from


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "192.0.2.9"),
        (0, "203.0.113.1", "192.0.2.9"),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "198.51.100.1, 203.0.113.1", "203.0.113.1"),
        (2, "198.51.100.1, 203.0.113.1, 192.0.2.8", "203.0.113.1"),
        (2, "203.0.113.1", "192.0.2.9"),
        (1, "", "192.0.2.9"),
        (1, "not an address", "192.0.2.9"),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_what_our_own_proxies_saw(
    client: Client, nurse: User, settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.PROXY_COUNT = proxies

    give_password(
        client, "nurse", "a guess", REMOTE_ADDR="192.0.2.9", HTTP_X_FORWARDED_FOR=forwarded
    )

    assert AccessAttempt.objects.get().ip_address == address


def test_whoever_writes_addresses_into_the_header_is_locked_out_all_the_same(
    client: Client, nurse: User, settings: Settings
) -> None:
    settings.PROXY_COUNT = 1

    answers = [
        give_password(
            client, "nurse", "a guess", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.1"
        ).status_code
        for number in range(6)
    ]

    assert answers == [200] * 4 + [429] * 2
