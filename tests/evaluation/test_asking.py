import numpy as np
import pytest

from triage.engine import Ask, Evidence, Knowledge, next_step
from triage.evaluation.asking import asked_of


def test_what_is_asked_first_of_everybody_stands_first(knowledge: Knowledge) -> None:
    first = next_step(knowledge, Evidence())
    assert isinstance(first, Ask)

    asked = asked_of(knowledge, np.random.default_rng(1), 30)

    assert next(iter(asked)) == first.feature
    assert asked[first.feature].share == pytest.approx(1)
    assert asked[first.feature].place == pytest.approx(1)


def test_places_rise_and_shares_are_of_all_people(knowledge: Knowledge) -> None:
    asked = asked_of(knowledge, np.random.default_rng(1), 30)

    places = [each.place for each in asked.values()]
    assert places == sorted(places)
    assert all(each.share * 30 == pytest.approx(round(each.share * 30)) for each in asked.values())
    assert all(0 < each.share <= 1 for each in asked.values())


def test_the_same_seed_asks_in_the_same_order(knowledge: Knowledge) -> None:
    once, again = (asked_of(knowledge, np.random.default_rng(7), 30) for _ in range(2))

    assert list(once.items()) == list(again.items())
