"""A rule is checked while it is typed: what it says, needs, touches, and what was meant."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.staff.people import sign_in
from triage.content.models import Feature, RedFlag, SavedCase, Topic
from triage.content.rule_help import Vocabulary, check
from triage.engine import Evidence, Knowledge, RuleKey
from triage.evaluation.cases import read_cases


@pytest.fixture
def vocabulary(topic: Topic) -> Vocabulary:
    return Vocabulary(topic)


@pytest.fixture
def as_author(author: User) -> Client:
    return sign_in(Client(), author)


@pytest.mark.parametrize(
    ("text", "what", "meant"),
    [
        ("skin_lok == 'x'", "It names “skin_lok”, which is no feature of this topic.", "skin_look"),
        ("fever == 'yess'", "“fever” has no option “yess”.", "yes"),
        ("'feels_pus' in skin_look", "“skin_look” has no option “feels_pus”.", "pus"),
        ("lump == 'x'", "It names “lump”, which is no feature of this topic.", "lump_feel"),
    ],
)
def test_a_wrong_name_is_told_with_the_names_that_may_be_meant(
    vocabulary: Vocabulary, text: str, what: str, meant: str
) -> None:
    (misfit,) = check(text, vocabulary).misfits

    assert misfit.what == what
    assert meant in misfit.meant


def test_what_cannot_be_read_is_told_with_its_place(vocabulary: Vocabulary) -> None:
    assert "is not in the rule language" in check("fever is yes", vocabulary).refused


def test_a_rule_says_what_it_reads_and_the_fewest_answers_that_fire_it(
    vocabulary: Vocabulary,
) -> None:
    found = check("fever == 'yes' and age >= 65", vocabulary, urgency="same_day")

    assert found.says == "All of: Fever is “Yes”; Age is 65 or more."
    assert [(reads.name, reads.options) for reads in found.reads] == [
        ("Fever", ("Yes",)),
        ("Age", ()),
    ]
    assert found.way is not None
    assert [answer for _, answer in found.way] == ["Yes", "65"]
    assert found.is_sound


def test_a_rule_that_nobody_can_fulfil_and_one_that_everybody_does(
    vocabulary: Vocabulary,
) -> None:
    never = check("fever == 'yes' and fever == 'no'", vocabulary, urgency="same_day")
    always = check("fever == 'yes' or not (fever == 'yes')", vocabulary, urgency="same_day")

    assert (never.never, never.way) == (True, None)
    assert (always.always, always.way) == (True, ())


def test_an_alarm_that_switches_a_rule_off_is_named(vocabulary: Vocabulary) -> None:
    found = check("age >= 65 and fever != 'yes'", vocabulary, urgency="same_day")

    assert found.calming == ("Fever: Yes",)
    assert not found.is_sound


def test_a_rule_that_another_one_always_goes_with_is_told(
    topic: Topic, vocabulary: Vocabulary
) -> None:
    flag = RedFlag.objects.get(key="rf_abscess")
    narrower = "'spreading' in skin_look and fever == 'yes'"

    told = check(narrower, vocabulary, urgency=flag.urgency, key="new").implied
    more_urgent = check(narrower, vocabulary, urgency="emergency_now", key="new").implied
    itself = check(flag.rule, vocabulary, urgency=flag.urgency, key=flag.key).implied

    assert flag.title in told
    assert flag.title not in more_urgent
    assert flag.title not in itself


def test_the_cases_that_fire_a_rule_are_those_in_which_the_engine_fires_it(
    vocabulary: Vocabulary, shipped: Knowledge
) -> None:
    folder = settings.BASE_DIR / "tests" / "cases" / "back-lump"
    cases = [
        case
        for file in sorted(folder.glob("*.jsonl"))
        for case in read_cases(file.read_text(encoding="utf-8").splitlines(), shipped)
    ]
    for flag in RedFlag.objects.filter(kind="red_flag"):
        found = check(flag.rule, vocabulary, urgency=flag.urgency, key=flag.key).cases

        expected = [case.key for case in cases if _fires(shipped, case.evidence, flag.key)]
        assert [key for key, _ in found] == expected


def _fires(knowledge: Knowledge, evidence: Evidence, rule: str) -> bool:
    """Whether the rule holds once nothing more is asked."""
    from triage.engine.standing import Standing
    from triage.engine.verdicts import TRUE

    return Standing(knowledge, evidence).closed().verdicts[RuleKey(rule)] is TRUE


def test_a_saved_case_is_tried_as_well(topic: Topic, author: User) -> None:
    SavedCase.objects.create(
        topic=topic,
        key="ours",
        story="Feverish.",
        answers={"fever": "yes", "gone": "yes", "skin_look": ["pus", "gone"]},
        saved_by=author,
    )
    vocabulary = Vocabulary(topic)

    cases = check("fever == 'yes' and 'pus' in skin_look", vocabulary, urgency="same_day").cases

    assert ("ours", "Feverish.") in cases


def test_a_question_may_look_back_only(topic: Topic) -> None:
    gated = Vocabulary(topic, before="fever")
    later = Feature.objects.filter(topic=topic).order_by("order").last()
    assert later is not None

    found = check(f"{later.key} == 'x'", gated)

    assert "does not come before this question" in " ".join(m.what for m in found.misfits)
    assert later.key not in {name.key for name in gated.names}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("fev", "fever"),
        ("fever == 'yes' and skin_l", "skin_look"),
        ("fever == 'n", "'no'"),
        ("fever == n", "'no'"),
        ("pus", "'pus' in skin_look"),
        ("fever == 'yes' and 'pu", "'pus' in skin_look"),
        ("sex in ('male', 'fem", "'female'"),
        ("age", "age >= "),
    ],
)
def test_names_are_offered_for_the_word_that_is_being_typed(
    vocabulary: Vocabulary, text: str, first: str
) -> None:
    offered = vocabulary.completions(text, len(text))

    assert offered[0].insert == first
    assert text[offered[0].start :].strip("'") in first


@pytest.mark.parametrize("text", ["", "fever == 'yes' ", "fever == 'yes' and", "(", "1 <"])
def test_nothing_is_offered_where_no_name_is_being_typed(vocabulary: Vocabulary, text: str) -> None:
    assert vocabulary.completions(text, len(text)) == []


def test_a_name_replaces_only_the_word_at_the_caret(vocabulary: Vocabulary) -> None:
    text = "fev == 'yes' and age >= 65"

    (first, *_) = vocabulary.completions(text, len("fev"))

    assert text[: first.start] + first.insert + text[first.end :] == f"fever{text[3:]}"


def test_the_form_checks_as_one_types_and_without_javascript(
    topic: Topic, as_author: Client
) -> None:
    flag = RedFlag.objects.get(key="rf_fever")
    form = as_author.get(reverse("admin:content_redflag_change", args=[flag.pk])).content.decode()
    typed = {"topic": topic.pk, "rule": "fever == 'yes' and skin_lok", "urgency": "same_day"}
    here = reverse("content:rule")

    live = as_author.post(here, typed, headers={"HX-Request": "true"}).content.decode()
    page = as_author.post(here, typed | {"rule": flag.rule}).content.decode()

    assert f'hx-post="{here}"' in form
    assert f'formaction="{here}"' in form
    assert "The fewest answers that fire it" in form
    assert "is not in the rule language" in live
    assert "<html" not in live
    assert "<h1>Check of a rule</h1>" in page
    assert "What it reads" in page


def test_a_rule_without_a_topic_and_a_topic_that_is_not_there_ask_for_one(
    as_author: Client,
) -> None:
    for number in ("", "x", "99999"):
        answer = as_author.post(reverse("content:rule"), {"topic": number, "rule": "fever"})
        assert "Choose the topic first" in answer.content.decode()


def test_an_urgency_that_is_not_chosen_yet_is_taken_for_the_lowest(
    topic: Topic, as_author: Client
) -> None:
    flag = RedFlag.objects.get(key="rf_fever")
    for urgency in ("", "at once"):
        typed = {"topic": topic.pk, "rule": flag.rule, "key": "new", "urgency": urgency}
        answer = as_author.post(reverse("content:rule"), typed, headers={"HX-Request": "true"})
        assert f"Whenever it fires, “{flag.title}” fires too" in answer.content.decode()


def test_names_are_listed_and_searched(topic: Topic, as_author: Client) -> None:
    here = reverse("content:names", args=[topic.key])

    everything = as_author.get(here).content.decode()
    some = as_author.get(here, {"word": "pus"}, headers={"HX-Request": "true"}).content.decode()

    assert "&#x27;pus&#x27; in skin_look" in everything
    assert "&#x27;pus&#x27; in skin_look" in some
    assert "fever" not in some
    assert "<html" not in some


def test_whoever_is_not_signed_in_checks_nothing(topic: Topic) -> None:
    answer = Client().post(reverse("content:rule"), {"topic": topic.pk, "rule": "fever"})

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("admin:login"))
