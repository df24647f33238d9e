"""The texts of a topic in other languages than English, and what still lacks for them.

A clinical text is never shown in another language than was asked for: a language is offered only
where every text of a release is there, fits its English of today, and names the same services.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .choices import TranslationStatus
from .places import PLACEHOLDER

ENGLISH = "en"

# Of each part of a document, the fields that patients read.
TEXTS: Mapping[str, tuple[str, ...]] = {
    "topic": ("title", "covers", "source_document"),
    "conditions": ("name", "plain_name", "plain_summary", "how_found", "how_treated"),
    "features": (
        "name",
        "section",
        "text",
        "text_helper",
        "text_other",
        "help_text",
        "why_we_ask",
    ),
    "options": ("text",),
    "syndromes": ("plain_name", "plain_name_absent"),
    "risk_groups": ("name",),
    "red_flags": ("title", "message"),
    "advice": ("heading", "what_to_do", "self_care", "safety_net", "do_not"),
    "glossary": ("term", "also", "meaning"),
}
MAY_BE_ADDED = "also"
"""A word may have more forms in another language than in English."""

type Document = Mapping[str, Any]
type Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gap:
    """Why a language is not offered: where a text lacks, and what is wrong."""

    place: str
    what: str


def place_of(part: str, row: Fields, field: str) -> str:
    """Return the name of one text: “features/fever/text”, “advice/urgency/same_day/heading”."""
    match part:
        case "options":
            key = f"{row['feature'][1]}/{row['key']}"
        case "advice":
            key = f"{row['scope']}/{row['key']}"
        case "glossary":
            key = row["term"]
        case _:
            key = row["key"]
    return f"{part}/{key}/{field}"


def texts_in(document: Document) -> dict[str, str]:
    """Return every text that patients read, by its place."""
    return {
        place_of(part, row, field): row[field]
        for part, fields in TEXTS.items()
        for row in _rows(document, part)
        for field in fields
        if row.get(field)
    }


def gaps_in(document: Document, language: str) -> Iterator[Gap]:
    """Yield what keeps a language from being offered. English has no gaps: it is what the rest is
    translated from."""
    if language == ENGLISH:
        return
    rows = _translations(document, language)
    for place, text in texts_in(document).items():
        if place not in rows:
            yield Gap(place, "is not translated.")
        elif what := _fault_of(rows[place], text):
            yield Gap(place, what)


def _fault_of(row: Fields, text: str) -> str:
    if row["original"] != text:
        return f"the English has changed since it was translated. It says now: “{text}”"
    if row["status"] == TranslationStatus.DRAFT:
        return "the translation is a draft."
    named = Counter(PLACEHOLDER.findall(text))
    if Counter(PLACEHOLDER.findall(row["text"])) != named:
        return f"the translation must name {', '.join(sorted(named)) or 'no service'}, as often."
    return ""


def is_checked(document: Document, language: str) -> bool:
    """Return whether clinicians have checked every text in this language."""
    rows = _translations(document, language).values()
    return language == ENGLISH or all(row["status"] == TranslationStatus.CHECKED for row in rows)


def translated(document: Document, language: str) -> Document:
    """Return the document with its texts in another language; the numbers stay the same."""
    if language == ENGLISH:
        return document
    texts = {place: row["text"] for place, row in _translations(document, language).items()}
    parts = {part: [_said(part, row, texts) for row in _rows(document, part)] for part in TEXTS}
    return {**document, **parts, "topic": parts["topic"][0]}


def _said(part: str, row: Fields, texts: Mapping[str, str]) -> Fields:
    places = {field: place_of(part, row, field) for field in TEXTS[part]}
    return {
        **row,
        **{
            field: texts[place]
            for field, place in places.items()
            if place in texts and (row.get(field) or field == MAY_BE_ADDED)
        },
    }


def _rows(document: Document, part: str) -> list[Fields]:
    """Return the rows of a part; releases made before it was there have none."""
    return [document["topic"]] if part == "topic" else document.get(part, [])


def _translations(document: Document, language: str) -> dict[str, Fields]:
    """Releases made before there were translations have none."""
    return {
        row["place"]: row for row in document.get("translations", []) if row["language"] == language
    }
