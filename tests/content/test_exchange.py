"""Topics leave a site as files and come in from another: the same bytes, all of it or nothing."""

import random
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.content.small_topic import small_topic
from triage.content.admission import Refused
from triage.content.archive import zipped
from triage.content.differences import differences
from triage.content.documents import compile_release
from triage.content.exchange import (
    AlreadyThere,
    DraftsMoved,
    export_fixtures,
    export_topic,
    import_topic,
    preview,
    read,
    write_document,
)
from triage.content.fixtures import FILES, files_of
from triage.content.models import AuditRecord, Condition, Likelihood, RiskGroup, Source, Topic
from triage.content.topic_file import sha256_of, written

FOLDER = settings.BASE_DIR / "fixtures" / "back-lump"
WHY = "Brought over from another clinic."


@pytest.fixture
def knee(topic: Topic) -> Topic:
    """A small topic beside the shipped one, which shares its sources."""
    return import_topic(written(small("knee")), who=None, why=WHY)


def small(key: str = "knee") -> dict[str, Any]:
    """Return the small topic under another name, and with the sources of the shipped one."""
    document: dict[str, Any] = renamed(small_topic(), key)
    return document


def renamed(value: Any, key: str) -> Any:
    match value:
        case dict():
            return {name: renamed(each, key) for name, each in value.items()}
        case list():
            return [renamed(each, key) for each in value]
        case "back-lump":
            return key
        case _:
            return value


def counts() -> dict[str, int]:
    return {part: model._default_manager.count() for part, model in FILES.items()}


def empty_the_site() -> None:
    """Take away all drafts and sources, as on a site where nothing was loaded yet."""
    for topic in Topic.objects.all():
        topic.delete_drafts()
    Source.objects.all().delete()


# The same bytes


def test_the_loaded_content_gives_back_the_shipped_files_byte_for_byte(topic: Topic) -> None:
    files = files_of(compile_release(topic))

    shipped = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    assert files.keys() == shipped.keys()
    for name, text in files.items():
        assert text == shipped[name], f"{name} is not as the database gives it back"


@pytest.mark.parametrize("export", [export_topic, export_fixtures])
def test_an_export_imported_on_an_empty_site_and_exported_again_is_the_same(
    topic: Topic, export: Any
) -> None:
    exported = export(topic)
    empty_the_site()

    again = import_topic(exported, who=None, why=WHY, replace=True)

    assert counts()["likelihoods"] == 3278
    assert export(again) == exported


@pytest.mark.parametrize("export", [export_topic, export_fixtures])
def test_so_is_one_with_rows_in_every_part(knee: Topic, export: Any) -> None:
    exported = export(knee)
    assert all(small()[part] for part in FILES)
    knee.delete()
    empty_the_site()

    again = import_topic(exported, who=None, why=WHY, replace=True)

    assert export(again) == exported


def test_the_file_has_the_hash_of_the_release_that_would_be_made_of_it(topic: Topic) -> None:
    release = topic.releases.get()

    assert sha256_of(read(export_topic(topic))) == release.sha256


def test_an_archive_is_the_same_a_minute_later(topic: Topic) -> None:
    assert export_fixtures(topic) == export_fixtures(topic)


# All or nothing


def test_a_new_topic_is_made_and_the_others_stay(topic: Topic) -> None:
    before = export_topic(topic)

    knee = import_topic(written(small()), who=None, why=WHY)

    assert knee.conditions.count() == 3
    assert Likelihood.objects.of(knee).count() == len(small()["likelihoods"])
    assert RiskGroup.objects.get(topic=knee).conditions.count() == 2
    assert export_topic(topic) == before


def test_a_topic_that_is_there_is_replaced_only_where_that_is_said(knee: Topic) -> None:
    document = small()
    document["conditions"][0]["name"] = "Another name"

    with pytest.raises(AlreadyThere, match="“knee” is there already"):
        import_topic(written(document), who=None, why=WHY)
    assert not Condition.objects.filter(name="Another name").exists()

    import_topic(written(document), who=None, why=WHY, replace=True)
    assert Condition.objects.get(name="Another name").topic == knee


def test_replacing_writes_only_what_differs_and_says_who_and_why(knee: Topic, author: User) -> None:
    document = small()
    document["likelihoods"][0]["note"] = "looked up again"
    document["advice"].pop()
    document["risk_groups"][0]["conditions"].pop()
    last = AuditRecord.objects.latest("pk").pk

    import_topic(written(document), who=author, why="Newer numbers.", replace=True)

    records = AuditRecord.objects.filter(pk__gt=last)
    assert sorted(records.values_list("table", "action")) == [
        ("content_advice", "deleted"),
        ("content_likelihood", "changed"),
        ("content_riskgroup_conditions", "deleted"),
    ]
    assert {(record.who_name, record.why) for record in records} == {
        (author.username, "Newer numbers.")
    }
    assert read(export_topic(knee)) | {"sources": []} == document | {"sources": []}


def test_releases_stay_whatever_is_imported(topic: Topic) -> None:
    releases = list(topic.releases.values())
    document = renamed(small_topic(), "back-lump")

    import_topic(written(document), who=None, why=WHY, replace=True)

    assert topic.conditions.count() == 3
    assert list(topic.releases.values()) == releases


def test_a_mutated_file_leaves_the_database_as_it_was(topic: Topic) -> None:
    chance = random.Random("exchange, imports")
    original = export_topic(topic)
    rows, drafts = counts(), sha256_of(compile_release(topic))
    records = AuditRecord.objects.count()

    for _ in range(20):
        at = chance.randrange(len(original))
        flipped = original[:at] + bytes([original[at] ^ 1]) + original[at + 1 :]
        with pytest.raises(Refused):
            import_topic(flipped, who=None, why=WHY, replace=True)

    assert counts() == rows
    assert sha256_of(compile_release(topic)) == drafts
    assert AuditRecord.objects.count() == records


