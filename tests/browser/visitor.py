"""Somebody at a browser, with a mouse, a finger or a keyboard, with JavaScript or without it."""

import re
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, override
from playwright.sync_api import BrowserContext, Locator, Page, expect

from triage.engine import Ask, FeatureKey
from triage.questionnaire import services
from triage.questionnaire.models import Assessment, Token

from .people import Replies, reply_of

type Hand = Literal["mouse", "finger", "keys"]

SITE = "Back lump check"

NARROWEST = {"width": 320, "height": 640}
NARROW = {"width": 360, "height": 740}
WIDE = {"width": 1280, "height": 800}
ZOOMED = {"width": 320, "height": 256}  # 1280 x 1024 at 400 %

FROM_THE_TOP = """() => {
    const place = document.querySelector('#main [data-focus], h1').getBoundingClientRect();
    const isSeen = place.top > -1 && place.top < innerHeight;
    return isSeen && (scrollY === 0 || place.bottom + scrollY > innerHeight);
}"""

STORED = """async () => [
    ...Object.keys(localStorage),
    ...Object.keys(sessionStorage),
    ...(await indexedDB.databases()).map(({ name }) => name),
    ...await caches.keys(),
    ...(await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope),
]"""


class Watch:
    """Takes down what a page must never do."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.elsewhere: list[str] = []
        self.violations: list[str] = []
        self.crashes: list[str] = []
        self.origin = origin
        context.on("request", lambda request: self._note_request(request.url))
        context.on("console", lambda message: self._note_console(message.text))
        context.on("weberror", lambda error: self.crashes.append(str(error.error)))
        context.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " (event) => console.error('violates ' + event.violatedDirective), true)"
        )

    def _note_request(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", "data:", "about:", "blob:")):
            self.elsewhere.append(url)

    def _note_console(self, text: str) -> None:
        if "Content Security Policy" in text or text.startswith("violates "):
            self.violations.append(text)

    @property
    def noted(self) -> list[str]:
        return [*self.elsewhere, *self.violations, *self.crashes]

    def forget(self) -> None:
        for notes in (self.elsewhere, self.violations, self.crashes):
            notes.clear()


@dataclass
class Visitor:
    """Reads the page that is open, and answers it."""

    page: Page
    watch: Watch
    script: bool = True
    hand: Hand = "mouse"
    language: str = settings.LANGUAGE_CODE

    # Where they are

    @property
    def path(self) -> str:
        return re.sub(r"^\w+://[^/]+", "", self.page.url)

    def said(self, text: str) -> str:
        """What the interface says in their language."""
        with override(self.language):
            return gettext(text)

    @property
    def asked(self) -> FeatureKey:
        return FeatureKey(self.page.locator("input[name=feature]").input_value())

    @property
    def heading(self) -> Locator:
        return self.page.locator("h1")

    @property
    def chosen(self) -> list[str]:
        """The values that are ticked on the open page."""
        values = self.page.locator("input[name=reply]:checked").all()
        return sorted(str(each.get_attribute("value")) for each in values)

    @property
    def assessment(self) -> Assessment:
        return Assessment.objects.latest("pk")

    def sees(self, heading: str) -> None:
        expect(self.heading).to_have_text(self.said(heading))

    def focus_is_on(self, place: Locator) -> None:
        expect(place).to_be_focused()

    def has_landed(self) -> None:
        """A new page announces itself: focus on its heading, its own title, seen from the top."""
        self.focus_is_on(self.page.locator("#main [data-focus]"))
        expect(self.page).to_have_title(f"{self.heading.inner_text()} - {self.said(SITE)}")
        self.sees_from_the_top()

    def sees_from_the_top(self) -> None:
        """At the top of the page, or as far down as a small screen needs to hold the heading."""
        for _ in range(100):
            if self.page.evaluate(FROM_THE_TOP):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"seen from {self.page.evaluate('scrollY')} px down")

    # What they do

    def open(self, path: str) -> None:
        own = self.language == settings.LANGUAGE_CODE or path.startswith(f"/{self.language}/")
        self.page.goto(path if own else f"/{self.language}{path}")

    def use(self, control: Locator) -> None:
        """Press a link or a button, tick a box, choose a radio button."""
        match self.hand:
            case "mouse":
                control.click()
            case "finger":
                control.tap()
            case "keys":
                self._tab_to(control)
                self.page.keyboard.press("Enter")

    def follow(self, link: str) -> None:
        self._and_go(self.page.get_by_role("link", name=self.said(link), exact=True))

    def press(self, button: str) -> None:
        self.use(self.button(button))

    def press_and_go(self, button: str) -> None:
        self._and_go(self.button(button))

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=self.said(name), exact=True)

    def _and_go(self, control: Locator) -> None:
        before = self.page.url
        self.use(control)
        self.page.wait_for_url(lambda url: url != before)

    def begin(self) -> None:
        self.open("/")
        self.press_and_go("Start now")

    def reply(self, said: list[str] | int | str) -> None:
        """Fill in the open question and send it; the next page is there when this returns."""
        if isinstance(said, str):
            self._and_go(self.page.locator(f"button[name=decline][value={said}]"))
        else:
            self.fill_in(said)
            self._and_go(self.button("Continue"))
        self.has_landed()

    def fill_in(self, said: list[str] | int) -> None:
        typed = self.page.locator("input[type=text][name=reply]")
        if typed.count():
            if self.hand == "keys":
                self._tab_to(typed)
                self.page.keyboard.press("ControlOrMeta+a")
                self.page.keyboard.type(str(said))
            else:
                typed.fill(str(said))
            return
        for value in said if isinstance(said, list) else [str(said)]:
            self._choose(self.page.locator(f"input[name=reply][value='{value}']"))

    def _choose(self, box: Locator) -> None:
        if self.hand != "keys":
            self.use(self.page.locator("label.option", has=box))
            return
        radios = self.page.locator("input[type=radio][name=reply]")
        if radios.count():
            self._tab_to(radios)
            for _ in range(radios.count()):
                if self._is_active(box):
                    break
                self.page.keyboard.press("ArrowDown")
        else:
            self._tab_to(box)
        if not box.is_checked():
            self.page.keyboard.press("Space")
        expect(box).to_be_checked()

    def _is_active(self, control: Locator) -> bool:
        return bool(control.evaluate_all("(controls) => controls.includes(document.activeElement)"))

    def _tab_to(self, control: Locator) -> None:
        for _ in range(60):
            if self._is_active(control):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the Tab key never reaches {control}")

    def answer_all(self, replies: Replies) -> list[FeatureKey]:
        """Answer until no question is left. Returns what was asked."""
        asked = []
        while self.page.locator("input[name=feature]").count():
            asked.append(self.asked)
            self.reply(replies[self.asked])
        return asked

    # What they did before the test begins

    def has_answered(
        self,
        replies: Replies,
        *,
        count: int | None = None,
        finished: bool = False,
    ) -> None:
        """Answer in the service, which is quicker: the first `count` questions, or all."""
        now = timezone.now()
        token, assessment = services.start(
            on=services.live_release_here(),
            language=self.language,
            voice=Assessment.Voice.TEXT,
            now=now,
        )
        step = services.progress(assessment).step
        while isinstance(step, Ask) and len(assessment.replies) != count:
            progress = services.answer(
                assessment=assessment,
                number=len(assessment.replies) + 1,
                feature=step.feature,
                reply=reply_of(replies, step.feature),
                revision=assessment.revision,
                confirmed=False,
                now=now,
            )
            assessment, step = progress.assessment, progress.step
        if finished:
            services.finish(assessment=assessment, now=now)
        self._hold(token)

    def is_asked(self, feature: str) -> None:
        """See this question first, wherever the engine would ask it."""
        self.has_answered({}, count=0)
        Assessment.objects.update(asking=feature)
        self.open("/check/1")

    def _hold(self, token: Token) -> None:
        self.page.context.add_cookies(
            [{"name": settings.ASSESSMENT_COOKIE_NAME, "value": token, "url": self.watch.origin}]
        )

    def url_of(self, feature: str) -> str:
        number = self.assessment.features.index(FeatureKey(feature)) + 1
        with override(self.language):
            return reverse("questionnaire:question", args=[number])
