"""A topic as one file: whatever is altered in it is found, named and refused."""

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from jsonschema import Draft202012Validator

from tests.content.small_topic import small_topic
from triage.content.admission import MOST_FAULTS, Refused
from triage.content.archive import read_archive, zipped
from triage.content.constraints import broken
from triage.content.documents import Document
from triage.content.fixtures import FILES, document_of
from triage.content.topic_file import MOST_MEGABYTES, read_topic_file, sha256_of, written
from triage.content.topic_schema import row_schema, topic_schema, written_schema

SCHEMA = settings.BASE_DIR / "triage" / "content" / "topic.schema.json"
SHIPPED = settings.BASE_DIR / "fixtures" / "back-lump"


def refusal(file: bytes) -> str:
    with pytest.raises(Refused) as refused:
        read_topic_file(file)
    assert 1 <= len(refused.value.faults) <= MOST_FAULTS
    return str(refused.value)


def altered(**parts: Any) -> str:
    """Return what is said of the small topic with these parts in it, its seals made anew."""
    return refusal(written({**small_topic(), **parts}))


def with_row(part: str, number: int, **fields: Any) -> str:
    rows = small_topic()[part]
    rows[number - 1] |= fields
    return altered(**{part: rows})


# What is taken


def test_a_file_gives_back_the_drafts_that_it_was_written_from() -> None:
    document = small_topic()

    assert read_topic_file(written(document)) == document


def test_the_shipped_topic_is_taken() -> None:
    document = document_of(SHIPPED)

    assert read_topic_file(written(document)) == document


def test_the_file_says_the_hash_that_a_release_of_it_would_have() -> None:
    document = small_topic()

    assert f'"sha256":"{sha256_of(document)}"' in written(document).decode()


def test_each_row_stands_in_a_line_of_its_own() -> None:
    lines = written(small_topic()).decode().split("\n")
    rows = [line for line in lines if line.startswith('{"')]

    assert len(rows) == sum(len(small_topic()[part]) for part in FILES if part != "topic")


# The schema


def test_the_schema_beside_the_code_is_what_the_models_say() -> None:
    assert SCHEMA.read_text() == written_schema(), (
        "the models have changed: manage.py export_topic --schema > triage/content/topic.schema.json"
    )


def test_the_schema_is_a_schema_and_fits_what_is_written() -> None:
    Draft202012Validator.check_schema(topic_schema())
    checker = Draft202012Validator(topic_schema())

    for document in (small_topic(), document_of(SHIPPED)):
        assert [*checker.iter_errors(json.loads(written(document)))] == []


def test_the_schema_knows_every_field_of_every_part() -> None:
    for part, model in FILES.items():
        fields = {field.name for field in model._meta.get_fields() if not field.auto_created}
        assert set(row_schema(model)["properties"]) == fields, part


# What is refused, and where


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        (b"", "line 1, character 1: is not JSON: expecting value"),
        (b"PDF", "line 1, character 1: is not JSON"),
        (b"[]", "The file: The file is []; it must be an object with fields."),
        (b"{}", "The file lacks “format”."),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
        ('{"a": "é"}'.encode("utf-16"), "is written in UTF-16"),
        ('{"a": "é"}'.encode("latin-1"), "line 1, character 8: holds a byte that is no UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 5_000, "too many digits"),
        (b" " * (MOST_MEGABYTES * 1_000_000 + 1), f"is too large: {MOST_MEGABYTES} MB"),
    ],
)
def test_what_is_no_file_of_a_topic_is_refused(file: bytes, complaint: str) -> None:
    assert complaint in refusal(file)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("triage-topic/1", "triage-topic/2", '“format” is "triage-topic/2"; this site reads'),
        ('"topic":"back-lump",\n', "", "The file lacks “topic”."),
        (
            '"topic":"back-lump",\n',
            '"topic":"knee",\n',
            'says "knee", and its topic is "back-lump"',
        ),
        ('"topic":"back-lump",\n', '"topic":"back-lump",\n"by":1,\n', 'has "by", which is unknown'),
        ('"topic":"back-lump",\n', '"topic":"a",\n"topic":"back-lump",\n', "has “topic” twice."),
        ('"advice":[\n', '"advices":[\n', "“parts” lacks “advice”."),
        ('"advice":[\n', '"advice":{},"x":[\n', "“parts.advice” is {}; it must be a list."),
        ('"sha256":"', '"sha256":"0', "“sha256” is"),
        ("}\n}\n", "}}\n", "line 166, character 57 (reviews): is not laid out as it was exported"),
        (",\n{", ",\r\n{", "line 8, character 271 (sources, row 1): is not laid out"),
    ],
)
def test_a_file_with_another_frame_is_refused(old: str, new: str, complaint: str) -> None:
    file = written(small_topic()).decode()

    assert complaint in refusal(file.replace(old, new).encode())


