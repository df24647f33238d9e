"""Each kind of page in Spanish, as somebody who reads no English sees it."""

import pytest

from .conftest import Visit
from .pages import ONE_OF_EACH, PAGES
from .test_access import CUT_OFF, SIDEWAYS, faults_of
from .visitor import NARROWEST


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_axe_finds_nothing_and_nothing_is_cut_off(
    name: str, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visit(viewport=NARROWEST)
    visitor.language = "es"

    PAGES[name](visitor, monkeypatch)

    page = visitor.page
    assert page.locator("html").get_attribute("lang") == "es"
    assert faults_of(page) == []
    assert page.evaluate(CUT_OFF) == []
    assert not page.evaluate(SIDEWAYS)
