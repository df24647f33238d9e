import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from triage.content.documents import canonical
from triage.content.fixtures import document_of as fixtures_of
from triage.content.knowledge import Content, compiled
from triage.engine import (
    Chosen,
    Decline,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Number,
    OptionKey,
    Reply,
    RuleKey,
    Urgency,
)
from triage.evaluation.cases import read_cases
from triage.handover.fhir import document_of
from triage.handover.summary import FlagTold, Source, Status, Summary, summary_of
from triage.questionnaire.models import Assessment

from . import fhir_rules as rules
from .fhir_rules import SCHEMA, Resource, Rule, faults_in, inside, of_type, resources_of

type Change = Callable[[Resource], Any]

BASE = "https://check.clinic.example"
CASES = settings.BASE_DIR / "tests" / "cases" / "back-lump"
BEGAN = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
UNKNOWN = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
OF_R4 = "http://hl7.org/fhir/json-schema/4.0"


@cache
def shipped_content() -> Content:
    """The shipped content as its third release: no database is touched."""
    text = canonical(fixtures_of(settings.BASE_DIR / "fixtures" / "back-lump")).decode()
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return compiled(text, sha256, release_number=3, demonstration=False)


def summary(evidence: Evidence, **given: Any) -> Summary:
    voice = given.get("voice", Assessment.Voice.TEXT)
    source: dict[str, Any] = {
        "content": shipped_content(),
        "evidence": evidence,
        "set_by": (voice,) * len(evidence),
        "voice": voice,
        "language": "en-gb",
        "channel": Assessment.Channel.HOME,
        "started_at": BEGAN,
        "finished_at": BEGAN + timedelta(minutes=4),
        "withdrawn": (),
        "ticket": "472",
        "place": "Waiting room 2",
    }
    return summary_of(Source(**source | given))


def replied(**replies: Reply | str | set[str]) -> Evidence:
    def reply(value: Reply | str | set[str]) -> Reply:
        if isinstance(value, Chosen | Number | Declined):
            return value
        return Chosen(frozenset(map(OptionKey, {value} if isinstance(value, str) else value)))

    return Evidence((FeatureKey(key), reply(value)) for key, value in replies.items())


SOMEBODY = replied(
    age=Number(52),
    fever="no",
    leg_nerves={"none"},
    bladder_saddle=Declined(Decline.RATHER_NOT_SAY),
    general_signs={"weight_loss"},
    cancer_history="not_sure",
    lump_count="one",
    lump_feel="hard",
    skin_look=Declined(Decline.CANT_SEE),
    pain_severity=Declined(Decline.DONT_KNOW),
)


BUSY = SOMEBODY.set(
    FeatureKey("bone_risk"), Chosen(frozenset({OptionKey("easy_break"), OptionKey("osteoporosis")}))
)
"""Somebody who ticked two things of one question."""


def document(evidence: Evidence = SOMEBODY, **given: Any) -> Resource:
    return document_of(summary(evidence, **given), base=BASE)


def told(codeable: Resource) -> str:
    return str(codeable["text"])


def observations(made: Resource, loinc: str) -> list[str]:
    return [
        told(each["valueCodeableConcept"])
        for each in of_type(made, "Observation")
        if each["code"]["coding"][0]["code"] == loinc
    ]


def section(made: Resource, title: str) -> str:
    (text,) = (
        each["text"]["div"]
        for each in resources_of(made)[0]["section"]
        if each["title"].startswith(title)
    )
    return str(text)


def items(made: Resource) -> dict[str, list[Resource]]:
    (response,) = of_type(made, "QuestionnaireResponse")
    return {item["linkId"]: item.get("answer", []) for item in response["item"]}


# What it says


def test_each_case_gives_a_document_that_obeys_every_rule() -> None:
    knowledge = shipped_content().knowledge
    cases = [
        case
        for path in sorted(CASES.glob("*.jsonl"))
        for case in read_cases(path.read_text(encoding="utf-8").splitlines(), knowledge)
    ]
    assert len(cases) > 100

    for case in cases:
        made = document(case.evidence)

        assert faults_in(made) == [], case.key


