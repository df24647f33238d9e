"""What the verdicts come to, so that no number tells of fewer than ten people.

Not even by taking one number from another, nor by looking again later: verdicts are counted in
batches. A batch is some whole months that are over, closed for good as soon as each number that it
shows is of ten people or more, and until then it is not shown at all. Whatever is shown is a sum over
batches, so that the difference of two numbers is such a sum too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.timezone import localdate

from triage.content.calibration import tenth_of
from triage.content.models import Release
from triage.evaluation.intervals import Share
from triage.evaluation.reliability import BINS, Bin

from .models import Judgement, Verdict
from .verdicts import REST

LEAST = 10
"""People behind each number, at the least."""

FEWEST_BINS = 3
"""A calibration with fewer says little: its batch stays open."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def following(self) -> "Month":
        return Month(self.year + self.month // 12, self.month % 12 + 1)


@dataclass(frozen=True, slots=True)
class Batch[T]:
    """What was said in these months, the first and the last included."""

    first: Month
    last: Month
    said: tuple[T, ...]

    def count(self, *kinds: T) -> int:
        return sum(1 for one in self.said if one in kinds)


def closed[T](batches: Iterable[Batch[T]], is_enough: Callable[[Batch[T]], bool]) -> list[Batch[T]]:
    """Put batches together, the earliest first, until each is enough; the unfinished rest is left out.

    What comes later changes none of them.
    """
    whole: list[Batch[T]] = []
    waiting: Batch[T] | None = None
    for batch in batches:
        waiting = _together([waiting, batch]) if waiting else batch
        if is_enough(waiting):
            whole.append(waiting)
            waiting = None
    return whole


def _together[T](batches: Sequence[Batch[T]]) -> Batch[T]:
    said = tuple(one for batch in batches for one in batch.said)
    return Batch(batches[0].first, batches[-1].last, said)


def _by_month[T](said: Sequence[tuple[date, T]], since: date, today: date) -> list[Batch[T]]:
    """Return a batch for each month that is over. Those in which nobody said anything are batches
    too, or the gap would tell of them."""
    batches = []
    month = min([Month.of(since), *(Month.of(day) for day, _ in said)])
    while month < Month.of(today):
        batches.append(
            Batch(month, month, tuple(one for day, one in said if Month.of(day) == month))
        )
        month = month.following
    return batches


# What is shown


@dataclass(frozen=True, slots=True)
class Line:
    """A share of the people in these months."""

    first: Month
    last: Month
    share: Share


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often the first cause was right, by how likely it was said to be. Few tenths have enough
    people by themselves: neighbours are counted together."""

    first: Month
    last: Month
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Evidence on one release.

    `judged` and `found` say how many there are at the least, in tens. Of `urgency` and `causes` each
    line is a batch: the share in which the urgency was right, and in which the cause was among the
    first three. `too_urgent`, `not_urgent_enough` and `first` are over the batches, the earliest of
    them on, that tell these apart; None as long as none does.
    """

    release: Release
    judged: int
    urgency: tuple[Line, ...]
    too_urgent: Line | None
    not_urgent_enough: Line | None
    found: int
    causes: tuple[Line, ...]
    leading: Line | None
    calibration: tuple[Calibration, ...]

    @property
    def urgency_in_all(self) -> Line | None:
        return _sum(self.urgency)

    @property
    def causes_in_all(self) -> Line | None:
        return _sum(self.causes)


def _sum(lines: Sequence[Line]) -> Line | None:
    if not lines:
        return None
    share = Share(sum(line.share.hits for line in lines), sum(line.share.of for line in lines))
    return Line(lines[0].first, lines[-1].last, share)


def evidence(*, today: date) -> list[Kept]:
    """Return what is known of each release on which something was said, the newest first."""
    verdicts = Verdict.objects.exclude(urgency_right="", cause="").order_by("pk")
    by_release: dict[int, list[Verdict]] = {}
    for verdict in verdicts:
        by_release.setdefault(verdict.release_id, []).append(verdict)
    releases = Release.objects.filter(pk__in=by_release).without_document()
    ordered = releases.select_related("topic").order_by("topic__key", "-number")
    return [kept_of(release, by_release[release.pk], today=today) for release in ordered]


def kept_of(release: Release, verdicts: Iterable[Verdict], *, today: date) -> Kept:
    verdicts, since = list(verdicts), localdate(release.published_at)
    judged = _by_month(
        [(v.urgency_on, Judgement(v.urgency_right)) for v in verdicts if v.urgency_on],
        since,
        today,
    )
    found = _by_month(
        [(v.cause_on, Place.of(v)) for v in verdicts if v.cause_on and v.leading], since, today
    )
    right = closed(judged, _tells(Judgement.RIGHT))
    wrong = closed(right, _both_ways)
    among_three = closed(found, lambda batch: _is_shown(len(_first_three(batch)), batch))
    first = closed(among_three, _tells_the_first)
    return Kept(
        release=release,
        judged=_tens(judged),
        urgency=tuple(_line(batch, batch.count(Judgement.RIGHT)) for batch in right),
        too_urgent=_over(wrong, lambda batch: batch.count(Judgement.TOO_URGENT)),
        not_urgent_enough=_over(wrong, lambda batch: batch.count(Judgement.NOT_URGENT_ENOUGH)),
        found=_tens(found),
        causes=tuple(_line(batch, len(_first_three(batch))) for batch in among_three),
        leading=_over(first, lambda batch: len(_firsts(batch))),
        calibration=tuple(
            Calibration(batch.first, batch.last, bins_of(batch.said))
            for batch in closed(first, lambda batch: len(bins_of(batch.said)) >= FEWEST_BINS)
        ),
    )


def _tens[T](batches: Iterable[Batch[T]]) -> int:
    """Return how many in all, in whole tens, so that not even one more is noticed."""
    return sum(len(batch.said) for batch in batches) // LEAST * LEAST


def _is_shown[T](count: int, batch: Batch[T]) -> bool:
    return LEAST <= count <= len(batch.said) - LEAST


def _tells[T](kind: T) -> Callable[[Batch[T]], bool]:
    return lambda batch: _is_shown(batch.count(kind), batch)


def _both_ways(batch: Batch[Judgement]) -> bool:
    ways = (Judgement.TOO_URGENT, Judgement.NOT_URGENT_ENOUGH)
    return all(batch.count(way) >= LEAST for way in ways)


def _line[T](batch: Batch[T], hits: int) -> Line:
    return Line(batch.first, batch.last, Share(hits, len(batch.said)))


def _over[T](batches: Sequence[Batch[T]], hits: Callable[[Batch[T]], int]) -> Line | None:
    return _sum([_line(batch, hits(batch)) for batch in batches])


# Causes


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the differential the cause stood, from 1, or 0 if it was none of those kept; and how
    likely the first was said to be."""

    rank: int
    claimed: float

    @classmethod
    def of(cls, verdict: Verdict) -> "Place":
        keys = [key for key, _ in verdict.leading if key != REST]
        rank = keys.index(verdict.cause) + 1 if verdict.cause in keys else 0
        return cls(rank, float(verdict.leading[0][1]))


def _first_three(batch: Batch[Place]) -> list[Place]:
    return [place for place in batch.said if 1 <= place.rank <= 3]


def _firsts(batch: Batch[Place]) -> list[Place]:
    return [place for place in batch.said if place.rank == 1]


def _tells_the_first(batch: Batch[Place]) -> bool:
    first = len(_firsts(batch))
    return first >= LEAST and len(_first_three(batch)) - first >= LEAST


def bins_of(said: Sequence[Place]) -> tuple[Bin, ...]:
    """Return tenths put together, the lowest first, until each has ten claims that were right and ten
    that were not. What is left over at the top belongs to the last."""
    bins: list[Bin] = []
    low, waiting = 0, list[Place]()
    for tenth in range(BINS):
        waiting += [place for place in said if tenth_of(place.claimed) == tenth]
        if _bin_is_shown(waiting):
            bins.append(_bin(low, tenth + 1, waiting))
            low, waiting = tenth + 1, []
    if bins and low < BINS:
        last = round(bins.pop().low * BINS)
        bins.append(_bin(last, BINS, [p for p in said if tenth_of(p.claimed) >= last]))
    return tuple(bins)


def _bin_is_shown(places: Sequence[Place]) -> bool:
    right = sum(1 for place in places if place.rank == 1)
    return LEAST <= right <= len(places) - LEAST


def _bin(low: int, high: int, places: Sequence[Place]) -> Bin:
    right = sum(1 for place in places if place.rank == 1)
    claimed = sum(place.claimed for place in places) / len(places)
    return Bin(low / BINS, high / BINS, claimed, Share(right, len(places)))


# As a table


def table(kept: Iterable[Kept]) -> Iterator[list[str | int | float]]:
    """Yield the rows of the same numbers for a spreadsheet, with a heading."""
    yield [
        *("topic", "release", "question", "from", "to", "claimed from", "claimed to"),
        *("claimed", "count", "of", "share", "low", "high"),
    ]
    for one in kept:
        yield from _rows(one)


def _rows(kept: Kept) -> Iterator[list[str | int | float]]:
    lines = [
        *(("urgency right", line) for line in kept.urgency),
        ("urgency right, in all", kept.urgency_in_all),
        ("too urgent", kept.too_urgent),
        ("not urgent enough", kept.not_urgent_enough),
        *(("cause among the first three", line) for line in kept.causes),
        ("cause among the first three, in all", kept.causes_in_all),
        ("cause was the first", kept.leading),
    ]
    for question, line in lines:
        if line is not None:
            yield [*_whose(kept, question, line), "", "", "", *_share(line.share)]
    for calibration in kept.calibration:
        for b in calibration.bins:
            claimed = [b.low, b.high, round(b.claimed, 3)]
            yield [*_whose(kept, "first cause right", calibration), *claimed, *_share(b.right)]


def _whose(kept: Kept, question: str, when: Line | Calibration) -> list[str | int | float]:
    months = [f"{month.year}-{month.month:02}" for month in (when.first, when.last)]
    return [kept.release.topic.key, kept.release.number, question, *months]


def _share(share: Share) -> list[str | int | float]:
    low, high = share.interval
    return [share.hits, share.of, round(share.value, 3), round(low, 3), round(high, 3)]
