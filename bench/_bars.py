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
