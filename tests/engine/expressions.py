"""Rules made up at random over the small topic, and people for them."""

from hypothesis import settings
from hypothesis import strategies as st

from triage.engine import Feature, FeatureKey, Kind, Knowledge, Reply

from .oracle import Replies
from .small import FEATURES, every_reply

thorough = settings(max_examples=150, deadline=None, derandomize=True)

NUMBERS = {"age": (15, 16, 49, 50, 59, 60), "pain": (0, 6, 7, 8, 10)}
"""The ends of every band, and some constants for rules."""


def _literals(feature: Feature) -> st.SearchStrategy[str]:
    option = st.sampled_from([option.key for option in feature.options])
    some = st.lists(option, min_size=1, max_size=3, unique=True).map(
        lambda keys: "(" + "".join(f"'{key}'," for key in keys) + ")"
    )
    match feature.kind:
        case Kind.SINGLE:
            return st.one_of(
                option.map(lambda key: f"{feature.key} == '{key}'"),
                option.map(lambda key: f"'{key}' != {feature.key}"),
                some.map(lambda keys: f"{feature.key} in {keys}"),
                some.map(lambda keys: f"{feature.key} not in {keys}"),
            )
        case Kind.MULTI:
            return st.one_of(
                option.map(lambda key: f"'{key}' in {feature.key}"),
                option.map(lambda key: f"'{key}' not in {feature.key}"),
            )
        case Kind.NUMBER:
            sign = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
            number = st.sampled_from([*NUMBERS[feature.key], 7.5])
            return st.one_of(
                st.builds(lambda s, n: f"{feature.key} {s} {n}", sign, number),
                st.builds(lambda s, n: f"{n} {s} {feature.key}", sign, number),
                st.just(f"{feature.key} is not None"),
            )


def _joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    some = st.lists(parts, min_size=2, max_size=3)
    return st.one_of(
        parts.map(lambda part: f"not ({part})"),
        some.map(lambda several: "(" + " and ".join(several) + ")"),
        some.map(lambda several: "(" + " or ".join(several) + ")"),
    )


rule_texts = st.recursive(st.one_of([_literals(f) for f in FEATURES]), _joined, max_leaves=6)


def telling_replies(feature: Feature) -> list[Reply]:
    """Return every reply that a rule over the small topic could tell from another."""
    numbers = {near for n in NUMBERS.get(feature.key, ()) for near in (n - 1, n, n + 1)}
    low, high = feature.low or 0, feature.high or 0
    return list(every_reply(feature, sorted(n for n in numbers | {low, high} if low <= n <= high)))


whole_people: st.SearchStrategy[dict[FeatureKey, Reply]] = st.fixed_dictionaries(
    {feature.key: st.sampled_from(telling_replies(feature)) for feature in FEATURES}
)


def people_of(knowledge: Knowledge) -> st.SearchStrategy[Replies]:
    """People of whom some features are replied to and the rest is open."""
    return st.fixed_dictionaries(
        {}, optional={f.key: st.sampled_from(telling_replies(f)) for f in knowledge.features}
    )


some_people: st.SearchStrategy[Replies] = st.fixed_dictionaries(
    {}, optional={f.key: st.sampled_from(telling_replies(f)) for f in FEATURES}
)
