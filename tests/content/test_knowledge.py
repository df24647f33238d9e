"""The one door from the database to the engine."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from triage.content import knowledge as door
from triage.content.documents import Document
from triage.content.fixtures import document_of
from triage.content.knowledge import (
    Content,
    NotTranslated,
    Tampered,
    Wording,
    compile_live_releases,
    content_of,
    is_recalled,
    knowledge_from,
    knowledge_of,
    seconds_to_reply,
)
from triage.content.models import Release, Topic
from triage.content.releases import publish, recall
from triage.engine import (
    Basis,
    ConditionKey,
    FeatureKey,
    OptionKey,
    RuleKey,
    SyndromeKey,
    Urgency,
    in_words,
    parse,
)


@pytest.fixture
def content(release: Release) -> Content:
    return content_of(release.pk)


@pytest.fixture(scope="module")
def shipped_document() -> Document:
    return document_of(settings.BASE_DIR / "fixtures" / "back-lump")


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_contents", {})


@pytest.mark.usefixtures("nothing_compiled")
def test_a_release_costs_one_query_the_first_time_and_none_later(release: Release) -> None:
    with CaptureQueriesContext(connection) as first:
        content_of(release.pk)
    with CaptureQueriesContext(connection) as later:
        content = content_of(release.pk)
        knowledge_of(release.pk)
        content.wording("en").flag(RuleKey("rf_fever"))

    assert len(first) == 1
    assert len(later) == 0


@pytest.mark.usefixtures("nothing_compiled")
def test_threads_that_ask_at_once_get_one_and_the_same_content(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = Release.objects.get(pk=release.pk)
    compiled: list[Release] = []
    compile_: Callable[[Release], Content] = door._compiled
    monkeypatch.setattr(Release.objects, "get", lambda **_: frozen)
    together = Barrier(4)

    def compile_and_count(release: Release) -> Content:
        compiled.append(release)
        return compile_(release)

    def ask(_: int) -> Content:
        together.wait()
        return content_of(release.pk)

    monkeypatch.setattr(door, "_compiled", compile_and_count)
    with ThreadPoolExecutor(4) as threads:
        contents = set(map(id, threads.map(ask, range(4))))

    assert len(contents) == 1
    assert len(compiled) == 1


def test_a_running_assessment_keeps_its_release_when_the_drafts_change(
    release: Release, topic: Topic, author: User, approver: User
) -> None:
    topic.features.filter(key="fever").update(text="Are you hot?")
    topic.conditions.filter(key="lipoma").update(plain_name="Lump of fat")
    newer = publish(topic=topic, author=author, approver=approver, why="Shorter.")

    old, new = content_of(release.pk).wording("en"), content_of(newer.pk).wording("en")

    assert old.question(FeatureKey("fever")).startswith("In the last few days")
    assert new.question(FeatureKey("fever")) == "Are you hot?"
    assert old.condition(ConditionKey("lipoma")).plain_name == "Fatty lump"
    assert new.condition(ConditionKey("lipoma")).plain_name == "Lump of fat"


@pytest.mark.usefixtures("nothing_compiled")
def test_a_release_that_is_not_what_was_published_is_refused(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = Release.objects.get(pk=release.pk)
    changed.document = changed.document.replace("0.75", "0.05", 1)
    monkeypatch.setattr(Release.objects, "get", lambda **_: changed)

    with pytest.raises(Tampered):
        content_of(release.pk)


def test_a_release_that_never_was_is_not_remembered(release: Release) -> None:
    for _ in range(2):
        with pytest.raises(Release.DoesNotExist):
            content_of(10**6)


@pytest.mark.usefixtures("nothing_compiled")
def test_what_every_topic_shows_is_compiled_before_the_workers_fork(
    release: Release, topic: Topic, author: User, approver: User
) -> None:
    newer = publish(topic=topic, author=author, approver=approver, why="Newer.")

    compile_live_releases()

    assert set(door._contents) == {newer.pk}


def test_the_knowledge_has_what_the_content_says(content: Content) -> None:
    knowledge = content.knowledge
    metastasis = knowledge.condition(ConditionKey("spinal_metastasis"))
    age = knowledge.feature(FeatureKey("age"))

    assert (len(knowledge.conditions), len(knowledge.features), len(knowledge.rules)) == (
        22,
        36,
        32,
    )
    assert [feature.key for feature in knowledge.features][:6] == [
        "right_now",
        "bladder_saddle",
        "leg_nerves",
        "fever",
        "injury",
        "age",
    ]
    assert metastasis.prior == pytest.approx(0.003)
    assert metastasis.serious
    assert metastasis.urgency is Urgency.SAME_DAY
    assert (age.required, age.low, age.high) == (True, 0, 120)
    assert [feature.key for feature in knowledge.features if feature.required] == ["age"]
    fever = knowledge.likelihoods[
        ConditionKey("spinal_epidural_abscess"), FeatureKey("fever"), OptionKey("yes")
    ]
    assert (fever.probability, fever.sample_size) == (0.66, 915)


type Rates = Callable[[str, str, str], tuple[float, ...]]


@pytest.fixture
def infection(content: Content) -> Rates:
    """How common an answer is without and with a syndrome, in an infection of the spine."""
    syndromes = {str(syndrome.key): syndrome for syndrome in content.knowledge.syndromes}
    return lambda syndrome, feature, option: syndromes[syndrome].members[
        ConditionKey("vertebral_osteomyelitis"), FeatureKey(feature), OptionKey(option)
    ]


def test_how_common_an_answer_is_without_the_syndrome_follows_from_the_likelihood(
    content: Content, infection: Rates
) -> None:
    (ill,) = (each for each in content.knowledge.syndromes if each.key == "ill_all_over")

    assert ill.states == ("absent", "present")
    assert ill.basis is Basis.ESTIMATE
    assert ill.chances[ConditionKey("vertebral_osteomyelitis")] == pytest.approx((0.45, 0.55))
    # 68 in 100 feel unwell; so do 85 in 100 of the 55 who are ill all over, which are 46.75.
    unwell = infection("ill_all_over", "general_signs", "unwell")
    assert unwell == pytest.approx(((0.68 - 0.4675) / 0.45, 0.85))
    # 55 in 100 have a fever; so do 65 in 100 of the same 55, which are 35.75.
    assert infection("ill_all_over", "fever", "yes") == pytest.approx((0.1925 / 0.45, 0.65))
    assert infection("ill_all_over", "fever", "no") == pytest.approx((0.2575 / 0.45, 0.35))


def test_a_number_for_one_condition_stands_in_the_place_of_the_general_one(
    infection: Rates,
) -> None:
    assert infection("ill_all_over", "general_signs", "weight_loss")[1] == 0.5
    assert infection("ill_all_over", "general_signs", "unwell")[1] == 0.85


def test_answers_that_are_no_signs_share_what_the_signs_leave(infection: Rates) -> None:
    """Pain that throbs is a sign of inflamed skin; 5 and 63 in 100 say tender and deep."""
    kinds = ("tender", "throbbing", "deep_ache", "sharp_move", "burning")
    rates = {kind: infection("inflamed_skin", "pain_type", kind) for kind in kinds}

    assert [sum(each) for each in zip(*rates.values(), strict=True)] == pytest.approx([1, 1])
    assert rates["throbbing"][1] == 0.5
    assert rates["deep_ache"][1] == pytest.approx(0.5 * 63 / 90)
    assert rates["tender"][1] == pytest.approx(0.5 * 5 / 90)


def test_a_release_from_before_there_were_syndromes_has_none(shipped_document: Document) -> None:
    old = {name: rows for name, rows in shipped_document.items() if "syndrome" not in name}

    assert knowledge_from(old).syndromes == ()
    assert Wording(old, "en").condition(ConditionKey("lipoma")).plain_name == "Fatty lump"


def test_a_syndrome_has_its_words_and_its_signs(content: Content) -> None:
    text = content.wording("en").syndrome(SyndromeKey("ill_all_over"))

    assert (text.present, text.absent) == ("Ill all over", "Not ill all over")
    assert (FeatureKey("fever"), OptionKey("yes")) in text.signs
    assert (FeatureKey("fever"), OptionKey("no")) not in text.signs


def test_a_state_is_never_ranked_but_has_its_words(content: Content) -> None:
    keys = [condition.key for condition in content.knowledge.conditions]

    assert "cord_cauda_compression" not in keys
    name = content.wording("en").condition(ConditionKey("cord_cauda_compression")).plain_name
    assert name == "Squeezed spinal cord or nerves"


def test_every_voice_has_its_question(content: Content) -> None:
    wording = content.wording("en-gb")
    lump = FeatureKey("lump_size")

    assert wording.question(lump) == "How big is the lump?"
    assert wording.question(lump, "helper") == "How big is the lump on their back?"
    assert wording.question(lump, "other") == "How big is the lump on the person's back?"


def test_placeholders_are_filled_in_from_the_settings(
    release: Release, topic: Topic, author: User, approver: User, settings: Settings
) -> None:
    settings.PLACEHOLDERS = {"en": {name: f"<{name}>" for name in settings.PLACEHOLDERS["en"]}}
    published = publish(topic=topic, author=author, approver=approver, why="For elsewhere.")

    wording = content_of(published.pk).wording("en")

    assert "Call <emergency_number> now" in wording.flag(RuleKey("rf_sepsis")).message
    assert wording.advice("urgency", "same_day").what_to_do.startswith("Call <gp_surgery> now")


def test_no_text_that_a_person_reads_keeps_a_placeholder(content: Content) -> None:
    wording = content.wording("en")

    assert not re.search(r"\{\w+\}", repr([vars(wording), wording.words]))
    assert re.search(r"Call 999", repr(vars(wording)))


def test_content_is_never_shown_in_another_language(content: Content) -> None:
    with pytest.raises(NotTranslated):
        content.wording("de")


def test_every_rule_can_be_said_in_words(content: Content) -> None:
    words = content.wording("en").words

    for rule in content.knowledge.rules:
        assert in_words(parse(rule.text), words)


def test_whether_a_release_is_recalled_is_one_query(release: Release, approver: User) -> None:
    assert not is_recalled(release.pk)
    recall(release=release, by=approver, why="Wrong.")

    with CaptureQueriesContext(connection) as queries:
        assert is_recalled(release.pk)

    assert len(queries) == 1


def test_a_question_takes_as_long_as_its_words_do() -> None:
    """Two words to ask, one of help and one each to answer: five words at 238 a minute."""
    question = {"text": "Any fever?", "help_text": "Measured."}

    seconds = seconds_to_reply(question, [{"text": "Yes"}, {"text": "No"}])

    assert seconds == pytest.approx(1.35 + 1.1 + 60 * 5 / 238)


def test_long_lists_take_longer(content: Content) -> None:
    effort = {feature.key: feature.effort for feature in content.knowledge.features}

    assert effort[FeatureKey("skin_look")] > 2 * effort[FeatureKey("age")]
