"""Staff open what was handed over by its code; its person takes a copy home by the link, once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.desk.people import at_the_desk, member
from tests.questionnaire.conftest import Person
from triage.content.models import Release
from triage.engine import outcome, receipt
from triage.handover import services
from triage.handover.codes import Codes
from triage.handover.models import Handover, WrongCode
from triage.questionnaire.models import Assessment

from .test_handing_over import at_a_kiosk, finish
from .visitors import Visitor, of_the_clinic, receptionist

WRONG = "ZZZ-ZZZ"


@pytest.fixture
def doctor(db: None) -> User:
    return receptionist("doctor")


@pytest.fixture
def someone(release: Release) -> Visitor:
    return at_a_kiosk(release)


@pytest.fixture
def handed(someone: Visitor) -> Codes:
    return services.hand_over(
        assessment=someone.assessment, visit=someone.visit, now=timezone.now()
    )


def pick_up(code: str, by: User, after: timedelta = timedelta()) -> Handover:
    return services.pick_up(code=code, by=by, now=timezone.now() + after)


# By the code


def test_the_code_opens_it_and_says_by_whom(handed: Codes, doctor: User) -> None:
    opened = pick_up(handed.code.lower().replace("-", " "), doctor)

    assert (opened.opened_by, opened.visit) == (doctor, Handover.objects.get().visit)
    assert opened.opened_at is not None


def test_whoever_opened_it_can_open_it_again(handed: Codes, doctor: User) -> None:
    first = pick_up(handed.code, doctor)
    again = pick_up(handed.code, doctor, timedelta(minutes=29))

    assert again.opened_at == first.opened_at
    with pytest.raises(services.NoSuchCode):
        pick_up(handed.code, doctor, timedelta(minutes=31))


def test_a_code_is_void_for_others_once_it_was_picked_up(handed: Codes, doctor: User) -> None:
    pick_up(handed.code, doctor)

    with pytest.raises(services.PickedUp) as refused:
        pick_up(handed.code, receptionist())

    assert refused.value.handover.opened_by == doctor
    assert not WrongCode.objects.exists()


def test_from_the_list_the_first_who_opens_it_is_taken_down(handed: Codes, doctor: User) -> None:
    closed, now = Handover.objects.get(), timezone.now()

    first = services.open_handover(handover=closed, by=doctor, now=now)
    second = services.open_handover(
        handover=closed, by=receptionist(), now=now + timedelta(minutes=1)
    )

    assert (
        (first.opened_by, first.opened_at) == (second.opened_by, second.opened_at) == (doctor, now)
    )


def test_what_staff_have_taken_is_gone(handed: Codes, doctor: User) -> None:
    services.forget(pick_up(handed.code, doctor))

    assert not Handover.objects.exists()
    with pytest.raises(services.NoSuchCode):
        pick_up(handed.code, doctor)


# Wrong codes


def test_ten_wrong_codes_and_even_the_right_one_has_to_wait(handed: Codes, doctor: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(10):
            clock.shift(timedelta(seconds=20))
            with pytest.raises(services.NoSuchCode):
                pick_up(WRONG, doctor)

        clock.shift(timedelta(seconds=20))
        with pytest.raises(services.TooManyTries) as refused:
            pick_up(handed.code, doctor)
        assert refused.value.seconds == 10 * 60 - 10 * 20

        clock.shift(timedelta(seconds=refused.value.seconds - 1))
        with pytest.raises(services.TooManyTries):
            pick_up(handed.code, doctor)
        clock.shift(timedelta(seconds=1))
        assert pick_up(handed.code, doctor).opened_by == doctor


def test_one_who_guesses_makes_nobody_else_wait(handed: Codes, doctor: User) -> None:
    guesser = receptionist()
    for _ in range(10):
        with pytest.raises(services.NoSuchCode):
            pick_up(WRONG, guesser)

    assert pick_up(handed.code, doctor).opened_by == doctor


def test_a_slip_of_the_hand_that_can_be_no_code_is_no_guess(doctor: User) -> None:
    for slip in ("", "K7M", "K7M-4Q0") * 10:
        with pytest.raises(services.NoSuchCode):
            pick_up(slip, doctor)

    assert not WrongCode.objects.exists()


@pytest.mark.usefixtures("transactional_db")
def test_guesses_at_once_are_counted_one_by_one(release: Release) -> None:
    guesser, gate = of_the_clinic(), Barrier(4)

    def guess(_: int) -> list[str]:
        try:
            gate.wait()
            return [_refused(lambda: pick_up(WRONG, guesser)) for _ in range(4)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        refused = [why for each in threads.map(guess, range(4)) for why in each]

    assert sorted(refused) == ["NoSuchCode"] * 10 + ["TooManyTries"] * 6


def _refused(act: Callable[[], Any]) -> str:
    try:
        act()
    except (services.NoSuchCode, services.TooManyTries) as why:
        return type(why).__name__
    return ""


def test_wrong_codes_are_forgotten_when_they_no_longer_count(doctor: User) -> None:
    with pytest.raises(services.NoSuchCode):
        pick_up(WRONG, doctor)

    services.forget_expired(timezone.now() + timedelta(minutes=9))
    assert WrongCode.objects.count() == 1
    services.forget_expired(timezone.now() + timedelta(minutes=10))
    assert WrongCode.objects.count() == 0


def test_picking_up_asks_little_of_the_database(handed: Codes, doctor: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        pick_up(handed.code, doctor)

    # One try at a time, wrong ones, the code, opened, and read.
    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 5


# Home, by the link


def test_a_copy_goes_home_with_the_same_outcome(someone: Visitor, handed: Codes) -> None:
    there = someone.assessment

    _, copy = services.take_along(token=handed.link, now=timezone.now())

    assert (copy.channel, copy.device, copy.idle_limit) == ("home", None, None)
    assert (copy.replies, copy.set_by, copy.release_id) == (
        there.replies,
        there.set_by,
        there.release_id,
    )
    outcomes = {receipt(outcome(each.content.knowledge, each.evidence)) for each in (there, copy)}
    assert len(outcomes) == 1
    assert Handover.objects.get().opened_at is None  # staff can still pick it up


def test_a_link_that_is_only_looked_at_is_not_used_up(handed: Codes) -> None:
    phone = Person()
    for _ in range(3):
        assert phone.go(f"/take/{handed.link}").status_code == 200
        assert Client().head(f"/take/{handed.link}").status_code == 200

    assert "opens once only" in phone.page
    assert "chest" not in phone.page
    assert Assessment.objects.count() == 1
    assert Handover.objects.get().link_used_at is None


def test_the_button_opens_the_advice_on_the_phone(someone: Visitor, handed: Codes) -> None:
    phone = Person()
    phone.go(f"/take/{handed.link}")

    assert phone.post({}, f"/take/{handed.link}").status_code == 303

    assert phone.path == "/check/outcome"
    assert 'data-urgency="emergency_now"' in phone.page
    assert phone.go("/check/answers").status_code == 200
    someone.leave()
    assert phone.go("/check/outcome").status_code == 200


def test_a_link_opens_once(handed: Codes) -> None:
    first, second = Person(), Person()
    first.post({}, f"/take/{handed.link}")

    for answer in (second.go(f"/take/{handed.link}"), second.post({}, f"/take/{handed.link}")):
        assert answer.status_code == 410
        assert "does not work any more" in second.page
    assert settings.ASSESSMENT_COOKIE_NAME not in second.browser.cookies
    with pytest.raises(services.NoSuchLink):
        services.take_along(token=handed.link, now=timezone.now())


def test_who_scans_it_again_is_led_to_what_is_there(handed: Codes) -> None:
    phone = Person()
    phone.post({}, f"/take/{handed.link}")

    assert phone.go(f"/take/{handed.link}").status_code == 410

    assert "Go to the answers on this device" in phone.page
    assert phone.go("/check/resume").status_code == 200


def test_a_link_is_good_for_half_an_hour(handed: Codes) -> None:
    path = f"/take/{handed.link}"
    with time_machine.travel(timezone.now() + timedelta(minutes=29)):
        assert Person().go(path).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=30)):
        assert Person().go(path).status_code == 410
        assert Person().post({}, path).status_code == 410


@pytest.mark.parametrize("link", ["xxx", "A" * 24, "A" * 300])
def test_a_link_that_never_was_looks_like_one_that_was_used(handed: Codes, link: str) -> None:
    never, used = Person(), Person()
    services.take_along(token=handed.link, now=timezone.now())

    assert never.go(f"/take/{link}").status_code == 410
    assert used.go(f"/take/{handed.link}").status_code == 410
    assert never.page.replace(link, "") == used.page.replace(handed.link, "")


@pytest.mark.usefixtures("transactional_db")
def test_two_who_open_a_link_at_once_get_one_copy(release: Release) -> None:
    for _ in range(5):
        someone, gate = at_a_kiosk(release), Barrier(3)
        link = services.hand_over(
            assessment=someone.assessment, visit=someone.visit, now=timezone.now()
        ).link

        def take(where: tuple[str, Barrier]) -> str:
            try:
                where[1].wait()
                services.take_along(token=where[0], now=timezone.now())
            except services.NoSuchLink:
                return "refused"
            finally:
                connection.close()
            return "taken"

        with ThreadPoolExecutor(3) as threads:
            taken = list(threads.map(take, [(link, gate)] * 3))

        assert sorted(taken) == ["refused", "refused", "taken"]


def test_a_phone_with_other_answers_is_asked_first(handed: Codes) -> None:
    phone = finish(Person())
    other = phone.assessment
    phone.go(f"/take/{handed.link}")
    assert "already holds the answers of another check" in phone.page

    phone.post({}, f"/take/{handed.link}")

    assert phone.path == "/check/outcome"
    assert not Assessment.objects.filter(pk=other.pk).exists()


def test_on_the_device_where_it_was_made_the_link_is_not_used_up(release: Release) -> None:
    person = finish(Person())
    link = services.hand_over(assessment=person.assessment, visit=None, now=timezone.now()).link

    person.go(f"/take/{link}")

    assert person.path == "/check/outcome"
    assert Handover.objects.get().link_used_at is None
    other = Person()
    other.post({}, f"/take/{link}")
    assert other.path == "/check/outcome"


# Staff who scan the picture


def test_staff_are_led_to_the_desk(handed: Codes, doctor: User) -> None:
    browser = Client()
    browser.force_login(doctor)

    for answer in (browser.get(f"/take/{handed.link}"), browser.post(f"/take/{handed.link}")):
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/staff/desk/pick-up?link={handed.link}"
    assert Handover.objects.get().link_used_at is None


@pytest.mark.parametrize(
    "before", ["", "https://here.example/take/", "https://here.example/es/take/"]
)
def test_staff_open_it_by_what_their_scanner_reads(
    handed: Codes, doctor: User, before: str
) -> None:
    opened = pick_up(before + handed.link, doctor)

    assert opened.opened_by == doctor
    with pytest.raises(services.NoSuchCode):
        pick_up(handed.link, doctor)
    with pytest.raises(services.NoSuchLink):
        services.take_along(token=handed.link, now=timezone.now())
    assert not WrongCode.objects.exists()


def test_a_colleague_who_comes_second_leaves_the_link_to_its_person(
    handed: Codes, doctor: User
) -> None:
    pick_up(handed.code, doctor)

    with pytest.raises(services.PickedUp):
        pick_up(handed.link, receptionist())

    services.take_along(token=handed.link, now=timezone.now())


def test_what_was_scanned_stands_in_the_form_of_the_desk(handed: Codes) -> None:
    clinician = at_the_desk(member("gp", "Clinician"))

    asked: Any = clinician.get(f"/take/{handed.link}", follow=True)
    assert f'value="{handed.link}"' in asked.content.decode()
    assert Handover.objects.get().opened_at is None
    posted = clinician.post("/staff/desk/pick-up", {"code": handed.link})

    assert posted.headers["Location"] == f"/staff/desk/people/{Handover.objects.get().pk}"
    assert Handover.objects.get().opened_by == User.objects.get(username="gp")
