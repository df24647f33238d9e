"""A rule is true or false while replies are to come exactly if nothing that may come changes it."""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from itertools import product
from math import prod

from hypothesis import assume, given

from triage.engine import Evidence, FeatureKey, Knowledge, Reply, RuleKey, fired, parse
from triage.engine.standing import Standing
from triage.engine.verdicts import FALSE, TRUE, Signs, Verdict

from .expressions import rule_texts, some_people, telling_replies, thorough
from .oracle import Replies, is_true, names, plain_values
from .small import FEATURES, chosen, evidence_of

MOST = 3_000
"""More ways in which one person's replies may go on than this are not tried."""


def bearing_on(knowledge: Knowledge, text: str) -> set[FeatureKey]:
    """Return the features on which a text hangs, by its own names and by those of their gates."""
    found: set[FeatureKey] = set()
    waiting = list(names(text))
    while waiting:
        key = FeatureKey(waiting.pop())
        if key not in found:
            found.add(key)
            waiting.extend(names(knowledge.feature(key).asked_if or "True"))
    return found


def ways_on(
    knowledge: Knowledge, text: str, replies: Replies, skipped: Iterable[FeatureKey] = ()
) -> list[list[tuple[FeatureKey, Reply | None]]]:
    """Return, for each feature that bears on the text, the replies that may come; None: none."""
    ways: list[list[tuple[FeatureKey, Reply | None]]] = []
    for key in sorted(bearing_on(knowledge, text)):
        if key in replies:
            ways.append([(key, replies[key])])
        elif key in skipped:
            ways.append([(key, None)])
        else:
            comes = telling_replies(knowledge.feature(key))
            ways.append([(key, None), *((key, reply) for reply in comes)])
    return ways


def endings(
    knowledge: Knowledge, text: str, ways: list[list[tuple[FeatureKey, Reply | None]]]
) -> Iterator[bool]:
    for way in product(*ways):
        given = {key: reply for key, reply in way if reply is not None}
        yield is_true(text, plain_values(knowledge, given))


def verdict_of(possible: set[bool]) -> str:
    return "open" if len(possible) == 2 else "true" if possible == {True} else "false"


def name(verdict: Verdict) -> str:
    return "true" if verdict is TRUE else "false" if verdict is FALSE else "open"


@thorough
@given(text=rule_texts, replies=some_people)
def test_no_made_up_rule_is_settled_too_early_or_too_late(
    knowledge: Knowledge, text: str, replies: Replies
) -> None:
    ways = ways_on(knowledge, text, replies)
    assume(prod(map(len, ways)) <= MOST)

    found = settled(knowledge, text, replies)

    assert name(found) == verdict_of(set(endings(knowledge, text, ways)))


def settled(knowledge: Knowledge, text: str, replies: Mapping[FeatureKey, Reply]) -> Verdict:
    """Return the verdict on a rule that the knowledge does not have."""
    expression = parse(text)
    signs = Signs(FEATURES, [expression, *knowledge.asked_if.values()])
    gates: dict[FeatureKey, Verdict] = {}
    for feature in FEATURES:
        gates[feature.key] = signs.compiled(knowledge.asked_if[feature.key], gates)
    marks = (
        mark
        for key, reply in replies.items()
        for mark in signs.marks(key, reply, unsure=key in knowledge.feeds_emergency)
    )
    return reduce(signs.given, marks, signs.compiled(expression, gates))


@thorough
@given(replies=some_people)
def test_no_rule_of_the_small_topic_is_settled_too_early_or_too_late(
    knowledge: Knowledge, replies: Replies
) -> None:
    standing = Standing(knowledge, Evidence(replies.items()))

    for rule in knowledge.rules:
        ways = ways_on(knowledge, rule.text, replies)
        if prod(map(len, ways)) <= MOST:
            possible = set(endings(knowledge, rule.text, ways))
            assert name(standing.verdicts[rule.key]) == verdict_of(possible)


@thorough
@given(replies=some_people, skipped=some_people)
def test_a_feature_that_is_never_asked_settles_rules_as_not_known(
    knowledge: Knowledge, replies: Replies, skipped: Replies
) -> None:
    standing = Standing(knowledge, Evidence(replies.items()), frozenset(skipped))

    for rule in knowledge.rules:
        ways = ways_on(knowledge, rule.text, replies, skipped)
        if prod(map(len, ways)) <= MOST:
            possible = set(endings(knowledge, rule.text, ways))
            assert name(standing.verdicts[rule.key]) == verdict_of(possible)


@thorough
@given(replies=some_people)
def test_nothing_is_open_once_nothing_more_is_asked(knowledge: Knowledge, replies: Replies) -> None:
    closed = Standing(knowledge, Evidence(replies.items())).closed()

    values = plain_values(knowledge, replies)
    for rule in knowledge.rules:
        assert name(closed.verdicts[rule.key]) == str(is_true(rule.text, values)).lower()


def test_a_gate_that_closes_settles_what_hangs_on_it(knowledge: Knowledge) -> None:
    standing = Standing(knowledge, evidence_of(knowledge, lump="no_lump"))

    assert standing.verdicts[RuleKey("hard_lump")] is FALSE


def test_a_reply_behind_a_closed_gate_is_kept_but_not_read(knowledge: Knowledge) -> None:
    hard = evidence_of(knowledge, feel="hard", age=70, lump="not_sure")
    closed = hard.set(FeatureKey("lump"), chosen("no_lump"))

    assert "hard_lump" in fired(knowledge, hard)
    assert "hard_lump" not in fired(knowledge, closed)
    assert FeatureKey("feel") in closed


def test_an_exclusive_option_unticks_the_others(knowledge: Knowledge) -> None:
    text = "'none' in leg_nerves and 'weak_legs' in leg_nerves"

    assert settled(knowledge, text, {}) is FALSE


def test_equal_rules_are_one_verdict(knowledge: Knowledge) -> None:
    signs, gates = knowledge.signs, knowledge.gates

    left = signs.compiled(parse("not (fever == 'yes' and pain >= 8)"), gates)
    right = signs.compiled(parse("pain < 8 or fever != 'yes' or not (pain is not None)"), gates)

    assert left is right
