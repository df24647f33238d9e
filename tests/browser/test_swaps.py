"""What htmx puts in place of a page is told, seen and remembered like a page."""

import re

import pytest
from playwright.sync_api import expect

from .pages import break_answers
from .people import MARBLE
from .visitor import SITE, Visitor

LEN = "history.length"

# A point where this shape, and no other, takes the click.
INSIDE = """(shape) => {
    shape.scrollIntoView({ block: 'center' });
    const { left, top, width, height } = shape.getBoundingClientRect();
    for (let across = .05; across < 1; across += .05) {
        for (let down = .05; down < 1; down += .05) {
            const [x, y] = [left + across * width, top + down * height];
            if (document.elementFromPoint(x, y) === shape) return [x, y];
        }
    }
}"""


def test_a_swap_moves_focus_title_address_and_view_like_a_new_page(scripted: Visitor) -> None:
    scripted.page.set_viewport_size({"width": 360, "height": 300})
    scripted.begin()
    scripted.page.evaluate("window.kept = true")  # gone, were the page loaded anew
    titles = [scripted.page.title()]

    for number, said in enumerate((["none"], ["none"], ["none"], ["no"]), start=2):
        scripted.fill_in(said)
        scripted.button("Continue").scroll_into_view_if_needed()
        assert scripted.page.evaluate("scrollY") > 0
        scripted.press("Continue")
        expect(scripted.page).to_have_url(re.compile(f"/check/{number}$"))
        scripted.has_landed()  # focus on the h1, its title, at the top
        titles.append(scripted.page.title())

    assert len(set(titles)) == len(titles)
    assert scripted.page.evaluate("window.kept")


def test_an_emergency_comes_in_the_same_response(scripted: Visitor) -> None:
    scripted.begin()
    scripted.page.evaluate("window.kept = true")

    scripted.reply(["confused"])

    assert scripted.path == "/check/outcome"
    assert scripted.page.evaluate("window.kept")


def test_who_needs_help_today_sees_and_hears_so_above_the_next_question(scripted: Visitor) -> None:
    scripted.page.set_viewport_size({"width": 360, "height": 740})
    scripted.begin()
    live, advice = scripted.page.locator("#live"), scripted.page.locator("#main aside")

    for said in (["none"], ["none"], ["numb_legs"]):
        scripted.reply(said)

    expect(advice).to_be_in_viewport()
    expect(advice).to_contain_text("Get help today")
    expect(live).to_contain_text("Get help today")
    scripted.has_landed()

    live.evaluate("(live) => { live.textContent = '' }")
    scripted.reply(["no"])
    expect(advice).to_be_visible()
    expect(live).to_be_empty()  # said once


def test_an_error_takes_the_focus_and_leads_to_the_field(visitor: Visitor) -> None:
    visitor.begin()
    question = visitor.heading.inner_text()

    visitor.press("Continue")

    summary = visitor.page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(visitor.page).to_have_title(f"Error: {question} - {SITE}")
    assert visitor.path == "/check/1"
    described = visitor.page.locator("fieldset").get_attribute("aria-describedby") or ""
    assert "error" in described.split()
    words = summary.get_by_role("link").inner_text()
    expect(visitor.page.locator("#error")).to_have_text(f"Error: {words}")
    summary.get_by_role("link").click()
    expect(visitor.page.locator("input[name=reply]").first).to_be_focused()


def test_an_error_keeps_what_was_typed(visitor: Visitor) -> None:
    visitor.is_asked("age")

    visitor.page.locator("#reply-1").fill("older than most")
    visitor.press("Continue")

    expect(visitor.page.locator(".error-summary")).to_be_focused()
    expect(visitor.page.locator("#reply-1")).to_have_value("older than most")
    expect(visitor.page.locator("#reply-1")).to_have_attribute("aria-invalid", "true")


