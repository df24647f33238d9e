"""From the first question to the conclusion, one step at a time."""

from dataclasses import replace

import pytest
from hypothesis import given

from triage.engine import (
    Ask,
    Conclude,
    ConditionKey,
    Evidence,
    FeatureKey,
    FlagReason,
    Knowledge,
    MayRaise,
    Required,
    RiskReason,
    RuleKey,
    Safety,
    Settles,
    Tells,
    Urgency,
    disposition,
    fired,
    next_step,
    outcome,
)
from triage.engine.selection import gain_of, outlook
from triage.engine.standing import Standing

from .expressions import some_people, thorough, whole_people
from .oracle import Replies, applying, rule_urgency
from .people import interviewed
from .small import CONDITIONS, SETTINGS, chosen, evidence_of, knowledge_with

KEYS = (
    "leg_nerves",
    "right_now",
    "fever",
    "age",
    "lump",
    "feel",
    "skin",
    "pain",
    "injects",
    "general",
)
WELL = {"leg_nerves": "none", "right_now": "none", "fever": "no"}


def test_the_small_topic_has_the_features_that_are_named_here(knowledge: Knowledge) -> None:
    assert tuple(feature.key for feature in knowledge.features) == KEYS


def test_safety_comes_first_then_what_is_required(knowledge: Knowledge) -> None:
    nothing = evidence_of(knowledge)
    one = evidence_of(knowledge, leg_nerves="none")
    two = evidence_of(knowledge, leg_nerves="none", right_now="none")
    three = evidence_of(knowledge, leg_nerves="none", right_now="none", fever="no")

    assert next_step(knowledge, nothing) == Ask(FeatureKey("leg_nerves"), Safety())
    assert next_step(knowledge, one) == Ask(FeatureKey("right_now"), Safety())
    assert next_step(knowledge, two) == Ask(FeatureKey("fever"), Safety())
    assert next_step(knowledge, three) == Ask(FeatureKey("age"), Required())


def test_then_come_the_rules_and_last_what_tells_the_causes_apart(knowledge: Knowledge) -> None:
    evidence, whys = Evidence(), []
    everything = evidence_of(
        knowledge,
        leg_nerves="none",
        right_now="none",
        fever="no",
        age=40,
        lump="one",
        feel="soft",
        skin="looks_normal",
        pain=3,
        injects="no",
        general="none",
    )
    while isinstance(step := next_step(knowledge, evidence), Ask):
        whys.append(type(step.why))
        evidence = evidence.set(step.feature, dict(everything)[step.feature])

    in_order = sorted(whys, key=[Safety, Required, Settles, Tells, MayRaise].index)
    assert whys == in_order
    assert whys.count(Settles) >= 2


@pytest.mark.parametrize(
    "replies",
    [
        {"leg_nerves": {"weak_legs"}},
        {"right_now": {"collapse"}},
        {"fever": "yes", "leg_nerves": {"numb_legs"}},
        {"fever": "yes", "injects": "yes", "age": 40},
    ],
    ids=["weak legs", "collapse", "numb legs and fever", "fever and drugs"],
)
def test_an_emergency_ends_the_interview_at_once(
    knowledge: Knowledge, replies: dict[str, str | int | set[str]]
) -> None:
    step = next_step(knowledge, evidence_of(knowledge, **replies))

    assert isinstance(step, Conclude)
    assert step.disposition.urgency is Urgency.EMERGENCY_NOW


def test_no_lesser_flag_ends_it(knowledge: Knowledge) -> None:
    evidence = evidence_of(knowledge, fever="yes")

    assert fired(knowledge, evidence) == ("fever",)
    assert isinstance(next_step(knowledge, evidence), Ask)


def test_no_risk_ends_it() -> None:
    """Even one that would be an emergency: only a rule concludes at once."""
    certain = knowledge_with(
        conditions=tuple(
            replace(condition, urgency=Urgency.EMERGENCY_NOW, raise_at=0.01)
            for condition in knowledge_with().conditions
        )
    )
    evidence = evidence_of(certain, age=40)

    assert disposition(certain, evidence).urgency is Urgency.EMERGENCY_NOW
    assert next_step(certain, evidence) == Ask(FeatureKey("leg_nerves"), Safety())


