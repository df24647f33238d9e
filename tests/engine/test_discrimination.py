"""What each question tells of each condition, worked by hand."""

from math import log, sqrt

import numpy as np
import pytest

from triage.engine import (
    ConditionKey,
    FeatureKey,
    Knowledge,
    discrimination,
    expected_weights,
    likeness,
    mistakes,
    telling_apart,
)

PRIORS = np.array([0.5, 0.3, 0.2])


def test_a_single_choice_tells_what_its_options_tell_in_the_mean() -> None:
    # Others of the first: yes (0.3 x 0.6 + 0.2 x 0.1) / 0.5 = 0.4. Of the second: (0.5 x 0.2 +
    # 0.2 x 0.1) / 0.7 = 0.12 / 0.7. Of the third: (0.5 x 0.2 + 0.3 x 0.6) / 0.8 = 0.35.
    chances = np.array([[0.2, 0.6, 0.1], [0.8, 0.4, 0.9]])

    weights = expected_weights(chances, PRIORS)

    assert weights == pytest.approx(
        [
            0.2 * log(0.2 / 0.4) + 0.8 * log(0.8 / 0.6),
            0.6 * log(0.6 * 0.7 / 0.12) + 0.4 * log(0.4 * 0.7 / 0.58),
            0.1 * log(0.1 / 0.35) + 0.9 * log(0.9 / 0.65),
        ],
        abs=1e-12,
    )


def test_of_a_multiple_choice_each_option_is_a_yes_or_no_of_its_own() -> None:
    red, pus = np.array([0.2, 0.6, 0.1]), np.array([0.3, 0.3, 0.3])
    one = expected_weights(np.array([red, 1 - red]), PRIORS)

    both = expected_weights(np.array([red, pus]), PRIORS, several=True)

    # Pus is as frequent in all, and tells nothing.
    assert both == pytest.approx(one, abs=1e-12)


def test_what_is_alike_in_all_tells_nothing_and_never_less_than_nothing() -> None:
    chances = np.full((3, 3), 1 / 3)

    weights = expected_weights(chances, PRIORS)

    assert (weights >= 0).all()
    assert weights == pytest.approx([0, 0, 0], abs=1e-12)


def test_a_condition_without_others_is_told_from_nothing() -> None:
    assert expected_weights(np.array([[0.2], [0.8]]), np.array([1.0])) == pytest.approx([0])


def test_a_finding_ten_times_as_frequent_in_all_who_have_it_is_worth_log_10() -> None:
    # Nearly all with the first have it, and one in ten of the others.
    chances = np.array([[1 - 1e-9, 0.1], [1e-9, 0.9]])

    assert expected_weights(chances, np.array([0.5, 0.5]))[0] == pytest.approx(log(10), abs=1e-6)


def test_the_whole_table_has_a_row_for_each_feature(knowledge: Knowledge) -> None:
    table = discrimination(knowledge)

    assert table.shape == (len(knowledge.features), len(knowledge.conditions))
    # Only rules read it.
    assert table[knowledge.place[FeatureKey("right_now")]] == pytest.approx([0, 0, 0])
    # Fever: cyst 0.1 against (0.3 x 0.05 + 0.1 x 0.2) / 0.4 = 0.0875 of the others.
    fever = table[knowledge.place[FeatureKey("fever")]]
    assert fever[0] == pytest.approx(0.1 * log(0.1 / 0.0875) + 0.9 * log(0.9 / 0.9125), abs=1e-12)


def test_between_two_conditions_a_feature_tells_the_mean_of_both_ways(knowledge: Knowledge) -> None:
    # Feel: soft 0.8 and 0.4, hard 0.2 and 0.6, whatever the priors.
    there = 0.8 * log(0.8 / 0.4) + 0.2 * log(0.2 / 0.6)
    back = 0.4 * log(0.4 / 0.8) + 0.6 * log(0.6 / 0.2)

    told = telling_apart(knowledge, 0, 1)

    feel = told[knowledge.place[FeatureKey("feel")]]
    assert feel == pytest.approx((there + back) / 2, abs=1e-12)


def test_the_more_alike_the_more_mistakes() -> None:
    low, high = mistakes(np.array([0.6, 1.0]))

    assert low == pytest.approx([(1 - 0.8) / 2, 0.5])
    assert high == pytest.approx([0.3, 0.5])


def test_the_bounds_hold_for_one_question_whose_mistakes_can_be_counted() -> None:
    # Told by a fever of 0.9 and 0.3, guess by the likelier: wrong in (0.1 + 0.3) / 2 = 0.2.
    alike = sqrt(0.9 * 0.3) + sqrt(0.1 * 0.7)

    low, high = mistakes(np.array([alike]))

    assert low[0] <= 0.2 <= high[0]


def test_in_the_shipped_topic_a_clinician_would_ask_first_what_tells_most(
    shipped: Knowledge,
) -> None:
    table = discrimination(shipped)
    features = [feature.key for feature in shipped.features]

    def best(condition: str) -> str:
        return features[int(table[:, _place(shipped, condition)].argmax())]

    assert best("shingles") == "skin_look"
    assert best("osteoporotic_fracture") == "bone_risk"
    assert best("spinal_epidural_abscess") == "general_signs"
    low, high = mistakes(likeness(shipped))
    assert (low <= high + 1e-12).all()


def _place(knowledge: Knowledge, condition: str) -> int:
    keys = [each.key for each in knowledge.conditions]
    return keys.index(ConditionKey(condition))
