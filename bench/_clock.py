"""Times things against each other so that the noise of a shared machine falls on all alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter, thread_time

type Call = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds for one call, by name: the median of each round."""

    rounds: Mapping[str, tuple[float, ...]]

    def seconds(self, name: str) -> float:
        return median(self.rounds[name])

    def ratio(self, name: str, to: str) -> float:
        """How many times as long `name` takes as `to`: the median of the rounds' ratios."""
        pairs = zip(self.rounds[name], self.rounds[to], strict=True)
        return median(one / other for one, other in pairs)


def alternating(calls: Mapping[str, Call], *, rounds: int, each: int) -> Timings:
    """Call everything in turn, A B A B, `each` times in every round.

    Each call is handed the number of its turn, from 0, so that it can change what it works on.
    """
    return by_two_clocks(calls, rounds=rounds, each=each)[0]


def by_two_clocks(calls: Mapping[str, Call], *, rounds: int, each: int) -> tuple[Timings, Timings]:
    """Do the same, and return the time by the clock on the wall and the time of the processor,
    which leaves out waiting: for the disk, and for whoever else uses this machine."""
    wall: dict[str, list[float]] = {name: [] for name in calls}
    processor: dict[str, list[float]] = {name: [] for name in calls}
    turn = 0
    for _ in range(rounds):
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
        for _ in range(each):
            for name, call in calls.items():
                worked, started = thread_time(), perf_counter()
                call(turn)
                ended = perf_counter()
                spent[name].append((ended - started, thread_time() - worked))
            turn += 1
        for name, pairs in spent.items():
            wall[name].append(median(seconds for seconds, _ in pairs))
            processor[name].append(median(seconds for _, seconds in pairs))
    return Timings(_frozen(wall)), Timings(_frozen(processor))


def _frozen(rounds: Mapping[str, list[float]]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(seconds) for name, seconds in rounds.items()}


def in_words(seconds: float) -> str:
    """Return a time as people read it: 12.3 µs, 4.56 ms."""
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
