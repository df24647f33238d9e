"""Whatever a program sends, it gets JSON that says what is wrong and where, and never a crash."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.content import releases
from triage.content.models import Release
from triage.engine import Decline, Kind, Knowledge
from triage.handover.api import views
from triage.questionnaire.models import Assessment

from .asking import STEP, Program, checked, schema_of

FEVER = {"feature": "fever", "options": ["yes"]}


@pytest.fixture
def program(release: Release) -> Program:
    return Program.with_a_key()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "line 1"),
        (b"{", "line 1"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"\xef\xbb\xbf{}", "line 1"),
        (b'{"topic": "back-lump", "answers": [], "topic": "other"}', "twice"),
        (b'{"answers": [{"feature": "age", "number": NaN}]}', "NaN"),
        (b'{"answers": [{"feature": "age", "number": -Infinity}]}', "-Infinity"),
        (b'{"release": ' + b"9" * 5000 + b"}", "digits"),
    ],
)
def test_what_is_not_json_is_refused_with_the_reason(
    program: Program, body: bytes, why: str
) -> None:
    response = program.post(body)

    assert response.status_code == 400
    told = checked(response)
    assert told["code"] == "not_json"
    assert why in told["detail"]
    assert "999" in told["in_an_emergency"]


@pytest.mark.parametrize("body", [b"[" * 8000, b'{"a":' * 3000, b"[" * 8000 + b"]" * 8000])
def test_deep_nesting_is_refused(program: Program, body: bytes) -> None:
    response = program.post(body)

    assert response.status_code in (400, 422)
    checked(response)


@pytest.mark.parametrize(
    ("answers", "place", "why"),
    [
        (["fever"], "answers/0", "object"),
        ([{"options": ["yes"]}], "answers/0/feature", "has to be there"),
        ([{"feature": 3, "options": ["yes"]}], "answers/0/feature", "no feature"),
        ([FEVER, {"feature": "fevr", "options": ["yes"]}], "answers/1/feature", "“fevr”"),
        ([FEVER, FEVER], "answers/1/feature", "twice"),
        ([{"feature": "fever"}], "answers/0", "this one has 0"),
        ([{**FEVER, "number": 3}], "answers/0", "this one has 2"),
        ([{**FEVER, "note": "x"}], "answers/0/note", "no such member"),
        ([{"feature": "fever", "options": "yes"}], "answers/0/options", "list"),
        ([{"feature": "fever", "options": []}], "answers/0/options", "Nothing is chosen"),
        ([{"feature": "fever", "options": ["yes", "no"]}], "answers/0/options", "one option"),
        ([{"feature": "fever", "options": ["perhaps"]}], "answers/0/options/0", "not_sure"),
        ([{"feature": "fever", "options": [["yes"]]}], "answers/0/options/0", "no such option"),
        (
            [{"feature": "leg_nerves", "options": ["weak_legs", "weak_legs"]}],
            "answers/0/options/1",
            "already",
        ),
        (
            [{"feature": "leg_nerves", "options": ["none", "weak_legs"]}],
            "answers/0/options",
            "holds alone",
        ),
        ([{"feature": "fever", "number": 38}], "answers/0/number", "does not take a number"),
        ([{"feature": "age", "options": ["44"]}], "answers/0/options", "takes a number"),
        ([{"feature": "age", "number": "44"}], "answers/0/number", "whole number"),
        ([{"feature": "age", "number": 44.5}], "answers/0/number", "whole number"),
        ([{"feature": "age", "number": True}], "answers/0/number", "whole number"),
        ([{"feature": "age", "number": 121}], "answers/0/number", "the most"),
        ([{"feature": "age", "number": -1}], "answers/0/number", "the least"),
        ([{"feature": "age", "declined": "dont_know"}], "answers/0/declined", "declined"),
        ([{"feature": "fever", "declined": "maybe"}], "answers/0/declined", "one of"),
        ([{"feature": "fever", "declined": "cant_see"}], "answers/0/declined", "declined"),
    ],
)
def test_an_unfit_answer_is_refused_with_its_place(
    program: Program, answers: list[Any], place: str, why: str
) -> None:
    faults = program.refused(answers=answers)

    assert list(faults) == [place]
    assert why in faults[place]


def test_every_fault_is_told_at_once(program: Program) -> None:
    faults = program.refused(
        answers=[{"feature": "nose", "number": 1}, FEVER, {"feature": "age", "number": 400}],
        language="tlh",
    )

    assert list(faults) == ["answers/0/feature", "answers/2/number", "language"]


@pytest.mark.parametrize(
    ("members", "places"),
    [
        ({"topic": "knee"}, ["topic"]),
        ({"topic": "\ud800"}, ["topic"]),
        ({"topic": "\x00"}, ["topic"]),
        ({"topic": None}, ["topic"]),
        ({"answers": {}}, ["answers"]),
        ({"release": 99}, ["release"]),
        ({"release": 0}, ["release"]),
        ({"release": 10**30}, ["release"]),
        ({"release": True}, ["release"]),
        ({"release": "1"}, ["release"]),
        ({"language": 1}, ["language"]),
        ({"language": "fr"}, ["language"]),
        ({"voice": "loud"}, ["voice"]),
        ({"voice": []}, ["voice"]),
        ({"conclude": 1}, ["conclude"]),
        ({"conclud": True, "voice": 1}, ["conclud", "voice"]),
    ],
)
def test_an_unfit_member_is_refused_with_its_name(
    program: Program, members: dict[str, Any], places: list[str]
) -> None:
    assert list(program.refused(**members)) == places


def test_a_body_has_a_topic_and_answers(program: Program) -> None:
    for body, places in (("{}", ["topic", "answers"]), ("[]", [""]), ("null", [""])):
        response = program.post(body)

        assert response.status_code == 422
        assert [fault["place"] for fault in checked(response)["errors"]] == places


def test_an_age_may_be_written_as_any_json_writes_a_whole_number(program: Program) -> None:
    for number in (44, 44.0):
        assert program.ask(answers=[{"feature": "age", "number": number}])["not_read"] == []


def test_a_recalled_release_is_gone_and_an_emergency_on_it_still_stands(
    program: Program, release: Release
) -> None:
    emergency = [{"feature": "leg_nerves", "options": ["weak_legs"]}]
    told = program.ask(release=release.number)
    by = User.objects.create_superuser("safety")
    releases.recall(release=release, by=by, why="A wrong number.")

    calm, urgent = (
        program.ask(status=410, release=release.number, answers=answers)
        for answers in ([], emergency)
    )

    assert told["release"]["number"] == release.number
    assert (calm["code"], calm["emergency"]) == ("recalled", False)
    assert urgent["emergency"] is True
    assert program.ask(status=503)["code"] == "nothing_published"


def test_a_demonstration_is_no_release_of_a_real_service(
    program: Program, release: Release, settings: LazySettings
) -> None:
    settings.DEBUG_HTTP = False

    assert list(program.refused(release=release.number)) == ["release"]
    assert program.ask(status=503)["code"] == "nothing_published"


# What is no JSON of ours is refused in JSON all the same


def test_other_methods_addresses_and_types_are_refused_in_json(program: Program) -> None:
    for method in ("get", "head", "put", "patch", "delete", "options", "trace"):
        response = getattr(program.client, method)(STEP)
        assert response.status_code == 405
        assert response.headers["Allow"] == "POST"
        assert response.headers["Content-Type"] == "application/problem+json"

    for path in ("/api/", "/api/v1/", "/api/v1/step/", "/api/v2/step", "/api/v1/people"):
        response = program.client.post(path)
        assert response.status_code == 404
        schema_of("Problem").validate(response.json())

    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        response = program.post(b"{}", **{"Content-Type": kind})
        assert response.status_code == 415
        assert checked(response)["code"] == "wrong_type"

    assert program.post(b"{}", **{"Content-Type": "application/json; charset=utf-8"}).json()[
        "code"
    ] == ("unfit")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(program: Program) -> None:
    response = program.post(json.dumps({"topic": "x" * 17_000}))

    assert response.status_code == 413
    assert "16,384" in checked(response)["detail"]
    chunked = program.post("{}", **{"Transfer-Encoding": "chunked"})
    assert chunked.status_code == 411
    assert checked(chunked)["code"] == "no_length"
    odd = program.client.generic("POST", STEP, b"{}", headers={"Content-Length": "many"})
    assert odd.status_code == 400
    schema_of("Problem").validate(odd.json())


def test_it_is_asked_over_https_only(release: Release, settings: LazySettings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    program = Program.with_a_key()

    response = program.post("{}")

    assert response.status_code == 403
    assert checked(response)["code"] == "not_secure"
    assert program.client.get("/api/v1/openapi.json", secure=True).status_code == 200


def test_a_stranger_host_is_refused_in_json(program: Program) -> None:
    response = program.post("{}", Host="evil.example")

    assert response.status_code == 400
    checked(response)


@pytest.fixture
def no_database() -> Iterator[None]:
    def gone(*_: Any) -> None:
        raise OperationalError("the database is gone")

    with connection.execute_wrapper(gone):
        yield


def test_a_database_that_is_gone_is_a_503_in_json(program: Program, no_database: None) -> None:
    response = program.post("{}")

    assert response.status_code == 503
    assert checked(response)["code"] == "unavailable"


def test_a_fault_of_ours_is_told_in_json_and_not_what_it_was(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> None:
        raise ZeroDivisionError("fever")

    monkeypatch.setattr(views, "step_document", broken)
    program.client.raise_request_exception = False

    response = program.post('{"topic": "back-lump", "answers": []}')

    assert response.status_code == 500
    assert checked(response)["code"] == "broken"
    assert b"fever" not in response.content


# Anything


@pytest.fixture(scope="module")
def anything(shipped: Knowledge) -> st.SearchStrategy[Any]:
    """Any JSON, and often what is nearly a body."""
    text = st.text(st.characters(codec=None), max_size=12)
    leaf = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | text
    )
    json_ = st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3)
    )
    features = st.sampled_from([feature.key for feature in shipped.features])
    options = st.sampled_from(
        [o.key for f in shipped.features if f.kind is not Kind.NUMBER for o in f.options]
    )
    answer = st.fixed_dictionaries(
        {"feature": features | json_},
        optional={
            "options": st.lists(options, max_size=3) | json_,
            "number": st.integers(-1, 130) | json_,
            "declined": st.sampled_from(Decline) | json_,
        },
    )
    body = st.fixed_dictionaries(
        {"topic": st.just("back-lump") | json_, "answers": st.lists(answer, max_size=6)},
        optional={
            "language": st.sampled_from(["en", "es"]) | json_,
            "release": st.just(1) | json_,
            "voice": st.sampled_from(Assessment.Voice.values) | json_,
            "conclude": st.booleans() | json_,
            "more": json_,
        },
    )
    return body | json_


def test_no_json_breaks_it(program: Program, anything: st.SearchStrategy[Any], sweep: int) -> None:
    seen = set()

    @settings(
        max_examples=max(40, sweep // 25),
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(anything)
    def post(body: Any) -> None:
        response = program.post(json.dumps(body))

        assert response.status_code in (200, 422)
        checked(response)
        seen.add(response.status_code)

    post()
    assert seen == {200, 422}


def test_no_bytes_break_it(program: Program, sweep: int) -> None:
    @settings(
        max_examples=max(20, sweep // 50),
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.binary(max_size=60),
        st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=30),
        st.sampled_from(["application/json", "text/html", "application/json; charset=nonsense"]),
    )
    def post(body: bytes, authorization: str, kind: str) -> None:
        for key in (f"Bearer {program.key}", authorization):
            response = program.post(body, **{"Authorization": key, "Content-Type": kind})
            assert 400 <= response.status_code < 500
            checked(response)

    post()
