"""The page of figures that stands in the documentation, as one text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from triage.engine import Knowledge, Urgency

from . import ranges
from .cases import Case
from .interviews import all_at_once
from .ranges import Coverage, coverage
from .reliability import Recorded, Reliability
from .report import Report, by_condition, judge, misses, overview
from .tables import Table

TEMPERS = (0.65, 1.0)
"""Whose calibration is measured, whichever is shipped: the temper of the first releases, and none.
"""

INTRODUCTION = """\
# How accurate it is

Written by `python3 dev.py manage accuracy` and never by hand. A test fails when it is out of date.

Each case is run twice: by *interview*, where the checker chooses what to ask and when to stop, and
with *all answers at once*. What a case does not know stays unasked: it is neither “no” nor
declined. Every figure stands with its 95 % interval in brackets: Wilson's for a share, order
statistics for a number of questions. A case may expect several causes, and any of them counts as
right; one that expects none, or is under 16 and so is shown no causes, counts for urgency only.
An emergency ends the interview at once, often after a question or two, on purpose: the causes
have then hardly been asked about, and the person is on the way to help. The urgency is *within
its range* from the lowest to the highest level that would have been right for this person.

None of this is accuracy in real patients. Nobody who needed care has been followed up.
"""

ABOUT = {
    "example-patients": (
        "Written by hand by the author of the probabilities, so they show that the content does "
        "what its author meant, and prove little else."
    ),
    "vignettes": (
        "Taken from published reports and public pages, and mapped to answers by hand; the notes "
        "in the file say how each doubt was settled. The reports say little of what the checker "
        "asks, rare causes are over-represented, and the urgency is one reader's judgement. They "
        "were in view while the checker was built."
    ),
}

SIMULATED = """\
Drawn from the probabilities themselves, conditions as often as their priors say and replies as if
independent but for what a syndrome ties together, none declined. They show how the checker behaves
on people who are exactly as its tables say, and nothing of whether the tables are right. Rare signs
pile up in them more than in life. The urgency is *within its range* here if it is at least the true
condition's own.
"""


CALIBRATION = """\
## Whether a probability is as often right as it says

Each diagram sets what is claimed of the leading cause against how often it is the right one. On the
dashed line both are the same; below it too much is claimed. Bars are 95 % intervals, and the strip
below says how many claims there were. The calibration error is the distance from the line, the mean
over all claims. Simulated people of the shipped content fit its tables exactly, but for slips, so
at temper 1 the line is what must come out for them; a temper below 1 claims less on purpose, for
people whose findings go together more than the tables say. The benchmarks are recorded by
`python3 dev.py bench NAME --record`.
"""

RANGES = """\
## Whether the range of a probability holds it