def test_what_is_there_what_is_not_and_what_nobody_knows_are_told_apart() -> None:
    made = document()

    present, absent = observations(made, "75325-1"), observations(made, "111551-8")
    assert "Feel of the lump: Hard, like bone" in present
    assert "Fever" in absent
    assert "Fever" not in " ".join(present)
    assert "past cancer" not in " ".join([*present, *absent]).lower()
    of_legs = shipped_content().knowledge.feature(FeatureKey("leg_nerves")).options
    assert sum(text.startswith("Legs") for text in absent) == len(of_legs) - 2


@pytest.mark.parametrize(
    ("feature", "code"),
    [
        ("cancer_history", "unknown"),
        ("bladder_saddle", "asked-declined"),
        ("skin_look", "not-performed"),
    ],
)
def test_a_reply_that_is_none_is_coded_as_unknown(feature: str, code: str) -> None:
    (answer,) = items(document())[feature]

    assert answer["valueCoding"]["system"] == UNKNOWN
    assert answer["valueCoding"]["code"] == code


def test_a_number_that_is_not_known_has_no_value_and_says_why() -> None:
    (answer,) = items(document())["pain_severity"]

    assert answer["_valueInteger"]["extension"][0]["valueCode"] == "unknown"
    assert "valueInteger" not in answer


def test_what_was_not_asked_has_no_answer() -> None:
    made = document()

    assert items(made)["sex"] == []
    assert items(made)["age"] == [{"valueInteger": 52}]
    assert "How old" not in section(made, "Not asked")
    assert "Sex" in section(made, "Not asked")


def test_the_urgency_is_an_observation_in_our_own_codes() -> None:
    its = summary(SOMEBODY)
    made = document()

    (level,) = (
        each["valueCodeableConcept"]
        for each in of_type(made, "Observation")
        if each["code"]["coding"][0]["system"] == f"{BASE}/fhir/CodeSystem/care-advice"
    )
    assert level["coding"][0]["code"] == its.urgency.key
    assert told(level) == its.advice_heading


def test_causes_are_chances_in_per_cent_with_their_range_and_reasons() -> None:
    its = summary(SOMEBODY)
    (risk,) = of_type(document(), "RiskAssessment")

    first, cause = risk["prediction"][0], its.differential[0]
    assert first["probabilityDecimal"] == round(cause.posterior * 100, 4)
    assert 1 < first["probabilityDecimal"] <= 100
    assert told(first["qualitativeRisk"]) == cause.chance_words
    assert f"{round(cause.low * 100, 4)} to {round(cause.high * 100, 4)} %" in first["rationale"]
    assert cause.supports[0].text in first["rationale"]
    assert len(risk["prediction"]) == len(its.differential)


def test_somebody_out_of_scope_gets_no_causes() -> None:
    made = document(replied(age=Number(9)))

    assert of_type(made, "RiskAssessment") == []
    assert "None are given" in section(made, "Possible causes")
    assert faults_in(made) == []


def test_flags_that_were_withdrawn_and_alarms_that_are_not_excluded_stay_in_sight() -> None:
    declined = replied(age=Number(52), leg_nerves="not_sure")
    flag = RuleKey(shipped_content().knowledge.rules[0].key)
    its = summary(declined, withdrawn=(flag,))
    made = document_of(its, base=BASE)

    assert its.withdrawn
    assert its.not_excluded
    notes = json.dumps(
        [note["text"] for o in of_type(made, "Observation") for note in o.get("note", [])]
    )
    for where, flags in (("Red flags raised", its.withdrawn), ("Emergencies", its.not_excluded)):
        for each in flags:
            assert each.title in section(made, where)
            assert each.title in notes


def test_what_is_not_known_and_matters_says_what_it_could_change() -> None:
    its = summary(SOMEBODY)
    told = section(document(), "Not known, and could change")

    assert its.unknowns
    assert all(f"{unknown.name}: {unknown.answer}" in told for unknown in its.unknowns)
    assert all(flag.title in told for unknown in its.unknowns for flag in unknown.rules)


def test_a_red_flag_says_what_raised_it() -> None:
    made = document(replied(age=Number(52), leg_nerves={"weak_legs"}))

    assert "Red flag (Emergency, now)" in section(made, "How urgent it is")
    assert faults_in(made) == []


