"""In which order questions are mostly asked: by interviews of simulated people."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triage.engine import Evidence, FeatureKey, Knowledge

from .simulation import simulated
from .walks import together


@dataclass(frozen=True, slots=True)
class Asked:
    """share   of people who are asked it, 0 to 1
    place   its mean place among the questions of those who are, from 1
    """

    share: float
    place: float


def asked_of(
    knowledge: Knowledge, chance: np.random.Generator, people: int
) -> Mapping[FeatureKey, Asked]:
    """Return the features that simulated people are asked, as `asked_in` does."""
    known = [person.evidence for person in simulated(knowledge, chance, people)]
    return asked_in(knowledge, [run.said for run in together(knowledge, known)])


def asked_in(knowledge: Knowledge, said: Sequence[Evidence]) -> Mapping[FeatureKey, Asked]:
    """Return the features that anybody is asked, in the order of their mean places."""
    places: dict[FeatureKey, list[int]] = defaultdict(list)
    for evidence in said:
        for place, (feature, _) in enumerate(evidence, start=1):
            places[feature].append(place)
    asked = {
        feature: Asked(share=len(each) / len(said), place=sum(each) / len(each))
        for feature, each in places.items()
    }
    return dict(sorted(asked.items(), key=lambda item: (item[1].place, knowledge.place[item[0]])))
