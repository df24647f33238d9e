"""How cost grows with the number of conditions and features, alone and beside the others.

Each pack is drawn from a seed and worked on in a process of its own, and so is each of the others:
who is not done within --limit seconds is shown as such. A sparse pack states for each condition
only the features in which it differs from the background. `one more reply` starts from what was
known before it; `all replies` and `next question` start from the replies alone, as the web does.
Everything is on one thread. Linux only: it forks, and reads memory from /proc.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy, or it is too late

import numpy as np

from triage.engine import (
    Evidence,
    Feature,
    Knowledge,
    Rule,
    RuleKey,
    RuleKind,
    Urgency,
)
from triage.engine.inference import posterior_of
from triage.engine.selection import outlook_of
from triage.engine.standing import Standing
from triage.evaluation.tables import Table

from ._aside import aside, its_own, resident
from ._bars import Goal, figure, print_goals
from ._clock import alternating, in_words
from ._ours import Effort, Ours, furthest, versus, worst
from ._packs import Pack, Size, parts_of, replied
from ._plain import Plain, gains_by_definition

SMALL, LARGE = Size(49, 223, 3), Size(1000, 1500, 4)
SPARSE, HUGE = Size(1000, 1500, 4, 40), Size(10_000, 5_000, 4, 40)
SIZES = (Size(20, 30, 4), SMALL, Size(200, 400, 4), LARGE, SPARSE, HUGE)
FULLER = Size(10_000, 5_000, 4, 200)

MOST_FOR_OTHERS = 2_000_000
"""The others need every cell, stated or not: of more than so many they are not asked."""

OTHERS = ("pyAgrum", "pgmpy", "plain Python")


@dataclass(frozen=True, slots=True)
class Seen:
    """One figure: `what` of one pack, in `unit` (s, MB, or a bare number)."""

    what: str
    value: float
    unit: str = ""

    def text(self) -> str:
        return in_words(self.value) if self.unit == "s" else f"{figure(self.value)} {self.unit}"


type Figures = dict[str, Seen]


def measured(size: Size, effort: Effort, limit: float) -> Iterator[tuple[str, Seen]]:
    """Yield what the engine needs for a pack, and then, by name, what the others do."""
    parts = parts_of(size)
    gc.collect()
    before, started = resident(), perf_counter()
    knowledge = Knowledge(**parts)
    yield "", Seen("load", perf_counter() - started, "s")
    yield "", Seen("memory that loading takes", max(0.0, resident() - before), "MB")
    yield "", Seen("compiled arrays", megabytes(knowledge.tables), "MB")
    del parts
    for seen in ours(size, knowledge, effort):
        yield "", seen
    if size.conditions * size.features > MOST_FOR_OTHERS:
        return
    pack = replied(size.name, knowledge, people=20)
    for name in OTHERS:
        for seen in aside(partial(beside, pack, name, effort), seconds=limit):
            yield name, seen


def ours(size: Size, knowledge: Knowledge, effort: Effort) -> Iterator[Seen]:
    """Yield how long the engine takes for each thing, and what it shares with another worker."""
    pack = replied(size.name, knowledge, people=20, for_others=False)
    asked = Ours(pack)
    calls = {
        "one more reply": asked.update,
        "all replies": asked.posterior,
        "next question": asked.next_question,
        "explanation": asked.explanation,
        "whole step": asked.whole,
    }
    for name, call in calls.items():
        once = alternating({name: call}, rounds=1, each=3).seconds(name)
        timings = alternating({name: call}, rounds=effort.rounds, each=effort.of(once))
        yield Seen(name, timings.seconds(name), "s")
    yield from products(size, knowledge, asked, effort)
    yield from further_worker(asked)


def products(size: Size, knowledge: Knowledge, asked: Ours, effort: Effort) -> Iterator[Seen]:
    """Yield the gain of all features beside bare products, its definition and its error."""
    weights = [asked.posterior(turn) for turn in range(5)]
    chance = np.random.default_rng(2)
    rows = size.features * (size.options + 1)
    table = chance.random((rows, size.conditions)) if size.own is None else None
    yardstick = chance.random((LARGE.features * (LARGE.options + 1), LARGE.conditions))
    shapes: dict[str, np.ndarray] = {"the same table": table} if table is not None else {}
    if size.conditions >= LARGE.conditions:
        shapes["the dense table of 1,000 x 1,500"] = yardstick
        shapes["that table in float32"] = yardstick.astype(np.float32)
    for name, matrix in shapes.items():
        vectors = chance.random((5, matrix.shape[1])).astype(matrix.dtype)
        timings = alternating(
            {
                "gain": lambda turn: outlook_of(knowledge, weights[turn % 5]).gains,
                "whole": asked.whole,
                "product": partial(multiplied, matrix, vectors),
            },
            rounds=effort.rounds,
            each=effort.of(matrix.size * 1e-9),
        )
        yield Seen(f"gain of all / product of {name}", timings.ratio("gain", "product"))
        yield Seen(f"whole step / product of {name}", timings.ratio("whole", "product"))
    if size.own is None:
        whole = replied(size.name, knowledge, people=5)
        defined = partial(gains_by_definition, whole)
        off = max(furthest(asked.gains(one), defined(one)) for one in weights[:2])
        yield Seen("gain, largest difference from its definition", off)
        ratio, _, _ = versus(
            lambda turn: outlook_of(knowledge, weights[turn % 5]).gains,
            lambda turn: defined(weights[turn % 5]),
            Effort(effort.rounds, effort.slow_calls, 3),
        )
        yield Seen("gain by its definition / ours", ratio)


def further_worker(asked: Ours) -> Iterator[Seen]:
    """Yield what a forked worker that answers has for itself, beyond one that does nothing, and
    how much longer two at once take than one."""

    def working() -> Iterator[float]:
        before = its_own()
        for turn in range(20):
            asked.next_question(turn)
            asked.explanation(turn)
        yield its_own() - before

    yield Seen("memory that a further worker takes", aside(working, seconds=60)[0], "MB")

    def timed() -> Iterator[float]:
        asked.next_question(0)
        calls = {"one": asked.next_question}
        yield alternating(calls, rounds=5, each=40).seconds("one")

    def both() -> Iterator[float]:
        children = [partial(aside, timed, seconds=60) for _ in range(2)]
        yield from at_once(children)

    alone = [aside(timed, seconds=60)[0] for _ in range(3)]
    together = aside(both, seconds=120)
    yield Seen("two workers at once / one", max(together) / sorted(alone)[1])


def at_once(calls: Sequence[Any]) -> Iterator[float]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(calls)) as pool:  # each only waits for a process of its own
        for (seconds,) in pool.map(lambda call: call(), calls):
            yield seconds


def multiplied(matrix: np.ndarray, vectors: np.ndarray, turn: int) -> np.ndarray:
    return np.asarray(matrix @ vectors[turn % len(vectors)])


def megabytes(compiled: object) -> float:
    """Return the size of every array that can be reached from an object of the engine's."""
    arrays: dict[int, int] = {}
    seen: set[int] = set()
    waiting = [compiled]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            owner: object = thing if thing.base is None else thing.base
            arrays[id(owner)] = owner.nbytes if isinstance(owner, np.ndarray) else thing.nbytes
        elif isinstance(thing, list | tuple):
            waiting.extend(thing)
        elif isinstance(thing, dict):
            waiting.extend(thing.values())
        elif type(thing).__module__.startswith("triage.engine"):
            waiting.extend(getattr(thing, name) for name in getattr(thing, "__slots__", ()))
            waiting.extend(getattr(thing, "__dict__", {}).values())
    return sum(arrays.values()) / 1e6


