"""The rule language: what it takes, what it refuses, how it reads, and how it is said."""

import pytest
from hypothesis import given

from triage.engine import (
    Evidence,
    FeatureKey,
    Knowledge,
    OptionKey,
    RuleError,
    Words,
    in_words,
    parse,
)
from triage.engine.rules import (
    AllOf,
    AnyOf,
    Compare,
    Expression,
    Has,
    Is,
    IsKnown,
    Literal,
    Not,
    Reading,
    because,
    features_of,
    holds,
    literals,
)
from triage.engine.standing import Standing

from .expressions import rule_texts, some_people, thorough
from .oracle import Replies, is_true, plain_values

FEVER, SKIN, AGE = FeatureKey("fever"), FeatureKey("skin"), FeatureKey("age")
YES, NO, PUS = OptionKey("yes"), OptionKey("no"), OptionKey("pus")
IS_YES, IS_NO, HAS_PUS = Is(FEVER, (YES,)), Is(FEVER, (NO,)), Has(SKIN, PUS)

FORMS: dict[str, Expression] = {
    "": AllOf(()),
    "  ": AllOf(()),
    "fever == 'yes'": IS_YES,
    "'yes' == fever": IS_YES,
    "fever != 'yes'": Not(IS_YES),
    "'yes' != fever": Not(IS_YES),
    "fever in ('yes', 'no')": Is(FEVER, (YES, NO)),
    "fever in ('yes',)": IS_YES,
    "fever not in ('yes', 'no')": Not(Is(FEVER, (YES, NO))),
    "'pus' in skin": HAS_PUS,
    "'pus' not in skin": Not(HAS_PUS),
    "age < 16": Compare(AGE, "<", 16),
    "age <= 16": Compare(AGE, "<=", 16),
    "age > 16": Compare(AGE, ">", 16),
    "age >= 16": Compare(AGE, ">=", 16),
    "age == 16": Compare(AGE, "==", 16),
    "age != 16": Compare(AGE, "!=", 16),
    "16 > age": Compare(AGE, "<", 16),
    "16 >= age": Compare(AGE, "<=", 16),
    "16 < age": Compare(AGE, ">", 16),
    "16 <= age": Compare(AGE, ">=", 16),
    "16 == age": Compare(AGE, "==", 16),
    "16 != age": Compare(AGE, "!=", 16),
    "age > 16.5": Compare(AGE, ">", 16.5),
    "age is not None": IsKnown(AGE),
    "not fever == 'yes'": Not(IS_YES),
    "not not fever == 'yes'": Not(Not(IS_YES)),
    "fever == 'yes' and 'pus' in skin and age < 16": AllOf(
        (IS_YES, HAS_PUS, Compare(AGE, "<", 16))
    ),
    "fever == 'yes' or 'pus' in skin and age < 16": AnyOf(
        (IS_YES, AllOf((HAS_PUS, Compare(AGE, "<", 16))))
    ),
    "not (fever == 'yes' or 'pus' in skin)": Not(AnyOf((IS_YES, HAS_PUS))),
    "(\n  fever == 'yes'\n)": IS_YES,
}


@pytest.mark.parametrize("text", FORMS)
def test_every_form_of_the_language_is_read(text: str) -> None:
    assert parse(text) == FORMS[text]


