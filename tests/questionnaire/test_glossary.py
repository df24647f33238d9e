"""Hard words are explained where they are read, and only there."""

import re

import pytest
from django.test import Client

from triage.content.glossary import Glossary
from triage.content.knowledge import content_of
from triage.content.models import GlossaryTerm, Release
from triage.questionnaire.models import Assessment

from .conftest import Person
from .test_outcome import finished

HEADING = "What these words mean"


def explained(page: str) -> dict[str, str]:
    """Return the words that a page explains, each with its meaning."""
    _, _, after = page.partition(HEADING)
    inside, _, _ = after.partition("</details>")
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", inside))


def asked(person: Person, feature: str) -> str:
    """Return the page on which this question is asked, the first of all."""
    Assessment.objects.filter(pk=person.assessment.pk).update(asking=feature)
    person.go("/check/1")
    return person.page


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("bone_risk", {"Osteoporosis"}),
        ("lump_before", {"Cyst"}),
        ("leg_nerves", {"Numb", "Pins and needles", "Spinal cord"}),
    ],
)
def test_a_question_ends_with_what_its_words_mean(
    underway: Person, feature: str, words: set[str]
) -> None:
    page = asked(underway, feature)

    assert set(explained(page)) == words
    meanings = dict(GlossaryTerm.objects.values_list("term", "meaning"))
    assert all(meaning in meanings.values() for meaning in explained(page).values())
    assert page.index("Why are you asking this?") < page.index(HEADING) < page.index("</form>")


def test_the_first_question_has_no_word_to_explain(underway: Person) -> None:
    assert underway.feature == "right_now"
    assert HEADING not in underway.page


@pytest.mark.parametrize(
    ("replies", "word"), [({"right_now": ["blue_blotchy"]}, "Sepsis"), ({}, "Myeloma")]
)
def test_the_outcome_explains_its_words_once_before_the_answers(
    underway: Person, replies: dict[str, list[str]], word: str
) -> None:
    page = finished(underway, **replies)

    assert word in explained(page)
    assert page.count(HEADING) == 1
    assert page.index(HEADING) < page.index("<h2>Your answers</h2>")


def test_the_page_of_a_condition_explains_its_words(release: Release) -> None:
    page = Client().get("/conditions/spinal_metastasis").content.decode()

    assert {"MRI scan", "Radiotherapy", "Spinal cord", "Steroid"} <= set(explained(page))
    assert page.index("How it is treated") < page.index(HEADING) < page.index("<h2>Sources</h2>")


def test_a_release_without_a_glossary_explains_nothing(
    underway: Person, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    wording = content_of(release.pk).wording("en-gb")
    monkeypatch.setattr(wording, "glossary", Glossary([]))

    page = finished(underway)

    assert HEADING not in page
