"""Every page, in every state, for whoever sees, reads or moves differently."""

from functools import cache

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has none
from playwright.sync_api import Page, expect

from .conftest import Visit
from .pages import DIFFICULT, EACH_LAYOUT, PAGES
from .people import MARBLE, Replies
from .visitor import NARROW, NARROWEST, SITE, WIDE, ZOOMED, Visitor


@cache
def axe_script() -> str:
    return str(Axe().axe_script)


def faults_of(page: Page) -> list[str]:
    """What axe finds on the page as it is, once all of it is there."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe_script())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [f"{fault['id']}: {node['html'][:160]}" for fault in found for node in fault["nodes"]]


def show(page: Page, width: dict[str, int], scheme: str) -> None:
    page.set_viewport_size(width)  # type: ignore[arg-type] # a TypedDict of just these two
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of two words


@pytest.mark.parametrize("name", PAGES)
def test_every_page_serves_whoever_sees_reads_or_moves_differently(
    name: str, scripted: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Come to once for all that is looked at: to come there takes longest."""
    PAGES[name](scripted, monkeypatch)

    check_the_frame(name, scripted.page)
    check_magnified_and_spaced_out(scripted.page)
    check_with_axe(scripted.page)
    check_in_forced_colours_and_at_rest(scripted.page)


def check_with_axe(page: Page) -> None:
    found = []
    for width, scheme in ((NARROW, "light"), (WIDE, "dark")):
        show(page, width, scheme)
        found += faults_of(page)
    assert found == []


@pytest.mark.parametrize("name", EACH_LAYOUT)
def test_axe_finds_nothing_without_javascript(
    name: str, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """axe is a script itself: so ours are kept from loading, instead of switching all off."""
    visitor = visit()
    visitor.page.context.route("**/*.js", lambda route: route.abort())
    visitor.script = False
    PAGES[name](visitor, monkeypatch)

    show(visitor.page, NARROW, "dark")

    assert faults_of(visitor.page) == []


def test_axe_would_find_a_fault(scripted: Visitor) -> None:
    scripted.is_asked("age")
    scripted.page.evaluate("document.querySelector('h1 label').removeAttribute('for')")

    assert any(fault.startswith("label:") for fault in faults_of(scripted.page))


# Structure

FRAME = """() => ({
    headings: [...document.querySelectorAll('h1')].map((each) => each.innerText),
    title: document.title,
    language: document.documentElement.lang,
    emergency: document.querySelector('.emergency')?.innerText ?? '',
})"""

SIDEWAYS = "document.documentElement.scrollWidth > innerWidth"

# A control of its own is 44 px high at least; a link in a list or a sentence 24 px.
SMALL = """() => {
    const shown = (each) => each.checkVisibility({ visibilityProperty: true })
        && !each.closest('.skip, .vh');
    const own = 'button, .button, label.option, input[type=text], summary, #back a, .name, '
        + 'footer a, .row a, .emergency a, .ways a';
    const small = (selector, least) => [...document.querySelectorAll(selector)]
        .filter(shown)
        .map((each) => [each, each.getBoundingClientRect()])
        .filter(([, box]) => Math.round(box.height) < least || box.width < 24)
        .map(([each, box]) => `${each.outerHTML.slice(0, 90)}: ${box.width} x ${box.height}`);
    return [...small(own, 44), ...small('a', 24)];
}"""

FOCUSABLE = "a[href], button, input:not([type=hidden]), summary, [tabindex='0']"


def check_the_frame(name: str, page: Page) -> None:
    """One h1, in the title; a skip link first; whom to call; nothing small; no sideways scroll."""
    frame = page.evaluate(FRAME)
    (heading,) = frame["headings"]
    assert frame["title"].endswith(f"{heading} - {SITE}")
    assert frame["title"].startswith("Error: ") == name.startswith("error")
    assert frame["language"].startswith("en")
    assert "999" in frame["emergency"]
    assert page.locator(FOCUSABLE).first.get_attribute("href") == "#main"
    page.set_viewport_size(NARROW)  # type: ignore[arg-type] # a TypedDict of just these two
    assert page.evaluate(SMALL) == []
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type] # as above
        assert not page.evaluate(SIDEWAYS), size