def test_a_number_out_of_range_is_named_in_the_words_of_its_form() -> None:
    said = with_row("likelihoods", 1, probability=1.5)

    assert said == (
        "likelihoods, row 1 (lipoma, age: 16_29): A probability lies above 0 and below 1:"
        " 0.9 is nine in ten."
    )


@pytest.mark.parametrize(
    ("part", "number", "fields", "complaint"),
    [
        ("likelihoods", 1, {"probability": "0.5"}, '“probability” is "0.5"; it must be a number.'),
        ("likelihoods", 1, {"probability": True}, "“probability” is true; it must be a number."),
        ("likelihoods", 1, {"probability": float("nan")}, "“probability” is NaN; it must be"),
        ("likelihoods", 1, {"probability": float("inf")}, "“probability” is Infinity; it must be"),
        ("likelihoods", 1, {"probability": None}, "“probability” is null; it must be a number."),
        ("likelihoods", 1, {"basis": "hearsay"}, '“basis” is "hearsay"; it must be one of: study,'),
        ("likelihoods", 1, {"basis": "study", "source": None}, "guideline names its source."),
        ("likelihoods", 1, {"source": "nice_ng12"}, '“source” is "nice_ng12"; it must be a list.'),
        ("likelihoods", 1, {"source": ["nice"]}, '“source”: it names ["nice"], which is nowhere'),
        ("likelihoods", 1, {"source": []}, "“source” is []; it must name a row by 1 keys."),
        ("likelihoods", 1, {"sample_size": 2.5}, "“sample_size” is 2.5; it must be a whole number"),
        ("likelihoods", 1, {"sample_size": -1}, "“sample_size” is -1; it must be 0 at the least."),
        ("likelihoods", 1, {"colour": "red"}, "“colour” is no field of it."),
        ("likelihoods", 1, {"note": "\x00"}, "“note” is \"\\u0000\", which holds a character"),
        ("likelihoods", 1, {"note": "\ud800"}, '“note” is "\\ud800", which holds a character'),
        ("likelihoods", 1, {"note": "x" * 1_000_001}, "“note” is too long: 1000001 characters"),
        ("conditions", 2, {"key": "lipoma"}, "has the same keys as conditions, row 1."),
        ("conditions", 1, {"key": "Lipoma"}, "Use small letters, digits and _ only"),
        ("conditions", 1, {"name": ""}, "“name” must not be empty."),
        ("conditions", 1, {"prior_percent": None}, "A ranked condition has a prior"),
        ("conditions", 1, {"topic": ["knee"]}, '“topic”: it names ["knee"], which is nowhere'),
        ("conditions", 1, {"sources": [["nice_ng12"], ["nice_ng12"]]}, "names the same row twice."),
        ("features", 1, {"order": 40_000}, "“order” is 40000; it must be 32767 at the most."),
        ("features", 1, {"low": 5, "high": 2}, "A question for a number has a lowest and a higher"),
        ("features", 1, {"asked_if": "age >"}, "“asked_if”: This is not in the rule language"),
        ("red_flags", 1, {"rule": "import os"}, "“rule”: This is not in the rule language"),
        ("reviews", 1, {"due_on": "2026-01-01"}, "The next review comes after this one."),
        ("reviews", 1, {"due_on": "soon"}, '“due_on” is "soon", which is no date'),
        ("reviews", 1, {"due_on": "2026-02-30"}, "“due_on”: "),
        ("calibration_studies", 1, {"table": {"bins": []}}, "This is not a table as"),
        ("translations", 1, {"language": "Spanish"}, "Use its code of two or three letters"),
    ],
)  # fmt: skip
def test_what_the_models_refuse_is_refused_with_its_place(
    part: str, number: int, fields: dict[str, Any], complaint: str
) -> None:
    file = _with_seals_for(part, number, fields)

    said = refusal(file)

    assert re.search(rf"^{part}, row {number} \(.*{re.escape(complaint)}", said, re.MULTILINE)


