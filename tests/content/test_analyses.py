"""What rules, questions and conditions can never do, found exactly; and what reviews are due."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import combinations, product
from math import log, prod
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from tests.engine.expressions import rule_texts, telling_replies
from tests.engine.oracle import Replies, is_true, names, plain_values
from tests.engine.small import (
    CONDITIONS,
    FEATURES,
    RULES,
    SETTINGS,
    TABLE,
    alone,
    knowledge_with,
    option,
)
from triage.content import analyses, leading
from triage.content.addresses import linked
from triage.content.documents import Document
from triage.content.faults import Fault, faults_in, notices_in
from triage.content.models import Topic
from triage.engine import (
    ConditionKey,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    OptionKey,
    Rule,
    RuleKey,
    RuleKind,
    Unsound,
    Urgency,
    posterior,
)

from .breaking import add_like, change, row, shipped
from .forms import leading_nowhere

TODAY = date(2026, 11, 26)

CALM = tuple(
    replace(feature, options=tuple(replace(o, alarm=False) for o in feature.options))
    for feature in FEATURES
)
"""The small topic without alarms, so that any rule may stand in it."""

MOST_PEOPLE = 4_000


def rules(*texts: str, urgency: Urgency = Urgency.SAME_DAY) -> tuple[Rule, ...]:
    return tuple(
        Rule(RuleKey(f"rule_{place}"), RuleKind.RED_FLAG, urgency, text)
        for place, text in enumerate(texts)
    )


def asked_only_if(key: str, gate: str) -> tuple[Feature, ...]:
    return tuple(replace(f, asked_if=gate) if f.key == key else f for f in FEATURES)


# An oracle: everybody


def everybody(knowledge: Knowledge, *texts: str) -> Iterator[Replies]:
    """Yield everybody who could be, as far as rules can tell them apart. What is not answered is
    not known, but whoever is asked for their age says it."""
    read = {feature for text in texts for feature in names(text)}
    for feature in reversed(knowledge.features):
        if feature.key in read and feature.asked_if:
            read |= names(feature.asked_if)
    features = [feature for feature in knowledge.features if feature.key in read]
    ways = [
        [*telling_replies(feature), *([] if feature.required else [None])] for feature in features
    ]
    assume(prod(map(len, ways)) <= MOST_PEOPLE)
    for replies in product(*ways):
        yield {
            feature.key: reply
            for feature, reply in zip(features, replies, strict=True)
            if reply is not None
        }


def held_by(knowledge: Knowledge, text: str, people: list[Replies]) -> list[bool]:
    return [is_true(text, plain_values(knowledge, replies)) for replies in people]


@given(one=rule_texts, other=rule_texts)
@settings(max_examples=120, deadline=None, derandomize=True)
def test_rules_that_never_fire_or_are_implied_are_those_of_which_nobody_says_otherwise(
    one: str, other: str
) -> None:
    made = rules(one, other)
    people = list(everybody(knowledge_with(features=CALM, rules=()), one, other))
    try:
        knowledge = knowledge_with(features=CALM, rules=made)
    except Unsound:
        empty = knowledge_with(features=CALM, rules=())
        assert not all(any(held_by(empty, text, people)) for text in (one, other))
        return
    first, second = (held_by(knowledge, text, people) for text in (one, other))

    never = [rule.key for rule, held in zip(made, (first, second), strict=True) if not any(held)]
    expected = []
    if any(first) and any(second):
        goes_with = all(b for a, b in zip(first, second, strict=True) if a)
        comes_with = all(a for a, b in zip(first, second, strict=True) if b)
        if goes_with and not comes_with:  # of two that are the same the second is named
            expected.append(("rule_0", "rule_1"))
        if comes_with:
            expected.append(("rule_1", "rule_0"))

    assert list(analyses.never_firing(knowledge)) == never
    assert list(analyses.implied(knowledge)) == expected


# Rules


def test_a_rule_that_fires_only_for_who_skips_what_nobody_can_skip_never_fires() -> None:
    knowledge = knowledge_with(rules=(*RULES, *rules("not (age >= 0) and lump == 'one'")))

    assert list(analyses.never_firing(knowledge)) == ["rule_0"]


def test_a_rule_is_implied_through_the_question_that_it_needs() -> None:
    """Who injects is asked of grown-ups only, so who does is 16 or more."""
    made = rules("injects == 'yes'", "age >= 16")

    knowledge = knowledge_with(rules=made)

    assert list(analyses.implied(knowledge)) == [("rule_0", "rule_1")]


def test_a_rule_is_not_implied_by_a_less_urgent_one() -> None:
    urgent, usual = rules("injects == 'yes'", "age >= 16")

    knowledge = knowledge_with(rules=(urgent, replace(usual, urgency=Urgency.ROUTINE)))

    assert not list(analyses.implied(knowledge))


def test_a_scope_rule_does_more_than_raise_the_urgency() -> None:
    scope, flag = rules("age < 10", "age < 16")

    knowledge = knowledge_with(rules=(replace(scope, kind=RuleKind.SCOPE), flag))

    assert not list(analyses.implied(knowledge))


# Questions


def test_a_question_whose_condition_never_holds_is_never_asked() -> None:
    gate = "lump == 'one' and lump == 'no_lump'"

    knowledge = knowledge_with(features=asked_only_if("general", gate), rules=())

    assert list(analyses.unreachable(knowledge)) == [("general", None)]


def test_a_question_that_depends_on_one_that_is_never_asked_is_not_asked_either() -> None:
    features = tuple(
        replace(f, asked_if={"feel": "age > 130", "general": "feel == 'hard'"}.get(f.key, ""))
        for f in FEATURES
    )

    knowledge = knowledge_with(features=features, rules=())

    assert [key for key, _ in analyses.unreachable(knowledge)] == ["feel", "general"]


def test_a_question_that_comes_only_after_the_end_is_never_asked() -> None:
    knowledge = knowledge_with(features=asked_only_if("general", "'weak_legs' in leg_nerves"))

    assert list(analyses.unreachable(knowledge)) == [("general", "cord")]


def test_a_question_asked_of_some_after_an_alarm_that_ends_nothing_is_reached() -> None:
    knowledge = knowledge_with(features=asked_only_if("general", "fever == 'yes'"))

    assert not list(analyses.unreachable(knowledge))


def idle(key: str, **fields: Any) -> Feature:
    return Feature(FeatureKey(key), Kind.SINGLE, (alone("yes"), alone("no")), **fields)


def test_a_question_that_nothing_reads_is_not_needed() -> None:
    knowledge = knowledge_with(features=(*FEATURES, idle("hobby")))

    assert list(analyses.unneeded(knowledge)) == ["hobby"]


def test_a_question_needed_only_to_ask_one_that_is_not_needed_is_not_needed() -> None:
    features = (*FEATURES, idle("hobby"), idle("which", asked_if="hobby == 'yes'"))

    assert list(analyses.unneeded(knowledge_with(features=features))) == ["hobby", "which"]


def test_a_question_needed_to_ask_another_is_needed() -> None:
    features = (idle("hobby"), *asked_only_if("feel", "hobby == 'yes'"))

    assert not list(analyses.unneeded(knowledge_with(features=features)))


def test_likelihoods_that_are_the_same_for_all_tell_nothing() -> None:
    feature = Feature(FeatureKey("hobby"), Kind.SINGLE, (option("yes"), option("no")))
    cells = dict(CELLS) | {
        (condition.key, feature.key, answer.key): Likelihood(0.5)
        for condition in CONDITIONS
        for answer in feature.options
    }

    knowledge = knowledge_with(features=(*FEATURES, feature), likelihoods=cells)

    assert list(analyses.unneeded(knowledge)) == ["hobby"]


# Conditions


def cells_of(table: dict[str, dict[str, dict[str, float]]]) -> dict[Any, Likelihood]:
    return {
        (ConditionKey(condition), FeatureKey(feature), OptionKey(key)): Likelihood(probability)
        for condition, its in table.items()
        for feature, options in its.items()
        for key, probability in options.items()
    }


CELLS = cells_of(TABLE)


def with_priors(*priors: float) -> tuple[Any, ...]:
    return tuple(replace(c, prior=p) for c, p in zip(CONDITIONS, priors, strict=True))


def test_every_condition_of_the_small_topic_leads_for_somebody_and_none_for_all() -> None:
    assert leading.leads(knowledge_with()) == leading.Leads({}, (), None, None)


def test_a_condition_like_another_but_rarer_never_leads() -> None:
    cells = cells_of({**TABLE, "tumour": TABLE["strain"]})

    found = leading.leads(knowledge_with(likelihoods=cells))

    assert found == leading.Leads({ConditionKey("tumour"): ConditionKey("strain")}, (), None, None)


def test_a_condition_between_two_others_is_not_found_to_lead_and_not_said_never_to() -> None:
    """Whatever is answered makes one of its neighbours likelier, but neither always."""
    ways = {"cyst": 0.9, "strain": 0.1, "tumour": 0.5}
    feature = Feature(FeatureKey("hobby"), Kind.SINGLE, (option("yes"), option("no")))
    cells = {
        (ConditionKey(key), feature.key, OptionKey(answer)): Likelihood(p)
        for key, yes in ways.items()
        for answer, p in (("yes", yes), ("no", 1 - yes))
    }

    knowledge = knowledge_with(
        conditions=with_priors(0.35, 0.35, 0.3),
        features=(feature,),
        rules=(),
        likelihoods=cells,
    )

    assert leading.leads(knowledge).unseen == ("tumour",)
    first = [
        posterior(knowledge, Evidence([(feature.key, reply)])).argmax()
        for reply in telling_replies(feature)
    ]
    assert 2 not in first


def leading_for_somebody(priors: tuple[float, ...]) -> set[str]:
    """Return the conditions that alone come first for somebody, of all who can be told apart."""
    conditions = list(TABLE)

    def said(feature: Feature, chosen: set[OptionKey] | None) -> list[float]:
        if chosen is None:
            return [0.0] * len(conditions)
        scored = [option.key for option in feature.options if option.scored]
        many = feature.kind is Kind.MULTI
        terms = []
        for condition in conditions:
            rows = TABLE[condition][feature.key]
            slipped: dict[OptionKey, float] = {
                key: (1 - SETTINGS.slip) * rows[key] + SETTINGS.slip / (2 if many else len(scored))
                for key in scored
            }
            ticked = sum(log(slipped[key]) for key in chosen)
            others = sum(log(1 - slipped[key]) for key in scored if key not in chosen)
            terms.append(SETTINGS.temper * (ticked + (others if many else 0)))
        return terms

    def ways(key: str) -> list[list[float]]:
        feature = next(each for each in FEATURES if each.key == key)
        scored = [option.key for option in feature.options if option.scored]
        chosen: list[set[OptionKey] | None] = [None, *({each} for each in scored)]
        if feature.kind is Kind.MULTI:
            sizes = range(len(scored) + 1)
            chosen = [None, *(set(c) for n in sizes for c in combinations(scored, n))]
        return [said(feature, each) for each in chosen]

    scores = np.log(priors)[None, :]
    for key in ("leg_nerves", "fever", "skin", "pain", "general"):
        scores = both(scores, np.array(ways(key)))
    _, one, no_lump = ways("lump")
    unknown = np.zeros((1, len(conditions)))
    scores = np.vstack(
        [
            both(scores, both(np.vstack([unknown, [one]]), np.array(ways("feel")))),
            both(scores, np.array([no_lump])),
        ]
    )
    _, young, old = ways("age")
    scores = np.vstack(
        [scores, both(scores, both(np.array([young, old]), np.array(ways("injects"))))]
    )
    ranked = np.sort(scores, axis=1)
    alone = ranked[:, -1] - ranked[:, -2] > leading.APART
    return {conditions[place] for place in set(scores.argmax(axis=1)[alone].tolist())}


def both(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    return np.asarray((one[:, None] + other[None]).reshape(-1, one.shape[1]))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.6, 0.9])
@pytest.mark.parametrize("common", [0.6, 0.9, 0.97, 0.975, 0.98, 0.985, 0.99, 0.995, 0.999, 0.9999])
def test_who_leads_is_what_everybody_together_shows(common: float, share: float) -> None:
    priors = (common, (1 - common) * share, (1 - common) * (1 - share))

    found = leading.leads(knowledge_with(conditions=with_priors(*priors)))

    assert {*TABLE} - {*found.never, *found.unseen} == leading_for_somebody(priors)


def test_a_condition_that_nothing_can_outweigh_always_leads() -> None:
    found = leading.leads(knowledge_with(conditions=with_priors(1 - 2e-9, 1e-9, 1e-9)))

    assert found.always == "cyst"
    assert found.never == {"strain": "cyst", "tumour": "cyst"}
    assert found.mostly is None


def test_a_condition_that_almost_always_leads_is_named_with_how_often() -> None:
    found = leading.leads(knowledge_with(conditions=with_priors(0.995, 0.0025, 0.0025)))

    assert found.always is None
    key, count = found.mostly or ("", 0)
    assert key == "cyst"
    assert leading.MOST_LED * leading.WALKS < count < leading.WALKS


def test_the_same_is_found_each_time(shipped: Knowledge) -> None:
    assert leading.leads(shipped) == leading.leads(shipped)


@pytest.mark.parametrize("linked_findings", [False, True])
def test_no_answers_pass_the_bound(linked_findings: bool, shipped: Knowledge) -> None:
    """The proof that a condition never leads rests on it; with and without syndromes."""
    knowledge = shipped if linked_findings else knowledge_with()
    chance = np.random.default_rng(7)
    bounds = [leading._furthest(knowledge, p) for p in range(len(knowledge.conditions))]

    for _ in range(60):
        scores = leading._scores(knowledge, leading._walk(knowledge, chance))
        for place, bound in enumerate(bounds):
            assert (scores[place] - scores <= bound + leading.APART).all()


@pytest.mark.parametrize("with_syndromes", [False, True])
def test_what_the_search_adds_up_is_what_the_engine_does(
    with_syndromes: bool, shipped: Knowledge
) -> None:
    """It adds up all answers to a question at once, with gates and syndromes."""
    knowledge = shipped if with_syndromes else knowledge_with()
    chance = np.random.default_rng(11)

    for place in range(0, len(knowledge.conditions), 5):
        search = leading._Search(knowledge, place)
        for start in ({}, dict(leading._walk(knowledge, chance))):
            replies, lead = search.climbed(start)

            scores = leading._scores(knowledge, Evidence(replies.items()))
            assert lead == pytest.approx(leading._lead(scores, place), abs=1e-9)
            before = leading._lead(leading._scores(knowledge, Evidence(start.items())), place)
            assert lead >= before - 1e-9


# What is said of the content


def one_like_another(document: Document) -> None:
    """Let one tumour be like lipomas in everything, and rarer."""

    def copied(part: str) -> None:
        mine = [deepcopy(each) for each in document[part] if "lipoma" in (each["condition"] or ())]
        kept = [
            each
            for each in document[part]
            if "nerve_sheath_tumour" not in (each["condition"] or ())
        ]
        for each in mine:
            each["condition"] = ["back-lump", "nerve_sheath_tumour"]
        document[part] = [*kept, *mine]

    for part in ("likelihoods", "syndrome_chances", "syndrome_members"):
        copied(part)


def one_above_all(document: Document) -> None:
    ranked = [each for each in document["conditions"] if each["kind"] == "ranked"]
    for each in ranked:
        each["prior_percent"] = 1e-10 / (len(ranked) - 1)
    row(document, "conditions", "lipoma")["prior_percent"] = 100 - 1e-10


def add_idle_question(document: Document) -> None:
    add_like("features", "fever", key="hobby", order=900, asked_if="")(document)
    for key, order in (("yes", 1), ("no", 2)):
        add_like(
            "options", "fever", key, feature=["back-lump", "hobby"], scored=False, order=order
        )(document)


def reviewed(place: str, on: str, due: str) -> Callable[[Document], None]:
    def add(document: Document) -> None:
        document.setdefault("reviews", []).append(
            {
                "topic": ["back-lump"],
                "place": place,
                "reviewer": "Ada Grey, GP",
                "reviewed_on": on,
                "due_on": due,
                "note": "",
            }
        )

    return add


BLOCKING: dict[str, tuple[Callable[[Document], None], str]] = {
    "a rule for nobody": (
        change("red_flags", "rf_fever", rule="fever == 'yes' and not (age >= 0)"),
        "The red flag “rf_fever”: it fires only for somebody who skips a question",
    ),
    "a question that no answers lead to": (
        change("features", "sex", asked_if="age > 100 and age < 50"),
        "The question “sex”: it is never asked. It is asked only if a condition holds,",
    ),
    "a question after the end": (
        change("features", "cancer_history", asked_if="'collapse' in right_now"),
        "whenever that is so, the red flag “rf_chest_collapse” has ended the questions before.",
    ),
    "a number from a study that names none": (
        change("likelihoods", "lipoma", "lump_feel", "soft", basis="study", source=None),
        "The number of “lipoma” / “lump_feel” / “soft”: it is from a study, but names no source.",
    ),
    "a number of a syndrome from a guideline that names none": (
        change(
            *("syndrome_members", "ill_all_over", "fever", "yes", "any"),
            basis="guideline",
            source=None,
        ),
        "The number of “ill_all_over” / “fever” / “yes”: it is from a guideline, but names no",
    ),
}
NOTICED: dict[str, tuple[Callable[[Document], None], str]] = {
    "a rule that another makes idle": (
        add_like(
            "red_flags",
            "rf_fever",
            key="rf_ill",
            rule="fever == 'yes' and 'unwell' in general_signs",
        ),
        "The red flag “rf_ill”: whenever it fires, “rf_fever” fires as well, which is as urgent:",
    ),
    "a rule that a more urgent one makes idle": (
        add_like("red_flags", "rf_fever", key="rf_ill", rule="'collapse' in right_now"),
        "The red flag “rf_ill”: whenever it fires, “rf_chest_collapse” fires as well, which is more",
    ),
    "a question that changes nothing": (
        add_idle_question,
        "The question “hobby”: its answers change nothing",
    ),
    "a condition that never comes first": (
        one_like_another,
        "The condition “nerve_sheath_tumour”: it never comes first: whatever is answered, “lipoma” is",
    ),
    "a condition that mostly comes first": (
        one_above_all,
        "The condition “lipoma”: it comes first with ",
    ),
    "a review past its date": (
        reviewed("conditions/lipoma", "2025-11-25", "2026-11-25"),
        "The condition “lipoma”: it was to be reviewed again by 2026-11-25; the last review is of",
    ),
    "a review of nothing": (
        reviewed("conditions/knee_cyst", "2026-01-01", "2027-01-01"),
        "The review of “conditions/knee_cyst”: the topic has nothing of this name.",
    ),
    "rows that nobody has reviewed": (
        lambda document: document.update(reviews=[]),
        "Reviews of conditions: 23 of 23 have never been reviewed: “benign_bone_tumour”,",
    ),
    "a text that is not translated": (
        lambda document: document["translations"].remove(
            next(t for t in document["translations"] if t["place"] == "features/fever/text")
        ),
        "In “es”, features/fever/text: is not translated.",
    ),
    "a translation that says nothing of several answers": (
        lambda document: next(
            t for t in document["translations"] if t["place"] == "features/leg_nerves/help_text"
        ).update(text="Piense en los últimos días."),
        "In “es”: The question “leg_nerves”: neither “text” nor “help_text” says that several",
    ),
}


def sentences(faults: list[Fault]) -> list[str]:
    return [str(fault) for fault in faults]


# For one worker, which finds the faults of each only once.
changed_in_each_way = pytest.mark.xdist_group("changed in each way")


@cache
def found_in(kind: str) -> list[Fault]:
    """Return the faults, or else the notices, of the shipped content that is changed in this way."""
    changed = deepcopy(shipped())
    change_it, _ = (BLOCKING | NOTICED)[kind]
    change_it(changed)
    return faults_in(changed) if kind in BLOCKING else notices_in(changed, TODAY)


@pytest.fixture(scope="module")
def noticed_before() -> list[Fault]:
    return notices_in(shipped(), TODAY)


@changed_in_each_way
@pytest.mark.parametrize("kind", BLOCKING)
def test_this_keeps_the_topic_from_being_published(kind: str) -> None:
    _, sentence = BLOCKING[kind]

    found = [fault for fault in found_in(kind) if sentence in str(fault)]

    assert found, sentences(found_in(kind))
    assert all(fault.blocks for fault in found)


@changed_in_each_way
@pytest.mark.parametrize("kind", NOTICED)
def test_this_is_noticed_and_keeps_nobody_from_publishing(
    kind: str, noticed_before: list[Fault]
) -> None:
    _, sentence = NOTICED[kind]

    found = [each for each in found_in(kind) if sentence in str(each)]

    assert found, sentences(found_in(kind))
    assert not any(each.blocks for each in found)
    assert kind == "rows that nobody has reviewed" or not [
        each for each in noticed_before if sentence in str(each)
    ]


def test_what_is_reviewed_again_in_time_is_not_named(document: Document) -> None:
    reviewed("conditions/lipoma", "2024-11-25", "2025-11-25")(document)
    reviewed("conditions/lipoma", "2025-11-26", "2026-11-26")(document)

    assert not [each for each in notices_in(document, TODAY) if "“lipoma”" in each.where]
    assert any("22 of 23 have never" in str(each) for each in notices_in(document, TODAY))


def test_what_cannot_be_reasoned_with_is_not_said_to_lead_or_not(document: Document) -> None:
    one_like_another(document)
    change("conditions", "lipoma", prior_percent=55.0)(document)

    assert not [each for each in notices_in(document, TODAY) if "comes first" in each.what]


@changed_in_each_way
def test_every_notice_leads_to_the_field_to_mend(topic: Topic) -> None:
    faults = [
        fault
        for kind, (_, sentence) in (BLOCKING | NOTICED).items()
        for fault in found_in(kind)
        # What is not in the database has no form yet.
        if sentence in str(fault) and "hobby" not in fault.where
    ]

    assert not leading_nowhere(linked(faults, topic))
