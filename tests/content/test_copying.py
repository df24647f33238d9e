"""Copies: whole, audited, in nobody's way, and not there at all where something is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.staff.people import sign_in
from triage.content.copying import (
    CannotCopy,
    copy_condition,
    copy_feature,
    copy_topic,
    left_to_do,
)
from triage.content.documents import compile_release
from triage.content.faults import find_faults
from triage.content.knowledge import knowledge_from
from triage.content.models import (
    AuditRecord,
    Condition,
    Feature,
    Likelihood,
    RiskGroup,
    SyndromeMember,
    Topic,
    Translation,
)

WHY = "Two kinds that need different numbers."


def named(row: Condition | Feature | Topic, **changes: Any) -> dict[str, Any]:
    return {"key": f"{row.key}_2", "name": "Another", "why": WHY, **changes}


def numbers_of(condition: Condition) -> set[tuple[int, float, str, int | None]]:
    return set(condition.likelihoods.values_list("option", "probability", "basis", "source"))


@pytest.fixture
def lipoma(topic: Topic) -> Condition:
    return topic.conditions.get(key="lipoma")


@pytest.fixture
def fever(topic: Topic) -> Feature:
    return topic.features.get(key="fever")


def test_a_condition_is_copied_with_all_that_makes_it_whole(
    lipoma: Condition, author: User
) -> None:
    group = RiskGroup.objects.create(
        topic=lipoma.topic, key="soft", name="Soft", urgency="routine", raise_at_percent=3
    )
    group.conditions.add(lipoma)
    before = compile_release(lipoma.topic)

    copy = copy_condition(lipoma, who=author, **named(lipoma))

    assert (copy.key, copy.plain_name, copy.name) == ("lipoma_2", "Another", lipoma.name)
    assert numbers_of(copy) == numbers_of(lipoma) != set()
    assert copy.syndrome_chances.count() == lipoma.syndrome_chances.count() > 0
    assert set(copy.sources.all()) == set(lipoma.sources.all()) != set()
    assert set(group.conditions.all()) == {lipoma, copy}
    advice = lipoma.topic.advice.get(scope="condition", key="lipoma_2")
    assert advice.what_to_do == lipoma.topic.advice.get(scope="condition", key="lipoma").what_to_do
    assert copy.needs_clinical_sign_off
    after = compile_release(lipoma.topic)
    for part, rows in before.items():
        if part not in ("topic", "risk_groups"):
            assert [row for row in rows if row not in after[part]] == [], "the rest is as it was"


def test_a_copied_condition_leaves_the_priors_to_be_shared_out_and_says_so(
    lipoma: Condition, author: User
) -> None:
    assert find_faults(lipoma.topic) == []

    copy = copy_condition(lipoma, who=author, **named(lipoma))

    assert any("The priors of the topic add up to" in what for what in left_to_do(copy))
    whole = lipoma.prior_percent or 0
    Condition.objects.filter(pk=copy.pk).update(prior_percent=whole / 4)
    Condition.objects.filter(pk=lipoma.pk).update(prior_percent=3 * whole / 4)
    assert find_faults(lipoma.topic) == []


def test_a_question_is_copied_with_its_answers_their_numbers_and_its_translations(
    fever: Feature, author: User
) -> None:
    copy = copy_feature(fever, who=author, **named(fever))

    assert set(copy.options.values_list("key", "text", "alarm")) == set(
        fever.options.values_list("key", "text", "alarm")
    )
    cells = ("condition", "option__key", "probability", "basis", "source")
    assert set(Likelihood.objects.filter(option__feature=copy).values_list(*cells)) == set(
        Likelihood.objects.filter(option__feature=fever).values_list(*cells)
    )
    assert SyndromeMember.objects.filter(option__feature=copy).exists()
    assert copy.order == max(fever.topic.features.values_list("order", flat=True))
    spanish = Translation.objects.get(language="es", place="features/fever_2/text")
    assert spanish.text == Translation.objects.get(place="features/fever/text").text
    assert Translation.objects.filter(place="options/fever_2/yes/text").exists()
    assert find_faults(fever.topic) == [], "a copied question can be reasoned with at once"


def test_a_topic_is_copied_whole_and_nothing_of_it_is_published(topic: Topic, author: User) -> None:
    Translation.objects.filter(place="features/fever/text").update(status="checked")

    copy = copy_topic(topic, who=author, key="other-lump", name="Another lump", why=WHY)

    before, after = compile_release(topic), compile_release(copy)
    for part in before:
        if part not in ("topic", "sources", "calibration_studies", "reviews"):
            assert len(before[part]) == len(after[part]), part
    assert not copy.releases.exists()
    assert find_faults(copy) == []
    ours, theirs = knowledge_from(before), knowledge_from(after)
    assert (ours.likelihoods, ours.rules) == (theirs.likelihoods, theirs.rules)
    assert copy.translations.get(place="topic/other-lump/covers").language == "es"
    assert copy.translations.get(place="features/fever/text").status == "translated"
    assert not copy.translations.filter(place__startswith="topic/back-lump/").exists()


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("skin_cyst_2", "The key “skin_cyst_2” is taken."),
        ("Not A Key", "Use small letters"),
        ("", "This field cannot be blank."),
    ],
)
def test_an_unfit_key_is_refused_and_nothing_is_kept(
    lipoma: Condition, author: User, key: str, says: str
) -> None:
    copy_condition(lipoma, who=author, **named(lipoma, key="skin_cyst_2"))
    before = compile_release(lipoma.topic)

    with pytest.raises(CannotCopy, match=says):
        copy_condition(lipoma, who=author, **named(lipoma, key=key))

    assert compile_release(lipoma.topic) == before


def test_a_copy_that_meets_what_an_earlier_row_left_behind_is_refused_whole(
    fever: Feature, author: User
) -> None:
    Translation.objects.create(
        topic=fever.topic, language="es", place="options/fever_2/yes/text", text="Sí"
    )
    before = compile_release(fever.topic)

    with pytest.raises(CannotCopy, match="is still there"):
        copy_feature(fever, who=author, **named(fever))

    assert compile_release(fever.topic) == before


def test_each_row_of_a_copy_is_recorded_with_who_and_why(fever: Feature, author: User) -> None:
    before = AuditRecord.objects.count()

    copy = copy_feature(fever, who=author, **named(fever))

    records = AuditRecord.objects.order_by("pk")[before:]
    options = copy.options.count()
    assert len(records) > options + Likelihood.objects.filter(option__feature=copy).count()
    assert {(record.who, record.why, record.action) for record in records} == {
        (author, WHY, "added")
    }


@pytest.mark.parametrize(("part", "key"), [("condition", "lipoma"), ("feature", "fever")])
def test_an_author_copies_from_the_form_and_lands_on_the_copy(
    topic: Topic, author: User, part: str, key: str
) -> None:
    client = sign_in(Client(), author)
    address = reverse(f"content:copy_{part}", args=[topic.key, key])
    original = getattr(topic, f"{part}s").get(key=key)
    form = reverse(f"admin:content_{part}_change", args=[original.pk])
    assert f'href="{address}"' in client.get(form).content.decode()
    assert f'value="{key}_copy"' in client.get(address).content.decode()

    taken = client.post(address, {"key": key, "name": "Another", "why": WHY})
    done = client.post(address, {"key": "new_one", "name": "Another", "why": WHY}, follow=True)

    assert f"The key “{key}” is taken." in taken.content.decode()
    copy = getattr(topic, f"{part}s").get(key="new_one")
    assert done.redirect_chain[-1][0] == reverse(f"admin:content_{part}_change", args=[copy.pk])
    for what in left_to_do(copy):
        assert what in done.content.decode()


def test_a_topic_is_copied_from_its_form(topic: Topic, author: User) -> None:
    client = sign_in(Client(), author)
    address = reverse("content:copy_topic", args=[topic.key])

    client.post(address, {"key": "other-lump", "name": "Another lump", "why": WHY})

    assert Topic.objects.get(key="other-lump").title == "Another lump"


def test_whoever_may_not_add_may_not_copy(topic: Topic, approver: User) -> None:
    client = sign_in(Client(), approver)
    address = reverse("content:copy_condition", args=[topic.key, "lipoma"])

    assert client.get(address).status_code == 403
    assert client.post(address, {"key": "x", "name": "x", "why": "x"}).status_code == 403