def beside(pack: Pack, name: str, effort: Effort) -> Iterator[Seen]:
    """Yield how long another takes for the same, and how it agrees."""
    asked = Ours(pack)
    other = other_of(name, pack)
    turns = range(3)
    off = worst(
        [asked.posterior(turn) for turn in turns], [other.posterior(turn) for turn in turns]
    )
    yield Seen("posterior, largest difference", off)
    for what, mine in (("one more reply", asked.update), ("all replies", asked.posterior)):
        ratio, seconds, _ = versus(mine, other.posterior, effort)
        yield Seen(what, ratio)
        yield Seen("posterior", seconds, "s")
    same = sum(asked.most_informative(turn) == other.next_question(turn) for turn in turns)
    yield Seen("same largest gain", same / len(turns))
    ratio, seconds, _ = versus(asked.next_question, other.next_question, effort)
    yield Seen("next question", ratio)
    yield Seen("next question takes", seconds, "s")


def other_of(name: str, pack: Pack) -> Any:
    from ._peers import Pgmpy, PyAgrum

    return {"pyAgrum": PyAgrum, "pgmpy": Pgmpy, "plain Python": Plain}[name](pack)


def with_rules(count: int) -> tuple[Knowledge, list[Evidence]]:
    """Return the small pack with so many rules of three literals each, and people with 20 replies."""
    chance = np.random.default_rng(4)
    parts = parts_of(SMALL)
    features: list[Feature] = parts["features"]

    def literals() -> list[str]:
        places = chance.choice(len(features), 3, replace=False)
        options = chance.integers(SMALL.options, size=3)
        pairs = zip(places, options, strict=True)
        return [f"{features[place].key} == 'o{option}'" for place, option in pairs]

    parts["rules"] = [
        Rule(
            RuleKey(f"r{number:03}"),
            RuleKind.RED_FLAG,
            Urgency.SAME_DAY,
            " and ".join(literals()),
        )
        for number in range(count)
    ]
    knowledge = Knowledge(**parts)
    pack = replied("rules", knowledge, people=10, for_others=False)
    return knowledge, list(pack.replies)


