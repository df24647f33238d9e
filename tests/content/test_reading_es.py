"""How easy Spanish is to read, held to words counted by hand."""

import pytest
from django.conf import settings

from triage.content.fixtures import document_of
from triage.content.plain_language import LEAST_EASE, complaints_in_translation, texts_of
from triage.content.reading_es import perspicuity_of, syllables
from triage.content.translations import translated

COUNTED = {
    1: "que TAC muy hoy y ya pus dos 38",
    2: "guía leer día ciudad construir oír país cuáles búho prohibir huesos mayor bulto",
    3: "ahora pingüino espalda urgencias médula rodilla reúne seguía absceso",
    4: "aéreo emergencia hormigueo quirófano",
    5: "radioterapia",
    6: "enrojecimiento adormecimiento",
    7: "antiinflamatorio",
}


@pytest.mark.parametrize(
    ("word", "count"), [(word, count) for count, words in COUNTED.items() for word in words.split()]
)
def test_syllables_are_those_that_people_count(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_formula_is_that_of_szigriszt() -> None:
    text = "El bulto duele. Llame hoy."  # 5 words, 8 syllables, 2 sentences

    assert perspicuity_of(text) == pytest.approx(206.835 - 62.3 * 8 / 5 - 5 / 2)


def test_what_officials_write_is_hard_and_what_people_say_is_easy() -> None:
    hard = "La administración parenteral de antibioticoterapia requiere hospitalización inmediata."
    easy = "No apriete el bulto. Si crece, llame hoy."

    assert perspicuity_of(hard) < LEAST_EASE < 80 < perspicuity_of(easy)
    assert perspicuity_of("…") == 100


def test_the_shipped_spanish_is_easy_to_read() -> None:
    shipped = document_of(settings.BASE_DIR / "fixtures" / "back-lump")

    assert not [what for *_, what in complaints_in_translation(shipped, "es")]
    eases = [perspicuity_of(text) for *_, text in texts_of(translated(shipped, "es"), "es")]
    assert min(eases) >= LEAST_EASE - 0.05


def test_a_hard_text_is_named_with_its_measure() -> None:
    shipped = document_of(settings.BASE_DIR / "fixtures" / "back-lump")
    hard = "La inmunodeprimida sintomatología infecciosa requiere hospitalización inmediata."
    rows = [
        {**row, "text": hard} if row["place"] == "features/fever/why_we_ask" else row
        for row in shipped["translations"]
    ]

    ((part, row, _, what),) = complaints_in_translation({**shipped, "translations": rows}, "es")

    assert (part, row["key"]) == ("features", "fever")
    assert what.startswith("“why_we_ask” reads at ")
