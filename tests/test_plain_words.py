"""What the program says by itself is as plain as the content has to be.

Each message is judged alone: that is stricter than a whole page, whose easy sentences make up for a
hard one. A label of a few words has no grade that means anything; it is looked through for hard
words only.
"""

import re
from collections.abc import Iterator

import pytest
from babel.messages import Message
from django.conf import settings

from triage import catalogues
from triage.content.fixtures import document_of
from triage.content.glossary import Glossary, jargon, terms_of
from triage.content.plain_language import MOST
from triage.content.reading import reading_of, words_of

from .conftest import TOPIC

BESIDE_QUESTIONS = ("templates/questionnaire/", "templates/partials/", "triage/questionnaire/")
MOST_ELSEWHERE = 8
"""Pages about the service, of cookies and of guidelines, cannot do without long words."""

FEWEST_WORDS = 6
TAG_OR_PLACE = re.compile(r"<[^>]*>|%\(\w+\)[sd]")


@pytest.fixture(scope="module")
def glossary() -> Glossary:
    document = document_of(settings.BASE_DIR / "fixtures" / TOPIC)
    return Glossary(terms_of(document["glossary"]))


def said() -> Iterator[tuple[str, int]]:
    """Yield what patients read in English, with the highest grade that it may have."""
    for message in catalogues.messages():
        for text in (message.id,) if isinstance(message.id, str) else message.id:
            yield text, most_of(message)


def most_of(message: Message) -> int:
    beside_questions = any(file.startswith(BESIDE_QUESTIONS) for file, _ in message.locations)
    return MOST if beside_questions else MOST_ELSEWHERE


def complaints(text: str, most: int, glossary: Glossary) -> Iterator[str]:
    plain = TAG_OR_PLACE.sub(lambda found: "" if found[0].startswith("<") else "it", text)
    reading = reading_of(plain)
    if len(words_of(plain)) >= FEWEST_WORDS and round(reading.grade, 1) > most:
        yield f"“{text}” reads at grade {reading.grade:.1f}; {most} is the most."
    for found in jargon().finditer(glossary.without_terms(plain)):
        yield f"“{text}” says “{found[0]}”, which the glossary does not explain."


def test_what_the_program_says_is_plain(glossary: Glossary) -> None:
    assert ("Why are you asking this?", MOST) in said()
    assert ("Cookies", MOST_ELSEWHERE) in said()

    assert not [fault for text, most in said() for fault in complaints(text, most, glossary)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Immediate clinical evaluation of %(name)s is recommended.", "reads at grade 1"),
        ("You may have <strong>cellulitis</strong>.", "says “cellulitis”"),
    ],
)
def test_what_is_not_plain_is_found(text: str, fault: str, glossary: Glossary) -> None:
    (found,) = complaints(text, MOST, glossary)

    assert fault in found


def test_a_label_and_an_explained_word_pass(glossary: Glossary) -> None:
    assert not list(complaints("Accessibility information", MOST, glossary))
    assert not list(complaints("This can be an abscess or a cyst.", MOST, glossary))