def rules_beside_an_update(effort: Effort) -> float:
    """Return how long it takes to see where 200 rules stand after one more reply, for each update
    of the posterior."""
    knowledge, people = with_rules(200)
    before = []
    for said in people:
        *_, (key, reply) = said
        standing = Standing(knowledge, said.without(key))
        posterior_of(standing)
        standing.fired()
        before.append((standing, key, reply))

    def rules(turn: int) -> object:
        standing, key, reply = before[turn % len(before)]
        return standing.after(key, reply).fired()

    def update(turn: int) -> object:
        standing, key, reply = before[turn % len(before)]
        return posterior_of(standing.after(key, reply))

    calls = {"rules": rules, "update": update}
    return alternating(calls, rounds=effort.rounds, each=effort.calls).ratio("rules", "update")


START = """
import json, os, sys
from time import perf_counter, process_time
os.environ["DJANGO_SETTINGS_MODULE"] = "triage.settings"
import django
django.setup()
import triage.content.knowledge as content
from triage.content.fixtures import document_of, topic_folders
documents = [json.dumps(document_of(folder)) for folder in topic_folders()]
before, started = process_time(), perf_counter()
compiled = [content.knowledge_from(json.loads(text)) for text in documents]
print(json.dumps([process_time() - before, perf_counter() - started]))
"""


def start_of_a_worker() -> float:
    """Return the processor's seconds that compiling the shipped content adds to a start."""
    runs = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", START], stdout=subprocess.PIPE, check=True, text=True
            ).stdout
        )
        for _ in range(5)
    ]
    return float(sorted(processor for processor, _ in runs)[2])


def goals(
    figures: Mapping[Size, Figures],
    others: Mapping[tuple[Size, str], Figures],
    rules: float,
    start: float,
) -> list[Goal]:
    """Return the bars E1 to E14, of what was measured."""

    def of(size: Size, what: str) -> float | None:
        seen = figures.get(size, {}).get(what)
        return None if seen is None else seen.value

    def by(size: Size, name: str, what: str) -> float | None:
        seen = others.get((size, name), {}).get(what)
        return None if seen is None else seen.value

    def share(size: Size, what: str, of_what: str) -> float | None:
        part, whole = of(size, what), of(size, of_what)
        return None if part is None or not whole else part / whole

    definition = "gain, largest difference from its definition"
    same = "gain of all / product of the same table"
    dense = "gain of all / product of the dense table of 1,000 x 1,500"
    worker = "memory that a further worker takes"
    found = [
        Goal(f"E1 {definition}, {SMALL.name}", of(SMALL, definition), "at most", 1e-12),
        Goal(f"E1 {definition}, {LARGE.name}", of(LARGE, definition), "at most", 1e-6),
    ]
    found += [
        Goal(
            f"E2 posterior, largest difference from {name}'s",
            by(SMALL, name, "posterior, largest difference"),
            "at most",
            1e-9,
            1e-12,
        )
        for name in OTHERS
    ]
    for_definition = "gain by its definition / ours"
    return [
        *found,
        Goal(f"E3 {same}, {SMALL.name}", of(SMALL, same), "at most", 4, 2),
        Goal(f"E3 {same}, {LARGE.name}", of(LARGE, same), "at most", 1.3, 1.05),
        Goal(f"E4 {for_definition}, {SMALL.name}", of(SMALL, for_definition), "at least", 60, 150),
        Goal(f"E4 {for_definition}, {LARGE.name}", of(LARGE, for_definition), "at least", 15, 60),
        Goal(
            "E5 next question: pyAgrum / ours",
            by(SMALL, "pyAgrum", "next question"),
            "at least",
            100,
            400,
        ),
        Goal(
            "E6 next question: pgmpy / ours",
            by(SMALL, "pgmpy", "next question"),
            "at least",
            1_000,
            10_000,
        ),
        Goal(
            "E7 one more reply: pyAgrum / ours",
            by(SMALL, "pyAgrum", "one more reply"),
            "at least",
            6,
            15,
            "its engine, too, is told only what changed",
        ),
        Goal(
            "E7 one more reply: pgmpy / ours",
            by(SMALL, "pgmpy", "one more reply"),
            "at least",
            100,
            200,
            "scikit-learn is not among our tools",
        ),
        Goal(
            f"E8 whole step, {LARGE.name} / its table in float32 once",
            of(LARGE, "whole step / product of that table in float32"),
            "at most",
            2,
            1,
        ),
        Goal(f"E9 {dense}, {SPARSE.name}", of(SPARSE, dense), "at most", 0.2, 0.08),
        Goal(f"E10 {dense}, {HUGE.name}", of(HUGE, dense), "at most", 2, 0.5),
        Goal("E11 200 rules / an update of the posterior", rules, "at most", 1, 0.1),
        Goal(
            f"E12 two workers at once / one, {LARGE.name}",
            of(LARGE, "two workers at once / one"),
            "at most",
            1.5,
            1.1,
            "the next question",
        ),
        Goal(
            f"E13 {worker} / compiled, {LARGE.name}",
            share(LARGE, worker, "compiled arrays"),
            "at most",
            0.2,
            0.05,
        ),
        Goal(
            "E14 opening a compiled pack / parsing its source",
            None,
            "at most",
            0.1,
            0.03,
            "there is no compiled file: knowledge is compiled once, before the workers fork",
        ),
        Goal(
            "compiling the shipped content, beyond Django's own start, ms",
            1e3 * start,
            "at most",
            50,
            None,
            "time of the processor",
        ),
    ]


