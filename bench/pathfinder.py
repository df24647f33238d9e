"""What it brings to know which findings belong together, on Pathfinder: 63 diseases of the lymph
nodes and 108 findings, many of which hang on each other (Heckerman et al., Methods Inf Med 1992).

Patients are drawn from the network itself. Once all findings are taken as independent given the
fault; once those that hang together share a hidden cause, fitted to the network's tables and never
to patients; and once the network is left as it is, by exact inference in pgmpy. This says nothing
about people: whoever is drawn from a network obeys it.
"""

import argparse
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from triage.engine import Chosen, Evidence, Knowledge, posterior
from triage.evaluation.intervals import Share
from triage.evaluation.reliability import Reliability
from triage.evaluation.tables import Table

from ._asking import Asking, file_in, per_cent, record, take_folder
from ._bars import Bar, print_bars
from ._networks import (
    Array,
    causes_of,
    drawn,
    evidence_of,
    knowledge_of,
    posteriors,
    read_bif,
)

QUESTIONS = (5, 10, 15, 20, 30)
ALL = "all findings shown"
STATES = 8
"""A hidden cause has so many at most."""
NETWORKS = {"pathfinder": "Fault", "asia": "lung", "child": "Disease", "alarm": "INTUBATION"}
"""What in each is the condition."""
TOPICS, PEOPLE = 200, 25
"""How many topics are drawn for the comparison with exact inference, and replies for each."""

HEAD = ("", "", "patients", "right", "claimed", "calibration error")
INDEPENDENT, SHARED = "findings independent", "findings with shared causes"


@dataclass(frozen=True)
class Claims:
    """The first fault's posterior for each patient, and whether it is the true one."""

    pairs: tuple[tuple[float, bool], ...]

    @cached_property
    def reliability(self) -> Reliability:
        return Reliability.of(self.pairs)

    @property
    def right(self) -> Share:
        return self.reliability.right

    @property
    def apart(self) -> float:
        """How far the mean confidence is from the share that is right."""
        return abs(self.reliability.claimed - self.right.value)


def claims(weights: Sequence[Array] | Array, truths: Sequence[int] | Array) -> Claims:
    return Claims(
        tuple(
            (float(row.max()), int(row.argmax()) == truth)
            for row, truth in zip(weights, truths, strict=True)
        )
    )


def asked(count: int) -> str:
    return f"{count} questions"


def sitting(asking: Asking, whole: Evidence, questions: Sequence[int]) -> dict[str, Evidence]:
    """Interview one person from nothing. Return what is known after each number of questions, and
    all of it."""
    steps = list(asking.interview(whole, Evidence(), max(questions)))
    known = {asked(count): steps[min(count, len(steps) - 1)] for count in questions}
    return {**known, ALL: whole}


def judged(
    knowledge: Knowledge, sittings: Sequence[Mapping[str, Evidence]], truths: Sequence[int]
) -> dict[str, Claims]:
    return {
        stage: claims([posterior(knowledge, known[stage]) for known in sittings], truths)
        for stage in sittings[0]
    }


def compared(models: Mapping[str, Mapping[str, Claims]]) -> Table:
    rows = [
        (stage, name, *_figures(found[stage]))
        for stage in (*map(asked, QUESTIONS), ALL)
        for name, found in models.items()
        if stage in found
    ]
    return Table(
        "The true fault comes first: per cent of patients, 95 % intervals in brackets; the mean of"
        " the first fault's posterior; and the calibration error, per cent",
        HEAD,
        tuple(rows),
    )


def _figures(found: Claims) -> tuple[str, ...]:
    return (
        str(found.right.of),
        per_cent(found.right),
        f"{100 * found.reliability.claimed:.1f}",
        f"{100 * found.reliability.error:.1f}",
    )


def elsewhere(folder: Path, count: int, seed: int) -> Table:
    """Do the same in other networks, with all findings shown. No hidden cause need fit them."""
    rows = []
    for name, condition in NETWORKS.items():
        if name == "pathfinder":
            continue
        network = read_bif(text_of(folder, name))
        patients = drawn(network, count, seed)
        truths = patients[condition].tolist()
        everything = [evidence_of(network, condition, patients, place) for place in range(count)]
        models = {
            "the network, by its tables": claims(posteriors(network, condition, patients), truths)
        }
        for model, states in ((SHARED, STATES), (INDEPENDENT, 1)):
            knowledge = knowledge_of(network, condition, causes_of(network, condition, states))
            models[model] = claims([posterior(knowledge, whole) for whole in everything], truths)
        for model, found in reversed(models.items()):
            rows.append((f"{name}, {condition}", model, *_figures(found)))
    return Table("The same in other networks, all findings shown", HEAD, tuple(rows))


