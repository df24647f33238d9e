"""Knowledge refuses to exist unless it is sound, and says everything that is wrong with it."""

from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest

from triage.engine import (
    Condition,
    ConditionKey,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Option,
    OptionKey,
    RiskGroup,
    Rule,
    RuleKey,
    RuleKind,
    Settings,
    UnknownFeature,
    Unsound,
    Urgency,
)

from .small import CONDITIONS, FEATURES, RULES, alarm, alone, knowledge_with, likelihoods, option

type Parts = dict[str, Any]


def faults(**parts: Any) -> tuple[str, ...]:
    with pytest.raises(Unsound) as refusal:
        knowledge_with(**parts)
    return refusal.value.faults


def conditions(**changes: Any) -> Parts:
    return {"conditions": (replace(CONDITIONS[0], **changes), *CONDITIONS[1:])}


def feature(key: str, **changes: Any) -> Parts:
    return {"features": tuple(replace(f, **changes) if f.key == key else f for f in FEATURES)}


def rule(
    text: str, kind: RuleKind = RuleKind.RED_FLAG, urgency: Urgency = Urgency.SAME_DAY
) -> Parts:
    return {"rules": (*RULES, Rule(RuleKey("new"), kind, urgency, text))}


def cell(condition: str, key: str, option: str, probability: float | None) -> Parts:
    cells = likelihoods()
    where = (ConditionKey(condition), FeatureKey(key), OptionKey(option))
    if probability is None:
        del cells[where]
    else:
        cells[where] = Likelihood(probability)
    return {"likelihoods": cells}


def group(*keys: str, raise_at: float = 0.5) -> Parts:
    members = frozenset(map(ConditionKey, keys))
    return {"groups": (RiskGroup("cancers", members, Urgency.ROUTINE, raise_at),)}


def bands(*options: Option, low: int | None = 0, high: int | None = 10) -> Parts:
    return feature("pain", options=options, low=low, high=high)


def band(key: str, low: int | None, high: int | None) -> Option:
    return Option(OptionKey(key), low=low, high=high)


SEVERE = Option(OptionKey("severe"), alarm=True, low=7, high=10)

