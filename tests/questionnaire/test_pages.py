"""What holds for every address there is, new ones included."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import URLPattern, get_resolver, reverse

from triage.content.models import Release
from triage.questionnaire import urls
from triage.questionnaire.models import Assessment

from .conftest import Person

NO_PAGE = {"healthz", "readyz", "robots", "sitemap"}
ARGUMENTS: dict[str, list[int | str]] = {
    "question": [1],
    "condition": ["lipoma"],
    "start_of": ["back-lump"],
}


def addresses() -> Iterator[str]:
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        name = str(pattern.name)
        if name not in NO_PAGE:
            yield reverse(f"questionnaire:{name}", args=ARGUMENTS.get(name, []))


@pytest.mark.parametrize("path", list(addresses()))
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_response_names_the_emergency_number_and_may_not_be_kept(
    underway: Person, path: str, method: str
) -> None:
    response = getattr(underway.browser, method)(path)

    if response.status_code not in (302, 303):
        assert b"999" in response.content
        assert b"approved for clinical use" in response.content or path == "/emergency"
    assert "no-store" in response.headers["Cache-Control"]
    assert {"HX-Request", "Cookie"} <= set(response.headers["Vary"].split(", "))


@pytest.mark.parametrize("path", list(addresses()))
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_address_gives_a_stranger_what_somebody_else_answered(
    underway: Person, path: str, method: str
) -> None:
    underway.answer(["blue_blotchy"])
    before = Assessment.objects.values().get(pk=underway.assessment.pk)
    strangers = [Client(), Client(HTTP_COOKIE=f"{settings.ASSESSMENT_COOKIE_NAME}=guess")]
    newcomer = Person()
    newcomer.begin()

    for browser in (*strangers, newcomer.browser):
        response = getattr(browser, method)(path)
        assert b'value="blue_blotchy" checked' not in response.content
        assert b"blood poisoning" not in response.content
    assert Assessment.objects.values().get(pk=before["id"]) == before


def test_every_page_is_marked_a_demonstration(underway: Person, release: Release) -> None:
    assert release.demonstration
    for path in ("/", "/privacy", "/check/1", "/check/delete", "/check/deleted", "/about"):
        underway.go(path)
        assert "Demonstration" in underway.page, path


def test_content_is_approved_only_with_an_officer_and_a_real_release(
    underway: Person,
) -> None:
    with override_settings(CLINICAL_SAFETY_OFFICER="Dr Somebody"):
        underway.go("/check/1")  # on a release that is a demonstration

    assert "approved for clinical use" in underway.page


def test_the_handlers_of_errors_are_ours() -> None:
    resolver = get_resolver()

    for status in (400, 403, 404, 500):
        assert resolver.resolve_error_handler(status).__module__ == "triage.questionnaire.errors"


@pytest.mark.parametrize(
    ("voice", "asked"),
    [
        ("text", "Do you have any of these right now?"),
        ("mirror", "Do you have any of these right now?"),
        ("helper", "Do they have any of these right now?"),
        ("other", "Does the person have any of these right now?"),
    ],
)
def test_the_questions_speak_to_whoever_was_chosen_at_the_start(
    person: Person, voice: str, asked: str
) -> None:
    person.go("/")
    assert f'name="voice" value="{voice}"' in person.page

    person.post({"voice": voice}, "/check/begin")

    assert asked in person.page
    assert person.assessment.voice == voice


@pytest.mark.parametrize("voice", ["junk", "TEXT", ""])
def test_without_a_known_voice_the_person_is_asked(person: Person, voice: str) -> None:
    person.post({"voice": voice}, "/check/begin")

    assert "Do you have any of these right now?" in person.page
    assert person.assessment.voice == Assessment.Voice.TEXT


def test_the_start_offers_every_voice_and_has_one_chosen(person: Person) -> None:
    person.go("/")

    offered = re.findall(r'name="voice" value="(\w+)"( checked)?', person.page)
    assert offered == [("text", " checked"), ("mirror", ""), ("helper", ""), ("other", "")]
    assert {voice for voice, _ in offered} == set(Assessment.Voice.values)