def test_a_pending_emergency_is_settled_before_other_safety_features(knowledge: Knowledge) -> None:
    """Numb legs are an emergency with a fever, which else is asked after the dangers of now."""
    step = next_step(knowledge, evidence_of(knowledge, leg_nerves={"numb_legs"}))

    assert step == Ask(FeatureKey("fever"), Settles((RuleKey("cord"),)))


def test_what_opens_the_way_to_settle_an_emergency_is_asked_first(knowledge: Knowledge) -> None:
    """A fever is an emergency in who injects drugs, and the age says whether that is asked."""
    feverish = {"leg_nerves": "none", "fever": "yes"}

    age = next_step(knowledge, evidence_of(knowledge, **feverish))
    injects = next_step(knowledge, evidence_of(knowledge, **feverish, age=40))
    rest = next_step(knowledge, evidence_of(knowledge, **feverish, age=12))

    infection = Settles((RuleKey("deep_infection"),))
    assert age == Ask(FeatureKey("age"), infection)
    assert injects == Ask(FeatureKey("injects"), infection)
    assert rest == Ask(FeatureKey("right_now"), Safety())


def test_without_the_age_nothing_is_concluded() -> None:
    plain = knowledge_with(rules=(), settings=replace(SETTINGS, lead_stop=0.01))
    evidence = evidence_of(plain, **WELL, lump="one", feel="soft")

    assert next_step(plain, evidence) == Ask(FeatureKey("age"), Required())


def telling_only(**stops: float) -> Knowledge:
    """The small topic without rules, and with thresholds that nothing can reach."""
    calm = tuple(replace(condition, raise_at=1.0) for condition in CONDITIONS)
    settings = replace(SETTINGS, **stops)
    return knowledge_with(rules=(), groups=(), conditions=calm, settings=settings)


def test_a_leading_condition_ends_it_when_no_rule_is_open() -> None:
    evidence = evidence_of(knowledge_with(), **WELL, age=40)
    weights = outcome(knowledge_with(rules=()), evidence).differential
    lead = weights[0].posterior

    met = telling_only(lead_stop=lead - 1e-6)
    missed = telling_only(lead_stop=lead + 1e-6)

    assert isinstance(next_step(met, evidence), Conclude)
    step = next_step(missed, evidence)
    assert isinstance(step, Ask)
    assert isinstance(step.why, Tells)


def test_it_ends_when_no_question_tells_enough() -> None:
    evidence = evidence_of(knowledge_with(), **WELL, age=40)
    step = next_step(telling_only(), evidence)
    assert isinstance(step, Ask)
    assert isinstance(step.why, Tells)

    gains = [
        gain_of(telling_only(), outlook(Standing(telling_only(), evidence)), feature)
        for feature in telling_only().features
        if feature.key not in evidence
    ]
    more = telling_only(gain_stop=step.why.gain - 1e-6)
    enough = telling_only(gain_stop=max(gains) + 1e-6)

    assert next_step(more, evidence) == step
    assert isinstance(next_step(enough, evidence), Conclude)


def test_it_goes_on_while_a_reply_could_make_a_condition_likely_enough_to_raise_the_urgency() -> (
    None
):
    """A tumour has 4 %, and raises the urgency at 20 %: weight loss would make it that likely."""
    knowledge = knowledge_with(rules=(), groups=(), settings=replace(SETTINGS, lead_stop=0.5))
    evidence = evidence_of(
        knowledge, **WELL, age=30, lump="one", feel="soft", skin={"red"}, pain=2, injects="no"
    )

    step = next_step(knowledge, evidence)

    assert step == Ask(FeatureKey("general"), MayRaise((ConditionKey("tumour"),)))
    done = next_step(knowledge, evidence.set(FeatureKey("general"), chosen("none")))
    assert isinstance(done, Conclude)


def test_it_does_not_go_on_for_what_would_raise_no_urgency() -> None:
    urgent = tuple(replace(condition, urgency=Urgency.SELF_CARE) for condition in CONDITIONS)
    knowledge = knowledge_with(
        rules=(), groups=(), conditions=urgent, settings=replace(SETTINGS, lead_stop=0.5)
    )
    evidence = evidence_of(
        knowledge, **WELL, age=30, lump="one", feel="soft", skin={"red"}, pain=2, injects="no"
    )

    assert isinstance(next_step(knowledge, evidence), Conclude)


