"""From the start page to the outcome and away again."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from tests.releases import frozen
from triage.content.models import Release
from triage.engine import FeatureKey, Urgency
from triage.questionnaire.models import Assessment, Token, hash_of

from .conftest import Person


def test_the_start_page_leads_to_the_first_question(person: Person) -> None:
    person.go("/")
    person.begin()

    assert person.path == "/check/1"
    assert person.feature == "right_now"


def test_only_the_hash_of_the_token_is_kept(underway: Person) -> None:
    token = underway.browser.cookies[settings.ASSESSMENT_COOKIE_NAME].value

    assert len(token) >= 43  # 256 bits in base64
    assert underway.assessment.token_hash == hash_of(Token(token))
    assert token not in str(underway.assessment.__dict__)


def test_the_cookie_is_hidden_from_scripts_and_ends_with_the_browser(underway: Person) -> None:
    cookie = underway.browser.cookies[settings.ASSESSMENT_COOKIE_NAME]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["max-age"] == cookie["expires"] == ""


def test_over_https_the_cookie_is_bound_to_this_host_alone(person: Person) -> None:
    with override_settings(
        ASSESSMENT_COOKIE_NAME="__Host-assessment", ASSESSMENT_COOKIE_SECURE=True
    ):
        begun = person.browser.post("/check/begin", secure=True)
        deleted = person.browser.post("/check/delete", secure=True)

    for response in (begun, deleted):
        cookie = response.cookies["__Host-assessment"]
        assert cookie["secure"]
        assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert deleted.cookies["__Host-assessment"].value == ""
    assert Assessment.objects.count() == 0


def test_a_post_without_htmx_redirects_to_the_next_question(underway: Person) -> None:
    response = underway.answer("none")

    assert response.status_code == 303
    assert response.headers["Location"] == "/check/2"
    assert underway.feature == "bladder_saddle"


def test_a_post_with_htmx_brings_the_next_question_in_one_round_trip(underway: Person) -> None:
    underway.htmx = True

    response = underway.answer("none")

    assert response.status_code == 200
    assert response.headers["HX-Push-Url"] == "/check/2"
    assert "HX-Request" in response.headers["Vary"]
    assert "<title>" in underway.page
    assert "<html" not in underway.page
    assert underway.feature == "bladder_saddle"


@pytest.mark.parametrize("htmx", [False, True])
def test_the_whole_way_leads_over_the_answers_to_the_outcome(underway: Person, htmx: bool) -> None:
    underway.htmx = htmx

    underway.answer_all(age="44")
    answers = underway.path
    underway.post({}, "/check/finish")

    assert answers == "/check/answers"
    assert underway.path == "/check/outcome"
    assert underway.assessment.finished_at is not None


def test_an_emergency_is_told_on_the_very_response_to_the_answer(underway: Person) -> None:
    underway.htmx = True

    response = underway.answer(["confused"])

    assert response.headers["HX-Push-Url"] == "/check/outcome"
    assert "Get help now" in underway.page
    assert 'href="/check/1"' in underway.page  # the way back, if it was a slip
    assert underway.assessment.urgency == Urgency.EMERGENCY_NOW
    assert "rf_sepsis" in underway.assessment.flags


def test_without_htmx_an_emergency_is_one_redirect_away(underway: Person) -> None:
    underway.answer(["confused"])

    assert underway.path == "/check/outcome"
    assert "Get help now" in underway.page


def test_back_shows_the_earlier_question_as_it_was_answered(underway: Person) -> None:
    underway.answer("none")
    underway.answer("none")

    underway.go("/check/1")

    assert underway.feature == "right_now"
    assert 'value="none" data-exclusive checked' in underway.page


def test_a_finished_outcome_can_be_loaded_again(underway: Person) -> None:
    underway.answer_all()
    underway.post({}, "/check/finish")

    first = underway.go("/check/outcome")

    assert first.status_code == 200
    assert underway.go("/check/resume").status_code == 200
    assert underway.path == "/check/outcome"


def test_the_outcome_waits_until_the_answers_were_looked_through(underway: Person) -> None:
    underway.answer_all()

    underway.go("/check/outcome")

    assert underway.path == "/check/answers"


def test_answers_and_outcome_wait_until_the_questions_are_over(underway: Person) -> None:
    for path in ("/check/answers", "/check/outcome"):
        underway.go(path)
        assert underway.path == "/check/1"
    response = underway.post({}, "/check/finish")
    assert response.status_code == 303
    assert underway.path == "/check/1"


def test_a_change_from_the_list_of_answers_leads_back_to_it(underway: Person) -> None:
    underway.answer_all(fever="no")
    before = underway.assessment.replies

    underway.go("/check/6")
    assert underway.feature == "age"
    underway.answer("45")

    assert underway.path == "/check/answers"
    assert underway.assessment.replies == [
        [key, 45 if key == "age" else reply] for key, reply in before
    ]


def test_a_change_that_opens_a_question_asks_it_next(underway: Person) -> None:
    underway.answer_all(age="12")
    asked = len(underway.assessment.replies)

    underway.go("/check/6")
    underway.answer("44")

    assert underway.path == f"/check/{asked + 1}"
    assert underway.assessment.finished_at is None


def test_a_change_to_an_emergency_is_told_before_anything_else(underway: Person) -> None:
    underway.answer_all()

    underway.go("/check/1")
    underway.answer(["cant_breathe"])

    assert underway.path == "/check/outcome"
    assert "Get help now" in underway.page


def test_a_reply_whose_gate_closes_sleeps_and_wakes_unchanged(underway: Person) -> None:
    underway.answer_all(lump_count="one", lump_size="over_5cm")
    features = underway.assessment.features
    count, size = (
        features.index(FeatureKey("lump_count")) + 1,
        features.index(FeatureKey("lump_size")) + 1,
    )

    underway.go(f"/check/{count}")
    underway.answer("no_clear_lump", confirm="1")
    while underway.feature:
        underway.answer(underway.calm())
    asleep = underway.page
    underway.go(f"/check/{size}")
    while_asleep = underway.path
    underway.go(f"/check/{count}")
    underway.answer("one")

    assert "Size of the lump" not in asleep
    assert while_asleep == "/check/answers"
    assert underway.assessment.replies[size - 1] == ["lump_size", ["over_5cm"]]
    underway.go(f"/check/{size}")
    assert underway.feature == "lump_size"


def test_a_browser_without_the_cookie_gets_one_page_that_says_so(release: Release) -> None:
    for path in ("/check/1", "/check/answers", "/check/outcome", "/check/resume"):
        response = Client().get(path)
        assert response.status_code == 404
        assert "did not send the cookie" in response.content.decode()


@pytest.mark.parametrize("token", ["x", "ü" * 5000, "A" * 43, "../../etc", "\x7f"])
def test_a_cookie_that_is_not_ours_opens_nothing(release: Release, token: str) -> None:
    browser = Client(HTTP_COOKIE=f"{settings.ASSESSMENT_COOKIE_NAME}={token}")

    response = browser.get("/check/1")

    assert response.status_code in (404, 410)


def test_answers_expire_24_hours_after_the_last_one(underway: Person) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=23), tick=False):
        underway.answer("none")
        assert underway.path == "/check/2"
    with time_machine.travel(timezone.now() + timedelta(hours=46, minutes=59), tick=False):
        assert underway.go("/check/resume").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=47, minutes=1), tick=False):
        response = underway.go("/check/resume")
        assert response.status_code == 410
        assert "no longer here" in underway.page
        assert underway.post({}, "/check/1").status_code == 410


def test_a_recalled_release_stops_whoever_is_in_it(underway: Person, release: Release) -> None:
    underway.answer("none")
    Release.objects.filter(pk=release.pk).update(
        recalled_at=timezone.now(), recalled_by=release.author, recalled_why="A test."
    )

    for response in (
        underway.go("/check/2"),
        underway.answer("none"),
        underway.go("/check/resume"),
    ):
        assert response.status_code == 410
        assert "withdrawn" in response.content.decode()
    assert len(underway.assessment.replies) == 1


def test_a_recall_does_not_calm_a_raised_emergency(underway: Person, release: Release) -> None:
    underway.answer(["confused"])
    Release.objects.filter(pk=release.pk).update(
        recalled_at=timezone.now(), recalled_by=release.author, recalled_why="A test."
    )

    underway.go("/check/outcome")

    assert "One of your answers was a warning sign. If it was right, call 999 now." in underway.page


def test_delete_removes_row_and_cookie_from_any_page(underway: Person) -> None:
    underway.answer("none")

    underway.go("/check/delete")
    assert Assessment.objects.count() == 1
    response = underway.post({}, "/check/delete")

    assert response.status_code == 303
    assert underway.path == "/check/deleted"
    assert Assessment.objects.count() == 0
    assert underway.browser.cookies[settings.ASSESSMENT_COOKIE_NAME].value == ""


def test_every_page_of_an_assessment_offers_to_delete_it(underway: Person) -> None:
    pages = [underway.page]
    underway.answer_all()
    pages.append(underway.page)
    underway.post({}, "/check/finish")
    pages.append(underway.page)
    pages += [
        Person(browser=underway.browser).go(path).content.decode() for path in ("/", "/privacy")
    ]

    assert all('href="/check/delete"' in page for page in pages)


def test_starting_again_asks_first_and_keeps_what_was_answered(underway: Person) -> None:
    underway.answer("none")

    response = underway.begin()

    assert response.status_code == 200
    assert 'href="/check/2"' in underway.page
    assert Assessment.objects.count() == 1


def test_starting_again_on_purpose_drops_the_old_answers_and_the_old_token(
    underway: Person,
) -> None:
    underway.answer("none")
    old = underway.browser.cookies[settings.ASSESSMENT_COOKIE_NAME].value

    underway.post({"again": "1"}, "/check/begin")

    assert underway.path == "/check/1"
    assert Assessment.objects.get().replies == []
    assert underway.browser.cookies[settings.ASSESSMENT_COOKIE_NAME].value != old


@pytest.mark.parametrize("number", [0, 3, 99, 10**30])
def test_a_number_that_was_never_asked_is_not_found(underway: Person, number: int) -> None:
    underway.answer("none")

    assert underway.go(f"/check/{number}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/check/begin"),
        ("get", "/check/finish"),
        ("put", "/check/1"),
        ("delete", "/check/1"),
        ("post", "/check/answers"),
        ("post", "/check/outcome"),
        ("post", "/"),
        ("post", "/privacy"),
        ("trace", "/check/1"),
    ],
)
def test_a_wrong_method_is_refused_and_changes_nothing(
    underway: Person, method: str, path: str
) -> None:
    before = Assessment.objects.values().get()

    response = underway.browser.generic(method.upper(), path)

    assert response.status_code == 405
    assert "999" in response.content.decode()
    assert response.headers["Allow"]
    assert Assessment.objects.values().get() == before


def test_looking_changes_nothing(underway: Person) -> None:
    underway.answer_all()
    underway.post({}, "/check/finish")
    before = Assessment.objects.values().get()

    for path in (
        "/",
        "/check/1",
        "/check/answers",
        "/check/outcome",
        "/check/resume",
        "/check/delete",
    ):
        underway.go(path)
        underway.browser.head(path)

    assert Assessment.objects.values().get() == before


def test_no_page_with_answers_may_be_stored(underway: Person) -> None:
    responses = [underway.go("/check/1"), underway.answer("none")]
    underway.answer_all()
    responses += [underway.go("/check/answers"), underway.post({}, "/check/finish")]
    responses.append(underway.go("/check/outcome"))

    assert all("no-store" in response.headers["Cache-Control"] for response in responses)


def test_each_assessment_finishes_on_its_own_release(underway: Person, release: Release) -> None:
    old, new = "Bladder, bowel and feeling between the legs", "Something new"
    underway.answer("none")
    document = release.document.replace(old, new)
    frozen(release, document)

    underway.answer_all()
    newcomer = Person()
    newcomer.begin()
    newcomer.answer_all()

    assert old in underway.page
    assert new not in underway.page
    assert new in newcomer.page
