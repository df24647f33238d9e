"""The page of figures that stands in the documentation, as one text."""

from collections.abc import Iterator, Mapping, Sequence

from triage.engine import Knowledge, Urgency

from .cases import Case
from .interviews import all_at_once
from .report import Report, by_condition, judge, misses, overview
from .tables import Table

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
independent, none declined. They show how the checker behaves on people who are exactly as its
tables say, and nothing of whether the tables are right. Rare signs pile up in them more than in
life. The urgency is *within its range* here if it is at least the true condition's own.
"""


def page(
    knowledge: Knowledge, files: Mapping[str, Sequence[Case]], people: Sequence[Case], seed: int
) -> str:
    """Return the whole page: one section for each file of cases, by name, and one for `people`."""
    sections = [INTRODUCTION]
    for name, cases in files.items():
        sections.extend(_of_cases(knowledge, name, cases))
    sections.extend(_of_people(knowledge, people, seed))
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


def _of_people(knowledge: Knowledge, people: Sequence[Case], seed: int) -> Iterator[str]:
    interviewed, whole = judge(knowledge, people), judge(knowledge, people, all_at_once)
    yield f"## {len(people)} simulated people (seed {seed})\n"
    yield SIMULATED
    yield _block(overview("All people", {"interview": interviewed, "all answers at once": whole}))
    yield _block(urgencies("By urgency", interviewed, whole))


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
