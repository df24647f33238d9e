"""Why: what speaks for and against, which unknowns matter, and the words for a chance."""

import pytest
from hypothesis import given

from triage.engine import (
    Chance,
    ConditionKey,
    Declined,
    Evidence,
    FeatureKey,
    Finding,
    Knowledge,
    OptionKey,
    RuleKey,
    Unknown,
    outcome,
)
from triage.engine.explanation import chance, unknowns_that_matter, weights_of_evidence
from triage.engine.standing import Standing

from .expressions import some_people, thorough
from .oracle import Replies, applying, is_true, plain_values
from .people import pool_of
from .reference import log_odds_of, posteriors
from .small import chosen, every_reply, evidence_of


@thorough
@given(replies=some_people)
def test_weights_of_evidence_add_up_to_the_change_of_log_odds(
    either: Knowledge, replies: Replies
) -> None:
    _, weights = weights_of_evidence(Standing(either, Evidence(replies.items())))

    before, after = (
        log_odds_of(posteriors(either, {})),
        log_odds_of(posteriors(either, replies)),
    )
    for index, condition in enumerate(either.conditions):
        change = after[condition.key] - before[condition.key]
        assert weights[:, index].sum() == pytest.approx(change, abs=1e-9)


def test_the_shipped_weights_add_up_to_the_change_of_log_odds(shipped: Knowledge) -> None:
    before = log_odds_of(posteriors(shipped, {}))

    for person in pool_of(shipped, seed=4, count=20).people:
        _, weights = weights_of_evidence(Standing(shipped, Evidence(person.items())))
        after = log_odds_of(posteriors(shipped, person))
        for index, condition in enumerate(shipped.conditions):
            change = after[condition.key] - before[condition.key]
            assert weights[:, index].sum() == pytest.approx(change, abs=1e-9)


def test_each_reply_is_one_finding_and_each_tick_one_more(knowledge: Knowledge) -> None:
    evidence = evidence_of(
        knowledge,
        general={"tired", "weight_loss"},
        age=34,
        fever="no",
        skin="looks_normal",
        pain="dont_know",
        right_now="none",
    )

    findings, weights = weights_of_evidence(Standing(knowledge, evidence))

    # in the order of the content; what is not known or not scored is no finding
    general, skin = FeatureKey("general"), FeatureKey("skin")
    assert findings == (
        Finding(FeatureKey("fever"), OptionKey("no")),
        Finding(FeatureKey("age"), number=34),
        Finding(skin, present=False),
        Finding(general, present=False),
        Finding(general, OptionKey("tired")),
        Finding(general, OptionKey("weight_loss")),
    )
    assert weights.shape == (6, 3)


def test_without_evidence_there_is_nothing_to_weigh(knowledge: Knowledge) -> None:
    findings, weights = weights_of_evidence(Standing(knowledge, Evidence()))

    assert findings == ()
    assert weights.shape == (0, 3)


def test_a_finding_speaks_for_what_makes_it_likelier(knowledge: Knowledge) -> None:
    """Weight loss is twenty times as likely in a tumour as in a cyst or a strain."""
    found = outcome(knowledge, evidence_of(knowledge, age=40, general={"weight_loss"}))

    loss = Finding(FeatureKey("general"), OptionKey("weight_loss"))
    supports = {r.condition: [weight.finding for weight in r.supports] for r in found.differential}
    opposes = {r.condition: [weight.finding for weight in r.opposes] for r in found.differential}
    assert loss in supports[ConditionKey("tumour")]
    assert loss in opposes[ConditionKey("cyst")]


def test_what_weighs_most_comes_first(shipped: Knowledge) -> None:
    (person, *_) = pool_of(shipped, seed=5, count=5).people

    for ranked in outcome(shipped, Evidence(person.items())).differential:
        for told, sign in ((ranked.supports, 1), (ranked.opposes, -1)):
            nats = [weight.nats * sign for weight in told]
            assert nats == sorted(nats, reverse=True)
            assert all(weight > 0 for weight in nats)


def test_the_words_for_a_chance_change_at_their_cuts() -> None:
    cuts = {
        0.0: Chance.VERY_UNLIKELY,
        0.0999: Chance.VERY_UNLIKELY,
        0.10: Chance.UNLIKELY,
        0.2999: Chance.UNLIKELY,
        0.30: Chance.POSSIBLE,
        0.5999: Chance.POSSIBLE,
        0.60: Chance.LIKELY,
        0.7999: Chance.LIKELY,
        0.80: Chance.VERY_LIKELY,
        1.0: Chance.VERY_LIKELY,
    }

    assert {p: chance(p, p, p) for p in cuts} == cuts


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.25, 0.55, Chance.POSSIBLE),  # two words
        (0.31, 0.59, Chance.POSSIBLE),
        (0.35, 0.79, Chance.POSSIBLE),
        (0.09, 0.45, Chance.HARD_TO_TELL),  # three
        (0.29, 0.60, Chance.HARD_TO_TELL),
        (0.35, 0.80, Chance.HARD_TO_TELL),
        (0.01, 0.99, Chance.HARD_TO_TELL),  # five
    ],
)
def test_a_range_of_more_than_two_words_is_hard_to_tell(
    low: float, high: float, word: Chance
) -> None:
    assert chance(0.4, low, high) is word


@thorough
@given(replies=some_people)
def test_an_unknown_is_named_exactly_if_a_reply_could_raise_the_urgency_by_a_rule(
    knowledge: Knowledge, replies: Replies
) -> None:
    found = outcome(knowledge, Evidence(replies.items()))

    assert list(found.unknowns) == by_trying(knowledge, replies, found.disposition.urgency)


def by_trying(knowledge: Knowledge, replies: Replies, urgency: int) -> list[Unknown]:
    named = []
    for key in applying(knowledge, replies):
        reply = replies.get(key)
        if not (reply == chosen("not_sure") or isinstance(reply, Declined)):
            continue
        raising = tuple(
            rule.key
            for rule in knowledge.rules
            if rule.urgency > urgency
            and any(
                is_true(rule.text, plain_values(knowledge, {**replies, key: other}))
                for other in every_reply(knowledge.feature(key))
            )
        )
        if raising:
            named.append(Unknown(key, raising))
    return named


def test_a_declined_alarm_that_could_be_an_emergency_is_named(knowledge: Knowledge) -> None:
    evidence = evidence_of(
        knowledge, leg_nerves="not_sure", fever="no", lump="no_lump", age=40, pain="dont_know"
    )

    found = outcome(knowledge, evidence)

    assert found.unknowns == (Unknown(FeatureKey("leg_nerves"), (RuleKey("cord"),)),)
    standing = Standing(knowledge, evidence)
    assert unknowns_that_matter(standing, found.disposition.urgency) == found.unknowns
