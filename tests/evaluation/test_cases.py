import json

import pytest

from triage.engine import Decline, Declined, Knowledge, Number, Urgency
from triage.evaluation.cases import UnfitCases, read_cases

from .conftest import chosen

FIT = {
    "id": "v01",
    "answers": {"skin": ["red", "pus"], "age": 34, "feel": "soft"},
    "expected": {
        "conditions": ["cyst"],
        "urgency_at_least": "routine",
        "urgency_at_most": "same_day",
    },
}


def line(**changes: object) -> str:
    return json.dumps({**FIT, **changes})


def test_a_line_becomes_a_case(knowledge: Knowledge) -> None:
    [case] = read_cases([line()], knowledge)

    assert case.key == "v01"
    assert list(case.evidence) == [
        ("age", Number(34)),
        ("feel", chosen("soft")),
        ("skin", chosen("red", "pus")),
    ]
    assert case.conditions == {"cyst"}
    assert (case.at_least, case.at_most) == (Urgency.ROUTINE, Urgency.SAME_DAY)


def test_what_is_not_expected_is_not_judged(knowledge: Knowledge) -> None:
    expected: dict[str, object] = {"conditions": [], "urgency_at_most": None}

    [case] = read_cases([line(expected=expected)], knowledge)

    assert case.conditions == frozenset()
    assert (case.at_least, case.at_most) == (None, None)


def test_a_reply_may_be_declined_in_the_ways_that_the_feature_offers(knowledge: Knowledge) -> None:
    [case] = read_cases([line(answers={"skin": "cant_see", "lump": "dont_know"})], knowledge)

    assert case.evidence.get(knowledge.features[4].key) == Declined(Decline.CANT_SEE)
    assert case.evidence.get(knowledge.features[2].key) == chosen("not_sure")


def test_further_keys_and_empty_lines_are_passed_over(knowledge: Knowledge) -> None:
    cases = read_cases(["", line(story="A man of 34.", note="none"), "\n"], knowledge)

    assert len(cases) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "this is not JSON"),
        ('{"id": "a", "id": "b"}', "“id” is given twice"),
        (line(answers={"age": float("nan")}), "NaN is no JSON number"),
        ("[]", "a case is a JSON object"),
        (line(id=7), "“id” is missing, or is no text"),
        (line(answers=["fever"]), "“answers” is missing, or is no object"),
        (line(answers={"fever": "no"}), "“fever” is no feature of this topic"),
        (line(answers={"feel": "spongy"}), "“feel” has no option “spongy”"),
        (line(answers={"skin": ["red", "green"]}), "“skin” has no option “green”"),
        (line(answers={"feel": ["soft"]}), '“feel” takes one option as a text, not ["soft"]'),
        (line(answers={"skin": "red"}), '“skin” takes a list of options, not "red"'),
        (line(answers={"age": "34"}), '“age” takes a whole number, not "34"'),
        (line(answers={"age": 34.5}), "“age” takes a whole number, not 34.5"),
        (line(answers={"age": True}), "“age” takes a whole number, not true"),
        (line(answers={"feel": None}), "“feel” takes one option as a text, not null"),
        (line(answers={"age": 121}), "121 is above 120"),
        (line(answers={"age": -1}), "-1 is below 0"),
        (line(answers={"skin": []}), "nothing is chosen for “skin”"),
        (line(answers={"skin": ["looks_normal", "red"]}), "“looks_normal” of “skin” holds alone"),
        (line(answers={"age": "dont_know"}), "“age” cannot be declined"),
        (line(answers={"feel": "cant_see"}), "“feel” cannot be declined"),
        (line(expected=None), "“expected” is missing, or is no object"),
        (line(expected={"urgency": "routine"}), "“expected” says “urgency”"),
        (line(expected={"conditions": "cyst"}), "“conditions” is no list of conditions"),
        (line(expected={"conditions": ["gout"]}), "“gout” is no condition of this topic"),
        (line(expected={"urgency_at_least": "soon"}), '“urgency_at_least” is "soon", which is'),
        (line(expected={"urgency_at_most": 3}), "“urgency_at_most” is 3, which is none of"),
        (
            line(expected={"urgency_at_least": "same_day", "urgency_at_most": "routine"}),
            "“urgency_at_least” is higher than “urgency_at_most”",
        ),
    ],
)
def test_a_bad_case_says_its_line_and_what_is_wrong(
    knowledge: Knowledge, text: str, fault: str
) -> None:
    with pytest.raises(UnfitCases) as refused:
        read_cases([line(id="fit"), text], knowledge)

    [said] = refused.value.faults
    assert said.startswith("line 2: ")
    assert fault in said


def test_every_fault_of_every_line_is_said_at_once(knowledge: Knowledge) -> None:
    lines = [
        line(answers={"age": 200, "skin": ["green", "blue"], "fever": "no"}),
        line(id="fit"),
        line(id="fit", expected={"conditions": ["gout"]}),
    ]

    with pytest.raises(UnfitCases) as refused:
        read_cases(lines, knowledge)

    assert [fault.split(":")[0] for fault in refused.value.faults] == ["line 1"] * 4 + ["line 3"]


def test_an_id_is_given_once(knowledge: Knowledge) -> None:
    with pytest.raises(UnfitCases, match="line 3: the id “v01” is already that of line 1"):
        read_cases([line(), line(id="v02"), line()], knowledge)


def test_a_file_without_a_case_is_refused(knowledge: Knowledge) -> None:
    with pytest.raises(UnfitCases, match="there is no case in it"):
        read_cases(["\n"], knowledge)