def test_the_skip_link_is_first_and_leads_to_the_page(scripted: Visitor) -> None:
    scripted.open("/")

    scripted.page.keyboard.press("Tab")
    skip = scripted.page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    scripted.page.keyboard.press("Enter")

    expect(scripted.page.locator("#main")).to_be_focused()


def test_the_keys_go_through_a_question_in_the_order_it_is_read(scripted: Visitor) -> None:
    scripted.is_asked("bladder_saddle")

    order = []
    for _ in range(scripted.page.locator(f"main :is({FOCUSABLE}):visible").count()):
        scripted.page.keyboard.press("Tab")
        order.append(
            scripted.page.evaluate(
                "document.activeElement.value || document.activeElement.innerText"
            )
        )

    boxes = scripted.page.locator("input[type=checkbox]")
    values = [box.get_attribute("value") for box in boxes.all()]
    assert order[: len(values)] == values
    assert order[-2:] == ["Why are you asking this?", "What these words mean"]


def test_the_focus_can_be_seen(scripted: Visitor) -> None:
    scripted.is_asked("bladder_saddle")
    ring = """() => {
        const active = document.activeElement.closest('label') ?? document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(active);
        return outlineStyle === 'none' ? 0 : parseFloat(outlineWidth);
    }"""

    for _ in range(scripted.page.locator(f"main :is({FOCUSABLE}):visible").count()):
        scripted.page.keyboard.press("Tab")
        assert scripted.page.evaluate(ring) >= 2


# What people set in their browser or system


# What sticks out of its box is hidden, or lies over something else.
CUT_OFF = """() => {
    const found = [];
    for (const each of document.querySelectorAll('body *:not(.vh, .vh *, svg *)')) {
        if (!each.checkVisibility() || !each.clientWidth || each.matches('svg')) continue;
        // A link in a line is as high as a finger, and may stand a little above and below it.
        const spare = getComputedStyle(each).overflowY === 'visible' ? 8 : 1;
        if (each.scrollWidth > each.clientWidth + 1
                || each.scrollHeight > each.clientHeight + spare) {
            found.push(`${each.outerHTML.slice(0, 90)}: `
                + `${each.scrollWidth} x ${each.scrollHeight} in `
                + `${each.clientWidth} x ${each.clientHeight}`);
        }
    }
    // A button's own text does not count as its content.
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode;
        let box = text.parentElement;
        if (!text.data.trim() || !box.checkVisibility() || box.closest('.vh, svg')) continue;
        while (getComputedStyle(box).display === 'inline') box = box.parentElement;
        const { left, right } = box.getBoundingClientRect();
        const range = new Range();
        range.selectNodeContents(text);
        for (const line of range.getClientRects()) {
            if (line.left < left - 1 || line.right > right + 1) {
                found.push(`“${text.data.trim().slice(0, 60)}” sticks out of its box`);
            }
        }
    }
    for (const picture of document.querySelectorAll('main svg')) {
        const all = picture.getBoundingClientRect();
        const said = [...picture.querySelectorAll('text')];
        for (const [place, text] of said.entries()) {
            const { left, right, top, bottom } = text.getBoundingClientRect();
            if (left < 0 || right > innerWidth || top < all.top || bottom > all.bottom) {
                found.push(`${text.outerHTML.slice(0, 90)} sticks out of its picture`);
            }
            for (const other of said.slice(place + 1).map((each) => each.getBoundingClientRect())) {
                if (left < other.right && other.left < right
                        && top < other.bottom - 2 && other.top < bottom - 2) {
                    found.push(`${text.outerHTML.slice(0, 90)} lies over another`);
                }
            }
        }
    }
    return found;
}"""

