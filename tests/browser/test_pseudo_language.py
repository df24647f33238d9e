"""Every page in two languages that nobody speaks: nothing is left in English, nothing is cut off."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from tests.conftest import TOPIC
from tests.languages import speaking_them
from triage.content.knowledge import content_of
from triage.content.models import Release
from triage.content.releases import live_release

from .conftest import Visit
from .pages import ONE_OF_EACH, PAGES
from .people import MARBLE
from .test_access import CUT_OFF, SIDEWAYS
from .visitor import NARROWEST, WIDE, Visitor

every_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="module", autouse=True)
def languages(
    tmp_path_factory: pytest.TempPathFactory,
    live_server: LiveServer,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    with django_db_blocker.unblock():
        release = Release.objects.get(pk=live_release(TOPIC).pk)  # with its document
        content_of(release.pk)
    with speaking_them(tmp_path_factory.mktemp("locale"), release):
        yield


@pytest.fixture
def foreigner(visit: Visit) -> Visitor:
    visitor = visit(viewport=NARROWEST)
    visitor.language = "qps"
    return visitor


@pytest.fixture
def from_the_right(visit: Visit) -> Visitor:
    visitor = visit(viewport=NARROWEST)
    visitor.language = "qpr"
    return visitor


# All that a page says, seen or only heard, but for what says itself that it is in another language.
# The letters of an address, a release's fingerprint, a code and a cause's key belong to no language.
ENGLISH = r"""() => {
    const own = document.documentElement.lang;
    const foreign = (each) => each.closest('[lang]').lang !== own;
    const said = [];
    const texts = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const parent = texts.currentNode.parentElement;
        if (!parent.closest('script, style') && !foreign(parent)) {
            said.push([texts.currentNode.data, parent]);
        }
    }
    for (const each of document.querySelectorAll('*')) {
        if (foreign(each)) continue;
        for (const { name, value } of each.attributes) {
            const heard = /^(aria-label|aria-description|alt|title|placeholder|data-unticked)$/;
            if (heard.test(name) || each.matches('meta[name=description]') && name === 'content') {
                said.push([value, each]);
            }
        }
    }
    return said
        .map(([text, place]) => [text.replace(/https?:\/\/\S+|\b[0-9a-f]{8,64}\b|\b[0-9A-Z]{3}-[0-9A-Z]{3}\b/g, ''), place])
        .filter(([text]) => /[A-Za-z]{2}/.test(text))
        .map(([text, place]) => `${text.trim().slice(0, 80)} | ${place.outerHTML.slice(0, 80)}`);
}"""

# Each run of letters and figures that belong together, and the places of its signs.
SCRAMBLED = r"""() => {
    const found = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode;
        if (!text.parentElement.checkVisibility()) continue;
        for (const { 0: code, index } of text.data.matchAll(/[0-9A-Za-z]{2,}/g)) {
            const places = [...code].map((_, sign) => {
                const range = new Range();
                range.setStart(text, index + sign);
                range.setEnd(text, index + sign + 1);
                return range.getBoundingClientRect();
            });
            const goesOn = ({ left, top }, sign) => !sign || top > places[sign - 1].top
                || left > places[sign - 1].left;
            if (!places.every(goesOn)) found.push(`${code} is scrambled`);
        }
    }
    return found;
}"""


def faults_of(page: Page) -> list[str]:
    found: list[str] = [*page.evaluate(ENGLISH), *page.evaluate(SCRAMBLED)]
    for size in (NARROWEST, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type] # a TypedDict of just these two
        found += page.evaluate(CUT_OFF)
        found += ["it scrolls sideways"] if page.evaluate(SIDEWAYS) else []
    return found


@every_page
def test_no_page_is_mixed_or_cut_off(
    name: str, foreigner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    PAGES[name](foreigner, monkeypatch)

    assert foreigner.page.locator("html").get_attribute("lang") == "qps"
    assert faults_of(foreigner.page) == []


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        ("document.querySelector('h1').append(' Now')", "Now"),
        ("document.querySelector('form').ariaLabel = 'Your answer'", "Your answer"),
        ("document.querySelector('.actions button').title = 'Go on'", "Go on"),
        ("document.title = 'Question 1'", "Question 1"),
        ("document.querySelector('[data-unticked]').dataset.unticked = 'Unticked'", "Unticked"),
        (
            "document.querySelector('.actions button').style.cssText = 'width: 5em; text-wrap: nowrap'",
            "out of its box",
        ),
        (
            "Object.assign(document.querySelector('h1').style, {height: '1em', overflow: 'hidden'})",
            "<h1",
        ),
        ("document.querySelector('.picture text').append('⟦⟧'.repeat(20))", "out of its picture"),
        ("document.querySelector('.picture text').setAttribute('y', 98)", "lies over another"),
        ("document.querySelector('main').style.width = '200vw'", "sideways"),
        (
            "document.querySelector('h1').innerHTML = '<bdo lang=en dir=rtl>release 12ab</bdo>'",
            "12ab is scrambled",
        ),
    ],
)
def test_whatever_is_spoilt_is_found(foreigner: Visitor, spoil: str, what: str) -> None:
    foreigner.is_asked("spine_level")
    assert faults_of(foreigner.page) == []
    foreigner.page.set_viewport_size(NARROWEST)  # type: ignore[arg-type] # as above

    foreigner.page.evaluate(spoil)

    assert what in " ".join(faults_of(foreigner.page))


def test_a_whole_check_is_in_one_language_from_the_start_to_the_outcome(
    foreigner: Visitor,
) -> None:
    page = foreigner.page
    foreigner.begin()
    seen = 0
    while page.locator("input[name=feature]").count():
        assert page.evaluate(ENGLISH) == [], foreigner.asked
        assert page.evaluate(CUT_OFF) == [], foreigner.asked
        foreigner.reply(MARBLE[foreigner.asked])
        seen += 1
    foreigner.press_and_go("See advice")
    foreigner.has_landed()

    assert seen > 10
    assert foreigner.path == "/qps/check/outcome"
    assert faults_of(page) == []


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_each_kind_of_page_runs_from_right_to_left(
    name: str, from_the_right: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    PAGES[name](from_the_right, monkeypatch)
    page = from_the_right.page

    assert page.locator("html").get_attribute("dir") == "rtl"
    assert faults_of(page) == []


def test_what_points_or_leans_somewhere_does_so_the_other_way_round(
    from_the_right: Visitor, visit: Visit
) -> None:
    styles = """(selector) => {
        const [place, part] = selector.split('::');
        const of = getComputedStyle(document.querySelector(place), part && '::' + part);
        return [of.borderLeftWidth, of.borderRightWidth, of.rotate, of.scale];
    }"""
    seen: dict[str, list[list[str]]] = {}
    for visitor in (visit(viewport=NARROWEST), from_the_right):
        visitor.has_answered(MARBLE, finished=True)
        visitor.open("/check/outcome")
        seen[visitor.language] = [
            visitor.page.evaluate(styles, each) for each in ("#back a::before", ".care", ".range")
        ]
    back, care, likely = seen[settings.LANGUAGE_CODE]
    back_there, care_there, likely_there = seen["qpr"]

    assert back == ["2px", "0px", "45deg", "none"]
    assert back_there == ["0px", "2px", "-45deg", "none"]
    assert (care[0], care[1]) == (care_there[1], care_there[0]) == ("10px", "2px")
    assert (likely[3], likely_there[3]) == ("none", "-1 1")
    link = from_the_right.page.locator("#back a").bounding_box()
    assert link is not None
    assert link["x"] + link["width"] == pytest.approx(NARROWEST["width"] - 16, abs=1)


def test_a_number_is_typed_as_it_is_read(from_the_right: Visitor) -> None:
    from_the_right.is_asked("age")

    from_the_right.page.locator("#reply-1").press_sequentially("34")
    from_the_right.press_and_go("Continue")

    assert ["age", 34] in from_the_right.assessment.replies


def test_no_style_says_left_or_right() -> None:
    sides = re.compile(r"[^;{}\n]*\b(?:left|right)\b[^;}\n]*")
    for file in sorted((settings.BASE_DIR / "static" / "css").glob("*.css")):
        if file.name != "admin.css":  # staff read English
            rules = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
            assert sides.findall(rules) == [], file.name
