"""How what is being written reads: its school grade, and what makes it hard."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import models

from .models import Advice, Condition, Feature, GlossaryTerm, RedFlag, Syndrome, Topic
from .plain_language import MOST, NAMES, READ, complaints_in, texts_of
from .reading import grade_of, words_of

MODELS: Mapping[str, type[models.Model]] = {
    "topic": Topic,
    "conditions": Condition,
    "features": Feature,
    "red_flags": RedFlag,
    "syndromes": Syndrome,
    "advice": Advice,
    "glossary": GlossaryTerm,
}
"""Of each part of a document whose texts are held to a grade, the model of its rows."""


@dataclass(frozen=True, slots=True)
class Read:
    """One text that is read at once, with its grade by Flesch-Kincaid."""

    what: str
    grade: float

    @property
    def is_hard(self) -> bool:
        return round(self.grade, 1) > MOST


def readings_of(
    part: str,
    fields: Mapping[str, str],
    topic: Topic | None,
    options: Iterable[str] = (),
) -> tuple[list[Read], list[str]]:
    """Return the grade of each text of a row, and all that is hard about them.

    `fields` is the row as it is written now, of this part of a document; `options` are the answers
    if it is a question.
    """
    names = [*NAMES.get(part, ()), *(name for names in READ[part] for name in names)]
    row = {"kind": "", "also": "", **dict.fromkeys(names, ""), **fields, "key": ""}
    own = {"topic": dict.fromkeys(READ["topic"][0], "")} | {part: row if part == "topic" else [row]}
    explained = topic.glossary.exclude(term=fields.get("term", "")) if topic else None
    glossary = list(explained.values("term", "meaning", "also")) if explained is not None else []
    document = {
        **{other: [] for other in [*READ, *NAMES]},
        "options": [
            {"feature": ("", ""), "key": str(place), "order": place, "text": text}
            for place, text in enumerate(options)
        ],
        **own,
    }
    document["glossary"] = [*(document["glossary"] if part == "glossary" else []), *glossary]
    read = [
        Read(_as_on_the_form(what, part), grade_of(text))
        for its, of, what, text in texts_of(document)
        if its == part and of is row and words_of(text)
    ]
    complaints = (what for its, of, _, what in complaints_in(document) if its == part and of is row)
    return read, [_as_on_the_form(what, part) for what in complaints]


def sent_for(part: str) -> str:
    """Return which fields of a form are needed, as htmx has it: a form may have a thousand."""
    if part == "features":
        return "*"  # its answers are numbered
    names = dict.fromkeys([*NAMES.get(part, ()), *(name for each in READ[part] for name in each)])
    return ",".join([*names, "term", "also", "topic", "csrfmiddlewaretoken"])


def _as_on_the_form(what: str, part: str) -> str:
    """Return a sentence with the fields called as the form calls them: “question to a helper”."""
    for field in MODELS[part]._meta.fields:
        what = what.replace(f"“{field.name}”", f"“{field.verbose_name}”")
    return what[:1].upper() + what[1:]
