"""What a patient hands over, by which code, and for how long it is there."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import datetime, timedelta
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

from tests.database_files import copies, sqlite_only
from tests.questionnaire.conftest import Person
from tests.staff.people import sign_in
from triage.content.models import Release
from triage.handover import codes, services, views, visits
from triage.handover.models import Handover
from triage.questionnaire import services as questionnaire
from triage.questionnaire.models import Assessment

from .visitors import Visitor, of_the_clinic, receptionist, visitor

BEGIN = "/check/hand-over"
CODE = re.compile(r'<p class="code">([^<]*)</p>')
MORNING = datetime(2031, 5, 7, 8, 0, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def finished(release: Release) -> Person:
    """Somebody at home who has read the advice."""
    return finish(Person())


def finish(person: Person, right_now: str = "chest_tight") -> Person:
    """Answer until there is advice: with a danger sign that is after the first question."""
    person.begin()
    person.answer_all(right_now=right_now)
    if person.path == "/check/answers":
        person.post({}, "/check/finish")
    assert person.path == "/check/outcome"
    return person


def give(person: Person, once: str = "") -> str:
    """Press the button, and return the code that is shown."""
    if not once:
        person.go(BEGIN)
        once = once_of(person)
    response = person.post({"once": once}, BEGIN)
    assert response.status_code == 200
    return code_of(person)


def once_of(person: Person) -> str:
    (once,) = re.findall(r'name="once" value="([^"]+)"', person.page)
    return str(once)


def code_of(person: Person) -> str:
    (code,) = CODE.findall(person.page)
    return str(code)


def at_a_kiosk(release: Release, now: datetime | None = None) -> Visitor:
    """Somebody at a kiosk who has a danger sign, and so is at the advice at once."""
    someone = visitor(release, now=now)
    someone.reply("right_now", ["chest_tight"])
    return someone


# The code


def test_a_code_has_six_characters_that_nobody_mistakes() -> None:
    made = [codes.make_codes("seed", number).code for number in range(500)]

    assert all(re.fullmatch("[2-9B-Z]{3}-[2-9B-Z]{3}", code) for code in made)
    assert not set("".join(made)) & set("01OIAEULS") - {"S"}
    assert set("".join(made)) == {*codes.LETTERS, "-"}
    assert len(set(made)) == 500


def test_a_link_has_at_least_128_bits_and_holds_nothing() -> None:
    links = [codes.make_codes("seed", number).link for number in range(500)]

    assert {len(link) for link in links} == {24}
    assert codes.LINK_BYTES * 8 >= 128
    assert len({link[:8] for link in links}) == len({link[-8:] for link in links}) == 500


@pytest.mark.parametrize(
    "typed", ["k7m4qx", "K7M-4QX", " k7m 4qx ", "K7M \N{EN DASH} 4QX", "k-7-m-4-q-x"]
)
def test_a_code_is_taken_however_it_is_typed(typed: str) -> None:
    assert codes.typed(typed) == "K7M4QX"


@pytest.mark.parametrize(
    "typed", ["", "K7M4Q", "K7M4QXX", "K7M4Q0", "O7M4QX", "ключик", "\ud800" * 6]
)
def test_what_can_be_no_code_is_none(typed: str) -> None:
    assert codes.typed(typed) == ""


def test_we_keep_hashes_alone(finished: Person) -> None:
    code = give(finished)

    kept = json.dumps(list(Handover.objects.values()), default=str)
    assert code not in kept
    assert codes.typed(code) not in kept
    assert Handover.objects.get().code_hash == codes.hash_of(codes.typed(code))


# What is handed over


def test_the_whole_assessment_is_handed_over_and_nothing_else(finished: Person) -> None:
    row = finished.assessment
    assert Handover.objects.count() == 0

    give(finished)

    handover = Handover.objects.get()
    assert handover.document == {
        "topic": "back-lump",
        "replies": row.replies,
        "set_by": row.set_by,
        "voice": "text",
        "language": "en-gb",
        "channel": "home",
        "started_at": row.started_at.isoformat(),
        "finished_at": row.finished_at.isoformat() if row.finished_at else "",
        "withdrawn": [],
        "ticket": "",
        "place": "",
    }
    assert (handover.release_id, handover.assessment) == (row.release_id, row.pk)
    assert handover.visit is None


def test_at_a_kiosk_the_ticket_and_the_place_go_with_it(release: Release) -> None:
    someone, now = at_a_kiosk(release), timezone.now()

    services.hand_over(assessment=someone.assessment, visit=someone.visit, now=now)
    someone.leave()

    handover = Handover.objects.get()
    assert (handover.visit, handover.assessment) == (someone.visit, None)
    assert handover.document["ticket"] == someone.visit.ticket
    assert handover.document["place"] == "by the door"
    assert handover.document["channel"] == "kiosk"
    assert visits.forget(now) == 0  # nobody has opened it


def test_before_the_advice_there_is_nothing_to_hand_over(release: Release) -> None:
    underway = Person()
    underway.begin()
    underway.go(BEGIN)
    assert underway.path == "/check/1"

    response = underway.browser.post(BEGIN)

    assert (response.status_code, response.headers["Location"]) == (303, "/check/1")
    assert not Handover.objects.exists()
    with pytest.raises(services.NotFinished):
        services.hand_over(assessment=underway.assessment, visit=None, now=timezone.now())


def test_without_an_assessment_it_says_so(release: Release) -> None:
    person = Person()

    assert person.go(BEGIN).status_code == 404
    assert person.browser.post(BEGIN).status_code == 404


def test_a_trial_is_never_handed_over(release: Release) -> None:
    staff = Person(browser=sign_in(Client(), User.objects.get(username="demo-author")))
    begun: Any = staff.browser.post(
        "/staff/topics/back-lump/try", {"what": "drafts", "way": "text"}
    )
    staff.go(begun.headers["Location"])
    staff.answer(["chest_tight"])
    assert staff.path == "/try/check/outcome"
    assert "hand-over" not in staff.page

    asked, posted = (ask(f"/try{BEGIN}") for ask in (staff.browser.get, staff.browser.post))

    assert [answer.headers["Location"] for answer in (asked, posted)] == ["/staff/trial"] * 2
    assert not Handover.objects.exists()


# Again


def test_handing_over_again_voids_the_old_code(finished: Person) -> None:
    old, doctor = give(finished), receptionist()
    finished.go(BEGIN)
    assert "Staff have not opened it yet" in finished.page

    new = give(finished)

    assert old != new
    assert Handover.objects.count() == 1
    with pytest.raises(services.NoSuchCode):
        services.pick_up(code=old, by=doctor, now=timezone.now())
    services.pick_up(code=new, by=doctor, now=timezone.now())
    finished.go(BEGIN)
    assert "staff opened it at" in finished.page


def test_the_same_form_twice_shows_the_same_code(finished: Person) -> None:
    finished.go(BEGIN)
    once = once_of(finished)

    shown = [give(finished, once) for _ in range(3)]

    assert len(set(shown)) == 1
    services.pick_up(code=shown[0], by=receptionist(), now=timezone.now())
    assert give(finished, once) == shown[0]
    assert Handover.objects.get().opened_at is not None


def test_a_changed_answer_makes_the_same_form_another_one(finished: Person) -> None:
    finished.go(BEGIN)
    once = once_of(finished)
    before = give(finished, once)

    finished.go("/check/1")
    finished.answer(["chest_tight", "collapse"])

    assert give(finished, once) != before
    assert ["right_now", ["chest_tight", "collapse"]] in Handover.objects.get().document["replies"]


def test_two_people_never_have_one_code(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    real = codes.make_codes
    monkeypatch.setattr(services, "make_codes", lambda pk, *seed: real(seed[-1]))
    first, second = at_a_kiosk(release), at_a_kiosk(release)

    shown = [
        services.hand_over(assessment=one.assessment, visit=one.visit, now=timezone.now())
        for one in (first, second)
    ]

    assert shown[0].code != shown[1].code
    assert Handover.objects.count() == 2


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("same_form", [True, False])
def test_two_posts_at_once_give_one_valid_code(release: Release, same_form: bool) -> None:
    person = finish(Person())
    forms: list[str] = []
    for _ in range(4):
        person.go(BEGIN)
        forms.append(forms[0] if forms and same_form else once_of(person))
    gate, cookies, doctor = Barrier(4), person.browser.cookies, of_the_clinic()

    def post(once: str) -> str:
        try:
            browser = Person()
            browser.browser.cookies = deepcopy(cookies)
            gate.wait()
            assert browser.post({"once": once}, BEGIN).status_code == 200
            return code_of(browser)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        shown = set(threads.map(post, forms))

    assert len(shown) == (1 if same_form else 4)
    assert Handover.objects.count() == 1
    valid = [code for code in shown if _opens(code, doctor)]
    assert len(valid) == 1


def _opens(code: str, doctor: User) -> bool:
    try:
        services.pick_up(code=code, by=doctor, now=timezone.now())
    except services.NoSuchCode:
        return False
    return True


# Taken back, and gone


def test_deleting_my_answers_takes_back_what_nobody_has_opened(finished: Person) -> None:
    code = give(finished)

    finished.post({}, "/check/delete")

    assert not Handover.objects.exists()
    assert not _opens(code, receptionist())


def test_deleting_my_answers_leaves_what_staff_are_reading(finished: Person) -> None:
    services.pick_up(code=give(finished), by=receptionist(), now=timezone.now())

    finished.post({}, "/check/delete")

    assert Handover.objects.get().assessment is None


def test_deleted_answers_are_not_handed_over_afterwards(finished: Person) -> None:
    row = finished.assessment
    finished.post({}, "/check/delete")

    with pytest.raises(questionnaire.NoAssessment):
        services.hand_over(assessment=row, visit=None, now=timezone.now())

    assert not Handover.objects.exists()


@pytest.mark.parametrize(
    ("opened", "lasts"),
    [
        (None, timedelta(hours=12)),
        (timedelta(hours=1), timedelta(hours=1, minutes=30)),
        (timedelta(hours=11, minutes=50), timedelta(hours=12)),
    ],
)
def test_it_deletes_itself(release: Release, opened: timedelta | None, lasts: timedelta) -> None:
    doctor = receptionist()
    with time_machine.travel(MORNING, tick=False) as clock:
        someone = at_a_kiosk(release)
        code = services.hand_over(
            assessment=someone.assessment, visit=someone.visit, now=timezone.now()
        ).code
        if opened:
            services.pick_up(code=code, by=doctor, now=MORNING + opened)
        clock.move_to(MORNING + lasts - timedelta(seconds=1))
        questionnaire.purge(now=timezone.now())
        handover = Handover.objects.get()
        assert handover.gone_at == MORNING + lasts
        assert _opens(code, doctor)
        Handover.objects.update(opened_at=handover.opened_at, opened_by=handover.opened_by)

        clock.move_to(MORNING + lasts)
        assert not _opens(code, doctor)  # even before anybody sweeps
        questionnaire.purge(now=timezone.now())

    assert not Handover.objects.exists()


CANARY = "canary-4d7e"


@sqlite_only
@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("way", ["taken", "opened", "nobody", "deleted"])
def test_nothing_of_it_is_left_in_any_file(release: Release, way: str) -> None:
    doctor, handed = of_the_clinic(), []
    for number in range(8):
        person = finish(Person())
        # Long enough to spill over several pages of the file.
        text = CANARY * (1, 40, 400)[number % 3]
        Assessment.objects.filter(pk=person.assessment.pk).update(withdrawn=[text])
        handed.append((person, give(person)))
    assert copies(CANARY) > 8

    if way == "deleted":
        for person, _ in handed:
            person.post({}, "/check/delete")
    else:
        Assessment.objects.update(withdrawn=[])
        for _, code in handed:
            if way != "nobody":
                found = services.pick_up(code=code, by=doctor, now=timezone.now())
            if way == "taken":
                assert services.forget(found)
        if way != "taken":
            after = timedelta(minutes=30) if way == "opened" else timedelta(hours=12)
            assert questionnaire.purge(now=timezone.now() + after)[1]

    assert not Handover.objects.exists()
    assert copies(CANARY) == 0


# The pages


def test_the_page_says_what_goes_to_whom_and_for_how_long(release: Release) -> None:
    finished = finish(Person(), right_now="none")
    assert f'href="{BEGIN}"' in finished.page

    finished.go(BEGIN)

    for told in ("All your answers", "Only staff of this service", "12 hours", "30 minutes"):
        assert told in finished.page
    assert not Handover.objects.exists()


def test_the_code_is_in_no_address_and_in_no_cache(finished: Person) -> None:
    finished.go(BEGIN)
    response = finished.post({"once": once_of(finished)}, BEGIN)

    assert finished.path == BEGIN
    assert "no-store" in response.headers["Cache-Control"]
    assert not re.search(r"\sstyle=|<style", finished.page)
    assert "<svg" in finished.page


def test_in_an_emergency_the_advice_stands_first_on_every_page(release: Release) -> None:
    person = finish(Person())
    assert person.page.index('id="advice"') < person.page.index(BEGIN)

    person.go(BEGIN)
    pages = [person.page]
    give(person)
    pages.append(person.page)

    for page in pages:
        main = page[page.index("<main") :]
        assert main.index('data-urgency="emergency_now"') < main.index("<h1")


@pytest.mark.parametrize("language", ["", "/es"])
def test_the_picture_holds_the_link_in_the_language_of_the_page(
    finished: Person, language: str
) -> None:
    finished.go(f"{language}{BEGIN}")
    once = once_of(finished)
    finished.post({"once": once}, f"{language}{BEGIN}")

    link = services.hand_over(
        assessment=finished.assessment, visit=None, now=timezone.now(), once=once
    ).link
    assert views._picture(f"http://testserver{language}/take/{link}") in finished.page
    assert link not in finished.page


def test_what_the_pages_ask_of_the_database(finished: Person) -> None:
    def asked_by(act: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as asked:
            act()
        return len([query for query in asked if "SAVEPOINT" not in query["sql"]])

    finished.go(BEGIN)
    form = {"once": once_of(finished)}

    assert asked_by(lambda: finished.browser.get(BEGIN)) == 2
    # Find, lock, is it the same form, is there an older one, insert.
    assert asked_by(lambda: finished.browser.post(BEGIN, form)) == 5
    assert asked_by(lambda: finished.browser.post(BEGIN, form)) == 3


def test_settings_say_what_the_pages_say() -> None:
    assert timedelta(hours=12) == settings.HANDOVER_LASTS
    assert settings.HANDOVER_AFTER_OPENING == settings.HANDOVER_LINK_LASTS == timedelta(minutes=30)
