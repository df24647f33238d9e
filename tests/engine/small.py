"""A topic small enough to work every number by hand, and short ways to say what somebody replied."""

from collections.abc import Iterable, Iterator
from itertools import chain, combinations
from typing import Any

from triage.engine import (
    Basis,
    Chosen,
    Condition,
    ConditionKey,
    Decline,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Number,
    Observation,
    Option,
    OptionKey,
    Reply,
    RiskGroup,
    Rule,
    RuleKey,
    RuleKind,
    Settings,
    StateKey,
    Syndrome,
    SyndromeKey,
    Tier,
    Urgency,
    check_reply,
)


def alarm(key: str, *, scored: bool = True) -> Option:
    return Option(OptionKey(key), alarm=True, scored=scored)


def option(key: str) -> Option:
    return Option(OptionKey(key))


def alone(key: str) -> Option:
    return Option(OptionKey(key), exclusive=True, scored=False)


CONDITIONS = (
    Condition(ConditionKey("cyst"), 0.6, Urgency.SELF_CARE, raise_at=1.0),
    Condition(ConditionKey("strain"), 0.3, Urgency.ROUTINE, raise_at=0.5),
    Condition(ConditionKey("tumour"), 0.1, Urgency.URGENT_2_WEEKS, raise_at=0.2, serious=True),
)

GROUPS = (
    RiskGroup(
        "deep", frozenset({ConditionKey("strain"), ConditionKey("tumour")}), Urgency.FEW_DAYS, 0.85
    ),
)

FEATURES = (
    Feature(
        FeatureKey("leg_nerves"),
        Kind.MULTI,
        (alarm("weak_legs"), alarm("numb_legs"), alone("none"), alone("not_sure")),
        tier=Tier.SAFETY,
    ),
    Feature(
        FeatureKey("right_now"),
        Kind.MULTI,
        (alarm("collapse", scored=False), alone("none"), alone("not_sure")),
        tier=Tier.SAFETY,
    ),
    Feature(
        FeatureKey("fever"),
        Kind.SINGLE,
        (alarm("yes"), option("no"), alone("not_sure")),
        tier=Tier.SAFETY,
    ),
    Feature(
        FeatureKey("age"),
        Kind.NUMBER,
        (Option(OptionKey("young"), low=16, high=49), Option(OptionKey("old"), low=50)),
        required=True,
        low=0,
        high=120,
    ),
    Feature(
        FeatureKey("lump"),
        Kind.SINGLE,
        (option("one"), option("no_lump"), alone("not_sure")),
        observation=Observation.NEEDS_HANDS,
    ),
    Feature(
        FeatureKey("feel"),
        Kind.SINGLE,
        (option("soft"), option("hard"), alone("not_sure")),
        asked_if="lump != 'no_lump'",
        observation=Observation.NEEDS_HANDS,
    ),
    Feature(
        FeatureKey("skin"),
        Kind.MULTI,
        (
            alone("looks_normal"),
            alarm("red"),
            alarm("pus"),
            option("bruise"),
            alone("not_sure"),
        ),
        observation=Observation.NEEDS_EYES,
    ),
    Feature(
        FeatureKey("pain"),
        Kind.NUMBER,
        (
            Option(OptionKey("mild"), low=0, high=6),
            Option(OptionKey("severe"), alarm=True, low=7, high=10),
        ),
        low=0,
        high=10,
    ),
    Feature(
        FeatureKey("injects"),
        Kind.SINGLE,
        (alarm("yes"), option("no")),
        asked_if="not (age < 16)",
        sensitive=True,
    ),
    Feature(
        FeatureKey("general"),
        Kind.MULTI,
        (alarm("weight_loss"), option("tired"), alone("none"), alone("not_sure")),
    ),
)