def _with_seals_for(part: str, number: int, fields: dict[str, Any]) -> bytes:
    """Return a file whose seals are broken where its row could not be sealed: half a character."""
    rows = small_topic()[part]
    rows[number - 1] |= fields
    try:
        return written({**small_topic(), part: rows})
    except (UnicodeEncodeError, ValueError):
        old = json.dumps(
            small_topic()[part][number - 1],
            sort_keys=True, separators=(",", ":"), ensure_ascii=False,
        )  # fmt: skip
        new = json.dumps(rows[number - 1], sort_keys=True, separators=(",", ":"))
        return written(small_topic()).replace(old.encode(), new.encode())


def test_a_row_that_is_no_object_and_a_field_that_lacks_are_named() -> None:
    rows = small_topic()["advice"]
    lacking = {name: value for name, value in rows[1].items() if name != "do_not"}

    said = altered(advice=[rows[0], lacking, "row"])

    assert "advice, row 2 (condition, boil_deep_spot): “do_not” is missing." in said
    assert 'advice, row 3 (no keys): is "row"; it must be an object with fields.' in said


def test_a_row_that_would_come_out_at_another_place_is_named() -> None:
    assert altered(advice=small_topic()["advice"][::-1]) == (
        "advice, row 2: belongs before the row above it."
    )


def test_all_faults_are_told_at_once_but_no_more_than_anybody_reads() -> None:
    document = document_of(SHIPPED)
    for row in document["likelihoods"]:
        row["probability"] = 2.0

    said = refusal(written(document)).split("\n")

    assert len(said) == MOST_FAULTS
    assert len(set(said)) == MOST_FAULTS


def test_where_only_the_seal_tells_it_says_so() -> None:
    file = written(small_topic()).replace(b'"probability":0.16', b'"probability":0.61', 1)
    row = next(
        number
        for number, row in enumerate(small_topic()["likelihoods"], start=1)
        if row["probability"] == 0.16
    )

    said = refusal(file)

    assert said.startswith(f"likelihoods, row {row} (")
    assert said.endswith(": was altered after the export.")


# 5,000 mutations

type Rows = list[tuple[int, str, int]]
type Mutated = tuple[str, list[str]]
"""The file as it is now, and what its refusal has to name."""
type Mutate = Callable[[random.Random, list[str], Rows], Mutated]

START = re.compile(r'^"(\w+)":\[$')


def rows_of(lines: list[str]) -> Rows:
    """Return every row but the topic's: its line, its part and its number."""
    found: Rows = []
    part, number = "", 0
    for place, line in enumerate(lines):
        if start := START.match(line):
            part, number = start[1], 0
        elif line.startswith('{"'):
            number += 1
            found.append((place, part, number))
    return found


def one(chance: random.Random, lines: list[str], rows: Rows) -> tuple[int, dict[str, Any], str]:
    """Return a row drawn by chance: its line, its fields, and its place."""
    place, part, number = chance.choice(rows)
    return place, json.loads(lines[place].removesuffix(",")), f"{part}, row {number}"


def put(lines: list[str], place: int, row: Any) -> None:
    end = "," if lines[place].endswith(",") else ""
    lines[place] = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + end


