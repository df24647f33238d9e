"""Texts in other languages: whole or not offered, and never mixed with English."""

from copy import deepcopy
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.content.documents import Document
from triage.content.faults import faults_in, gaps_of
from triage.content.fixtures import document_of
from triage.content.knowledge import NotTranslated, Wording, content_of
from triage.content.models import Topic, Translation
from triage.content.places import PLACEHOLDER
from triage.content.releases import publish
from triage.content.translations import TEXTS, gaps_in, is_checked, texts_in, translated

SHIPPED = document_of(django_settings.BASE_DIR / "fixtures" / "back-lump")
PLACES = sorted(texts_in(SHIPPED))


def spoilt(place: str, **fields: str) -> Document:
    """Return the shipped content with one translation changed."""
    document = {**SHIPPED, "translations": deepcopy(SHIPPED["translations"])}
    (row,) = (row for row in document["translations"] if row["place"] == place)
    row.update(fields)
    return document


def test_the_shipped_spanish_is_whole_and_says_that_no_clinician_checked_it() -> None:
    assert not list(gaps_of(SHIPPED))
    assert not is_checked(SHIPPED, "es")


def test_every_text_that_a_patient_reads_is_in_the_list_to_translate() -> None:
    marked = {**deepcopy(SHIPPED), "translations": []}
    for place, text in texts_in(SHIPPED).items():
        marked["translations"].append(
            {"language": "es", "place": place, "original": text, "text": "§", "status": "checked"}
        )

    wording = Wording(translated(marked, "es"), "es")

    said = [
        wording.topic_title,
        wording.covers,
        *wording.words.features.values(),
        *wording.words.options.values(),
        *(
            text
            for row in wording._features.values()
            for name, text in row.items()
            if name in ("text", "text_helper", "text_other", "help_text", "why_we_ask", "section")
            and text
        ),
        *(
            text
            for condition in wording._conditions.values()
            for text in (
                condition.name,
                condition.plain_name,
                condition.summary,
                condition.how_found,
                condition.how_treated,
            )
            if text
        ),
        *(text for flag in wording._flags.values() for text in (flag.title, flag.message)),
        *(
            text
            for syndrome in wording._syndromes.values()
            for text in (syndrome.present, syndrome.absent)
        ),
        *wording._groups.values(),
        *(
            text
            for advice in wording._advice.values()
            for text in (
                advice.heading,
                advice.what_to_do,
                advice.self_care,
                advice.safety_net,
                advice.do_not,
            )
            if text
        ),
    ]
    assert set(said) == {"§"}


@settings(deadline=None)  # the machine may be busy
@given(
    place=st.sampled_from(PLACES), status=st.sampled_from(["draft", "stale", "gone", "placeholder"])
)
def test_one_text_that_lacks_keeps_the_language_away(place: str, status: str) -> None:
    match status:
        case "draft":
            document = spoilt(place, status="draft")
        case "stale":
            document = spoilt(place, original="What it said before.")
        case "placeholder":
            document = spoilt(place, text="Llame al {emergency_number} o al {emergency_number}")
        case _:
            rows = [row for row in SHIPPED["translations"] if row["place"] != place]
            document = {**SHIPPED, "translations": rows}

    (gap,) = gaps_in(document, "es")

    assert gap.place == place
    assert gap.what


def test_the_english_changes_and_the_gap_says_what_it_is_now() -> None:
    document = deepcopy(SHIPPED)
    document["features"][0]["text"] = "Do you have a temperature?"

    (gap,) = gaps_in(document, "es")

    assert "It says now: “Do you have a temperature?”" in gap.what


def test_a_translation_changes_words_and_nothing_else() -> None:
    spanish = translated(SHIPPED, "es")

    assert {part for part in SHIPPED if SHIPPED[part] != spanish[part]} <= set(TEXTS)
    for part in set(TEXTS) - {"topic"}:
        for before, after in zip(SHIPPED[part], spanish[part], strict=True):
            assert {name for name in before if before[name] != after[name]} <= set(TEXTS[part])


def test_every_translation_names_the_services_that_the_english_names() -> None:
    for row in SHIPPED["translations"]:
        named = sorted(PLACEHOLDER.findall(row["original"]))
        assert sorted(PLACEHOLDER.findall(row["text"])) == named, row["place"]


def test_nobody_writes_a_number_of_a_service_into_a_translation() -> None:
    for row in SHIPPED["translations"]:
        assert not any(number in row["text"] for number in ("999", "112", "911", "061")), row


def test_english_needs_no_translation() -> None:
    assert not list(gaps_in({**SHIPPED, "translations": []}, "en"))
    assert translated(SHIPPED, "en") is SHIPPED


def test_a_draft_without_spanish_can_be_published_and_does_not_offer_it(
    topic: Topic, author: User, approver: User
) -> None:
    """A mended English text must not wait for its translation."""
    Translation.objects.filter(place="advice/urgency/same_day/what_to_do").delete()

    content = content_of(publish(topic=topic, author=author, approver=approver, why="Mended.").pk)

    assert list(content.wordings) == ["en"]
    with pytest.raises(NotTranslated):
        content.wording("es")


def test_a_release_of_before_there_were_translations_speaks_english() -> None:
    old = {name: rows for name, rows in SHIPPED.items() if name != "translations"}

    assert list(gaps_in(old, "es"))
    assert not list(gaps_in(old, "en"))


def test_a_list_that_does_not_say_any_or_all_is_named() -> None:
    place = "features/skin_look/help_text"
    document = spoilt(place, text="Mire bien.")
    for voice in ("text", "text_helper", "text_other"):
        (row,) = (
            r for r in document["translations"] if r["place"] == f"features/skin_look/{voice}"
        )
        row["text"] = "¿Cómo se ve la piel?"

    faults = [str(fault) for fault in gaps_of(document)]

    assert len(faults) == 3
    assert all("In “es”: The question “skin_look”" in fault for fault in faults)


def test_a_fault_of_a_translation_does_not_make_the_english_unfit() -> None:
    assert not faults_in(spoilt("features/fever/text", status="draft"))


@pytest.mark.django_db
def test_the_command_says_what_keeps_a_language_away(capsys: pytest.CaptureFixture[str]) -> None:
    Translation.objects.filter(place="features/fever/text").update(status="draft")

    call_command("check_content")

    said: Any = capsys.readouterr().out
    assert "The content is sound." in said
    assert "In “es”, features/fever/text: the translation is a draft." in said