RULES = (
    Rule(
        RuleKey("cord"),
        RuleKind.RED_FLAG,
        Urgency.EMERGENCY_NOW,
        "'weak_legs' in leg_nerves or ('numb_legs' in leg_nerves and fever == 'yes')",
    ),
    Rule(RuleKey("collapsed"), RuleKind.RED_FLAG, Urgency.EMERGENCY_NOW, "'collapse' in right_now"),
    Rule(
        RuleKey("deep_infection"),
        RuleKind.RED_FLAG,
        Urgency.EMERGENCY_NOW,
        "fever == 'yes' and injects == 'yes'",
    ),
    Rule(
        RuleKey("nerves_unsure"),
        RuleKind.RED_FLAG,
        Urgency.SAME_DAY,
        "'numb_legs' in leg_nerves or 'weak_legs' in leg_nerves or 'not_sure' in leg_nerves",
    ),
    Rule(RuleKey("fever"), RuleKind.RED_FLAG, Urgency.SAME_DAY, "fever == 'yes'"),
    Rule(RuleKey("abscess"), RuleKind.RED_FLAG, Urgency.FEW_DAYS, "pain >= 8 and 'pus' in skin"),
    Rule(
        RuleKey("hard_lump"),
        RuleKind.RED_FLAG,
        Urgency.URGENT_2_WEEKS,
        "feel == 'hard' and (age >= 60 or 'weight_loss' in general)",
    ),
    Rule(RuleKey("child"), RuleKind.SCOPE, Urgency.ROUTINE, "age is not None and age < 16"),
    Rule(RuleKey("see_gp"), RuleKind.FLOOR, Urgency.ROUTINE, "lump == 'one' and feel != 'soft'"),
)

TABLE = {
    "cyst": {
        "leg_nerves": {"weak_legs": 0.01, "numb_legs": 0.02},
        "fever": {"yes": 0.1, "no": 0.9},
        "age": {"young": 0.7, "old": 0.3},
        "lump": {"one": 0.95, "no_lump": 0.05},
        "feel": {"soft": 0.8, "hard": 0.2},
        "skin": {"red": 0.3, "pus": 0.2, "bruise": 0.05},
        "pain": {"mild": 0.8, "severe": 0.2},
        "injects": {"yes": 0.05, "no": 0.95},
        "general": {"weight_loss": 0.02, "tired": 0.1},
    },
    "strain": {
        "leg_nerves": {"weak_legs": 0.05, "numb_legs": 0.1},
        "fever": {"yes": 0.05, "no": 0.95},
        "age": {"young": 0.5, "old": 0.5},
        "lump": {"one": 0.3, "no_lump": 0.7},
        "feel": {"soft": 0.4, "hard": 0.6},
        "skin": {"red": 0.05, "pus": 0.01, "bruise": 0.2},
        "pain": {"mild": 0.5, "severe": 0.5},
        "injects": {"yes": 0.05, "no": 0.95},
        "general": {"weight_loss": 0.02, "tired": 0.2},
    },
    "tumour": {
        "leg_nerves": {"weak_legs": 0.3, "numb_legs": 0.3},
        "fever": {"yes": 0.2, "no": 0.8},
        "age": {"young": 0.2, "old": 0.8},
        "lump": {"one": 0.8, "no_lump": 0.2},
        "feel": {"soft": 0.1, "hard": 0.9},
        "skin": {"red": 0.05, "pus": 0.01, "bruise": 0.05},
        "pain": {"mild": 0.4, "severe": 0.6},
        "injects": {"yes": 0.1, "no": 0.9},
        "general": {"weight_loss": 0.4, "tired": 0.5},
    },
}

BASIS = {"fever": Likelihood(0, Basis.STUDY, 400), "age": Likelihood(0, Basis.GUIDELINE)}
"""The basis of a feature's likelihoods, where it is not an estimate; the probability is not used."""


def _linked(
    key: str, chances: dict[str, tuple[float, ...]], leanings: tuple[float, ...], *members: str
) -> Syndrome:
    """Return a syndrome that leaves every likelihood as the table has it: what its states add to
    a member's they take away again on average."""
    rows = {}
    for condition, shares in chances.items():
        middle = sum(share * lean for share, lean in zip(shares, leanings, strict=True))
        for member in members:
            feature, option = member.split(".")
            p = TABLE[condition][feature][option]
            room = min(p, 1 - p) / 2
            sign = -1 if option in ("no", "mild") else 1
            rows[ConditionKey(condition), FeatureKey(feature), OptionKey(option)] = tuple(
                p + sign * room * (lean - middle) for lean in leanings
            )
    states = tuple(StateKey(f"state {n}") for n in range(len(leanings)))
    return Syndrome(
        SyndromeKey(key), states, {ConditionKey(c): s for c, s in chances.items()}, rows
    )


