"""A release is frozen, hashed, approved by another, and can be recalled: nothing else."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from triage.content.documents import canonical, compile_release
from triage.content.models import Condition, Feature, Release, Topic
from triage.content.releases import (
    AlreadyRecalled,
    MayNotApprove,
    MayNotPublish,
    NoReason,
    NothingPublished,
    OnlyDemonstrations,
    OwnApprover,
    UnfitDraft,
    live_release,
    publish,
    recall,
)


def test_a_release_is_the_canonical_form_of_the_drafts_and_its_hash(
    topic: Topic, author: User, approver: User
) -> None:
    before = timezone.now()

    release = publish(topic=topic, author=author, approver=approver, why="A better word.")

    release.refresh_from_db()
    assert release.document.encode() == canonical(compile_release(topic))
    assert release.sha256 == hashlib.sha256(release.document.encode()).hexdigest()
    assert (release.number, release.demonstration, release.why) == (2, False, "A better word.")
    assert (release.author, release.approver) == (author, approver)
    assert before <= release.published_at <= timezone.now()


def test_the_same_drafts_give_the_same_hash_and_another_number_another(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    same = publish(topic=topic, author=author, approver=approver, why="Nothing changed.")
    topic.conditions.filter(key="lipoma").update(plain_summary="A soft lump of fat.")
    other = publish(topic=topic, author=author, approver=approver, why="Shorter.")

    assert same.sha256 == release.sha256
    assert other.sha256 != release.sha256
    assert (same.number, other.number) == (2, 3)


def test_canonical_json_has_one_form() -> None:
    assert canonical({"b": [1.5, "é"], "a": None}) == '{"a":null,"b":[1.5,"é"]}'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": float("nan")})


def test_a_release_made_of_a_release_is_the_same(
    release: Release,
) -> None:
    text = Release.objects.get(pk=release.pk).document

    assert canonical(json.loads(text)).decode() == text


def test_nobody_approves_what_they_wrote(topic: Topic, approver: User) -> None:
    with pytest.raises(OwnApprover):
        publish(topic=topic, author=approver, approver=approver, why="Mine.")

    assert topic.releases.count() == 1


def test_an_approver_needs_the_permission(topic: Topic, author: User) -> None:
    other = User.objects.create_user("other-author")

    with pytest.raises(MayNotApprove):
        publish(topic=topic, author=author, approver=other, why="We agree.")

    assert topic.releases.count() == 1


def test_a_draft_with_a_fault_is_not_published(topic: Topic, author: User, approver: User) -> None:
    Feature.objects.filter(key="fever").update(text="")
    Condition.objects.filter(key="lipoma").update(prior_percent=11)

    with pytest.raises(UnfitDraft) as unfit:
        publish(topic=topic, author=author, approver=approver, why="In a hurry.")

    assert len(unfit.value.faults) == 2
    assert topic.releases.count() == 1


FROZEN = {
    "number": 99,
    "document": "{}",
    "sha256": "0" * 64,
    "published_at": timezone.now() - timedelta(days=1),
    "why": "Another story.",
    "demonstration": False,
}


@pytest.mark.parametrize("column", FROZEN)
def test_the_database_refuses_to_change_a_release(release: Release, column: str) -> None:
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(**{column: FROZEN[column]})

    changed = Release.objects.get(pk=release.pk)
    setattr(changed, column, FROZEN[column])
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        changed.save()


@pytest.mark.parametrize("column", ["author", "approver"])
def test_the_database_refuses_to_change_who_wrote_and_who_approved(
    release: Release, column: str
) -> None:
    third = User.objects.create_user("third")

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(**{column: third})


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE content_release SET document = '{}'",
        "UPDATE content_release SET id = id + 1000",
        "DELETE FROM content_release",
    ],
)
def test_sql_by_hand_cannot_change_or_delete_a_release(release: Release, sql: str) -> None:
    with (
        pytest.raises(IntegrityError, match="never"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)

    assert Release.objects.filter(pk=release.pk, sha256=release.sha256).exists()


def test_the_database_refuses_to_delete_a_release(release: Release) -> None:
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        release.delete()
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Release.objects.all().delete()


def test_no_release_can_be_put_in_the_place_of_another(release: Release) -> None:
    columns = [str(field.column) for field in Release._meta.concrete_fields]
    values = ", ".join("'{}'" if column == "document" else column for column in columns)
    sql = {
        "sqlite": f"INSERT OR REPLACE INTO content_release ({', '.join(columns)})"
        f" SELECT {values} FROM content_release",
        "postgresql": f"INSERT INTO content_release ({', '.join(columns)})"
        f" SELECT {values} FROM content_release"
        " ON CONFLICT (id) DO UPDATE SET document = EXCLUDED.document",
    }[connection.vendor]

    with (
        pytest.raises(IntegrityError, match=r"never changes|another person has approved"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_the_table_cannot_be_emptied_at_once(release: Release) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no TRUNCATE; DELETE is tried above")

    with (
        pytest.raises(IntegrityError, match="never emptied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE content_release CASCADE")


def test_the_database_itself_refuses_an_author_who_approves(release: Release, author: User) -> None:
    own = Release.objects.get(pk=release.pk)
    own.pk, own.number, own.approver = None, 2, author
    refused = "release_approved_by_another|another person has approved"

    with pytest.raises(IntegrityError, match=refused), transaction.atomic():
        own.save(force_insert=True)
    with pytest.raises(IntegrityError, match=refused), transaction.atomic():
        Release.objects.bulk_create([own])
    columns = [str(f.column) for f in Release._meta.concrete_fields if not f.primary_key]
    values = ", ".join({"number": "2", "approver_id": "author_id"}.get(c, c) for c in columns)
    with (
        pytest.raises(IntegrityError, match=refused),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"INSERT INTO content_release ({', '.join(columns)})"
            f" SELECT {values} FROM content_release"
        )


def test_a_recall_is_kept_with_who_when_and_why(release: Release, approver: User) -> None:
    recall(release=release, by=approver, why="A number was wrong.")

    release.refresh_from_db()
    assert release.recalled_at
    assert (release.recalled_by, release.recalled_why) == (approver, "A number was wrong.")


def test_a_recall_has_a_reason_and_is_made_by_a_publisher(
    release: Release, author: User, approver: User
) -> None:
    with pytest.raises(MayNotPublish, match="Publisher group"):
        recall(release=release, by=author, why="A number was wrong.")
    with pytest.raises(NoReason):
        recall(release=release, by=approver, why=" ")

    assert live_release("back-lump") == release


def test_a_recall_is_final(release: Release, approver: User) -> None:
    recall(release=release, by=approver, why="A number was wrong.")

    with pytest.raises(AlreadyRecalled):
        recall(release=release, by=approver, why="Another reason.")
    with pytest.raises(IntegrityError, match="recalled, once"), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(recalled_why="Another reason.")
    with pytest.raises(IntegrityError, match="recalled, once"), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(
            recalled_at=None, recalled_by=None, recalled_why=""
        )


def test_a_recall_cannot_be_half_made_or_hide_a_change(release: Release, author: User) -> None:
    with pytest.raises(IntegrityError, match="release_recall_whole"), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(recalled_at=timezone.now())
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(
            recalled_at=timezone.now(), recalled_by=author, recalled_why="Why.", document="{}"
        )


def test_the_newest_release_is_live_until_it_is_recalled(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    newer = publish(topic=topic, author=author, approver=approver, why="Better.")
    assert live_release("back-lump") == newer

    recall(release=newer, by=approver, why="Worse.")

    assert live_release("back-lump") == release


def test_a_topic_without_a_release_has_nothing_to_show(release: Release, approver: User) -> None:
    recall(release=release, by=approver, why="All of it is wrong.")

    with pytest.raises(NothingPublished, match=r"manage\.py publish"):
        live_release("back-lump")
    with pytest.raises(NothingPublished):
        live_release("knee")


def test_a_real_service_refuses_demonstrations(
    topic: Topic, author: User, approver: User, release: Release, settings: Settings
) -> None:
    settings.DEBUG_HTTP = False
    with pytest.raises(OnlyDemonstrations, match="demonstration releases only"):
        live_release("back-lump")
    real = publish(topic=topic, author=author, approver=approver, why="Approved.")
    publish(topic=topic, author=author, approver=approver, why="Trial.", demonstration=True)

    assert live_release("back-lump") == real


def test_finding_the_live_release_is_one_query_and_does_not_fetch_the_document(
    release: Release,
) -> None:
    with CaptureQueriesContext(connection) as queries:
        live_release("back-lump")

    assert len(queries) == 1
    assert '"document"' not in queries[0]["sql"]