UNSOUND: list[tuple[str, Parts]] = [
    # probabilities
    ("The prior of “cyst” is nan: not between 0 and 1.", conditions(prior=nan)),
    ("The prior of “cyst” is 0: not between 0 and 1.", conditions(prior=0)),
    ("The prior of “cyst” is 1: not between 0 and 1.", conditions(prior=1)),
    ("The prior of “cyst” is inf: not between 0 and 1.", conditions(prior=inf)),
    ("The prior of “cyst” is -0.6: not between 0 and 1.", conditions(prior=-0.6)),
    ("The priors add up to 1.000002, not 1.", conditions(prior=0.600002)),
    ("The priors add up to 0.900000, not 1.", conditions(prior=0.5)),
    ("The risk threshold of “cyst” is nan: not in (0, 1].", conditions(raise_at=nan)),
    ("The risk threshold of “cyst” is 0: not in (0, 1].", conditions(raise_at=0)),
    ("The risk threshold of “cyst” is 1.5: not in (0, 1].", conditions(raise_at=1.5)),
    ("There must be at least two conditions to tell apart.", {"conditions": CONDITIONS[:1]}),
    ("There must be at least two conditions to tell apart.", {"conditions": ()}),
    *(
        (
            f"The likelihood of “cyst” / “skin” / “red” is {bad}: it must be above 0 and below 1.",
            cell("cyst", "skin", "red", bad),
        )
        for bad in (nan, 0.0, 1.0, inf, -inf, -0.1, 1.1)
    ),
    *(
        (
            f"The likelihood of “cyst” / “fever” / “yes” is {bad}: it must be above 0 and below 1.",
            cell("cyst", "fever", "yes", bad),
        )
        for bad in (nan, 0.0, 1.0)
    ),
    (
        "The likelihood of “cyst” / “fever” / “yes” is missing.",
        cell("cyst", "fever", "yes", None),
    ),
    (
        "The likelihoods of “cyst” / “fever” add up to 1.000002, not 1.",
        cell("cyst", "fever", "yes", 0.100002),
    ),
    (
        "The likelihoods of “cyst” / “age” add up to 0.900000, not 1.",
        cell("cyst", "age", "young", 0.6),
    ),
    (
        "There is a likelihood of “cyst” / “fever” / “not_sure”, which is not in the topic.",
        cell("cyst", "fever", "not_sure", 0.5),
    ),
    (
        "There is a likelihood of “gout” / “fever” / “yes”, which is not in the topic.",
        cell("gout", "fever", "yes", 0.5),
    ),
    # settings
    *(
        (f"The temper is {bad}: it must be above 0", {"settings": Settings(temper=bad)})
        for bad in (nan, 0.0, -1.0, 1.1)
    ),
    *(
        (f"The share of slips is {bad}: it must be", {"settings": Settings(slip=bad)})
        for bad in (nan, -0.01, 0.5)
    ),
    *(
        (f"The least gain worth a question is {bad}", {"settings": Settings(gain_stop=bad)})
        for bad in (nan, -0.1, inf)
    ),
    *(
        (f"The settling posterior is {bad}: it must be", {"settings": Settings(lead_stop=bad)})
        for bad in (nan, 0.0, 1.1)
    ),
    *(
        (f"The spread of a number by {basis} is {bad}", {"settings": Settings(**{name: bad})})
        for basis in ("estimate", "guideline", "study")
        for name in (f"spread_{basis}",)
        for bad in (nan, -0.1, inf)
    ),
    # keys
    ("There are 2 of the condition “cyst”.", {"conditions": (*CONDITIONS, CONDITIONS[0])}),
    ("There are 2 of the feature “fever”.", {"features": (*FEATURES, FEATURES[2])}),
    ("There are 2 of the rule “cord”.", {"rules": (*RULES, RULES[0])}),
    (
        "There are 2 of the option of “fever” “yes”.",
        feature("fever", options=(alarm("yes"), alarm("yes"), option("no"))),
    ),
    # features and bands
    ("The feature “skin” has no option.", feature("skin", options=())),
    ("The feature “pain” does not say which numbers it takes.", bands(SEVERE, low=None)),
    ("The feature “pain” does not say which numbers it takes.", bands(SEVERE, high=None)),
    ("The feature “pain” does not say which numbers it takes.", bands(SEVERE, low=11)),
    ("Two bands of “pain” overlap at 7.", bands(band("mild", 0, 7), SEVERE)),
    ("Two bands of “pain” overlap at 7.", bands(band("mild", None, None), SEVERE)),
    ("No band of “pain” holds 6.", bands(band("mild", 0, 5), SEVERE)),
    ("The band 0 to 11 of “pain” is empty or out of range.", bands(band("mild", 0, 11))),
    ("The band -1 to 6 of “pain” is empty or out of range.", bands(band("mild", -1, 6), SEVERE)),
    ("The band 6 to 5 of “pain” is empty or out of range.", bands(band("mild", 6, 5), SEVERE)),
    # groups
    ("The risk group “cancers” names “gout”, which is no condition.", group("tumour", "gout")),
    ("The risk group “cancers” is empty.", group()),
    ("The risk threshold of the group “cancers” is nan.", group("tumour", raise_at=nan)),
    ("The risk threshold of the group “cancers” is 0.", group("tumour", raise_at=0)),
    # gates
    (
        "The condition for asking “fever” is not in order: it names “cough”",
        feature("fever", asked_if="cough == 'yes'"),
    ),
    (
        "The condition for asking “fever” is not in order: “right_now” has no option “gone”",
        feature("fever", asked_if="'gone' in right_now"),
    ),
    (
        "The condition for asking “fever” is not in order: “len(right_now) > 1” at character 1",
        feature("fever", asked_if="len(right_now) > 1"),
    ),
    (
        "The condition for asking “fever” looks at “skin”, which does not come before it.",
        feature("fever", asked_if="'pus' in skin"),
    ),
    (
        "The condition for asking “fever” looks at “fever”, which does not come before it.",
        feature("fever", asked_if="fever != 'no'"),
    ),
    # rules
    ("The rule “new” is empty.", rule("")),
    ("The rule “new” is empty.", rule("  ")),
    ("The rule “new” is not in order: it names “cough”", rule("cough == 'yes'")),
    ("The rule “new” is not in order: “fever” has no option “high”", rule("fever == 'high'")),
    (
        "The rule “new” is not in order: “fever” has no option “high”",
        rule("fever in ('yes', 'high')"),
    ),
    ("The rule “new” is not in order: “skin” has no option “blue”", rule("'blue' in skin")),
    (
        "The rule “new” is not in order: it reads “skin” as a single feature, but",
        rule("skin == 'pus'"),
    ),
    (
        "The rule “new” is not in order: it reads “fever” as a multi feature, but",
        rule("'yes' in fever"),
    ),
    (
        "The rule “new” is not in order: it reads “fever” as a number feature, but",
        rule("fever > 38"),
    ),
    (
        "The rule “new” is not in order: it reads “fever” as a number feature, but",
        rule("fever is not None"),
    ),
    (
        "The rule “new” is not in order: it reads “age” as a single feature, but",
        rule("age == 'old'"),
    ),
    ("The rule “new” is not in order: “fever() == 'yes'” at character 1", rule("fever() == 'yes'")),
    ("The rule “new” can never hold.", rule("fever == 'yes' and fever == 'no'")),
    ("The rule “new” can never hold.", rule("age > 120")),
    ("The rule “new” can never hold.", rule("'none' in leg_nerves and 'weak_legs' in leg_nerves")),
    ("The rule “new” can never hold.", rule("lump == 'no_lump' and feel == 'hard'")),
    # an alarm that calms
    ("The rule “new” is switched off by the alarm “fever: yes”.", rule("fever != 'yes'")),
    ("The rule “new” is switched off by the alarm “fever: yes”.", rule("fever == 'not_sure'")),
    ("The rule “new” is switched off by the alarm “skin: pus”.", rule("'pus' not in skin")),
    ("The rule “new” is switched off by the alarm “skin: red”.", rule("'looks_normal' in skin")),
    ("The rule “new” is switched off by the alarm “skin: red”.", rule("'not_sure' in skin")),
    ("The rule “new” is switched off by the alarm “pain: severe”.", rule("pain < 3")),
    ("The rule “new” is switched off by the alarm “pain: severe”.", rule("not (pain >= 9)")),
    (
        "The rule “new” is switched off by the alarm “fever: yes”.",
        rule("age >= 60 and not (fever == 'yes' and 'pus' in skin)"),
    ),
    # scope
    (
        "The scope rule “new” hangs on “fever”, which has an alarm.",
        rule("fever == 'yes'", RuleKind.SCOPE),
    ),
]


