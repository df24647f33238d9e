"""Every change of the content leaves a record, on whatever path it comes."""

import csv
import io
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from tests.staff.people import sign_in
from triage.content import audit
from triage.content.audit import changing
from triage.content.history import changes_of, people_of, told
from triage.content.models import (
    AuditRecord,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    RedFlag,
    Release,
    Source,
    Topic,
)

EDITS = 1000
HISTORY = "/staff/topics/back-lump/changes"


def last() -> int:
    return AuditRecord.objects.values_list("pk", flat=True).first() or 0


def since(mark: int) -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(pk__gt=mark).order_by("pk"))


def test_every_table_of_the_content_is_watched(db: None) -> None:
    assert audit.is_audited()


def test_a_change_says_what_was_and_what_is(topic: Topic, author: User) -> None:
    row = Likelihood.objects.get(condition__key="lipoma", option__key="soft")
    before, mark = row.probability, last()

    with changing(who=author, why="A study of 2021 says so."):
        row.probability = 0.5
        row.save()

    (record,) = since(mark)
    assert (record.who, record.who_name) == (author, "demo-author")
    assert (record.why, record.topic, record.action) == (
        "A study of 2021 says so.",
        topic,
        "changed",
    )
    assert record.before
    assert record.after
    assert (record.before["probability"], record.after["probability"]) == (before, 0.5)
    assert {k for k in record.before if record.before[k] != record.after[k]} == {"probability"}


def test_nothing_is_recorded_of_what_did_not_change(topic: Topic) -> None:
    mark = last()

    Condition.objects.get(key="lipoma").save()

    assert since(mark) == []


def test_a_change_that_is_rolled_back_leaves_no_record(topic: Topic, author: User) -> None:
    mark = last()

    def fail() -> None:
        with changing(who=author, why="x"):
            GlossaryTerm.objects.all()[0].delete()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert since(mark) == []
    GlossaryTerm.objects.all()[0].delete()
    assert [(each.who, each.why) for each in since(mark)] == [(None, "")]


def test_the_inner_of_two_reasons_counts_inside_only(topic: Topic, author: User) -> None:
    mark = last()
    one, two, three = GlossaryTerm.objects.all()[:3]

    with changing(who=author, why="outer"):
        one.delete()
        with changing(who=None, why="inner"):
            two.delete()
        three.delete()

    assert [(each.who_name, each.why) for each in since(mark)] == [
        ("demo-author", "outer"),
        ("", "inner"),
        ("demo-author", "outer"),
    ]


# A thousand edits


def by_save(chance: random.Random, number: int) -> None:
    row = chance.choice([*Likelihood.objects.all()[:200]])
    row.note = f"edit {number}"
    row.save()


def by_update(chance: random.Random, number: int) -> None:
    key = chance.choice([*Feature.objects.values_list("pk", flat=True)])
    Feature.objects.filter(pk=key).update(purpose=f"edit {number}")


def by_bulk(chance: random.Random, number: int) -> None:
    row = chance.choice([*Condition.objects.all()])
    row.target_time = f"edit {number}"
    Condition.objects.bulk_update([row], ["target_time"])


def by_bulk_create(chance: random.Random, number: int) -> None:
    row = GlossaryTerm(topic=Topic.objects.get(), term=f"word {number}", meaning="A word.")
    GlossaryTerm.objects.bulk_create([row])


def by_delete(chance: random.Random, number: int) -> None:
    chance.choice([*GlossaryTerm.objects.all()]).delete()


def by_sql(chance: random.Random, number: int) -> None:
    key = chance.choice([*RedFlag.objects.values_list("pk", flat=True)])
    with connection.cursor() as cursor:
        sql = "UPDATE content_redflag SET why_clinician = %s WHERE id = %s"
        cursor.execute(sql, [f"edit {number}", key])


def by_link(chance: random.Random, number: int) -> None:
    row = chance.choice([*Condition.objects.all()])
    there = set(row.sources.values_list("pk", flat=True))
    source = chance.choice([*Source.objects.all()])
    (row.sources.remove if source.pk in there else row.sources.add)(source)


PATHS: list[Callable[[random.Random, int], None]] = [
    by_save,
    by_update,
    by_bulk,
    by_bulk_create,
    by_delete,
    by_sql,
    by_link,
]


def test_a_thousand_edits_leave_a_thousand_records(topic: Topic, author: User) -> None:
    chance, mark = random.Random(13), last()
    wanted = []

    for number in range(EDITS):
        why = f"reason {number}"
        wanted.append(why)
        with changing(who=author, why=why):
            chance.choice(PATHS)(chance, number)

    records = since(mark)
    assert [record.why for record in records] == wanted
    assert {record.who_name for record in records} == {"demo-author"}
    assert {record.topic_id for record in records} == {topic.pk}
    assert {record.action for record in records} == {"added", "changed", "deleted"}
    assert len({record.table for record in records}) >= 6


TABLE = AuditRecord._meta.db_table


def by_sql_alone(statement: str) -> Callable[[AuditRecord], object]:
    def attempt(record: AuditRecord) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table=TABLE, pk=record.pk))

    return attempt


ATTEMPTS: dict[str, Callable[[AuditRecord], object]] = {
    "update": lambda record: AuditRecord.objects.filter(pk=record.pk).update(why="x"),
    "delete": lambda record: record.delete(),
    "sql update": by_sql_alone("UPDATE {table} SET why = 'x' WHERE id = {pk}"),
    "sql delete": by_sql_alone("DELETE FROM {table} WHERE id = {pk}"),
}
if connection.vendor == "sqlite":
    ATTEMPTS["sql replace"] = by_sql_alone(
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE id = {pk}"
    )


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_nobody_can_alter_a_record(topic: Topic, attempt: Callable[[AuditRecord], object]) -> None:
    with pytest.raises(IntegrityError, match="never"), transaction.atomic():
        attempt(AuditRecord.objects.all()[0])


