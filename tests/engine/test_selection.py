"""Which feature is asked next, by what is expected of the reply."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.engine import (
    Ask,
    ConditionKey,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Option,
    OptionKey,
    Required,
    Rule,
    RuleKey,
    RuleKind,
    Safety,
    Settles,
    Tells,
    Tier,
    Urgency,
    fired,
    next_step,
)
from triage.engine.selection import MOST_JOINT, gain_of, outlook, outlook_of, worths
from triage.engine.standing import Standing

from .expressions import some_people, telling_replies, thorough
from .oracle import Replies, is_true, names, plain_values
from .people import pool_of
from .reference import gain, posteriors, summed_gain, worth
from .small import FEATURES, SETTINGS, evidence_of, knowledge_with, likelihoods, option


def gains_of(knowledge: Knowledge, replies: Replies) -> list[float]:
    prospect = outlook(Standing(knowledge, Evidence(replies.items())))
    asked = map(knowledge.feature, knowledge.tables.asked)
    return [gain_of(knowledge, prospect, feature) for feature in asked]


def defined_gains(knowledge: Knowledge, replies: Replies) -> list[float]:
    weights = posteriors(knowledge, replies)
    asked = map(knowledge.feature, knowledge.tables.asked)
    return [gain(knowledge, weights, feature, replies) for feature in asked]


@thorough
@given(replies=some_people)
def test_the_gain_is_that_of_the_definition(either: Knowledge, replies: Replies) -> None:
    unasked = [
        place for place, key in enumerate(either.tables.asked) if key not in replies
    ]  # the gain of what was replied already means nothing

    found, defined = gains_of(either, replies), defined_gains(either, replies)

    assert [found[n] for n in unasked] == pytest.approx([defined[n] for n in unasked], abs=1e-12)


def test_the_shipped_gain_is_that_of_the_definition(shipped: Knowledge) -> None:
    for person in pool_of(shipped, seed=7, count=2).people:
        known = {key: person[key] for key in list(person)[::3]}
        unasked = [n for n, key in enumerate(shipped.tables.asked) if key not in known]

        found, defined = gains_of(shipped, known), defined_gains(shipped, known)

        assert [found[n] for n in unasked] == pytest.approx(
            [defined[n] for n in unasked], abs=1e-12
        )


@thorough
@given(replies=some_people)
def test_what_a_question_is_worth_is_that_of_the_definition(
    either: Knowledge, replies: Replies
) -> None:
    weights = posteriors(either, replies)

    found = worths(either, outlook(Standing(either, Evidence(replies.items()))))

    for key, own in zip(either.tables.asked, found, strict=True):
        if key not in replies:
            feature = either.feature(key)
            assert own == pytest.approx(worth(either, weights, feature, replies), abs=1e-9)


def test_the_shipped_worth_is_that_of_the_definition(shipped: Knowledge) -> None:
    for person in pool_of(shipped, seed=8, count=2).people:
        known = {key: person[key] for key in list(person)[::3]}
        weights = posteriors(shipped, known)

        found = worths(shipped, outlook(Standing(shipped, Evidence(known.items()))))

        for key, own in zip(shipped.tables.asked, found, strict=True):
            if key not in known:
                feature = shipped.feature(key)
                assert own == pytest.approx(worth(shipped, weights, feature, known), abs=1e-9)


def test_a_list_of_independent_options_tells_no_more_than_they_do_one_by_one(
    knowledge: Knowledge,
) -> None:
    weights = posteriors(knowledge, {})
    prospect = outlook(Standing(knowledge, Evidence()))

    for key in ("skin", "general", "leg_nerves"):
        feature = knowledge.feature(FeatureKey(key))
        place = knowledge.tables.place[feature.key]
        assert prospect.gains[place] == pytest.approx(summed_gain(knowledge, weights, feature))
        assert 0 < gain_of(knowledge, prospect, feature) <= prospect.gains[place]


def test_of_a_list_too_long_to_go_through_the_gain_is_bounded_from_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells = likelihoods()
    keys = [OptionKey(f"o{n}") for n in range(MOST_JOINT + 1)]
    long = Feature(FeatureKey("long"), Kind.MULTI, tuple(map(Option, keys)))
    for condition, chance in (("cyst", 0.3), ("strain", 0.4), ("tumour", 0.5)):
        cells.update({(ConditionKey(condition), long.key, key): Likelihood(chance) for key in keys})
    knowledge = knowledge_with(features=(*FEATURES, long), likelihoods=cells)
    prospect = outlook(Standing(knowledge, Evidence()))

    bound = gain_of(knowledge, prospect, long)

    monkeypatch.setattr("triage.engine.selection.MOST_JOINT", len(keys))
    exact = gain_of(knowledge, prospect, long)
    assert 0.5 * exact < bound < exact
    # worth needs no bound, as it needs no joint outcomes
    place = knowledge.tables.place[long.key]
    assert worths(knowledge, prospect)[place] == pytest.approx(
        worth(knowledge, posteriors(knowledge, {}), long, {})
    )


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda weights: sum(weights) > 1e-3)
)
@thorough
def test_no_gain_is_below_zero(knowledge: Knowledge, shares: list[float]) -> None:
    weights = np.array(shares) / sum(shares)

    assert (outlook_of(knowledge, weights).gains >= 0).all()


def test_a_sure_posterior_leaves_nothing_to_learn(knowledge: Knowledge) -> None:
    certain = np.array([1.0, 0.0, 0.0])

    assert outlook_of(knowledge, certain).gains.tolist() == pytest.approx([0] * 9, abs=1e-12)


def telling_only(**changes: object) -> Knowledge:
    """The small topic without rules, so that only what tells most is asked."""
    return knowledge_with(rules=(), **changes)


def replied(knowledge: Knowledge) -> Evidence:
    """Everything that comes before the telling is done."""
    return evidence_of(knowledge, leg_nerves="not_sure", right_now="none", fever="not_sure", age=10)


def test_what_sharpens_most_is_asked_when_no_rule_is_open() -> None:
    knowledge = telling_only()
    known = dict(replied(knowledge))
    weights = posteriors(knowledge, known)
    open_keys = ("lump", "skin", "pain", "general")  # the rest is gated off, or replied to
    features = {key: knowledge.feature(FeatureKey(key)) for key in open_keys}
    sharpest = max(features, key=lambda key: worth(knowledge, weights, features[key], known))

    step = next_step(knowledge, replied(knowledge))

    assert isinstance(step, Ask)
    assert isinstance(step.why, Tells)
    assert step.feature == sharpest
    assert step.why.gain == pytest.approx(gain(knowledge, weights, features[sharpest]))


def test_what_tells_too_little_is_passed_over_for_what_tells_enough() -> None:
    """Of two questions the short one sharpens more for its effort, but tells less than the least."""
    cells, pair = likelihoods(), []
    for key, effort, apart in (("long", 99.0, 0.95), ("short", 1.0, 0.7)):
        feature = Feature(
            FeatureKey(key), Kind.SINGLE, (option("yes"), option("no")), effort=effort
        )
        for condition, chance in (("cyst", 1 - apart), ("strain", apart), ("tumour", 0.5)):
            for one, p in zip(feature.options, (chance, 1 - chance), strict=True):
                cells[ConditionKey(condition), feature.key, one.key] = Likelihood(p)
        pair.append(feature)
    features = (
        *(f for f in FEATURES if f.key in ("leg_nerves", "right_now", "fever", "age")),
        *pair,
    )
    cells = {key: cell for key, cell in cells.items() if key[1] in {f.key for f in features}}
    knowledge = telling_only(
        features=features, likelihoods=cells, settings=replace(SETTINGS, gain_stop=0.2)
    )

    step = next_step(knowledge, replied(knowledge))

    assert isinstance(step, Ask)
    assert step.feature == "long"


@pytest.mark.parametrize("keys", [("zeal", "alpha"), ("alpha", "zeal")])
def test_of_two_that_tell_the_same_the_lower_key_is_asked(keys: tuple[str, str]) -> None:
    cells, twins = likelihoods(), []
    for key in keys:
        twin = Feature(FeatureKey(key), Kind.SINGLE, (option("yes"), option("no")))
        yes, no = (one.key for one in twin.options)
        for condition, chance in (("cyst", 0.01), ("strain", 0.99), ("tumour", 0.5)):
            cells[ConditionKey(condition), twin.key, yes] = Likelihood(chance)
            cells[ConditionKey(condition), twin.key, no] = Likelihood(1 - chance)
        twins.append(twin)
    knowledge = telling_only(features=(*FEATURES, *twins), likelihoods=cells)

    step = next_step(knowledge, replied(knowledge))

    assert isinstance(step, Ask)
    assert step.feature == "alpha"


def test_what_may_settle_a_rule_comes_before_what_tells_more() -> None:
    rules = (Rule(RuleKey("drugs"), RuleKind.RED_FLAG, Urgency.SAME_DAY, "injects == 'yes'"),)
    knowledge = knowledge_with(rules=rules)
    evidence = evidence_of(knowledge, leg_nerves="none", right_now="none", fever="no", age=40)
    weights = posteriors(knowledge, dict(evidence))
    tells = {f.key: gain(knowledge, weights, f) for f in knowledge.features}
    assert tells[FeatureKey("lump")] > tells[FeatureKey("injects")]

    step = next_step(knowledge, evidence)

    assert step == Ask(FeatureKey("injects"), Settles((RuleKey("drugs"),)))


def test_a_rule_at_or_below_the_urgency_reached_is_not_worth_a_question() -> None:
    rules = (
        Rule(RuleKey("hot"), RuleKind.RED_FLAG, Urgency.SAME_DAY, "fever == 'yes'"),
        Rule(RuleKey("drugs"), RuleKind.RED_FLAG, Urgency.SAME_DAY, "injects == 'yes'"),
        Rule(RuleKey("pus"), RuleKind.RED_FLAG, Urgency.FEW_DAYS, "'pus' in skin"),
    )
    knowledge = knowledge_with(rules=rules, settings=replace(SETTINGS, gain_stop=10))

    feverish = evidence_of(knowledge, leg_nerves="none", right_now="none", fever="yes", age=40)
    well = evidence_of(knowledge, leg_nerves="none", right_now="none", fever="no", age=40)

    assert not isinstance(next_step(knowledge, feverish), Ask)
    step = next_step(knowledge, well)
    assert isinstance(step, Ask)
    assert step.feature in ("injects", "skin")


def test_a_reply_that_takes_long_has_to_tell_more() -> None:
    cells, pair = likelihoods(), []
    for key, effort, apart in (("long", 3.0, 0.99), ("short", 1.0, 0.90)):
        feature = Feature(
            FeatureKey(key), Kind.SINGLE, (option("yes"), option("no")), effort=effort
        )
        for condition, chance in (("cyst", 1 - apart), ("strain", apart), ("tumour", 0.5)):
            for one, p in zip(feature.options, (chance, 1 - chance), strict=True):
                cells[ConditionKey(condition), feature.key, one.key] = Likelihood(p)
        pair.append(feature)
    asked = {}
    for name, features in (
        ("by effort", pair),
        ("alike", [replace(feature, effort=1.0) for feature in pair]),
    ):
        knowledge = telling_only(features=(*FEATURES, *features), likelihoods=cells)
        step = next_step(knowledge, replied(knowledge))
        assert isinstance(step, Ask)
        asked[name] = step.feature

    assert asked == {"by effort": "short", "alike": "long"}


def opening(*more: str) -> Knowledge:
    """A question that tells nothing and opens one that tells much, beside others that tell much."""
    cells, features = likelihoods(), []
    for key, chances in (
        ("door", (0.9, 0.9, 0.9)),
        ("room", (0.01, 0.99, 0.5)),
        *((key, (0.01, 0.99, 0.5)) for key in more),
    ):
        gate = "door == 'yes'" if key == "room" else ""
        feature = Feature(
            FeatureKey(key), Kind.SINGLE, (option("yes"), option("no")), asked_if=gate
        )
        for condition, chance in zip(("cyst", "strain", "tumour"), chances, strict=True):
            for one, p in zip(feature.options, (chance, 1 - chance), strict=True):
                cells[ConditionKey(condition), feature.key, one.key] = Likelihood(p)
        features.append(feature)
    first = (f for f in FEATURES if f.key in ("leg_nerves", "right_now", "fever", "age"))
    features = [*first, *features]
    cells = {key: cell for key, cell in cells.items() if key[1] in {f.key for f in features}}
    return telling_only(features=features, likelihoods=cells)


def test_a_question_that_tells_nothing_is_asked_for_what_it_opens() -> None:
    knowledge = opening()
    weights = posteriors(knowledge, dict(replied(knowledge)))
    door, room = (knowledge.feature(FeatureKey(key)) for key in ("door", "room"))
    assert gain(knowledge, weights, door) == pytest.approx(0, abs=1e-12)

    step = next_step(knowledge, replied(knowledge))

    assert isinstance(step, Ask)
    assert isinstance(step.why, Tells)
    assert step.feature == "door"
    slip = knowledge.settings.slip
    opens = (1 - slip) * 0.9 + slip / 2  # the room tells as much after a door that tells nothing
    assert step.why.gain == pytest.approx(opens * gain(knowledge, weights, room))


def test_what_tells_as_much_at_once_comes_before_what_only_opens_it() -> None:
    knowledge = opening("window")

    step = next_step(knowledge, replied(knowledge))

    assert isinstance(step, Ask)
    assert step.feature == "window"


def test_nothing_is_asked_to_open_what_is_skipped() -> None:
    knowledge = opening()

    step = next_step(knowledge, replied(knowledge), skipped=frozenset({FeatureKey("room")}))

    assert not isinstance(step, Ask)


@thorough
@given(replies=some_people)
def test_every_question_says_truly_why_it_is_asked(either: Knowledge, replies: Replies) -> None:
    match next_step(either, Evidence(replies.items())):
        case Ask(feature, Safety()):
            assert either.feature(feature).tier is Tier.SAFETY
        case Ask(feature, Required()):
            assert either.feature(feature).required
        case Ask(feature, Settles(rules)):
            assert rules
            for key in rules:
                assert can_tip(either, either.rule(key), replies, feature)
        case Ask(feature, Tells(nats)):
            weights = posteriors(either, replies)
            alone = gain(either, weights, either.feature(feature), replies)
            opens = any(f"{feature} " in f"{one.asked_if} " for one in either.features)
            assert nats == pytest.approx(alone) or (opens and nats > alone)
            assert nats > either.settings.gain_stop
            assert max(weights.values()) < either.settings.lead_stop
            standing = Standing(either, Evidence(replies.items()))
            reached = max(
                (either.rule(key).urgency for key in fired(either, standing.evidence)),
                default=Urgency.SELF_CARE,
            )
            assert all(rule.urgency <= reached for rule in standing.open_rules())
        case _:
            pass


def can_tip(knowledge: Knowledge, rule: Rule, replies: Replies, feature: FeatureKey) -> bool:
    """Whether for some replies to what is open the one to this feature changes the rule."""
    waiting = [FeatureKey(name) for name in names(rule.text)]
    hanging: list[FeatureKey] = []
    while waiting:
        key = waiting.pop()
        hanging.append(key)
        waiting.extend(map(FeatureKey, names(knowledge.feature(key).asked_if or "True")))
    still_open = [key for key in set(hanging) if key not in replies and key != feature]
    return _tips(knowledge, rule, dict(replies), still_open, feature)


def _tips(
    knowledge: Knowledge,
    rule: Rule,
    replies: Replies,
    still_open: list[FeatureKey],
    feature: FeatureKey,
) -> bool:
    if not still_open:
        ends = {
            is_true(rule.text, plain_values(knowledge, {**replies, feature: reply}))
            for reply in telling_replies(knowledge.feature(feature))
        }
        return len(ends) == 2
    key, *rest = still_open
    return any(
        _tips(knowledge, rule, {**replies, key: reply}, rest, feature)
        for reply in telling_replies(knowledge.feature(key))
    )
