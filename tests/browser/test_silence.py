"""Nothing goes elsewhere and nothing stays behind. Every visitor is watched; here, the watch is."""

import pytest
from playwright.sync_api import expect

from .conftest import Visit
from .people import MARBLE
from .visitor import STORED, Visitor


def test_a_whole_journey_leaves_one_cookie_and_the_token_of_the_forms(scripted: Visitor) -> None:
    scripted.begin()
    scripted.answer_all(MARBLE)
    scripted.page.go_back()
    expect(scripted.page.locator("input[name=reply]:checked")).not_to_have_count(0)
    scripted.open("/check/answers")
    scripted.press_and_go("See advice")

    cookies = {cookie.get("name"): cookie for cookie in scripted.page.context.cookies()}
    assert set(cookies) == {"assessment", "csrf"}
    for cookie in cookies.values():
        assert cookie.get("httpOnly")
        assert cookie.get("sameSite") == "Lax"
        assert cookie.get("expires") == -1  # ends with the browser
    assert scripted.page.evaluate(STORED) == []
    assert scripted.page.evaluate("document.cookie") == ""
    assert scripted.watch.noted == []


def test_no_answer_and_no_token_ever_stands_in_an_address(scripted: Visitor) -> None:
    addresses: list[str] = []
    scripted.page.on("request", lambda request: addresses.append(request.url))
    scripted.begin()
    for _ in range(6):
        scripted.reply(MARBLE[scripted.asked])

    token = next(
        str(cookie.get("value"))
        for cookie in scripted.page.context.cookies()
        if cookie.get("name") == "assessment"
    )
    assert len(addresses) > 10
    assert not any("?" in address or token in address for address in addresses)


@pytest.mark.parametrize(
    ("script", "noted"),
    [
        ("fetch('http://elsewhere.example/').catch(() => 0)", "elsewhere.example"),
        ("document.body.append(Object.assign(new Image(), {src: '//far.example'}))", "far.example"),
        (
            "document.head.appendChild(document.createElement('style')).textContent = 'p {}'",
            "style-src",
        ),
        ("setTimeout(() => { throw new Error('broken') })", "broken"),
    ],
)
def test_the_watch_notices_a_page_that_breaks_the_rules(
    visit: Visit, script: str, noted: str
) -> None:
    visitor = visit()
    visitor.open("/")

    visitor.page.evaluate(f"() => {{ {script} }}")
    visitor.page.wait_for_timeout(200)

    assert any(noted in note for note in visitor.watch.noted)
    visitor.watch.forget()


def test_the_watch_notices_what_is_kept_in_the_browser(visit: Visit) -> None:
    visitor = visit()
    visitor.open("/")
    visitor.page.evaluate(
        "() => { localStorage.kept = 1; sessionStorage.also = 1; return caches.open('more') }"
    )

    assert set(visitor.page.evaluate(STORED)) == {"kept", "also", "more"}
    visitor.page.evaluate(
        "() => { localStorage.clear(); sessionStorage.clear(); return caches.delete('more') }"
    )
