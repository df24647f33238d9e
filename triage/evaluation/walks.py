"""The interviews of many people at once: whoever has said the same so far is asked the same.

What comes of each is what `interview` makes of them alone, to the last bit. It takes less time:
nearly everybody is asked the same first questions, most reply the same, and processors share it.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, ClassVar

from triage.engine import (
    Ask,
    Conclude,
    Evidence,
    FeatureKey,
    Knowledge,
    Number,
    Reply,
)
from triage.engine.interview import step_of
from triage.engine.standing import Standing

from .interviews import Run, replied, run_of

AT_A_TIME = 50
"""So many people are given to a process at once: few enough to tell how far it is."""

type Heard = Reply | int | None
"""A reply as rules and tables read it: of a number only its cell."""
type Progress = Callable[[int], None]
"""Is told how many people more are done."""


def nobody(done: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """People who stand at the same place: all that they said, and what they were not asked."""

    said: Evidence
    skipped: frozenset[FeatureKey]
    people: Mapping[int, Evidence]


class Walkers:
    """Processes that take people through interviews of one topic; with less than two of them all
    is done in the own process.

    To be used in a `with`, at whose end they are gone.
    """

    def __init__(self, knowledge: Knowledge, processes: int) -> None:
        self.knowledge = knowledge
        self._pool: ProcessPoolExecutor | None = None
        if processes > 1:
            self._pool = ProcessPoolExecutor(
                processes,
                # what a forked process would share with threads of this one is not safe
                get_context("spawn"),
                initializer=_Worker.start,
                initargs=(parts_of(knowledge),),
            )
            for _ in range(processes):  # so that they start while people are still being drawn
                self._pool.submit(nobody, 0)

    def __enter__(self) -> "Walkers":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def interview(self, known: Sequence[Evidence], told: Progress = nobody) -> list[Run]:
        """Return what `interview` makes of each, in their order."""
        start = Crossing(Evidence(), frozenset(), dict(enumerate(known)))
        runs: dict[int, Run] = {}
        if self._pool is None:
            for found in walked(self.knowledge, [start]):
                runs |= found
                told(len(found))
        else:
            crossings = _apart(self.knowledge, start, AT_A_TIME)
            waiting = [self._pool.submit(_Worker.walk, some) for some in _bundled(crossings)]
            for future in as_completed(waiting):
                runs |= future.result()
                told(len(future.result()))
        return [runs[person] for person in range(len(known))]


def together(knowledge: Knowledge, known: Sequence[Evidence]) -> list[Run]:
    """Return what `interview` makes of each, in their order."""
    with Walkers(knowledge, 1) as walkers:
        return walkers.interview(known)


def parts_of(knowledge: Knowledge) -> Mapping[str, Any]:
    """Return what knowledge can be made of again in another process."""
    return {
        "conditions": knowledge.conditions,
        "features": knowledge.features,
        "rules": knowledge.rules,
        "likelihoods": dict(knowledge.likelihoods),
        "background": knowledge.likelihoods.background or None,
        "groups": knowledge.groups,
        "syndromes": knowledge.syndromes,
        "settings": knowledge.settings,
    }


class _Worker:
    """What a process of its own knows."""

    knowledge: ClassVar[Knowledge]

    @classmethod
    def start(cls, parts: Mapping[str, Any]) -> None:
        cls.knowledge = Knowledge(**parts)

    @classmethod
    def walk(cls, crossings: Sequence[Crossing]) -> dict[int, Run]:
        return {
            person: run
            for found in walked(cls.knowledge, crossings)
            for person, run in found.items()
        }


def walked(knowledge: Knowledge, crossings: Sequence[Crossing]) -> Iterator[dict[int, Run]]:
    """Yield what comes of people, as many at a time as end at the same place."""
    for crossing in crossings:
        waiting = [(Standing(knowledge, crossing.said, crossing.skipped), crossing.people)]
        while waiting:
            standing, people = waiting.pop()
            match step_of(standing):
                case Ask(feature):
                    for reply, part in _parted(knowledge, feature, people):
                        waiting.append((replied(standing, feature, reply), part))
                case Conclude(reached):
                    yield {
                        person: run_of(standing, reached, known, _own(standing.evidence, known))
                        for person, known in people.items()
                    }


def _own(said: Evidence, known: Evidence) -> Evidence:
    """Return what somebody said who said the same but for numbers."""
    return Evidence((feature, known.get(feature) or reply) for feature, reply in said)


def _parted(
    knowledge: Knowledge, feature: FeatureKey, people: Mapping[int, Evidence]
) -> Iterator[tuple[Reply | None, Mapping[int, Evidence]]]:
    """Yield each reply that somebody gives, and who gives it."""
    cells = knowledge.signs.cells.get(feature, ())
    parts: dict[Heard, dict[int, Evidence]] = {}
    for person, known in people.items():
        parts.setdefault(_heard(known.get(feature), cells), {})[person] = known
    for part in parts.values():
        yield next(iter(part.values())).get(feature), part


def _heard(reply: Reply | None, cells: Sequence[range]) -> Heard:
    if isinstance(reply, Number):
        numbers = [number for number, cell in enumerate(cells) if reply.value in cell]
        return numbers[0] if numbers else reply
    return reply


def _apart(knowledge: Knowledge, start: Crossing, most: int) -> list[Crossing]:
    """Return crossings of at most so many people, as far as they part before they end."""
    waiting, apart = [(-len(start.people), 0, start)], []
    number = 0
    while waiting and -waiting[0][0] > most:
        _, _, crossing = heapq.heappop(waiting)
        step = step_of(Standing(knowledge, crossing.said, crossing.skipped))
        if not isinstance(step, Ask):
            apart.append(crossing)
            continue
        for reply, people in _parted(knowledge, step.feature, crossing.people):
            said, skipped = crossing.said, crossing.skipped
            if reply is None:
                skipped |= {step.feature}
            else:
                said = said.set(step.feature, reply)
            number += 1
            heapq.heappush(waiting, (-len(people), number, Crossing(said, skipped, people)))
    return [*apart, *(crossing for _, _, crossing in waiting)]


def _bundled(crossings: Sequence[Crossing]) -> Iterator[Sequence[Crossing]]:
    """Yield crossings in bundles of not many more than `AT_A_TIME` people."""
    bundle: list[Crossing] = []
    for crossing in crossings:
        bundle.append(crossing)
        if sum(len(one.people) for one in bundle) >= AT_A_TIME:
            yield bundle
            bundle = []
    if bundle:
        yield bundle
