"""The engine's formulas once more: plain Python, by definition, nothing compiled or remembered."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import exp, log

from triage.engine import (
    Chosen,
    Condition,
    ConditionKey,
    Declined,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Number,
    OptionKey,
    Reply,
)

from .oracle import Replies, applying

type Weights = Mapping[ConditionKey, float]


def slipped(knowledge: Knowledge, condition: Condition, feature: Feature, key: OptionKey) -> float:
    """P' = (1 - e) P + e / K, with K the number of options, or 2 for one that is ticked or not."""
    scored = [option for option in feature.options if option.scored]
    kinds = 2 if feature.kind is Kind.MULTI else len(scored)
    plain = knowledge.likelihoods[condition.key, feature.key, key].probability
    slip = knowledge.settings.slip
    return (1 - slip) * plain + slip / kinds


def band(feature: Feature, value: int) -> OptionKey | None:
    for option in feature.options:
        low = feature.low if option.low is None else option.low
        high = feature.high if option.high is None else option.high
        assert low is not None
        assert high is not None
        if low <= value <= high:
            return option.key
    return None


def log_likelihood(
    knowledge: Knowledge, condition: Condition, feature: Feature, reply: Reply
) -> float:
    scored = [option.key for option in feature.options if option.scored]
    match reply:
        case Declined():
            return 0.0
        case Number(value):
            own = band(feature, value)
            return 0.0 if own is None else log(slipped(knowledge, condition, feature, own))
        case Chosen(options) if feature.kind is Kind.SINGLE:
            (key,) = options
            return log(slipped(knowledge, condition, feature, key)) if key in scored else 0.0
        case Chosen(options):
            if "not_sure" in options:
                return 0.0
            chances = {key: slipped(knowledge, condition, feature, key) for key in scored}
            return sum(log(p if key in options else 1 - p) for key, p in chances.items())


def posteriors(knowledge: Knowledge, replies: Replies) -> dict[ConditionKey, float]:
    read = [key for key in applying(knowledge, replies) if key in replies]
    scores = {
        condition.key: log(condition.prior)
        + knowledge.settings.temper
        * sum(
            log_likelihood(knowledge, condition, knowledge.feature(key), replies[key])
            for key in read
        )
        for condition in knowledge.conditions
    }
    peak = max(scores.values())
    weights = {key: exp(score - peak) for key, score in scores.items()}
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def gain(knowledge: Knowledge, weights: Weights, feature: Feature) -> float:
    """H(O) - sum over c of P(c) H(O | c); of a multiple choice the sum over its options."""
    scored = [option.key for option in feature.options if option.scored]
    tables = {
        condition.key: {key: slipped(knowledge, condition, feature, key) for key in scored}
        for condition in knowledge.conditions
    }
    if feature.kind is not Kind.MULTI:
        return _information(weights, tables)
    return sum(
        _information(
            weights, {c: {"yes": row[key], "no": 1 - row[key]} for c, row in tables.items()}
        )
        for key in scored
    )


def _information[K: str](
    weights: Weights, tables: Mapping[ConditionKey, Mapping[K, float]]
) -> float:
    (some, *_) = tables.values()
    mixed = {key: sum(weights[c] * row[key] for c, row in tables.items()) for key in some}
    return _entropy(mixed.values()) - sum(
        weights[c] * _entropy(row.values()) for c, row in tables.items()
    )


def _entropy(chances: Iterable[float]) -> float:
    return -sum(p * log(p) for p in chances)


def calmer(knowledge: Knowledge, replies: Replies) -> Iterator[dict[FeatureKey, Reply]]:
    """Yield the replies with any of their alarms taken away: of a multiple choice, no longer
    ticked, or the whole not known; of the other kinds, replaced by each reply that is no alarm, or
    by none."""
    ways: list[list[tuple[FeatureKey, Reply | None]]] = []
    for key, reply in replies.items():
        feature = knowledge.feature(key)
        ways.append([(key, one) for one in _calmer_replies(feature, reply)])
    for way in product(*ways):
        yield {key: reply for key, reply in way if reply is not None}


def _calmer_replies(feature: Feature, reply: Reply) -> list[Reply | None]:
    alarms = {option.key for option in feature.options if option.alarm}
    match reply:
        case Chosen(options) if feature.kind is Kind.MULTI:
            variants = [options]
            for key in sorted(alarms & options):
                variants += [variant - {key} for variant in variants]
            unsure = [None] if alarms & options else []
            return [*(Chosen(variant) for variant in variants), *unsure]
        case Chosen(options) if alarms & options:
            calm = [o.key for o in feature.options if o.key not in alarms]
            return [reply, None, *(Chosen(frozenset({key})) for key in calm)]
        case Number(value) if band(feature, value) in alarms:
            calm_bands = [o for o in feature.options if o.key not in alarms]
            lows = [feature.low if o.low is None else o.low for o in calm_bands]
            return [reply, None, *(Number(low) for low in lows if low is not None)]
        case _:
            return [reply]


def highest(
    knowledge: Knowledge, replies: Replies, sets: list[frozenset[ConditionKey]]
) -> list[float]:
    """Return the highest posterior that each set of conditions reaches with alarms taken away."""
    reached = [0.0] * len(sets)
    for variant in calmer(knowledge, replies):
        weights = posteriors(knowledge, variant)
        reached = [
            max(before, sum(weights[key] for key in members))
            for before, members in zip(reached, sets, strict=True)
        ]
    return reached


def log_odds_of(weights: Weights) -> dict[ConditionKey, float]:
    """Return log(p / (1 - p)); 1 - p as the sum of the others, exact where p is close to 1."""
    return {
        key: log(p / sum(other for name, other in weights.items() if name != key))
        for key, p in weights.items()
    }