def test_a_topic_that_is_thrown_away_leaves_its_history(db: None, author: User) -> None:
    knee = Topic.objects.get()
    knee.pk, knee.key = None, "knee"
    knee.save()
    key, mark = knee.pk, last()

    with changing(who=author, why="Made by mistake."):
        knee.delete()

    (record,) = since(mark)
    assert (record.topic_id, record.action, record.why) == (key, "deleted", "Made by mistake.")
    assert "topic" in told([record])[0].what


# Pages


@pytest.fixture
def staff(author: User) -> Client:
    return sign_in(Client(), author)


def body(client: Client, address: str, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_form_asks_why_and_the_record_has_it(staff: Client, topic: Topic) -> None:
    term = GlossaryTerm.objects.all()[0]
    address = reverse("admin:content_glossaryterm_change", args=[term.pk])
    form: dict[str, Any] = {
        "topic": term.topic_id,
        "term": term.term,
        "also": term.also,
        "meaning": "Something plain.",
        "document_paragraph": term.document_paragraph,
    }
    mark = last()

    refused = staff.post(address, form)
    assert "This field is required" in refused.content.decode()
    assert since(mark) == []

    assert staff.post(address, form | {"why": "Nobody understood it."}).status_code == 302
    (record,) = since(mark)
    assert (record.who_name, record.why) == ("demo-author", "Nobody understood it.")
    assert "Nobody understood it." not in body(staff, address)  # each change has its own reason


def test_nothing_is_deleted_without_a_reason(staff: Client, topic: Topic) -> None:
    term = GlossaryTerm.objects.all()[0]
    address = reverse("admin:content_glossaryterm_delete", args=[term.pk])

    assert "Why, for the record" in body(staff, address)
    page = staff.post(address, {"post": "yes"}, follow=True).content.decode()
    assert "Nothing was deleted: say why first." in page
    assert GlossaryTerm.objects.filter(pk=term.pk).exists()

    staff.post(address, {"post": "yes", "why": "It is no word of ours."})
    assert not GlossaryTerm.objects.filter(pk=term.pk).exists()


def test_the_history_is_read_in_words(staff: Client, topic: Topic, author: User) -> None:
    row = Likelihood.objects.get(condition__key="lipoma", option__key="soft")
    source = Source.objects.exclude(pk=row.source_id or 0)[0]
    with changing(who=author, why="It was too high."):
        Likelihood.objects.filter(pk=row.pk).update(probability=0.5, source=source)
        Feature.objects.filter(key="age").update(sensitive=True)

    page = body(staff, HISTORY)

    assert "likelihood: lipoma: lump_feel soft" in page.lower()
    assert "It was too high." in page
    assert f"<del>{row.probability}</del> <ins>0.5</ins>" in page
    assert f"<ins>{source.key}</ins>" in page
    assert "<del>no</del> <ins>yes</ins>" in page
    assert author in people_of(topic)


def test_the_history_is_searched(staff: Client, topic: Topic, author: User) -> None:
    with changing(who=author, why="A reason of its own."):
        GlossaryTerm.objects.all()[0].delete()

    found = body(staff, HISTORY, who=str(author.pk), table="content_glossaryterm")

    assert "1 change." in found
    assert "A reason of its own." in found
    assert "A reason of its own." not in body(staff, HISTORY, until="2001-01-01")


def test_the_history_is_a_file_for_a_spreadsheet(staff: Client, author: User) -> None:
    with changing(who=author, why='=HYPERLINK("x")'):
        GlossaryTerm.objects.all()[0].delete()

    text = body(staff, f"{HISTORY}.csv", table="content_glossaryterm", who=str(author.pk))
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))

    assert rows[0][:4] == ["when", "who", "why", "table"]
    assert len(rows) == 2
    assert rows[1][1:6] == [
        "demo-author",
        '\'=HYPERLINK("x")',
        "content_glossaryterm",
        rows[1][4],
        "deleted",
    ]


def test_the_history_of_a_row_is_its_own(staff: Client, topic: Topic, author: User) -> None:
    row, other = GlossaryTerm.objects.all()[:2]
    with changing(who=author, why="This one."):
        GlossaryTerm.objects.filter(pk=row.pk).update(meaning="Plain.")
    with changing(who=author, why="Another one."):
        GlossaryTerm.objects.filter(pk=other.pk).update(meaning="Plain.")

    response = staff.get(reverse("admin:content_glossaryterm_history", args=[row.pk]))
    page = body(staff, response.headers["Location"])

    assert "This one." in page
    assert "Another one." not in page


def test_the_history_asks_a_bounded_number_of_questions(
    staff: Client, author: User, django_assert_max_num_queries: Any
) -> None:
    with changing(who=author, why="Many."):
        for row in Likelihood.objects.all()[:60]:
            Likelihood.objects.filter(pk=row.pk).update(note="other")
    with django_assert_max_num_queries(25):
        body(staff, HISTORY)


def test_a_release_is_recorded_without_its_text(release: Release) -> None:
    record = AuditRecord.objects.get(table="content_release")

    assert record.after
    assert record.after["sha256"] == release.sha256
    assert "document" not in record.after
    assert changes_of(release.topic).filter(pk=record.pk).exists()
