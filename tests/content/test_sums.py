"""Sums in words, and what the others would be once one number is moved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.content.sums import added_up, in_proportion

probabilities = st.integers(min_value=1, max_value=999).map(lambda n: n / 1000)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["0.5", "0.5"], "adds up to 1"),
        (["0.5", "0.45"], "adds up to 0.95: 0.05 too little"),
        (["0.5", "0.6"], "adds up to 1.1: 0.1 too much"),
        (["0.1"] * 10, "adds up to 1"),
        (["0.5", ""], "adds up to 0.5: 0.5 too little"),
        (["0.5", "half"], "adds up to 0.5: 0.5 too little, without “half”, which is no number"),
        (["1", "nan"], "adds up to 1, without “nan”, which is no number"),
        (["inf"], "adds up to 0: 1 too little, without “inf”, which is no number"),
        (["0.3333333", "0.3333333", "0.3333334"], "adds up to 1"),
    ],
)
def test_a_sum_is_put_into_words(texts: list[str], said: str) -> None:
    total = added_up(texts)

    assert total.text == said
    assert total.right is (said == "adds up to 1")


def test_the_others_keep_their_proportions() -> None:
    assert in_proportion(["0.6", "0.3", "0.2"], [0.5, 0.3, 0.2]) == {1: 0.24, 2: 0.16}
    assert in_proportion(["0.5", "0.3", "0.001"], [0.699, 0.3, 0.001]) == {1: 0.4983, 2: 0.0017}


@pytest.mark.parametrize(
    ("texts", "before"),
    [
        (["0.5", "0.3"], [0.5, 0.3]),  # nothing was moved
        (["0.6", "0.3"], [0.5, 0.2]),  # nothing is left to move
        (["0.6", "half"], [0.5, 0.5]),
        (["0.6", ""], [0.5, None]),
        (["1.2", "0.5"], [0.5, 0.5]),
        (["0.7", "0.6", "0.1"], [0.5, 0.4, 0.1]),  # too much already
    ],
)
def test_where_it_cannot_be_nothing_is_suggested(
    texts: list[str], before: list[float | None]
) -> None:
    assert in_proportion(texts, before) == {}


@given(st.lists(probabilities, min_size=2, max_size=8), probabilities)
def test_what_is_suggested_adds_up_and_moves_only_the_others(
    before: list[float], typed: float
) -> None:
    texts = [str(typed), *map(str, before[1:])]

    moved = in_proportion(texts, list(before))

    if moved:
        assert moved.keys() == set(range(1, len(before)))
        numbers = [str(moved.get(n, texts[n])) for n in range(len(texts))]
        assert added_up(numbers).right
        assert all(0 < number < 1 for number in moved.values())
    else:
        least = (1 - typed) * min(before[1:]) / sum(before[1:])
        assert typed == before[0] or least < 1e-6, "only what would round to 0 is not suggested"
