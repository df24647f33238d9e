"""The page read aloud by the browser's own voices, for whoever asks for it."""

import json
import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import PHONE, Visit
from .pages import DIFFICULT, break_answers
from .people import CONFUSED, MARBLE
from .test_access import faults_of, show
from .visitor import NARROW, STORED, WIDE, ZOOMED, Visitor

# A Chromium without a screen has no voices. This one writes down what it is to say, and ends each
# sentence by itself ("brisk") or when it is told to ("slow").
SPEECH = """({ voices, pace }) => {
    let now = null;
    const end = (utterance) => {
        if (now !== utterance) return;
        now = null;
        utterance.onend?.();
    };
    const speech = {
        onvoiceschanged: null,
        getVoices: () => voices,
        speak: (utterance) => {
            if (now) throw new Error('speaks while it speaks');
            if (!utterance.text) return;
            now = utterance;
            window.said.push([utterance.text, utterance.voice?.name]);
            if (pace === 'brisk') setTimeout(() => end(utterance));
        },
        cancel: () => {
            const cut = now;
            now = null;
            window.cuts += cut ? 1 : 0;
            if (cut) setTimeout(() => cut.onerror?.({ error: 'canceled' }));
        },
        pause: () => { throw new Error('pauses in the way that Android cannot'); },
    };
    window.said = [];
    window.cuts = 0;
    window.silent = () => now === null;
    window.endSentence = () => end(now);
    window.takeVoice = () => { const cut = now; now = null; cut.onerror({ error: 'interrupted' }); };
    window.findVoices = (found) => { voices = found; speech.onvoiceschanged?.(); };
    Object.defineProperty(window, 'speechSynthesis', { value: speech });
    window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
}"""

type Voice = dict[str, str | bool]


def voice(lang: str, *, local: bool = True, **more: bool) -> Voice:
    name = f"{lang}, {'here' if local else 'elsewhere'}"
    return {"name": name, "lang": lang, "localService": local, "default": False, **more}


ENGLISH = voice("en-GB")


class Listener:
    """Somebody whose browser can speak."""

    def __init__(self, visitor: Visitor, voices: list[Voice], pace: Literal["brisk", "slow"]):
        self.visitor = visitor
        self.page = visitor.page
        self.fetched: list[str] = []
        self.page.context.add_init_script(
            f"({SPEECH})({json.dumps({'voices': voices, 'pace': pace})})"
        )
        self.page.on("request", lambda request: self.fetched.append(request.url))

    def button(self, name: str) -> Locator:
        return self.visitor.button(name)

    def press(self, name: str) -> None:
        self.visitor.press(name)

    @property
    def said(self) -> list[str]:
        return [str(text) for text, _ in self.page.evaluate("said")]

    @property
    def silent(self) -> bool:
        return bool(self.page.evaluate("silent()"))

    def hears(self, *texts: str) -> None:
        """Wait for these to be the last that were said."""
        self.page.wait_for_function(
            "(texts) => said.slice(-texts.length).map(([text]) => text).join('|')"
            " === texts.join('|')",
            arg=texts,
        )

    def hears_no_more(self) -> None:
        """Nothing is being said, and in the time in which it would start again nothing is."""
        before = self.said
        self.page.wait_for_timeout(300)
        assert self.silent
        assert self.said == before

    def hears_the_whole_page(self) -> list[str]:
        before = len(self.said)
        self.press("Read aloud")
        self.page.wait_for_function(
            "(before) => said.length > before && silent()"
            " && document.querySelector('#read').textContent === 'Read aloud'",
            arg=before,
        )
        return self.said[before:]

    def hears_the_next_sentence(self) -> str:
        before = len(self.said)
        self.page.evaluate("endSentence()")
        self.page.wait_for_function("(before) => said.length > before", arg=before)
        return self.said[-1]

    @property
    def marked(self) -> Locator:
        return self.page.locator("[data-reading]")


type Listen = Callable[..., Listener]


@pytest.fixture
def listen(visit: Visit) -> Listen:
    def come(
        voices: list[Voice] | None = None,
        pace: Literal["brisk", "slow"] = "brisk",
        **more: Any,
    ) -> Listener:
        return Listener(visit(**more), [ENGLISH] if voices is None else voices, pace)

    return come


