"""Many people at once must come to what each of them comes to alone."""

import numpy as np
import pytest

from triage.engine import Chosen, Evidence, FeatureKey, Knowledge, Number, OptionKey
from triage.evaluation.interviews import interview
from triage.evaluation.simulation import simulated
from triage.evaluation.walks import AT_A_TIME, Walkers, together

from .conftest import knowledge_with


def crowd(knowledge: Knowledge, people: int) -> list[Evidence]:
    """Return people of whom some decline, and some do not know what they are not asked."""
    chance = np.random.default_rng(11)
    drawn = [case.evidence for case in simulated(knowledge, chance, people, declines=0.2)]
    return [
        known.without(FeatureKey("lump")) if n % 7 == 0 else known for n, known in enumerate(drawn)
    ]


@pytest.mark.parametrize("topic", ["knowledge", "linked"])
def test_each_comes_to_what_they_come_to_alone(topic: str, request: pytest.FixtureRequest) -> None:
    knowledge: Knowledge = request.getfixturevalue(topic)
    known = crowd(knowledge, 300)

    runs = together(knowledge, known)

    assert runs == [interview(knowledge, one) for one in known]


def test_so_it_is_with_the_shipped_content(shipped: Knowledge) -> None:
    chance = np.random.default_rng(12)
    known = [case.evidence for case in simulated(shipped, chance, 60, declines=0.1)]

    runs = together(shipped, known)

    assert runs == [interview(shipped, one) for one in known]


def test_people_of_one_band_keep_their_own_ages(knowledge: Knowledge) -> None:
    age = FeatureKey("age")
    known = [
        Evidence(
            [(age, Number(years)), (FeatureKey("skin"), Chosen(frozenset({OptionKey("red")})))]
        )
        for years in (30, 31)
    ]

    runs = together(knowledge, known)

    assert [run.said.get(age) for run in runs] == [Number(30), Number(31)]


def test_it_does_not_matter_how_many_processes_share_the_work() -> None:
    knowledge = knowledge_with()
    known = crowd(knowledge, 4 * AT_A_TIME)
    done: list[int] = []

    with Walkers(knowledge, 2) as walkers:
        runs = walkers.interview(known, done.append)

    assert runs == together(knowledge, known)
    assert sum(done) == len(known)
    assert len(done) > 1


def test_nobody_comes_to_nothing(knowledge: Knowledge) -> None:
    assert together(knowledge, []) == []
