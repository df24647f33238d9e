"""Whether a probability that is claimed is as often right as it says."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum
from typing import Self

from .drawings import WIDTH, box, dot, drawing, line, words
from .intervals import Share

BINS = 10
DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Bin:
    """Claims from `low` up to `high`: their mean, and how many of them were right."""

    low: float
    high: float
    claimed: float
    right: Share


@dataclass(frozen=True, slots=True)
class Reliability:
    """Claims in ten bins of equal width, those that are empty left out."""

    bins: tuple[Bin, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, bool]]) -> Self:
        """Sort pairs of a claimed probability, and whether it was right, into bins.

        The order of the pairs makes no difference. A claim of 1 is in the last bin.
        Raises ValueError if there is no pair, or a claim is no probability.
        """
        claims: list[list[float]] = [[] for _ in range(BINS)]
        hits = [0] * BINS
        for claimed, right in pairs:
            if not 0 <= claimed <= 1:
                raise ValueError(f"{claimed} is no probability")
            place = min(int(claimed * BINS), BINS - 1)
            claims[place].append(claimed)
            hits[place] += right
        if not any(claims):
            raise ValueError("no claims, no reliability")
        return cls(
            tuple(
                Bin(
                    place / BINS,
                    (place + 1) / BINS,
                    fsum(claims[place]) / len(claims[place]),
                    Share(hits[place], len(claims[place])),
                )
                for place in range(BINS)
                if claims[place]
            )
        )

    @property
    def right(self) -> Share:
        return Share(sum(b.right.hits for b in self.bins), sum(b.right.of for b in self.bins))

    @property
    def claimed(self) -> float:
        """The mean of all claims."""
        return fsum(b.claimed * b.right.of for b in self.bins) / self.right.of

    @property
    def error(self) -> float:
        """The expected calibration error: how far claimed and right lie apart, the mean over all
        claims of what it is in their bin.

        Source: Naeini MP, Cooper GF, Hauskrecht M, AAAI 2015:2901-7.
        """
        apart = (abs(b.claimed - b.right.value) * b.right.of for b in self.bins)
        return fsum(apart) / self.right.of

    @property
    def sentence(self) -> str:
        low, high = self.right.interval
        return (
            f"{self.right.of} claims: {100 * self.claimed:.1f} % claimed, "
            f"{100 * self.right.value:.1f} % right ({100 * low:.1f} to {100 * high:.1f}), "
            f"calibration error {100 * self.error:.1f} %."
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """A reliability that was measured elsewhere: its title, what was measured, and the bins."""

    title: str
    about: str
    reliability: Reliability


def to_json(recorded: Recorded) -> str:
    """Return the one canonical text: sorted keys, a bin a line, means rounded to 1e-6."""
    bins = ",\n  ".join(
        json.dumps(
            {
                "low": b.low,
                "high": b.high,
                "claimed": round(b.claimed, DECIMALS),
                "right": b.right.hits,
                "of": b.right.of,
            },
            sort_keys=True,
        )
        for b in recorded.reliability.bins
    )
    about, title = (
        json.dumps(text, ensure_ascii=False) for text in (recorded.about, recorded.title)
    )
    return f'{{\n "about": {about},\n "bins": [\n  {bins}\n ],\n "title": {title}\n}}\n'


def from_json(text: str) -> Recorded:
    """Return what `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
    record = json.loads(text)
    bins = tuple(
        Bin(b["low"], b["high"], b["claimed"], Share(b["right"], b["of"])) for b in record["bins"]
    )
    if not bins or any(not 0 <= b.right.hits <= b.right.of or not b.right.of for b in bins):
        raise ValueError("a bin has claims, and no more that are right than there are")
    return Recorded(record["title"], record["about"], Reliability(bins))


# The drawing: a square of 300 units, 1 unit of it a third of a per cent, and a strip of counts

_LEFT, _TOP, _SIDE, _STRIP = 48, 34, 300, 40
_BOTTOM = _TOP + _SIDE
_FOOT = _BOTTOM + 52 + _STRIP


def svg(title: str, reliability: Reliability) -> str:
    """Return the diagram: claimed against right with 95 % intervals, and how many claims.

    A title of more than some 45 letters does not fit.
    """
    parts = [words(WIDTH / 2, 18, title, kind="bold")]
    for tenth in range(0, 11, 2):
        x, y = _place(tenth / 10, tenth / 10)
        parts.append(line((_LEFT - 4, y), (_LEFT, y)))
        parts.append(words(_LEFT - 8, y + 4, f"{10 * tenth}", anchor="end"))
        parts.append(line((x, _BOTTOM), (x, _BOTTOM + 4)))
        parts.append(words(x, _BOTTOM + 17, f"{10 * tenth}"))
    parts.append(box(_LEFT, _TOP, _SIDE, _SIDE, "line"))
    parts.append(line(_place(0, 0), _place(1, 1), "line dashed"))
    parts.append(words(_LEFT + _SIDE / 2, _BOTTOM + 34, "claimed, %"))
    parts.append(words(13, _TOP + _SIDE / 2, "right, %", turned=True))
    most = max(b.right.of for b in reliability.bins)
    for b in reliability.bins:
        low, high = b.right.interval
        parts.append(line(_place(b.claimed, low), _place(b.claimed, high), "mark path"))
        parts.append(dot(*_place(b.claimed, b.right.value)))
        tall = _STRIP * b.right.of / most
        left, width = _LEFT + _SIDE * b.low, _SIDE / BINS
        parts.append(box(left + 3, _FOOT - tall + 4, width - 6, tall, "mark"))
        parts.append(words(left + width / 2, _FOOT - tall, _brief(b.right.of), kind="small"))
    parts.append(words(13, _FOOT - _STRIP / 2, "claims", kind="small", turned=True))
    return drawing(title, _told(reliability), _FOOT + 10, parts)


def _place(claimed: float, right: float) -> tuple[float, float]:
    return _LEFT + _SIDE * claimed, _BOTTOM - _SIDE * right


def _brief(count: int) -> str:
    return f"{count}" if count < 100_000 else f"{count / 1000:.0f}k"


def _told(reliability: Reliability) -> str:
    said = [reliability.sentence]
    for b in reliability.bins:
        low, high = b.right.interval
        said.append(
            f"From {100 * b.low:.0f} to {100 * b.high:.0f} %: {b.right.of} claims, "
            f"{100 * b.claimed:.1f} % claimed, {100 * b.right.value:.1f} % right "
            f"({100 * low:.1f} to {100 * high:.1f})."
        )
    return " ".join(said)
