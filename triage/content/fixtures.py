"""Reads a topic from its fixtures: one fact a line, natural keys, as Django serialises them.

Django's own `loaddata` reads the same files; but it looks each natural key up in the database, and
takes ten seconds for a topic where this takes less than one.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction

from .audit import changing
from .documents import Document
from .models import (
    Advice,
    CalibrationStudy,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    Option,
    RedFlag,
    Review,
    RiskGroup,
    Source,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
    Topic,
    Translation,
)

# In an order in which each row names only rows of the files before it.
FILES: dict[str, type[models.Model]] = {
    "topic": Topic,
    "sources": Source,
    "conditions": Condition,
    "features": Feature,
    "options": Option,
    "likelihoods": Likelihood,
    "syndromes": Syndrome,
    "syndrome_chances": SyndromeChance,
    "syndrome_members": SyndromeMember,
    "red_flags": RedFlag,
    "risk_groups": RiskGroup,
    "advice": Advice,
    "glossary": GlossaryTerm,
    "translations": Translation,
    "calibration_studies": CalibrationStudy,
    "reviews": Review,
}
SOURCE_DOCUMENT = "source-document.txt"
SHARED = (Topic, Source)  # these outlive their topic's drafts: releases and other topics name them
LOADED = "Loaded from the fixtures."

type Key = tuple[str, ...]
type Fields = Mapping[str, Any]
type Line = tuple[str, Fields]
"""Where it stands, and its fields."""
type Rows = dict[type[models.Model], dict[Key, models.Model]]


class UnfitFixture(Exception):
    """A line of a fixture that cannot be loaded: which one, and why."""


def topic_folders() -> list[Path]:
    files = (
        file for folder in settings.FIXTURE_DIRS for file in Path(folder).glob("*/topic.jsonl")
    )
    return sorted(file.parent for file in files)


def document_of(folder: Path) -> Document:
    """Return a topic straight from its fixtures, no database needed, as drafts are compiled."""
    rows = {name: [fields for _, fields in rows_of(folder, name)] for name in FILES}
    (topic,) = rows["topic"]
    return {**rows, "topic": topic}


def files_of(document: Document) -> dict[str, bytes]:
    """Return a topic as the files of its fixtures, by name; none where a part has no rows."""
    topic = dict(document["topic"])
    source_document = topic.pop("source_document")
    files = {SOURCE_DOCUMENT: source_document} if source_document else {}
    for name, model in FILES.items():
        rows = [topic] if name == "topic" else document[name]
        files[f"{name}.jsonl"] = "".join(
            json.dumps(
                {"model": model._meta.label_lower, "fields": _ordered(row)}, ensure_ascii=False
            )
            + "\n"
            for row in rows
        )
    return {name: text.encode() for name, text in sorted(files.items()) if text}


def _ordered(row: Fields) -> Fields:
    """Sort the names inside a value: Postgres keeps such a value in an order of its own."""
    return {
        name: json.loads(json.dumps(value, sort_keys=True)) if isinstance(value, dict) else value
        for name, value in row.items()
    }


def load_topic(folder: Path, *, replace: bool = False) -> bool:
    """Load a topic and return True; leave one that is there already as it is and return False.

    With `replace` its drafts become those of the files. Releases stay in any case.
    """
    if not replace and Topic.objects.filter(key=folder.name).exists():
        return False
    with changing(who=None, why=LOADED):
        write_drafts({name: list(rows_of(folder, name)) for name in FILES}, replace=replace)
    return True


@transaction.atomic
def write_drafts(parts: Mapping[str, Sequence[Line]], *, replace: bool) -> None:
    """Make a topic's drafts what the lines say; a row that is so already is not written.

    Sources are shared: those that the lines leave out stay, and without `replace` those that they
    say otherwise do too. Raises UnfitFixture with the line that cannot be written.
    """
    wanted = {model: _by_key(model, parts[name]) for name, model in FILES.items()}
    there = _rows_there(set(wanted[Topic]))
    for model in reversed(FILES.values()):
        if model not in SHARED:
            gone = [row.pk for key, row in there[model].items() if key not in wanted[model]]
            if gone:
                model._default_manager.filter(pk__in=gone).delete()
    known: Rows = {}
    for model in FILES.values():
        overwrites = replace or model is not Source
        known[model] = _write(model, wanted[model], there[model], known, overwrites=overwrites)


@cache
def identity_of(model: type[models.Model]) -> tuple[str, ...]:
    """Return the fields that tell one row from all others, in the order of its natural key."""
    unique = [
        each.fields or _names(each.expressions)
        for each in model._meta.constraints
        if isinstance(each, models.UniqueConstraint)
    ]
    return max(map(tuple, unique), key=len, default=("key",))


def _names(expressions: Iterable[Any]) -> tuple[str, ...]:
    return tuple(expression.name for expression in expressions)


def natural_key_of(model: type[models.Model], fields: Fields) -> Key:
    """Return the words that a row is found by: the same as its `natural_key`."""
    values = [fields.get(name) for name in identity_of(model)]
    return tuple(
        str(word)
        for value in values
        if value is not None
        for word in (value if isinstance(value, list | tuple) else [value])
    )


def _by_key(model: type[models.Model], lines: Iterable[Line]) -> dict[Key, Line]:
    found: dict[Key, Line] = {}
    for place, fields in lines:
        _refuse_unknown(model, fields, place)
        key = natural_key_of(model, fields)
        if key in found:
            raise UnfitFixture(f"{place}: this row stands at {found[key][0]} already.")
        found[key] = place, fields
    return found


def _refuse_unknown(model: type[models.Model], fields: Fields, place: str) -> None:
    own = {field.name for field in (*model._meta.concrete_fields, *model._meta.many_to_many)}
    for name in fields:
        if name not in own:
            raise UnfitFixture(f"{place}: there is no field “{name}”.")


def _rows_there(topics: Iterable[Key]) -> Rows:
    """Return what the database has of these topics, and all sources: one query for each table."""
    keys: dict[type[models.Model], dict[int, Key]] = {}
    there: Rows = {}
    for model in FILES.values():
        rows = model._default_manager.all()
        if model is not Source:
            rows = rows.filter(**{f"{way_to_topic(model)}key__in": [key for (key,) in topics]})
        there[model] = {_key_there(row, keys): row for row in rows.order_by()}
        keys[model] = {row.pk: key for key, row in there[model].items()}
    return there


def way_to_topic(model: type[models.Model]) -> str:
    """Return how a query gets from a model to its topic: “condition__topic__”."""
    if model is Topic:
        return ""
    name = identity_of(model)[0]
    parent: Any = model._meta.get_field(name).related_model
    return f"{name}__{way_to_topic(parent)}"


def _key_there(row: models.Model, keys: dict[type[models.Model], dict[int, Key]]) -> Key:
    fields = {}
    for name in identity_of(type(row)):
        match field := row._meta.get_field(name):
            case models.ForeignKey():
                pk = getattr(row, field.attname)
                known: Any = keys[field.related_model]
                # Nothing keeps a row from naming one of another topic but the list of faults.
                fields[name] = known.get(pk) or (pk and getattr(row, name).natural_key())
            case _:
                fields[name] = getattr(row, name)
    return natural_key_of(type(row), fields)


def _write(
    model: type[models.Model],
    wanted: Mapping[Key, Line],
    there: Mapping[Key, models.Model],
    known: Rows,
    *,
    overwrites: bool,
) -> dict[Key, models.Model]:
    """Write the rows of one table that are not as wanted; return all by natural key."""
    columns = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    rows = {key: _row(model, fields, known, place) for key, (place, fields) in wanted.items()}
    for key, row in rows.items():
        if key not in there:
            continue
        row.pk = there[key].pk
        row._state.adding = False
        if overwrites and any(getattr(row, each) != getattr(there[key], each) for each in columns):
            row.save(force_update=True)
    model._default_manager.bulk_create(row for key, row in rows.items() if key not in there)
    for field in model._meta.many_to_many:
        links = {
            (rows[key].pk, linked.pk)
            for key, (place, fields) in wanted.items()
            for linked in _linked(field, fields.get(field.name, []), known, place)
        }
        _link(field, [row.pk for row in rows.values()], links)
    return {**there, **rows} if model is Source else rows


def _link(field: Any, rows: list[int], links: set[tuple[int, int]]) -> None:
    """Make the links of these rows the wanted ones, and write none that is there."""
    through = field.remote_field.through
    names = (f"{field.m2m_field_name()}_id", f"{field.m2m_reverse_field_name()}_id")
    found = through.objects.filter(**{f"{names[0]}__in": rows}).values_list("pk", *names)
    there = {(row, linked): pk for pk, row, linked in found}
    through.objects.filter(pk__in=[pk for link, pk in there.items() if link not in links]).delete()
    through.objects.bulk_create(
        through(**dict(zip(names, link, strict=True))) for link in sorted(links - set(there))
    )


def _row(model: type[models.Model], fields: Fields, known: Rows, place: str) -> models.Model:
    """Return the unsaved row, with what it names found by natural key."""
    row = model()
    for name, value in fields.items():
        try:
            match field := model._meta.get_field(name):
                case models.ManyToManyField():
                    pass
                case models.ForeignKey():
                    (linked,) = [None] if value is None else _linked(field, [value], known, place)
                    setattr(row, name, linked)
                case models.Field():
                    setattr(row, name, field.to_python(value))
                case _:
                    raise UnfitFixture(f"{place}: “{name}” is no field of its own.")
        except (TypeError, ValidationError) as error:
            raise UnfitFixture(f"{place}: “{name}”: {error}") from None
    return row


def _linked(field: Any, keys: Iterable[Any], known: Rows, place: str) -> list[models.Model]:
    try:
        return [known[field.related_model][tuple(key)] for key in keys]
    except KeyError as error:
        raise UnfitFixture(f"{place}: “{field.name}” names {error}, which is nowhere.") from None


def rows_of(folder: Path, name: str) -> Iterator[Line]:
    """Yield the lines of one of a topic's files. The source document is a file of its own, to be
    read as it was written."""
    file, document = folder / f"{name}.jsonl", folder / SOURCE_DOCUMENT
    if not file.exists():
        return
    for place, fields in lines_of(file.read_bytes().decode(), file.name):
        if name == "topic" and document.exists():
            fields["source_document"] = document.read_bytes().decode()
        yield place, fields


def lines_of(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each line of a file stands, and its fields."""
    # Not splitlines(): a text may hold characters that it takes for the end of a line.
    lines = text.removesuffix("\n").split("\n") if text else []
    for number, line in enumerate(lines, start=1):
        place = f"{name}, line {number}"
        try:
            yield place, json.loads(line)["fields"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise UnfitFixture(f"{place}: this is no row: {error}") from None