def test_who_answers_for_somebody_is_said_to_have_answered() -> None:
    made = document(voice=Assessment.Voice.HELPER)

    (helper,) = of_type(made, "RelatedPerson")
    (response,) = of_type(made, "QuestionnaireResponse")
    assert response["source"] == {"reference": f"urn:uuid:{helper['id']}"}
    assert all(
        each["performer"] == [response["source"]]
        for each in of_type(made, "Observation")
        if each["status"] == "final"
    )
    assert faults_in(made) == []


def test_the_software_says_which_release_and_engine_it_was() -> None:
    (device,) = of_type(document(), "Device")

    its = summary(SOMEBODY)
    assert {each["value"] for each in device["version"]} == {
        its.engine_version,
        "back-lump 3",
        its.release_sha256,
    }


def test_what_the_content_is_not_is_said() -> None:
    fine = replace(
        summary(SOMEBODY),
        approved_for_clinical_use=True,
        demonstration=False,
        draft=False,
        translation_unchecked=False,
    )
    said_of = {
        "Not approved for clinical use.": replace(fine, approved_for_clinical_use=False),
        "a demonstration": replace(fine, demonstration=True),
        "a draft": replace(fine, draft=True),
        "checked the translation": replace(fine, translation_unchecked=True),
    }

    for said, its in said_of.items():
        assert said in section(document_of(its, base=BASE), "Where")
        assert said not in section(document_of(fine, base=BASE), "Where")


# The same each time


def test_equal_summaries_give_equal_bytes_whatever_their_time_zone() -> None:
    elsewhere = BEGAN.astimezone(timezone(timedelta(hours=5)))

    assert json.dumps(document()) == json.dumps(document(started_at=elsewhere))


@pytest.mark.parametrize(
    "other",
    [
        {"ticket": "473"},
        {"started_at": BEGAN + timedelta(seconds=1)},
        {"voice": Assessment.Voice.MIRROR},
        {"withdrawn": (RuleKey("rf_abscess"),)},
        {"language": "es"},
    ],
)
def test_another_summary_has_another_id(other: dict[str, Any]) -> None:
    ids = {each["id"] for each in resources_of(document())}
    others = {each["id"] for each in resources_of(document(**other))}

    assert ids.isdisjoint(others)


# Whatever is answered, and whatever is written


def replies(feature: Feature) -> st.SearchStrategy[Reply]:
    ways: list[st.SearchStrategy[Reply]] = []
    if feature.declines:
        ways.append(st.sampled_from(feature.declines).map(Declined))
    if feature.kind is Kind.NUMBER:
        ways.append(st.integers(feature.low, feature.high).map(Number))
        return st.one_of(ways)
    alone = [option.key for option in feature.options if option.exclusive]
    able = [option.key for option in feature.options if not option.exclusive]
    many = len(able) if feature.kind is Kind.MULTI else 1
    if feature.kind is Kind.SINGLE:
        able, alone = [*able, *alone], []
    ways.append(st.frozensets(st.sampled_from(able), min_size=1, max_size=many).map(Chosen))
    ways.extend(st.just(Chosen(frozenset({key}))) for key in alone)
    return st.one_of(ways)


@st.composite
def summaries(draw: st.DrawFn) -> Summary:
    """Any replies at all, of any voices; and a place with any name."""
    features = shipped_content().knowledge.features
    some = draw(st.sets(st.sampled_from(features)))
    evidence = Evidence((f.key, draw(replies(f))) for f in features if f.required or f in some)
    voices = st.sampled_from(Assessment.Voice)
    flags = [rule.key for rule in shipped_content().knowledge.rules]
    started_at = BEGAN + draw(st.timedeltas(timedelta(0), timedelta(days=3650)))
    return summary(
        evidence,
        set_by=tuple(draw(voices) for _ in range(len(evidence))),
        voice=draw(voices),
        channel=draw(st.sampled_from(Assessment.Channel)),
        language=draw(st.sampled_from(["en-gb", "es"])),
        started_at=started_at,
        finished_at=draw(st.sampled_from([None, started_at + timedelta(minutes=3)])),
        withdrawn=tuple(draw(st.sets(st.sampled_from(flags), max_size=2))),
        ticket=draw(st.sampled_from(["", "472"])),
        place=draw(st.text(max_size=20)),
    )


