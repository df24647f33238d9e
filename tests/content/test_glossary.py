"""Words that people may not know: which they are, what explains them, and where."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from django.conf import settings

from triage.content.documents import Document
from triage.content.faults import faults_in, find_faults
from triage.content.fixtures import document_of
from triage.content.glossary import Glossary, Term, jargon, terms_of
from triage.content.knowledge import Wording, content_of
from triage.content.models import GlossaryTerm, Release, Topic
from triage.content.plain_language import texts_of
from triage.engine import FeatureKey

FOLDER = settings.BASE_DIR / "fixtures" / "back-lump"
CYST = Term("cyst", "A small closed bag under the skin.", ("cyst", "cysts"))
CORD = Term("spinal cord", "Many nerves in one bundle.", ("spinal cord", "cord"))


@pytest.fixture(scope="module")
def shipped_document() -> Document:
    return document_of(FOLDER)


@pytest.fixture
def document(shipped_document: Document) -> Document:
    return deepcopy(shipped_document)


def row(document: Document, part: str, key: str) -> Any:
    name = "term" if part == "glossary" else "key"
    return next(row for row in document[part] if row[name] == key)


def test_terms_are_found_as_whole_words_once_and_in_order_of_use() -> None:
    glossary = Glossary([CYST, CORD])

    found = glossary.terms_in("Spinal cord?", "A record of CYSTS and the cord.", "One cyst.")

    assert found == (CORD, CYST)


def test_the_longest_form_explains_a_word() -> None:
    text = "The spinal cord, and a cord of wood. Cystic."

    assert Glossary([CORD, CYST]).without_terms(text) == "The …, and a … of wood. Cystic."


def test_an_empty_glossary_explains_nothing() -> None:
    assert Glossary([]).terms_in("A cyst.") == ()
    assert Glossary([]).without_terms("A cyst.") == "A cyst."


@pytest.mark.parametrize("text", ["An abscess", "two Abscesses", "X-rays", "a CT scan.", "(TB)"])
def test_a_hard_word_is_known_in_its_plural_and_in_capitals(text: str) -> None:
    assert jargon().search(text)


@pytest.mark.parametrize("text", ["recorded", "discomfort", "a pusher", "disclose"])
def test_a_part_of_another_word_is_no_hard_word(text: str) -> None:
    assert not jargon().search(text)


def test_each_line_of_the_list_is_a_word_and_stands_once_in_order() -> None:
    words = (settings.BASE_DIR / "triage" / "content" / "jargon.txt").read_text().splitlines()

    assert words == sorted(set(words), key=str.casefold)
    assert all(word == word.strip() and word for word in words)


def drop(term: str) -> Callable[[Document], None]:
    return lambda document: document["glossary"].remove(row(document, "glossary", term))


def change(part: str, key: str, **fields: Any) -> Callable[[Document], None]:
    return lambda document: row(document, part, key).update(fields)


BROKEN: dict[str, tuple[Callable[[Document], None], str]] = {
    "a question that is hard to read": (
        change("features", "fever", text="Has your temperature been abnormally elevated recently?"),
        (
            "The question “fever”: “text” with “help_text” reads at grade 6.9; 6 is the most. The hardest"
            " sentence: “Has your temperature been abnormally elevated recently?” The longest words:"
            " temperature, abnormally, elevated."
        ),
    ),
    "an answer that is hard to read": (
        change(
            "options", "osteoporosis", text="Generalised osteoporotic demineralisation diagnosed"
        ),
        "The question “bone_risk”: its list of answers reads at grade",
    ),
    "an advice that is hard to read": (
        change(
            "advice",
            "lipoma",
            what_to_do="Arrange an appointment for a comprehensive examination, incorporating"
            " radiological investigations, to establish an authoritative diagnosis, because"
            " differentiating malignancies necessitates specialist interpretation.",
        ),
        (
            "The advice for the condition “lipoma”: “heading” with “what_to_do” with “self_care” with"
            " “safety_net” with “do_not” reads at grade"
        ),
    ),
    "a hard word in a question": (
        change("features", "sex", why_we_ask="A lesion is more common in men."),
        (
            "The question “sex”: “why_we_ask” says “lesion”, which the glossary does not explain. Add it"
            " there, or say it in plainer words."
        ),
    ),
    "a hard word in an answer": (
        drop("spleen"),
        (
            "The answer “weak_immune” of “infection_risk”: “text” says “spleen”, which the glossary does"
            " not explain."
        ),
    ),
    "a hard word in a name": (
        change("conditions", "lipoma", plain_name="Benign lump"),
        "The condition “lipoma”: “plain_name” says “Benign”, which the glossary does not explain.",
    ),
    "a hard word in the title of a topic": (
        drop("cyst"),
        "The topic: “covers” says “cyst”, which the glossary does not explain.",
    ),
    "a word explained by a hard word": (
        change("glossary", "cyst", meaning="A benign bag."),
        "The word “cyst”: its meaning says “benign”, which is hard as well.",
    ),
    "a form of two words": (
        change("glossary", "cyst", also="cysts\nabscess"),
        "The word “cyst”: “abscess” stands for more than one word. Keep one.",
    ),
    "a meaning that is hard to read": (
        change("glossary", "cyst", meaning="An encapsulated accumulation of semisolid material."),
        "The word “cyst”: “meaning” reads at grade",
    ),
    "a word without its meaning": (
        change("glossary", "cyst", meaning=" "),
        "The word “cyst”: the field “meaning” is empty. Fill it in.",
    ),
    "a list that does not say so": (
        change("features", "pain_when", help_text="Think of today."),
        (
            "The question “pain_when”: neither “text” nor “help_text” says that several answers may be"
            " ticked. Ask for “any of these”, “all of these” or “all that fit”."
        ),
    ),
    "a list that says so in one way of asking only": (
        change("features", "medicines", text_other="Which does the person take?"),
        "The question “medicines”: neither “text_other” nor “help_text” says that several",
    ),
}


@pytest.mark.parametrize(("breaking", "sentence"), BROKEN.values(), ids=BROKEN)
def test_unclear_words_are_a_fault_in_words_that_staff_can_act_on(
    document: Document, breaking: Callable[[Document], None], sentence: str
) -> None:
    breaking(document)

    faults = list(map(str, faults_in(document)))

    assert any(fault.startswith(sentence) for fault in faults), "\n".join(faults) or "no faults"


def test_a_placeholder_that_nothing_fills_in_is_one_fault_and_no_crash(document: Document) -> None:
    row(document, "red_flags", "rf_fever")["message"] = "Call {doctor} today."

    faults = list(map(str, faults_in(document)))

    assert len(faults) == 1
    assert "{doctor}, which nothing fills in" in faults[0]


def test_the_shipped_content_explains_each_hard_word(topic: Topic) -> None:
    GlossaryTerm.objects.filter(term="pus").delete()

    faults = list(map(str, find_faults(topic)))

    assert faults
    assert all(re.search(r"says “[Pp]us”, which the glossary does not explain", f) for f in faults)


def test_each_word_of_the_shipped_glossary_is_used_somewhere(document: Document) -> None:
    said = [text for part, *_, text in texts_of(document) if part != "glossary"]
    said += [row["plain_name"] for row in document["conditions"]]

    used = Glossary(terms_of(document["glossary"])).terms_in(*said)

    assert {term.word for term in used} == {row["term"] for row in document["glossary"]}


def test_a_release_explains_its_words_in_its_pages(release: Release) -> None:
    wording = content_of(release.pk).wording("en-gb")

    explained = wording.terms_of(FeatureKey("infection_risk"))

    assert {"TB", "dialysis", "spleen"} <= {term.word for term in explained}


def test_the_first_question_needs_no_glossary(release: Release) -> None:
    wording = content_of(release.pk).wording("en-gb")

    assert wording.terms_of(FeatureKey("right_now")) == ()


def test_a_release_made_before_there_was_a_glossary_has_none(document: Document) -> None:
    del document["glossary"]

    wording = Wording(document, "en")

    assert wording.glossary.terms_in("A cyst full of pus") == ()
    assert wording.terms_of(FeatureKey("infection_risk")) == ()
