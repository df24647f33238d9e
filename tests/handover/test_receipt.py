"""A receipt leads back to the outcome, to the byte, or says what stands in the way."""

import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.releases import frozen
from triage.content.documents import canonical
from triage.content.knowledge import Content, Tampered
from triage.content.models import Release
from triage.engine import outcome, receipt
from triage.handover import receipt as receipts
from triage.handover import services
from triage.handover.models import Handover
from triage.handover.receipt import (
    Altered,
    CannotReplay,
    NotAReceipt,
    NotHere,
    OtherEngine,
    OtherOutcome,
    receipt_of,
    replay,
)
from triage.handover.summary import summary_of_assessment, summary_of_handover
from triage.questionnaire.models import Assessment

from .summaries import assessment_of, interviewed

LATER = 50


@pytest.fixture
def finished(release: Release) -> Assessment:
    evidence = interviewed(age=71, cancer_history="yes", pain_when=["night"], skin_look="cant_see")
    return assessment_of(evidence, release_id=release.pk)


@pytest.fixture
def kept(finished: Assessment) -> bytes:
    return receipt_of(summary_of_assessment(finished, ticket="472", place="By the door"))


def outcome_of(assessment: Assessment) -> str:
    return receipt(outcome(assessment.content.knowledge, assessment.evidence))


def changed(kept: bytes, **changes: Any) -> bytes:
    """Return the receipt with other values, and its seal put right: what no accident does."""
    document = json.loads(kept) | changes
    del document["seal"]
    return canonical(document | {"seal": hashlib.sha256(canonical(document)).hexdigest()})


def test_it_names_the_release_the_engine_and_the_answers_and_nobody(
    finished: Assessment, kept: bytes, release: Release
) -> None:
    document = json.loads(kept)

    assert (document["topic"], document["release"]) == ("back-lump", release.number)
    assert document["sha256"] == release.sha256
    assert document["replies"] == finished.replies
    assert document["set_by"] == finished.set_by
    assert b"472" not in kept
    assert b"door" not in kept
    assert len(kept) < 4000
    assert kept == canonical(document)


def test_replayed_it_gives_the_outcome_to_the_byte(finished: Assessment, kept: bytes) -> None:
    assert replay(kept) == outcome_of(finished)


def test_white_space_is_no_alteration(finished: Assessment, kept: bytes) -> None:
    spread = json.dumps(json.loads(kept), indent=2, ensure_ascii=True).encode() + b"\n"

    assert replay(spread) == outcome_of(finished)


def test_it_gives_the_same_after_50_later_releases(
    finished: Assessment, kept: bytes, release: Release
) -> None:
    before = outcome_of(finished)
    document = json.loads(release.document)
    for condition in document["conditions"]:
        condition["urgency"] = "emergency_now"
    last = frozen(release, canonical(document).decode())
    for number in range(1, LATER):
        last = frozen(last, canonical({"later": number}).decode())

    assert last.number == release.number + LATER
    assert replay(kept) == before
    in_the_second = assessment_of(
        finished.evidence, release_id=Release.objects.get(number=release.number + 1).pk
    )
    assert outcome_of(in_the_second) != before


def test_it_finds_its_content_under_another_number(finished: Assessment, kept: bytes) -> None:
    elsewhere = changed(kept, release=40)

    assert replay(elsewhere) == outcome_of(finished)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "of the format “triage-receipt-1”"),
        (b'{"format": "triage-receipt-2"}', "of the format “triage-receipt-1”"),
    ],
)
def test_what_is_no_receipt_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(NotAReceipt, match=says):
        replay(content)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b'["age",71]', b'["age",17]'),
        (b'"cant_see"', b'"dont_know"'),
        (b'"back-lump"', b'"back-bump"'),
        (b'"engine":"2"', b'"engine":"3"'),
        (b'"seal":"', b'"seal":"0'),
        (b'"topic":', b'"more":NaN,"topic":'),
        (b'"topic":', b'"more":"\\ud800","topic":'),
    ],
)
def test_what_was_altered_is_refused(kept: bytes, was: bytes, now: bytes) -> None:
    assert was in kept

    with pytest.raises(Altered, match="something in it was changed"):
        replay(kept.replace(was, now))


def test_a_part_cut_out_is_refused_even_if_sealed(kept: bytes) -> None:
    document = {key: value for key, value in json.loads(kept).items() if key != "replies"}

    with pytest.raises(Altered):
        replay(changed(canonical(document)))


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ([["shoe_size", 43]], "there is no feature “shoe_size”"),
        ([["age", 200]], "200 is above 120"),
        ([["fever", ["maybe"]]], "“fever” has no option “maybe”"),
    ],
)
def test_answers_that_the_release_does_not_take_are_refused(
    kept: bytes, replies: list[Any], says: str
) -> None:
    with pytest.raises(Altered, match=says):
        replay(changed(kept, replies=replies))


def test_another_engine_is_named(kept: bytes) -> None:
    with pytest.raises(OtherEngine, match="worked out by engine 1, and this is engine 2"):
        replay(changed(kept, engine="1"))


def test_a_release_that_is_not_here_is_named(kept: bytes) -> None:
    with pytest.raises(NotHere, match=r"Release 7 of “knee” .* was never published here"):
        replay(changed(kept, topic="knee", release=7))


def test_a_release_of_other_content_is_named(kept: bytes, release: Release) -> None:
    with pytest.raises(NotHere, match=f"its hash is {release.sha256[:8]}, and that of the receipt"):
        replay(changed(kept, sha256="0" * 64))


def test_another_outcome_than_was_recorded_is_told(kept: bytes) -> None:
    with pytest.raises(OtherOutcome, match="they come to another outcome"):
        replay(changed(kept, outcome_sha256="0" * 64))


def test_what_was_handed_over_gives_the_same_summary_and_receipt_without_a_query(
    finished: Assessment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    finished.token_hash, finished.concluded, finished.urgency = "0" * 64, True, 0
    finished.save()
    services.hand_over(assessment=finished, visit=None, now=timezone.now())
    handover, assessment = Handover.objects.get(), Assessment.objects.get()

    with django_assert_num_queries(0):
        taken = summary_of_handover(handover)
        own = summary_of_assessment(assessment)

    assert taken == own
    assert replay(receipt_of(taken)) == outcome_of(finished)


# The command


def said(file: Path) -> str:
    out = StringIO()
    call_command("replay", str(file), stdout=out)
    return out.getvalue()


def test_the_command_prints_the_bytes_and_nothing_else(
    finished: Assessment, kept: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(kept)

    assert said(file) == outcome_of(finished)


def test_the_command_says_what_is_wrong(kept: bytes, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(kept.replace(b'["age",71]', b'["age",17]'))

    with pytest.raises(CommandError, match="something in it was changed") as failed:
        said(file)

    assert failed.value.returncode == 1
    with pytest.raises(CommandError, match=r"nothing\.json” cannot be read: No such file"):
        said(tmp_path / "nothing.json")


def test_every_refusal_is_one_that_the_command_tells() -> None:
    refusals = {NotAReceipt, Altered, NotHere, OtherEngine, OtherOutcome}

    assert set(CannotReplay.__subclasses__()) == refusals


def test_the_command_tells_of_a_release_that_is_not_what_was_published(
    kept: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(release_id: int) -> Content:
        raise Tampered(f"Release {release_id} is not what was published.")

    monkeypatch.setattr(receipts, "content_of", refuse)
    file = tmp_path / "receipt.json"
    file.write_bytes(kept)

    with pytest.raises(CommandError, match="is not what was published"):
        said(file)