@pytest.fixture
def brisk(listen: Listen) -> Listener:
    return listen()


@pytest.fixture
def slow(listen: Listen) -> Listener:
    return listen(pace="slow")


# Whether it is offered


@pytest.mark.parametrize(
    "voices",
    [
        [],
        [voice("en-GB", local=False), voice("en-US", local=False)],
        [voice("es-ES")],
        [voice("es-ES"), voice("en-GB", local=False)],
    ],
    ids=["no voice", "voices elsewhere", "another language", "neither will do"],
)
def test_it_is_not_offered_without_a_voice_here_for_the_language(
    voices: list[Voice], listen: Listen
) -> None:
    listener = listen(voices)
    listener.visitor.begin()

    expect(listener.page.locator("#read")).to_be_hidden()
    expect(listener.page.locator("#stop")).to_be_hidden()


def test_it_is_not_offered_without_javascript(scriptless: Visitor) -> None:
    scriptless.begin()

    expect(scriptless.page.locator("#read")).to_be_hidden()


def test_it_is_not_offered_by_a_browser_that_cannot_speak(visit: Visit) -> None:
    visitor = visit()
    visitor.page.context.add_init_script(
        "Object.defineProperty(window, 'speechSynthesis', { value: undefined })"
    )
    visitor.begin()
    visitor.reply(["none"])

    expect(visitor.page.locator("#read")).to_be_hidden()


def test_it_is_offered_as_soon_as_the_browser_finds_its_voices(listen: Listen) -> None:
    listener = listen([])
    listener.visitor.begin()
    expect(listener.page.locator("#read")).to_be_hidden()

    listener.page.evaluate("(voices) => findVoices(voices)", [ENGLISH])

    expect(listener.button("Read aloud")).to_be_visible()
    listener.page.evaluate("findVoices([])")
    expect(listener.page.locator("#read")).to_be_hidden()


@pytest.mark.parametrize("lang", ["en-US", "en_US", "en"])
def test_any_voice_for_the_language_will_do(lang: str, listen: Listen) -> None:
    listener = listen([voice("es-ES"), voice(lang)])
    listener.visitor.begin()

    expect(listener.button("Read aloud")).to_be_visible()


def test_only_a_voice_of_this_device_is_ever_used(listen: Listen) -> None:
    voices = [
        voice("es-ES", default=True),
        voice("en-US", local=False, default=True),
        voice("en-AU"),
        voice("en-GB", default=True),
    ]
    listener = listen(voices)
    listener.visitor.begin()

    assert len(listener.hears_the_whole_page()) > 5

    assert {name for _, name in listener.page.evaluate("said")} == {"en-GB, here"}


def test_it_is_off_and_not_even_fetched_until_it_is_asked_for(brisk: Listener) -> None:
    brisk.visitor.begin()
    brisk.visitor.reply(["none"])
    assert brisk.said == []
    assert [url for url in brisk.fetched if "read_aloud" in url] == []

    brisk.press("Read aloud")
    expect(brisk.button("Stop reading")).to_be_visible()

    fetched = sorted(url.rpartition("/")[2] for url in brisk.fetched if "read_aloud" in url)
    assert fetched == ["read_aloud.css", "read_aloud.js"]


# What is read


def shown(page: Page, places: str) -> list[str]:
    return [text.strip() for text in page.locator(places).all_inner_texts()]


def test_the_question_is_read_then_its_help_then_each_option_in_order(brisk: Listener) -> None:
    brisk.visitor.begin()

    said = brisk.hears_the_whole_page()

    in_order = shown(brisk.page, "h1, #hint, .or, .option")
    assert "or" in in_order
    assert " ".join(said) == " ".join(in_order)


def test_long_texts_are_cut_into_sentences(brisk: Listener) -> None:
    brisk.visitor.begin()
    (help_text,) = shown(brisk.page, "#hint")
    sentences = re.findall(r"[^.]+\.", help_text)
    assert len(sentences) > 1

    said = brisk.hears_the_whole_page()

    assert said[1 : 1 + len(sentences)] == [sentence.strip() for sentence in sentences]


