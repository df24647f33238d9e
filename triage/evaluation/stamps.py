"""Pages of figures that take long to measure: what they were measured from stands at their end.

So a check need not measure everything again. It measures a few people, and compares what they and
the content come to with the stamp, and the page with what it was when it was stamped.
"""

import json
from collections.abc import Iterable
from hashlib import sha256

from triage.engine import Knowledge

from .cases import Case
from .interviews import Run, all_at_once, interview

DECIMALS = 6


def digest(parts: Iterable[str]) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


def traces(knowledge: Knowledge, cases: Iterable[Case]) -> str:
    """Return all that comes of the cases, by interview and with all answers, as one text.

    Posteriors are rounded to 1e-6, so that it is the same on every machine.
    """
    return "\n".join(
        json.dumps([case.key, *(_trace(run(knowledge, case.evidence)) for run in RUNS)])
        for case in cases
    )


RUNS = (interview, all_at_once)


def _trace(run: Run) -> list[object]:
    ranked = [[condition, round(posterior, DECIMALS)] for condition, posterior in run.ranked]
    return [run.urgency.key, ranked, run.flags, run.risks, [key for key, _ in run.said]]


def stamped(page: str, inputs: str) -> str:
    """Return the page with a last line that says what it was measured from, and what it is."""
    return f"{page}{_stamp(page, inputs)}"


def is_current(page: str, inputs: str) -> bool:
    """Whether a stamped page was measured from these inputs, and was not changed since."""
    return page == stamped(unstamped(page), inputs)


def unstamped(page: str) -> str:
    body, _, _ = page.rpartition("<!--")
    return body


def _stamp(page: str, inputs: str) -> str:
    return f"<!-- measured from {inputs}, as {digest([page])} -->\n"
