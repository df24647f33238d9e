"""Staff try a draft out on the patients' own pages, and nobody else is touched by it."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import get_script_prefix
from django.utils import timezone

from tests.staff.people import sign_in
from triage.content.models import Feature, Release, SavedCase, Snapshot, Topic
from triage.content.snapshots import snapshot_of
from triage.engine import Knowledge
from triage.evaluation.cases import as_answers, read_case
from triage.evaluation.simulation import simulated
from triage.questionnaire import conditions, pages, services
from triage.questionnaire.models import Assessment

from .conftest import Person

BEGIN = "/staff/topics/back-lump/try"
END = "/staff/trial"
NEW = "Do you have a raised temperature, of 38 degrees or more?"


@pytest.fixture
def author(db: None) -> User:
    return User.objects.get(username="demo-author")


@pytest.fixture
def staff(author: User) -> Person:
    """An author at a browser who has just changed how the fever is asked."""
    Feature.objects.filter(key="fever").update(text=NEW)
    return Person(browser=sign_in(Client(), author))


@pytest.fixture(autouse=True)
def at_the_root() -> Iterator[None]:
    yield
    assert get_script_prefix() == "/"


def begin(staff: Person) -> HttpResponse:
    response: Any = staff.browser.post(BEGIN, {"what": "drafts", "way": "text"})
    staff.go(response.headers["Location"])
    return response  # type: ignore[no-any-return] # the test client adds to HttpResponse


def test_a_draft_runs_on_the_patients_pages_and_says_so(staff: Person) -> None:
    begin(staff)
    texts = [staff.page]
    while staff.path.startswith("/try/check/") and staff.feature:
        staff.answer(staff.calm())
        texts.append(staff.page)

    assert staff.path == "/try/check/answers"
    assert any(NEW in text for text in texts)
    assert all("Draft." in text and 'href="/staff/trial"' in text for text in texts)


def test_no_page_of_a_trial_leads_to_a_patients_page(staff: Person) -> None:
    begin(staff)
    pages = [staff.page]
    staff.answer_all()
    pages.append(staff.page)
    staff.post({}, "/try/check/finish")
    pages.append(staff.page)
    assert staff.path == "/try/check/outcome"

    links = re.findall(r'(?:href|action|hx-post|hx-get)="(/[^"]*)"', "".join(pages))
    assert links
    assert {
        link for link in links if not link.startswith(("/try/", "/static/", "/staff/"))
    } == set()


def test_a_look_at_a_trial_turns_no_patients_page_into_one(staff: Person) -> None:
    pages._ways.cache_clear()  # as in a process that has drawn nothing yet
    conditions._entries.cache_clear()
    conditions._page.cache_clear()
    begin(staff)
    for path in ("/try/conditions/", "/try/conditions/lipoma"):
        assert 'href="/try/conditions/' in staff.browser.get(path).content.decode()
    while staff.feature:
        staff.answer(staff.calm())

    patient = Person()
    patient.begin()
    shown = [patient.page]
    while patient.feature:
        patient.answer(patient.calm())
        shown.append(patient.page)
    for path in ("/conditions/", "/conditions/lipoma"):
        patient.go(path)
        shown.append(patient.page)

    assert [page for page in shown if "/try/" in page] == []


def test_a_trial_leaves_the_live_assessment_of_the_same_browser_alone(staff: Person) -> None:
    patient = Person(browser=staff.browser)
    patient.begin()
    patient.answer(patient.calm())
    live = Assessment.objects.get(channel="home")

    begin(staff)
    staff.answer(staff.calm())
    staff.browser.post(END, {"delete": "1"})

    assert not Assessment.objects.filter(channel="trial").exists()
    after = Assessment.objects.get(channel="home")
    assert (after.pk, after.revision, after.replies) == (live.pk, live.revision, live.replies)
    assert patient.go("/check/2").status_code == 200


def test_patients_see_nothing_of_a_draft(staff: Person) -> None:
    begin(staff)

    patient = Person()
    patient.begin()
    patient.answer_all()

    assert patient.path == "/check/answers"
    assert "Draft." not in patient.page
    assert Assessment.objects.get(channel="home").snapshot_id is None


def test_whoever_is_no_staff_cannot_begin_a_trial(db: None) -> None:
    assert Client().get(BEGIN).status_code == 302
    assert Client().post(BEGIN, {"what": "drafts", "way": "text"}).status_code == 302
    assert not Assessment.objects.exists()
    assert Client().get("/try/check/1").status_code == 404
    assert Client().post("/try/check/begin").headers["Location"] == "/staff/trial"


def test_a_trial_goes_on_with_what_it_began_with(staff: Person) -> None:
    begin(staff)
    Feature.objects.filter(key="fever").update(text="Something else again?")

    pages = []
    while staff.feature:
        pages.append(staff.page)
        staff.answer(staff.calm())

    assert any(NEW in page for page in pages)
    assert Snapshot.objects.count() >= 1


def test_a_draft_that_cannot_be_reasoned_with_says_why(staff: Person) -> None:
    Topic.objects.get().conditions.filter(key="lipoma").update(prior_percent=99)

    page = staff.browser.post(BEGIN, {"what": "drafts", "way": "text"})

    assert page.status_code == 200
    assert "cannot be tried out yet" in page.content.decode()
    assert not Assessment.objects.exists()


def test_a_trial_is_kept_as_a_case(staff: Person, author: User) -> None:
    begin(staff)
    staff.answer_all()
    said = Assessment.objects.get(channel="trial").evidence

    form = {"key": "well", "story": "Nothing wrong.", "at_least": "self_care", "causes": ["lipoma"]}
    refused = staff.browser.post(END, form | {"at_most": "nothing"})
    assert "Select a valid choice" in refused.content.decode()
    assert staff.browser.post(END, form).headers["Location"] == BEGIN

    case = SavedCase.objects.get()
    assert (case.key, case.saved_by) == ("well", author)
    assert case.expected == {"conditions": ["lipoma"], "urgency_at_least": "self_care"}
    assert set(case.answers) == {key for key, _ in said}
    assert not Assessment.objects.exists()


def test_two_cases_never_have_one_name(staff: Person) -> None:
    form = {"key": "well", "story": "Nothing wrong."}
    for _ in range(2):
        begin(staff)
        staff.answer(staff.calm())
        page = staff.browser.post(END, form)

    assert "There is a case “well” already" in page.content.decode()
    assert Assessment.objects.filter(channel="trial").count() == 1


def test_a_trial_ends_like_any_visit(staff: Person) -> None:
    begin(staff)
    staff.answer(staff.calm())

    staff.post({}, "/try/check/delete")

    assert not Assessment.objects.exists()
    assert staff.path == "/try/check/deleted"


def test_an_assessment_is_of_a_release_or_a_draft(staff: Person) -> None:
    begin(staff)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.update(snapshot=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.update(channel="home")


def test_answers_that_are_kept_read_back_the_same(shipped: Knowledge, sweep: int) -> None:
    people = simulated(shipped, np.random.default_rng(5), sweep // 10, declines=0.2)

    for person in people:
        answers = as_answers(person.evidence, shipped)
        line = json.dumps({"id": "x", "answers": answers, "expected": {}})
        assert dict(read_case(line, shipped).evidence) == dict(person.evidence)


def test_begin_needs_what_it_offers(staff: Person) -> None:
    page = staff.browser.post(BEGIN, {"what": "99", "way": "text"})

    assert "Select a valid choice" in page.content.decode()
    assert not Assessment.objects.exists()


def test_drafts_that_were_only_looked_at_are_forgotten(staff: Person) -> None:
    begin(staff)
    (trial,) = Assessment.objects.all()
    used = trial.snapshot_id
    Feature.objects.filter(key="fever").update(text="Something else again?")
    looked_at = snapshot_of(Topic.objects.get()).pk
    submitted = Release.objects.get().proposal.snapshot_id  # type: ignore[union-attr] # it has one

    services.purge(now=timezone.now())
    assert Snapshot.objects.filter(pk=looked_at).exists()
    later = timezone.now() + services.SNAPSHOTS_LAST + timedelta(hours=1)
    Assessment.objects.update(active_at=later)
    services.purge(now=later)

    assert set(Snapshot.objects.values_list("pk", flat=True)) == {used, submitted}
    Assessment.objects.all().delete()
    services.purge(now=later)
    assert set(Snapshot.objects.values_list("pk", flat=True)) == {submitted}