def test_what_is_ticked_is_said_to_be(brisk: Listener) -> None:
    brisk.visitor.is_asked("fever")
    options = shown(brisk.page, ".option")
    brisk.visitor.fill_in(["no"])

    said = brisk.hears_the_whole_page()

    no = options.index(brisk.page.locator(".option:has(:checked)").inner_text())
    start = said.index(options[0])
    assert [text for text in said[start:] if text != "or"][no : no + 2] == [options[no], "Chosen"]
    assert said.count("Chosen") == 1


def test_other_ways_to_reply_are_read_last(brisk: Listener) -> None:
    brisk.visitor.is_asked("bladder_saddle")
    ways = shown(brisk.page, "button[name=decline]")
    assert ways

    said = brisk.hears_the_whole_page()

    assert said[-len(ways) :] == ways
    assert "Continue" not in said


def test_a_picture_is_not_read_beside_the_options_that_it_shows(brisk: Listener) -> None:
    brisk.visitor.is_asked("lump_position")
    assert brisk.page.locator(".picture svg text").count()

    said = brisk.hears_the_whole_page()

    assert " ".join(said) == " ".join(
        shown(brisk.page, "h1, #hint, .or, .option, button[name=decline]")
    )


def test_only_what_is_open_is_read(brisk: Listener) -> None:
    brisk.visitor.begin()
    closed = " ".join(brisk.hears_the_whole_page())
    brisk.page.get_by_text("Why are you asking this?").click()
    why = shown(brisk.page, "details[open] p")
    assert why

    opened = " ".join(brisk.hears_the_whole_page())

    assert not any(sentence in closed for sentence in ["Why are you asking this?", *why])
    assert opened.endswith(" ".join(["Why are you asking this?", *why]))


def test_a_mistake_is_read_once_before_the_question(brisk: Listener) -> None:
    brisk.visitor.begin()
    brisk.visitor.press("Continue")
    expect(brisk.page.locator(".error-summary")).to_be_focused()

    said = brisk.hears_the_whole_page()

    mistake = brisk.page.locator(".error-summary a").inner_text()
    assert said[:3] == ["There is a problem", mistake, brisk.visitor.heading.inner_text()]
    assert said.count(mistake) == 1


@pytest.mark.parametrize(
    "replies", [CONFUSED, MARBLE, DIFFICULT], ids=["emergency", "routine", "flags"]
)
def test_the_advice_is_read_before_all_else(
    replies: dict[str, list[str] | int | str], brisk: Listener
) -> None:
    brisk.visitor.has_answered(replies, finished=True)
    brisk.visitor.open("/check/outcome")

    said = " ".join(brisk.hears_the_whole_page())

    first = [*shown(brisk.page, ".when, h1, .care > p:not(.when)"), *shown(brisk.page, "h2")]
    places = [said.index(text) for text in first]
    assert places[0] == 0
    assert places == sorted(places)
    assert " ".join(first[: len(shown(brisk.page, ".care > *:not(svg)"))]) in said
    for unsaid in ["Print this page", "Delete my answers", "Content release", "Change answer"]:
        assert unsaid not in said
    for text in brisk.page.locator("details:not([open]) > summary").all_inner_texts():
        assert text not in said


# While it reads


def test_it_pauses_and_goes_on_with_the_sentence_that_was_cut_short(slow: Listener) -> None:
    slow.visitor.begin()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())
    sentence = slow.hears_the_next_sentence()

    slow.press("Pause")

    expect(slow.button("Go on")).to_be_focused()
    slow.hears_no_more()
    slow.press("Go on")
    slow.hears(sentence, sentence)
    expect(slow.button("Pause")).to_be_focused()
    assert slow.hears_the_next_sentence() != sentence


@pytest.mark.parametrize("way", ["button", "Escape", "keys"])
def test_it_stops(way: str, listen: Listen) -> None:
    listener = listen(pace="slow", hand="keys" if way == "keys" else "mouse")
    listener.visitor.begin()
    listener.press("Read aloud")
    listener.hears(listener.visitor.heading.inner_text())
    expect(listener.marked).to_have_count(1)

    if way == "Escape":
        listener.page.keyboard.press("Escape")
    else:
        listener.press("Stop reading")

    expect(listener.button("Stop reading")).to_be_hidden()
    expect(listener.button("Read aloud")).to_be_focused()
    expect(listener.marked).to_have_count(0)
    listener.hears_no_more()
    listener.visitor.reply(["none"])
    listener.hears_no_more()


