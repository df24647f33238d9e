"""A topic small enough to work every number by hand."""

import pytest

from triage.engine import (
    Chosen,
    Condition,
    ConditionKey,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Observation,
    Option,
    OptionKey,
    Rule,
    RuleKey,
    RuleKind,
    StateKey,
    Syndrome,
    SyndromeKey,
    Tier,
    Urgency,
)


def option(key: str, *, low: int | None = None, high: int | None = None) -> Option:
    return Option(OptionKey(key), low=low, high=high)


def chosen(*keys: str) -> Chosen:
    return Chosen(frozenset(map(OptionKey, keys)))


NOT_SURE = Option(OptionKey("not_sure"), exclusive=True, scored=False)

FEATURES = (
    Feature(
        FeatureKey("danger"),
        Kind.MULTI,
        (
            Option(OptionKey("collapse"), alarm=True, scored=False),
            Option(OptionKey("none"), exclusive=True, scored=False),
            NOT_SURE,
        ),
        tier=Tier.SAFETY,
    ),
    Feature(
        FeatureKey("age"),
        Kind.NUMBER,
        (option("young", low=16, high=49), option("old", low=50)),
        required=True,
        low=0,
        high=120,
    ),
    Feature(FeatureKey("lump"), Kind.SINGLE, (option("one"), option("no_lump"), NOT_SURE)),
    Feature(
        FeatureKey("feel"),
        Kind.SINGLE,
        (option("soft"), option("hard"), NOT_SURE),
        asked_if="lump != 'no_lump'",
    ),
    Feature(
        FeatureKey("skin"),
        Kind.MULTI,
        (
            option("red"),
            option("pus"),
            Option(OptionKey("looks_normal"), exclusive=True, scored=False),
            NOT_SURE,
        ),
        observation=Observation.NEEDS_EYES,
    ),
)

TABLE = {
    "cyst": {
        "age": {"young": 0.7, "old": 0.3},
        "lump": {"one": 0.9, "no_lump": 0.1},
        "feel": {"soft": 0.8, "hard": 0.2},
        "skin": {"red": 0.6, "pus": 0.4},
    },
    "bone": {
        "age": {"young": 0.2, "old": 0.8},
        "lump": {"one": 0.3, "no_lump": 0.7},
        "feel": {"soft": 0.1, "hard": 0.9},
        "skin": {"red": 0.05, "pus": 0.02},
    },
}

RULES = (
    Rule(RuleKey("collapsed"), RuleKind.RED_FLAG, Urgency.EMERGENCY_NOW, "'collapse' in danger"),
    Rule(RuleKey("child"), RuleKind.SCOPE, Urgency.ROUTINE, "age < 16"),
    Rule(RuleKey("leaks"), RuleKind.RED_FLAG, Urgency.SAME_DAY, "'pus' in skin"),
    Rule(RuleKey("hard_lump"), RuleKind.FLOOR, Urgency.ROUTINE, "feel == 'hard'"),
)


INFLAMED = Syndrome(
    SyndromeKey("inflamed"),
    (StateKey("absent"), StateKey("present")),
    {ConditionKey("cyst"): (0.6, 0.4), ConditionKey("bone"): (0.97, 0.03)},
    {
        (ConditionKey("cyst"), FeatureKey("skin"), OptionKey("red")): (0.35, 0.975),
        (ConditionKey("cyst"), FeatureKey("skin"), OptionKey("pus")): (0.02, 0.97),
        (ConditionKey("bone"), FeatureKey("skin"), OptionKey("red")): (0.03, 0.02 / 0.03 + 0.03),
        (ConditionKey("bone"), FeatureKey("skin"), OptionKey("pus")): (0.01, 0.0103 / 0.03),
    },
)


def knowledge_with(syndromes: tuple[Syndrome, ...] = ()) -> Knowledge:
    return Knowledge(
        conditions=(
            Condition(ConditionKey("bone"), 0.25, Urgency.ROUTINE, raise_at=0.5),
            Condition(ConditionKey("cyst"), 0.75, Urgency.SELF_CARE),
        ),
        features=FEATURES,
        rules=RULES,
        likelihoods={
            (ConditionKey(condition), FeatureKey(feature), OptionKey(key)): Likelihood(probability)
            for condition, rows in TABLE.items()
            for feature, row in rows.items()
            for key, probability in row.items()
        },
        syndromes=syndromes,
    )


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return knowledge_with()


@pytest.fixture(scope="session")
def linked() -> Knowledge:
    """The same, where redness and pus come together."""
    return knowledge_with((INFLAMED,))
