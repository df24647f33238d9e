"""Whole journeys, each in every way that people come: the server's view of them is checked too."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import BrowserType, Route, expect

from triage.engine import Knowledge
from triage.questionnaire.models import Assessment

from .conftest import Visit
from .pages import recall
from .people import CHILD, CONFUSED, FEVER, MARBLE, declining, questions_for
from .visitor import Visitor

COOKIE = settings.ASSESSMENT_COOKIE_NAME
OUT_OF_DATE = "This page is out of date"
TAKES_BACK = "This change takes back a warning"
SLIP = "It was a slip: change it"


# To the outcome


def test_a_sore_marble_ends_at_a_routine_outcome_with_its_causes(
    anybody: Visitor, shipped: Knowledge
) -> None:
    anybody.begin()

    asked = anybody.answer_all(MARBLE)
    anybody.sees("Check your answers")
    anybody.press_and_go("See advice")

    anybody.has_landed()
    assert asked == questions_for(shipped, MARBLE)
    assert anybody.path == "/check/outcome"
    expect(anybody.page.locator(".care")).to_have_attribute("data-urgency", "routine")
    causes = anybody.page.locator(".causes > li h3").all_inner_texts()
    assert len(causes) > 2
    assert causes[-1] == "Something else"


def test_a_cause_on_the_outcome_leads_to_its_page_and_back(visitor: Visitor) -> None:
    visitor.has_answered(MARBLE, finished=True)
    visitor.open("/check/outcome")
    first = visitor.page.locator(".causes h3 a").first
    name = first.inner_text()

    visitor.use(first)
    visitor.sees(name)
    visitor.page.go_back()

    expect(visitor.page.locator(".causes h3 a").first).to_have_text(name)


def test_an_emergency_is_shown_at_once_and_leaves_a_way_back(anybody: Visitor) -> None:
    anybody.begin()

    anybody.reply(CONFUSED["right_now"])

    assert anybody.path == "/check/outcome"
    expect(anybody.page.locator(".care")).to_have_attribute("data-urgency", "emergency_now")
    expect(anybody.page.get_by_role("link", name="Call 999")).to_be_visible()

    anybody.follow("Go back and change that answer")
    assert anybody.asked == "right_now"
    assert anybody.chosen == ["confused"]
    anybody.fill_in(["none"])
    if not anybody.script:  # with it, the box that holds alone clears the others
        anybody.use(anybody.page.locator("label.option:has([value=confused])"))
    assert anybody.chosen == ["none"]
    anybody.press("Continue")
    anybody.sees(TAKES_BACK)
    anybody.press_and_go(SLIP)

    anybody.has_landed()
    assert anybody.path == "/check/2"
    assert "rf_sepsis" in anybody.assessment.withdrawn


def test_somebody_under_16_is_told_what_to_do_but_no_causes(
    visitor: Visitor, shipped: Knowledge
) -> None:
    visitor.begin()

    asked = visitor.answer_all(CHILD)
    visitor.press_and_go("See advice")

    visitor.has_landed()
    assert asked == questions_for(shipped, CHILD)
    expect(visitor.page.locator(".causes")).to_have_count(0)
    expect(visitor.page.get_by_text("does not list causes")).to_be_visible()


def test_whoever_declines_is_told_what_could_not_be_ruled_out(
    visitor: Visitor, shipped: Knowledge
) -> None:
    replies = declining(shipped)
    visitor.begin()

    asked = visitor.answer_all(replies)
    visitor.press_and_go("See advice")

    visitor.has_landed()
    assert asked == questions_for(shipped, replies)
    assert any(isinstance(replies[feature], str) for feature in asked)
    expect(visitor.page.get_by_text("we could not rule out")).to_be_visible()
    expect(visitor.page.get_by_role("heading", name="What we do not know")).to_be_visible()


# Changes


def test_a_change_from_check_your_answers_leads_back_to_it(visitor: Visitor) -> None:
    visitor.has_answered(MARBLE)
    visitor.open("/check/answers")

    visitor.follow("Change answer: Age")
    visitor.reply(35)

    assert visitor.path == "/check/answers"
    row = visitor.page.locator(".row", has=visitor.page.get_by_text("Age", exact=True))
    expect(row.locator("dd").first).to_have_text("35")


def test_taking_back_a_warning_asks_first_and_keeping_it_changes_nothing(visitor: Visitor) -> None:
    visitor.has_answered(FEVER)
    visitor.open(visitor.url_of("fever"))
    before = visitor.path

    visitor.fill_in(["no"])
    visitor.press("Continue")

    visitor.sees(TAKES_BACK)
    visitor.has_landed()
    assert visitor.path == before
    assert ["fever", ["yes"]] in visitor.assessment.replies

    visitor.follow("Keep the earlier answer")
    assert visitor.path == "/check/answers"
    assert ["fever", ["yes"]] in visitor.assessment.replies
    assert "rf_fever" in visitor.assessment.flags


def test_a_warning_that_was_a_slip_is_taken_back_and_remembered(visitor: Visitor) -> None:
    visitor.has_answered(FEVER)
    visitor.open(visitor.url_of("fever"))

    visitor.fill_in(["no"])
    visitor.press("Continue")
    visitor.sees(TAKES_BACK)
    visitor.press_and_go(SLIP)

    visitor.has_landed()
    assert ["fever", ["no"]] in visitor.assessment.replies
    assert visitor.assessment.flags == []
    assert visitor.assessment.withdrawn == ["rf_fever"]


# More than one tab, more than one click


def test_a_tab_that_sends_another_answer_to_the_same_question_shows_both(
    visitor: Visitor, visit: Visit
) -> None:
    visitor.begin()
    other = visit(beside=visitor)
    other.open("/check/1")
    visitor.reply(["none"])

    other.fill_in(["no_pee"])
    other.press("Continue")

    other.sees(OUT_OF_DATE)
    other.has_landed()
    assert other.path == "/check/1"
    expect(other.page.locator(".row")).to_have_count(2)
    assert other.assessment.replies == [["right_now", ["none"]]]
    other.page.get_by_role("link", name="Open the question").click()
    expect(other.page.locator("input[name=feature]")).to_have_value("right_now")
    assert other.chosen == ["none"]


def test_a_tab_of_an_earlier_check_is_told_where_to_continue(
    visitor: Visitor, visit: Visit
) -> None:
    visitor.has_answered(MARBLE, count=1)
    other = visit(beside=visitor)
    other.open("/check/2")
    visitor.open("/")
    visitor.press_and_go("Start now")
    visitor.press_and_go("Start again")
    expect(visitor.page).to_have_url(re.compile("/check/1$"))

    other.fill_in(["none"])
    other.press("Continue")

    other.sees(OUT_OF_DATE)
    assert other.assessment.replies == []
    other.follow("Continue here")
    assert other.path == "/check/1"


def test_a_double_click_makes_one_reply(visitor: Visitor) -> None:
    visitor.begin()
    posts: list[str] = []
    visitor.page.on(
        "request",
        lambda request: posts.append(request.url) if request.method == "POST" else None,
    )

    visitor.fill_in(["none"])
    visitor.button("Continue").dblclick()

    expect(visitor.page).to_have_url(re.compile("/check/2$"))
    visitor.has_landed()
    assert visitor.assessment.replies == [["right_now", ["none"]]]
    assert visitor.assessment.revision == 1
    if visitor.script:
        assert len(posts) == 1


# Back, Forward, reload


def test_back_and_forward_show_each_question_as_it_was_answered(visitor: Visitor) -> None:
    visitor.begin()
    headings = [visitor.heading.inner_text()]
    for said in (["none"], ["none"], ["not_sure"]):
        visitor.reply(said)
        headings.append(visitor.heading.inner_text())

    seen: list[list[str]] = []
    for number in (3, 2, 1, 2, 3, 4):
        if len(seen) < 3:
            visitor.page.go_back()
        else:
            visitor.page.go_forward()
        expect(visitor.page).to_have_url(re.compile(f"/check/{number}$"))
        visitor.sees(headings[number - 1])
        expect(visitor.page.locator("input[name=reply]:checked")).to_have_count(int(number < 4))
        seen.append(visitor.chosen)

    assert seen == [["not_sure"], ["none"], ["none"], ["none"], ["not_sure"], []]


def test_the_back_link_leads_to_the_question_before_as_it_was_answered(visitor: Visitor) -> None:
    visitor.begin()
    visitor.reply(["none"])

    visitor.follow("Back")

    assert visitor.path == "/check/1"
    assert visitor.chosen == ["none"]


def test_a_reload_shows_the_same_question(visitor: Visitor) -> None:
    visitor.begin()
    visitor.reply(["none"])
    heading = visitor.heading.inner_text()

    visitor.page.reload()

    visitor.sees(heading)
    visitor.has_landed()
    assert len(visitor.assessment.replies) == 1


@pytest.mark.parametrize("person", [MARBLE, CONFUSED], ids=["routine", "emergency"])
def test_a_reload_shows_the_same_outcome(
    visitor: Visitor, person: dict[str, list[str] | int | str]
) -> None:
    visitor.has_answered(person, finished=True)
    visitor.open("/check/outcome")
    before = visitor.page.locator("#main .care").inner_text()

    visitor.page.reload()

    assert visitor.page.locator("#main .care").inner_text() == before
    visitor.has_landed()


# The end


def test_deleting_removes_the_answers_and_the_way_to_them(visitor: Visitor) -> None:
    visitor.begin()
    visitor.reply(["none"])

    visitor.page.locator("footer").get_by_role("link", name="Delete my answers").click()
    visitor.sees("Delete your answers?")
    visitor.press_and_go("Delete my answers")

    visitor.sees("Your answers are deleted")
    assert Assessment.objects.count() == 0
    assert COOKIE not in {cookie.get("name") for cookie in visitor.page.context.cookies()}
    visitor.open("/check/1")
    visitor.sees("We cannot find your answers")


def test_back_does_not_bring_deleted_answers_out_of_the_browsers_memory(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], base_url: str
) -> None:
    """With the back/forward cache, which Playwright switches off and every real browser has on.

    Chromium leaves most pages marked no-store out of it, other browsers do not: so the mark goes.
    """

    def unmarked(route: Route) -> None:
        response = route.fetch()
        kept = {name: value for name, value in response.headers.items() if name != "cache-control"}
        route.fulfill(response=response, headers=kept)

    browser = browser_type.launch(
        **browser_type_launch_args, ignore_default_args=["--disable-back-forward-cache"]
    )
    try:
        page = browser.new_page(base_url=base_url)
        page.goto("/")
        page.get_by_role("button", name="Start now").click()
        page.locator("label.option", has_text="None of these").click()
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url("**/check/2")
        page.route("**/check/1", unmarked)
        page.goto("/check/1")
        expect(page.locator("input:checked")).to_have_count(1)
        page.evaluate("window.kept = true")

        page.goto("/privacy")
        Assessment.objects.all().delete()  # by the purge: the cookie stays
        page.evaluate("history.back()")
        page.wait_for_url("**/check/1")

        expect(page.locator("h1")).to_have_text("Your answers are no longer here")
        expect(page.locator("input:checked")).to_have_count(0)
        assert not page.evaluate("window.kept")
    finally:
        browser.close()


def test_whoever_loses_the_cookie_is_told_so_and_never_sent_in_circles(visitor: Visitor) -> None:
    visitor.begin()
    visitor.page.context.clear_cookies(name=COOKIE)

    visitor.fill_in(["none"])
    visitor.press("Continue")
    if visitor.script:
        expect(visitor.page.get_by_role("alert")).to_contain_text("This answer was not saved")
        visitor.page.get_by_role("link", name="load this page again").click()

    visitor.sees("We cannot find your answers")
    visitor.follow("Start again")
    assert visitor.path == "/"


def test_whoever_comes_back_after_a_day_is_told_that_the_answers_are_gone(
    visitor: Visitor,
) -> None:
    visitor.has_answered(MARBLE, count=3)
    Assessment.objects.update(active_at=timezone.now() - timedelta(hours=24, minutes=1))

    for path in ("/check/3", "/check/answers", "/check/outcome"):
        visitor.open(path)
        visitor.sees("Your answers are no longer here")
    visitor.follow("Start again")
    assert visitor.path == "/"


def test_a_recalled_release_stops_whoever_is_in_it(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.has_answered(FEVER)
    recall(monkeypatch)

    for path in ("/check/1", "/check/answers", "/check/outcome"):
        visitor.open(path)
        visitor.sees("Please start again")


def test_choosing_an_answer_neither_sends_it_nor_moves_the_focus(scripted: Visitor) -> None:
    scripted.has_answered(MARBLE, count=3)
    scripted.open("/check/4")

    radio = scripted.page.locator("input[type=radio]").first
    radio.check()

    expect(radio).to_be_focused()
    assert scripted.path == "/check/4"
    assert len(scripted.assessment.replies) == 3
