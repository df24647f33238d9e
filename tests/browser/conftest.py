"""A browser on the live server, and what none of its pages may do."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext
from pytest_django.live_server_helper import LiveServer

from .visitor import STORED, Hand, Visitor, Watch

# Playwright keeps an event loop running in the thread of the tests, which Django takes for a sign
# that they are asynchronous. They are not.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

type Visit = Callable[..., Visitor]

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """Where the pages are: Playwright reads every path from here."""
    return live_server.url


# For each window Chromium 156 draws the popups of its address bar, which a window without a head
# never shows: that takes longer than the page that is tested.
UNSEEN = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup")
# Of two such lists only the last counts, so what Playwright switches off is said again.
PLAYWRIGHTS_OWN = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Keep Chromium itself silent, and let it find nothing but this machine."""
    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
        f"--disable-features={','.join((*PLAYWRIGHTS_OWN, *UNSEEN))}",
    ]
    return {**browser_type_launch_args, "args": quiet}


@pytest.fixture
def visit(new_context: Callable[..., BrowserContext], base_url: str) -> Iterator[Visit]:
    """Come to the site with a browser of one's own; at its end, nothing was told or left behind."""
    visitors: list[Visitor] = []

    def come(
        *, script: bool = True, hand: Hand = "mouse", beside: Visitor | None = None, **more: Any
    ) -> Visitor:
        """`beside` opens a second tab in the same browser."""
        if beside:
            page, watch = beside.page.context.new_page(), beside.watch
            script = beside.script
        else:
            context = new_context(java_script_enabled=script, **more)
            context.set_default_timeout(10_000)
            watch = Watch(context, base_url)
            page = context.new_page()
        visitor = Visitor(page, watch, script=script, hand=hand)
        visitors.append(visitor)
        return visitor

    yield come

    for visitor in visitors:
        assert visitor.watch.noted == []
        if visitor.script and visitor.page.url.startswith(base_url):
            assert visitor.page.evaluate(STORED) == []
        cookies = {str(cookie.get("name")) for cookie in visitor.page.context.cookies()}
        assert cookies <= {"assessment", "csrf"}


@pytest.fixture(params=["script", "no script"])
def visitor(request: pytest.FixtureRequest, visit: Visit) -> Visitor:
    """Somebody with JavaScript, and somebody without it."""
    return visit(script=request.param == "script")


@pytest.fixture(params=["script", "no script", "phone", "keys"])
def anybody(request: pytest.FixtureRequest, visit: Visit) -> Visitor:
    """With JavaScript, without it, at 360 px with a finger, with the keyboard alone."""
    match request.param:
        case "phone":
            return visit(hand="finger", **PHONE)
        case "keys":
            return visit(hand="keys")
        case script:
            return visit(script=script == "script")


@pytest.fixture
def scripted(visit: Visit) -> Visitor:
    return visit()


@pytest.fixture
def scriptless(visit: Visit) -> Visitor:
    return visit(script=False)