@pytest.mark.parametrize(("fault", "parts"), UNSOUND, ids=range(len(UNSOUND)))
def test_every_fault_is_named(fault: str, parts: Parts) -> None:
    assert any(said.startswith(fault) for said in faults(**parts)), faults(**parts)


def test_all_faults_are_named_at_once() -> None:
    parts = conditions(prior=0.5) | cell("cyst", "skin", "red", nan) | rule("cough == 'yes'")

    assert len(faults(**parts)) == 3


def test_an_alarm_that_only_a_gate_makes_calming_is_found() -> None:
    """Fever closes the question on the feel of the lump, on which a rule hangs."""
    (fault,) = faults(**feature("feel", asked_if="fever != 'yes'"))

    # the sentence must name either the alarm or the rule that it switches off
    assert "hard_lump" in fault or "fever" in fault


@pytest.mark.parametrize(
    "text",
    [
        "fever == 'yes'",
        "not (fever != 'yes')",
        "fever in ('yes', 'no')",
        "'pus' in skin or 'red' in skin",
        "pain >= 7",
        "pain >= 3",
        "pain == 8",  # calms nobody who would be without the alarm
        "pain is not None and pain > 8",
        "'bruise' not in skin and 'pus' in skin",
        "fever != 'no' and fever != 'not_sure' and fever == 'yes'",
    ],
)
def test_a_rule_that_no_alarm_switches_off_is_sound(text: str) -> None:
    assert knowledge_with(**rule(text)).rule(RuleKey("new")).text == text


def test_sound_parts_make_knowledge(knowledge: Knowledge) -> None:
    assert [condition.key for condition in knowledge.conditions] == ["cyst", "strain", "tumour"]
    assert knowledge.features == FEATURES
    assert knowledge.rules == RULES
    assert knowledge.condition(ConditionKey("tumour")).serious
    assert knowledge.feature(FeatureKey("age")).required
    assert knowledge.rule(RuleKey("cord")).urgency is Urgency.EMERGENCY_NOW


def test_a_feature_that_is_not_there_is_refused(knowledge: Knowledge) -> None:
    with pytest.raises(UnknownFeature):
        knowledge.feature(FeatureKey("cough"))


def test_what_is_given_can_change_later_without_changing_the_knowledge() -> None:
    cells, features = likelihoods(), list(FEATURES)
    knowledge = knowledge_with(likelihoods=cells, features=features)

    cells.clear()
    features.clear()

    assert len(knowledge.features) == len(FEATURES)
    assert knowledge.likelihoods == likelihoods()


def test_the_shipped_content_is_sound(shipped: Knowledge) -> None:
    assert len(shipped.features) == 36
    assert len(shipped.rules) == 32


def test_urgencies_are_ordered_and_have_keys() -> None:
    assert max(Urgency.SAME_DAY, Urgency.FEW_DAYS) is Urgency.SAME_DAY
    assert [urgency.key for urgency in sorted(Urgency)] == [
        "self_care",
        "routine",
        "urgent_2_weeks",
        "few_days",
        "same_day",
        "emergency_now",
    ]
    assert all(Urgency.of(urgency.key) is urgency for urgency in Urgency)
    with pytest.raises(KeyError):
        Urgency.of("soon")


UNSCORED = Feature(FeatureKey("mood"), Kind.MULTI, (alone("none"), alone("not_sure")))


def test_a_feature_without_likelihoods_is_sound() -> None:
    knowledge = knowledge_with(features=(*FEATURES, UNSCORED))

    assert knowledge.feature(FeatureKey("mood")) == UNSCORED


def test_a_condition_more_needs_all_its_likelihoods() -> None:
    extra = Condition(ConditionKey("gout"), 0.1, Urgency.ROUTINE)
    fewer = (replace(CONDITIONS[0], prior=0.5), *CONDITIONS[1:], extra)

    missing = [fault for fault in faults(conditions=fewer) if "is missing" in fault]

    assert len(missing) == sum(key[0] == "cyst" for key in likelihoods())
