"""What people are asked, why, and what it comes to, written down to the byte.

    python -m tests.engine.traces

reads the parts of some topics from its standard input and prints their traces. So a process of its
own can be started with other settings: how a matrix product adds up and how a logarithm ends in its
last bits is settled by the environment before numpy is imported, and by the machine.
"""

import json
import pickle
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from triage.engine import (
    Ask,
    Condition,
    ConditionKey,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    MayRaise,
    OptionKey,
    Required,
    Safety,
    Settings,
    Settles,
    Tells,
    Urgency,
    next_step,
    outcome,
    receipt,
)
from triage.engine.inference import DECIMALS
from triage.evaluation.simulation import simulated

from .small import option

type Parts = dict[str, Any]

PEOPLE = 8
DECLINES = 0.2
TWINS = ("b", "a", "c")


def parts_of(knowledge: Knowledge) -> Parts:
    """Return what the knowledge was made of, as another process can read it."""
    names = ("conditions", "features", "rules", "likelihoods", "groups", "syndromes", "settings")
    return {name: getattr(knowledge, name) for name in names}


def twins() -> Parts:
    """Return a topic in which all that should be equal is so in all but the last bits.

    Every feature is there three times, once with its options turned round; one says nothing; each
    condition is as likely to begin with as it takes to raise the urgency, some as likely as it
    takes for another word; and nothing ends an interview before everything is asked or certain.
    """
    chance = np.random.default_rng(5)
    rest = 0.1 + chance.random(32)
    priors = [0.3, 0.1, 0.1, *(0.5 * rest / rest.sum()).tolist()]
    conditions = [
        Condition(ConditionKey(f"c{place:02}"), prior, Urgency.ROUTINE, raise_at=prior)
        for place, prior in enumerate(priors)
    ]
    features: list[Feature] = []
    cells: dict[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood] = {}
    options = [option(f"o{way}") for way in range(3)]
    for place in range(10):
        rows = 0.01 + chance.random((len(conditions), 3))
        if not place:
            rows[:] = rows[0]
        rows /= rows.sum(axis=1, keepdims=True)
        for twin in TWINS:
            key = FeatureKey(f"f{place}{twin}")
            shown = options[::-1] if twin == "c" else options
            features.append(Feature(key, Kind.SINGLE, tuple(shown)))
            for condition, row in zip(conditions, rows, strict=True):
                for one, cell in zip(options, row, strict=True):
                    cells[condition.key, key, one.key] = Likelihood(float(cell))
    return {
        "conditions": conditions,
        "features": features,
        "rules": (),
        "likelihoods": cells,
        "settings": Settings(temper=1.0, gain_stop=0.0, lead_stop=1.0),
    }


def trace(knowledge: Knowledge) -> str:
    """Return a line for every question, and the receipt, of nobody and of some simulated people."""
    crowd = simulated(knowledge, np.random.default_rng(11), PEOPLE, declines=DECLINES)
    people = [Evidence(), *(case.evidence for case in crowd)]
    return "\n".join(line for person in people for line in _lines(knowledge, person))


def _lines(knowledge: Knowledge, person: Evidence) -> Iterator[str]:
    said, skipped = Evidence(), frozenset[FeatureKey]()
    while isinstance(step := next_step(knowledge, said, skipped=skipped), Ask):
        reply = person.get(step.feature)
        if reply is None:
            skipped |= {step.feature}
        else:
            said = said.set(step.feature, reply)
        yield json.dumps([step.feature, *_why(step)])
    yield receipt(outcome(knowledge, said, skipped=skipped))
    yield receipt(outcome(knowledge, person))


def _why(ask: Ask) -> list[object]:
    match ask.why:
        case Safety():
            return ["safety"]
        case Required():
            return ["required"]
        case Settles(rules):
            return ["settles", *rules]
        case Tells(nats):
            return ["tells", round(nats, DECIMALS)]
        case MayRaise(conditions):
            return ["may raise", *conditions]


def traces(topics: Mapping[str, Parts]) -> dict[str, str]:
    return {name: trace(Knowledge(**parts)) for name, parts in topics.items()}


def last_bits() -> str:
    """Return numbers that end as this process adds up, and as it takes logarithms."""
    drawn = np.random.default_rng(3).random((300, 300))
    return np.concatenate([drawn @ drawn[0], np.log(drawn[0]), np.exp(drawn[0])]).tobytes().hex()


if __name__ == "__main__":
    json.dump([traces(pickle.load(sys.stdin.buffer)), last_bits()], sys.stdout)
