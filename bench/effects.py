"""How long it takes to say what a draft changes: all cases on both sides, and simulated people.

The wall clock counts for whoever waits, and hangs on what else the machine does; the time of the
processors, shared evenly, is what it would come to with nothing else running. What the live release
comes to on simulated people is kept from earlier, as it is on the desk.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from triage.engine import Evidence, Knowledge
from triage.evaluation.effects import PEOPLE, SEED, Described, figures_of
from triage.evaluation.interviews import interview
from triage.evaluation.simulation import simulated
from triage.evaluation.tables import Table
from triage.evaluation.walks import parts_of, together

from ._bars import Bar, print_bars
from ._topics import shipped_topics

CASES = Path(__file__).parents[1] / "tests" / "cases"
ALONE = 200
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the wall clock, and of all processors together."""

    wall: float
    processors: float

    def shared(self, processes: int) -> float:
        """What it would come to if the work were shared evenly and nothing else ran."""
        return self.processors / processes


def took(work: Callable[[], object]) -> Took:
    before, start = os.times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - start, os.times()
    return Took(wall, sum(after[:4]) - sum(before[:4]))  # own and those of processes that ended


def cases_of(topic: str) -> list[Described]:
    found = []
    for path in sorted((CASES / topic).glob("*.jsonl")):
        for line in filter(str.strip, path.read_text(encoding="utf-8").splitlines()):
            case = json.loads(line)
            found.append(Described(path.stem, case["id"], case.get("story", ""), line))
    return found


def effect(knowledge: Knowledge, topic: str, people: int, processes: int) -> Took:
    """Return how long one takes from the moment on when the knowledge of both sides is there."""
    draft, cases = Knowledge(**parts_of(knowledge)), cases_of(topic)
    return took(
        lambda: figures_of(
            draft, knowledge, cases, before={}, people=people, seed=SEED, processes=processes
        )
    )


def together_or_alone(knowledge: Knowledge, people: int) -> tuple[float, float]:
    """Return the processor's milliseconds for one interview of many at once, and for one alone.

    Both take turns, each with knowledge that has met nobody before; the least of some rounds.
    """
    known = [case.evidence for case in simulated(knowledge, np.random.default_rng(SEED), people)]
    some = known[: min(ALONE, people)]
    at_once, alone = [], []
    for _ in range(ROUNDS):
        one, other = (Knowledge(**parts_of(knowledge)) for _ in range(2))
        at_once.append(took(partial(together, one, known)).processors / len(known))
        alone.append(took(partial(_one_by_one, other, some)).processors / len(some))
    return 1000 * min(at_once), 1000 * min(alone)


def _one_by_one(knowledge: Knowledge, known: Sequence[Evidence]) -> None:
    for evidence in known:
        interview(knowledge, evidence)


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench effects", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    print(f"# What a draft changes\n\n{__doc__}")
    for topic, knowledge in shipped_topics().items():
        rows, bars = [], []
        for processes in sorted({1, given.processes}):
            found = effect(knowledge, topic, given.people, processes)
            shared = found.shared(processes)
            rows.append(
                (str(processes), *(f"{s:.1f}" for s in (found.wall, found.processors, shared)))
            )
            if processes == given.processes:
                bars.append(Bar("seconds by the wall clock", found.wall, "at most", 10))
                bars.append(Bar("seconds of each processor", shared, "at most", 10))
        at_once, alone = together_or_alone(knowledge, given.people)
        print(
            Table(
                f"{topic}: {given.people} people and {len(cases_of(topic))} cases, in seconds",
                ("processes", "wall clock", "processors", "processors / processes"),
                tuple(rows),
            ).markdown()
        )
        note = f"{at_once:.2f} ms for one of {given.people} at once, {alone:.2f} ms for one alone"
        bars.append(Bar("interview alone / of many at once", alone / at_once, "at least", 1, note))
        print_bars(f"{topic}: bars", bars)


if __name__ == "__main__":
    main()
