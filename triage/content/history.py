"""The audit as staff read it: who changed what, from what to what, when and why."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from .models import AuditRecord, Source, Topic

LONG = 200  # characters of a text that are shown; the file has all


@dataclass(frozen=True, slots=True)
class Moved:
    """One field of a row, before and after; one of them is empty where the row was not there."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    who: str
    why: str
    what: str
    action: str
    moved: tuple[Moved, ...]
    link: str


def changes_of(topic: Topic) -> QuerySet[AuditRecord]:
    """Return every change of a topic, and of the sources that topics share, the last one first."""
    shared = Q(topic=None, table=Source._meta.db_table)
    return AuditRecord.objects.filter(Q(topic=topic) | shared).order_by("-pk")


def told(records: Iterable[AuditRecord]) -> list[Change]:
    """Return records as staff read them; one query for each kind of row that they name."""
    records = list(records)
    names = _Names(records)
    return [
        Change(
            at=record.at,
            who=record.who_name,
            why=record.why,
            what=names.of(_model(record), record.row, record.after or record.before or {}),
            action=record.get_action_display(),
            moved=tuple(_moved(record, names)),
            link=_link(record),
        )
        for record in records
    ]


def address_of(row: models.Model) -> str:
    """Return where the history of one row stands; a source stands with those of any topic."""
    table = row._meta.db_table
    record = AuditRecord.objects.filter(table=table, row=row.pk).first()
    topic = record and Topic.objects.filter(pk=record.topic_id or 0).first()
    topic = topic or Topic.objects.order_by("pk").first()
    if topic is None:
        return reverse("admin:index")
    query = urlencode({"table": table, "row": row.pk})
    return f"{reverse('content:changes', args=[topic.key])}?{query}"


def people_of(topic: Topic) -> list[User]:
    """Return everybody who has changed something in a topic."""
    return list(User.objects.filter(pk__in=changes_of(topic).order_by().values("who")))


def _model(record: AuditRecord) -> type[models.Model]:
    return _kinds()[record.table]


def _kinds() -> Mapping[str, type[models.Model]]:
    return {
        model._meta.db_table: model
        for model in apps.get_app_config("content").get_models(include_auto_created=True)
    }


def _moved(record: AuditRecord, names: "_Names") -> Iterator[Moved]:
    before, after = record.before or {}, record.after or {}
    for field in _fields(_model(record)):
        old, new = before.get(field.column), after.get(field.column)
        if field.primary_key or old == new or (not before and new in ("", None)):
            continue
        yield Moved(str(field.verbose_name), names.shown(field, old), names.shown(field, new))


def _link(record: AuditRecord) -> str:
    model = _model(record)
    if record.action == AuditRecord.Action.DELETED or model._meta.auto_created:
        return ""
    try:
        return reverse(f"admin:content_{model._meta.model_name}_change", args=[record.row])
    except NoReverseMatch:
        return ""


def _fields(model: type[models.Model]) -> list[Any]:
    return list(model._meta.concrete_fields)


class _Names:
    """What rows are called now; a row that is gone by what its record says of it."""

    def __init__(self, records: Iterable[AuditRecord]) -> None:
        wanted: dict[type[models.Model], set[int]] = {}
        for record in records:
            model = _model(record)
            wanted.setdefault(model, set()).add(record.row)
            for field in _fields(model):
                for side in (record.before, record.after):
                    if field.is_relation and side and side.get(field.column):
                        wanted.setdefault(field.related_model, set()).add(side[field.column])
        self._rows = {
            model: {row.pk: row for row in _with_relations(model).filter(pk__in=keys)}
            for model, keys in wanted.items()
        }

    def of(self, model: type[models.Model], pk: int, said: Mapping[str, Any]) -> str:
        kind = str(model._meta.verbose_name)
        if not model._meta.auto_created and (row := self._rows.get(model, {}).get(pk)):
            return f"{kind}: {_long(str(row))}"
        if model._meta.auto_created:
            pairs = [
                self.shown(field, said.get(field.column))
                for field in _fields(model)
                if field.is_relation
            ]
            return f"{kind}: {', '.join(pairs)}"
        known = next(
            (said[name] for name in ("key", "term", "place", "title") if said.get(name)), pk
        )
        parents = [
            self.shown(field, said.get(field.column))
            for field in _fields(model)
            if field.is_relation and field.related_model is not Topic and said.get(field.column)
        ]
        return f"{kind}: {known if known != pk else ', '.join(parents) or pk}"

    def shown(self, field: Any, value: Any) -> str:
        if value is None:
            return ""
        if field.is_relation:
            row = self._rows.get(field.related_model, {}).get(value)
            return str(row) if row else f"number {value}, which is gone"
        if field.get_internal_type() == "BooleanField":
            return "yes" if value else "no"
        return _long(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _with_relations(model: type[models.Model]) -> QuerySet[Any]:
    """Return the rows with what their names are made of."""
    related = {
        "Option": ("feature",),
        "Likelihood": ("condition", "option__feature"),
        "SyndromeChance": ("syndrome", "condition"),
        "SyndromeMember": ("syndrome", "condition", "option__feature"),
        "Proposal": ("topic",),
    }
    rows: QuerySet[Any] = model._default_manager.all()
    if model.__name__ in related:
        rows = rows.select_related(*related[model.__name__])
    return rows.defer("document") if model.__name__ in ("Release", "Snapshot") else rows


def _long(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]} …"
