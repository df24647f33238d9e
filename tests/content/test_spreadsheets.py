"""Tables for a spreadsheet: what an upload would change is said first, and only that is written."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing

from tests.content.small_topic import small_topic
from triage.content.admission import Refused
from triage.content.exchange import DraftsMoved, drafts_of, preview
from triage.content.models import AuditRecord, Condition, Likelihood, Topic, Translation
from triage.content.spreadsheets import (
    ENGLISH,
    LIKELIHOOD_HEADINGS,
    PLACE,
    PROBABILITY,
    STATUS,
    TO_DO,
    TRANSLATION,
    TRANSLATION_HEADINGS,
    Change,
    guarded,
    likelihood_table,
    read_likelihoods,
    read_translations,
    translation_table,
    unguarded,
)
from triage.content.translations import texts_in
from triage.content.uploads import (
    Kind,
    TooLarge,
    Unusable,
    confirm,
    of_table,
    of_topic,
    packed,
    unpacked,
)

LIPOMA = "Lipoma, Age: 16 to 29"

type Cells = dict[str, str]


def rows_of(table: bytes) -> list[Cells]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline="")))


def table_of(
    rows: list[Cells], headings: tuple[str, ...] = LIKELIHOOD_HEADINGS, separator: str = ","
) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, headings, delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def edited(**cells: str) -> bytes:
    """Return the likelihoods of the small topic with other cells in the first row."""
    rows = rows_of(likelihood_table(small_topic()))
    rows[0] |= {name.replace("_", " "): cell for name, cell in cells.items()}
    return table_of(rows)


def refusal(read: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(Refused) as refused:
        read(*arguments)
    return str(refused.value)


# A table


def test_a_table_has_a_row_for_each_number_with_its_words_beside_the_keys() -> None:
    table = likelihood_table(small_topic())

    first = rows_of(table)[0]
    assert table.startswith(b"\xef\xbb\xbfCondition key,Condition,Question key,")
    assert len(rows_of(table)) == len(small_topic()["likelihoods"])
    assert list(first.values())[:8] == [
        "lipoma", "Lipoma", "age", "Age", "16_29", "16 to 29", "0.06", "guideline",
    ]  # fmt: skip


def test_a_table_that_was_not_edited_changes_nothing() -> None:
    document = small_topic()

    assert read_likelihoods(likelihood_table(document), document) == []
    assert read_translations(translation_table(document, "es"), document, "es") == []


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1+1", "''", "'", "plain", "it's", ""]
)
def test_a_cell_is_guarded_against_being_a_formula_and_comes_back_as_it_was(text: str) -> None:
    cell = guarded(text)

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(cell) == text


def test_no_cell_of_a_table_is_a_formula() -> None:
    document = small_topic()
    document["likelihoods"][0]["note"] = "=HYPERLINK(“elsewhere”)"

    table = likelihood_table(document)

    assert rows_of(table)[0]["Note"] == "'=HYPERLINK(“elsewhere”)"
    assert read_likelihoods(table, document) == []


# What an upload would change


def test_an_upload_says_in_words_what_would_change() -> None:
    (change,) = read_likelihoods(edited(Probability="0.2", Note="counted anew"), small_topic())

    assert (change.row, change.words, change.key) == (2, LIPOMA, ("lipoma", "age", "16_29"))
    assert [(moved.heading, moved.old, moved.new) for moved in change.moved] == [
        (PROBABILITY, "0.06", "0.2"),
        ("Note", small_topic()["likelihoods"][0]["note"], "counted anew"),
    ]


@pytest.mark.parametrize(
    ("cell", "probability"),
    [("0.2", 0.2), ("0,2", 0.2), (" ,2 ", 0.2), ("2E-1", 0.2), ("2,0e-1", 0.2)],
)
def test_numbers_are_read_as_people_and_spreadsheets_write_them(
    cell: str, probability: float
) -> None:
    (change,) = read_likelihoods(edited(Probability=cell), small_topic())

    assert change.values["probability"] == probability


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_spreadsheet_may_separate_cells_in_its_own_way(separator: str) -> None:
    rows = rows_of(likelihood_table(small_topic()))
    rows[0][PROBABILITY] = "0,2"

    (change,) = read_likelihoods(table_of(rows, separator=separator), small_topic())

    assert change.values["probability"] == 0.2


def test_a_part_of_a_table_in_another_order_is_enough() -> None:
    rows = rows_of(likelihood_table(small_topic()))
    rows[3][PROBABILITY] = "0.3"

    changes = read_likelihoods(table_of([rows[3], rows[1]]), small_topic())

    assert [change.row for change in changes] == [2]


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ({PROBABILITY: "20%"}, f"column “{PROBABILITY}”: is “20%”. Write it as a share: 0.9 for"),
        ({PROBABILITY: "a fifth"}, "is “a fifth”, which is no number such as 0.9."),
        ({PROBABILITY: ""}, "is “”, which is no number"),
        ({PROBABILITY: "nan"}, "is “nan”, which is no number"),
        ({PROBABILITY: "1"}, "with the cells beside it: A probability lies above 0 and below 1"),
        ({PROBABILITY: "1e999"}, "A probability lies above 0 and below 1"),
        ({"Basis": "hearsay"}, "column “Basis”: is “hearsay”; it must be one of: study, guid"),
        ({"Basis": "study", "Source key": ""}, "A number from a study or a guideline names its"),
        ({"Source key": "nobody1999"}, "column “Source key”: is “nobody1999”, which is the key of"),
        ({"People counted": "1,099"}, "column “People counted”: is “1,099”, which is no whole"),
        ({"People counted": "12"}, "Only a number from a study has a number of people."),
        ({"Condition key": "cyst"}, "column “Condition key”: is “cyst”, which this topic does not"),
        ({"Answer key": "x"}, "column “Answer key”: is “x”, which this topic does not have."),
        ({"Condition": "Cyst"}, "column “Condition”: is “Cyst”, where “Lipoma” belongs to the key"),
        ({"Note": "\x00"}, "column “Note”: holds a character that no database can keep."),
    ],
)
def test_a_cell_that_cannot_be_taken_is_named_with_its_row(
    cells: dict[str, str], complaint: str
) -> None:
    rows = rows_of(likelihood_table(small_topic()))
    rows[4] |= cells

    said = refusal(read_likelihoods, table_of(rows), small_topic())

    assert said.startswith("Row 6, column “")
    assert complaint in said


def test_a_column_that_was_sorted_alone_is_found() -> None:
    rows = rows_of(likelihood_table(small_topic()))
    keys = sorted((row["Condition key"] for row in rows), reverse=True)

    said = refusal(
        read_likelihoods,
        table_of([row | {"Condition key": key} for row, key in zip(rows, keys, strict=True)]),
        small_topic(),
    )

    assert "if it was sorted without the others, download the table anew" in said


def test_a_row_that_stands_twice_is_named() -> None:
    rows = rows_of(likelihood_table(small_topic()))

    said = refusal(read_likelihoods, table_of([*rows, rows[0]]), small_topic())

    assert said == f"Row {len(rows) + 2}: says again what row 2 is about."


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (b"", "row 1: the column “Condition key” is not there. Keep the headings"),
        (b"\xff\xfea", "is not in UTF-8. In the spreadsheet choose “Save as”, then “CSV UTF-8”."),
        (b"x" * 4_000_001, "is too large: 4 MB at the most."),
        (b"Note\rx,Basis\n", "cannot be read: new-line character seen in unquoted field"),
        (likelihood_table(small_topic()) + b'"', "cannot be read: unexpected end of data."),
        (likelihood_table(small_topic()) + b"1,2,3,4,5,6,7,8,9,10,11,12,13", "has more than 12"),
        (
            likelihood_table(small_topic()).replace(b"Basis", b"B", 1),
            "the column “Basis” is not the",
        ),
        (likelihood_table(small_topic()).replace(b"Basis", b"B", 1), "the column “B” is unknown."),
        (likelihood_table(small_topic()).replace(b"Basis", b"Note", 1), "“Note” is twice"),
    ],
)
def test_what_is_no_such_table_is_refused(table: bytes, complaint: str) -> None:
    assert complaint in refusal(read_likelihoods, table, small_topic())


# Translations


def translated(place: str, **cells: str) -> bytes:
    rows = rows_of(translation_table(small_topic(), "es"))
    (row,) = [row for row in rows if row[PLACE] == place]
    return table_of([row | cells], TRANSLATION_HEADINGS)


def test_the_table_of_a_language_has_every_text_translated_or_not() -> None:
    rows = rows_of(translation_table(small_topic(), "es"))

    assert {row[STATUS] for row in rows} == {"", "translated"}
    assert [row["What it is"] for row in rows if row[PLACE] == "features/fever/text_helper"] == [
        "feature (question) fever: question to a helper"
    ]
    assert [row[PLACE] for row in rows] == [*texts_in(small_topic())]


def test_a_new_translation_is_a_draft_until_its_status_says_more() -> None:
    (change,) = read_translations(
        translated("features/fever/name", **{TRANSLATION: "Fiebre"}), small_topic(), "es"
    )

    assert change.is_new
    assert change.values == {"text": "Fiebre", "original": "Fever", "status": "draft"}


def test_a_text_whose_english_has_changed_fits_again_once_somebody_says_so() -> None:
    document = small_topic()
    row = document["translations"][0]
    row["original"] = "What it said before."
    rows = rows_of(translation_table(document, "es"))
    (own,) = [cells for cells in rows if cells[PLACE] == row["place"]]

    untouched = read_translations(table_of([own], TRANSLATION_HEADINGS), document, "es")
    (change,) = read_translations(
        table_of([own | {TO_DO: ""}], TRANSLATION_HEADINGS), document, "es"
    )

    assert own[TO_DO] == "the English has changed since"
    assert untouched == []
    assert change.values["original"] == own[ENGLISH] != row["original"]
    assert change.values["text"] == row["text"]


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ({ENGLISH: "Pain"}, "column “In English”: is “Pain”, and is now “Do not put off the scan"),
        ({PLACE: "x/y"}, "column “Place”: is “x/y”, where this topic has no text."),
        ({TRANSLATION: ""}, "column “Translation”: must not be empty."),
        ({STATUS: "done"}, "is “done”; it must be one of: draft, translated, checked."),
    ],
)
def test_a_translation_that_cannot_be_taken_is_named(cells: Cells, complaint: str) -> None:
    table = translated("advice/condition/benign_bone_tumour/do_not", **cells)

    assert complaint in refusal(read_translations, table, small_topic(), "es")


# Confirmed


def changes_of(topic: Topic, **cells: str) -> list[Change]:
    document = drafts_of(topic)
    rows = rows_of(likelihood_table(document))
    rows[0] |= cells
    return read_likelihoods(table_of(rows[:1]), document)


def test_what_was_shown_is_written_and_recorded(topic: Topic, author: User) -> None:
    changes = changes_of(topic, **{PROBABILITY: "0.4", "Note": "counted anew"})
    shown = packed(of_table(Kind.LIKELIHOODS, topic, changes, author))
    last = AuditRecord.objects.latest("pk").pk

    confirm(unpacked(shown, author), who=author, why="A new study.")

    row = Likelihood.objects.of(topic).get(condition__key="benign_bone_tumour", option__key="16_29")
    assert (row.probability, row.note) == (0.4, "counted anew")
    record = AuditRecord.objects.get(pk__gt=last)
    assert (record.who_name, record.why) == (author.username, "A new study.")


def test_a_likelihood_that_was_not_there_is_added(topic: Topic, author: User) -> None:
    document = drafts_of(topic)
    rows = rows_of(likelihood_table(document))[:1]
    Likelihood.objects.of(topic).filter(
        condition__key="benign_bone_tumour", option__key="16_29"
    ).delete()
    (change,) = read_likelihoods(table_of(rows), drafts_of(topic))

    confirm(of_table(Kind.LIKELIHOODS, topic, [change], author), who=author, why="Lost.")

    assert change.is_new
    assert drafts_of(topic) == document


def test_a_translation_is_written_with_the_english_that_it_was_made_for(
    topic: Topic, author: User
) -> None:
    document = drafts_of(topic)
    rows = rows_of(translation_table(document, "fr"))
    first = rows[0] | {TRANSLATION: "Une bosse", STATUS: "translated"}
    changes = read_translations(table_of([first], TRANSLATION_HEADINGS), document, "fr")

    confirm(
        of_table(Kind.TRANSLATIONS, topic, changes, author, "fr"), who=author, why="French begins."
    )

    row = Translation.objects.get(topic=topic, language="fr")
    assert (row.text, row.original, row.status) == ("Une bosse", topic.title, "translated")


def test_nothing_is_written_if_the_drafts_were_changed_in_between(
    topic: Topic, author: User
) -> None:
    shown = packed(of_table(Kind.LIKELIHOODS, topic, changes_of(topic, Probability="0.4"), author))
    Condition.objects.filter(key="lipoma").update(name="Another name")

    with pytest.raises(DraftsMoved):
        confirm(unpacked(shown, author), who=author, why="A new study.")

    row = Likelihood.objects.get(condition__key="benign_bone_tumour", option__key="16_29")
    assert row.probability != 0.4


def test_a_whole_topic_fits_into_a_page_and_is_written_as_it_was_shown(
    topic: Topic, author: User
) -> None:
    document = drafts_of(topic)
    document["conditions"][0]["name"] = "Another name"
    shown = packed(of_topic(document, preview(document), author))

    confirm(unpacked(shown, author), who=author, why="From another clinic.")

    assert len(shown) < 600_000
    assert drafts_of(topic) == document


def test_only_what_was_shown_is_taken_back(topic: Topic, author: User) -> None:
    shown = packed(of_table(Kind.LIKELIHOODS, topic, [], author))
    other = "a" if shown[-1] != "a" else "b"

    for tampered in (shown[:-1] + other, "", signing.dumps({}, salt="elsewhere")):
        with pytest.raises(Unusable, match="not what was shown"):
            unpacked(tampered, author)


def test_nor_is_it_taken_from_somebody_else_or_after_an_hour(
    topic: Topic, author: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = packed(of_table(Kind.LIKELIHOODS, topic, [], author))

    with pytest.raises(Unusable, match="Somebody else"):
        unpacked(shown, approver)
    monkeypatch.setattr("triage.content.uploads.AN_HOUR", -1)
    with pytest.raises(Unusable, match="more than an hour ago"):
        unpacked(shown, author)


def test_what_no_page_can_hold_is_refused(topic: Topic, author: User, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

    with pytest.raises(TooLarge, match=r"Import it with manage\.py import_topic"):
        packed(of_table(Kind.LIKELIHOODS, topic, changes_of(topic, Note="x"), author))