def differences(folder: Path, seed: int) -> Iterator[Bar]:
    """Compare our posterior with exact inference in the network that a topic stands for."""
    from ._exact import Equivalent, replies, topic

    def furthest(knowledge: Knowledge, people: Sequence[Evidence]) -> float:
        exact = Equivalent(knowledge)
        return max(
            float(np.abs(posterior(knowledge, said) - exact.posterior(said)).max())
            for said in people
        )

    def bar(what: str, seen: float, note: str) -> Bar:
        return Bar(f"{what}: largest difference from pgmpy's", seen, "at most", 1e-9, note)

    chance = np.random.default_rng(seed)
    topics = [topic(chance) for _ in range(TOPICS)]
    worst = max(
        furthest(drawn_topic, [replies(drawn_topic, chance) for _ in range(PEOPLE)])
        for drawn_topic in topics
    )
    count = sum(len(drawn_topic.syndromes) for drawn_topic in topics)
    yield bar("drawn topics", worst, f"{TOPICS} topics, {count} syndromes, {PEOPLE} people each")
    for name, condition in NETWORKS.items():
        network = read_bif(text_of(folder, name))
        knowledge = knowledge_of(network, condition, causes_of(network, condition, STATES))
        patients = drawn(network, PEOPLE, seed)
        people = [evidence_of(network, condition, patients, place) for place in range(PEOPLE)]
        some = [Evidence(pair for pair in whole if chance.random() < 0.5) for whole in people]
        count = len(knowledge.syndromes)
        note = f"{count} syndrome{'s'[: count > 1]}, {2 * PEOPLE} people"
        yield bar(f"{name}, {condition}", furthest(knowledge, [*people, *some]), note)


def text_of(folder: Path, name: str) -> str:
    return gzip.decompress(file_in(folder, f"{name}.bif.gz").read_bytes()).decode()


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench pathfinder", description=__doc__)
    take_folder(parser)
    parser.add_argument("--patients", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--exact", type=int, default=400, help="patients given to pgmpy too")
    parser.add_argument("--record", action="store_true", help="keep the calibration in docs")
    given = parser.parse_args()
    print(f"# Findings that belong together\n\n{__doc__}")
    text, condition = text_of(given.data, "pathfinder"), NETWORKS["pathfinder"]
    for other in NETWORKS:
        file_in(given.data, f"{other}.bif.gz")
    network = read_bif(text)
    patients = drawn(network, given.patients, given.seed)
    truths = patients[condition].tolist()
    everything = [
        evidence_of(network, condition, patients, place) for place in range(given.patients)
    ]
    models: dict[str, Mapping[str, Claims]] = {}
    for name, states in ((INDEPENDENT, 1), (SHARED, STATES)):
        knowledge = knowledge_of(network, condition, causes_of(network, condition, states))
        asking = Asking(knowledge)
        sittings = [sitting(asking, whole, QUESTIONS) for whole in everything]
        models[name] = judged(knowledge, sittings, truths)
    for syndrome in knowledge.syndromes:
        findings = dict.fromkeys(feature for _, feature, _ in syndrome.members)
        print(f"- {len(syndrome.states)} states behind {', '.join(findings)}")
    models["the network, by its tables"] = {
        ALL: claims(posteriors(network, condition, patients), truths)
    }
    some = sittings[: given.exact]
    models[f"{SHARED}, first {len(some)}"] = judged(knowledge, some, truths[: len(some)])
    models[f"the network by pgmpy, first {len(some)}"] = exactly(text, some, truths[: len(some)])
    print(f"\n{given.patients} patients drawn from seed {given.seed}.\n")
    print(f"{compared(models).markdown()}\n")
    print(elsewhere(given.data, given.patients, given.seed).markdown())
    print_bars("Pathfinder: bars", [*bars(models), *differences(given.data, given.seed)])
    if given.record:
        record(
            "pathfinder",
            "Pathfinder",
            f"The first of 63 faults after 15 questions: {given.patients} patients drawn from the"
            f" network with seed {given.seed}; findings with shared causes.",
            models[SHARED][asked(15)].pairs,
        )


def exactly(
    text: str, sittings: Sequence[Mapping[str, Evidence]], truths: Sequence[int]
) -> dict[str, Claims]:
    """Judge the network as it is, on the same evidence. pgmpy reads the file itself."""
    from ._exact import Exact

    exact = Exact.read(text, NETWORKS["pathfinder"])
    return {
        stage: claims([exact.posterior(_states(known[stage])) for known in sittings], truths)
        for stage in sittings[0]
    }


def _states(said: Evidence) -> dict[str, int | str]:
    return {key: next(iter(reply.options)) for key, reply in said if isinstance(reply, Chosen)}


def bars(models: Mapping[str, Mapping[str, Claims]]) -> list[Bar]:
    ours = models[SHARED]
    everything, fifteen, thirty = ours[ALL], ours[asked(15)], ours[asked(30)]

    def apart(stage: str, found: Claims) -> Bar:
        note = f"{found.reliability.claimed:.3f} claimed, {found.right.value:.3f} right"
        return Bar(f"{stage}: confidence from accuracy", found.apart, "at most", 0.01, note)

    return [
        Bar(f"{ALL}: right", everything.right.value, "at least", 0.98, str(everything.right)),
        Bar("the same, stretch", everything.right.value, "at least", 0.985, str(everything.right)),
        apart(ALL, everything),
        Bar("15 questions: right", fifteen.right.value, "at least", 0.975, str(fifteen.right)),
        apart("15 questions", fifteen),
        apart("30 questions", thirty),
    ]


if __name__ == "__main__":
    main()
