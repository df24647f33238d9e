"""The engine's formulas once more: plain Python, by definition, nothing compiled or remembered."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import product
from math import exp, log, prod

from triage.engine import (
    NOT_SURE,
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
    Syndrome,
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


type Variable = tuple[FeatureKey, OptionKey, bool]
"""A way in which something came out: an option that holds, or one of a list that does not."""


def variables(feature: Feature, reply: Reply) -> list[Variable]:
    """Return what a reply tells, one by one."""
    scored = [option.key for option in feature.options if option.scored]
    match reply:
        case Declined():
            return []
        case Number(value):
            own = band(feature, value)
            return [] if own is None else [(feature.key, own, True)]
        case Chosen(options) if feature.kind is Kind.SINGLE:
            return [(feature.key, key, True) for key in options if key in scored]
        case Chosen(options):
            return [] if NOT_SURE in options else [(feature.key, o, o in options) for o in scored]


@cache
def syndromes_of(knowledge: Knowledge) -> dict[tuple[FeatureKey, OptionKey], Syndrome]:
    return {
        (feature, option): syndrome
        for syndrome in knowledge.syndromes
        for _, feature, option in syndrome.members
    }


def syndrome_of(knowledge: Knowledge, variable: Variable) -> Syndrome | None:
    feature, option, _ = variable
    return syndromes_of(knowledge).get((feature, option))


def chance_of(knowledge: Knowledge, condition: Condition, variable: Variable) -> float:
    key, option, holds = variable
    yes = slipped(knowledge, condition, knowledge.feature(key), option)
    return yes if holds else 1 - yes


def chance_in(
    knowledge: Knowledge, syndrome: Syndrome, state: int, condition: Condition, variable: Variable
) -> float:
    """P'(variable | state, condition)."""
    key, option, holds = variable
    feature, slip = knowledge.feature(key), knowledge.settings.slip
    kinds = 2 if feature.kind is Kind.MULTI else sum(o.scored for o in feature.options)
    plain = syndrome.members[condition.key, key, option][state]
    yes = (1 - slip) * plain + slip / kinds
    return yes if holds else 1 - yes


def told(knowledge: Knowledge, replies: Replies) -> list[Variable]:
    read = [key for key in applying(knowledge, replies) if key in replies]
    return [v for key in read for v in variables(knowledge.feature(key), replies[key])]


def joint(knowledge: Knowledge, condition: Condition, seen: Iterable[Variable]) -> float:
    """P'(all that was seen | condition): syndromes are summed over, all else is independent."""
    seen = list(seen)
    alone = [v for v in seen if syndrome_of(knowledge, v) is None]
    chance = prod(chance_of(knowledge, condition, variable) for variable in alone)
    for syndrome in knowledge.syndromes:
        members = [v for v in seen if syndrome_of(knowledge, v) is syndrome]
        chance *= sum(
            share * prod(chance_in(knowledge, syndrome, n, condition, v) for v in members)
            for n, share in enumerate(syndrome.chances[condition.key])
        )
    return chance


def posteriors(knowledge: Knowledge, replies: Replies) -> dict[ConditionKey, float]:
    seen = told(knowledge, replies)
    scores = {
        condition.key: log(condition.prior)
        + knowledge.settings.temper * log(joint(knowledge, condition, seen))
        for condition in knowledge.conditions
    }
    peak = max(scores.values())
    weights = {key: exp(score - peak) for key, score in scores.items()}
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def outcomes_of(
    knowledge: Knowledge, feature: Feature, replies: Replies
) -> dict[ConditionKey, dict[str, float]]:
    """P(outcome | condition, replies) of every joint outcome of a feature. Of the replies only those
    matter that share a syndrome with it."""
    linked = [syndrome_of(knowledge, (feature.key, o.key, True)) for o in feature.options]
    own = [syndrome for syndrome in linked if syndrome is not None]
    seen = [v for v in told(knowledge, replies) if syndrome_of(knowledge, v) in own]
    scored = [option.key for option in feature.options if option.scored]
    ways: list[list[Variable]]
    if feature.kind is Kind.MULTI:
        pairs = [[(feature.key, key, True), (feature.key, key, False)] for key in scored]
        ways = [list(way) for way in product(*pairs)]
    else:
        ways = [[(feature.key, key, True)] for key in scored]
    return {
        condition.key: {
            str(number): joint(knowledge, condition, [*seen, *way])
            / joint(knowledge, condition, seen)
            for number, way in enumerate(ways)
        }
        for condition in knowledge.conditions
    }


def gain(
    knowledge: Knowledge, weights: Weights, feature: Feature, replies: Replies | None = None
) -> float:
    """H(O) - sum over c of P(c) H(O | c), over every joint outcome of the feature."""
    if not any(option.scored for option in feature.options):
        return 0.0
    return _information(weights, outcomes_of(knowledge, feature, replies or {}))


def worth(knowledge: Knowledge, weights: Weights, feature: Feature, replies: Replies) -> float:
    """Arimoto's information of order 1/2: H(C) - H(C | O), with H(C) = 2 log sum of root P(c), and
    H(C | O) = log sum over o of P(o) (sum of root P(c | o)) squared."""
    tables = outcomes_of(knowledge, feature, replies)
    (some, *_) = tables.values()
    left = 0.0
    for outcome in some:
        chance = sum(weights[c] * row[outcome] for c, row in tables.items())
        after = [weights[c] * row[outcome] / chance for c, row in tables.items()]
        left += chance * sum(p**0.5 for p in after) ** 2
    return 2 * log(sum(p**0.5 for p in weights.values())) - log(left)


def summed_gain(knowledge: Knowledge, weights: Weights, feature: Feature) -> float:
    """The gain of each option of a list by itself, summed; no syndrome is looked at."""
    return sum(
        _information(
            weights,
            {
                condition.key: {
                    holds: chance_of(
                        knowledge, condition, (feature.key, option.key, holds == "yes")
                    )
                    for holds in ("yes", "no")
                }
                for condition in knowledge.conditions
            },
        )
        for option in feature.options
        if option.scored
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
