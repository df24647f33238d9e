"""Each way from one page to the next tells everybody where they are now.

The title is the new page's, the focus is on its heading or on what is wrong, the view is from its
top, on the smallest screen there is: 1280 x 1024 pixels magnified four times.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from triage.questionnaire.models import Assessment

from .conftest import Visit
from .pages import DIFFICULT
from .people import CONFUSED, FEVER, MARBLE
from .visitor import SITE, ZOOMED, Visitor


@pytest.fixture(params=["script", "no script"])
def close_up(request: pytest.FixtureRequest, visit: Visit) -> Visitor:
    return visit(script=request.param == "script", viewport=ZOOMED)


def leads(visitor: Visitor, act: Callable[[], None], to: str) -> None:
    """This leads to the page of that address and heading, which announces itself."""
    before = visitor.page.title()
    act()
    expect(visitor.page).to_have_url(re.compile(f"{to}$"))
    expect(visitor.page).not_to_have_title(before)
    visitor.has_landed()


def says_what_is_wrong(visitor: Visitor, act: Callable[[], None]) -> None:
    question = visitor.heading.inner_text()
    act()
    expect(visitor.page.locator(".error-summary")).to_be_focused()
    expect(visitor.page).to_have_title(f"Error: {question} - {SITE}")
    visitor.sees_from_the_top()


def test_each_step_from_the_start_to_the_third_question_announces_itself(
    close_up: Visitor,
) -> None:
    close_up.open("/")
    leads(close_up, lambda: close_up.press("Start now"), "/check/1")
    close_up.fill_in(["none"])
    leads(close_up, lambda: close_up.press("Continue"), "/check/2")
    says_what_is_wrong(close_up, lambda: close_up.press("Continue"))
    says_what_is_wrong(close_up, lambda: close_up.press("Continue"))
    close_up.fill_in(["none"])
    leads(close_up, lambda: close_up.press("Continue"), "/check/3")
    leads(close_up, lambda: close_up.follow("Back"), "/check/2")
    leads(close_up, lambda: close_up.press("Continue"), "/check/3")


def test_back_and_forward_announce_the_page_that_they_show(close_up: Visitor) -> None:
    close_up.begin()
    titles = [close_up.page.title()]
    for said in (["none"], ["none"]):
        close_up.reply(said)
        titles.append(close_up.page.title())

    for go, number in (("back", 2), ("back", 1), ("forward", 2), ("forward", 3)):
        close_up.page.go_back() if go == "back" else close_up.page.go_forward()
        expect(close_up.page).to_have_url(re.compile(f"/check/{number}$"))
        expect(close_up.page).to_have_title(titles[number - 1])
        close_up.focus_is_on(close_up.heading)  # the view is where the browser puts it


def test_each_step_of_a_change_and_of_the_end_announces_itself(close_up: Visitor) -> None:
    close_up.has_answered(MARBLE)
    close_up.open("/check/answers")
    leads(close_up, lambda: close_up.follow("Change answer: Age"), close_up.url_of("age"))
    close_up.page.locator("#reply-1").fill("")
    says_what_is_wrong(close_up, lambda: close_up.press("Continue"))
    close_up.fill_in(35)
    leads(close_up, lambda: close_up.press("Continue"), "/check/answers")
    leads(close_up, lambda: close_up.press("See advice"), "/check/outcome")
    leads(close_up, close_up.page.locator("footer a[href$=delete]").click, "/check/delete")
    leads(close_up, lambda: close_up.follow("Keep them"), "/check/outcome")
    leads(close_up, close_up.page.locator("footer a[href$=delete]").click, "/check/delete")
    leads(close_up, lambda: close_up.press("Delete my answers"), "/check/deleted")
    close_up.page.go_back()
    close_up.focus_is_on(close_up.heading)


def test_an_emergency_and_the_way_back_from_it_announce_themselves(close_up: Visitor) -> None:
    close_up.begin()
    close_up.fill_in(CONFUSED["right_now"])  # type: ignore[arg-type] # a list of options
    leads(close_up, lambda: close_up.press("Continue"), "/check/outcome")
    back = "Go back and change that answer"
    leads(close_up, lambda: close_up.follow(back), "/check/1")


def test_taking_back_a_warning_announces_each_of_its_pages(close_up: Visitor) -> None:
    close_up.has_answered(FEVER)
    here = close_up.url_of("fever")
    close_up.open(here)
    close_up.fill_in(["no"])
    leads(close_up, lambda: close_up.press("Continue"), here)
    leads(close_up, lambda: close_up.follow("Keep the earlier answer"), "/check/answers")


def test_whoever_comes_back_is_told_on_each_page_where_they_are(close_up: Visitor) -> None:
    close_up.has_answered(MARBLE, count=1)
    close_up.open("/")
    leads(close_up, lambda: close_up.press("Start now"), "/check/begin")
    leads(close_up, lambda: close_up.follow("Go on with my answers"), "/check/2")
    Assessment.objects.all().delete()
    leads(close_up, lambda: close_up.open("/check/2"), "/check/2")


def test_an_unknown_that_is_answered_from_the_outcome_announces_each_of_its_pages(
    close_up: Visitor,
) -> None:
    close_up.has_answered(DIFFICULT, finished=True)
    close_up.open("/check/outcome")
    leads(close_up, close_up.page.locator("li > a.screen").first.click, r"/check/\d+")
    answer = "no" if close_up.page.locator("input[value=no]").count() else "none"
    if close_up.page.locator("input[type=checkbox]").count() and not close_up.script:
        for box in close_up.page.locator("input:checked").all():
            box.uncheck()
    close_up.fill_in([answer])
    leads(close_up, lambda: close_up.press("Continue"), r"/check/[a-z0-9]+")


def test_another_language_shows_the_same_question_and_announces_it(close_up: Visitor) -> None:
    close_up.begin()
    close_up.reply(["none"])
    english = close_up.page.title()

    close_up.follow("Español")

    expect(close_up.page).to_have_url(re.compile("/es/check/2$"))
    close_up.language = "es"
    close_up.has_landed()
    spanish = close_up.page.title()
    assert spanish != english
    close_up.fill_in(["none"])
    leads(close_up, lambda: close_up.press("Continue"), "/es/check/3")
    close_up.page.go_back()
    expect(close_up.page).to_have_title(spanish)
    close_up.focus_is_on(close_up.heading)
    close_up.page.go_back()
    expect(close_up.page).to_have_title(english)
    close_up.focus_is_on(close_up.heading)


def test_a_page_to_read_begins_at_its_top_and_back_leads_to_the_question(
    close_up: Visitor,
) -> None:
    close_up.begin()
    title = close_up.page.title()
    for place in ("privacy", "accessibility", "about", "complain"):
        close_up.page.locator(f"footer a[href$={place}]").click()
        expect(close_up.page).to_have_url(re.compile(f"/{place}$"))
        expect(close_up.page).to_have_title(f"{close_up.heading.inner_text()} - {SITE}")
        assert close_up.page.evaluate("scrollY") == 0
        close_up.page.keyboard.press("Tab")
        expect(close_up.page.locator(".skip")).to_be_focused()

        close_up.page.go_back()
        expect(close_up.page).to_have_title(title)
        close_up.focus_is_on(close_up.heading)
