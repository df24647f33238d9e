"""Two languages that nobody speaks, in which a text that was never translated stands out.

`qps` writes each letter with an accent and each word a third longer, as many languages are longer
than English; `qpr` does the same in Hebrew letters, from right to left. Placeholders, tags and
figures stay, and ⟦ ⟧ show where a message begins and ends. The codes are from ISO 639-2's range for
private use.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import django
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from django.conf import settings
from django.test import override_settings

from triage import catalogues
from triage.content import knowledge
from triage.content.choices import TranslationStatus
from triage.content.knowledge import Content, Wording
from triage.content.models import Release
from triage.content.paragraphs import BROKEN_OFF
from triage.content.translations import gaps_in, place_of, texts_in, translated

ACCENTED = "àƀçđéƒĝĥîĵķļɱñöþɋŕšţûṽŵẋýž"
HEBREW = "אבגדהוזחטיכלמנסעפצקרשתובזש"

LETTERS = {
    "qps": str.maketrans(ascii_lowercase + ascii_lowercase.upper(), ACCENTED + ACCENTED.upper()),
    "qpr": str.maketrans(ascii_lowercase + ascii_lowercase.upper(), HEBREW * 2),
}

KEPT = re.compile(r"%\(\w+\)[sd]|%[%sd]|\{\w*\}|<[^>]*>|&#?\w+;")
WORD = re.compile(r"[A-Za-z]+")


def spoken(text: str, language: str) -> str:
    """Return the text in one of the two languages, with no marks of where it begins and ends."""
    said, end = [], 0
    for kept in KEPT.finditer(text):
        said += [_longer(text[end : kept.start()], language), kept[0]]
        end = kept.end()
    return "".join([*said, _longer(text[end:], language)])


def _longer(text: str, language: str) -> str:
    """Say each third letter of each word twice."""
    stretched = WORD.sub(lambda word: re.sub(r"(..)(.)", r"\1\2\2", word[0]), text)
    return stretched.translate(LETTERS[language])


def message(text: str, language: str) -> str:
    return f"⟦{spoken(text, language)}⟧"


def write_catalogue(folder: Path, language: str) -> None:
    """Write every message of the Spanish catalogue, and of Django's own, which has the dates."""
    own = (file for file in catalogues.po_files() if catalogues.language_of(file) == "es")
    catalogue = Catalog()
    for file in (Path(django.__file__).parent / "conf/locale/es/LC_MESSAGES/django.po", *own):
        for each in catalogues.catalogue_of(file):
            if isinstance(each.id, str) and each.id:
                catalogue.add(each.id, message(each.id, language), context=each.context)
            elif each.id:
                said = tuple(message(text, language) for text in each.id)
                catalogue.add(each.id, said, context=each.context)
    stream = BytesIO()
    write_mo(stream, catalogue)
    file = folder / language / "LC_MESSAGES" / f"{catalogues.DOMAIN}.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(stream.getvalue())


def places(language: str) -> Mapping[str, str]:
    """Return the names and numbers of this place; the emergency number is the same for all."""
    own = settings.PLACEHOLDERS[settings.LANGUAGE]
    return {
        name: text if name == "emergency_number" else spoken(text, language)
        for name, text in own.items()
    }


def translations(document: Mapping[str, Any], language: str) -> list[dict[str, str]]:
    """Return every text of a release as somebody would translate it.

    What is looked up by its words bears no marks: the glossary, and the title of the source document,
    which the document repeats.
    """
    bare = {
        place_of("glossary", row, field)
        for row in document["glossary"]
        for field in ("term", "also")
    }
    source = place_of("topic", document["topic"], "source_document")
    return [
        {
            "language": language,
            "place": place,
            "original": text,
            "text": spoken(BROKEN_OFF.sub("", text), language)
            if place in {*bare, source}
            else message(text, language),
            "status": TranslationStatus.TRANSLATED,
        }
        for place, text in texts_in(document).items()
    ]


def in_more_languages(content: Content, document: dict[str, Any]) -> Content:
    """Return a release as if it had been published with both languages."""
    for language in LETTERS:
        document["translations"] += translations(document, language)
        assert list(gaps_in(document, language)) == []
    return replace(
        content,
        wordings={
            **content.wordings,
            **{
                language: Wording(translated(document, language), language, is_checked=False)
                for language in LETTERS
            },
        },
    )


@contextmanager
def speaking_them(folder: Path, release: Release) -> Iterator[None]:
    """Have interface and content in both languages, as if this place spoke them."""
    for language in LETTERS:
        write_catalogue(folder, language)
    more = override_settings(
        LANGUAGES=[*settings.LANGUAGES, *((language, "⟦⟧") for language in LETTERS)],
        LANGUAGES_BIDI=[*settings.LANGUAGES_BIDI, "qpr"],
        LOCALE_PATHS=[*settings.LOCALE_PATHS, folder],
        PLACEHOLDERS={**settings.PLACEHOLDERS, **{each: places(each) for each in LETTERS}},
    )
    content = knowledge.content_of(release.pk)
    with more:
        knowledge._contents[release.pk] = in_more_languages(content, json.loads(release.document))
        try:
            yield
        finally:
            knowledge._contents[release.pk] = content
