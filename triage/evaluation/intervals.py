"""Shares and quantiles, each with the range in which its true value lies with 95 % confidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from statistics import median

Z = 1.959964  # two-sided 95 % of the normal distribution


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many. Figures are probabilities; with none to judge there is no figure."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson interval, which holds for small numbers and near 0 and 1 too.

        Source: Wilson EB, J Am Stat Assoc 1927;22:209-12.
        """
        spread = Z * sqrt(self.value * (1 - self.value) / self.of + Z**2 / (4 * self.of**2))
        middle = self.value + Z**2 / (2 * self.of)
        scale = 1 + Z**2 / self.of
        low = 0.0 if self.hits == 0 else (middle - spread) / scale
        high = 1.0 if self.hits == self.of else (middle + spread) / scale
        return low, high

    @property
    def brief(self) -> str:
        if not self.of:
            return "none to judge"
        low, high = self.interval
        return f"{self.hits} of {self.of} ({100 * low:.0f} to {100 * high:.0f} %)"

    def __str__(self) -> str:
        if not self.of:
            return "none to judge"
        low, high = self.interval
        return (
            f"{100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f}), "
            f"{self.hits} of {self.of}"
        )


@dataclass(frozen=True, slots=True)
class Quantile:
    value: float
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.value:g} ({self.low} to {self.high})"


def quantile(values: Sequence[int], at: float) -> Quantile:
    """Return a quantile of whole numbers, with an interval between two of the values themselves.

    The ranks are those of the normal approximation to the binomial, kept within the sample: exact
    enough, free of chance, and wide where there are few values.
    Raises ValueError if there are none.
    Source: Conover WJ, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2.
    """
    if not values:
        raise ValueError("no values, no quantile")
    ordered = sorted(values)
    count = len(ordered)
    spread = Z * sqrt(count * at * (1 - at))
    low = max(floor(count * at - spread), 1)
    high = min(ceil(count * at + spread) + 1, count)
    place = median(ordered) if at == 0.5 else ordered[max(ceil(count * at), 1) - 1]
    return Quantile(place, ordered[low - 1], ordered[high - 1])
