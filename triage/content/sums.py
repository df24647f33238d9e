"""What numbers add up to, as somebody types them, and what the others would be if one is moved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from triage.engine.soundness import SUM_TOLERANCE


@dataclass(frozen=True, slots=True)
class Total:
    """What numbers add up to, in words."""

    text: str
    right: bool

    def __str__(self) -> str:
        return self.text


def number_of(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def added_up(texts: Iterable[str], whole: float = 1, unit: str = "") -> Total:
    """Add up numbers as they are typed, and say how far they are from the whole."""
    texts = [text.strip() for text in texts]
    numbers = [(text, number_of(text)) for text in texts if text]
    total = sum(number for _, number in numbers if number is not None)
    unreadable = [f"“{text}”" for text, number in numbers if number is None]
    off = total - whole
    words = f"adds up to {total:.6g}{unit}"
    if abs(off) > SUM_TOLERANCE * whole:
        words += f": {abs(off):.6g}{unit} too {'much' if off > 0 else 'little'}"
    if unreadable:
        words += f", without {', '.join(unreadable)}, which is no number"
    return Total(words, right=not unreadable and abs(off) <= SUM_TOLERANCE * whole)


def in_proportion(texts: Sequence[str], before: Sequence[float | None]) -> dict[int, float]:
    """Return what the numbers that were left as they were would be, by their place, so that all
    add up to 1 and those keep their proportions; nothing where that cannot be.

    They are rounded as far as the least of them allows; the largest takes what rounding leaves.
    """
    numbers = [number for text in texts if (number := number_of(text)) is not None]
    if len(numbers) < len(texts) or not all(0 < number < 1 for number in numbers):
        return {}
    others = {n: number for n, number in enumerate(numbers) if number == before[n]}
    left = 1 - sum(number for n, number in enumerate(numbers) if n not in others)
    if not others or len(others) == len(numbers) or left <= 0:
        return {}
    factor = left / sum(others.values())
    least = factor * min(others.values())
    digits = 3 if least >= 0.01 else 4 if least >= 0.001 else 6
    moved = {n: round(factor * number, digits) for n, number in others.items()}
    largest = max(moved, key=lambda n: moved[n])
    moved[largest] = round(moved[largest] + left - sum(moved.values()), 6)
    return moved if all(0 < number < 1 for number in moved.values()) else {}
