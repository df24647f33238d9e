"""What evidence it takes before a release says “about N in 100”."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from tests import studies
from tests.releases import frozen
from tests.staff.people import sign_in
from triage.content import calibration
from triage.content.calibration import (
    LEAST_PEOPLE,
    MOST_CAUSES,
    MOST_ERROR,
    UnfitTable,
    checked,
    knowledge_sha256,
    measured,
    reliability_in,
)
from triage.content.documents import Document, canonical, compile_release
from triage.content.faults import Fault, faults_in
from triage.content.fixtures import document_of
from triage.content.knowledge import content_of
from triage.content.models import CalibrationStudy, Likelihood, Release, Topic
from triage.content.releases import UnfitDraft, publish
from triage.engine import Evidence, FeatureKey, Knowledge, Number
from triage.evaluation.cases import Case
from triage.evaluation.reliability import Recorded, to_json
from triage.evaluation.simulation import simulated

FOLDER = settings.BASE_DIR / "fixtures" / "back-lump"


@pytest.fixture(scope="module")
def shipped_document() -> Document:
    return document_of(FOLDER)


@pytest.fixture
def document(shipped_document: Document) -> Document:
    """The shipped content, saying “about N in 100”, with a study that fits."""
    document = deepcopy(shipped_document)
    document["topic"]["says_in_100"] = True
    document["calibration_studies"] = [studies.row(document)]
    return document


def faults_of(document: Document) -> list[str]:
    return [str(fault) for fault in faults_in(document)]


# What stands in the way


def test_a_study_that_fits_is_no_fault(document: Document) -> None:
    assert faults_of(document) == []


def test_the_shipped_content_says_nothing_in_100(shipped_document: Document) -> None:
    assert shipped_document["topic"]["says_in_100"] is False
    assert shipped_document["calibration_studies"] == []
    assert checked(shipped_document) is None


def study(**fields: Any) -> Callable[[Document], None]:
    return lambda document: document["calibration_studies"][0].update(fields)


def off(right: int) -> dict[str, Any]:
    """Return a table in which 600 claims of 45 in 100 came true so often."""
    return studies.table(studies.tenth(4, right, 600))


def change_a_likelihood(document: Document) -> None:
    (soft, *_) = [row for row in document["likelihoods"] if row["basis"] == "estimate"]
    option = soft["option"]
    pair = [
        row
        for row in document["likelihoods"]
        if row["condition"] == soft["condition"] and row["option"][:2] == option[:2]
    ]
    pair[0]["probability"] += 1e-9  # the least that is a change, and no fault of its own


UNFIT: dict[str, tuple[Callable[[Document], None], str]] = {
    "a number that was changed since": (
        change_a_likelihood,
        "a number was changed since it was measured",
    ),
    "a study of other numbers": (
        study(knowledge_sha256=studies.HASH),
        "a number was changed since it was measured",
    ),
    "simulated people": (study(kind="simulated"), "its people were simulated"),
    "too few people": (
        study(people=LEAST_PEOPLE - 1),
        f"it has {LEAST_PEOPLE - 1} people; {LEAST_PEOPLE} are the least",
    ),
    "fewer claims than people": (study(people=601), "counts 600 claims for 601 people"),
    "numbers that are too far off": (
        study(table=off(236)),
        "its numbers are 5.7 points off in the mean; 5 is the most",
    ),
    "small numbers that are twice what came true, which the mean hides": (
        study(table=studies.table(studies.tenth(0, 9, 600))),
        "where it said 5 in 100 in the mean, it was 2 in 100 (9 of 600)",
    ),
    "a table that cannot be read": (study(table={"bins": []}), "its table cannot be read"),
}


@pytest.mark.parametrize("broken", UNFIT)
def test_evidence_that_does_not_fit_is_no_evidence(document: Document, broken: str) -> None:
    change, sentence = UNFIT[broken]
    change(document)

    said = faults_of(document)

    assert any("no calibration study shows that its numbers are right" in fault for fault in said)
    assert any(
        fault.startswith("The calibration study “made_up”: it does not count:")
        and sentence in fault
        for fault in said
    )
    assert checked(document) is None


def test_without_any_study_the_tick_is_a_fault(document: Document) -> None:
    document["calibration_studies"] = []

    (fault,) = faults_in(document)

    assert fault == Fault(
        "The topic",
        "it says “about N in 100”, but no calibration study shows that its numbers are right."
        " Add one that does, or take the tick away.",
    )
    assert checked(document) is None


def test_a_study_that_does_not_fit_is_no_fault_while_nothing_rests_on_it(
    document: Document,
) -> None:
    study(kind="simulated")(document)
    document["topic"]["says_in_100"] = False

    assert faults_of(document) == []


def test_one_study_that_fits_is_enough(document: Document) -> None:
    document["calibration_studies"] += [
        studies.row(document, key="stale", knowledge_sha256=studies.HASH, people=600),
        studies.row(document, key="larger", people=500),
    ]

    assert faults_of(document) == []
    found = checked(document)
    assert found is not None
    assert found.people == 500


def test_at_the_limits_a_study_counts(document: Document) -> None:
    study(people=LEAST_PEOPLE, table=off(240))(document)  # 45 said, 40 came true

    assert faults_of(document) == []
    assert MOST_ERROR == 0.05


@pytest.mark.parametrize("of", [20, 60, 600])
def test_what_chance_makes_of_one_tenth_is_forgiven(document: Document, of: int) -> None:
    """Of so many claims of 5 in 100, so few come true by chance alone in some studies."""
    fewest = {20: 0, 60: 0, 600: 16}[of]
    exact = [studies.tenth(place, 60 * place + 30, 600) for place in range(1, 10)]
    study(table=studies.table(studies.tenth(0, fewest, of), *exact))(document)

    assert faults_of(document) == []


# What decides a number


DECIDING = [
    ("topic", {"temper": 0.9}),
    ("topic", {"spread_estimate": 0.3}),
    ("conditions", {"prior_percent": 12.5}),
    ("conditions", {"prior_basis": "study"}),
    ("features", {"asked_if": "fever == 'yes'"}),
    ("options", {"scored": None}),
    ("likelihoods", {"probability": 0.123}),
    ("likelihoods", {"sample_size": 12345}),
    ("syndrome_chances", {"probability": 0.123}),
    ("syndrome_members", {"probability": 0.123}),
]


@pytest.mark.parametrize(("part", "fields"), DECIDING)
def test_whatever_decides_a_number_changes_the_hash(
    document: Document, part: str, fields: dict[str, Any]
) -> None:
    before = knowledge_sha256(document)
    row = document["topic"] if part == "topic" else document[part][0]

    row.update(fields)

    assert knowledge_sha256(document) != before


def test_a_row_more_or_less_changes_the_hash(document: Document) -> None:
    before = knowledge_sha256(document)
    for part in calibration.DECIDING:
        less = {**document, part: document[part][1:]}

        assert knowledge_sha256(less) != before, part


def test_words_and_the_order_of_rows_leave_the_hash_as_it_is(document: Document) -> None:
    before = knowledge_sha256(document)

    document["topic"]["title"] = "Another title"
    document["conditions"][0]["plain_summary"] = "Other words."
    document["features"][0]["text"] = "Asked in other words?"
    document["topic"]["temper"] = float(document["topic"]["temper"])
    document["likelihoods"].reverse()

    assert knowledge_sha256(document) == before


def test_another_engine_needs_another_study(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "ENGINE_VERSION", "another")

    assert checked(document) is None


def test_the_hash_of_the_drafts_is_that_of_the_release(topic: Topic, release: Release) -> None:
    frozen = Release.objects.get(pk=release.pk).document

    assert knowledge_sha256(compile_release(topic)) == knowledge_sha256(json.loads(frozen))


# The table


def test_a_table_is_read_as_the_command_writes_it(document: Document) -> None:
    reliability = reliability_in(studies.table())

    again = json.loads(to_json(Recorded("A title", "About it.", reliability)))

    assert reliability_in(again) == reliability
    assert reliability.error == pytest.approx(0)


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        "a text",
        {"title": "A", "about": "B"},
        studies.table() | {"bins": []},
        studies.table(studies.tenth(3, 7, 6)),
        studies.table(studies.tenth(3, 0, 0)),
        studies.table(studies.tenth(3, 2, 6, claimed=0.5)),
        studies.table(studies.tenth(3, 2, 6, claimed=float("nan"))),
        studies.table(studies.tenth(10, 2, 6)),
        studies.table(studies.tenth(3, 2, 6) | {"high": 0.5}),
        studies.table(studies.tenth(3, 2, 6) | {"right": 2.5}),
        studies.table(studies.tenth(3, 2, 6) | {"of": "6"}),
        studies.table(studies.tenth(3, 2, 6), studies.tenth(3, 2, 6)),
        studies.table(studies.tenth(3, 2, 6), studies.tenth(2, 2, 6)),
    ],
)
def test_anything_else_is_no_table(bad: Any) -> None:
    with pytest.raises(UnfitTable):
        reliability_in(bad)


def test_the_form_refuses_a_table_that_is_none(topic: Topic) -> None:
    study = studies.add_to(topic, compile_release(topic))
    study.table = {"bins": "none"}

    with pytest.raises(ValidationError, match="This is not a table as"):
        study.full_clean()


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "guessed"},
        {"people": 0},
        {"studied": ""},
        {"knowledge_sha256": "abc"},
        {"key": "Not A Key"},
    ],
)
def test_the_database_refuses_what_is_no_study(topic: Topic, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        studies.add_to(topic, compile_release(topic), **fields)


# Measuring


def test_everyone_makes_a_claim_for_each_cause_that_the_page_lists(shipped: Knowledge) -> None:
    people = list(simulated(shipped, np.random.default_rng(7), 40))

    count, reliability = measured(shipped, people)

    assert 30 <= count <= 40  # those below 16 are told no cause
    assert reliability.right.of == MOST_CAUSES * count
    assert reliability.right.hits <= count


def test_who_has_no_known_cause_or_is_told_none_makes_no_claim(shipped: Knowledge) -> None:
    cause = shipped.conditions[0].key
    child = Evidence([(FeatureKey("age"), Number(9))])

    with pytest.raises(ValueError, match="no claims"):
        measured(shipped, [Case("unknown", Evidence()), Case("child", child, frozenset({cause}))])


def said(*words: str) -> str:
    out = StringIO()
    call_command("calibrate", *words, stdout=out)
    return out.getvalue()


def test_the_command_writes_what_a_study_is_entered_with(topic: Topic, tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    person = {"id": "a", "answers": {"age": 44, "fever": "no"}}
    file.write_text(json.dumps(person | {"expected": {"conditions": ["lipoma"]}}))

    written = said(str(file))

    head, _, record = written.partition("\n\n")
    assert head.startswith("Number of people: 1\n")
    assert f"Hash of the numbers: {knowledge_sha256(compile_release(topic))}\n" in head
    assert reliability_in(json.loads(record)).right.of == MOST_CAUSES


@pytest.mark.parametrize(
    ("words", "text", "complaint"),
    [
        ((), '{"id": "a", "answers": {"age": 44}, "expected": {}}', "has a known cause"),
        ((), "no case", "this is not JSON"),
        (("--topic", "knee"), "", "There is no topic “knee”"),
    ],
)
def test_the_command_refuses_in_a_sentence(
    topic: Topic, tmp_path: Path, words: tuple[str, ...], text: str, complaint: str
) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text(text)

    with pytest.raises(CommandError, match=complaint):
        said(str(file), *words)


def test_the_command_refuses_drafts_that_the_engine_does(topic: Topic, tmp_path: Path) -> None:
    Likelihood.objects.filter(condition__key="lipoma").update(probability=0.5)

    with pytest.raises(CommandError, match="add up to"):
        said(str(tmp_path / "people.jsonl"))


# Releases


def test_a_topic_that_says_so_without_evidence_is_not_published(
    topic: Topic, author: User, approver: User
) -> None:
    Topic.objects.update(says_in_100=True)
    topic.refresh_from_db()

    with pytest.raises(UnfitDraft, match="no calibration study"):
        publish(topic=topic, author=author, approver=approver, why="Numbers.")


def test_a_release_carries_its_evidence(topic: Topic, author: User, approver: User) -> None:
    study = studies.add_to(topic, compile_release(topic))

    release = publish(topic=topic, author=author, approver=approver, why="Numbers.")

    content = content_of(release.pk)
    assert content.says_in_100
    assert content.checked is not None
    assert content.checked.people == 400
    assert content.checked.citation == study.source.citation
    assert content.checked.tenths == frozenset(range(10))


def test_the_release_of_today_says_nothing_in_100(release: Release) -> None:
    assert content_of(release.pk).says_in_100 is False


def without_a_study(document: Document) -> None:
    document["calibration_studies"] = []


def without_the_parts(document: Document) -> None:
    """As releases are that were made before there was any of this."""
    del document["calibration_studies"], document["topic"]["says_in_100"]


def without_its_source(document: Document) -> None:
    document["calibration_studies"][0]["source"] = ["nowhere"]


@pytest.mark.parametrize(
    "change", [without_a_study, without_the_parts, without_its_source, study(kind="simulated")]
)
def test_a_release_that_was_made_by_another_way_says_nothing_without_evidence(
    release: Release, document: Document, change: Callable[[Document], None]
) -> None:
    change(document)

    published = frozen(release, canonical(document).decode())

    assert content_of(published.pk).says_in_100 is False


def test_replacing_the_drafts_takes_the_studies_away(topic: Topic) -> None:
    studies.add_to(topic, compile_release(topic))

    topic.delete_drafts()

    assert not CalibrationStudy.objects.exists()


# The admin


@pytest.fixture
def staff(author: User) -> Client:
    client = Client()
    sign_in(client, author)
    return client


def test_an_author_can_enter_a_study_and_see_whether_it_counts(topic: Topic, staff: Client) -> None:
    fields = studies.row(compile_release(topic))
    form = {
        **fields,
        "topic": topic.pk,
        "source": topic.conditions.first().sources.first().pk,  # type: ignore[union-attr] # both are there
        "table": json.dumps(fields["table"]),
        "why": "It was published.",
    }

    response = staff.post(reverse("admin:content_calibrationstudy_add"), form)

    assert response.status_code == 302
    study = CalibrationStudy.objects.get()
    page = staff.get(reverse("admin:content_calibrationstudy_change", args=[study.pk]))
    assert "it counts, and the topic may be ticked" in page.content.decode()
    listed = staff.get(reverse("admin:content_calibrationstudy_changelist")).content.decode()
    assert "made_up" in listed
    of_topic = staff.get(reverse("admin:content_topic_change", args=[topic.pk])).content.decode()
    assert "1 of this topic" in of_topic


def test_the_admin_says_why_a_study_does_not_count(topic: Topic, staff: Client) -> None:
    study = studies.add_to(topic, compile_release(topic), kind="simulated", people=12)

    page = staff.get(reverse("admin:content_calibrationstudy_change", args=[study.pk]))

    assert "It does not count: its people were simulated" in page.content.decode()
    assert "it has 12 people" in page.content.decode()


def test_the_admin_refuses_a_table_in_words(topic: Topic, staff: Client) -> None:
    study = studies.add_to(topic, compile_release(topic))
    fields = studies.row(compile_release(topic))
    form = {**fields, "topic": topic.pk, "source": study.source_id, "table": '{"bins": []}'}

    response = staff.post(reverse("admin:content_calibrationstudy_change", args=[study.pk]), form)

    assert "This is not a table as" in response.content.decode()


# The database of somebody who has it already


def test_the_migration_goes_forward_and_back(tmp_path: Path) -> None:
    file = tmp_path / "content.sqlite3"
    earlier = [
        path.stem for path in (settings.BASE_DIR / "triage/content/migrations").glob("0*.py")
    ]
    before = sorted(earlier)[sorted(earlier).index("0007_calibration") - 1]

    def migrate(target: str) -> set[str]:
        command = [sys.executable, "manage.py", "migrate", "content", target, "-v", "0"]
        environment = {"DEBUG_HTTP": "1", "DATABASE_URL": f"sqlite:///{file}"}
        subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True)
        with sqlite3.connect(file) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = {name for (name,) in rows}
            columns = {row[1] for row in connection.execute("PRAGMA table_info(content_topic)")}
        connection.close()
        return names | columns

    new = {"content_calibrationstudy", "says_in_100"}
    assert new <= migrate("0007_calibration")
    assert not new & migrate(before)
    assert new <= migrate("0007_calibration")