@hypothesis_settings(max_examples=25, deadline=None)
@given(summaries())
def test_whatever_was_answered_the_document_obeys_every_rule(its: Summary) -> None:
    made = document_of(its, base=BASE)

    assert faults_in(made) == []
    assert json.loads(json.dumps(made, ensure_ascii=False).encode()) == made
    answered = {link for link, answers in items(made).items() if answers}
    assert answered == {f.feature for f in its.findings if f.status is not Status.NOT_ASKED}
    known = {Status.PRESENT, Status.ABSENT}
    codes = {
        (each.get("valueCodeableConcept") or each["code"])["coding"][0]["code"].partition(".")[0]
        for each in of_type(made, "Observation")
        if each["status"] == "final"
    }
    assert codes == {f.feature for f in its.findings if f.status in known}


@hypothesis_settings(max_examples=20, deadline=None)
@given(st.text(st.characters(codec=None), min_size=1, max_size=30))
def test_whatever_the_content_says_the_document_can_be_read(text: str) -> None:
    its = summary(replied(age=Number(52), fever="no"))
    hostile = f"<script>&{text}"
    flag = FlagTold(RuleKey("any"), hostile)
    made = document_of(
        replace(its, topic_title=hostile, place=hostile, what_to_do=text, withdrawn=(flag,)),
        base=BASE,
    )

    assert faults_in(made) == []
    assert "<script" not in "".join(part.get("div", "") for part in inside(made))


# Each rule can fail


def _first(kind: str, made: Resource) -> Resource:
    return of_type(made, kind)[0]


def _asked(made: Resource) -> Resource:
    asked: Resource = _first("QuestionnaireResponse", made)["contained"][0]
    return asked


def _section(made: Resource) -> Resource:
    section: Resource = _first("Composition", made)["section"][3]
    return section


def _say(made: Resource, words: str) -> None:
    _section(made)["text"]["div"] = words


DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'

