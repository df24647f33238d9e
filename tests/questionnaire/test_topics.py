"""More than one topic: each begun at its own address, under its own name."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from triage.content.copying import copy_topic
from triage.content.models import Release
from triage.content.releases import publish, recall
from triage.questionnaire.models import Assessment

from .conftest import Person

TITLE = "A sore knee"
FIRST = "Back lump check"


@pytest.fixture
def knee(release: Release) -> Release:
    """A second topic, made from the first and published."""
    author, approver = (User.objects.get(username=f"demo-{who}") for who in ("author", "approver"))
    knee = copy_topic(release.topic, key="knee", name=TITLE, who=author, why="Another complaint.")
    knee.covers = "For a knee that hurts."
    knee.save()
    knee.conditions.filter(key="lipoma").update(key="fatty_knee")
    knee.advice.filter(key="lipoma").update(key="fatty_knee")
    return publish(topic=knee, author=author, approver=approver, why="First.", demonstration=True)


def page(path: str) -> str:
    response = Client().get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_front_door_names_the_other_topics(knee: Release) -> None:
    door = page("/")

    assert FIRST in door
    assert f'<a href="/checks/knee">{TITLE}</a>' in door
    other = page("/checks/knee")
    assert f"<h1>{TITLE}</h1>" in other
    assert "For a knee that hurts." in other
    assert FIRST not in other
    assert '<a href="/">' in other


def test_alone_a_topic_names_no_other(release: Release) -> None:
    assert "Other checks" not in page("/")


def test_an_assessment_is_of_the_topic_it_was_begun_on(knee: Release) -> None:
    person = Person()
    person.go("/checks/knee")
    response = person.browser.post("/check/begin", {"topic": "knee"})
    person.go(response.headers["Location"])

    assert f" - {TITLE}</title>" in person.page
    person.answer_all()
    person.post({}, "/check/finish")

    assert Assessment.objects.get().release_id == knee.pk
    assert f" - {TITLE}</title>" in person.page
    assert FIRST not in person.page


def test_a_topic_without_a_release_is_not_begun(knee: Release, approver: User) -> None:
    recall(release=knee, by=approver, why="A test.")

    assert Client().get("/checks/knee").status_code == 404
    assert Client().post("/check/begin", {"topic": "knee"}).status_code == 503
    assert TITLE not in page("/")
    assert not Assessment.objects.exists()


def test_the_first_topic_with_a_release_is_at_the_front_door(
    knee: Release, release: Release, approver: User
) -> None:
    recall(release=release, by=approver, why="A test.")

    assert f"<h1>{TITLE}</h1>" in page("/")
    person = Person()
    person.begin()
    assert Assessment.objects.get().release_id == knee.pk


def test_nobody_begins_what_there_is_not(release: Release) -> None:
    assert Client().get("/checks/elbow").status_code == 404
    assert Client().post("/check/begin", {"topic": "elbow"}).status_code == 503


def test_a_condition_of_another_topic_has_its_page(knee: Release, release: Release) -> None:
    assert 'href="/">Start the check' in page("/conditions/lipoma")
    assert 'href="/checks/knee">Start the check' in page("/conditions/fatty_knee")


@pytest.fixture
def approver(release: Release) -> User:
    return User.objects.get(username="demo-approver")