SYNDROMES = (
    _linked(
        "ill_all_over",
        {"cyst": (0.9, 0.1), "strain": (0.8, 0.2), "tumour": (0.4, 0.6)},
        (0.0, 1.0),
        "fever.yes",
        "fever.no",
        "leg_nerves.numb_legs",
        "general.weight_loss",
        "general.tired",
    ),
    _linked(
        "inflamed",
        {"cyst": (0.5, 0.3, 0.2), "strain": (0.9, 0.06, 0.04), "tumour": (0.6, 0.1, 0.3)},
        (0.0, 0.4, 1.0),
        "skin.red",
        "skin.pus",
        "pain.mild",
        "pain.severe",
    ),
)
"""Two and three states; a whole single choice and number; all, two and one option of a list."""


SETTINGS = Settings(
    temper=0.6,
    slip=0.03,
    gain_stop=0.05,
    lead_stop=0.80,
    spread_estimate=0.25,
    spread_guideline=0.20,
    spread_study=0.15,
)


def likelihoods() -> dict[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood]:
    cells = {}
    for condition, rows in TABLE.items():
        for feature, row in rows.items():
            like = BASIS.get(feature, Likelihood(0))
            for key, probability in row.items():
                cell = Likelihood(probability, like.basis, like.sample_size)
                cells[ConditionKey(condition), FeatureKey(feature), OptionKey(key)] = cell
    return cells


def knowledge_with(**parts: Any) -> Knowledge:
    """Return the small topic, with some of its parts replaced."""
    own = {
        "conditions": CONDITIONS,
        "features": FEATURES,
        "rules": RULES,
        "groups": GROUPS,
        "likelihoods": likelihoods(),
        "settings": SETTINGS,
    }
    return Knowledge(**{**own, **parts})


def evidence_of(knowledge: Knowledge, **replies: str | int | set[str]) -> Evidence:
    """Return the evidence of `fever="yes", leg_nerves={"weak_legs"}, age=34, skin="cant_see"`."""
    return Evidence(
        (FeatureKey(key), reply_of(knowledge.feature(FeatureKey(key)), value))
        for key, value in replies.items()
    )


def reply_of(feature: Feature, value: str | int | set[str]) -> Reply:
    match value:
        case int():
            return check_reply(feature, Number(value))
        case str() if value in Decline and not feature.has(OptionKey(value)):
            return check_reply(feature, Declined(Decline(value)))
        case str():
            return check_reply(feature, chosen(value))
        case set():
            return check_reply(feature, chosen(*value))


def chosen(*keys: str) -> Chosen:
    return Chosen(frozenset(map(OptionKey, keys)))


def every_reply(feature: Feature, numbers: Iterable[int] | None = None) -> Iterator[Reply]:
    """Yield every reply that the feature takes; of the numbers only these, if any are named."""
    yield from map(Declined, feature.declines)
    if feature.kind is Kind.NUMBER:
        assert feature.low is not None
        assert feature.high is not None
        yield from map(Number, numbers or range(feature.low, feature.high + 1))
    elif feature.kind is Kind.SINGLE:
        yield from (Chosen(frozenset({option.key})) for option in feature.options)
    else:
        yield from (Chosen(frozenset({o.key})) for o in feature.options if o.exclusive)
        yield from map(Chosen, _subsets([o.key for o in feature.options if not o.exclusive]))


def _subsets(keys: list[OptionKey]) -> Iterator[frozenset[OptionKey]]:
    sizes = range(1, len(keys) + 1)
    return map(frozenset, chain.from_iterable(combinations(keys, size) for size in sizes))