def test_escape_stops_what_is_paused(slow: Listener) -> None:
    slow.visitor.begin()
    slow.press("Read aloud")
    slow.press("Pause")

    slow.page.keyboard.press("Escape")

    expect(slow.button("Read aloud")).to_be_visible()
    expect(slow.button("Stop reading")).to_be_hidden()


def test_what_is_being_read_is_marked(slow: Listener) -> None:
    slow.visitor.begin()
    slow.press("Read aloud")
    heading = slow.visitor.heading.inner_text()
    slow.hears(heading)

    expect(slow.marked).to_have_text(heading)
    sentence = slow.hears_the_next_sentence()
    expect(slow.marked).to_have_count(1)
    expect(slow.marked).to_contain_text(sentence.strip())
    assert slow.marked.evaluate("(place) => getComputedStyle(place).outlineStyle") == "dashed"


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_page_moves_only_for_what_is_out_of_sight(
    motion: Literal["reduce", "no-preference"], listen: Listen
) -> None:
    listener = listen(pace="slow", **PHONE)
    listener.page.emulate_media(reduced_motion=motion)
    listener.page.set_viewport_size({"width": 360, "height": 560})
    listener.visitor.begin()
    listener.page.evaluate(
        """() => {
            window.moves = [];
            const scroll = Element.prototype.scrollIntoView;
            Element.prototype.scrollIntoView = function (how) {
                moves.push(how.behavior);
                scroll.call(this, how);
            };
        }"""
    )
    listener.press("Read aloud")
    listener.hears(listener.visitor.heading.inner_text())
    assert listener.page.evaluate("moves") == []
    last = shown(listener.page, ".option")[-1]

    while listener.hears_the_next_sentence() != last:
        pass

    expect(listener.marked).to_be_in_viewport(ratio=1)
    moves = listener.page.evaluate("moves")
    if motion == "reduce":  # else the next sentence comes, in this test, before it has arrived
        assert len(moves) < len(listener.said) / 3
    assert set(moves) == {"instant" if motion == "reduce" else "smooth"}


@pytest.mark.parametrize("width", [NARROW, WIDE], ids=["360 px", "1280 px"])
def test_nothing_jumps_when_it_starts_or_stops(width: dict[str, int], slow: Listener) -> None:
    show(slow.page, width, "light")
    slow.visitor.begin()
    before = slow.visitor.heading.bounding_box()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())
    assert slow.visitor.heading.bounding_box() == before

    slow.press("Stop reading")

    assert slow.visitor.heading.bounding_box() == before


def test_choosing_an_option_neither_stops_nor_restarts_it(slow: Listener) -> None:
    slow.visitor.begin()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())
    before = len(slow.said)

    slow.visitor.fill_in(["none"])

    expect(slow.button("Pause")).to_be_visible()
    slow.page.wait_for_timeout(300)
    assert len(slow.said) == before
    assert not slow.silent
    while slow.hears_the_next_sentence() != "Chosen":
        pass
    assert slow.said[-2] == slow.page.locator(".option:has(:checked)").inner_text()


def test_it_stops_when_the_person_answers_and_reads_the_next_question(slow: Listener) -> None:
    slow.visitor.begin()
    slow.page.evaluate("window.kept = true")
    first = slow.visitor.heading.inner_text()
    slow.press("Read aloud")
    slow.hears(first)
    slow.visitor.fill_in(["none"])
    slow.page.evaluate("addEventListener('submit', () => { window.silentOnceSent = silent(); })")

    slow.visitor.press_and_go("Continue")

    slow.visitor.has_landed()
    second = slow.visitor.heading.inner_text()
    slow.hears(first, second)
    assert slow.page.evaluate("kept && silentOnceSent")
    assert second != first
    slow.hears_the_next_sentence()
    slow.visitor.reply(["none"])
    third = slow.visitor.heading.inner_text()
    slow.hears(third)
    assert slow.said.count(third) == 1


