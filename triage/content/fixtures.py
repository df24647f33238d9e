"""Reads a topic from its fixtures: one fact a line, natural keys, as Django serialises them.

Django's own `loaddata` reads the same files; but it looks each natural key up in the database, and
takes ten seconds for a topic where this takes less than one.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models, transaction

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

type Key = tuple[str, ...]
type Known = dict[type[models.Model], dict[Key, models.Model]]
type Links = dict[str, list[models.Model]]
type Line = tuple[str, dict[str, Any]]
"""Where it stands, and its fields."""


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


@transaction.atomic
def load_topic(folder: Path, *, replace: bool = False) -> bool:
    """Load a topic and return True; leave one that is there already as it is and return False.

    With `replace` the drafts of the topic are thrown away first. Releases stay in any case.
    """
    if topic := Topic.objects.filter(key=folder.name).first():
        if not replace:
            return False
        topic.delete_drafts()
    known: Known = {}
    for name, model in FILES.items():
        known[model] = _load_file(rows_of(folder, name), model, known, replace=replace)
    return True


def _load_file(
    lines: Iterable[Line], model: type[models.Model], known: Known, *, replace: bool
) -> dict[Key, models.Model]:
    """Load the lines of one file and return its rows by natural key."""
    built = [_row(model, fields, known, place) for place, fields in lines]
    rows = [row for row, _ in built]
    if model in SHARED:
        return _load_shared(model, rows, replace=replace)
    model._default_manager.bulk_create(rows)
    for field in model._meta.many_to_many:
        through = getattr(model, field.name).through
        through.objects.bulk_create(
            through(**{field.m2m_field_name(): row, field.m2m_reverse_field_name(): linked})
            for row, links in built
            for linked in links.get(field.name, [])
        )
    return {row.natural_key(): row for row in rows}  # type: ignore[attr-defined] # ours all have one


def _load_shared(
    model: type[models.Model], rows: list[models.Model], *, replace: bool
) -> dict[Key, models.Model]:
    fields = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    if replace:
        model._default_manager.bulk_create(
            rows, update_conflicts=True, unique_fields=["key"], update_fields=fields
        )
    else:
        model._default_manager.bulk_create(rows, ignore_conflicts=True)
    return {(row.key,): row for row in model._default_manager.all()}  # type: ignore[attr-defined]


def _row(
    model: type[models.Model], fields: dict[str, Any], known: Known, place: str
) -> tuple[models.Model, Links]:
    """Return the unsaved row and what it links to, found by natural key."""
    row, links = model(), {}
    for name, value in fields.items():
        try:
            match field := model._meta.get_field(name):
                case models.ManyToManyField():
                    links[name] = [known[field.related_model][tuple(key)] for key in value]
                case models.ForeignKey():
                    found = None if value is None else known[field.related_model][tuple(value)]
                    setattr(row, name, found)
                case models.Field():
                    setattr(row, name, field.to_python(value))
                case _:
                    raise UnfitFixture(f"{place}: “{name}” is no field of its own.")
        except FieldDoesNotExist:
            raise UnfitFixture(f"{place}: there is no field “{name}”.") from None
        except KeyError as error:
            raise UnfitFixture(f"{place}: “{name}” names {error}, which is nowhere.") from None
        except (TypeError, ValidationError) as error:
            raise UnfitFixture(f"{place}: “{name}”: {error}") from None
    return row, links


def rows_of(folder: Path, name: str) -> Iterator[Line]:
    """Yield the lines of one of a topic's files. The source document is a file of its own, to be
    read as it was written."""
    document = folder / SOURCE_DOCUMENT
    for place, fields in lines_of(folder / f"{name}.jsonl"):
        if name == "topic" and document.exists():
            fields["source_document"] = document.read_text(encoding="utf-8")
        yield place, fields


def lines_of(file: Path) -> Iterator[Line]:
    """Yield where each line stands and its fields; nothing if the topic has no such file."""
    if not file.exists():
        return
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        place = f"{file.name}, line {number}"
        try:
            yield place, json.loads(line)["fields"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise UnfitFixture(f"{place}: this is no row: {error}") from None
