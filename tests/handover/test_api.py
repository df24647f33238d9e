"""Programs are told what the pages tell people."""

import json
import re
import shlex
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from tests.engine.people import pool_of
from tests.staff.people import log_of
from triage.content.models import Release
from triage.engine import (
    Chance,
    Decline,
    Declined,
    Evidence,
    FeatureKey,
    Knowledge,
    Reply,
    RuleKind,
    Urgency,
    fired,
    outcome,
    receipt,
)
from triage.handover.models import ApiKey
from triage.questionnaire import pages, services
from triage.questionnaire.models import Assessment

from .asking import DESCRIPTION, STEP, Program, answers_of, checked, description

type Person = dict[FeatureKey, Reply]


@pytest.fixture
def program(release: Release) -> Program:
    return Program.with_a_key()


@pytest.fixture(scope="module")
def people(shipped: Knowledge, sweep: int) -> list[Person]:
    """Simulated people with a reply to every feature, some of which they decline to give."""
    chance = Random(6)
    whole = pool_of(shipped, seed=6, count=max(30, sweep // 50)).people
    for person in whole:
        for key in chance.sample(list(person), 3):
            if declines := shipped.feature(key).declines:
                person[key] = Declined(chance.choice(declines))
    return whole


EMERGENCY = [{"feature": "leg_nerves", "options": ["weak_legs"]}]


def test_random_people_are_asked_and_told_the_same_as_on_the_pages(
    program: Program, release: Release, people: list[Person]
) -> None:
    chance = Random(7)
    for person in chance.sample(people, 8):
        now, voice = timezone.now(), chance.choice(list(Assessment.Voice))
        _, assessment = services.start(on=release, language="en-gb", voice=voice, now=now)
        while True:
            answers = answers_of(assessment.evidence)
            chance.shuffle(answers)
            told = program.ask(answers=answers, voice=voice.value)
            assert [flag["flag"] for flag in told["flags"]] == assessment.flags
            if not assessment.asking:
                break
            feature = FeatureKey(assessment.asking)
            assert_same_question(told["next"], assessment, feature)
            progress = services.answer(
                assessment=assessment,
                number=len(assessment.replies) + 1,
                feature=feature,
                reply=person[feature],
                revision=assessment.revision,
                confirmed=False,
                now=now,
            )
            assessment = progress.assessment
        assert_same_outcome(told["next"], assessment)


def assert_same_question(told: Any, assessment: Assessment, feature: FeatureKey) -> None:
    shown = pages.question_of(assessment, feature)
    form = pages.form_of(assessment, feature)
    assert (told["is"], told["feature"], told["kind"]) == ("question", feature, form.asked.kind)
    assert (told["question"], told["help"]) == (shown.question, shown.help)
    assert [way["key"] for way in told["declines"]] == list(form.asked.declines)
    if told["kind"] == "number":
        assert (told["low"], told["high"], told["options"]) == (
            form.asked.low,
            form.asked.high,
            [],
        )
    else:
        assert told["options"] == [
            {"key": choice.value, "label": choice.label, "exclusive": choice.exclusive}
            for choice in form.choices_view
        ]


def assert_same_outcome(told: Any, assessment: Assessment) -> None:
    found = outcome(assessment.content.knowledge, assessment.evidence)
    page = pages.outcome_page(assessment, timezone.now())
    assert told["receipt"] == receipt(found)
    assert told["urgency"] == page["urgency"]["key"] == Urgency(assessment.urgency or 0).key
    assert told["advice"] == {name: page["urgency"][name] for name in told["advice"]}
    assert [row["condition"] for row in told["differential"]][: len(page["causes"])] == [
        cause["key"] for cause in page["causes"]
    ]
    said = {reason["title"] for reason in told["reasons"] if reason["kind"] != "risk"}
    assert {r["title"] for r in page["reasons"] if r["kind"] != "risk"} <= said
    assert [row["title"] for row in told["not_excluded"]] == page["not_excluded"]


def test_the_order_of_the_answers_makes_no_difference(
    program: Program, people: list[Person]
) -> None:
    answers = answers_of(Evidence(people[0].items()))

    assert program.ask(answers=answers) == program.ask(answers=answers[::-1])


def interviewed(
    program: Program, person: Person, begun: int, shipped: Knowledge
) -> tuple[Any, int]:
    """Return the outcome of somebody who wants to be told from the question of this number on."""
    evidence = Evidence()
    asked = 0
    while True:
        told = program.ask(answers=answers_of(evidence), conclude=asked >= begun)
        if told["next"]["is"] == "outcome":
            return told, asked
        feature = FeatureKey(told["next"]["feature"])
        evidence = evidence.set(feature, person[feature])
        asked += 1


def test_whoever_concludes_early_has_the_red_flags_of_all_their_replies(
    program: Program, people: list[Person], shipped: Knowledge
) -> None:
    chance = Random(8)
    flagged = [person for person in people if flags_of(shipped, person)]
    calm = [person for person in people if not flags_of(shipped, person)]
    shorter = 0
    for person in (*chance.sample(flagged, 4), *chance.sample(calm, 2)):
        told, asked = interviewed(program, person, chance.randrange(4), shipped)
        _, whole = interviewed(program, person, 1000, shipped)
        shorter += whole - asked
        reached = [Urgency.of(flag["urgency"]) for flag in told["flags"]]
        assert max(reached, default=0) == max(flags_of(shipped, person), default=0)
    assert shorter > 0


def flags_of(knowledge: Knowledge, person: Person) -> list[Urgency]:
    """Return the urgencies of the red flags that all replies of somebody raise."""
    rules = [knowledge.rule(key) for key in fired(knowledge, Evidence(person.items()))]
    return [rule.urgency for rule in rules if rule.kind is RuleKind.RED_FLAG]


def test_a_step_takes_three_statements_however_much_was_answered(
    program: Program, people: list[Person], django_assert_num_queries: Any
) -> None:
    for person in ({}, people[0]):
        with django_assert_num_queries(3):
            program.ask(answers=answers_of(Evidence(person.items())))


def test_nobody_concludes_before_the_red_flags_are_settled(program: Program) -> None:
    told = program.ask(conclude=True)

    assert told["next"]["is"] == "question"
    assert told == program.ask()


def test_a_red_flag_is_told_while_questions_remain_and_before_its_advice_can_wait(
    program: Program, shipped: Knowledge
) -> None:
    fever = [{"feature": "fever", "options": ["yes"]}]

    told = program.ask(answers=fever)

    assert told["next"]["is"] == "question"
    assert [(flag["flag"], flag["urgency"]) for flag in told["flags"]] == [("rf_fever", "same_day")]
    assert told["so_far"]["urgency"] == "same_day"
    assert told["so_far"]["heading"]
    assert program.ask()["so_far"] is None


def test_an_emergency_concludes_at_once(program: Program) -> None:
    told = program.ask(answers=EMERGENCY)

    assert told["next"]["urgency"] == told["so_far"]["urgency"] == "emergency_now"
    assert "999" in told["next"]["advice"]["what_to_do"]
    assert told["next"]["differential"] == []
    assert told["next"]["reasons"][0]["rule"] == told["flags"][0]["flag"] == "rf_cord_legs"


def test_an_answer_whose_question_does_not_apply_is_named_and_not_read(
    program: Program, shipped: Knowledge
) -> None:
    option = shipped.feature(FeatureKey("lump_change")).options[0].key
    change = {"feature": "lump_change", "options": [option]}
    no_lump = {"feature": "lump_count", "options": ["no_clear_lump"]}

    told = program.ask(answers=[change, no_lump])

    assert told["not_read"] == ["lump_change"]
    assert {**told, "not_read": []} == program.ask(answers=[no_lump])


def test_it_speaks_the_language_that_is_asked_for_and_says_what_nobody_checked(
    program: Program,
) -> None:
    english, spanish = program.ask(language="en"), program.ask(language="es")

    assert english["language"] == settings.LANGUAGE_CODE
    assert spanish["language"] == "es"
    assert spanish["next"]["feature"] == english["next"]["feature"]
    assert spanish["next"]["question"] != english["next"]["question"]
    assert spanish["notices"][-1] != english["notices"][-1]
    assert len(spanish["notices"]) == len(english["notices"]) + 1


def test_every_response_says_that_it_is_no_diagnosis_and_not_approved(
    program: Program, release: Release
) -> None:
    told = program.ask()

    assert told["notices"][0] == "This is not a diagnosis."
    assert any("not been approved for clinical use" in notice for notice in told["notices"])
    assert told["release"] == {
        "topic": "back-lump",
        "number": release.number,
        "sha256": release.sha256,
        "engine": "2",
        "demonstration": True,
        "approved_for_clinical_use": False,
        "calibrated": False,
    }


def test_nothing_is_kept_and_no_session_is_opened(
    program: Program, people: list[Person], caplog: pytest.LogCaptureFixture
) -> None:
    answers = answers_of(Evidence(people[0].items()))
    caplog.set_level("DEBUG")
    program.client.cookies[settings.SESSION_COOKIE_NAME] = "not one of ours"

    program.ask(answers=answers)
    program.refused(answers=[*answers, {"feature": "canary", "options": ["canary"]}])

    assert not Assessment.objects.exists()
    assert not Session.objects.exists()
    words = {"canary", *(answer["feature"] for answer in answers)} - {"age"}
    assert not [word for word in words if word in caplog.text + log_of(caplog)]


# The description


def test_the_description_is_a_valid_openapi_document() -> None:
    schema = DESCRIPTION.parents[3] / "tests" / "handover" / "openapi.schema.json"
    Draft202012Validator(json.loads(schema.read_text())).validate(description())

    for part in description()["components"]["schemas"].values():
        Draft202012Validator.check_schema(part)
    names = set(re.findall(r'"#/components/schemas/(\w+)"', DESCRIPTION.read_text()))
    assert names == description()["components"]["schemas"].keys()


def test_the_description_is_served_without_a_key() -> None:
    response = Client().get("/api/v1/openapi.json")

    assert response.json() == description()
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", ["first", "later"])
def test_the_examples_of_the_description_work(program: Program, name: str) -> None:
    content = description()["paths"][STEP]["post"]["requestBody"]["content"]
    example = content["application/json"]["examples"][name]["value"]

    checked(program.post(json.dumps(example)))


def test_the_words_of_the_description_are_those_of_the_engine() -> None:
    parts = description()["components"]["schemas"]

    assert parts["Urgency"]["enum"] == [urgency.key for urgency in Urgency]
    assert parts["Decline"]["enum"] == list(Decline)
    assert parts["Voice"]["enum"] == Assessment.Voice.values
    assert parts["Ranked"]["properties"]["chance"]["enum"] == list(Chance)
    assert parts["Reason"]["oneOf"][0]["properties"]["kind"]["enum"] == list(RuleKind)


def test_every_code_of_a_refusal_is_described() -> None:
    sources = DESCRIPTION.parent.glob("*.py")
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    told = re.findall(r'HTTPStatus\.\w+,\s+"(\w+)"', text) + re.findall(r'\("(\w+)", "[A-Z]', text)
    told += re.findall(r'"(\w+_key)"', text)
    codes = description()["components"]["schemas"]["Problem"]["properties"]["code"]["description"]

    assert set(told) == set(re.findall(r"\w+", codes.partition(": ")[2]))


def test_the_command_of_the_guide_works(program: Program) -> None:
    guide = (settings.BASE_DIR / "docs" / "api.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"```sh\n(curl .*?)```", guide, re.DOTALL)
    words = shlex.split(command.replace("\\\n", " "))
    headers = dict(
        words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H"
    )
    headers["Authorization"] = headers["Authorization"].replace("$KEY", program.key)

    response = program.post(words[words.index("-d") + 1], **headers)

    assert words[1].endswith(STEP)
    assert checked(response)["next"]["is"] == "question"
    assert ApiKey.objects.get().used == 1