The outcome page words each probability by its 90 % range. Here {worlds} worlds were drawn for each
of {people} simulated people, {all_worlds} in all (seed {seed}). In each world every prior and every
likelihood is another one, logit-normal about the stated number with the spread of its basis, and
what must sum to 1 made to; the posterior is then worked out with the numbers of that world. The
range is right if it holds it in 85 to 95 % of them. The people come from the stated numbers, since
the range is told to somebody of whom only the replies are known. This tests the arithmetic of the
range. That the spreads themselves are right cannot be tested without patients.
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of simulated people, each by interview and with all answers."""

    seed: int
    interviewed: Report
    whole: Report
    ranges: Coverage
    ranges_whole: Coverage


def measure(knowledge: Knowledge, people: Sequence[Case], seed: int, worlds: int) -> Measured:
    """Run all people twice, and draw `worlds` worlds for each of them, twice as well."""
    interviewed, whole = judge(knowledge, people), judge(knowledge, people, all_at_once)
    chance = np.random.default_rng(seed)
    found = [
        coverage(
            knowledge, [one.run.said for one in report.judged if one.run.ranked], chance, worlds
        )
        for report in (interviewed, whole)
    ]
    return Measured(seed, interviewed, whole, *found)


def calibrations(
    knowledge: Knowledge, topic: str, people: Sequence[Case], measured: Measured
) -> Mapping[str, Recorded]:
    """Return the reliability of the leading cause at the shipped temper and at TEMPERS, by name."""
    own = knowledge.settings.temper
    reports = {own: (measured.interviewed, measured.whole)}
    for temper in TEMPERS:
        if temper != own:
            other = with_temper(knowledge, temper)
            reports[temper] = (judge(other, people), judge(other, people, all_at_once))
    records = {}
    for temper, pair in reports.items():
        for name, how, report in zip(
            ("interview", "all-answers"), ("by interview", "all answers"), pair, strict=True
        ):
            suffix = "" if temper == own else f"-temper-{temper:g}"
            records[f"{topic}-{name}{suffix}"] = Recorded(
                f"{topic}, {how}, temper {temper:g}",
                f"{len(people)} simulated people of the shipped content (seed {measured.seed}), "
                f"{how}, at temper {temper:g}{' as shipped' if temper == own else ''}.",
                reliability_of(report),
            )
    return records


def reliability_of(report: Report) -> Reliability:
    """Return how far the leading cause can be trusted, where any was shown."""
    return Reliability.of(
        (one.run.ranked[0][1], one.rank == 1) for one in report.judged if one.rank is not None
    )


def with_temper(knowledge: Knowledge, temper: float) -> Knowledge:
    return Knowledge(
        conditions=knowledge.conditions,
        features=knowledge.features,
        rules=knowledge.rules,
        likelihoods=knowledge.likelihoods,
        groups=knowledge.groups,
        syndromes=knowledge.syndromes,
        settings=replace(knowledge.settings, temper=temper),
    )


def page(
    knowledge: Knowledge,
    files: Mapping[str, Sequence[Case]],
    measured: Measured,
    records: Mapping[str, Recorded],
) -> str:
    """Return the whole page: a section for each file of cases, by name, one for simulated people,
    and the calibration and the ranges of what is claimed. The diagrams of `records` are named."""
    sections = [INTRODUCTION]
    for name, cases in files.items():
        sections.extend(_of_cases(knowledge, name, cases))
    sections.extend(_of_people(measured))
    sections.append(calibration(records))
    sections.extend(_of_ranges(measured))
    return "\n".join(sections)


def _of_cases(knowledge: Knowledge, name: str, cases: Sequence[Case]) -> Iterator[str]:
    interviewed, whole = judge(knowledge, cases), judge(knowledge, cases, all_at_once)
    yield f"## {name} ({len(cases)})\n"
    if name in ABOUT:
        yield f"{ABOUT[name]}\n"
    yield _block(overview("All cases", {"interview": interviewed, "all answers at once": whole}))
    yield _block(by_condition("By expected cause, by interview", interviewed))
    yield _misses("by interview", interviewed)
    yield _misses("with all answers at once", whole)


def _misses(how: str, report: Report) -> str:
    title = f"Out of the urgency range, or the right cause not among the first 3, {how}"
    table = misses(title, report)
    return _block(table) if table.rows else f"**{title}**: none.\n"


def _of_people(measured: Measured) -> Iterator[str]:
    interviewed, whole = measured.interviewed, measured.whole
    yield f"## {len(interviewed.judged)} simulated people (seed {measured.seed})\n"
    yield SIMULATED
    yield _block(overview("All people", {"interview": interviewed, "all answers at once": whole}))
    yield _block(urgencies("By urgency", interviewed, whole))


def calibration(records: Mapping[str, Recorded]) -> str:
    """Return the section of all that was recorded, with its diagrams."""
    parts = [CALIBRATION]
    for name, record in sorted(records.items()):
        sentence = record.reliability.sentence
        parts.append(f"### {record.title}\n")
        parts.append(f"{record.about} {sentence}\n")
        parts.append(f"![Claimed against right: {sentence}](calibration/{name}.svg)\n")
    return "\n".join(parts)


def with_calibration(text: str, records: Mapping[str, Recorded]) -> str:
    """Return a page with that section anew and the rest as it was measured."""
    before, _, after = text.partition(CALIBRATION)
    _, ranges_of, rest = after.partition(RANGES.partition("\n")[0])
    return f"{before}{calibration(records)}\n{ranges_of}{rest}"


def _of_ranges(measured: Measured) -> Iterator[str]:
    found = measured.ranges
    worlds = found.ranges[0].worlds.of
    yield RANGES.format(
        worlds=worlds, people=found.people, all_worlds=worlds * found.people, seed=measured.seed
    )
    yield _block(ranges.table("The range holds the posterior, after an interview", found))
    yield _block(ranges.table("The same with all answers at once", measured.ranges_whole))


def urgencies(title: str, interviewed: Report, whole: Report) -> Table:
    """How many end at each urgency, and after how many questions."""
    return Table(
        title,
        ("urgency", "by interview", "all answers at once", "questions asked, median"),
        tuple(
            (
                urgency.key,
                str(interviewed.reached(urgency)),
                str(whole.reached(urgency)),
                str(part.asked(0.5)) if (part := interviewed.only(urgency)).judged else "none",
            )
            for urgency in reversed(Urgency)
        ),
    )


def _block(table: Table) -> str:
    return f"{table.markdown()}\n"
