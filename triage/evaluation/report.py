"""How right the causes, how right the urgency and how many the questions were."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from triage.engine import Evidence, Knowledge, Urgency

from .cases import Case
from .intervals import Quantile, Share, quantile
from .interviews import Run, interview, urgency_with_all_answers
from .tables import Table

TOPS = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, what the checker made of it, and the urgency with all answers at once."""

    case: Case
    run: Run
    whole: Urgency

    @property
    def rank(self) -> int | None:
        """The place, from 1, of the first right cause. None where causes are not judged.

        They are not where the case expects none, nor where the checker shows none on purpose.
        """
        if not self.case.conditions or not self.run.ranked:
            return None
        ranked = [condition for condition, _ in self.run.ranked]
        return 1 + min(map(ranked.index, self.case.conditions))

    @property
    def has_range(self) -> bool:
        return self.case.at_least is not None or self.case.at_most is not None

    @property
    def is_under(self) -> bool:
        return self.case.at_least is not None and self.run.urgency < self.case.at_least

    @property
    def is_over(self) -> bool:
        return self.case.at_most is not None and self.run.urgency > self.case.at_most


@dataclass(frozen=True, slots=True)
class Report:
    judged: tuple[Judged, ...]

    def top(self, places: int) -> Share:
        """How often a right cause is among the first so many."""
        ranks = [one.rank for one in self.judged if one.rank is not None]
        return Share(sum(rank <= places for rank in ranks), len(ranks))

    @property
    def exact(self) -> Share:
        """How often the urgency is within what the case calls right."""
        return self._of_ranges(lambda one: not one.is_under and not one.is_over)

    @property
    def under(self) -> Share:
        return self._of_ranges(lambda one: one.is_under)

    @property
    def over(self) -> Share:
        return self._of_ranges(lambda one: one.is_over)

    def _of_ranges(self, holds: Callable[[Judged], bool]) -> Share:
        ranged = [one for one in self.judged if one.has_range]
        return Share(sum(map(holds, ranged)), len(ranged))

    @property
    def lower(self) -> Share:
        """How often the final urgency is lower than with all answers at once."""
        return self._of_all(lambda one: one.run.urgency < one.whole)

    @property
    def higher(self) -> Share:
        return self._of_all(lambda one: one.run.urgency > one.whole)

    def reached(self, urgency: Urgency) -> Share:
        return self._of_all(lambda one: one.run.urgency is urgency)

    def _of_all(self, holds: Callable[[Judged], bool]) -> Share:
        return Share(sum(map(holds, self.judged)), len(self.judged))

    def asked(self, at: float) -> Quantile:
        """A quantile of the number of questions. Raises ValueError if there is no case."""
        return quantile([one.run.asked for one in self.judged], at)

    def only(self, urgency: Urgency) -> "Report":
        """The cases that ended at this urgency."""
        return Report(tuple(one for one in self.judged if one.run.urgency is urgency))

    def uncut(self) -> "Report":
        """The cases whose interview no emergency ended before the causes could be told apart."""
        return Report(tuple(one for one in self.judged if not one.run.cut_short))

    def by_condition(self) -> dict[str, "Report"]:
        """A report for each set of expected causes; "no cause expected" comes last."""
        groups: dict[str, list[Judged]] = {}
        for one in self.judged:
            groups.setdefault(" or ".join(sorted(one.case.conditions)), []).append(one)
        names = sorted(groups, key=lambda name: (not name, name))
        return {name or "no cause expected": Report(tuple(groups[name])) for name in names}


def judge(
    knowledge: Knowledge,
    cases: Iterable[Case],
    run: Callable[[Knowledge, Evidence], Run] = interview,
) -> Report:
    """Run every case, by interview or as `run` says, and set it against all answers at once."""
    return Report(
        tuple(
            Judged(
                case,
                run(knowledge, case.evidence),
                urgency_with_all_answers(knowledge, case.evidence),
            )
            for case in cases
        )
    )


def overview(title: str, reports: Mapping[str, Report]) -> Table:
    """The figures of some reports side by side, each with its 95 % interval."""
    measures: list[tuple[str, Callable[[Report], object]]] = [
        *((f"right cause among the first {top}", _top(top)) for top in TOPS),
        ("… the first 3, where no emergency cut the interview short", _top_3_uncut),
        ("urgency within its range", lambda report: report.exact),
        ("urgency too low", lambda report: report.under),
        ("urgency too high", lambda report: report.over),
        ("questions asked, median", lambda report: report.asked(0.5)),
        ("questions asked, 95th percentile", lambda report: report.asked(0.95)),
        ("urgency lower than with all answers at once", lambda report: report.lower),
        ("urgency higher than with all answers at once", lambda report: report.higher),
    ]
    return Table(
        title,
        ("", *reports),
        tuple(
            (name, *(str(figure(report)) for report in reports.values()))
            for name, figure in measures
        ),
    )


def _top_3_uncut(report: Report) -> Share:
    return report.uncut().top(3)


def _top(places: int) -> Callable[[Report], Share]:
    return lambda report: report.top(places)


def by_condition(title: str, report: Report) -> Table:
    """The figures for each set of expected causes, each share with its 95 % interval."""
    return Table(
        title,
        (
            "expected cause",
            "cases",
            *(f"first {top}" for top in TOPS),
            "urgency within",
            "too low",
            "too high",
            "questions, median",
            "95th percentile",
        ),
        tuple(
            (
                name,
                str(len(part.judged)),
                *(part.top(top).brief for top in TOPS),
                part.exact.brief,
                part.under.brief,
                part.over.brief,
                str(part.asked(0.5)),
                str(part.asked(0.95)),
            )
            for name, part in report.by_condition().items()
        ),
    )


def misses(title: str, report: Report) -> Table:
    """Every case whose urgency is out of its range, or whose cause is not among the first three."""
    return Table(
        title,
        ("case", "expected cause", "its place", "expected urgency", "urgency", "because of"),
        tuple(_missed(report)),
    )


def _missed(report: Report) -> Iterator[tuple[str, ...]]:
    for one in report.judged:
        if one.is_under or one.is_over or (one.rank is not None and one.rank > 3):
            yield (
                one.case.key,
                " or ".join(sorted(one.case.conditions)) or "none",
                str(one.rank or "not judged"),
                _range(one.case),
                one.run.urgency.key,
                ", ".join((*one.run.flags, *(f"risk of {key}" for key in one.run.risks))),
            )


def _range(case: Case) -> str:
    ends = [end.key if end is not None else "any" for end in (case.at_least, case.at_most)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
