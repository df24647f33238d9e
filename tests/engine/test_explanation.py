"""Why: what speaks for and against, which unknowns matter, and the words for a chance."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given

from triage.engine import (
    Chance,
    ConditionKey,
    Declined,
    Evidence,
    FeatureKey,
    Finding,
    Kind,
    Knowledge,
    OptionKey,
    RuleKey,
    Unknown,
    Urgency,
    disposition,
    outcome,
    posterior,
)
from triage.engine.explanation import chance, unknowns_that_matter, weights_of_evidence
from triage.engine.standing import Standing

from .expressions import some_people, thorough
from .oracle import Replies, applying, is_true, plain_values
from .people import declining, pool_of
from .reference import log_odds_of, posteriors
from .small import CONDITIONS, chosen, every_reply, evidence_of, knowledge_with


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
def test_an_unknown_is_named_exactly_if_a_reply_changes_the_urgency_or_the_lead(
    either: Knowledge, replies: Replies
) -> None:
    assert list(unknowns_that_matter(Standing(either, Evidence(replies.items())))) == by_trying(
        either, replies
    )


def by_trying(knowledge: Knowledge, replies: Replies) -> list[Unknown]:
    """Return the unknowns that matter, each replied to in every way that it can be."""
    now, lead = (
        disposition(knowledge, Evidence(replies.items())).urgency,
        lead_of(knowledge, replies),
    )
    named = []
    for key in applying(knowledge, replies):
        reply = replies.get(key)
        if not (reply == chosen("not_sure") or isinstance(reply, Declined)):
            continue
        tried = [{**replies, key: other} for other in every_reply(knowledge.feature(key))]
        urgencies = [disposition(knowledge, Evidence(r.items())).urgency for r in tried]
        leads = {lead_of(knowledge, r) for r in tried}
        rules = tuple(
            rule.key
            for rule in knowledge.rules
            if rule.urgency > now
            and any(is_true(rule.text, plain_values(knowledge, r)) for r in tried)
        )
        if {now} != set(urgencies) or leads != {lead}:
            others = tuple(c.key for c in knowledge.conditions if c.key in leads - {lead})
            named.append(Unknown(key, rules, min(now, *urgencies), max(now, *urgencies), others))
    return named


def lead_of(knowledge: Knowledge, replies: Replies) -> ConditionKey | None:
    evidence = Evidence(replies.items())
    if not disposition(knowledge, evidence).in_scope:
        return None
    weights = posterior(knowledge, evidence)
    ranked = [
        (-round(float(p), 6), condition.key)
        for p, condition in zip(weights, knowledge.conditions, strict=True)
    ]
    return min(ranked)[1]


def test_so_it_is_with_the_shipped_content(shipped: Knowledge) -> None:
    """Single choices and numbers in every way; of a multiple choice there are too many."""
    chance = Random(6)
    for person in pool_of(shipped, seed=6, count=6).people:
        declined = declining(shipped, person, 0.3, chance)
        found = {
            u.feature: u
            for u in unknowns_that_matter(Standing(shipped, Evidence(declined.items())))
        }
        now = disposition(shipped, Evidence(declined.items())).urgency
        lead = lead_of(shipped, declined)
        unsure = [
            key
            for key in applying(shipped, declined)
            if shipped.feature(key).kind is not Kind.MULTI
            and (declined[key] == chosen("not_sure") or isinstance(declined[key], Declined))
        ]
        for key in chance.sample(unsure, min(4, len(unsure))):
            tried = [{**declined, key: other} for other in every_reply(shipped.feature(key))]
            urgencies = [disposition(shipped, Evidence(r.items())).urgency for r in tried]
            leads = {lead_of(shipped, r) for r in tried} - {lead}
            if key in found:
                unknown = found[key]
                assert unknown.lowest is min([now, *urgencies])
                assert unknown.highest is max([now, *urgencies])
                assert set(unknown.leads) == leads
            else:
                assert {now} == set(urgencies)
                assert not leads


def test_a_declined_alarm_that_could_be_an_emergency_is_named(knowledge: Knowledge) -> None:
    evidence = evidence_of(
        knowledge, leg_nerves="not_sure", fever="no", lump="no_lump", age=40, pain=2
    )

    (legs,) = outcome(knowledge, evidence).unknowns

    assert legs.feature == "leg_nerves"
    assert legs.rules == (RuleKey("cord"),)
    assert legs.highest is Urgency.EMERGENCY_NOW
    assert legs.lowest is Urgency.ROUTINE


def test_an_unknown_that_only_changes_what_leads_is_named(knowledge: Knowledge) -> None:
    """A hard lump in a young person raises nothing here, but a strain comes before a cyst then."""
    flagless = knowledge_with(
        rules=(), groups=(), conditions=tuple(replace(c, raise_at=0.99) for c in CONDITIONS)
    )
    evidence = evidence_of(flagless, age=40, lump="cant_see", feel="soft")

    (lump,) = outcome(flagless, evidence).unknowns

    assert lump == Unknown(
        FeatureKey("lump"), (), Urgency.SELF_CARE, Urgency.SELF_CARE, (ConditionKey("strain"),)
    )