BREAKS: dict[str, tuple[Rule, Change]] = {
    "a field that R4 does not have": (
        rules.fits_the_schema,
        lambda made: made.update(surname="Roe"),
    ),
    "a chance of nobody": (
        rules.fits_the_schema,
        lambda made: _first("RiskAssessment", made).pop("subject"),
    ),
    "an observation of nothing": (
        rules.fits_the_schema,
        lambda made: _first("Observation", made).pop("code"),
    ),
    "an observation with another status": (
        rules.fits_the_schema,
        lambda made: _first("Observation", made).update(status="done"),
    ),
    "an observation of no status": (
        rules.has_what_is_required,
        lambda made: _first("Observation", made).pop("status"),
    ),
    "a question without a name": (
        rules.has_what_is_required,
        lambda made: _asked(made)["item"][0].pop("linkId"),
    ),
    "a space that no FHIR string has": (
        rules.fits_the_schema,
        lambda made: _first("Composition", made).update(title="a\xa0b"),
    ),
    "a time without a zone": (
        rules.fits_the_schema,
        lambda made: made.update(timestamp="2026-11-26T09:30:00"),
    ),
    "a collection": (rules.is_a_document, lambda made: made.update(type="collection")),
    "no time": (rules.is_a_document, lambda made: made.pop("timestamp")),
    "an identifier of no system": (
        rules.is_a_document,
        lambda made: made["identifier"].pop("system"),
    ),
    "the composition last": (
        rules.begins_with_the_composition,
        lambda made: made["entry"].reverse(),
    ),
    "two compositions": (
        rules.begins_with_the_composition,
        lambda made: made["entry"].append(made["entry"][0]),
    ),
    "an entry that comes twice": (
        rules.is_addressed_by_uuids,
        lambda made: made["entry"].append(made["entry"][-1]),
    ),
    "an address of a server": (
        rules.is_addressed_by_uuids,
        lambda made: made["entry"][1].update(fullUrl=f"{BASE}/Patient/1"),
    ),
    "an id that is not in the address": (
        rules.is_addressed_by_uuids,
        lambda made: _first("Patient", made).update(id="1"),
    ),
    "a reference to a server": (
        rules.refers_to_itself_only,
        lambda made: _first("Composition", made).update(subject={"reference": "Patient/1"}),
    ),
    "a patient who is not there": (
        rules.refers_to_itself_only,
        lambda made: made["entry"].pop(1),
    ),
    "findings that no section has": (
        rules.hangs_together,
        lambda made: _first("Composition", made)["section"].pop(5),
    ),
    "a condition": (
        rules.has_listed_types,
        lambda made: _first("RiskAssessment", made).update(resourceType="Condition"),
    ),
    "chances with a status of their own": (
        rules.has_listed_statuses,
        lambda made: _first("RiskAssessment", made).update(status="bogus"),
    ),
    "a draft of a questionnaire": (
        rules.has_listed_statuses,
        lambda made: _asked(made).update(status="draft"),
    ),
    "an observation without words": (
        rules.can_be_read,
        lambda made: _first("Observation", made).pop("text"),
    ),
    "a section without words": (rules.can_be_read, lambda made: _section(made).pop("text")),
    "a section without a title": (rules.can_be_read, lambda made: _section(made).pop("title")),
    "words of no namespace": (rules.can_be_read, lambda made: _say(made, "<div>a</div>")),
    "words that are not escaped": (
        rules.can_be_read,
        lambda made: _say(made, DIV.format("a & b")),
    ),
    "no words": (rules.can_be_read, lambda made: _say(made, DIV.format(" "))),
    "a script": (
        rules.can_be_read,
        lambda made: _say(made, DIV.format("<script>a</script>")),
    ),
    "words that do something": (
        rules.can_be_read,
        lambda made: _say(made, DIV.format('<p onclick="a()">a</p>')),
    ),
    "a diagnosis": (
        rules.says_what_it_is,
        lambda made: _first("Composition", made).update(title="Diagnosis"),
    ),
    "two values": (
        rules.has_one_value_each,
        lambda made: _first("Observation", made).update(valueString="a"),
    ),
    "an answer of no value": (
        rules.has_one_value_each,
        lambda made: _first("QuestionnaireResponse", made)["item"][0].update(answer=[{}]),
    ),
    "a chance of 140 in 100": (
        rules.gives_percentages,
        lambda made: _first("RiskAssessment", made)["prediction"][0].update(probabilityDecimal=140),
    ),
    "chances that are not all": (
        rules.gives_percentages,
        lambda made: _first("RiskAssessment", made)["prediction"].pop(0),
    ),
    "an answer to what was not asked": (
        rules.answers_what_it_asks,
        lambda made: _asked(made)["item"].pop(0),
    ),
    "a question that comes twice": (
        rules.answers_what_it_asks,
        lambda made: _asked(made)["item"].append(_asked(made)["item"][0]),
    ),
    "an answer that comes twice": (
        rules.answers_what_it_asks,
        lambda made: _first("QuestionnaireResponse", made)["item"].append(
            _first("QuestionnaireResponse", made)["item"][0]
        ),
    ),
    "answers to other questions": (
        rules.answers_what_it_asks,
        lambda made: _asked(made).update(id="other"),
    ),
    "answers that were not offered": (
        rules.answers_what_it_asks,
        lambda made: [item.pop("answerOption", 0) for item in _asked(made)["item"]],
    ),
    "a question in other words": (
        rules.answers_what_it_asks,
        lambda made: _asked(made)["item"][0].update(text="Other?"),
    ),
    "two answers where one is taken": (
        rules.answers_what_it_asks,
        lambda made: [item.pop("repeats", 0) for item in _asked(made)["item"]],
    ),
    "a day of birth": (
        rules.names_nobody,
        lambda made: _first("Patient", made).update(birthDate="1974"),
    ),
    "a name": (
        rules.names_nobody,
        lambda made: _first("Patient", made).update(name=[{"text": "Roe"}]),
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_document_is_caught(what: str) -> None:
    rule, change = BREAKS[what]
    broken = document(BUSY)
    assert list(rule(broken)) == []

    change(broken)

    assert list(rule(broken)) != []


def test_every_rule_is_seen_to_fail() -> None:
    assert {rule for rule, _ in BREAKS.values()} == set(rules.RULES)


def test_the_schema_is_that_of_r4_whole_as_far_as_it_goes() -> None:
    kinds = SCHEMA["definitions"]
    named = {each["$ref"].rpartition("/")[2] for each in inside(SCHEMA) if "$ref" in each}

    assert SCHEMA["$id"] == OF_R4
    assert kinds.keys() - named == {"ResourceList"} or named == kinds.keys()


def test_every_urgency_has_words() -> None:
    for urgency in Urgency:
        made = document_of(replace(summary(replied(age=Number(52))), urgency=urgency), base=BASE)

        assert faults_in(made) == []
