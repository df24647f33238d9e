"""A topic's drafts as one document: what is checked for faults, hashed and frozen."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core import serializers
from django.db import models

from .models import Likelihood, Option, Source, SyndromeChance, SyndromeMember, Topic

type Document = dict[str, Any]
"""A whole topic: its own fields, and a list of rows for each file of its fixtures but the topic's."""


def compile_release(topic: Topic) -> Document:
    """Return all of a topic's drafts, as the fixtures hold them: rows with natural keys, sorted."""
    (fields,) = _rows([topic])
    return {
        "topic": fields,
        "sources": _rows(Source.objects.not_of_others(topic)),
        "conditions": _rows(topic.conditions.select_related("topic").prefetch_related("sources")),
        "features": _rows(topic.features.select_related("topic")),
        "options": _rows(Option.objects.of(topic)),
        "likelihoods": _rows(Likelihood.objects.of(topic)),
        "syndromes": _rows(topic.syndromes.select_related("topic").prefetch_related("sources")),
        "syndrome_chances": _rows(SyndromeChance.objects.of(topic)),
        "syndrome_members": _rows(SyndromeMember.objects.of(topic)),
        "red_flags": _rows(topic.red_flags.select_related("topic").prefetch_related("sources")),
        "risk_groups": _rows(
            topic.risk_groups.select_related("topic").prefetch_related(
                "sources", "conditions__topic"
            )
        ),
        "advice": _rows(topic.advice.select_related("topic")),
        "glossary": _rows(topic.glossary.select_related("topic")),
        "translations": _rows(topic.translations.select_related("topic")),
        "calibration_studies": _rows(topic.calibration_studies.select_related("topic", "source")),
        "reviews": _rows(topic.reviews.select_related("topic")),
    }


def _rows[M: models.Model](rows: Iterable[M]) -> list[dict[str, Any]]:
    # Sorted here and not by the database, whose collation differs from one to the next.
    in_order = sorted(rows, key=lambda row: row.natural_key())  # type: ignore[attr-defined] # all of ours have one
    serialised = serializers.serialize(
        "python", in_order, use_natural_foreign_keys=True, use_natural_primary_keys=True
    )
    many = [field.name for field in in_order[0]._meta.many_to_many] if in_order else []
    return [
        {name: _plain(value) for name, value in row["fields"].items()}
        | {name: sorted(row["fields"][name]) for name in many}
        for row in serialised
    ]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def canonical(document: Document) -> bytes:
    """Return the one JSON form of a document: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
