"""A topic seen whole: as a picture, and as a table of what each question tells."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from triage.content.choices import Tier
from triage.content.documents import compile_release
from triage.content.knowledge import Document, knowledge_from
from triage.content.map_drawing import drawn
from triage.content.matrix import SHADES, Matrix, matrix_of
from triage.content.models import Topic
from triage.content.topic_map import (
    LEAST_TOLD,
    MOST_TOLD,
    Place,
    TopicMap,
    around,
    map_of,
    order_of,
    overview,
)
from triage.engine import Knowledge, Unsound
from triage.staff.pages import staff_page

from .page import page

type Addresses = Mapping[Place, str]


class Narrowing(forms.Form):
    """What a map of one thing is of."""

    of = forms.ChoiceField(label="Show only what goes with", required=False)

    def __init__(self, whole: TopicMap, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        groups = {
            "Questions": [(f"features/{q.key}", q.name) for q in whole.features],
            "Rules": [(f"red_flags/{flag.key}", flag.title) for flag in whole.flags],
            "Conditions": [(f"conditions/{c.key}", c.name) for c in whole.conditions],
        }
        self.fields["of"].choices = [  # type: ignore[attr-defined] # a choice
            ("", "Everything"),
            *((heading, things) for heading, things in groups.items() if things),
        ]

    def narrowed(self, whole: TopicMap) -> TopicMap | None:
        """Return the map around what was chosen, or None for the whole of it."""
        if not self.is_valid() or not (of := self.cleaned_data["of"]):
            return None
        part, _, key = of.partition("/")
        return around(whole, (part, key))


@staff_page("content.view_topic")
@require_safe
def topic_map(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    document = compile_release(found)
    knowledge = _knowledge(document)
    order = order_of(found, document, knowledge)
    whole = map_of(document, knowledge, order.asked)
    narrowing = Narrowing(whole, request.GET)
    narrowed = narrowing.narrowed(whole)
    shown = narrowed or overview(whole)
    addresses = _addresses(found)
    svg = "" if shown.is_empty else drawn(shown, addresses, with_answers=narrowed is not None)
    return page(
        request,
        "content/map.html",
        title="Map",
        topic=found,
        svg=mark_safe(svg),  # every text in it is escaped where it is drawn
        narrowing=narrowing,
        narrowed=narrowed,
        order=order,
        is_sound=knowledge is not None,
        lists=_in_words(shown, addresses),
        most_told=MOST_TOLD,
        least_told=LEAST_TOLD,
        is_nav_sidebar_enabled=False,  # it is wide
    )


@staff_page("content.view_topic")
@require_safe
def matrix(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    document = compile_release(found)
    knowledge = _knowledge(document)
    return page(
        request,
        "content/matrix.html",
        title="Matrix",
        topic=found,
        is_empty=not document["conditions"] or not document["features"],
        table=_table(matrix_of(knowledge), document, found) if knowledge else None,
        shades=_SHADES,
        is_nav_sidebar_enabled=False,
    )


def _knowledge(document: Document) -> Knowledge | None:
    """Return None of drafts that nothing can be worked out from."""
    try:
        return knowledge_from(document) if document["conditions"] else None
    except Unsound:
        return None


def _addresses(topic: Topic) -> Addresses:
    """Return the page of each thing on the map."""
    rows = {
        "features": topic.features,
        "red_flags": topic.red_flags,
        "conditions": topic.conditions,
    }
    return {
        (part, key): reverse(f"admin:content_{manager.model._meta.model_name}_change", args=[pk])
        for part, manager in rows.items()
        for pk, key in manager.values_list("pk", "key")
    }


# In words: what the picture shows, for whoever does not see it


def _in_words(shown: TopicMap, addresses: Addresses) -> dict[str, list[dict[str, Any]]]:
    names = shown.names

    def link(part: str, key: str, name: str) -> dict[str, str]:
        return {"name": name, "address": addresses.get((part, key), ""), "of": f"{part}/{key}"}

    return {
        "features": [
            link("features", q.key, q.name)
            | {"section": q.section, "tier": Tier(q.tier).label, "asked": _asked(q.asked)}
            for q in shown.features
        ],
        "red_flags": [
            link("red_flags", flag.key, flag.title)
            | {
                "urgency": flag.urgency.label,
                "needs": [
                    link("features", need.feature, names[need.feature])
                    | {
                        "sentences": need.sentences,
                        "enough": [a.words for a in need.answers if a.is_enough],
                    }
                    for need in flag.needs
                ],
            }
            for flag in shown.flags
        ],
        "conditions": [
            link("conditions", condition.key, condition.name)
            | {
                "urgency": condition.urgency.label,
                "prior": condition.prior_percent,
                "told_by": [
                    link("features", t.feature, names[t.feature]) | {"nats": t.nats}
                    for t in condition.told_by
                ],
            }
            for condition in shown.conditions
        ],
    }


def _asked(asked: Any) -> dict[str, float] | None:
    return asked and {"share": 100 * asked.share, "place": asked.place}


_SHADES = [
    ("hardly anything", f"below {SHADES[0]:g}"),
    ("a little", f"from {SHADES[0]:g}"),
    ("something", f"from {SHADES[1]:g}"),
    ("much: about twice as likely", f"from {SHADES[2]:g}"),
    ("very much: four times and more", f"from {SHADES[3]:g}"),
]


def _table(matrix: Matrix, document: Document, topic: Topic) -> dict[str, Any]:
    features = {row["key"]: row["name"] for row in document["features"]}
    conditions = {row["key"]: row["plain_name"] for row in document["conditions"]}
    addresses = _addresses(topic)

    def condition(key: str) -> dict[str, str]:
        return {"name": conditions[key], "address": addresses["conditions", key]}

    def feature(key: str) -> dict[str, str]:
        return {"name": features[key], "address": reverse("content:grid", args=[topic.key, key])}

    return {
        "heads": [condition(key) for key in matrix.conditions],
        "rows": [
            feature(row.feature)
            | {
                "mean": row.mean,
                "cells": list(zip(row.cells, map(conditions.get, matrix.conditions), strict=True)),
            }
            for row in matrix.rows
        ],
        "pairs": [
            {
                "one": condition(pair.one),
                "other": condition(pair.other),
                "wrong": pair.wrong,
                "telling": [feature(key) for key in pair.telling],
            }
            for pair in matrix.pairs
        ],
    }
