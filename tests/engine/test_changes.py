"""What would change the advice: each change says what it does, and none is missing."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from triage.engine import (
    Change,
    Changes,
    Chosen,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Number,
    OptionKey,
    Reply,
    Rule,
    RuleKey,
    RuleKind,
    UnknownFeature,
    Unsound,
    Urgency,
    changes_of,
    disposition,
    outcome,
    outcome_and_changes,
    receipt,
    reweighing,
    risks,
)

from .expressions import rule_texts, some_people, thorough, whole_people
from .oracle import Replies, applying, holding
from .people import interviewed, pool_of
from .small import FEATURES, SYNDROMES, chosen, evidence_of, knowledge_with

type Replaced = tuple[tuple[FeatureKey, Reply], ...]

few = settings(max_examples=60, deadline=None, derandomize=True)


# Brute force


def next_to(knowledge: Knowledge, feature: Feature, reply: Reply | None) -> Iterator[Reply]:
    """Yield every reply that is one change away."""
    if feature.kind is Kind.NUMBER:
        cells = knowledge.signs.cells[feature.key]
        yield from (
            Number(cell[0])
            for cell in cells
            if not (isinstance(reply, Number) and reply.value in cell)
        )
        return
    for option in feature.options:
        if feature.kind is Kind.SINGLE:
            other: Reply | None = chosen(option.key)
        else:
            other = with_toggled(feature, reply, option.key)
        if other not in (None, reply):
            yield other


def with_toggled(feature: Feature, reply: Reply | None, key: OptionKey) -> Chosen | None:
    lone = [option.key for option in feature.options if option.exclusive]
    ticked = set(reply.options) if isinstance(reply, Chosen) else set()
    if key in ticked:
        ticked.remove(key)
        if not ticked:
            nothing = [k for k in lone if k != "not_sure"]
            ticked.update(nothing[:1])
    elif key in lone:
        ticked = {key}
    else:
        ticked = (ticked - set(lone)) | {key}
    return chosen(*ticked) if ticked else None


def with_replies(replies: Replies, change: Replaced) -> dict[FeatureKey, Reply]:
    return {**replies, **dict(change)}


def urgency_of(knowledge: Knowledge, replies: Replies) -> Urgency:
    return disposition(knowledge, Evidence(replies.items())).urgency


def singles_of(knowledge: Knowledge, replies: Replies) -> dict[Replaced, Urgency]:
    """Return every single change, and the urgency after it, by asking for each anew."""
    return {
        change: urgency_of(knowledge, with_replies(replies, change))
        for key in applying(knowledge, replies)
        for reply in next_to(knowledge, knowledge.feature(key), replies.get(key))
        for change in [((key, reply),)]
    }


def pairs_of(
    knowledge: Knowledge, replies: Replies, singles: dict[Replaced, Urgency]
) -> dict[Replaced, Urgency]:
    """Return every two changes by which a rule comes to hold that no single one makes hold, above
    what either of them comes to, and the urgency after both."""
    now = urgency_of(knowledge, replies)
    alone = {
        rule.key for change in singles for rule in holding(knowledge, with_replies(replies, change))
    }
    wanted = [r for r in knowledge.rules if r.urgency > now and r.key not in alone]
    found = {}
    for change, parts in twos(knowledge, replies):
        if change in singles or not wanted:
            continue
        held = {rule.key for rule in holding(knowledge, with_replies(replies, change))}
        for rule in wanted:
            if rule.key in held and all(singles.get(p, now) < rule.urgency for p in parts):
                found[change] = urgency_of(knowledge, with_replies(replies, change))
    return found


def twos(
    knowledge: Knowledge, replies: Replies
) -> Iterator[tuple[Replaced, tuple[Replaced, Replaced]]]:
    """Yield every two changes as one, and each by itself, of features that apply or will then."""
    applies = set(applying(knowledge, replies))
    everything = [
        (feature, reply)
        for feature in knowledge.features
        for reply in next_to(knowledge, feature, replies.get(feature.key))
    ]
    for (one, first), (other, second) in combinations(everything, 2):
        if one is other:
            continue
        parts = (((one.key, first),), ((other.key, second),))
        for this, that, change in ((one, other, parts[0]), (other, one, parts[1])):
            after = set(applying(knowledge, with_replies(replies, change)))
            if this.key in applies and {this.key, that.key} <= after:
                yield (*parts[0], *parts[1]), parts
                break
    for feature in knowledge.features:
        if feature.kind is not Kind.MULTI or feature.key not in applies:
            continue
        ticks = [option.key for option in feature.options if not option.exclusive]
        for key, also in combinations(ticks, 2):
            once = with_toggled(feature, replies.get(feature.key), key)
            instead = with_toggled(feature, replies.get(feature.key), also)
            both = with_toggled(feature, once, also)
            if once and instead and both and both != replies.get(feature.key):
                yield ((feature.key, both),), (((feature.key, once),), ((feature.key, instead),))


def by_replies(changes: Changes) -> dict[Replaced, Urgency]:
    return {change.replies: change.urgency for change in (*changes.raising, *changes.lowering)}


def by_brute_force(knowledge: Knowledge, replies: Replies) -> dict[Replaced, Urgency]:
    now = urgency_of(knowledge, replies)
    singles = singles_of(knowledge, replies)
    everything = singles | pairs_of(knowledge, replies, singles)
    return {change: urgency for change, urgency in everything.items() if urgency is not now}


# All there are, and no other


@few
@given(replies=some_people)
def test_all_changes_are_found_and_no_other(either: Knowledge, replies: Replies) -> None:
    changes = changes_of(either, Evidence(replies.items()))

    assert by_replies(changes) == by_brute_force(either, replies)
    assert changes.urgency is urgency_of(either, replies)


CALM = tuple(
    replace(feature, options=tuple(replace(option, alarm=False) for option in feature.options))
    for feature in FEATURES
)
"""Without alarms, so that rules may read them in any way."""


@few
@given(
    replies=some_people, texts=st.lists(rule_texts, min_size=1, max_size=2), linked=st.booleans()
)
def test_so_it_is_with_rules_made_up_at_random(
    replies: Replies, texts: list[str], linked: bool
) -> None:
    rules = [
        Rule(RuleKey(f"rule {n}"), RuleKind.RED_FLAG, Urgency(3 + n), text)
        for n, text in enumerate(texts)
    ]
    try:
        knowledge = knowledge_with(
            features=CALM, rules=rules, syndromes=SYNDROMES if linked else ()
        )
    except Unsound:
        assume(False)

    changes = changes_of(knowledge, Evidence(replies.items()))

    assert by_replies(changes) == by_brute_force(knowledge, replies)


def test_on_the_shipped_content_each_change_gives_what_it_says(shipped: Knowledge) -> None:
    chance = Random(20)
    for person in pool_of(shipped, seed=20, count=12).people:
        asked, _ = interviewed(shipped, person)
        evidence = chance.choice([asked, Evidence(person.items()), Evidence(list(asked)[:8])])
        changes = changes_of(shipped, evidence)
        found = by_replies(changes)

        for change in chance.sample(list(found), min(25, len(found))):
            replayed = with_replies(dict(evidence), change)
            assert urgency_of(shipped, replayed) is found[change]
        assert changes.urgency is urgency_of(shipped, dict(evidence))


def test_on_the_shipped_content_no_single_change_is_missing(shipped: Knowledge) -> None:
    """A sample: all of them take a second for each person."""
    chance = Random(21)
    for person in pool_of(shipped, seed=21, count=12).people:
        replies = dict(interviewed(shipped, person)[0])
        now, found = (
            urgency_of(shipped, replies),
            by_replies(changes_of(shipped, Evidence(replies.items()))),
        )
        for key in chance.sample(applying(shipped, replies), 8):
            feature = shipped.feature(key)
            others = list(next_to(shipped, feature, replies.get(key)))
            for reply in chance.sample(others, min(3, len(others))):
                change = ((key, reply),)
                assert urgency_of(shipped, with_replies(replies, change)) is found.get(change, now)


# What is said of each


def calm(knowledge: Knowledge) -> Evidence:
    return evidence_of(
        knowledge,
        leg_nerves="none",
        right_now="none",
        fever="no",
        age=40,
        lump="no_lump",
        skin="looks_normal",
        pain=2,
        injects="no",
        general="none",
    )


def test_a_change_says_what_brings_it_about(knowledge: Knowledge) -> None:
    changes = changes_of(knowledge, calm(knowledge))

    by_reply = {change.replies: change for change in changes.raising}
    fever, legs = FeatureKey("fever"), FeatureKey("leg_nerves")
    assert changes.urgency is Urgency.ROUTINE
    assert by_reply[((fever, chosen("yes")),)] == Change(
        ((fever, chosen("yes")),),
        Urgency.SAME_DAY,
        (RuleKey("fever"),),
        (),
        ((fever, OptionKey("yes")),),
        (),
    )
    assert by_reply[((legs, chosen("weak_legs")),)].rules == (RuleKey("cord"),)


def test_those_with_alarms_come_first_then_the_most_urgent(knowledge: Knowledge) -> None:
    raising = changes_of(knowledge, calm(knowledge)).raising

    order = [(not change.brings, -change.urgency) for change in raising]
    assert order == sorted(order)
    assert raising[0].urgency is Urgency.EMERGENCY_NOW
    assert not raising[-1].brings


def test_an_alarm_that_was_not_asked_about_is_among_them(knowledge: Knowledge) -> None:
    evidence = evidence_of(knowledge, age=40, fever="no")

    alarms = {
        alarm for change in changes_of(knowledge, evidence).raising for alarm in change.brings
    }

    assert (FeatureKey("right_now"), OptionKey("collapse")) in alarms
    assert (FeatureKey("leg_nerves"), OptionKey("weak_legs")) in alarms


def test_two_are_named_together_where_neither_does_it_alone(knowledge: Knowledge) -> None:
    """An abscess is pus and pain of 8 or more; exactly 8 is a cell of its own."""
    changes = changes_of(knowledge, calm(knowledge))

    pairs = [change for change in changes.raising if len(change.replies) == 2]
    abscess = [change for change in pairs if RuleKey("abscess") in change.rules]
    assert {dict(change.replies)[FeatureKey("pain")] for change in abscess} == {
        Number(8),
        Number(9),
    }
    assert {dict(change.replies)[FeatureKey("skin")] for change in abscess} == {chosen("pus")}
    assert {change.urgency for change in abscess} == {Urgency.FEW_DAYS}


def test_a_tick_takes_none_of_these_away_and_the_last_one_gone_brings_it_back(
    knowledge: Knowledge,
) -> None:
    legs = FeatureKey("leg_nerves")
    numb = calm(knowledge).set(legs, chosen("numb_legs"))

    changes = changes_of(knowledge, numb)

    replies = {dict(change.replies).get(legs): change for change in changes.raising}
    assert chosen("weak_legs", "numb_legs") in replies
    (gone,) = changes.lowering
    assert gone.replies == ((legs, chosen("none")),)
    assert gone.urgency is Urgency.ROUTINE


def test_what_takes_a_reported_alarm_away_says_so(knowledge: Knowledge) -> None:
    fever = FeatureKey("fever")
    ill = calm(knowledge).set(fever, chosen("yes"))

    lowering = changes_of(knowledge, ill).lowering

    assert {change.replies for change in lowering} == {
        ((fever, chosen("no")),),
        ((fever, chosen("not_sure")),),
    }
    for change in lowering:
        assert change.withdraws == ((fever, OptionKey("yes")),)
        assert change.rules == (RuleKey("fever"),)


@thorough
@given(replies=some_people)
def test_what_lowers_the_urgency_without_taking_an_alarm_away_brings_none(
    either: Knowledge, replies: Replies
) -> None:
    """An alarm in the place of “not sure” may be calmer, for “not sure” raises what it leaves open;
    in any other place it never is."""
    for change in changes_of(either, Evidence(replies.items())).lowering:
        for key, _ in change.brings:
            assert replies[key] == chosen("not_sure") or isinstance(replies[key], Declined)


def test_a_risk_threshold_is_named_with_its_conditions(knowledge: Knowledge) -> None:
    risky = knowledge_with(rules=())

    changes = changes_of(risky, calm(risky).set(FeatureKey("age"), Number(60)))

    by_risk = [change for change in changes.raising if change.risks]
    assert by_risk
    for change in by_risk:
        assert change.rules == ()
        assert all(risk.urgency is change.urgency for risk in change.risks)


def test_at_the_top_there_is_nothing_to_raise(knowledge: Knowledge) -> None:
    weak = calm(knowledge).set(FeatureKey("leg_nerves"), chosen("weak_legs"))

    changes = changes_of(knowledge, weak)

    assert changes.urgency is Urgency.EMERGENCY_NOW
    assert changes.raising == ()
    assert all(change.withdraws for change in changes.lowering)


def test_what_the_knowledge_lacks_cannot_be_changed(knowledge: Knowledge) -> None:
    with pytest.raises(UnknownFeature):
        changes_of(knowledge, Evidence([(FeatureKey("mood"), chosen("good"))]))


def test_what_is_skipped_counts_as_not_asked(knowledge: Knowledge) -> None:
    evidence = calm(knowledge).without(FeatureKey("fever"))

    with_skipped = changes_of(knowledge, evidence, skipped=frozenset({FeatureKey("fever")}))

    assert with_skipped == changes_of(knowledge, evidence)


def test_the_order_of_the_replies_does_not_matter(either: Knowledge) -> None:
    evidence = calm(either)

    assert changes_of(either, evidence) == changes_of(either, Evidence(reversed(list(evidence))))


@few
@given(replies=whole_people)
def test_many_combinations_of_alarms_are_bounded_as_the_disposition_does(
    linked: Knowledge, replies: Replies
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in (risks, reweighing):
            patch.setattr(module, "MOST_VARIANTS", 6)
        changes = changes_of(linked, Evidence(replies.items()))

        for change in (*changes.raising, *changes.lowering):
            replayed = with_replies(replies, change.replies)
            assert urgency_of(linked, replayed) is change.urgency


@few
@given(replies=some_people)
def test_with_the_outcome_they_are_the_same_as_alone(either: Knowledge, replies: Replies) -> None:
    evidence = Evidence(replies.items())

    found, changes = outcome_and_changes(either, evidence)

    assert changes == changes_of(either, evidence)
    assert receipt(found) == receipt(outcome(either, evidence))
