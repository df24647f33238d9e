"""What holds for every page, whatever it says: structure, safety of the markup, weight."""

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import brotli  # type: ignore[import-untyped] # it ships no types
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client

from triage.engine import NOT_SURE, FeatureKey, Knowledge
from triage.static_files import OURS, without_comments

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
SOURCES = [*TEMPLATES, *sorted((settings.BASE_DIR / "static").rglob("*.*"))]


def named(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


REFUSALS = ["400", "403", "403_csrf", "404", "405", "409", "429", "500", "503"]
ADDRESSES = [
    "/",
    "/guide",
    "/privacy",
    "/accessibility",
    "/about",
    "/complain",
    "/not-for-me/no-lump",
    "/not-for-me/elsewhere",
    "/not-for-me/danger",
    "/emergency",
    "/conditions/",
    "/conditions/lipoma",
    "/check/delete",
    "/check/deleted",
    "/check/resume",
    "/no/such/page",
]


class Outline(HTMLParser):
    """The elements of a page, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)

    @property
    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.elements if "id" in attributes]


def check(page: str) -> None:
    """Assert what every page owes to whoever opens it."""
    outline = Outline(page)
    assert outline.count("h1") == 1
    assert outline.count("main") == 1
    assert outline.count("title") == 1
    assert len(outline.ids) == len(set(outline.ids))
    assert "lang" in outline.elements[0][1]
    first_link = next(attributes for tag, attributes in outline.elements if tag == "a")
    assert first_link["href"] == "#main"
    assert "In an emergency" in page
    assert page.index("In an emergency") < page.index("<h1")
    for tag, attributes in outline.elements:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith(("on", "hx-on"))]
        assert tag != "style"
        assert tag != "script" or attributes.get("src")


def post(client: Client, number: int, feature: str, reply: str, revision: int = 0) -> str:
    form = {"feature": feature, "revision": revision, "reply": reply}
    return client.post(f"/check/{number}", form, follow=True).content.decode()


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_no_template_trusts_text_or_carries_script_or_style(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"\|\s*safe\b|autoescape off|safeseq", text)
    assert not re.search(r"<style|\sstyle=|\shx-on|javascript:|\bjs:", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_is_asked_from_another_origin(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")

    assert not re.search(r"https?:|[\"'(=]//", text)


def test_the_script_keeps_nothing_in_the_browser() -> None:
    script = (settings.BASE_DIR / "static/js/site.js").read_text()

    assert not re.search(
        r"setItem|localStorage|indexedDB|document\.cookie|innerHTML|eval\(", script
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_no_template_needs_the_indentation_that_is_not_sent(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"<pre|<textarea", text)
    for options, message in re.findall(
        r"{% blocktranslate(.*?)%}(.*?){% (?:plural|endblocktranslate) %}", text, re.DOTALL
    ):
        assert "trimmed" in options or "\n" not in message


@pytest.mark.django_db
def test_no_line_of_a_page_is_indented(client: Client) -> None:
    page = client.post("/check/begin", follow=True).content.decode()

    assert not re.search(r"^[ \t]+\S", page, re.MULTILINE)


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_is_whole(client: Client, address: str) -> None:
    check(client.get(address).content.decode())


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_is_whole(name: str) -> None:
    check(render_to_string(f"{name}.html", {"place": settings.PLACEHOLDERS["en"]}))


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_names_the_emergency_number(name: str) -> None:
    page = render_to_string(f"{name}.html", {"place": {"emergency_number": "00112"}})

    assert 'href="tel:00112"' in page


@pytest.mark.parametrize("name", ["500.html", "503.html", "pages/emergency.html"])
def test_the_last_pages_need_nothing_at_all(name: str) -> None:
    page = render_to_string(name)

    check(page)
    assert "your local emergency number" in page  # a wrong number would be worse than none


@pytest.mark.django_db
def test_every_step_is_whole(client: Client) -> None:
    asked = client.post("/check/begin", follow=True).content.decode()
    check(asked)

    refused = post(client, 1, "right_now", "")
    check(refused)
    assert "<title>Error: " in refused
    assert 'href="#reply-1"' in refused
    assert 'id="reply-1"' in refused
    assert refused.count("autofocus") == 1

    stopped = post(client, 1, "right_now", "cant_breathe")
    check(stopped)
    assert 'data-urgency="emergency_now"' in stopped

    withdrawing = post(client, 1, "right_now", "none", revision=1)
    check(withdrawing)
    assert 'name="confirm"' in withdrawing

    stale = post(client, 1, "leg_nerves", "none")
    check(stale)
    assert "out of date" in stale


@pytest.mark.django_db
def test_a_step_for_htmx_is_the_title_the_way_back_and_the_main_part(client: Client) -> None:
    client.post("/check/begin")
    form = {"feature": "right_now", "revision": 0, "reply": "none"}

    part = client.post("/check/1", form, headers={"HX-Request": "true"}).content.decode()

    tags = [tag for tag, _ in Outline(part).elements]
    assert tags[0] == "title"
    assert {"html", "body", "footer"}.isdisjoint(tags)
    assert Outline(part).ids[0] == "back"
    assert part.count('id="main"') == 1


PICTURES = sorted((settings.BASE_DIR / "templates/questionnaire/pictures").glob("*.html"))


@pytest.mark.parametrize("path", PICTURES, ids=named)
def test_a_picture_shows_the_options_of_its_feature(path: Path, shipped: Knowledge) -> None:
    regions = set(re.findall(r'data-option="(\w+)"', path.read_text()))

    options = {option.key for option in shipped.feature(FeatureKey(path.stem)).options}

    assert options - {NOT_SURE} == regions


def compressed(name: str) -> int:
    found = finders.find(name)
    assert isinstance(found, str)
    content = Path(found).read_bytes()
    if name.startswith(OURS):
        content = without_comments(name, content.decode()).encode()
    return len(brotli.compress(content, quality=11))


def page_and_its_files(page: bytes) -> tuple[int, int]:
    """Return the bytes that stand before the first paint, and all of them, as they are sent."""
    files = set(re.findall(r'(?:href|src)="/static/([^"]+)"', page.decode()))
    sizes = {name: compressed(name) for name in files}
    html = len(gzip.compress(page, 6))
    painted = html + sum(size for name, size in sizes.items() if name.endswith(".css"))
    return painted, html + sum(sizes.values())


@pytest.mark.django_db
def test_the_first_visit_is_light(client: Client) -> None:
    page = client.get("/").content

    painted, everything = page_and_its_files(page)

    assert painted <= 14_600  # the first ten packets
    assert everything <= 21_000


@pytest.mark.django_db
def test_a_question_opened_first_is_as_light(client: Client) -> None:
    page = client.post("/check/begin", follow=True).content

    painted, everything = page_and_its_files(page)

    assert painted <= 14_600
    assert everything <= 21_000