def test_a_refused_file_asks_the_database_nothing(topic: Topic) -> None:
    file = export_topic(topic).replace(b'"probability":0.46', b'"probability":46', 1)

    with CaptureQueriesContext(connection) as queries, pytest.raises(Refused) as refused:
        import_topic(file, who=None, why=WHY, replace=True)

    assert len(queries) == 0
    assert "likelihoods, row 1 (benign_bone_tumour, age: 16_29): A prob" in str(refused.value)


def test_what_fails_half_way_is_not_there(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    before = counts()

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("triage.content.fixtures._link", fail)
    with pytest.raises(RuntimeError):
        import_topic(written(small()), who=None, why=WHY)

    assert counts() == before


# Looked at first


def test_a_preview_says_in_words_what_would_change(knee: Topic) -> None:
    document = small()
    document["conditions"][0]["urgency"] = "same_day"

    shown = preview(document)

    found = differences(shown.before, shown.after)
    assert [(each.part, each.place) for each in found] == [("conditions", "conditions/lipoma")]
    assert shown.shared == ()
    assert preview(small()).changes_nothing


def test_a_preview_of_a_new_topic_says_what_is_in_it(topic: Topic) -> None:
    shown = preview(small())

    assert shown.before is None
    assert shown.rows["Questions"] == 3
    assert not shown.changes_nothing


def test_a_source_that_topics_share_is_not_changed_unsaid(topic: Topic, knee: Topic) -> None:
    document = small("hip")
    source = document["sources"][0]
    source["year"] = "1900"
    sentence = (
        f"The shared source “{source['key']}”, which back-lump, knee names too, would change:"
        f' “year” from "{Source.objects.get(key=source["key"]).year}" to "1900".'
    )

    assert preview(document).shared == (sentence,)
    with pytest.raises(AlreadyThere, match="would change"):
        import_topic(written(document), who=None, why=WHY)
    assert not Topic.objects.filter(key="hip").exists()

    import_topic(written(document), who=None, why=WHY, replace=True)
    assert Source.objects.get(key=source["key"]).year == "1900"


def test_sources_that_a_file_lacks_stay(topic: Topic, knee: Topic) -> None:
    before = Source.objects.count()

    assert preview(small()).changes_nothing
    import_topic(written(small()), who=None, why=WHY, replace=True)

    assert Source.objects.count() == before


def test_what_somebody_changed_since_the_preview_is_not_overwritten(knee: Topic) -> None:
    document = small()
    state = preview(document).state
    Condition.objects.filter(topic=knee, key="lipoma").update(name="Another name")

    with pytest.raises(DraftsMoved, match="since the differences were shown"):
        write_document(document, who=None, why=WHY, replace=True, state=state)

    assert Condition.objects.get(topic=knee, key="lipoma").name == "Another name"


# Archives


def test_what_is_no_archive_of_a_topic_is_refused() -> None:
    whole = zipped(small_topic())
    for file, complaint in (
        (whole[:2000], "The archive: cannot be opened: File is not a zip file."),
        (whole.replace(b"lipoma", b"lipomA", 1), "cannot be opened: Bad CRC-32"),
        (whole.replace(b"advice.jsonl", b"advise.jsonl"), "advise.jsonl: is no file of a topic."),
        (whole.replace(b"back-lump/advice", b"../a/lump/advice"), 'holds "../a/lump/advice'),
        (whole.replace(b"back-lump/advice", b"back-hump/advice"), "of more than one topic"),
    ):
        with pytest.raises(Refused) as refused:
            read(file)
        assert complaint in str(refused.value)


def test_a_line_of_an_archive_that_is_wrong_is_named() -> None:
    document = small_topic()
    document["glossary"][1]["meaning"] = ""

    with pytest.raises(Refused) as refused:
        read(zipped(document))

    assert str(refused.value) == "glossary.jsonl, line 2 (HIV): “meaning” must not be empty."


# Commands


@pytest.mark.parametrize("name", ["topic.json", "topic.zip"])
def test_a_topic_is_written_and_imported_by_commands(
    topic: Topic, author: User, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name

    call_command("export_topic", "back-lump", to=file)
    Condition.objects.filter(key="lipoma").update(name="Another name")
    with pytest.raises(CommandError, match="With --replace it would be changed"):
        call_command("import_topic", str(file), why=WHY)
    call_command("import_topic", str(file), why=WHY, by=author.username, replace=True)

    assert Condition.objects.get(key="lipoma").name == "Lipoma"
    assert AuditRecord.objects.latest("pk").who_name == author.username


def test_a_topic_is_written_to_a_folder_as_it_is_shipped(topic: Topic, tmp_path: Path) -> None:
    (tmp_path / "risk_groups.jsonl").write_text("of a group that is gone")

    call_command("export_topic", "back-lump", to=tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.iterdir()}
    assert (tmp_path / "advice.jsonl").read_bytes() == (FOLDER / "advice.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("command", "arguments", "options", "complaint"),
    [
        ("export_topic", ["knee"], {"to": Path("x")}, "There is no topic “knee”"),
        ("export_topic", [], {}, "Say which topic, and with --to"),
        ("import_topic", ["nowhere.json"], {"why": WHY}, "nowhere.json: No such file"),
        ("import_topic", [__file__], {"why": WHY}, "Nothing was imported.\nThe file, line 1"),
        ("import_topic", [__file__], {"why": WHY, "by": "x"}, "“x” is nobody's user name"),
    ],
)
@pytest.mark.django_db
def test_what_a_command_cannot_do_it_says(
    command: str, arguments: list[str], options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command(command, *arguments, **options)
