"""How hard texts are: syllables against words counted by hand, and grades worked by hand."""

import pytest
from django.conf import settings

from triage.content.fixtures import document_of
from triage.content.plain_language import MOST, texts_of
from triage.content.reading import (
    APOSTROPHE,
    as_sentences,
    grade_of,
    reading_of,
    sentences_of,
    syllables,
    words_of,
)

# Counted by hand, as said slowly. Words of the content, and others that patients read.
COUNTED = {
    1: "the lump back pain scan ache bruise knee phone lives turned pulled squeezed blade clothes"
    " nerve pus cord cyst numb tongue breathe touched eyes years boil crushed can't won't",
    2: "doctor table muscle middle needle wasted settled painless needed places itches being trying"
    " quiet fluid spasm swollen abscess disease people something sideways likely movement tissue"
    " shingles layer didn't isn't rhythm centre eating cancer sepsis numbness breathless awkward"
    " eyelid kidney surgeon hundred muddled blotchy",
    3: "medicine infection idea area usual easier easily carrier museum video diary hospital"
    " ambulance swallowing anyone appetite poisonous however exercise tomorrow pharmacist clinician"
    " allergy remedy tetanus",
    4: "diabetes operation emergency antiviral appreciate dictionary temperature especially"
    " dermatitis inflammation",
    5: "physiotherapist antibiotic university tuberculosis refrigerator appendicitis",
    6: "osteoporosis responsibility",
}


@pytest.mark.parametrize(
    ("word", "count"), [(word, count) for count, words in COUNTED.items() for word in words.split()]
)
def test_syllables_are_counted_as_people_say_them(word: str, count: int) -> None:
    assert syllables(word) == syllables(word.capitalize()) == count


@pytest.mark.parametrize(
    ("word", "count"),
    [("MRI", 3), ("X-ray", 2), ("long-term", 2), ("38", 1), ("I", 1), (f"doesn{APOSTROPHE}t", 2)],
)
def test_capitals_are_spelt_out_and_numbers_read_at_a_glance(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_grade_is_that_of_flesch_and_kincaid() -> None:
    # 12 words in 2 sentences, 15 syllables: 0.39 * 12 / 2 + 11.8 * 15 / 12 - 15.59 = 1.50
    assert grade_of(
        "Call the doctor today. Do not wait until it gets much worse."
    ) == pytest.approx(1.50)
    # 3 words in 1 sentence, 15 syllables: 0.39 * 3 + 11.8 * 5 - 15.59 = 44.58
    assert grade_of("Physiotherapist tuberculosis refrigerator.") == pytest.approx(44.58)


def test_words_and_sentences_are_those_that_a_reader_sees() -> None:
    text = "Don't wait (call 111)! Is it 38.5 °C or more? Long-term pain, e.g. at night"

    assert sentences_of("Stop. (Really?) Now!") == ["Stop.", "(Really?", "Now!"]
    assert words_of(text)[:5] == ["Don't", "wait", "call", "111", "Is"]
    assert "Long-term" in words_of(text)
    assert "°" not in words_of(text)
    assert grade_of("") == grade_of("… 。") == 0


def test_answers_are_sentences_without_a_full_stop() -> None:
    assert as_sentences(["Is it hot?", "", "Yes ", "Not sure"]) == "Is it hot? Yes. Not sure."


def test_the_hardest_sentence_and_the_longest_words_are_named() -> None:
    reading = reading_of("Rest. Osteoporosis makes a refrigerator of bones. See a doctor.")

    assert reading.hardest == "Osteoporosis makes a refrigerator of bones."
    assert reading.longest == ("osteoporosis", "refrigerator", "doctor")


def test_nothing_that_a_patient_reads_is_above_grade_6() -> None:
    document = document_of(settings.BASE_DIR / "fixtures" / "back-lump")

    grades = {
        (part, str(row.get("key", row.get("term"))), fields): grade_of(text)
        for part, row, fields, text in texts_of(document)
    }

    assert len(grades) > 300
    assert not {where for where, grade in grades.items() if round(grade, 1) > MOST}