def test_failed_attempts_leave_no_trace_in_the_history(scripted: Visitor) -> None:
    scripted.begin()
    scripted.reply(["none"])
    before = scripted.page.evaluate(LEN)

    for _ in range(2):
        with scripted.page.expect_response(lambda response: response.status == 422):
            scripted.press("Continue")
        expect(scripted.page.locator(".error-summary")).to_be_focused()

    assert scripted.page.evaluate(LEN) == before
    scripted.fill_in(["none"])
    scripted.press_and_go("Continue")
    scripted.has_landed()
    assert scripted.page.evaluate(LEN) == before + 1
    scripted.page.go_back()
    expect(scripted.page).to_have_url(re.compile("/check/2$"))
    expect(scripted.page.locator("input[value=none]")).to_be_checked()


def test_asking_before_a_warning_is_taken_back_leaves_no_trace_in_the_history(
    scripted: Visitor,
) -> None:
    scripted.has_answered(MARBLE | {"fever": ["yes"]})
    scripted.open(scripted.url_of("fever"))
    before = scripted.page.evaluate(LEN)

    scripted.fill_in(["no"])
    scripted.press("Continue")

    scripted.sees("This change takes back a warning")
    assert scripted.page.evaluate(LEN) == before


def test_the_answer_that_could_not_be_saved_is_still_there_to_be_sent_again(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.begin()
    with monkeypatch.context() as patch:
        break_answers(patch)
        visitor.fill_in(["none"])
        visitor.press("Continue")
        if visitor.script:
            expect(visitor.page.get_by_role("alert")).to_contain_text("was not saved")
        else:
            expect(visitor.page.locator(".error-summary")).to_contain_text("could not save")
        assert visitor.chosen == ["none"]

    visitor.press_and_go("Continue")

    visitor.has_landed()
    assert visitor.path == "/check/2"


def test_an_answer_that_the_network_lost_is_still_there_to_be_sent_again(
    scripted: Visitor,
) -> None:
    scripted.begin()
    scripted.page.route("**/check/1", lambda route: route.abort())
    scripted.fill_in(["none"])
    scripted.press("Continue")
    expect(scripted.page.get_by_role("alert")).to_contain_text("was not saved")

    scripted.page.unroute("**/check/1")
    scripted.press_and_go("Continue")

    scripted.has_landed()
    assert scripted.path == "/check/2"
    expect(scripted.page.get_by_role("alert")).to_have_count(0)


def test_an_answer_that_holds_alone_clears_the_others_and_they_clear_it(
    scripted: Visitor,
) -> None:
    scripted.begin()
    labels = scripted.page.locator("label.option")

    labels.nth(0).click()
    labels.nth(1).click()
    scripted.fill_in(["none"])
    assert scripted.chosen == ["none"]
    expect(scripted.page.locator("#live")).not_to_be_empty()  # whoever cannot see it is told
    labels.nth(0).click()

    assert len(scripted.chosen) == 1
    assert scripted.chosen != ["none"]


def test_without_javascript_contradicting_answers_are_an_error(scriptless: Visitor) -> None:
    scriptless.begin()

    scriptless.fill_in(["confused", "none"])
    scriptless.press("Continue")

    expect(scriptless.page.locator(".error-summary")).to_contain_text("not both")
    assert scriptless.chosen == ["confused", "none"]


@pytest.mark.parametrize("feature", ["lump_position", "spine_level"])
def test_the_picture_of_the_back_chooses_the_answer_beside_it(
    scripted: Visitor, feature: str
) -> None:
    scripted.is_asked(feature)
    regions = scripted.page.locator(".picture [data-option]")
    assert regions.count() >= 3

    for region in regions.all():
        option = region.get_attribute("data-option")
        x, y = region.locator(".region").evaluate(INSIDE)
        scripted.page.mouse.click(x, y)
        assert scripted.chosen == [option]
        expect(region).to_have_attribute("data-on", "")
    assert scripted.assessment.replies == []
