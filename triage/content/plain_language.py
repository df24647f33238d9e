"""Whether people understand what they read: its school grade, hard words, lists that say so.

What is read at once is judged as one text, since a few words more or less move the grade of a
single sentence by years: a question with its help, in each way of asking; its answers together;
the message of a red flag; an advice with all of its parts. Names and titles are no sentences: they
are looked through for hard words only.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from .choices import Kind
from .glossary import Glossary, jargon, terms_of
from .knowledge import Document, Fields, options_of
from .places import PLACEHOLDER, british
from .reading import as_sentences, grade_of, reading_of
from .reading_es import perspicuity_of
from .translations import ENGLISH, translated

SPANISH = "es"

MOST = 6
"""The highest school grade of a text for patients; its readers are 11 to 12 years old."""

LEAST_EASE = 55
"""The least perspicuity of a Spanish text: normal for whoever reads a newspaper; see reading_es."""

# Of each part of a document, the fields that are read as one text.
READ: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "topic": (("title", "covers"),),
    "conditions": (("plain_summary",), ("how_found",), ("how_treated",)),
    "features": (
        ("text", "help_text"),
        ("text_helper", "help_text"),
        ("text_other", "help_text"),
        ("why_we_ask",),
    ),
    "red_flags": (("message",),),
    "syndromes": (("plain_name", "plain_name_absent"),),
    "advice": (("heading", "what_to_do", "self_care", "safety_net", "do_not"),),
    "glossary": (("meaning",),),
}
NAMES: Mapping[str, tuple[str, ...]] = {
    "conditions": ("plain_name",),
    "features": ("name", "section"),
    "options": ("text",),
    "red_flags": ("title",),
    "risk_groups": ("name",),
}
ANYTHING = re.compile("")  # what says it in a language that we do not know, nobody can tell
WAYS_OF_ASKING = ("text", "text_helper", "text_other")
SAYS_SEVERAL: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(r"\b(?:any|all) of these\b|\ball that (?:fit|apply)\b", re.IGNORECASE),
    "es": re.compile(
        r"\balgun[oa]s? de est[oa]s\b|\btod[oa]s est[oa]s\b|\btodo lo que corresponda\b",
        re.IGNORECASE,
    ),
}

type Complaint = tuple[str, Fields, str, str]
"""The part of the document, the row of it, the field (none: the question's answers), and what is
wrong, as the end of a sentence."""


def complaints_in(document: Document) -> Iterator[Complaint]:
    yield from _hard_to_read(document)
    yield from _unexplained(document)
    yield from _explained_badly(document)
    yield from _lists(document, ENGLISH)


def complaints_in_translation(document: Document, language: str) -> Iterator[Complaint]:
    """Yield what a translation says badly. Hard words are known for English only, and how easy a
    text is for Spanish as well."""
    said = translated(document, language)
    if language == SPANISH:
        yield from _not_easy(said)
    yield from _ambiguous(said)
    yield from _lists(said, language)


def _hard_to_read(document: Document) -> Iterator[Complaint]:
    for part, row, names, text in _read_at_once(document):
        if round(grade_of(text), 1) > MOST:
            reading = reading_of(text)
            what = (
                f"{_called(names)} reads at grade {reading.grade:.1f}; {MOST} is the most. The hardest"
                f" sentence: “{reading.hardest}” The longest words: {', '.join(reading.longest)}."
            )
            yield part, row, "".join(names[:1]), what


def _not_easy(document: Document) -> Iterator[Complaint]:
    for part, row, names, text in _read_at_once(document, SPANISH):
        ease = perspicuity_of(text)
        if round(ease, 1) < LEAST_EASE:
            what = f"{_called(names)} reads at {ease:.1f}; {LEAST_EASE} is the least: “{text}”"
            yield part, row, "".join(names[:1]), what


def texts_of(document: Document, language: str = ENGLISH) -> Iterator[tuple[str, Fields, str, str]]:
    """Yield each text that is read at once: its part and row, what it is, and the text."""
    for part, row, names, text in _read_at_once(document, language):
        yield part, row, _called(names), text


def _read_at_once(
    document: Document, language: str = ENGLISH
) -> Iterator[tuple[str, Fields, tuple[str, ...], str]]:
    """Yield each such text with the fields it is made of; none of them for a question's answers."""
    for part, texts in READ.items():
        for row in rows_of(document, part):
            for names in texts:
                yield part, row, names, as_read(language, *(row[name] for name in names))
    for row in document["features"]:
        answers = (option["text"] for option in options_of(row, document))
        yield "features", row, (), as_read(language, *answers)


def _called(names: tuple[str, ...]) -> str:
    return " with ".join(f"“{name}”" for name in names) or "its list of answers"


def rows_of(document: Document, part: str) -> list[Fields]:
    return [document["topic"]] if part == "topic" else document[part]


def as_read(language: str, *parts: str) -> str:
    """Return the parts as sentences, with British names in the place of placeholders.

    A clinic's own names could make a text hard that nobody can mend, as drafts are the same for all.
    """
    names = british(language)
    return PLACEHOLDER.sub(lambda match: names.get(match[1], "it"), as_sentences(parts))


def _unexplained(document: Document) -> Iterator[Complaint]:
    glossary = Glossary(terms_of(document["glossary"]))
    for part, row, name in _looked_through(document):
        for word in _hard_words(glossary.without_terms(row[name])):
            what = (
                f"“{name}” says “{word}”, which the glossary does not explain. Add it there, or say"
                " it in plainer words."
            )
            yield part, row, name, what


def _looked_through(document: Document) -> Iterator[tuple[str, Fields, str]]:
    """Yield each field that a patient reads, once; what the glossary says is looked at by itself."""
    for part in dict.fromkeys([*READ, *NAMES]):
        fields = dict.fromkeys(
            [*NAMES.get(part, ()), *(name for names in READ.get(part, ()) for name in names)]
        )
        for row in rows_of(document, part) if part != "glossary" else ():
            for name in fields:
                yield part, row, name


def _hard_words(text: str) -> list[str]:
    return list(dict.fromkeys(match[0] for match in jargon().finditer(text)))


def _explained_badly(document: Document) -> Iterator[Complaint]:
    yield from _ambiguous(document)
    for row, term in zip(document["glossary"], terms_of(document["glossary"]), strict=True):
        for word in _hard_words(Glossary([term]).without_terms(term.meaning)):
            what = f"its meaning says “{word}”, which is hard as well. Say it plainly."
            yield "glossary", row, "meaning", what


def _ambiguous(document: Document) -> Iterator[Complaint]:
    terms = list(zip(document["glossary"], terms_of(document["glossary"]), strict=True))
    forms = Counter(form.casefold() for _, term in terms for form in term.forms)
    for row, term in terms:
        for form in term.forms:
            if forms[form.casefold()] > 1:
                what = f"“{form}” stands for more than one word. Keep one."
                yield "glossary", row, "term" if form == term.word else "also", what


def _lists(document: Document, language: str) -> Iterator[Complaint]:
    """A list of boxes looks like one of circles: only words say that more than one may hold."""
    says_several = SAYS_SEVERAL.get(language, ANYTHING)
    for row in document["features"]:
        for name in WAYS_OF_ASKING if row["kind"] == Kind.MULTI else ():
            if not says_several.search(f"{row[name]} {row['help_text']}"):
                what = (
                    f"neither “{name}” nor “help_text” says that several answers may be ticked."
                    " Ask for “any of these”, “all of these” or “all that fit”."
                )
                yield "features", row, name, what
