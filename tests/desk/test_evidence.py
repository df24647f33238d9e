"""No number of the evidence, nor any difference of two, now or later, is of fewer than ten people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.content.models import Release, Topic
from triage.desk.evidence import FEWEST_BINS, LEAST, Kept, kept_of, table
from triage.desk.models import Judgement, Verdict

RELEASE = Release(
    number=3, topic=Topic(key="back-lump"), published_at=datetime(2031, 1, 15, tzinfo=UTC)
)
MONTHS = [date(2031, month, 1) for month in range(1, 13)]
CAUSES = ("lipoma", "cyst", "abscess", "other")
"""At these places of the differential: first, second, fourth, and not there at all."""


def verdict(
    *, right: str = "", month: int = 0, cause: str = "", found: int = 0, claimed: float = 0.5
) -> Verdict:
    return Verdict(
        release=None,
        leading=[["lipoma", claimed], ["cyst", 0.2], ["keloid", 0.1], ["abscess", 0.1], ["", 0.1]],
        urgency_right=right,
        urgency_on=MONTHS[month].replace(day=9) if right else None,
        cause=cause,
        cause_on=MONTHS[found].replace(day=20) if cause else None,
    )


def judged(month: int, right: int, too_urgent: int, not_urgent_enough: int) -> list[Verdict]:
    counts = (right, too_urgent, not_urgent_enough)
    return [
        verdict(right=kind, month=month)
        for kind, count in zip(Judgement.values, counts, strict=True)
        for _ in range(count)
    ]


def kept(verdicts: list[Verdict], today: date = date(2032, 1, 1)) -> Kept:
    return kept_of(RELEASE, verdicts, today=today)


def test_a_month_counts_once_it_is_over_and_each_side_has_ten() -> None:
    enough = judged(3, 20, 6, 4)

    assert kept(enough, date(2031, 4, 30)).urgency == ()
    (line,) = kept(enough, date(2031, 5, 1)).urgency
    assert (line.share.hits, line.share.of) == (20, 30)
    assert kept(judged(3, 20, 6, 3)).urgency == ()
    assert kept(judged(3, 9, 6, 14)).urgency == ()


def test_months_with_too_few_are_counted_with_those_that_follow() -> None:
    months = [*judged(1, 20, 2, 2), *judged(2, 20, 4, 1), *judged(4, 11, 3, 1), *judged(5, 2, 9, 0)]

    lines = kept([*months, *judged(6, 30, 9, 0)]).urgency

    told = [(line.first.month, line.last.month, line.share.hits, line.share.of) for line in lines]
    assert told == [(1, 5, 51, 64), (6, 7, 32, 50)]


def test_which_way_it_was_wrong_is_told_once_ten_were_wrong_either_way() -> None:
    first = judged(1, 20, 10, 9)
    told = kept([*first, *judged(2, 15, 9, 1), *judged(3, 12, 10, 2)])

    assert kept(first).too_urgent is None
    assert told.too_urgent is not None
    assert told.not_urgent_enough is not None
    assert (told.too_urgent.share.hits, told.too_urgent.share.of) == (19, 64)
    assert told.not_urgent_enough.share.hits == 10
    assert len(told.urgency) == 3


def test_how_many_there_are_is_told_in_tens() -> None:
    assert [kept(judged(1, count, 0, 0)).judged for count in (9, 10, 19, 20)] == [0, 10, 10, 20]


def of_causes(found: int, counts: tuple[int, int, int, int], claimed: float) -> list[Verdict]:
    return [
        verdict(cause=cause, found=found, claimed=claimed)
        for cause, count in zip(CAUSES, counts, strict=True)
        for _ in range(count)
    ]


def test_the_cause_is_looked_for_among_the_first_three_and_then_at_the_first() -> None:
    told = kept([*of_causes(1, (12, 3, 5, 5), 0.5), *of_causes(2, (11, 7, 6, 6), 0.5)])

    assert [(line.share.hits, line.share.of) for line in told.causes] == [(15, 25), (18, 30)]
    assert told.causes_in_all is not None
    assert told.causes_in_all.share.hits == 33
    assert told.leading is not None
    assert (told.leading.share.hits, told.leading.share.of) == (23, 55)


def test_tenths_are_put_together_until_each_has_ten_on_either_side() -> None:
    claims = [
        *of_causes(1, (4, 10, 10, 0), 0.15),
        *of_causes(1, (8, 4, 0, 0), 0.25),  # with the former: 12 right, 24 not
        *of_causes(1, (15, 6, 6, 0), 0.45),
        *of_causes(1, (20, 6, 6, 0), 0.85),
        *of_causes(1, (9, 0, 1, 0), 1.0),
    ]

    (calibration,) = kept(claims).calibration

    told = [(b.low, b.high, b.right.hits, b.right.of) for b in calibration.bins]
    assert told == [(0.0, 0.3, 12, 36), (0.3, 0.5, 15, 27), (0.5, 1.0, 29, 42)]
    assert calibration.bins[0].claimed == pytest.approx((24 * 0.15 + 12 * 0.25) / 36)


def test_a_tenth_with_few_that_were_wrong_is_counted_with_its_neighbour() -> None:
    claims = [
        *of_causes(1, (10, 12, 15, 0), 0.15),
        *of_causes(1, (15, 6, 6, 0), 0.45),
        *of_causes(1, (20, 6, 6, 0), 0.75),
        *of_causes(1, (20, 5, 4, 0), 0.95),
    ]

    (calibration,) = kept(claims).calibration

    assert [(b.low, b.right.of - b.right.hits) for b in calibration.bins] == [
        (0.0, 27),
        (0.2, 12),
        (0.5, 21),
    ]


def test_whoever_was_shown_no_causes_is_no_evidence_on_them() -> None:
    verdicts = of_causes(1, (30, 30, 30, 30), 0.5)
    for one in verdicts:
        one.leading = []

    assert kept(verdicts).causes == ()
    assert kept(verdicts).found == 0


# On generated data


@dataclass(frozen=True)
class Published:
    """A number that stands in the table: of the cells in these months, of these kinds."""

    cells: frozenset[int]
    count: int


@st.composite
def drawn(draw: st.DrawFn) -> list[Verdict]:
    """Draw what some clinic says in a year: how much, and how often it is what, differ by month."""
    chance = Random(draw(st.integers(0, 2**32)))
    busy, comes_true = draw(st.sampled_from([6, 20, 45, 80])), draw(st.booleans())
    verdicts = []
    for month in range(12):
        weights = [chance.random() ** draw(st.sampled_from([1, 3])) for _ in range(7)]
        for _ in range(chance.randrange(busy)):
            (right,) = chance.choices(Judgement.values, weights[:3])
            claimed = round(chance.betavariate(2, 2), 2)
            (cause,) = chance.choices(CAUSES, weights[3:])
            if comes_true and chance.random() < claimed**2:
                cause = "lipoma"
            verdicts.append(verdict(right=right, month=month))
            verdicts.append(verdict(cause=cause, found=month, claimed=claimed))
    return verdicts


URGENCY = {
    "urgency right": {"right"},
    "urgency right, in all": {"right"},
    "too urgent": {"too_urgent"},
    "not urgent enough": {"not_urgent_enough"},
}
CAUSE = {
    "cause among the first three": {"lipoma", "cyst"},
    "cause among the first three, in all": {"lipoma", "cyst"},
    "cause was the first": {"lipoma"},
    "first cause right": {"lipoma"},
}


class World:
    """The true counts: one cell for each month, kind and tenth of likelihood."""

    def __init__(self, verdicts: list[Verdict], questions: dict[str, set[str]]) -> None:
        self.questions = questions
        self.by_cause = "first cause right" in questions
        self.kinds = CAUSES if self.by_cause else tuple(Judgement.values)
        self.tenths = 10 if self.by_cause else 1
        self.counts = np.zeros((12, len(self.kinds), self.tenths), dtype=int)
        for one in verdicts:
            day, kind = (
                (one.cause_on, one.cause) if self.by_cause else (one.urgency_on, one.urgency_right)
            )
            if day:
                tenth = min(int(one.leading[0][1] * 10), 9) if self.by_cause else 0
                self.counts[day.month - 1, self.kinds.index(kind), tenth] += 1
        self.places = np.arange(self.counts.size).reshape(self.counts.shape)

    def cells(self, first: int, last: int, kinds: set[str], low: int, high: int) -> frozenset[int]:
        chosen = [self.kinds.index(kind) for kind in sorted(kinds)]
        box = self.places[first - 1 : last][:, chosen][:, :, low:high]
        return frozenset(map(int, box.ravel()))

    def count(self, cells: frozenset[int]) -> int:
        return int(self.counts.ravel()[list(cells)].sum())

    def published(self, kept: Kept) -> Iterator[Published]:
        for row in list(table([kept]))[1:]:
            question, first, last, low, high, count, of = (
                *row[2:5],
                row[5],
                row[6],
                row[8],
                row[9],
            )
            if question not in self.questions:
                continue
            months = int(str(first)[-2:]), int(str(last)[-2:])
            tenths = (round(float(low) * 10), round(float(high) * 10)) if low != "" else None
            between = tenths or (0, self.tenths)
            for kinds, number in (
                (self.questions[str(question)], count),
                (set(self.kinds), of),
            ):
                yield Published(self.cells(*months, kinds, *between), int(number))


WORLDS = pytest.mark.parametrize("questions", [URGENCY, CAUSE], ids=["urgency", "causes"])


def told_at(world: World, verdicts: list[Verdict], *months: int) -> list[Published]:
    """Return all that somebody knows who looked at the beginning of each of these months."""
    days = [date(2032, 1, 1) if month == 13 else date(2031, month, 1) for month in months]
    return [one for day in days for one in world.published(kept(so_far(verdicts, day), day))]


def so_far(verdicts: list[Verdict], day: date) -> list[Verdict]:
    return [one for one in verdicts if (one.urgency_on or one.cause_on or day) < day]


@WORLDS
def test_every_number_is_true_and_of_ten_people_or_more(questions: dict[str, set[str]]) -> None:
    seen = 0

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(drawn())
    def check(verdicts: list[Verdict]) -> None:
        nonlocal seen
        world = World(verdicts, questions)
        for one in told_at(world, verdicts, 13):
            seen += 1
            assert one.count == world.count(one.cells) >= LEAST

    check()
    assert seen > 200


@WORLDS
def test_no_two_numbers_differ_by_fewer_than_ten_people_even_if_months_lie_between(
    questions: dict[str, set[str]],
) -> None:
    pairs = 0

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(drawn(), st.integers(2, 12))
    def check(verdicts: list[Verdict], month: int) -> None:
        nonlocal pairs
        world = World(verdicts, questions)
        told = set(told_at(world, verdicts, month, month + 1, 13))
        for one, other in combinations(told, 2):
            for larger, smaller in ((one, other), (other, one)):
                if smaller.cells < larger.cells:
                    pairs += 1
                    assert larger.count - smaller.count >= LEAST

    check()
    assert pairs > 200


@WORLDS
def test_no_sum_or_difference_of_all_the_numbers_gives_a_count_below_ten(
    questions: dict[str, set[str]],
) -> None:
    """Linear algebra: every count that follows from all that is told in a year is of ten people or more."""
    derived = 0

    @settings(max_examples=8, deadline=None, derandomize=True)
    @given(drawn())
    def check(verdicts: list[Verdict]) -> None:
        nonlocal derived
        world = World(verdicts, questions)
        told = list({one.cells for one in told_at(world, verdicts, *range(2, 14))})
        if not told:
            return
        rows = np.zeros((len(told), world.counts.size))
        for row, cells in zip(rows, told, strict=True):
            row[list(cells)] = 1
        _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
        basis = basis[sizes > 1e-9]
        wanted = list(candidates(world))
        vectors = np.zeros((len(wanted), world.counts.size))
        for vector, cells in zip(vectors, wanted, strict=True):
            vector[list(cells)] = 1
        missed = np.abs(vectors - vectors @ basis.T @ basis).max(axis=1)
        for cells in (cells for cells, off in zip(wanted, missed, strict=True) if off < 1e-9):
            derived += 1
            assert world.count(cells) >= LEAST

    check()
    assert derived > 50


def candidates(world: World) -> Iterator[frozenset[int]]:
    """Yield runs of months, of every set of kinds; and of tenths from below or from above."""
    kinds = [
        set(chosen)
        for size in range(1, len(world.kinds) + 1)
        for chosen in combinations(world.kinds, size)
    ]
    edges = range(1, world.tenths)
    tenths = [
        (0, world.tenths),
        *((0, edge) for edge in edges),
        *((e, world.tenths) for e in edges),
    ]
    for first, last in combinations(range(1, 14), 2):
        for chosen in kinds:
            for between in tenths if len(chosen) in (1, len(world.kinds) - 1) else tenths[:1]:
                yield world.cells(first, last - 1, chosen, *between)


def test_the_generated_clinics_fill_every_part_of_the_page() -> None:
    filled: set[str] = set()

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(drawn())
    def look(verdicts: list[Verdict]) -> None:
        filled.update(str(row[2]) for row in list(table([kept(verdicts)]))[1:])
        for calibration in kept(verdicts).calibration:
            assert len(calibration.bins) >= FEWEST_BINS

    look()
    assert filled == {*URGENCY, *CAUSE}
