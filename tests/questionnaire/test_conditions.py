"""The public pages of conditions: what they say, to whom, and what search engines are told."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.releases import frozen
from triage.content.documents import canonical
from triage.content.fixtures import document_of
from triage.content.knowledge import content_of
from triage.content.models import Release
from triage.content.releases import recall

from .conftest import Person

FOLDER = settings.BASE_DIR / "fixtures" / "back-lump"
CONDITIONS = {row["key"]: row for row in document_of(FOLDER)["conditions"]}
RANKED = sorted(key for key, row in CONDITIONS.items() if row["kind"] == "ranked")


def text_of(page: str) -> str:
    """Return what can be read on a page."""
    plain = re.sub(r"<[^>]+>", " ", page.partition("<body>")[2])
    for entity, letter in (("&#x27;", "'"), ("&amp;", "&"), ("&quot;", '"')):
        plain = plain.replace(entity, letter)
    return " ".join(plain.split())


def page_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, down to the next of its rank."""
    return text_of("<body>" + page.partition(f"<h2>{heading}</h2>")[2].partition("<h2>")[0])


@pytest.fixture
def without_pages(release: Release) -> Release:
    """A live release like those made before there were pages of conditions."""
    document = json.loads(Release.objects.get(pk=release.pk).document)
    del document["topic"]["source_document"]
    for row in document["conditions"]:
        del row["how_found"], row["how_treated"]
    return publish(release, document)


def publish(last: Release, document: dict[str, Any]) -> Release:
    return frozen(last, canonical(document).decode())


@pytest.mark.parametrize("key", RANKED)
def test_each_ranked_condition_has_a_page_that_says_it_all(
    release: Release, client: Client, key: str
) -> None:
    row = CONDITIONS[key]
    page = page_of(client, f"/conditions/{key}")

    assert f"<title>{row['plain_name']} - Back lump check</title>" in page
    assert row["plain_summary"] in text_of(page)
    assert section(page, "How it shows").count(":") > 2
    assert section(page, "How it is found out") == row["how_found"]
    assert section(page, "How it is treated").startswith(row["how_treated"])
    assert section(page, "Sources")
    assert "999" in page
    assert "Demonstration" in page
    assert "approved for clinical use" in page
    assert page.count("/conditions/") > 5, "its own address, the list, and what is like it"


@pytest.mark.parametrize("key", CONDITIONS)
@pytest.mark.parametrize("name", ["how_found", "how_treated"])
def test_what_is_done_is_said_shortly_and_never_with_a_dose(key: str, name: str) -> None:
    text = CONDITIONS[key][name]

    assert 1 <= len(re.findall(r"[.!?](?= |$)", text)) <= 4, text
    assert not re.search(r"\d ?(mg|g|ml|mcg|tablets?|times|drops)\b|\d{3}", text), text
    assert CONDITIONS[key]["needs_clinical_sign_off"]


def test_how_it_shows_is_told_as_on_the_outcome(release: Release, client: Client) -> None:
    shows = section(page_of(client, "/conditions/vertebral_osteomyelitis"), "How it shows")

    assert "Ill all over (Fever: Yes; General health: " in shows
    assert "Fever: No" not in shows


def test_what_else_it_could_be_leads_to_the_pages_of_those(
    release: Release, client: Client
) -> None:
    page = page_of(client, "/conditions/lipoma")

    assert "Skin cyst" in section(page, "What else it could be")
    assert 'href="/conditions/epidermoid_cyst"' in page


def test_when_to_get_help_is_the_advice_for_it(release: Release, client: Client) -> None:
    advice = content_of(release.pk).wording("en").advice("condition", "shingles")

    help_ = section(page_of(client, "/conditions/shingles"), "When to get help")

    assert "Urgent: today" in help_
    for sentence in (advice.heading, advice.what_to_do, advice.safety_net, advice.do_not):
        assert sentence in help_


def test_the_source_document_is_quoted_where_it_names_the_condition(
    release: Release, client: Client
) -> None:
    quoted = section(page_of(client, "/conditions/lipoma"), "What the source document says")

    assert "says of it" in quoted
    assert "Another possible cause is a lipoma, which is a soft, fatty tumor" in quoted
    assert "”, paragraph 3" in quoted


def test_what_the_source_document_does_not_name_is_said_to_be_added(
    release: Release, client: Client
) -> None:
    added = section(page_of(client, "/conditions/myeloma"), "What the source document says")
    nearest = section(
        page_of(client, "/conditions/boil_deep_spot"), "What the source document says"
    )

    assert added == "The document that this check started from does not name this."
    assert "does not name this. What comes nearest to it:" in nearest
    assert "”, paragraph 2" in nearest


def test_a_release_made_before_leaves_out_what_it_does_not_carry(
    without_pages: Release, client: Client
) -> None:
    page = page_of(client, "/conditions/lipoma")

    assert f"Content release {without_pages.number} " in page
    assert "How it is found out" not in page
    assert "How it is treated" not in page
    assert "<blockquote>" not in page
    assert "When to get help" in page
    assert "What the source document says" not in page