# WCAG 1.4.12. Through CSSOM, which the page's own policy on styles does not concern.
SPACED = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important;
        word-spacing: .16em !important } p { margin-bottom: 2em !important }`);
    document.adoptedStyleSheets = [sheet];
}"""

DOUBLED = "document.documentElement.style.fontSize = '200%'"
NORMAL = "document.documentElement.removeAttribute('style')"

# What stays in its place takes most of a magnified screen.
STUCK = """() => [...document.querySelectorAll('*')]
    .filter((each) => ['fixed', 'sticky'].includes(getComputedStyle(each).position))
    .map((each) => `${each.outerHTML.slice(0, 90)} does not scroll away`)"""


def misplaced(page: Page) -> list[str]:
    sideways = ["it scrolls sideways"] if page.evaluate(SIDEWAYS) else []
    return [*page.evaluate(CUT_OFF), *page.evaluate(STUCK), *sideways]


def check_magnified_and_spaced_out(page: Page) -> None:
    """1280 x 1024 at 400 % (WCAG 1.4.10), text at 200 % (1.4.4), text spacing (1.4.12)."""
    page.set_viewport_size(ZOOMED)  # type: ignore[arg-type] # a TypedDict of just these two
    assert misplaced(page) == []
    page.set_viewport_size(NARROWEST)  # type: ignore[arg-type] # as above
    page.evaluate(SPACED)
    assert misplaced(page) == []
    page.evaluate("document.adoptedStyleSheets = []")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type] # as above
    page.evaluate(DOUBLED)
    assert misplaced(page) == []
    page.evaluate(NORMAL)


MOVING = """() => [...document.querySelectorAll('*')].filter((each) => {
    const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(each);
    return transitionDuration.split(', ').some((time) => parseFloat(time) > 0)
        || animationName !== 'none' || scrollBehavior === 'smooth';
}).map((each) => `${each.outerHTML.slice(0, 90)} moves`)"""

# With forced colours grounds and shadows are gone: what can be pressed or filled in needs an edge,
# a box that says how urgent it is needs one too, and what is drawn needs a colour of the system.
WITHOUT_AN_EDGE = """() => {
    const edged = 'button, .button, .option, input[type=text], .care, .box, .error-summary, .alert';
    const drawn = '.range .span, .region, .picture .lead';
    const canvas = getComputedStyle(document.body).backgroundColor;
    const bare = [...document.querySelectorAll(edged)].filter((each) => each.checkVisibility())
        .filter((each) => {
            const { borderTopWidth, borderTopColor } = getComputedStyle(each);
            return parseFloat(borderTopWidth) < 1 || borderTopColor === canvas;
        });
    const pale = [...document.querySelectorAll(drawn)]
        .filter((each) => getComputedStyle(each).stroke === canvas);
    return [...bare, ...pale].map((each) => `${each.outerHTML.slice(0, 90)} cannot be seen`);
}"""


def check_in_forced_colours_and_at_rest(page: Page) -> None:
    for scheme in ("light", "dark"):
        show(page, NARROW, scheme)
        page.emulate_media(forced_colors="active", reduced_motion="reduce")
        assert page.evaluate(WITHOUT_AN_EDGE) == [], scheme
    assert page.evaluate(MOVING) == []


@pytest.mark.parametrize(
    ("spoil", "script"),
    [
        ("document.querySelector('#back').style.position = 'sticky'", STUCK),
        ("document.querySelector('.actions button').style.border = 0", WITHOUT_AN_EDGE),
        ("document.querySelector('.option').style.borderColor = 'Canvas'", WITHOUT_AN_EDGE),
        ("document.querySelector('.region').style.stroke = 'Canvas'", WITHOUT_AN_EDGE),
        ("document.querySelector('.option').style.transition = 'color 1s'", MOVING),
    ],
)
def test_what_is_stuck_or_unseen_or_moves_would_be_found(
    scripted: Visitor, spoil: str, script: str
) -> None:
    scripted.is_asked("spine_level")
    scripted.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    assert scripted.page.evaluate(script) == []

    scripted.page.evaluate(spoil)

    assert len(scripted.page.evaluate(script)) == 1


def test_with_forced_colours_a_chosen_answer_is_still_told_apart(scripted: Visitor) -> None:
    scripted.has_answered(MARBLE)
    scripted.open(scripted.url_of("fever"))
    outline = "(label) => getComputedStyle(label).outlineStyle"
    chosen = scripted.page.locator("label.option:has(:checked)")
    other = scripted.page.locator("label.option:not(:has(:checked))").first

    scripted.page.emulate_media(forced_colors="active")

    assert chosen.evaluate(outline) == "solid"
    assert other.evaluate(outline) == "none"
    assert chosen.evaluate("() => matchMedia('(forced-colors: active)').matches")


def test_the_print_leaves_out_what_paper_cannot_do_and_opens_what_is_folded(
    visitor: Visitor,
) -> None:
    visitor.has_answered(MARBLE, finished=True)
    visitor.open("/check/outcome")
    page = visitor.page
    weights = page.locator(".causes .weights").first
    expect(weights).to_be_hidden()

    page.emulate_media(media="print")

    for gone in (".emergency", "header", "footer", "#back", ".actions", ".row a"):
        for each in page.locator(gone).all():
            expect(each).to_be_hidden()
    expect(weights).to_be_visible()
    expect(page.locator(".print")).to_contain_text("Not a diagnosis")
    expect(page.locator(".print")).to_contain_text("release 1")
    expect(page.get_by_role("heading", name="Your answers")).to_be_visible()


def test_the_print_of_the_guide_fits_on_one_page(visit: Visit) -> None:
    for script in (True, False):
        visitor = visit(script=script)
        visitor.open("/guide")

        pdf = visitor.page.pdf(prefer_css_page_size=True)

        assert pdf.count(b"/Type /Page\n") == 1


def test_the_print_of_a_condition_says_whom_to_call_and_fits_on_two_pages(
    visitor: Visitor,
) -> None:
    for key in ("lipoma", "traumatic_fracture", "spinal_metastasis"):
        visitor.open(f"/conditions/{key}")
        visitor.page.emulate_media(media="print")

        said = visitor.page.locator(".print")
        for words in ("call 999", "Demonstration", "not been approved", f"/conditions/{key}"):
            expect(said).to_contain_text(words)
        pdf = visitor.page.pdf(prefer_css_page_size=True)
        assert 1 <= pdf.count(b"/Type /Page\n") <= 2, key


@pytest.mark.parametrize("person", [MARBLE, DIFFICULT], ids=["routine", "with warnings"])
def test_the_print_of_an_outcome_fits_on_two_pages(scripted: Visitor, person: Replies) -> None:
    scripted.has_answered(person, finished=True)
    scripted.open("/check/outcome")

    pdf = scripted.page.pdf(prefer_css_page_size=True)

    assert 1 <= pdf.count(b"/Type /Page\n") <= 2


def test_an_outcome_that_came_without_a_new_page_prints_alike(scripted: Visitor) -> None:
    scripted.begin()
    scripted.reply(["confused"])
    assert scripted.path == "/check/outcome"
    scripted.page.wait_for_load_state("networkidle")

    scripted.page.emulate_media(media="print")

    styles = (
        "() => [document.body, ...document.querySelectorAll('h2, .rows, .box')].map((each) => {"
    )
    styles += " const { fontSize, columns, margin } = getComputedStyle(each);"
    styles += " return [fontSize, columns, margin].join(); })"
    swapped = scripted.page.evaluate(styles)
    scripted.page.reload()
    assert swapped == scripted.page.evaluate(styles)


def test_the_button_that_prints_is_there_only_where_it_works(visit: Visit) -> None:
    for script in (True, False):
        visitor = visit(script=script)
        visitor.has_answered(MARBLE, finished=True)
        visitor.open("/check/outcome")

        expect(visitor.page.locator("[data-print]")).to_be_visible(visible=script)
