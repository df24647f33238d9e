"""A figure beside the bar that it has to meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from triage.evaluation.tables import Table


@dataclass(frozen=True, slots=True)
class Bar:
    """What was seen, and what it should at least or at most be. `note` says what it is made of."""

    what: str
    seen: float
    need: Literal["at least", "at most"]
    bar: float
    note: str = ""

    @property
    def is_met(self) -> bool:
        return self.seen >= self.bar if self.need == "at least" else self.seen <= self.bar


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure beside two bars: the gate, which has to be passed, and the stretch, which is more
    than can be expected. `seen` is None where it cannot be had; `note` says why."""

    what: str
    seen: float | None
    need: Literal["at least", "at most"]
    gate: float
    stretch: float | None = None
    note: str = ""

    def meets(self, bar: float) -> bool:
        return self.seen is not None and Bar(self.what, self.seen, self.need, bar).is_met


def print_goals(title: str, goals: Sequence[Goal]) -> None:
    rows = tuple(
        (
            goal.what,
            "not had" if goal.seen is None else figure(goal.seen),
            f"{goal.need} {figure(goal.gate)}",
            "yes" if goal.meets(goal.gate) else "NO",
            "" if goal.stretch is None else figure(goal.stretch),
            "" if goal.stretch is None else "yes" if goal.meets(goal.stretch) else "no",
            goal.note,
        )
        for goal in goals
    )
    print()
    print(Table(title, ("", "seen", "gate", "met", "stretch", "met", ""), rows).markdown())
    short = [goal.what for goal in goals if not goal.meets(goal.gate)]
    print()
    print(f"Short of the gate: {'; '.join(short)}." if short else "All gates are passed.")


def figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def print_bars(title: str, bars: Sequence[Bar]) -> None:
    """Print the table, and then in one sentence which of them fall short."""
    rows = tuple(
        (
            bar.what,
            figure(bar.seen),
            f"{bar.need} {figure(bar.bar)}",
            "yes" if bar.is_met else "NO",
            bar.note,
        )
        for bar in bars
    )
    print()
    print(Table(title, ("", "seen", "bar", "met", ""), rows).markdown())
    short = [bar.what for bar in bars if not bar.is_met]
    print()
    print(f"Short of the bar: {'; '.join(short)}." if short else "All of these bars are met.")
