"""What a kiosk shows and what it keeps shut, and what that costs."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.questionnaire.conftest import Person
from tests.staff.people import sign_in
from triage.kiosk.models import Terminal, TerminalQuerySet
from triage.questionnaire.models import AssessmentQuerySet

from .conftest import FIRST_PAGE, AtKiosk, enrolled, make_terminal

LINK = re.compile(
    r'\b(href|src|action|formaction|hx-get|hx-post|data-[a-z]+)="(/[^"]*|https?:[^"]*)"'
)
NOT_FOR_A_KIOSK = re.compile(r"/(?:staff|admin|try|api|take)\b|login|source-code")


# Other people's parts of the site


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/staff/",
            "/staff/login/",
            "/staff/desk/",
            "/staff/kiosk/terminal/",
            "/try/",
            "/try/kiosk/",
        ),
        *(
            "/api/v1/step",
            "/robots.txt",
            "/sitemap.xml",
            "/es/sitemap.xml",
            "/take/0123456789abcdef",
        ),
    ],
)
def test_what_is_not_for_patients_is_not_there(visitor: AtKiosk, path: str) -> None:
    # Even to somebody who is signed in: nobody looks after the screen.
    sign_in(visitor.browser, User.objects.get(username="demo-clinic"))

    response: Any = visitor.browser.get(path)

    assert response.status_code == 404
    assert "999" in response.text
    assert visitor.browser.post(path).status_code == 404


@dataclass
class Crawl:
    """Follows every link that it finds, and sees where each of them and each form leads."""

    browser: Client
    seen: set[str] = field(default_factory=set)

    def follow(self, *starts: str) -> None:
        waiting = list(starts)
        while waiting:
            path = waiting.pop()
            if path in self.seen:
                continue
            self.seen.add(path)
            response: Any = self.browser.get(path)
            assert response.status_code in (200, 204, 302, 303, 404), path
            assert response.headers["Cache-Control"] == "no-store", path
            assert not NOT_FOR_A_KIOSK.search(response.headers.get("Location", "")), path
            if response.headers.get("Content-Type", "").startswith("text/html"):
                waiting += self.links_on(path, response.text)

    def links_on(self, path: str, page: str) -> Iterator[str]:
        for name, link in LINK.findall(page):
            to = urlsplit(urljoin(f"http://testserver{path}", link))
            assert to.netloc == "testserver", (path, link)
            assert not NOT_FOR_A_KIOSK.search(to.path), (path, link)
            if name in ("href", "hx-get") and not STANDS_ALONE.search(to.path):
                yield to.path

    def come_back_to(self, *parts: str) -> None:
        """Look again at what shows something else by now."""
        self.seen = {path for path in self.seen if not any(part in path for part in parts)}


def test_no_page_of_a_kiosk_leads_out_of_it(visitor: AtKiosk) -> None:
    """The whole site in both languages: before a check, on its questions, and at its end."""
    crawl = Crawl(visitor.browser)
    crawl.follow(FIRST_PAGE, "/es/kiosk/", "/", "/es/", "/emergency", "/nowhere")
    for language in ("", "/es"):
        visitor.browser.post(f"{language}/check/begin")
        visitor.go(f"{language}/check/resume")
        crawl.come_back_to("/check/", "/kiosk/")
        crawl.follow(visitor.path, "/kiosk/known")
        visitor.go(f"{language}/check/resume")
        visitor.answer_all(age="44")
        visitor.post({}, f"{language}/check/finish")
        crawl.come_back_to("/check/", "/kiosk/")
        crawl.follow(visitor.path, f"{language}/check/hand-over")

        assert visitor.assessment.finished_at
        assert f"{language}/check/outcome" in crawl.seen
    assert {"/es/privacy", "/conditions/lipoma", "/es/conditions/lipoma"} <= crawl.seen


STANDS_ALONE = re.compile(r"^/static/|^(/es)?/(kiosk/)?$|/checks/")
"""Files; and the pages that end a visit by being looked at, which are crawled before there is one."""


# At home


@pytest.mark.parametrize("path", ["/", "/check/1", "/check/resume", "/privacy", "/conditions/"])
def test_nobody_at_home_sees_anything_of_a_kiosk(release: object, path: str) -> None:
    at_home = Person()
    at_home.begin()

    assert "kiosk" not in at_home.browser.get(path, follow=True).text


@pytest.mark.parametrize(
    "path", ["desk", "leave", "here", "more-time", "known", "menu", "menu/restart", "menu/print"]
)
def test_the_pages_of_a_kiosk_are_not_there_at_home(release: object, path: str) -> None:
    browser = Client()
    assert {
        browser.get(f"/kiosk/{path}").status_code,
        browser.post(f"/kiosk/{path}").status_code,
    } <= {
        404,
        405,
    }


def statements_of(act: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        act()
    return [query["sql"] for query in captured.captured_queries]


def test_nobody_at_home_pays_for_kiosks(release: object) -> None:
    at_home = Person(htmx=True)
    at_home.begin()
    at_home.answer(at_home.calm())

    statements = statements_of(lambda: at_home.answer(at_home.calm()))

    assert len(statements) == 2
    assert not [statement for statement in statements if "kiosk_" in statement]


def test_an_answer_at_a_kiosk_takes_two_statements_more(answering: AtKiosk) -> None:
    answering.htmx = True
    answering.answer(answering.calm())

    statements = statements_of(lambda: answering.answer(answering.calm()))

    assert len(statements) <= 4


# The context


def test_a_page_of_a_kiosk_shows_how_the_terminal_is_set_up(release: object) -> None:
    visitor = AtKiosk(
        enrolled(make_terminal(target=90, help_text="Ask Ms Ngata.", idle_question=90))
    )
    visitor.go(FIRST_PAGE)

    assert "Ask Ms Ngata." in visitor.page
    assert "90" in visitor.page


def test_whoever_needs_more_time_is_asked_later(answering: AtKiosk) -> None:
    answering.go("/check/1")
    assert 'data-idle-question="75"' in answering.page
    answering.browser.post("/kiosk/more-time")
    answering.go("/check/1")

    assert 'data-idle-question="150"' in answering.page


def test_a_kiosk_offers_what_there_is_or_what_it_is_told_to(release: object) -> None:
    def offered(**more: Any) -> tuple[str, ...]:
        place = f"Room {Terminal.objects.count()}"
        response: Any = enrolled(make_terminal(place, **more)).get("/kiosk/desk")
        languages: tuple[str, ...] = response.context["terminal"].languages
        return languages

    assert offered() == ("en-gb", "es")
    assert offered(language="es") == ("es", "en-gb")
    assert offered(language="es", languages=["es"]) == ("es",)
    assert offered(language="xx", languages=["xx"]) == ("en-gb", "es")  # a language given up since


def test_until_a_flag_is_raised_there_is_nothing_that_staff_know(answering: AtKiosk) -> None:
    response: Any = answering.browser.get("/kiosk/known")

    assert response.context["known"] is None


def test_of_a_raised_flag_the_page_says_what_staff_know(answering: AtKiosk) -> None:
    raise_a_flag(answering)
    response: Any = answering.browser.get("/kiosk/known")

    assert response.context["known"] is not None


def raise_a_flag(visitor: AtKiosk) -> None:
    while visitor.feature and not visitor.assessment.flags:
        options = re.findall(r'name="reply" value="(\w+)"', visitor.page)
        alarm = next((o for o in options if o not in ("no", "none", "not_sure")), "44")
        visitor.answer(alarm)
    assert visitor.assessment.flags


# With the database away


@pytest.fixture
def away(answering: AtKiosk) -> Iterator[None]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OperationalError("unable to open database file")

    with (
        patch.object(TerminalQuerySet, "filter", fail),
        patch.object(AssessmentQuerySet, "of", fail),
        patch.object(AssessmentQuerySet, "find", fail),
    ):
        yield


@pytest.mark.parametrize(
    "path", [FIRST_PAGE, "/check/1", "/", "/privacy", "/kiosk/menu", "/kiosk/pulse"]
)
@pytest.mark.usefixtures("away")
def test_with_the_database_away_every_page_says_so(answering: AtKiosk, path: str) -> None:
    response: Any = answering.browser.get(path)

    assert response.status_code == 503
    assert "999" in response.text


@pytest.mark.usefixtures("away")
def test_with_the_database_away_it_says_whom_to_call(answering: AtKiosk) -> None:
    for path in ("/emergency", "/kiosk/offline"):
        response: Any = answering.browser.get(path)
        assert response.status_code == 200
        assert "999" in response.text


@pytest.mark.usefixtures("away")
def test_with_the_database_away_the_browser_can_still_forget(answering: AtKiosk) -> None:
    response = answering.leave()

    assert response.status_code == 503
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not answering.token


def test_the_service_worker_stands_for_the_whole_site(visitor: AtKiosk) -> None:
    response = visitor.browser.get("/kiosk/worker.js")

    assert response.status_code == 200
    assert response.headers["Service-Worker-Allowed"] == "/"
    assert response.headers["Content-Type"].startswith("text/javascript")