FOREIGN = [
    "True",
    "None",
    "fever",
    "'yes'",
    "1",
    "...",
    "not fever",
    "fever and 'pus' in skin",
    "fever == no",
    "1 == 1",
    "'yes' == 'yes'",
    "'pus' in ('pus', 'red')",
    "fever == True",
    "age == True",
    "age == None",
    "age is None",
    "None is not age",
    "age is not True",
    "age is not 3",
    "fever is 'yes'",
    "fever < 'yes'",
    "'yes' < fever",
    "fever in 'yes'",
    "fever in ['yes']",
    "fever in {'yes'}",
    "fever in ()",
    "fever in ('yes', 1)",
    "fever in ('yes', no)",
    "fever in (*skin,)",
    "fever in skin",
    "fever not in skin",
    "1 in skin",
    "b'pus' in skin",
    "fever == b'yes'",
    "age == 1j",
    "age > -1",
    "-age > 1",
    "age + 1 > 2",
    "age > 8 * 2",
    "1 < age < 3",
    "age < 16 == True",
    "fever == 'yes' == 'yes'",
    "fever() == 'yes'",
    "len(skin) > 1",
    "fever == str('yes')",
    "__import__('os').system('true') == 0",
    "fever.yes == 'yes'",
    "skin['pus'] == 'yes'",
    "lambda: 1",
    "(lambda: fever)() == 'yes'",
    "(fever := 'yes') == 'yes'",
    "fever == (yes := 'yes')",
    "f'{fever}' == 'yes'",
    "f'{fever}' in skin",
    "[fever == 'yes']",
    "any(o == 'yes' for o in fever)",
    "[o for o in skin]",
    "fever == 'yes' if age > 3 else age < 2",
    "fever == 'yes' & age > 3",
    "~age > 3",
    "age @ age > 3",
    "await fever",
    "(yield)",
    "fever == 'yes', age > 3",
    "fever = 'yes'",
    "import os",
    "fever == 'yes'; age > 3",
    "fever == 'yes'\nage > 3",
    "fever ==",
    "fever == 'yes' or",
    "(fever == 'yes'",
    "fever == 'yes",
    "fever == 'yes'\0",
    "\0",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_whatever_is_not_in_the_language_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "age > 3" + ")" * 5_000,
        "not " * 5_000 + "age > 3",
        "not " * 100_000 + "age > 3",
        "+" * 3_000 + "1",
    ],
    ids=lambda text: f"{text[:6]}… of {len(text)}",
)
def test_a_rule_nested_without_end_is_refused_like_any_other(text: str) -> None:
    with pytest.raises(RuleError):
        parse(text)


@pytest.mark.parametrize("depth", [50, 150, 300, 600, 900])
def test_a_deep_rule_is_refused_or_can_be_used(depth: int) -> None:
    try:
        expression = parse("not " * depth + "fever == 'yes'")
    except RuleError:
        return

    readings: dict[FeatureKey, Reading] = {FEVER: frozenset({YES})}
    assert holds(expression, readings)
    assert because(expression, readings) == (IS_YES,)
    assert list(literals(expression)) == [IS_YES]
    assert in_words(expression, WORDS).lower().count("not") == depth


def test_a_refusal_says_where_and_what() -> None:
    with pytest.raises(RuleError, match=r"“len\(skin\) > 1” at character 19 is not"):
        parse("fever == 'yes' or len(skin) > 1")


# what is not known: no option, nothing ticked, every comparison false
UNKNOWNS = {
    "fever == 'yes'": False,
    "fever != 'yes'": True,
    "fever in ('yes', 'no', 'not_sure')": False,
    "fever not in ('yes', 'no', 'not_sure')": True,
    "'pus' in skin": False,
    "'pus' not in skin": True,
    "age < 16": False,
    "age >= 16": False,
    "age != 16": False,
    "age == 16": False,
    "not (age < 16)": True,
    "age is not None": False,
    "not (age is not None)": True,
    "": True,
}


@pytest.mark.parametrize("text", UNKNOWNS)
@pytest.mark.parametrize(
    "readings",
    [{}, {FEVER: frozenset[OptionKey](), SKIN: frozenset[OptionKey](), AGE: None}],
    ids=["absent", "empty"],
)
def test_what_is_not_known_reads_as_nothing(text: str, readings: dict[FeatureKey, Reading]) -> None:
    assert holds(parse(text), readings) is UNKNOWNS[text]


@thorough
@given(text=rule_texts, replies=some_people)
def test_a_rule_holds_exactly_when_python_says_so(
    knowledge: Knowledge, text: str, replies: Replies
) -> None:
    standing = Standing(knowledge, Evidence(replies.items()))

    held = holds(parse(text), standing.readings)

    assert held is is_true(text, plain_values(knowledge, replies))


