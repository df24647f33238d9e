"""One page for a question: each wording in each language, how it reads, and how patients see it."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from tests.staff.people import sign_in
from triage.content.models import Feature, Topic, Translation
from triage.content.reading_help import readings_of

WHY = "The Spanish lags behind."


@pytest.fixture
def as_author(author: User) -> Client:
    return sign_in(Client(), author)


@pytest.fixture
def fever(topic: Topic) -> Feature:
    return topic.features.get(key="fever")


def form_of(feature: Feature) -> str:
    return reverse("admin:content_feature_change", args=[feature.pk])


def posted(client: Client, feature: Feature, **changes: Any) -> dict[str, Any]:
    """Return what the form posts when nothing but these changes is made."""
    page = client.get(form_of(feature))
    forms = [page.context["adminform"].form]
    for formset in page.context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    values: dict[str, Any] = {}
    for form in forms:
        for name in form.fields:
            value = form[name].value()
            if value is not None and value is not False:
                values[form.add_prefix(name)] = value
    return {**values, "why": WHY, **changes}


def spanish(place: str) -> Translation:
    return Translation.objects.get(language="es", place=place)


def test_each_wording_stands_beside_its_translation_and_each_answer_too(
    as_author: Client, fever: Feature
) -> None:
    page = as_author.get(form_of(fever)).content.decode()

    for name in ("name", "section", "text", "text_helper", "text_other", "why_we_ask"):
        assert f'name="{name}"' in page
        own = spanish(f"features/fever/{name}")
        assert f'name="es:{own.place}"' in page
        assert escape(own.text) in page
    for option in fever.options.all():
        assert f'name="es:options/fever/{option.key}/text"' in page


def test_saving_without_a_change_leaves_every_translation_as_it_is(
    as_author: Client, fever: Feature
) -> None:
    before = list(Translation.objects.order_by("pk").values())

    answer = as_author.post(form_of(fever), posted(as_author, fever))

    assert answer.status_code == 302
    assert list(Translation.objects.order_by("pk").values()) == before


def test_a_changed_english_leaves_its_translation_aged_and_says_what_it_said(
    as_author: Client, fever: Feature
) -> None:
    before = fever.why_we_ask

    as_author.post(form_of(fever), posted(as_author, fever, why_we_ask="It may be a germ."))
    page = as_author.get(form_of(fever)).content.decode()

    own = spanish("features/fever/why_we_ask")
    assert own.original == before
    assert f"The English has changed since. It said: “{before}”" in page
    assert len(re.findall("It fits the English of now", page)) == 1


@pytest.mark.parametrize("how", ["text", "fits", "with the English"])
def test_whoever_changes_a_translation_or_says_that_it_fits_brings_it_up_to_date(
    as_author: Client, fever: Feature, how: str
) -> None:
    name = "es:features/fever/why_we_ask"
    english = "It may be a germ."
    match how:
        case "with the English":
            changes = {"why_we_ask": english, name: "Puede ser un germen."}
        case "text":
            Feature.objects.filter(pk=fever.pk).update(why_we_ask=english)
            changes = {name: "Puede ser un germen."}
        case _:
            Feature.objects.filter(pk=fever.pk).update(why_we_ask=english)
            changes = {f"{name}:fits": "on"}

    as_author.post(form_of(fever), posted(as_author, fever, **changes))

    own = spanish("features/fever/why_we_ask")
    assert own.original == english
    assert own.text == changes.get(name, own.text)


def test_a_translation_is_added_given_a_status_and_taken_away(
    as_author: Client, fever: Feature
) -> None:
    place = "features/fever/text"
    Translation.objects.filter(place=place).delete()
    name = f"es:{place}"

    new = {name: "¿Tiene fiebre?", f"{name}:status": "checked"}
    as_author.post(form_of(fever), posted(as_author, fever, **new))
    added = spanish(place)
    as_author.post(form_of(fever), posted(as_author, fever, **{name: ""}))

    assert (added.text, added.status, added.original) == ("¿Tiene fiebre?", "checked", fever.text)
    assert not Translation.objects.filter(place=place).exists()


def test_an_answer_and_its_translation_are_changed_together(
    as_author: Client, fever: Feature
) -> None:
    values = posted(as_author, fever)
    (name,) = (name for name, value in values.items() if value == "Yes" and name.endswith("-text"))

    as_author.post(
        form_of(fever),
        values | {name: "Yes, over 38", "es:options/fever/yes/text": "Sí, más de 38"},
    )

    own = spanish("options/fever/yes/text")
    assert (own.original, own.text) == ("Yes, over 38", "Sí, más de 38")


def test_patients_see_each_voice_in_each_language_with_this_place_s_names(
    as_author: Client, topic: Topic
) -> None:
    feature = topic.features.get(key="fever")
    Feature.objects.filter(pk=feature.pk).update(help_text="Ask {pharmacist} to measure it.")

    page = as_author.get(form_of(feature)).content.decode()

    assert page.count('class="preview"') == 6
    assert "Ask pharmacist to measure it." in page
    assert (
        page.count(f'class="preview-question">{escape(spanish("features/fever/text").text)}') == 1
    )


def test_an_approver_reads_the_page_and_finds_nothing_to_write_in(
    approver: User, fever: Feature
) -> None:
    page = sign_in(Client(), approver).get(form_of(fever)).content.decode()

    assert escape(fever.text) in page
    assert 'name="es:' not in page
    assert "<th></th>" not in page, "an empty heading says nothing when it is read out"


def test_a_question_that_is_added_has_no_translations_yet(as_author: Client, topic: Topic) -> None:
    page = as_author.get(f"{reverse('admin:content_feature_add')}?topic={topic.pk}")

    assert 'name="es:' not in page.content.decode()


def test_the_grade_is_that_of_the_texts_as_they_are_typed(topic: Topic) -> None:
    fields = {"text": "Have you got a fever?", "help_text": "", "why_we_ask": "It may be a germ."}

    read, complaints = readings_of("features", fields, topic, ["Yes", "No"])

    assert {each.what for each in read} == {
        "“question” with “help”",
        "“why we ask”",
        "Its list of answers",
    }
    assert not any(each.is_hard for each in read)
    assert complaints == []


def test_what_is_hard_is_named_with_the_words_that_make_it_so(topic: Topic) -> None:
    fields = {"text": "Does the lymphadenopathy demonstrate considerable fluctuation?"}

    read, complaints = readings_of("features", fields, topic)

    assert [each.is_hard for each in read] == [True]
    assert any("lymphadenopathy" in what for what in complaints)


def test_a_word_that_the_glossary_explains_is_not_hard(topic: Topic) -> None:
    fields = {"message": "It may be full of pus."}

    _, explained = readings_of("red_flags", fields, topic)
    _, unexplained = readings_of("red_flags", fields, None)

    assert explained == []
    assert any("“pus”" in what for what in unexplained)


def test_the_grade_is_worked_out_live_and_without_javascript(
    as_author: Client, topic: Topic
) -> None:
    here = reverse("content:reading", args=["features"])
    typed = {"topic": topic.pk, "key": "fever", "kind": "multi", "text": "Is it any of these?"}
    typed |= {"options-0-text": "Hot", "options-__prefix__-text": "Lymphadenopathy"}

    live = as_author.post(here, typed, headers={"HX-Request": "true"}).content.decode()
    page = as_author.post(here, typed).content.decode()

    assert "Its list of answers: grade -3.4" in live
    assert "Lymphadenopathy" not in live
    assert "<html" not in live
    assert "<h1>How it reads</h1>" in page
    assert as_author.post(reverse("content:reading", args=["x"]), typed).status_code == 400
