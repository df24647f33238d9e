"""One person after another at the same screen: what each of them finds, and leaves."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from triage.handover.models import Visit
from triage.kiosk.models import Terminal
from triage.questionnaire import services as questionnaire
from triage.questionnaire.models import Assessment

from .conftest import FIRST_PAGE, AtKiosk, enrolled, everything_is_gone, make_terminal

WIPES = '"cache", "storage"'


def test_somebody_begins_and_has_a_ticket(answering: AtKiosk, terminal: Terminal) -> None:
    row = answering.assessment
    assert (row.channel, row.device) == (Assessment.Channel.KIOSK, terminal.pk)
    assert row.idle_limit == timedelta(seconds=180 + 30 + 30)
    assert f"<strong>{Visit.objects.get().ticket}</strong>" in answering.page


def test_leaving_deletes_everything_in_the_row_and_the_browser(answering: AtKiosk) -> None:
    answering.answer(answering.calm())
    csrf = answering.browser.cookies[settings.CSRF_COOKIE_NAME].value

    response = answering.leave()

    assert (response.status_code, response.headers["Location"]) == (303, FIRST_PAGE)
    assert response.headers["Clear-Site-Data"] == WIPES
    assert everything_is_gone()
    assert not answering.token
    assert answering.browser.cookies[settings.CSRF_COOKIE_NAME].value != csrf


def test_somebody_leaves_even_from_a_page_older_than_the_last_wipe(visitor: AtKiosk) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = visitor.browser.cookies

    assert strict.post("/kiosk/leave").status_code == 303
    assert strict.post("/kiosk/here").status_code == 410


def test_after_somebody_has_left_the_screen_speaks_its_own_language_again(
    release: object,
) -> None:
    visitor = AtKiosk(enrolled(make_terminal(language="es")))
    visitor.browser.post("/check/begin")

    assert visitor.leave().headers["Location"] == "/es/kiosk/"


def test_the_first_page_never_offers_what_somebody_left_behind(answering: AtKiosk) -> None:
    response = answering.go(FIRST_PAGE)

    assert response.status_code == 200
    assert response.headers["Clear-Site-Data"] == WIPES
    assert everything_is_gone()
    assert not answering.token
    assert "/check/" not in answering.page


def test_the_first_page_deletes_what_a_crashed_browser_left(answering: AtKiosk) -> None:
    del answering.browser.cookies[settings.ASSESSMENT_COOKIE_NAME]

    answering.go(FIRST_PAGE)

    assert everything_is_gone()


def test_nobody_loses_answers_by_a_link_to_where_a_check_is_begun(answering: AtKiosk) -> None:
    answering.answer(answering.calm())
    answering.go("/conditions/")
    assert 'href="/"' in answering.page

    answering.go("/")

    assert answering.path == "/check/2"


def test_beginning_deletes_an_earlier_check_without_asking(answering: AtKiosk) -> None:
    first, token = answering.assessment.pk, answering.token

    answering.begin()

    assert answering.feature
    assert Assessment.objects.get().pk != first
    assert answering.token != token


def test_asking_for_the_address_of_the_beginning_deletes_nothing(answering: AtKiosk) -> None:
    assert answering.browser.get("/check/begin").status_code == 405
    assert answering.go("/check/resume").status_code == 200


@pytest.mark.parametrize(
    "path", ["/check/1", "/check/answers", "/check/outcome", "/check/resume", "/es/check/resume"]
)
def test_an_address_of_answers_that_are_not_there_leads_to_the_first_page(
    visitor: AtKiosk, path: str
) -> None:
    response = visitor.browser.get(path)

    assert (response.status_code, response.headers["Location"]) == (303, FIRST_PAGE)


def test_htmx_is_led_to_the_first_page_too(answering: AtKiosk) -> None:
    form = answering.form(answering.calm())
    answering.leave()
    answering.htmx = True

    response = answering.post(form)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["HX-Redirect"] == FIRST_PAGE


# Time


def later(**more: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**more), tick=False)


@pytest.mark.parametrize(
    "path",
    [
        *("/check/1", "/check/resume", "/", "/privacy", "/guide", "/kiosk/desk", "/kiosk/known"),
        *("/check/hand-over", "/nowhere", "/staff/"),
    ],
)
def test_when_time_is_over_every_address_leads_to_the_first_page(
    answering: AtKiosk, path: str
) -> None:
    with later(seconds=241):
        response = answering.browser.get(path)

    assert (response.status_code, response.headers["Location"]) == (303, FIRST_PAGE)
    assert everything_is_gone()


def test_what_nobody_ended_is_purged(answering: AtKiosk) -> None:
    with later(seconds=239):
        questionnaire.purge(now=timezone.now())
        assert Assessment.objects.exists()
    with later(seconds=241):
        questionnaire.purge(now=timezone.now())

    assert everything_is_gone()


def test_saying_that_one_is_there_makes_it_last_as_often_as_one_likes(
    answering: AtKiosk, clock: time_machine.Traveller
) -> None:
    answering.begin()
    for _ in range(12):
        clock.shift(timedelta(seconds=200))
        assert answering.browser.post("/kiosk/here").status_code == 204
    clock.shift(timedelta(seconds=241))

    assert answering.browser.post("/kiosk/here").status_code == 410


def test_more_time_doubles_every_limit_for_this_person_alone(answering: AtKiosk) -> None:
    assert answering.browser.post("/kiosk/more-time").status_code == 204
    assert answering.browser.post("/kiosk/more-time").status_code == 204

    assert answering.assessment.idle_limit == timedelta(seconds=480)
    with later(seconds=470):
        assert answering.go("/check/resume").status_code == 200
        assert answering.feature
    answering.begin()
    assert answering.assessment.idle_limit == timedelta(seconds=240)


def test_looking_whether_the_server_is_there_keeps_no_visit_alive(answering: AtKiosk) -> None:
    before = answering.assessment.active_at
    with later(seconds=100):
        assert answering.browser.get("/kiosk/pulse").status_code == 204
        answering.browser.get("/kiosk/known")

    assert answering.assessment.active_at == before