def test_the_advice_of_an_emergency_is_read_as_soon_as_it_comes(brisk: Listener) -> None:
    brisk.visitor.begin()
    brisk.hears_the_whole_page()

    brisk.visitor.reply(["confused"])

    brisk.page.wait_for_function(
        "(heading) => said.some(([text]) => text === heading)",
        arg=brisk.visitor.heading.inner_text(),
    )


def test_who_paused_is_not_read_the_next_question_until_they_say_so(slow: Listener) -> None:
    slow.visitor.begin()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())
    slow.press("Pause")

    slow.visitor.reply(["none"])

    slow.hears_no_more()
    slow.press("Go on")
    slow.hears(slow.visitor.heading.inner_text())


def test_an_answer_that_could_not_be_saved_leaves_it_ready(
    slow: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.visitor.begin()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())
    break_answers(monkeypatch)
    slow.visitor.fill_in(["none"])

    slow.visitor.press("Continue")

    expect(slow.page.get_by_role("alert")).to_be_visible()
    slow.hears_no_more()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())


def test_another_page_that_takes_the_voice_pauses_it(slow: Listener) -> None:
    slow.visitor.begin()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())

    slow.page.evaluate("takeVoice()")

    expect(slow.button("Go on")).to_be_visible()
    slow.hears_no_more()


def test_it_falls_silent_when_the_page_is_left_and_stays_so_on_the_next(slow: Listener) -> None:
    slow.visitor.begin()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())

    slow.page.evaluate("dispatchEvent(new Event('pagehide'))")  # the real one can tell nobody

    slow.hears_no_more()
    slow.visitor.follow("Privacy")
    expect(slow.button("Read aloud")).to_be_visible()
    assert slow.said == []


# What it is like


@pytest.mark.parametrize("width", [NARROW, WIDE, ZOOMED], ids=["360 px", "1280 px", "400 %"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_it_reads(
    width: dict[str, int], scheme: str, slow: Listener
) -> None:
    show(slow.page, width, scheme)
    slow.visitor.begin()
    assert faults_of(slow.page) == []

    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())

    assert faults_of(slow.page) == []
    slow.press("Pause")
    assert faults_of(slow.page) == []
    for name in ("Go on", "Stop reading"):
        box = slow.button(name).bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["x"] + box["width"] <= width["width"]


FOCUSED = """() => {
    const focused = document.activeElement;
    if (focused === document.body) return null;
    const { bottom } = focused.getBoundingClientRect();
    const bar = document.querySelector('.reader').getBoundingClientRect().top;
    const ring = getComputedStyle(focused.closest('.option') ?? focused).outlineStyle;
    return [ring, bottom > bar && !focused.closest('.reader') ? focused.outerHTML : ''];
}"""


def test_the_focus_keeps_its_ring_and_is_hidden_by_nothing(slow: Listener) -> None:
    slow.page.set_viewport_size(NARROW)  # type: ignore[arg-type] # a TypedDict of just these two
    slow.visitor.begin()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())
    while slow.hears_the_next_sentence() not in shown(slow.page, ".option"):
        pass
    expect(slow.marked).to_have_class("option")
    seen = []

    for _ in range(30):
        slow.page.keyboard.press("Tab")
        seen.append(slow.page.evaluate(FOCUSED))

    assert [each for each in seen if each not in (None, ["solid", ""])] == []
    assert len([each for each in seen if each]) > 20


def test_the_mark_is_seen_in_forced_colours(slow: Listener) -> None:
    slow.page.emulate_media(forced_colors="active")
    slow.visitor.begin()
    slow.press("Read aloud")
    slow.hears(slow.visitor.heading.inner_text())

    style = slow.marked.evaluate(
        "(place) => [getComputedStyle(place).outlineStyle, getComputedStyle(place).outlineWidth]"
    )

    assert style == ["dashed", "2px"]


def test_nothing_of_it_stays_behind(brisk: Listener) -> None:
    brisk.visitor.begin()
    cookies = brisk.page.context.cookies()
    history = brisk.page.evaluate("JSON.stringify(history.state)")
    address = brisk.page.url

    brisk.hears_the_whole_page()

    assert brisk.page.evaluate(STORED) == []
    assert brisk.page.context.cookies() == cookies
    assert brisk.page.evaluate("JSON.stringify(history.state)") == history
    assert brisk.page.url == address
