"""200 people, one after another at the same kiosk: each finds what was there before the first came.

Whatever they try is held against the answers of a kiosk at which nobody has ever been; what they
could read on the machine, against how often the same words stood there before.
"""

import json
import random
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from tests.database_files import files
from tests.staff.people import log_of
from triage.handover import services as handover
from triage.handover.codes import LETTERS
from triage.handover.models import Handover, Visit
from triage.kiosk import enrolment
from triage.questionnaire import services
from triage.questionnaire.models import Assessment

from .conftest import FIRST_PAGE, AtKiosk, enrolled, make_terminal

pytestmark = pytest.mark.sqlite  # on Postgres the files are the deployer's

VISITORS = 200

ADDRESSES = [
    *(FIRST_PAGE, "/es/kiosk/", "/", "/es/", "/kiosk/desk", "/kiosk/known", "/kiosk/pulse"),
    *("/kiosk/menu", "/kiosk/offline", "/kiosk/worker.js", "/check/1", "/check/2", "/es/check/3"),
    *("/check/17", "/check/answers", "/check/outcome", "/es/check/outcome", "/check/resume"),
    *("/check/hand-over", "/check/delete", "/check/deleted", "/check/begin", "/privacy"),
    *("/emergency", "/conditions/", "/conditions/lipoma", "/nowhere", "/take/abcdefghijkl"),
]

# What is drawn anew for each response, and says nothing of anybody.
DRAWN_ANEW = re.compile(
    r'(?<=csrfmiddlewaretoken" value=")\w+|(?<=nonce-)[\w+/=-]+|(?<=nonce=")[^"]+'
)

type Seen = tuple[int, dict[str, str], str]


def seen(visitor: AtKiosk, address: str) -> Seen:
    """All that a browser gets for an address, but for what is drawn anew each time."""
    for name in [name for name, cookie in visitor.browser.cookies.items() if not cookie.value]:
        del visitor.browser.cookies[name]  # as a browser does with one that is deleted
    response: Any = visitor.browser.get(address)
    headers = {name: DRAWN_ANEW.sub("", value) for name, value in response.headers.items()}
    headers.pop("Expires", None)  # now
    return response.status_code, headers, DRAWN_ANEW.sub("", response.text)


