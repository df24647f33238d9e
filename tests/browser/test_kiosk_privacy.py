"""The next person at a kiosk, and a curious one, in a browser that keeps pages in its memory.

What this cannot show of a real device, over plain HTTP on this machine alone: what Chromium keeps of
pages that came over TLS, what a policy of its own forbids (deploy/kiosk/policy.json), what its
printer's queue keeps, and what a profile on a real disk leaves in blocks that are free again.
"""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from playwright.sync_api import BrowserContext, BrowserType, ConsoleMessage, Error, Page, expect

from tests.database_files import files
from triage.handover.models import Visit
from triage.kiosk import enrolment
from triage.kiosk.middleware import KnowTerminal
from triage.kiosk.models import Terminal
from triage.questionnaire import services
from triage.questionnaire.models import Assessment, Token, hash_of

SECOND = 1000  # ms
TOKEN = Token("the token of the waiting room")
FIRST = "/kiosk/"
OLD_ADDRESSES = ("/check/1", "/check/2", "/check/answers", "/check/outcome", "/check/resume", "/")

# All that a page holds: what is seen, filled in or hidden, said in its head, and kept beside it.
HELD = """async () => {
    if (location.origin === 'null') return { page: [document.documentElement.outerHTML] };
    const stores = [localStorage, sessionStorage].map((store) => JSON.stringify({ ...store }));
    const bases = await indexedDB.databases();
    const kept = [];
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
            kept.push(request.url, await (await cache.match(request)).text());
        }
    }
    const fields = [...document.querySelectorAll('input[name=reply]')]
        .filter(({ type, checked }) => checked || type === 'text').map(({ value }) => value);
    return {
        page: [document.documentElement.outerHTML, document.body.innerText, document.title,
            location.href, document.referrer, JSON.stringify(history.state), document.cookie],
        fields: fields.filter(Boolean),
        stores, bases: bases.map(({ name }) => name), kept,
    };
}"""


def held_by(page: Page) -> dict[str, list[str]]:
    for _ in range(100):
        with suppress(Error):  # it went on to another page meanwhile
            held: dict[str, list[str]] = page.evaluate(HELD)
            return held
        page.wait_for_timeout(20)
    raise AssertionError(f"{page.url} does not come to rest")


# Before the kiosk's own script hears of it.
KEPT = "addEventListener('pageshow', ({ persisted }) => persisted && console.log('out of memory'))"