def test_under_16_it_goes_on_only_while_a_rule_could_raise_the_urgency(
    knowledge: Knowledge,
) -> None:
    evidence = evidence_of(knowledge, **WELL, age=12)
    whys = []
    replies = evidence_of(
        knowledge, lump="one", feel="soft", skin="looks_normal", pain=2, general="none"
    )
    while isinstance(step := next_step(knowledge, evidence), Ask):
        whys.append(type(step.why))
        evidence = evidence.set(step.feature, dict(replies)[step.feature])

    assert set(whys) == {Settles}
    assert step.disposition.in_scope is False
    assert step.disposition.urgency is Urgency.ROUTINE


def test_under_16_the_highest_flag_stands_and_no_cause_is_named(knowledge: Knowledge) -> None:
    evidence = evidence_of(knowledge, **WELL, age=12, lump="no_lump", skin={"pus"}, pain=9)

    found = outcome(knowledge, evidence)

    assert found.disposition.urgency is Urgency.FEW_DAYS
    assert [r.rule for r in found.disposition.reasons if isinstance(r, FlagReason)] == [
        "abscess",
        "child",
    ]
    assert not any(isinstance(reason, RiskReason) for reason in found.disposition.reasons)
    assert (found.differential, found.must_not_miss) == ((), ())


def test_a_skipped_feature_is_never_asked_and_reads_as_not_known(knowledge: Knowledge) -> None:
    skipped = frozenset({FeatureKey("leg_nerves"), FeatureKey("lump"), FeatureKey("age")})
    evidence, asked = Evidence(), []
    replies = evidence_of(
        knowledge,
        right_now="none",
        fever="no",
        feel="hard",
        skin="looks_normal",
        pain=3,
        injects="no",
        general={"weight_loss"},
    )
    while isinstance(step := next_step(knowledge, evidence, skipped=skipped), Ask):
        asked.append(step.feature)
        evidence = evidence.set(step.feature, dict(replies)[step.feature])

    assert skipped.isdisjoint(asked)
    # what hangs on a feature that is not known is asked all the same
    assert FeatureKey("feel") in asked
    assert [r.rule for r in step.disposition.reasons if isinstance(r, FlagReason)] == ["hard_lump"]


def test_a_declined_alarm_is_read_as_not_sure_and_named(knowledge: Knowledge) -> None:
    evidence = evidence_of(knowledge, leg_nerves="dont_know", right_now="dont_know", fever="no")

    found = disposition(knowledge, evidence)

    assert evidence.get(FeatureKey("leg_nerves")) == chosen("not_sure")
    assert "nerves_unsure" in fired(knowledge, evidence)
    assert found.not_excluded == ("cord", "collapsed")


@thorough
@given(replies=whole_people)
def test_the_interview_ends_at_the_urgency_of_all_replies(
    knowledge: Knowledge, replies: Replies
) -> None:
    _, end = interviewed(knowledge, dict(replies))

    flags = [r.urgency for r in end.disposition.reasons if isinstance(r, FlagReason)]
    assert max(flags, default=Urgency.SELF_CARE) is rule_urgency(knowledge, replies)


@thorough
@given(replies=whole_people)
def test_the_interview_ends_within_the_number_of_features_that_apply(
    knowledge: Knowledge, replies: Replies
) -> None:
    evidence, _ = interviewed(knowledge, dict(replies))

    assert {key for key, _ in evidence} <= set(applying(knowledge, replies))
    assert len(evidence) <= len(knowledge.features)


@thorough
@given(replies=some_people)
def test_a_step_asks_what_is_open_or_concludes_with_the_disposition(
    knowledge: Knowledge, replies: Replies
) -> None:
    evidence = Evidence(replies.items())

    match next_step(knowledge, evidence):
        case Ask(feature):
            assert feature not in evidence
        case Conclude(found):
            assert found == disposition(knowledge, evidence)


def test_a_rule_has_fired_once_nothing_to_come_can_undo_it(knowledge: Knowledge) -> None:
    """A hard lump at 70 hangs on the feel, which is not read if there is no lump."""
    hard = evidence_of(knowledge, feel="hard", age=70)
    sure = hard.set(FeatureKey("lump"), chosen("one"))

    assert fired(knowledge, hard) == ()
    assert fired(knowledge, sure) == ("hard_lump", "see_gp")