def test_literals_come_as_they_are_written() -> None:
    expression = parse("age < 16 and not ('pus' in skin or fever in ('yes', 'no'))")

    assert list(literals(expression)) == [Compare(AGE, "<", 16), HAS_PUS, Is(FEVER, (YES, NO))]
    assert features_of(expression) == {AGE, SKIN, FEVER}


READINGS: dict[FeatureKey, Reading] = {FEVER: frozenset({YES}), SKIN: frozenset({PUS}), AGE: 70}

REASONS: dict[str, tuple[Literal, ...]] = {
    "fever == 'yes'": (IS_YES,),
    "fever == 'no'": (),
    "fever == 'yes' and 'pus' in skin": (IS_YES, HAS_PUS),
    "fever == 'yes' and fever == 'no'": (),
    "fever == 'no' or 'pus' in skin": (HAS_PUS,),
    "fever == 'yes' or 'pus' in skin": (IS_YES, HAS_PUS),
    "age is not None and age < 90": (IsKnown(AGE), Compare(AGE, "<", 90)),
    "fever == 'yes' and fever == 'yes'": (IS_YES,),
    # what carries a rule by being absent is no finding
    "fever != 'no'": (),
    "fever != 'no' and 'pus' in skin": (HAS_PUS,),
    "not (fever == 'no' or 'red' in skin)": (),
    "not (fever != 'yes')": (IS_YES,),
    "not (fever != 'yes' or 'pus' not in skin)": (IS_YES, HAS_PUS),
}


@pytest.mark.parametrize("text", REASONS)
def test_the_findings_that_carry_a_rule_are_named(text: str) -> None:
    assert because(parse(text), READINGS) == REASONS[text]


WORDS = Words(
    features={FEVER: "Fever", SKIN: "Skin", AGE: "Age"},
    options={
        (FEVER, YES): "Yes",
        (FEVER, NO): "No",
        (SKIN, PUS): "Pus",
    },
)

SENTENCES = {
    "": "Always.",
    "fever == 'yes'": "Fever is “Yes”.",
    "fever != 'yes'": "Fever is not “Yes”.",
    "fever in ('yes', 'no')": "Fever is “Yes” or “No”.",
    "fever not in ('yes', 'no')": "Fever is not “Yes” or “No”.",
    "'pus' in skin": "Skin has “Pus”.",
    "'pus' not in skin": "Skin is without “Pus”.",
    "age < 16": "Age is under 16.",
    "age <= 16": "Age is 16 or less.",
    "age > 16": "Age is over 16.",
    "age >= 16": "Age is 16 or more.",
    "age == 16": "Age is exactly 16.",
    "age != 16": "Age is anything but 16.",
    "age > 16.5": "Age is over 16.5.",
    "age is not None": "Age is known.",
    "not (age is not None)": "Age is not known.",
    "not (age < 16)": "Not Age is under 16.",
    "fever == 'yes' and age < 16": "All of: Fever is “Yes”; Age is under 16.",
    "fever == 'yes' or age < 16": "Any of: Fever is “Yes”; Age is under 16.",
    "fever == 'yes' or (age < 16 and 'pus' in skin)": (
        "Any of: Fever is “Yes”; (all of: Age is under 16; Skin has “Pus”)."
    ),
    "not (fever == 'yes' or 'pus' in skin)": "Not (any of: Fever is “Yes”; Skin has “Pus”).",
}


@pytest.mark.parametrize("text", SENTENCES)
def test_a_rule_can_be_said_in_plain_english(text: str) -> None:
    assert in_words(parse(text), WORDS) == SENTENCES[text]


def test_every_rule_and_gate_of_the_shipped_content_can_be_said(shipped: Knowledge) -> None:
    words = Words(
        features={feature.key: feature.key.upper() for feature in shipped.features},
        options={(f.key, o.key): o.key.upper() for f in shipped.features for o in f.options},
    )

    for expression in (*shipped.expressions.values(), *shipped.asked_if.values()):
        said = in_words(expression, words)

        assert said.endswith(".")
        assert all(literal.feature.upper() in said for literal in literals(expression))