class Screen:
    """The kiosk's browser, whose profile is on the disk, and the words of the people at it.

    `words` are of those who have been here; `shown` is what stood before the last of them as well.
    """

    def __init__(
        self,
        open_browser: Callable[[], BrowserContext],
        profile: Path,
        terminal: Terminal,
        clock: bool,
    ) -> None:
        self.open_browser = open_browser
        self.profile = profile
        self.terminal = terminal
        self.clock = clock
        self.keys: set[str] = set()
        self.words: set[str] = set()
        self.shown: set[str] = set()
        self.brought_back = 0
        self.start()

    def start(self) -> None:
        """As deploy/kiosk/kiosk.sh does: it begins at the first page."""
        self.context = self.open_browser()
        self.page = self.context.pages[0]
        self.context.add_init_script(KEPT)
        self.context.on("console", self.note)
        if self.clock:
            self.page.clock.install()
        self.page.goto(FIRST)

    def note(self, message: ConsoleMessage) -> None:
        self.brought_back += message.text == "out of memory"

    def is_at_first(self) -> None:
        self.page.wait_for_url("**/kiosk/**")
        expect(self.page.locator("#main [data-first]")).to_be_visible()

    # The first person

    def somebody_answers(self, number: int) -> None:
        """By touch, or by the addresses, as somebody with a keyboard could; one sees the advice."""
        page = self.page
        page.get_by_role("link", name="Start", exact=True).tap()
        page.get_by_role("button", name="Start now").tap()
        page.wait_for_url("**/check/1")
        token = self.cookies()[settings.ASSESSMENT_COOKIE_NAME]
        ticket = Visit.objects.latest("pk").ticket
        self.keys |= {token, Assessment.objects.get().token_hash}
        first_question = page.locator("h1").inner_text()
        if number % 3:
            Assessment.objects.update(replies=[], set_at=[], set_by=[], asking="age")
            page.goto("/check/1")
            for digit in str(21 + number % 78):
                page.locator(".pad").get_by_role("button", name=digit, exact=True).tap()
            page.get_by_role("button", name="Continue").tap()
            page.wait_for_url("**/check/2")
            page.locator("label.option").first.tap()  # and it stays unsent
            page.get_by_role("button", name="Larger text").tap()
        else:
            page.locator("label.option", has=page.locator("[value=confused]")).tap()
            page.get_by_role("button", name="Continue").tap()
            page.wait_for_url("**/check/outcome")
        expect(page.locator("#ticket")).to_contain_text(ticket)
        said = {f"Your ticket: {ticket}", page.locator("h1").inner_text()}
        self.words |= self.keys | said - {first_question}  # which everybody is asked
        self.shown = said | {first_question}
        assert set(self.found_in(page)) >= said  # what is there is found

    def cookies(self) -> dict[str, str]:
        return {str(each.get("name")): str(each.get("value")) for each in self.context.cookies()}

    # How they go

    def they_finish(self) -> None:
        self.page.locator("#leave button").tap()
        if self.page.locator("#leaving").is_visible():
            self.page.locator("#leaving [data-press=clear]").tap()
        self.is_at_first()

    def nobody_touches_it(self) -> None:
        self.page.clock.fast_forward(181 * SECOND)
        self.page.clock.fast_forward(31 * SECOND)
        if self.page.locator("#idle").is_visible():
            self.page.clock.fast_forward(31 * SECOND)
        self.is_at_first()

    def its_script_is_asleep(self) -> None:
        """They walk away, the server's own limit comes, and somebody touches what is still there."""
        Assessment.objects.update(active_at=timezone.now() - timedelta(minutes=10))
        self.page.get_by_role("button", name="I need more time").or_(
            self.page.locator("#leave button")
        ).first.tap()
        self.is_at_first()

    def the_server_is_away_as_they_finish(self) -> None:
        self.context.set_offline(True)
        self.page.locator("#leave button").tap()
        if self.page.locator("#leaving").is_visible():
            self.page.locator("#leaving [data-press=clear]").tap()
        expect(self.page.locator("#main")).to_be_empty()
        assert self.found_in(self.page) == []
        for move in ("history.back()", "history.forward()", "history.go(-2)"):
            self.try_out(move)
        assert Assessment.objects.exists()
        self.context.set_offline(False)
        self.page.goto(FIRST)
        self.is_at_first()

    def the_server_ends_it(self) -> None:
        """They walk away from a page that does not look for anybody."""
        services.purge(now=timezone.now() + timedelta(minutes=10))

    def staff_lock_it(self) -> None:
        by, now = self.terminal.made_by, timezone.now()
        enrolment.revoke(terminal=self.terminal, by=by, now=now)

    def staff_shut_it(self) -> None:
        self.staff_lock_it()
        self.page.clock.fast_forward(11 * SECOND)
        expect(self.page.locator("h1")).to_have_text("Please ask at the desk")
        for move in ("history.back()", "history.forward()", "history.go(-3)", "location.reload()"):
            self.try_out(move)
        Terminal.objects.update(revoked_at=None)
        self.page.goto(FIRST)

    def the_power_is_cut(self) -> None:
        """The browser is killed in the middle, and comes back with what its profile holds."""
        os.kill(self.process(), signal.SIGKILL)
        with suppress(Error):  # it is closed already
            self.context.close()
        self.start()
        self.is_at_first()
        assert not Assessment.objects.exists()
        expect(self.page.get_by_role("link", name="Go on with my answers")).to_have_count(0)

    def process(self) -> int:
        """The browser itself, not one of its helpers: the one that has our profile."""
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = place.read_text().split("\0")
                own = f"--user-data-dir={self.profile}" in words
                if own and not any(word.startswith("--type=") for word in words):
                    return int(place.parent.name)
        raise AssertionError("the browser runs nowhere")

    # What the next person tries

    def try_out(self, move: str) -> None:
        with suppress(Error):  # the page goes before it has said that it does
            self.page.evaluate(f"() => {{ {move} }}")
        for _ in range(3):  # as soon as it can be seen, and a moment later
            assert self.found_in(self.page) == [], move
            self.page.wait_for_timeout(50)

    def found_in(self, page: Page) -> list[str]:
        held = held_by(page)
        said = "\n".join([*held["page"], *held.get("stores", []), *held.get("kept", [])])
        found = [word for word in self.words | self.shown if word in said]
        return found + held.get("fields", []) + held.get("bases", [])

    def everything_is_tried(self, number: int) -> None:
        page = self.page
        assert not Assessment.objects.exists()
        assert self.found_in(page) == []
        assert self.cookies().keys() <= {settings.KIOSK_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
        moves = ["history.back()", "history.back()", "history.forward()", "history.go(-3)"]
        for move in (*moves, "history.go(2)", "location.reload()"):
            self.try_out(move)
        for address in OLD_ADDRESSES if number < 2 else OLD_ADDRESSES[number % 6 :][:1]:
            page.goto(address)
            assert self.found_in(page) == [], address
            self.try_out("history.back()")
        page.goto(f"view-source:{page.evaluate('location.origin')}/check/1")
        assert not [word for word in self.words | self.shown if word in page.content()]
        page.goto(FIRST)
        page.emulate_media(media="print")
        assert self.found_in(page) == []
        page.emulate_media(media="screen")
        self.is_at_first()

    # What is left when all is over

    def on_the_disk(self, words: set[str]) -> list[str]:
        """Where these words stand in the browser's profile."""
        found = []
        for path in self.profile.rglob("*"):
            held = path.read_bytes() if path.is_file() else b""
            found += [
                f"{path.relative_to(self.profile)}: {word}"
                for word in words
                if word.encode() in held or word.encode("utf-16-le") in held
            ]
        return found

    def offered_again(self) -> int:
        """What was typed into fields and is offered again."""
        with closing(sqlite3.connect(self.profile / "Default" / "Web Data")) as base:
            return int(base.execute("SELECT count(*) FROM autofill").fetchone()[0])


type OpenScreen = Callable[..., Screen]


@pytest.fixture
def open_screen(
    tmp_path: Path,
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    base_url: str,
    transactional_db: None,
) -> Iterator[OpenScreen]:
    now, profile = timezone.now(), tmp_path / "profile"
    terminal = Terminal.objects.create(
        place="Waiting room 2",
        made_by=User.objects.get(username="demo-clinic"),
        made_at=now,
        enrolled_at=now,
        token_hash=hash_of(TOKEN),
        prints=True,
    )

    def open_browser() -> BrowserContext:
        context = browser_type.launch_persistent_context(
            profile,
            **browser_type_launch_args,
            ignore_default_args=["--disable-back-forward-cache"],
            base_url=base_url,
            viewport={"width": 768, "height": 1024},
            has_touch=True,
        )
        context.set_default_timeout(20_000)
        year = now.timestamp() + 31_536_000
        context.add_cookies(
            [
                {
                    "name": settings.KIOSK_COOKIE_NAME,
                    "value": TOKEN,
                    "url": base_url,
                    "expires": year,
                    "httpOnly": True,
                }
            ]
        )
        return context

    screens: list[Screen] = []

    def open_screen(*, clock: bool) -> Screen:
        screens.append(Screen(open_browser, profile, terminal, clock))
        return screens[-1]

    yield open_screen
    for screen in screens:
        screen.context.close()


@pytest.fixture
def screen(open_screen: OpenScreen) -> Screen:
    return open_screen(clock=True)


@pytest.fixture
def keeping(open_screen: OpenScreen, monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A browser that keeps pages in its memory though they forbid it, as some have done without TLS.

    This one keeps none that forbids it and asks the server whether it is there, as all of ours do; nor
    any with a clock of the test's own.
    """
    know = KnowTerminal.__call__

    def let_keep(self: KnowTerminal, request: HttpRequest) -> HttpResponse:
        response = know(self, request)
        response.headers["Cache-Control"] = "public, no-cache"
        return response

    monkeypatch.setattr(KnowTerminal, "__call__", let_keep)
    return open_screen(clock=False)


def test_pages_that_come_back_out_of_memory_are_empty(keeping: Screen) -> None:
    """Those of whoever finished are thrown out of it; others come back, and are seen by nobody."""
    page = keeping.page
    endings = (Screen.they_finish, Screen.the_server_ends_it, Screen.staff_lock_it)
    for number, ending in enumerate(endings, start=1):
        keeping.somebody_answers(number)
        page.goto("/conditions/lipoma")
        page.goto("/privacy" if number > 1 else "/check/2")
        ending(keeping)
        for move in ("history.back()", "history.back()", "history.go(-2)", "history.forward()"):
            keeping.try_out(move)
        Terminal.objects.update(revoked_at=None)
        page.goto(FIRST)

    assert keeping.brought_back >= 2


def test_pages_that_come_back_out_of_memory_full_would_be_found(keeping: Screen) -> None:
    keeping.context.add_init_script(
        "for (const event of ['pagehide', 'pageshow'])"
        " addEventListener(event, (each) => each.stopImmediatePropagation())"
    )
    keeping.somebody_answers(1)
    keeping.page.goto("/conditions/lipoma")

    keeping.page.evaluate("() => { history.back() }")
    keeping.page.wait_for_timeout(300)

    assert keeping.brought_back == 1
    assert keeping.found_in(keeping.page) != []


ENDINGS = [
    Screen.they_finish,
    Screen.nobody_touches_it,
    Screen.its_script_is_asleep,
    Screen.the_server_is_away_as_they_finish,
    Screen.staff_shut_it,
    Screen.the_power_is_cut,
]


ONE_OF_EACH_AND_ONE_MORE = len(ENDINGS) + 1


@pytest.mark.parametrize(
    "visitors", [ONE_OF_EACH_AND_ONE_MORE, pytest.param(200, marks=pytest.mark.soak)]
)
def test_the_next_person_finds_nothing(screen: Screen, visitors: int) -> None:
    for number in range(visitors):
        screen.somebody_answers(number)
        ENDINGS[number % len(ENDINGS)](screen)
        screen.everything_is_tried(number)

    screen.context.close()
    services.purge(now=timezone.now())
    assert screen.on_the_disk({"localhost"}) != []  # what is there is found
    assert screen.on_the_disk(screen.words) == []
    assert screen.offered_again() == 0
    assert not [key for key in screen.keys if key.encode() in files()]
