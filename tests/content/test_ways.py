"""The shortest way of answers to a rule: it gets there, and nothing shorter does."""

from collections.abc import Iterator
from functools import reduce
from itertools import permutations, product
from math import prod

import pytest
from hypothesis import given

from tests.engine.expressions import rule_texts, telling_replies, thorough
from tests.engine.small import alone, chosen, knowledge_with
from triage.content.ways import Way, shortest_way
from triage.engine import (
    Chosen,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Number,
    Option,
    OptionKey,
    RuleKey,
    applies,
    fired,
    parse,
)
from triage.engine.rules import Expression
from triage.engine.verdicts import TRUE, Signs, Verdict

SMALL = knowledge_with()
MOST = 40_000
"""More ways of one length than this are not tried."""


class Compiled:
    """A rule over the small topic's questions that the topic does not have."""

    def __init__(self, text: str) -> None:
        expression: Expression = parse(text)
        self.signs = Signs(SMALL.features, [expression, *SMALL.asked_if.values()])
        self.gates: dict[FeatureKey, Verdict] = {}
        for feature in SMALL.features:
            gate = self.signs.compiled(SMALL.asked_if[feature.key], self.gates)
            self.gates[feature.key] = gate
        self.verdict = self.signs.compiled(expression, self.gates)
        hung = {self.signs.owner[sign] for sign in self.signs.signs_of(self.verdict)}
        self.read = [SMALL.features[place] for place in sorted(hung)]

    def shortest(self) -> Way | None:
        return shortest_way(self.verdict, self.signs, self.gates, SMALL.feeds_emergency)

    def given(self, verdict: Verdict, way: Way) -> Verdict:
        marks = (
            mark
            for key, reply in way
            for mark in self.signs.marks(key, reply, unsure=key in SMALL.feeds_emergency)
        )
        return reduce(self.signs.given, marks, verdict)

    def gets_there(self, way: Way) -> bool:
        """Whether each question is asked when it is answered, and the rule is true after that."""
        asked = (
            self.given(self.gates[key], way[:place]) is TRUE for place, (key, _) in enumerate(way)
        )
        return all(asked) and self.given(self.verdict, way) is TRUE

    def ways(self, length: int) -> Iterator[Way]:
        for features in permutations(self.read, length):
            for replies in product(*map(telling_replies, features)):
                yield tuple(zip([feature.key for feature in features], replies, strict=True))

    def count(self, length: int) -> int:
        return sum(
            prod(len(telling_replies(feature)) for feature in features)
            for features in permutations(self.read, length)
        )


@thorough
@given(text=rule_texts)
def test_the_way_gets_there_and_no_shorter_one_does(text: str) -> None:
    rule = Compiled(text)

    way = rule.shortest()

    assert way is None or rule.gets_there(way)
    for length in range(3 if way is None else len(way)):
        if rule.count(length) <= MOST:
            assert not any(map(rule.gets_there, rule.ways(length)))


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("fever == 'yes'", 1),
        ("fever != 'yes'", 1),
        ("feel == 'hard'", 2),  # whether there is a lump is asked first
        ("'red' in skin and 'pus' in skin", 1),
        # Fever settles it with two; whichever way the fever goes, these two do as well.
        ("(fever == 'yes' and pain >= 8 and age >= 60) or ('red' in skin and lump == 'one')", 2),
        ("'none' in leg_nerves and 'weak_legs' in leg_nerves", None),
        ("age < 16 and injects == 'yes'", None),  # nobody under 16 is asked
    ],
)
def test_a_way_has_so_many_answers(text: str, length: int | None) -> None:
    way = Compiled(text).shortest()

    assert (None if way is None else len(way)) == length


def test_a_way_names_the_answers_in_the_order_of_the_questions() -> None:
    way = Compiled("pain >= 8 and feel == 'hard'").shortest()

    assert way == (
        (FeatureKey("lump"), chosen("one")),
        (FeatureKey("feel"), chosen("hard")),
        (FeatureKey("pain"), Number(8)),
    )


def test_what_holds_only_of_somebody_who_declines_has_a_way() -> None:
    way = Compiled("not (pain is not None)").shortest()

    assert way is not None
    assert isinstance(way[0][1], Declined)


def _replayed(knowledge: Knowledge, way: Way, rule: RuleKey) -> bool:
    evidence = Evidence()
    for feature, reply in way:
        assert applies(knowledge, evidence, feature)
        evidence = evidence.set(feature, reply)
    return rule in fired(knowledge, evidence)


def test_every_rule_of_the_shipped_topic_has_a_way_that_fires_it(shipped: Knowledge) -> None:
    for rule in shipped.rules:
        verdict = shipped.verdicts[rule.key]
        way = shortest_way(verdict, shipped.signs, shipped.gates, shipped.feeds_emergency)

        assert way is not None
        assert _replayed(shipped, way, rule.key)
        read: list[Feature] = [shipped.feature(key) for key in shipped.reads[rule.key]]
        assert {key for key, _ in way} <= {feature.key for feature in read}


def test_a_long_list_takes_no_longer_than_it_has_options() -> None:
    options = tuple(Option(OptionKey(f"o{n}")) for n in range(40))
    many = Feature(FeatureKey("many"), Kind.MULTI, (*options, alone("none")))
    fever = SMALL.feature(FeatureKey("fever"))
    any_of = " or ".join(f"'o{n}' in many" for n in range(40))
    half = " and ".join(f"'o{n}' in many" for n in range(0, 40, 2))
    for text, ticked in ((any_of, 1), (half, 20)):
        expression = parse(f"({text}) and fever == 'yes'")
        signs = Signs([many, fever], [expression])
        gates = {many.key: TRUE, fever.key: TRUE}

        way = shortest_way(signs.compiled(expression, gates), signs, gates)

        assert way is not None
        assert [key for key, _ in way] == ["many", "fever"]
        reply = way[0][1]
        assert isinstance(reply, Chosen)
        assert len(reply.options) == ticked
