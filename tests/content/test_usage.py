"""Where a row is used: what would change with it, or be lost with it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from tests.staff.people import sign_in
from triage.content.models import (
    Advice,
    Condition,
    Feature,
    GlossaryTerm,
    Option,
    RedFlag,
    RiskGroup,
    SavedCase,
    Source,
    Syndrome,
    Topic,
)
from triage.content.usage import grouped, uses_of


def used(row: object) -> dict[str, list[str]]:
    groups = grouped(uses_of(row))  # type: ignore[arg-type] # any row
    return {how: sorted(use.what for use in uses) for how, uses in groups.items()}


@pytest.fixture
def case(topic: Topic, author: User) -> SavedCase:
    return SavedCase.objects.create(
        topic=topic,
        key="boil-with-fever",
        story="A sore boil, and feverish.",
        answers={"fever": "yes", "skin_look": ["pus"]},
        expected={"conditions": ["lipoma"]},
        saved_by=author,
    )


def test_a_question_names_its_rules_its_numbers_its_words_and_its_cases(
    topic: Topic, case: SavedCase
) -> None:
    fever = used(topic.features.get(key="fever"))

    assert RedFlag.objects.get(key="rf_fever").title in fever["Red flags and rules that read it"]
    assert fever["Its likelihoods"] == ["44 of them"]
    assert fever["Syndromes that it shows"] == [Syndrome.objects.get(key="ill_all_over").plain_name]
    assert fever["Saved cases that answer it"] == ["boil-with-fever"]
    assert fever["Translations"] == ["7 in “es”"]
    assert fever["Translations of its answers"] == ["3 in “es”"]
    age = used(topic.features.get(key="age"))
    gated = Feature.objects.filter(asked_if__contains="age").values_list("name", flat=True)
    assert age["Questions that are asked depending on it"] == sorted(gated) != []


def test_an_answer_is_not_used_where_only_its_neighbour_is(topic: Topic, case: SavedCase) -> None:
    fever = topic.features.get(key="fever")
    yes, no = (used(fever.options.get(key=key)) for key in ("yes", "no"))

    assert RedFlag.objects.get(key="rf_fever").title in yes["Red flags and rules that read it"]
    assert "Red flags and rules that read it" not in no
    assert yes["Saved cases that answer it"] == ["boil-with-fever"]
    assert "Saved cases that answer it" not in no
    pus = used(Option.objects.get(feature__key="skin_look", key="pus"))
    assert pus["Saved cases that answer it"] == ["boil-with-fever"]


def test_a_condition_names_its_numbers_its_advice_and_its_cases(
    topic: Topic, case: SavedCase
) -> None:
    lipoma = topic.conditions.get(key="lipoma")
    group = RiskGroup.objects.create(
        topic=topic, key="soft", name="Soft ones", urgency="routine", raise_at_percent=3
    )
    group.conditions.add(lipoma)

    found = used(lipoma)

    assert found["Its likelihoods"] == [f"{lipoma.likelihoods.count()} of them"]
    assert len(found["Syndromes that it may bring"]) == lipoma.syndrome_chances.count()
    assert found["Risk groups that it belongs to"] == ["Soft ones"]
    advice = Advice.objects.get(scope="condition", key="lipoma")
    assert found["Advice for it"] == [advice.heading]
    assert found["Saved cases that have it"] == ["boil-with-fever"]
    assert used(advice)["The condition it is for"] == [lipoma.plain_name]


def test_a_source_names_all_that_rests_on_it(topic: Topic) -> None:
    flag = RedFlag.objects.get(key="rf_abscess")
    source = flag.sources.all()[0]

    found = used(source)

    assert flag.title in found["Red flags"]
    unused = Source.objects.create(key="unused", citation="x", how_checked="C")
    assert used(unused) == {}


def test_an_urgency_s_advice_names_the_rules_and_conditions_that_lead_to_it(topic: Topic) -> None:
    found = used(Advice.objects.get(scope="urgency", key="emergency_now"))

    titles = RedFlag.objects.filter(urgency="emergency_now").values_list("title", flat=True)
    assert found["Red flags that lead to it"] == sorted(titles)
    floor = used(Advice.objects.get(scope="floor"))
    assert floor["The rule that leads to it"] == [RedFlag.objects.get(kind="floor").title]


def test_a_word_names_the_texts_that_use_any_of_its_forms(topic: Topic) -> None:
    term = GlossaryTerm.objects.get(topic=topic, term="cyst")
    Feature.objects.filter(key="fever").update(why_we_ask="Some CYSTS bring a fever.")

    found = used(term)

    assert "Fever" in found["Used in features (questions)"]
    assert "Size of the lump" not in found["Used in features (questions)"]


def test_what_is_used_nowhere_has_no_use(topic: Topic) -> None:
    term = GlossaryTerm.objects.create(topic=topic, term="unheard-of", meaning="It is new.")

    assert uses_of(term) == []


@pytest.mark.parametrize(
    ("model", "key"), [(Condition, "lipoma"), (Feature, "fever"), (RedFlag, "rf_fever")]
)
def test_the_form_and_the_page_that_deletes_show_where_a_row_is_used(
    topic: Topic, author: User, model: type[Condition], key: str
) -> None:
    client = sign_in(Client(), author)
    row = model.objects.get(topic=topic, key=key)

    for page in ("change", "delete"):
        address = reverse(f"admin:content_{model.__name__.lower()}_{page}", args=[row.pk])
        html = client.get(address).content.decode()
        for use in uses_of(row):
            assert f'<a href="{escape(use.link)}">{escape(use.what)}</a>' in html


def test_a_source_that_is_in_use_cannot_be_deleted_and_says_where_it_is_used(
    topic: Topic, author: User
) -> None:
    source = Source.objects.filter(likelihoods__isnull=False)[0]
    address = reverse("admin:content_source_delete", args=[source.pk])

    html = sign_in(Client(), author).get(address).content.decode()

    assert "would require deleting the following protected" in html
    assert "Likelihoods that rest on it" in html
