"""What rows from elsewhere must be before one of them is written: all that is wrong with them.

It asks no database, so that a file is refused in the time that it takes to read it.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from .constraints import broken
from .documents import Document
from .faults import Fault
from .fixtures import FILES, Key, identity_of, natural_key_of
from .topic_schema import misfits, shown

MOST_FAULTS = 50
"""Nobody reads more; whoever mends these hears of the rest."""
LONGEST_PLACE = 80

PART_OF = {model: part for part, model in FILES.items()}

type Place = Callable[[str, int], str]
"""Says where a row stands, from the name of its part and its number from 1."""
type Chosen = Mapping[str, Container[int]]
type Keys = dict[str, dict[Key, int]]


class Refused(Exception):
    """What was brought in cannot be taken: every reason, at most 50, each with its place."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = [
            Fault(_printable(each.where), _printable(each.what)) for each in faults[:MOST_FAULTS]
        ]
        super().__init__("\n".join(map(str, self.faults)))


def refuse(faults: Iterable[Fault]) -> None:
    """Raise Refused if there is a fault. No more are looked for than are told."""
    if found := list(islice(faults, MOST_FAULTS)):
        raise Refused(found)


def faults_in_rows(document: Document, place: Place, only: Chosen | None = None) -> Iterator[Fault]:
    """Yield what is wrong with the rows of a document, or with the chosen ones, by their number.

    The parts of the document have to be lists, and the topic one row; all else is looked at.
    """
    keys: Keys = {}
    for part in FILES:
        keys[part] = {}
        for number, row in enumerate(rows_in(document, part), start=1):
            keys[part].setdefault(key_in(part, row), number)
    for part in FILES:
        for number, row in enumerate(rows_in(document, part), start=1):
            if only is not None and number not in only.get(part, ()):
                continue
            where = f"{place(part, number)} ({words_of(part, row)})"
            first = keys[part][key_in(part, row)]
            if first != number:
                yield Fault(where, f"has the same keys as {place(part, first)}.")
            for what in _faults_of(part, row, keys):
                yield Fault(where, what)


def names_twice(document: Document, place: Place) -> Iterator[Fault]:
    """Yield each row in which a name stands twice: it looks the same as one in which it does not."""
    for part in FILES:
        for number, row in enumerate(rows_in(document, part), start=1):
            for name in _twice_in(row):
                where = f"{place(part, number)} ({words_of(part, row)})"
                yield Fault(where, f"“{name}” stands twice in it.")


def rows_in(document: Document, part: str) -> list[Any]:
    rows = document[part]
    return rows if isinstance(rows, list) else [rows]


def key_in(part: str, row: Any) -> Key:
    return natural_key_of(FILES[part], row) if isinstance(row, dict) else ()


def words_of(part: str, row: Any) -> str:
    """Return how people would name a row: “lipoma, lump_feel: soft”."""
    names = [name for name in identity_of(FILES[part]) if name != "topic"]
    values = [row.get(name) for name in names] if isinstance(row, dict) else []
    said = [
        ": ".join(map(str, value[1:] or value)) if isinstance(value, list) else str(value)
        for value in values
        if value is not None
    ]
    return ", ".join(said)[:LONGEST_PLACE] or "no keys"


def _faults_of(part: str, row: Any, keys: Keys) -> Iterator[str]:
    unfit = False
    for name, what in misfits(part, row):
        unfit = True
        yield f"“{name}” {what}" if name else what
    if unfit:
        return
    model = FILES[part]
    values: dict[str, Any] = {}
    for name, value in row.items():
        field: Any = model._meta.get_field(name)
        values[name] = value
        try:
            if field.is_relation:
                _find(field, value, keys)
            elif value is not None:
                values[name] = field.clean(value, None)
        except ValidationError as error:
            unfit = True
            yield f"“{name}”: {' '.join(error.messages)}"
    if not unfit:
        yield from broken(model, values)
        yield from _own_complaints(model, values)


def _find(field: Any, value: Any, keys: Keys) -> None:
    there = keys[PART_OF[field.related_model]]
    for key in value if field.many_to_many else [value] if value is not None else []:
        if tuple(key) not in there:
            raise ValidationError(f"it names {shown(key)}, which is nowhere in the file.")


def _own_complaints(model: type[models.Model], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a model's own `clean` says; it looks at no other row."""
    if model.clean is models.Model.clean:
        return
    plain = {name: value for name, value in values.items() if not _is_relation(model, name)}
    try:
        model(**plain).clean()
    except ValidationError as error:
        yield " ".join(error.messages)


def _is_relation(model: type[models.Model], name: str) -> bool:
    return bool(model._meta.get_field(name).is_relation)


class Twice(dict[str, Any]):
    """An object of a file in which one name stands twice: JSON would keep the last, unsaid."""

    def __init__(self, pairs: list[tuple[str, Any]], name: str) -> None:
        super().__init__(pairs)
        self.name = name


def _twice_in(value: Any) -> Iterator[str]:
    if isinstance(value, Twice):
        yield value.name
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _twice_in(each)


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
