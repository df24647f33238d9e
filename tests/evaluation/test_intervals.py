import pytest

from triage.evaluation.intervals import Share, quantile


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [  # Newcombe RG, Stat Med 1998;17:857-72, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share_has_the_wilson_interval(hits: int, of: int, low: float, high: float) -> None:
    assert Share(hits, of).interval == pytest.approx((low, high), abs=5e-5)


def test_the_interval_of_all_ends_at_one() -> None:
    low, high = Share(20, 20).interval

    assert low == pytest.approx(1 - 0.1611, abs=5e-5)
    assert high == 1


def test_a_share_says_its_interval_and_its_numbers() -> None:
    assert str(Share(81, 263)) == "30.8 % (25.5 to 36.6), 81 of 263"
    assert Share(81, 263).brief == "81 of 263 (26 to 37 %)"
    assert str(Share(0, 0)) == Share(0, 0).brief == "none to judge"


def test_the_interval_of_a_median_lies_between_two_of_the_values() -> None:
    # 100 values: ranks 50 - 9.8 down to 40, and 50 + 9.8 up to 60, and one more
    middle = quantile(range(1, 101), 0.5)

    assert (middle.value, middle.low, middle.high) == (50.5, 40, 61)


def test_a_high_quantile_of_few_values_reaches_to_the_highest() -> None:
    high = quantile([3, 1, 2], 0.95)

    assert (high.value, high.low, high.high) == (3, 2, 3)


def test_no_values_have_no_quantile() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
