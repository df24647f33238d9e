"""Promise 3: the same release, engine version and replies give the same bytes, today and later.

After a change of content or engine that is meant: UPDATE_GOLDEN=1 pytest tests/questionnaire/test_golden.py
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from triage.content.knowledge import content_of
from triage.content.models import Release
from triage.engine import (
    ENGINE_VERSION,
    Evidence,
    FeatureKey,
    outcome,
    receipt,
    reply_from_json,
    reply_to_json,
)
from triage.questionnaire import services
from triage.questionnaire.models import Assessment

from .conftest import Person

GOLDEN = Path(__file__).parent / "golden.jsonl"

PATIENTS: dict[str, dict[str, Any]] = {
    "nothing wrong": {"age": "44"},
    "a child": {"age": "9", "fever": "yes"},
    "an old cyst, sore for days": {
        "age": "28",
        "lump_count": "one",
        "lump_size": "walnut",
        "lump_feel": "rubbery",
        "lump_change": "bigger_days",
        "lump_duration": "over_1y",
        "skin_look": ["black_dot", "red"],
        "hot_to_touch": "yes",
    },
    "past cancer, pain at night": {
        "age": "71",
        "cancer_history": "yes",
        "pain_when": ["night"],
        "general_signs": ["weight_loss"],
    },
    "weak legs": {"leg_nerves": ["weak_legs"]},
    "nothing known": {"age": "60", "*": "not_sure"},
}


def run(release: Release, replies: dict[str, Any]) -> Assessment:
    """Answer as told, through the web; the rest as calmly as it goes."""
    person = Person(htmx=True)
    person.begin()
    while person.feature:
        calm = person.calm()
        if replies.get("*") and f'value="{replies["*"]}"' in person.page:
            calm = replies["*"]
        reply = replies.get(person.feature, calm)
        response = person.answer(reply)
        assert response.status_code == 200, (person.feature, reply)
    return person.assessment


def line(name: str, assessment: Assessment) -> dict[str, Any]:
    content = assessment.content
    return {
        "patient": name,
        "release": content.sha256,
        "engine": ENGINE_VERSION,
        "replies": [[key, reply_to_json(reply)] for key, reply in assessment.evidence],
        "receipt": receipt(outcome(content.knowledge, assessment.evidence)),
    }


@pytest.mark.skipif("UPDATE_GOLDEN" not in os.environ, reason="only to write the file anew")
def test_write_the_golden_receipts(release: Release) -> None:
    lines = [line(name, run(release, replies)) for name, replies in PATIENTS.items()]

    GOLDEN.write_text(
        "".join(json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n" for entry in lines)
    )


@pytest.mark.parametrize("name", PATIENTS)
def test_the_replies_on_file_give_the_receipt_on_file(release: Release, name: str) -> None:
    lines = {entry["patient"]: entry for entry in map(json.loads, GOLDEN.read_text().splitlines())}
    entry = lines[name]
    knowledge = content_of(release.pk).knowledge
    replies = [(FeatureKey(key), reply_from_json(reply)) for key, reply in entry["replies"]]

    assert (entry["release"], entry["engine"]) == (release.sha256, ENGINE_VERSION)
    assert receipt(outcome(knowledge, Evidence(replies))) == entry["receipt"]
    assert receipt(outcome(knowledge, Evidence(sorted(replies)))) == entry["receipt"]


@pytest.mark.parametrize("name", PATIENTS)
def test_a_patient_of_today_ends_as_on_file(release: Release, name: str) -> None:
    lines = {entry["patient"]: entry for entry in map(json.loads, GOLDEN.read_text().splitlines())}

    assessment = run(release, PATIENTS[name])

    assert line(name, assessment) == lines[name]
    assert services.implied(assessment.content.knowledge, assessment.evidence).urgency is not None
