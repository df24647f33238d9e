"""Tables for a spreadsheet: written, and read back into a list of changes before one is made.

A table is written with the words beside the keys, so that whoever edits it sees what a number is
of. Read back, these words have to be as they were: in a table of which one column alone was sorted
they are not, and every number would land in a wrong place.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .admission import Refused, refuse
from .choices import Basis, TranslationStatus
from .constraints import broken
from .documents import Document
from .faults import Fault
from .fixtures import FILES
from .models import Likelihood
from .topic_schema import TEXT
from .translations import TEXTS, place_of

FORMULA = ("=", "+", "-", "@", "\t", "\r")
GUARD = "'"
MARK = "\ufeff"  # by which a spreadsheet knows UTF-8
SEPARATORS = ",;\t"
MOST_MEGABYTES = 4
THE_TABLE = "The table"

type Row = Mapping[str, str]
"""The cells of a row, by heading."""
type Values = dict[str, Any]


def guarded(text: str) -> str:
    """Return a cell that a spreadsheet takes for text, whatever it begins with."""
    return f"{GUARD}{text}" if text.startswith((*FORMULA, GUARD)) else text


def unguarded(cell: str) -> str:
    """Return what `guarded` was given; a cell that it did not write stays as it is."""
    return cell[1:] if cell.startswith(GUARD) and cell[1:].startswith((*FORMULA, GUARD)) else cell


@dataclass(frozen=True, slots=True)
class Moved:
    """One cell that would change, in words."""

    heading: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """A row that would change: its keys, what its fields would be, and both in words."""

    row: int
    words: str
    key: tuple[str, ...]
    values: Values
    moved: tuple[Moved, ...]
    is_new: bool


# Tables


def likelihood_table(document: Document) -> bytes:
    """Return every likelihood of a topic, a row each."""
    names = _Names.of(document)
    return _table(
        LIKELIHOOD_HEADINGS,
        (
            [*names.of_likelihood(key), *_cells(LIKELIHOOD_CELLS, row)]
            for key, row in _likelihoods(document).items()
        ),
    )


def translation_table(document: Document, language: str) -> bytes:
    """Return every text of a topic with its translation, a row each, translated or not."""
    there = _translations(document, language)
    return _table(
        TRANSLATION_HEADINGS,
        (
            [place, text.words, text.english, *_translated(there.get(place), text)]
            for place, text in _texts(document).items()
        ),
    )


def _table(headings: Iterable[str], rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return f"{MARK}{text.getvalue()}".encode()


# Likelihoods

CONDITION, QUESTION, ANSWER = "Condition", "Question", "Answer"
KEYS = ("Condition key", "Question key", "Answer key")
WORDS = (CONDITION, QUESTION, ANSWER)
PROBABILITY = "Probability"
LIKELIHOOD_CELLS = {
    PROBABILITY: "probability",
    "Basis": "basis",
    "Source key": "source",
    "People counted": "sample_size",
    "Note": "note",
    "Paragraph": "document_paragraph",
}
LIKELIHOOD_HEADINGS = (
    *(heading for pair in zip(KEYS, WORDS, strict=True) for heading in pair),
    *LIKELIHOOD_CELLS,
)


@dataclass(frozen=True, slots=True)
class _Names:
    conditions: Mapping[str, str]
    questions: Mapping[str, str]
    answers: Mapping[tuple[str, str], str]
    sources: frozenset[str]

    @classmethod
    def of(cls, document: Document) -> "_Names":
        return cls(
            conditions={row["key"]: row["name"] for row in document["conditions"]},
            questions={row["key"]: row["name"] for row in document["features"]},
            answers={(row["feature"][1], row["key"]): row["text"] for row in document["options"]},
            sources=frozenset(row["key"] for row in document["sources"]),
        )

    def of_likelihood(self, key: tuple[str, str, str]) -> list[str]:
        condition, question, answer = key
        return [
            condition, self.conditions[condition],
            question, self.questions[question],
            answer, self.answers[question, answer],
        ]  # fmt: skip

    def said(self, key: tuple[str, str, str]) -> str:
        condition, question, answer = self.of_likelihood(key)[1::2]
        return f"{condition}, {question}: {answer}"


def _likelihoods(document: Document) -> dict[tuple[str, str, str], Values]:
    return {
        (row["condition"][1], row["option"][1], row["option"][2]): row
        for row in document["likelihoods"]
        if row["option"][0] == document["topic"]["key"]  # another is a fault, named elsewhere
    }


def _cells(cells: Mapping[str, str], row: Values) -> list[str]:
    return [_written(row[name]) for name in cells.values()]


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case [word]:
            return str(word)
        case float():
            return repr(value)
        case _:
            return str(value)


def read_likelihoods(file: bytes, document: Document) -> list[Change]:
    """Return what a table would change. Raises Refused with each row and column that is wrong."""
    names, there = _Names.of(document), _likelihoods(document)
    faults: list[Fault] = []
    changes: list[Change] = []
    seen: dict[tuple[str, ...], int] = {}
    for number, row in _rows(file, LIKELIHOOD_HEADINGS):
        key = (row[KEYS[0]], row[KEYS[1]], row[KEYS[2]])
        wrong = [*_wrong_keys(row, key, names), *_twice(seen, key, number)]
        if not wrong:
            values, wrong = _likelihood_in(row, names)
            values = _as_it_was(there.get(key), values)
            if not wrong and (moved := _moved(LIKELIHOOD_CELLS, there.get(key), values)):
                words = names.said(key)
                changes.append(Change(number, words, key, values, moved, key not in there))
        faults += [_fault(number, heading, what) for heading, what in wrong]
    refuse(faults)
    return changes


type Wrong = tuple[str, str]
"""A heading, and what is wrong with the cell under it."""


def _wrong_keys(row: Row, key: tuple[str, str, str], names: _Names) -> Iterator[Wrong]:
    condition, question, answer = key
    found = (
        names.conditions.get(condition),
        names.questions.get(question),
        names.answers.get((question, answer)),
    )
    for heading, own, word, name in zip(KEYS, key, WORDS, found, strict=True):
        if name is None:
            yield heading, f"is “{own}”, which this topic does not have."
        elif not _same(row[word], name):
            yield word, _only_to_read(row[word], name)


def _only_to_read(cell: str, right: str) -> str:
    return (
        f"is “{_short(cell)}”, where “{_short(right)}” belongs to the keys beside it. This column is"
        " only to read: if it was sorted without the others, download the table anew."
    )


def _likelihood_in(row: Row, names: _Names) -> tuple[Values, list[Wrong]]:
    values: Values = {"note": row["Note"], "document_paragraph": row["Paragraph"]}
    wrong: list[Wrong] = []
    read: Mapping[str, Callable[[str], Any]] = {
        PROBABILITY: _share,
        "Basis": lambda cell: _choice(cell, Basis.values),
        "Source key": lambda cell: _source(cell, names),
        "People counted": _count,
    }
    for heading, reading in read.items():
        try:
            values[LIKELIHOOD_CELLS[heading]] = reading(row[heading])
        except ValueError as error:
            wrong.append((heading, str(error)))
    if not wrong:
        # What the database would refuse; each rule is about the number or what it rests on.
        wrong = [
            (PROBABILITY, f"with the cells beside it: {what}")
            for what in broken(Likelihood, values)
        ]
    return values, wrong


NUMBER = re.compile(r"(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def _share(cell: str) -> float:
    """Return a probability; people write 0,9 where the comma is the decimal sign."""
    if "%" in cell:
        raise ValueError(f"is “{_short(cell)}”. Write it as a share: 0.9 for 90 %.")
    if not NUMBER.fullmatch(cell):
        raise ValueError(f"is “{_short(cell)}”, which is no number such as 0.9.")
    return float(cell.replace(",", "."))


def _count(cell: str) -> int | None:
    if cell and not (cell.isascii() and cell.isdigit() and len(cell) <= 9):
        raise ValueError(f"is “{_short(cell)}”, which is no whole number such as 915.")
    return int(cell) if cell else None


def _choice(cell: str, values: list[str]) -> str:
    if cell.lower() not in values:
        raise ValueError(f"is “{_short(cell)}”; it must be one of: {', '.join(values)}.")
    return cell.lower()


def _source(cell: str, names: _Names) -> list[str] | None:
    if cell and cell not in names.sources:
        raise ValueError(
            f"is “{_short(cell)}”, which is the key of no source. Add the source first."
        )
    return [cell] if cell else None


# Translations

PLACE, ENGLISH, TRANSLATION, STATUS = "Place", "In English", "Translation", "Status"
WHAT = "What it is"
TO_DO = "To do (empty this once the translation fits the English)"
TRANSLATION_HEADINGS = (PLACE, WHAT, ENGLISH, TRANSLATION, STATUS, TO_DO)
TRANSLATION_CELLS = {TRANSLATION: "text", STATUS: "status"}
MISSING, OUTDATED = "not translated yet", "the English has changed since"


@dataclass(frozen=True, slots=True)
class _Text:
    english: str
    words: str


def _texts(document: Document) -> dict[str, _Text]:
    """Return every text that patients read, by its place, and what it is in words."""
    found = {}
    for part, names in TEXTS.items():
        model = FILES[part]
        for row in [document["topic"]] if part == "topic" else document[part]:
            for name in names:
                if row[name]:
                    field: Any = model._meta.get_field(name)
                    words = f"{model._meta.verbose_name} {_called(part, row)}: {field.verbose_name}"
                    found[place_of(part, row, name)] = _Text(row[name], words)
    return found


def _called(part: str, row: Values) -> str:
    key = row["term"] if part == "glossary" else row["key"]
    return f"{row['feature'][1]}, {key}" if part == "options" else str(key)


def _translations(document: Document, language: str) -> dict[str, Values]:
    return {row["place"]: row for row in document["translations"] if row["language"] == language}


def _translated(row: Values | None, text: _Text) -> list[str]:
    if row is None:
        return ["", "", MISSING]
    return [row["text"], row["status"], OUTDATED if row["original"] != text.english else ""]


def read_translations(file: bytes, document: Document, language: str) -> list[Change]:
    """Return what a table would change. Raises Refused with each row and column that is wrong."""
    texts, there = _texts(document), _translations(document, language)
    faults: list[Fault] = []
    changes: list[Change] = []
    seen: dict[tuple[str, ...], int] = {}
    for number, row in _rows(file, TRANSLATION_HEADINGS):
        place = row[PLACE]
        wrong = [*_wrong_place(row, texts), *_twice(seen, (place,), number)]
        if not wrong and (row[TRANSLATION] or place in there):
            text, old = texts[place], there.get(place)
            values, wrong = _translation_in(row, text)
            values = _as_it_was(old, values)
            moved = _moved(TRANSLATION_CELLS, old, values)
            if old and old["original"] != text.english and old["text"] == values["text"]:
                if row[TO_DO]:
                    values["original"] = old["original"]
                else:
                    moved = (*moved, Moved("Fits the English of now", "no", "yes"))
            if moved and not wrong:
                changes.append(Change(number, text.words, (place,), values, moved, old is None))
        faults += [_fault(number, heading, what) for heading, what in wrong]
    refuse(faults)
    return changes


def _wrong_place(row: Row, texts: Mapping[str, _Text]) -> Iterator[Wrong]:
    if (text := texts.get(row[PLACE])) is None:
        yield PLACE, f"is “{_short(row[PLACE])}”, where this topic has no text."
    elif not _same(row[ENGLISH], text.english):
        was, is_now = _short(row[ENGLISH]), _short(text.english)
        yield ENGLISH, f"is “{was}”, and is now “{is_now}”. Download the table anew."
    elif not _same(row[WHAT], text.words):
        yield WHAT, _only_to_read(row[WHAT], text.words)


def _translation_in(row: Row, text: _Text) -> tuple[Values, list[Wrong]]:
    values: Values = {"text": row[TRANSLATION], "original": text.english}
    if not row[TRANSLATION]:
        return values, [(TRANSLATION, "must not be empty. Delete a translation in the admin.")]
    try:
        values["status"] = _choice(row[STATUS] or TranslationStatus.DRAFT, TranslationStatus.values)
    except ValueError as error:
        return values, [(STATUS, str(error))]
    return values, []


# What both share


def _rows(file: bytes, headings: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    """Yield each row by its number in the spreadsheet. Raises Refused where it is no such table."""
    records = _records(file, headings)
    found = records[0] if records else []
    refuse(Fault(f"{THE_TABLE}, row 1", what) for what in _wrong_headings(found, headings))
    faults = []
    rows = []
    for number, record in enumerate(records[1:], start=2):
        cells = record + [""] * (len(found) - len(record))
        if not any(cells):
            continue
        if len(cells) > len(found) and any(cells[len(found) :]):
            faults.append(Fault(f"Row {number}", f"has more than {len(found)} cells."))
            continue
        row = {heading: _cell(cell) for heading, cell in zip(found, cells, strict=False)}
        for heading, cell in row.items():
            if not re.search(TEXT, cell):
                faults.append(
                    _fault(number, heading, "holds a character that no database can keep.")
                )
        rows.append((number, row))
    refuse(faults)
    yield from rows


def _records(file: bytes, headings: tuple[str, ...]) -> list[list[str]]:
    if len(file) > MOST_MEGABYTES * 1_000_000:
        raise Refused([Fault(THE_TABLE, f"is too large: {MOST_MEGABYTES} MB at the most.")])
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError:
        what = "is not in UTF-8. In the spreadsheet choose “Save as”, then “CSV UTF-8”."
        raise Refused([Fault(THE_TABLE, what)]) from None
    first = [text.partition("\n")[0]]
    try:
        headed = {each: next(csv.reader(first, delimiter=each), []) for each in SEPARATORS}
        separator = max(SEPARATORS, key=lambda each: len({*headed[each]} & {*headings}))
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise Refused([Fault(THE_TABLE, f"cannot be read: {error}.")]) from None


def _wrong_headings(found: list[str], headings: tuple[str, ...]) -> Iterator[str]:
    for heading in headings:
        if found.count(heading) != 1:
            how = "twice" if heading in found else "not there"
            yield f"the column “{heading}” is {how}. Keep the headings as they were downloaded."
    for heading in found:
        if heading not in headings:
            yield f"the column “{_short(heading)}” is unknown."


def _cell(cell: str) -> str:
    return _plain(unguarded(_plain(cell)))


def _plain(text: str) -> str:
    """Return a text as a form of the desk would take it; a spreadsheet ends lines its own way."""
    return text.replace("\r\n", "\n").strip()


def _same(cell: str, text: str) -> bool:
    return cell == _plain(text)


def _as_it_was(old: Values | None, values: Values) -> Values:
    """Leave a text as it is stored where the cell says the same."""
    kept = {
        name: old[name]
        for name, value in values.items()
        if old and isinstance(value, str) and _same(value, old[name])
    }
    return values | kept


def _moved(cells: Mapping[str, str], old: Values | None, values: Values) -> tuple[Moved, ...]:
    if old is None:
        return tuple(
            Moved(heading, "", written)
            for heading, name in cells.items()
            if (written := _written(values.get(name)))
        )
    return tuple(
        Moved(heading, _written(old[name]), _written(values[name]))
        for heading, name in cells.items()
        if name in values and old[name] != values[name]
    )


def _twice(seen: dict[tuple[str, ...], int], key: tuple[str, ...], number: int) -> Iterator[Wrong]:
    if (first := seen.setdefault(key, number)) != number:
        yield "", f"says again what row {first} is about."


def _fault(number: int, heading: str, what: str) -> Fault:
    return Fault(f"Row {number}, column “{heading}”" if heading else f"Row {number}", what)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