def test_the_index_leads_to_every_condition(release: Release, client: Client) -> None:
    page = page_of(client, "/conditions/")

    assert sorted(re.findall(r'<h2><a href="/conditions/(\w+)"', page)) == RANKED


@pytest.mark.parametrize("path", ["/", "/about"])
def test_the_index_is_found_from_the_start(release: Release, client: Client, path: str) -> None:
    assert 'href="/conditions/"' in page_of(client, path)


@pytest.mark.parametrize("key", ["nowhere", "cord_cauda_compression", "Lipoma"])
def test_what_is_no_ranked_condition_has_no_page(
    release: Release, client: Client, key: str
) -> None:
    assert client.get(f"/conditions/{key}").status_code == 404


def test_the_outcome_leads_to_the_pages_of_its_causes(person: Person) -> None:
    person.begin()
    person.answer_all()
    person.post({}, "/check/finish")

    links = re.findall(r'<h3><a href="/conditions/(\w+)">', person.page)

    assert links
    assert set(links) <= set(RANKED)


def addresses() -> Iterator[str]:
    yield reverse("questionnaire:conditions")
    yield from (reverse("questionnaire:condition", args=[key]) for key in RANKED)


def test_the_map_for_search_engines_has_every_public_page(release: Release, client: Client) -> None:
    response = client.get("/sitemap.xml")

    assert response.headers["Content-Type"] == "application/xml"
    found = re.findall(r"<loc>https?://testserver([^<]*)</loc>", response.content.decode())
    english = ["/", *addresses()]
    assert sorted(found) == sorted([*english, *(f"/es{path}" for path in english)])


def test_search_engines_are_kept_from_assessments_and_staff(client: Client) -> None:
    robots = client.get("/robots.txt")

    lines = robots.content.decode().splitlines()
    assert robots.headers["Content-Type"].startswith("text/plain")
    assert lines[:-1] == [
        "User-agent: *",
        "Disallow: /check",
        "Disallow: /es/check",
        "Disallow: /staff",
    ]
    assert re.fullmatch(r"Sitemap: https?://testserver/sitemap\.xml", lines[-1])


def test_a_public_page_says_where_it_stands_in_other_languages(
    release: Release, client: Client
) -> None:
    assert (
        '<link rel="alternate" hreflang="es" href="http://testserver/es/conditions/lipoma">'
        in page_of(client, "/conditions/lipoma")
    )
    assert (
        '<link rel="alternate" hreflang="en-gb" href="http://testserver/conditions/lipoma">'
        in page_of(client, "/es/conditions/lipoma")
    )


def test_each_page_has_a_title_and_a_description_of_its_own_and_one_address(
    release: Release, client: Client
) -> None:
    told: dict[str, set[str]] = {"title": set(), "description": set(), "canonical": set()}
    for path in addresses():
        page = page_of(client, f"{path}?from=elsewhere")
        told["title"] |= set(re.findall("<title>(.*?)</title>", page))
        told["description"] |= set(re.findall('name="description" content="(.+?)"', page))
        (address,) = re.findall(r'rel="canonical" href="https?://testserver(.+?)"', page)
        assert address == path
        told["canonical"].add(address)

    assert {len(each) for each in told.values()} == {len(RANKED) + 1}


def test_the_start_says_what_it_is_to_search_engines(release: Release, client: Client) -> None:
    assert re.search('<meta name="description" content="[^"]{80,160}">', page_of(client, "/"))


@pytest.mark.parametrize("path", ["/conditions/", "/conditions/lipoma", "/sitemap.xml"])
def test_a_page_takes_two_queries(release: Release, client: Client, path: str) -> None:
    client.get(path)

    with CaptureQueriesContext(connection) as queries:
        client.get(path)

    assert len(queries) == 2


def test_a_page_may_be_kept_and_is_asked_for_again_only_if_it_changed(
    release: Release, client: Client
) -> None:
    first = client.get("/conditions/lipoma")
    again = client.get("/conditions/lipoma", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "public, no-cache"
    assert again.status_code == 304
    assert not again.content


def test_a_recall_changes_the_page_at_once(
    release: Release, without_pages: Release, client: Client
) -> None:
    before = client.get("/conditions/lipoma")
    recall(release=without_pages, by=User.objects.get(username="demo-approver"), why="wrong")

    after = client.get("/conditions/lipoma", headers={"If-None-Match": before.headers["ETag"]})

    assert after.status_code == 200
    assert "How it is treated" in after.content.decode()


def test_nothing_is_kept_for_somebody_who_has_answers(underway: Person) -> None:
    response = underway.browser.get("/conditions/lipoma")

    assert "no-store" in response.headers["Cache-Control"]
    assert "ETag" not in response.headers


@pytest.mark.parametrize("path", ["/conditions/", "/conditions/lipoma", "/sitemap.xml"])
def test_with_nothing_published_the_page_says_whom_to_call(
    release: Release, client: Client, path: str
) -> None:
    recall(release=release, by=User.objects.get(username="demo-approver"), why="wrong")

    response = client.get(path)

    assert response.status_code == 503
    assert b"In an emergency" in response.content
    assert "no-store" in response.headers["Cache-Control"]