def table_of(title: str, rows: Sequence[str], columns: Mapping[str, Figures]) -> Table:
    return Table(
        title,
        ("", *columns),
        tuple(
            (row, *(seen[row].text() if row in seen else "" for seen in columns.values()))
            for row in rows
            if any(row in seen for seen in columns.values())
        ),
    )


GROWTH = (
    "load",
    "memory that loading takes",
    "compiled arrays",
    "one more reply",
    "all replies",
    "next question",
    "explanation",
    "whole step",
    "two workers at once / one",
    "memory that a further worker takes",
)


def print_beside(others: Mapping[tuple[Size, str], Figures], limit: float) -> None:
    """Print how many times as long the others take, or that they were not done in time."""
    rows = []
    for (size, name), seen in others.items():
        missing = f"not within {limit:.0f} s"
        rows.append(
            (
                size.name,
                name,
                *(
                    seen[what].text() if what in seen else missing
                    for what in (
                        "posterior",
                        "one more reply",
                        "all replies",
                        "next question takes",
                        "next question",
                    )
                ),
            )
        )
    head = (
        "pack",
        "",
        "its posterior",
        "/ our one more reply",
        "/ our all replies",
        "its next question",
        "/ ours",
    )
    print()
    print(Table("Beside the others", head, tuple(rows)).markdown())


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench scale", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=100, help="of what is fast, a round")
    parser.add_argument("--slow-calls", type=int, default=5, help="of what is not")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for each of the others")
    parser.add_argument("--small", action="store_true", help="up to 49 x 223 only")
    parser.add_argument("--all", action="store_true", help="10,000 x 5,000 with 200 own, too")
    given = parser.parse_args()
    effort = Effort(given.rounds, given.calls, given.slow_calls)
    sizes = SIZES[:2] if given.small else (*SIZES, FULLER) if given.all else SIZES
    print(f"# How cost grows\n\n{__doc__}")
    figures: dict[Size, Figures] = {}
    others: dict[tuple[Size, str], Figures] = {}
    for size in sizes:
        print(f"- {size.name}", file=sys.stderr, flush=True)
        figures[size] = {}
        for who, seen in aside(partial(measured, size, effort, given.limit), seconds=1800):
            (others.setdefault((size, who), {}) if who else figures[size])[seen.what] = seen
        if size.conditions * size.features <= MOST_FOR_OTHERS:
            for name in OTHERS:
                others.setdefault((size, name), {})
    columns = {size.name: seen for size, seen in figures.items()}
    print(table_of("One call, evidence changed; memory", GROWTH, columns).markdown())
    print_beside(others, given.limit)
    rest = dict.fromkeys(what for seen in figures.values() for what in seen if what not in GROWTH)
    print()
    print(table_of("Ratios", tuple(rest), columns).markdown())
    print_goals("Bars", goals(figures, others, rules_beside_an_update(effort), start_of_a_worker()))


if __name__ == "__main__":
    main()