def flip_a_digit(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place, part, number = chance.choice([row for row in rows if re.search(r"\d", lines[row[0]])])
    at = chance.choice([match.start() for match in re.finditer(r"\d", lines[place])])
    other = chance.choice([digit for digit in "0123456789" if digit != lines[place][at]])
    lines[place] = lines[place][:at] + other + lines[place][at + 1 :]
    return "\n".join(lines), [f"{part}, row {number}"]


def delete_a_row(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place, part, number = chance.choice(rows)
    if not lines[place].endswith(","):
        lines[place - 1] = lines[place - 1].removesuffix(",")
    del lines[place]
    return "\n".join(lines), [f"{part}, row {number}", "is missing"]


def delete_a_row_and_its_digest(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place, part, number = chance.choice(rows)
    seal = next(n for n, line in enumerate(lines) if line.startswith(f'"{part}":{{"all"'))
    digests = json.loads(lines[seal].removesuffix(",").partition(":")[2])
    del digests["rows"][number - 1]
    end = "," if lines[seal].endswith(",") else ""
    lines[seal] = f'"{part}":{json.dumps(digests, separators=(",", ":"))}{end}'
    text, _ = delete_a_row_at(lines, place)
    return text, [f"{part}: its rows or digests: was altered"]


def delete_a_row_at(lines: list[str], place: int) -> Mutated:
    if not lines[place].endswith(","):
        lines[place - 1] = lines[place - 1].removesuffix(",")
    del lines[place]
    return "\n".join(lines), []


def delete_a_field(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place, row, where = one(chance, lines, rows)
    name = chance.choice(sorted(row))
    del row[name]
    put(lines, place, row)
    return "\n".join(lines), [where, f"“{name}” is missing"]


def rename_a_field(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place, row, where = one(chance, lines, rows)
    name = chance.choice(sorted(row))
    row[f"{name}s"] = row.pop(name)
    put(lines, place, row)
    return "\n".join(lines), [where]


def repeat_a_field(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place, row, where = one(chance, lines, rows)
    name = chance.choice(sorted(row))
    field = json.dumps({name: row[name]}, separators=(",", ":"), ensure_ascii=False)[1:-1]
    lines[place] = lines[place].replace("{", f"{{{field},", 1)
    return "\n".join(lines), [where, "stands twice"]


def swap_two_values(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    original = list(lines)
    while True:
        first, row, where = one(chance, lines, rows)
        second, other, where_else = one(chance, lines, rows)
        name = chance.choice(sorted(row))
        if name in other:
            row[name], other[name] = other[name], row[name]
            put(lines, first, row)
            put(lines, second, other)
            if {lines[first], lines[second]}.isdisjoint(original):
                return "\n".join(lines), [where, where_else]
            lines[:] = original


def swap_two_rows(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    first, part, number = chance.choice([row for row in rows if lines[row[0]].endswith(",")])
    one_row, other = lines[first], lines[first + 1]
    lines[first] = other.removesuffix(",") + ","
    lines[first + 1] = one_row.removesuffix(",") + ("," if other.endswith(",") else "")
    return "\n".join(lines), [f"{part}: row {number} and others stand in another order"]


def repeat_a_row(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place, part, number = chance.choice(rows)
    lines.insert(place, lines[place].removesuffix(",") + ",")
    return "\n".join(lines), [f"{part}, row {number + 1}", "has the same keys"]


def change_a_type(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place, row, where = one(chance, lines, rows)
    name = chance.choice(sorted(row))
    kinds: list[Any] = [[], {}, "a text", 7, 0.5, True, None]
    others = [value for value in kinds if value != row[name]]
    row[name] = chance.choice(others)
    put(lines, place, row)
    return "\n".join(lines), [where]


def change_a_word(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place, part, number = chance.choice(rows)
    at = chance.choice([match.start() for match in re.finditer(r"[a-z]", lines[place])])
    lines[place] = lines[place][:at] + lines[place][at].upper() + lines[place][at + 1 :]
    return "\n".join(lines), [f"{part}, row {number}"]


def truncate(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    text = "\n".join(lines)
    return text[: chance.randrange(len(text) - 1)], ["The file, line "]


def add_a_space(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    place = chance.randrange(len(lines) - 1)
    lines[place] += chance.choice(" \t")
    return "\n".join(lines), [f"line {place + 1}"]


def change_a_digest(chance: random.Random, lines: list[str], rows: Rows) -> Mutated:
    part = chance.choice(rows)[1]
    seal = next(n for n, line in enumerate(lines) if line.startswith(f'"{part}":{{"all"'))
    at = chance.choice(
        [match.start() for match in re.finditer(r"[0-9a-f](?=[0-9a-f]*\")", lines[seal])]
    )
    if not re.match(r"[0-9a-f]", lines[seal][at]) or '"all"' in lines[seal][at - 1 : at + 4]:
        at = lines[seal].index(':"') + 2
    other = chance.choice([digit for digit in "0123456789abcdef" if digit != lines[seal][at]])
    lines[seal] = lines[seal][:at] + other + lines[seal][at + 1 :]
    return "\n".join(lines), [part]


STRUCTURAL: tuple[Mutate, ...] = (
    flip_a_digit,
    delete_a_row,
    delete_a_row_and_its_digest,
    delete_a_field,
    rename_a_field,
    repeat_a_field,
    swap_two_values,
    swap_two_rows,
    repeat_a_row,
    change_a_type,
    change_a_word,
    truncate,
    add_a_space,
    change_a_digest,
)


@pytest.mark.parametrize("mutate", STRUCTURAL, ids=lambda mutate: mutate.__name__)
def test_a_mutated_file_is_refused_and_the_place_named(mutate: Mutate, sweep: int) -> None:
    chance = random.Random(f"exchange {mutate.__name__}")
    original = written(small_topic()).decode().split("\n")
    rows = rows_of(original)

    for _ in range(sweep // len(STRUCTURAL)):
        text, named = mutate(chance, list(original), rows)
        said = refusal(text.encode())
        for each in named:
            assert each in said


def test_a_file_with_a_byte_that_flipped_is_refused_and_the_place_named(sweep: int) -> None:
    chance = random.Random("exchange, bytes")
    original = written(small_topic())

    for _ in range(sweep // 5):
        at = chance.randrange(len(original))
        flipped = original[at] ^ (1 << chance.randrange(8))
        said = refusal(original[:at] + bytes([flipped]) + original[at + 1 :])
        assert re.search(r"line \d+|row \d+|“\w+|^topic \(|^\w+: its rows or digests", said), said


# Without a seal, as people edit it by hand, a file is refused or sound


def test_what_is_taken_without_a_seal_comes_out_as_it_went_in() -> None:
    chance = random.Random("exchange, archives")
    taken = []

    for _ in range(40):
        document = small_topic()
        part = chance.choice([part for part in FILES if part != "topic"])
        row = chance.choice(document[part])
        name = chance.choice(sorted(row))
        row[name] = chance.choice([row[name], "", "a text", 0.25, 3, [], None, ["back-lump"]])
        archive = zipped(document)
        found, said = what_an_archive_holds(archive)
        assert found == document if found else part in said or name in said
        if found:
            taken.append(zipped(found) == archive)
    assert 5 < len(taken) < 35
    assert all(taken)


def what_an_archive_holds(archive: bytes) -> tuple[Document | None, str]:
    try:
        return read_archive(archive), ""
    except Refused as refused:
        return None, str(refused)


# The database's own rules, worked out without it


def changed_rows() -> Iterator[tuple[type[models.Model], dict[str, Any]]]:
    """Yield a row of each part, whole and with each of its plain fields set to what it may be."""
    for part, model in FILES.items():
        rows = small_topic()[part]
        row = dict(rows if part == "topic" else rows[0])
        yield model, row
        for field in model._meta.concrete_fields:
            if field.is_relation or field.primary_key or field.name == "table":
                continue
            for value in _values_for(field):
                yield model, row | {field.name: value}


def _values_for(field: Any) -> list[Any]:
    nothing = [None] if field.null else []
    match field:
        case models.FloatField():
            return [*nothing, -1.0, 0.0, 0.3, 0.5, 1.0, 3.0, 100.0]
        case models.BooleanField():
            return [True, False]
        case models.IntegerField():
            return [*nothing, 0, 1, 50, 130]
        case models.DateField():
            return ["2020-01-01", "2030-01-01"]
        case _:
            choices = [value for value, _ in field.flatchoices or ()]
            return [*nothing, *choices, "", "Two words", "back_lump", "B by hand", "0" * 64, "es"]


@pytest.mark.django_db
def test_the_database_finds_broken_exactly_what_is_found_without_it() -> None:
    found = []
    for model, row in changed_rows():
        instance = model()
        for field in model._meta.concrete_fields:
            if field.is_relation:  # only whether there is one matters to a rule
                setattr(instance, field.attname, None if row[field.name] is None else 1)
            elif not field.primary_key:
                setattr(instance, field.attname, row[field.name])
        refused = [
            str(constraint.get_violation_error_message())
            for constraint in model._meta.constraints
            if isinstance(constraint, models.CheckConstraint)
            and refuses(constraint, model, instance)
        ]
        assert [*broken(model, row)] == refused, (model, row)
        found += refused
    assert len(set(found)) > 15


def refuses(constraint: models.CheckConstraint, model: Any, instance: models.Model) -> bool:
    try:
        constraint.validate(model, instance)
    except ValidationError:
        return True
    return False


def test_every_rule_of_the_database_can_be_said() -> None:
    for model in FILES.values():
        for constraint in model._meta.constraints:
            assert constraint.get_violation_error_message()
