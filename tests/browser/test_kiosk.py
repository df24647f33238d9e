"""A kiosk, as whoever stands before it sees and touches it."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from triage.engine import Ask, FeatureKey
from triage.handover import alerts
from triage.handover.models import Visit
from triage.kiosk import enrolment, middleware
from triage.kiosk.models import Terminal
from triage.kiosk.showing import Unreachable
from triage.questionnaire import services
from triage.questionnaire.models import Assessment, Token, hash_of

from .people import CONFUSED, MARBLE, Replies, reply_of
from .test_access import SIDEWAYS, faults_of
from .visitor import Watch

SIZES = (
    ViewportSize(width=768, height=1024),
    ViewportSize(width=1080, height=1920),
    ViewportSize(width=1280, height=800),
)
TOKEN = Token("the token of the waiting room")
SECOND = 1000  # ms

# What can be touched is large and apart; what can be read is large too. A link of the skip kind is
# for keys alone, and a drawing repeats the list beside it.
SMALL = """(target) => {
    const around = document.querySelector('dialog:modal') ?? document;
    const shown = (each) => each.checkVisibility({ visibilityProperty: true })
        && !each.closest('.skip, .vh');
    const name = (each) => each.outerHTML.slice(0, 100);
    const touched = [...around.querySelectorAll('a[href], button, label.option, summary, input[type=text]')]
        .filter(shown).map((each) => [each, each.getBoundingClientRect()]);
    const small = touched.filter(([, { width, height }]) =>
        Math.round(width) < target || Math.round(height) < target)
        .map(([each, { width, height }]) => `${name(each)}: ${width} x ${height}`);
    const stuck = (each) => each.closest('form > .actions, form.actions, .bar, #back');
    const close = touched.flatMap(([one, a], at) => touched.slice(at + 1)
        .filter(([other, b]) => !one.contains(other) && !other.contains(one)
            && stuck(one) === stuck(other)
            && Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom) < 7.5)
        .map(([other]) => `${name(one)} is too close to ${name(other)}`));
    const texts = document.createTreeWalker(around.body ?? around, NodeFilter.SHOW_TEXT);
    const fine = new Set();
    while (texts.nextNode()) {
        const { data, parentElement } = texts.currentNode;
        if (!data.trim() || !shown(parentElement) || parentElement.closest('script, style, noscript')) continue;
        const drawing = parentElement.closest('svg');
        const scale = drawing ? drawing.getScreenCTM().a : 1;
        if (parseFloat(getComputedStyle(parentElement).fontSize) * scale < 21.9) fine.add(data.trim());
    }
    return [...small, ...close, ...[...fine].map((text) => `${text} is small`)];
}"""

IN_SIGHT = """(each) => {
    const { left, right, top, bottom } = each.getBoundingClientRect();
    const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return top >= 0 && bottom <= innerHeight && each.contains(at);
}"""

OUTSIDE = """() => [...document.querySelectorAll('a[href]')]
    .filter(({ origin, pathname }) => origin !== location.origin || pathname.startsWith('/staff'))
    .map(({ href }) => href)"""

LEFT = """async () => [
    ...Object.keys(localStorage), ...Object.keys(sessionStorage),
    ...(await indexedDB.databases()).map(({ name }) => name),
]"""


@dataclass
class Kiosk:
    page: Page
    watch: Watch
    terminal: Terminal

    @property
    def assessment(self) -> Assessment:
        return Assessment.objects.latest("pk")

    def come(self) -> None:
        """Stand before the first page."""
        self.page.goto("/kiosk/")
        expect(self.page.get_by_role("link", name="Start", exact=True)).to_be_visible()

    def begin(self) -> None:
        self.come()
        self.page.get_by_role("link", name="Start", exact=True).tap()
        self.page.get_by_role("button", name="Start now").tap()
        self.page.wait_for_url("**/check/1")

    def has_answered(self, replies: Replies, *, count: int | None = None) -> None:
        """Answer in the service, which is quicker, whoever began at the screen."""
        assessment = self.assessment
        step = services.progress(assessment).step
        while isinstance(step, Ask) and len(assessment.replies) != count:
            progress = services.answer(
                assessment=assessment,
                number=len(assessment.replies) + 1,
                feature=step.feature,
                reply=reply_of(replies, step.feature),
                revision=assessment.revision,
                confirmed=False,
                now=timezone.now(),
            )
            assessment, step = progress.assessment, progress.step
        if count is None:
            services.finish(assessment=assessment, now=timezone.now())

    def is_asked(self, feature: str) -> None:
        Assessment.objects.update(replies=[], set_at=[], set_by=[], asking=feature)
        self.page.goto("/check/1")

    def is_at_the_first_page(self) -> None:
        self.page.wait_for_url("**/kiosk/**")
        expect(self.page.locator("#main [data-first]")).to_be_visible()


@pytest.fixture
def kiosk(
    new_context: Callable[..., BrowserContext], base_url: str, transactional_db: None
) -> Iterator[Kiosk]:
    """A tablet on a stand that staff enrolled."""
    now = timezone.now()
    terminal = Terminal.objects.create(
        place="Waiting room 2",
        help_text="The desk is by the door.",
        made_by=User.objects.get(username="demo-clinic"),
        made_at=now,
        enrolled_at=now,
        token_hash=hash_of(TOKEN),
        prints=True,
    )
    context = new_context(viewport=SIZES[0], has_touch=True)
    context.set_default_timeout(10_000)
    context.add_cookies([{"name": settings.KIOSK_COOKIE_NAME, "value": TOKEN, "url": base_url}])
    watch = Watch(context, base_url)
    yield Kiosk(context.new_page(), watch, terminal)
    assert watch.noted == []


# What is seen


def outcome(kiosk: Kiosk, replies: Replies) -> None:
    kiosk.begin()
    kiosk.has_answered(replies)
    kiosk.page.goto("/check/outcome")


def hand_over(kiosk: Kiosk) -> None:
    kiosk.page.get_by_role("button", name="Give my answers to the staff").tap()
    expect(kiosk.page.locator(".code")).to_be_visible()


PAGES: dict[str, Callable[[Kiosk], Any]] = {
    "first": lambda kiosk: kiosk.come(),
    "start": lambda kiosk: kiosk.page.goto("/"),
    "guide": lambda kiosk: kiosk.page.goto("/guide"),
    "emergency page": lambda kiosk: kiosk.page.goto("/emergency"),
    "danger": lambda kiosk: kiosk.page.goto("/not-for-me/danger"),
    "condition": lambda kiosk: kiosk.page.goto("/conditions/lipoma"),
    "not there": lambda kiosk: kiosk.page.goto("/nowhere"),
    "tick boxes": lambda kiosk: kiosk.begin(),
    "five options": lambda kiosk: kiosk.is_asked("lump_before"),
    "number": lambda kiosk: kiosk.is_asked("age"),
    "eleven numbers": lambda kiosk: kiosk.is_asked("pain_severity"),
    "picture": lambda kiosk: kiosk.is_asked("lump_position"),
    "desk": lambda kiosk: kiosk.page.goto("/kiosk/desk"),
    "outcome": lambda kiosk: outcome(kiosk, MARBLE),
    "answers": lambda kiosk: kiosk.page.goto("/check/answers"),
    "hand over": lambda kiosk: kiosk.page.goto("/check/hand-over"),
    "code": hand_over,
    "emergency": lambda kiosk: outcome(kiosk, CONFUSED),
    "PIN": lambda kiosk: kiosk.page.goto("/kiosk/menu"),
}


def test_every_page_is_large_enough_to_be_touched_and_read(kiosk: Kiosk) -> None:
    """Targets of 76 px and 8 px apart, text of 22 px, Continue in sight, at each size of screen."""
    page = kiosk.page
    found: list[tuple[str, object]] = []
    for name, arrive in PAGES.items():
        arrive(kiosk)
        found += [(name, fault) for fault in page.evaluate(OUTSIDE)]
        for size in SIZES:
            page.set_viewport_size(size)
            where = f"{name}, {size['width']} px"
            found += [(where, fault) for fault in page.evaluate(SMALL, 76)]
            if page.evaluate(SIDEWAYS):
                found.append((where, "it scrolls sideways"))
            for place in ("#main form .actions button", ".bar [data-look=larger]"):
                control = page.locator(place).first
                if control.count() and not control.evaluate(IN_SIGHT):
                    found.append((where, f"{place} is out of sight"))
        found += [(name, fault) for fault in faults_of(page)]
        page.set_viewport_size(SIZES[0])

    assert found == []


def test_what_is_small_or_close_or_leads_away_would_be_found(kiosk: Kiosk) -> None:
    kiosk.come()
    page = kiosk.page
    assert page.evaluate(SMALL, 76) == page.evaluate(OUTSIDE) == []

    for spoil in (
        "document.documentElement.style.setProperty('--target', '60px')",
        "document.querySelector('.bar').style.gap = '4px'",
        "document.querySelector('h1').style.fontSize = '21px'",
    ):
        page.evaluate(spoil)
        assert page.evaluate(SMALL, 76) != [], spoil
        page.reload()
    page.evaluate("document.querySelector('#main a').href = 'tel:999'")
    assert page.evaluate(OUTSIDE) == ["tel:999"]


# Time


def test_who_is_there_is_never_cut_off_and_who_went_is_wiped(kiosk: Kiosk) -> None:
    page = kiosk.page
    page.clock.install()
    kiosk.come()
    steps = page.evaluate("history.length")
    kiosk.begin()
    page.get_by_role("button", name="Larger text").tap()
    warning, still_here = page.locator("#idle"), page.get_by_role("button", name="I am still here")
    touches: list[Callable[[], None]] = [
        still_here.tap,
        lambda: page.touchscreen.tap(20, 20),
        lambda: page.keyboard.press("Enter"),
        lambda: page.keyboard.press("x"),
    ]
    begun = kiosk.assessment.active_at

    for turn in range(12):
        page.clock.fast_forward(70 * SECOND)
        expect(warning).to_be_hidden()
        page.clock.fast_forward(6 * SECOND)
        expect(still_here).to_be_focused()
        if turn == 0:
            expect(warning).to_have_css("width", "768px")
            expect(warning.get_by_role("alert")).to_have_text("Are you still there?")
            assert page.evaluate(SMALL, 76) == faults_of(page) == []
        page.clock.fast_forward(20 * SECOND)
        expect(warning.locator("[data-left]")).to_have_text(re.compile("^([5-9]|10)$"))
        touches[turn % len(touches)]()
        expect(warning).to_be_hidden()
    assert kiosk.assessment.active_at > begun

    page.clock.fast_forward(76 * SECOND)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Finish now")).to_be_focused()
    expect(warning.locator("[data-left]")).to_have_text(re.compile("^(30|29|28)$"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(warning).to_be_hidden()

    page.get_by_role("button", name="I need more time").tap()
    expect(page.get_by_role("button", name="I need more time")).to_be_disabled()
    page.clock.fast_forward(140 * SECOND)
    expect(warning).to_be_hidden()
    page.reload()
    page.clock.fast_forward(140 * SECOND)
    expect(warning).to_be_hidden()
    page.clock.fast_forward(11 * SECOND)
    expect(warning).to_be_visible()
    page.clock.fast_forward(31 * SECOND)

    kiosk.is_at_the_first_page()
    assert not Assessment.objects.exists()
    expect(page.get_by_text("All answers are cleared.")).to_be_visible()
    page.clock.fast_forward(11 * SECOND)
    expect(page.get_by_text("All answers are cleared.")).to_be_hidden()
    expect(page.locator("html")).not_to_have_attribute("data-larger", "")
    assert page.evaluate(LEFT) == []
    assert page.evaluate("history.length") == steps


def test_an_emergency_stays_and_says_whether_staff_know(kiosk: Kiosk) -> None:
    page = kiosk.page
    page.clock.install()
    kiosk.begin()
    page.locator("label.option", has=page.locator("[value=confused]")).tap()
    page.get_by_role("button", name="Continue").tap()
    page.wait_for_url("**/check/outcome")
    known, warning = page.locator("#known"), page.locator("#idle")
    expect(page.get_by_role("heading", name="Tell staff now")).to_be_visible()
    expect(page.get_by_text("Do not wait. Go to the desk")).to_be_visible()
    expect(page.locator("#ticket")).to_contain_text(Visit.objects.get().ticket)
    expect(known).to_contain_text("Nobody is looking at the screen of staff")

    page.clock.fast_forward(170 * SECOND)
    expect(warning).to_be_hidden()
    alerts.desk_looks(timezone.now())
    page.clock.fast_forward(5 * SECOND)
    expect(known).to_contain_text("Nobody has said yet that they saw it")
    alerts.acknowledge(
        visit=Visit.objects.get(),
        by=User.objects.get(username="demo-clinic"),
        now=timezone.now(),
    )
    page.clock.fast_forward(5 * SECOND)
    expect(known).to_contain_text("Staff said at")
    expect(page.get_by_text("Do not wait. Go to the desk")).to_be_hidden()

    page.get_by_role("button", name="Hide my answers").tap()
    expect(page.locator("h1")).not_to_be_visible()
    page.get_by_role("button", name="Show my answers").tap()
    expect(page.locator("h1")).to_be_visible()
    page.clock.fast_forward(175 * SECOND)
    expect(warning).to_be_hidden()
    page.clock.fast_forward(6 * SECOND)
    page.get_by_role("button", name="Finish now").tap()
    kiosk.is_at_the_first_page()
    assert not Assessment.objects.exists()
    assert Visit.objects.get().alerts.exists()


# Keys and fingers


def press_until(page: Page, key: str, then: str, control: str) -> None:
    """Go from control to control with one key, and choose with the other."""
    active = "(wanted) => document.activeElement.matches(wanted)"
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate(active, control):
            page.keyboard.press(then)
            return
    raise AssertionError(f"{key!r} never reaches {control}")


@pytest.mark.parametrize(("key", "then"), [("Space", "Enter"), ("Tab", "Space")])
def test_two_keys_are_enough_for_a_whole_assessment(kiosk: Kiosk, key: str, then: str) -> None:
    page = kiosk.page
    person = CONFUSED if key == "Tab" else MARBLE
    kiosk.come()
    press_until(page, key, then, "[data-start]")
    page.wait_for_url(lambda url: "/kiosk/" not in url)
    press_until(page, key, then, "form .actions button")
    page.wait_for_url("**/check/1")

    while page.locator("input[name=feature]").count():
        before = page.url
        said = person[page.locator("input[name=feature]").input_value()]
        if page.locator(".pad").count():
            for digit in str(said):
                page.evaluate(
                    "(digit) => [...document.querySelectorAll('.pad button')].forEach("
                    "(each) => each.toggleAttribute('data-wanted', each.textContent === digit))",
                    digit,
                )
                press_until(page, key, then, "[data-wanted]")
        else:
            for value in said if isinstance(said, list) else [str(said)]:
                press_until(page, key, then, f"[name=reply][value='{value}']")
                assert page.locator(f"[name=reply][value='{value}']").is_checked()
        press_until(page, key, then, "form > .actions button:first-child")
        expect(page).not_to_have_url(before)
        expect(page.locator("#main [data-focus]")).to_be_focused()

    if "/check/answers" in page.url:
        press_until(page, key, then, "form.actions button")
    page.wait_for_url("**/check/outcome")
    assert kiosk.assessment.finished_at
    press_until(page, key, then, "[form=leave]")
    kiosk.is_at_the_first_page()


def test_fingers_find_a_number_pad_their_language_and_no_way_out(kiosk: Kiosk) -> None:
    page = kiosk.page
    kiosk.begin()
    steps = page.evaluate("history.length")
    kiosk.is_asked("age")
    field = page.locator("#reply-1")
    for key in ("3", "4", "5", "Delete"):
        page.locator(".pad").get_by_role("button", name=key, exact=True).tap()
    expect(field).to_have_value("34")
    assert field.evaluate("({ readOnly, inputMode }) => readOnly && inputMode === 'none'")
    page.keyboard.press("Backspace")
    page.keyboard.type("6")
    expect(field).to_have_value("36")
    quiet = "(form) => [form.autocomplete, form.spellcheck, form.autocapitalize].join()"
    assert field.evaluate(quiet) == "off,false,none"
    page.get_by_role("button", name="Continue").tap()
    page.wait_for_url("**/check/2")

    page.get_by_role("button", name="Contrast").tap()
    page.get_by_role("link", name="Español").tap()
    page.wait_for_url("**/es/check/2")
    expect(page.locator("html")).to_have_attribute("data-contrast", "")
    assert kiosk.assessment.features == [FeatureKey("age")]
    page.get_by_role("link", name="Volver").tap()
    page.wait_for_url("**/es/check/1")
    expect(field).to_have_value("36")
    assert faults_of(page) == []

    assert page.evaluate(
        "() => ['contextmenu', 'dragstart', 'drop', 'gesturestart'].every((name) =>"
        " !document.body.dispatchEvent(new Event(name, { bubbles: true, cancelable: true })))"
    )
    assert page.evaluate(
        "() => [{ key: 'u', ctrlKey: true }, { key: 'F12' }, { key: 'ArrowLeft', altKey: true }]"
        ".every((keys) => !document.body.dispatchEvent("
        "new KeyboardEvent('keydown', { ...keys, bubbles: true, cancelable: true })))"
    )
    expect(page.locator("body")).to_have_css("user-select", "none")
    page.locator("#leave button").tap()
    page.locator("#leaving [data-press=keep]").tap()
    expect(field).to_have_value("36")
    page.locator("#leave button").tap()
    page.locator("#leaving [data-press=clear]").tap()
    kiosk.is_at_the_first_page()
    assert page.evaluate("location.pathname") == "/kiosk/"
    assert page.evaluate("history.length") == steps
    expect(page.locator("html")).not_to_have_attribute("data-contrast", "")


# The network


def test_the_screen_sends_to_the_desk_while_the_server_is_away_and_then_goes_on(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, away = kiosk.page, kiosk.page.locator("#away")
    page.clock.install()
    kiosk.begin()
    kiosk.has_answered(MARBLE, count=3)
    page.goto("/check/4")
    asked = page.locator("h1").inner_text()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function(
        "caches.open('kiosk').then((kept) => kept.keys()).then((kept) => kept.length > 3)"
    )
    page.locator("label.option", has=page.locator("[value=no]")).tap()

    page.context.set_offline(True)
    page.get_by_role("button", name="Continue").tap()
    expect(away).to_be_visible(timeout=5 * SECOND)
    assert page.evaluate(SMALL, 76) == faults_of(page) == []
    page.context.set_offline(False)
    page.clock.fast_forward(11 * SECOND)
    expect(away).to_be_hidden()
    assert page.locator("[value=no]").is_checked()

    # A server that is there, but says nothing for longer than anybody waits.
    with monkeypatch.context() as patch:
        patch.setattr(middleware, "_showing_of", lambda _: time.sleep(6))
        page.get_by_role("button", name="Continue").tap()
        expect(away).to_be_visible(timeout=5 * SECOND)
        asked_at = time.monotonic()
        page.reload()
        expect(page.locator("h1")).to_have_text("Please ask at the desk")
        assert time.monotonic() - asked_at < 5
    expect(page.locator("body")).not_to_contain_text(Visit.objects.get().ticket)
    assert page.evaluate(SMALL, 76) == faults_of(page) == []
    page.clock.fast_forward(11 * SECOND)
    expect(page.locator("h1")).to_have_text(asked)
    assert page.locator("[value=no]").is_checked()  # it was late, but it was heard

    # A server that has lost its database.
    with monkeypatch.context() as patch:
        patch.setattr(middleware, "_showing_of", lambda _: Unreachable(timezone.now()))
        page.reload()
        expect(page.locator("h1")).to_have_text("This check is not working right now")
        assert page.evaluate(SMALL, 76) == faults_of(page) == []
    page.clock.fast_forward(11 * SECOND)
    expect(page.locator("h1")).to_have_text(asked)

    page.context.set_offline(True)
    page.clock.fast_forward(76 * SECOND)
    page.clock.fast_forward(31 * SECOND)
    expect(away).to_be_visible()
    expect(page.locator("#main")).to_be_empty()
    assert Assessment.objects.exists()
    page.context.set_offline(False)
    page.clock.fast_forward(11 * SECOND)
    kiosk.is_at_the_first_page()
    assert not Assessment.objects.exists()

    # A visit that the server ended by itself.
    kiosk.begin()
    page.get_by_role("button", name="Larger text").tap()
    Assessment.objects.update(active_at=timezone.now() - timedelta(hours=1))
    page.locator("label.option", has=page.locator("[value=none]")).tap()
    page.get_by_role("button", name="Continue").tap()
    kiosk.is_at_the_first_page()
    expect(page.locator("html")).not_to_have_attribute("data-larger", "")
    assert page.evaluate(LEFT) == []


def test_a_screen_that_staff_shut_is_locked_within_ten_seconds(kiosk: Kiosk) -> None:
    page = kiosk.page
    page.clock.install()
    kiosk.begin()
    page.mouse.move(20, 20)
    page.mouse.down()
    page.clock.fast_forward(6 * SECOND)
    page.wait_for_url("**/kiosk/menu")
    page.mouse.up()
    page.get_by_role("link", name="Back to the kiosk").tap()
    page.wait_for_url("**/check/1")

    enrolment.revoke(terminal=kiosk.terminal, by=kiosk.terminal.made_by, now=timezone.now())
    page.clock.fast_forward(11 * SECOND)

    expect(page.locator("h1")).to_have_text("Please ask at the desk")
    assert not Assessment.objects.exists()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(11 * SECOND)
    page.wait_for_timeout(300)
    assert all(url.endswith("/kiosk/pulse") for url in asked)
    for path in ("/", "/check/1", "/kiosk/", "/privacy", "/staff/"):
        page.goto(path)
        expect(page.locator("h1")).to_have_text("Please ask at the desk")
    assert page.evaluate(SMALL, 76) == faults_of(page) == []
