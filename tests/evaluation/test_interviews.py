from collections.abc import Callable

import pytest

from triage.engine import Evidence, Knowledge, Urgency
from triage.evaluation.cases import read_case
from triage.evaluation.interviews import Run, all_at_once, interview


def known(knowledge: Knowledge, answers: str) -> Evidence:
    return read_case(f'{{"id": "x", "answers": {answers}, "expected": {{}}}}', knowledge).evidence


def test_what_a_case_does_not_know_stays_unasked(knowledge: Knowledge) -> None:
    evidence = known(knowledge, '{"age": 34, "skin": ["looks_normal"]}')

    run = interview(knowledge, evidence)

    assert run.asked == 2
    assert run.ranked == all_at_once(knowledge, evidence).ranked


def test_an_emergency_ends_the_interview(knowledge: Knowledge) -> None:
    evidence = known(knowledge, '{"danger": ["collapse"], "age": 34, "feel": "hard"}')

    run = interview(knowledge, evidence)

    assert run.asked == 1
    assert run.urgency is Urgency.EMERGENCY_NOW
    assert run.flags == ("collapsed",)
    assert run.cut_short


def test_a_child_whose_age_was_not_asked_yet_is_a_child(knowledge: Knowledge) -> None:
    run = interview(knowledge, known(knowledge, '{"danger": ["collapse"], "age": 12}'))

    assert run.asked == 1
    assert run.ranked == ()


def test_every_rule_that_fires_is_named_in_the_order_of_the_content(knowledge: Knowledge) -> None:
    evidence = known(knowledge, '{"age": 12, "feel": "hard", "skin": ["pus"]}')

    run = all_at_once(knowledge, evidence)

    assert run.flags == ("child", "leaks", "hard_lump")
    assert run.urgency is Urgency.SAME_DAY


def test_the_causes_stand_by_falling_posterior(knowledge: Knowledge) -> None:
    soft = all_at_once(knowledge, known(knowledge, '{"age": 34, "feel": "soft"}'))
    hard = all_at_once(knowledge, known(knowledge, '{"age": 80, "feel": "hard"}'))

    assert [condition for condition, _ in soft.ranked] == ["cyst", "bone"]
    assert [condition for condition, _ in hard.ranked] == ["bone", "cyst"]
    assert hard.ranked[0][1] > hard.ranked[1][1]


@pytest.mark.parametrize("run", [interview, all_at_once])
def test_a_child_is_shown_no_causes(
    knowledge: Knowledge, run: Callable[[Knowledge, Evidence], Run]
) -> None:
    evidence = known(knowledge, '{"age": 12, "feel": "soft"}')

    assert run(knowledge, evidence).ranked == ()


def test_somebody_of_unknown_age_is_ranked(knowledge: Knowledge) -> None:
    run = interview(knowledge, known(knowledge, '{"feel": "hard"}'))

    assert {condition for condition, _ in run.ranked} == {"bone", "cyst"}
    assert sum(posterior for _, posterior in run.ranked) == pytest.approx(1)


def test_a_reply_to_what_does_not_apply_is_no_question(knowledge: Knowledge) -> None:
    evidence = known(knowledge, '{"age": 34, "lump": "no_lump", "feel": "hard"}')

    run = all_at_once(knowledge, evidence)

    assert run.asked == 2
    assert run.flags == ()


def test_a_condition_that_is_likely_enough_to_raise_the_urgency_is_named(
    knowledge: Knowledge,
) -> None:
    run = all_at_once(knowledge, known(knowledge, '{"age": 80, "feel": "hard"}'))

    # P(bone) = 0.25 a / (0.25 a + 0.75 b) = 0.58, a = (0.791 · 0.888) ** 0.6, b = (0.306 · 0.209) ** 0.6
    assert run.risks == ("bone", "cyst")
