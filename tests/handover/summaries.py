"""People who answer the shipped content, without a database, and the Summary of each."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from hypothesis import strategies as st

from tests.conftest import TOPIC
from triage.content import knowledge as content_knowledge
from triage.content.documents import canonical
from triage.content.fixtures import document_of
from triage.content.knowledge import Content, compiled
from triage.engine import (
    NOT_SURE,
    Ask,
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
    applies,
    next_step,
    reply_from_json,
    reply_to_json,
)
from triage.evaluation.cases import read_cases
from triage.handover.summary import Summary, summary_of_assessment
from triage.questionnaire.models import Assessment
from triage.questionnaire.services import implied

RELEASE = -1
BEGAN = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
AGES = (0, 9, 15, 16, 34, 52, 71, 90)


@cache
def shipped_content() -> Content:
    """The shipped content as a third release that no database holds."""
    text = canonical(document_of(settings.BASE_DIR / "fixtures" / TOPIC)).decode()
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return compiled(text, sha256, release_number=3, demonstration=True)


def feature_of(key: str) -> Feature:
    return shipped_content().knowledge.feature(FeatureKey(key))


def chosen(*options: str) -> Chosen:
    return Chosen(frozenset(map(OptionKey, options)))


def replied(**replies: Any) -> Evidence:
    """Return evidence from replies as JSON has them; one option may stand alone."""
    return Evidence(
        (FeatureKey(key), _reply(feature_of(key), value)) for key, value in replies.items()
    )


def _reply(feature: Feature, value: Any) -> Reply:
    is_option = isinstance(value, str) and feature.has(OptionKey(value))
    return reply_from_json([value] if is_option else value)


def assessment_of(evidence: Evidence, **columns: Any) -> Assessment:
    """Return the row of somebody who finished with this evidence; it is not in the database."""
    content_knowledge._contents[RELEASE] = shipped_content()
    given = {
        "release_id": RELEASE,
        "language": "en-gb",
        "replies": [[key, reply_to_json(reply)] for key, reply in evidence],
        "set_at": [0] * len(evidence),
        "set_by": ["text"] * len(evidence),
        "started_at": BEGAN,
        "active_at": BEGAN + timedelta(minutes=4),
        "finished_at": BEGAN + timedelta(minutes=4),
    }
    return Assessment(**given | columns)


def summarised(evidence: Evidence, **columns: Any) -> Summary:
    return summary_of_assessment(
        assessment_of(evidence, **columns), ticket="472", place="By the door"
    )


# People


@cache
def cases() -> dict[str, Evidence]:
    """Everybody in the cases of the shipped topic, with all that is known of them."""
    folder = settings.BASE_DIR / "tests" / "cases" / TOPIC
    return {
        case.key: case.evidence
        for file in sorted(folder.glob("*.jsonl"))
        for case in read_cases(file.read_text().splitlines(), shipped_content().knowledge)
    }


def interviewed(**replies: Any) -> Evidence:
    """Return the replies of somebody who says this, and else answers as calmly as it goes."""
    return _asked_for(replied(**replies), calm)


def interviewed_as(known: Evidence) -> Evidence:
    """Return the replies of somebody of whom this is known, and who does not know what is not."""
    return _asked_for(known, lambda feature: next(iter(not_known(feature)), calm(feature)))


def _asked_for(known: Evidence, otherwise: Callable[[Feature], Reply]) -> Evidence:
    knowledge, evidence = shipped_content().knowledge, Evidence()
    while isinstance(step := next_step(knowledge, evidence), Ask):
        feature = knowledge.feature(step.feature)
        reply = known.get(feature.key) or otherwise(feature)
        evidence = evidence.set(feature.key, reply)
    return evidence


def calm(feature: Feature) -> Reply:
    if feature.kind is Kind.NUMBER:
        return Number(44 if feature.key == "age" else 2)
    keys = [option.key for option in feature.options]
    calmest = (key for key in ("none", "no", "looks_normal", NOT_SURE) if key in keys)
    return chosen(next(calmest, keys[0]))


def not_known(feature: Feature) -> list[Reply]:
    """Return every way not to answer."""
    unsure = [chosen(NOT_SURE)] if feature.has(NOT_SURE) else []
    return [*map(Declined, feature.declines), *unsure]


@st.composite
def replies_to(draw: st.DrawFn, feature: Feature) -> Reply:
    """Draw a reply: mostly a calm one, or nearly all people would be emergencies."""
    way = draw(st.sampled_from("ccccccaaauu"))
    unknown = not_known(feature)
    if way == "u" and unknown:
        return draw(st.sampled_from(unknown))
    if way == "c" and feature.key != "age":
        return calm(feature)
    if feature.kind is Kind.NUMBER:
        return Number(draw(st.sampled_from(AGES if feature.key == "age" else range(11))))
    lone = [option.key for option in feature.options if option.exclusive]
    free = [option.key for option in feature.options if not option.exclusive]
    if feature.kind is Kind.MULTI:
        return Chosen(
            draw(
                st.frozensets(st.sampled_from(free), min_size=1, max_size=3)
                | st.sampled_from([frozenset({key}) for key in lone])
            )
        )
    return chosen(draw(st.sampled_from([*free, *lone])))


@st.composite
def people(draw: st.DrawFn) -> Assessment:
    """Draw somebody who went through the interview, in more than one voice, and changed up to two
    answers at its end, as the services would have it: flags that a change takes back are kept."""
    knowledge = shipped_content().knowledge
    evidence, set_by = Evidence(), dict[FeatureKey, str]()
    withdrawn: list[RuleKey] = []
    voices = draw(st.lists(st.sampled_from(Assessment.Voice.values), min_size=1, max_size=3))
    changes = draw(st.integers(0, 2))
    follows = implied(knowledge, evidence)
    while isinstance(follows.step, Ask) or changes:
        if isinstance(follows.step, Ask):
            key = follows.step.feature
        else:
            changes -= 1
            asked = [key for key in evidence.features if applies(knowledge, evidence, key)]
            key = draw(st.sampled_from(asked))
        evidence = evidence.set(key, draw(replies_to(knowledge.feature(key))))
        set_by[key] = voices[len(evidence) % len(voices)]
        before, follows = follows, implied(knowledge, evidence)
        lost = [flag for flag in before.flags if flag not in follows.flags]
        withdrawn += [flag for flag in lost if flag not in withdrawn]
    return assessment_of(
        evidence,
        set_by=list(set_by.values()),
        voice=voices[-1],
        flags=list(follows.flags),
        withdrawn=withdrawn,
        language=draw(st.sampled_from(["en-gb", "es"])),
    )


CANT_SEE, RATHER_NOT = Declined(Decline.CANT_SEE), Declined(Decline.RATHER_NOT_SAY)


def unusual() -> dict[str, Assessment]:
    """People at the edges, by what they are there for."""
    knowledge = shipped_content().knowledge
    in_need = interviewed(leg_nerves=["weak_legs"])
    lump = interviewed(age=34, lump_count="one", lump_size="walnut", lump_feel="hard")
    declining = Evidence(
        (feature.key, (not_known(feature) or [calm(feature)])[0]) for feature in knowledge.features
    )
    return {
        "nothing was answered": assessment_of(Evidence()),
        "all was declined": assessment_of(declining),
        "under 16": assessment_of(interviewed(age=9, fever="yes")),
        "an emergency before the age is known": assessment_of(in_need),
        "a flag taken back": assessment_of(
            interviewed(age=44), withdrawn=["rf_cord_legs", "rf_sepsis"]
        ),
        "a flag taken back and raised again": assessment_of(in_need, withdrawn=["rf_cord_legs"]),
        "no lump after all": assessment_of(
            lump.set(FeatureKey("lump_count"), chosen("no_clear_lump"))
        ),
        "seen by nobody": assessment_of(
            interviewed(age=52, skin_look="cant_see", lump_count="cant_see")
        ),
        "a helper half the time": assessment_of(
            lump, set_by=[("text", "helper")[n % 2] for n in range(len(lump))], voice="helper"
        ),
        "in Spanish": assessment_of(lump, language="es"),
    }


def in_json(assessment: Assessment) -> Any:
    return json.loads(json.dumps(assessment.replies))