class Screen:
    """The kiosk. `words` are those that the people left, and how often they stood in the files before
    anybody came; `untouched` is what each address showed then."""

    def __init__(self) -> None:
        self.terminal = make_terminal()
        self.visitor = AtKiosk(enrolled(self.terminal))
        self.untouched = {address: seen(self.visitor, address) for address in ADDRESSES}
        self.before = files()
        self.chance = random.Random("waiting room")
        self.words: set[str] = set()

    def somebody_comes(self, number: int) -> dict[str, Any]:
        """They answer, some to the end, and some of these hand it over. Returns the first form."""
        language = self.chance.choice(["", "/es"])
        age = 16 + number % 90
        self.visitor.browser.post(f"{language}/check/begin")
        if number % 10:
            Assessment.objects.update(replies=[], set_at=[], set_by=[], asking="age")
        self.visitor.go(f"{language}/check/1")
        form = self.visitor.form(str(age) if number % 10 else "none" if number % 20 else "confused")
        self.visitor.post(form)
        if number % 40 == 10:
            self.visitor.answer_all(age=str(age))
            self.visitor.post({}, f"{language}/check/finish")
        row, visit = self.visitor.assessment, Visit.objects.latest("pk")
        assert row.replies[0][0] == form["feature"]
        self.token = self.visitor.token
        self.gone = {row.token_hash, *map(json.dumps, row.replies)}
        if number % 10 == 0:
            assert self.found(self.gone) == self.gone  # where they are, they are found
        self.gone.add(self.token)
        if row.finished_at:
            self.hand_over()
        self.words |= self.gone
        assert visit.ticket in self.visitor.page
        return form

    def hand_over(self) -> None:
        """It stays until staff have taken it, here at once."""
        self.visitor.go("/check/hand-over")
        once = re.findall(r'name="once" value="([^"]+)"', self.visitor.page)
        self.visitor.post({"once": once[0]}, "/check/hand-over")
        (code,) = re.findall(rf"\b[{LETTERS}]{{3}}-[{LETTERS}]{{3}}\b", self.visitor.page)
        self.gone |= {code, code.replace("-", "")}
        handover.forget(Handover.objects.get())

    def found(self, words: set[str]) -> set[str]:
        """Which of these words stand in the files more often than before anybody came."""
        now = files()
        there = {word for word in words if word.encode() in now}
        return {
            each for each in there if now.count(each.encode()) > self.before.count(each.encode())
        }

    # How a visit ends

    def they_finish(self) -> None:
        assert self.visitor.leave().headers["Location"] == FIRST_PAGE

    def they_walk_away(self) -> None:
        """Nobody touches the screen, and its script is not there to notice."""
        Assessment.objects.update(active_at=timezone.now() - timedelta(minutes=10))

    def they_walk_away_and_the_server_tidies_up(self) -> None:
        self.they_walk_away()
        services.purge(now=timezone.now())

    def the_next_one_begins_over_it(self) -> None:
        self.visitor.browser.post("/check/begin")
        self.they_finish()

    def the_power_is_cut(self) -> None:
        """The browser starts anew at the first page, without what it kept for the session."""
        for name in (settings.ASSESSMENT_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
            self.visitor.browser.cookies.pop(name, None)
        self.visitor.go(FIRST_PAGE)

    def staff_shut_it(self) -> None:
        by, now = self.terminal.made_by, timezone.now()
        enrolment.revoke(terminal=self.terminal, by=by, now=now)
        locked: Any = self.visitor.browser.get("/check/1")
        assert locked.status_code == 403
        assert "Please ask at the desk" in locked.text
        code = enrolment.make_code(terminal=self.terminal, by=by, now=now)
        assert self.visitor.browser.post("/kiosk/enrol", {"code": code}).status_code == 303

    @property
    def endings(self) -> list[Callable[[], None]]:
        return [
            self.they_finish,
            self.they_walk_away,
            self.they_walk_away_and_the_server_tidies_up,
            self.the_next_one_begins_over_it,
            self.the_power_is_cut,
            self.staff_shut_it,
        ]

    # What the next person tries

    def nothing_is_found(self, number: int, form: dict[str, Any]) -> None:
        addresses = ADDRESSES if number % 25 == 0 else self.chance.sample(ADDRESSES, 3)
        kept_its_cookie = self.chance.random() < 0.5
        if kept_its_cookie:
            self.visitor.browser.cookies[settings.ASSESSMENT_COOKIE_NAME] = self.token
            again: Any = self.visitor.browser.post("/check/1", form)
            assert (again.status_code, again.headers["Location"]) == (303, FIRST_PAGE)
            assert not self.visitor.token
        self.first_sees_nothing(self.chance.choice(ADDRESSES))
        for address in addresses:
            now, then = seen(self.visitor, address), self.untouched[address]
            assert now[0] == then[0], address
            assert now[2].splitlines() == then[2].splitlines(), address
            assert now[1].items() ^ then[1].items() == set(), address
        assert not self.visitor.token
        assert not Assessment.objects.exists()

    def first_sees_nothing(self, address: str) -> None:
        """Whoever comes first after somebody went without a word ends their visit by it."""
        status, headers, text = seen(self.visitor, address)
        if headers.get("Location") == FIRST_PAGE:
            assert (status, text) == (303, "")
        else:
            assert (status, text) == (self.untouched[address][0], self.untouched[address][2])
        self.visitor.go(FIRST_PAGE)


@pytest.fixture
def screen(transactional_db: None) -> Screen:
    return Screen()


def test_each_of_200_people_finds_a_kiosk_at_which_nobody_has_been(
    screen: Screen, told: pytest.LogCaptureFixture
) -> None:
    for number in range(VISITORS):
        form = screen.somebody_comes(number)
        screen.chance.choice(screen.endings)()
        screen.nothing_is_found(number, form)
        assert screen.found(screen.gone) == set(), number

    assert screen.found(screen.words) == set()
    log = log_of(told)
    assert log.count('"wiped"') > VISITORS / 2
    assert [word for word in screen.words if word in log] == []
