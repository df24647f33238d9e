"""What the shipped content must reach on the example patients."""

from collections.abc import Callable

import pytest
from django.conf import settings

from triage.engine import Evidence, Knowledge
from triage.evaluation.cases import Case, read_cases
from triage.evaluation.interviews import Run, all_at_once, interview
from triage.evaluation.report import Report, judge, misses

type Way = Callable[[Knowledge, Evidence], Run]

FOLDER = settings.BASE_DIR / "tests" / "cases" / "back-lump"


def cases_of(name: str, knowledge: Knowledge) -> tuple[Case, ...]:
    with (FOLDER / name).open(encoding="utf-8") as lines:
        return read_cases(lines, knowledge)


def explained(report: Report) -> str:
    return misses("Missed", report).plain()


@pytest.fixture(scope="module")
def examples(shipped: Knowledge) -> tuple[Case, ...]:
    cases = cases_of("example-patients.jsonl", shipped)
    assert len(cases) == 81
    assert sum(bool(case.conditions) for case in cases) == 61
    return cases


@pytest.mark.parametrize("run", [interview, all_at_once])
def test_no_example_patient_is_outside_their_range(
    shipped: Knowledge, examples: tuple[Case, ...], run: Way
) -> None:
    report = judge(shipped, examples, run)

    assert (report.under.hits, report.over.hits, report.exact.of) == (0, 0, 81), explained(report)


def test_the_cause_is_among_the_first_three_with_all_answers(
    shipped: Knowledge, examples: tuple[Case, ...]
) -> None:
    report = judge(shipped, examples, all_at_once)

    assert report.top(3).value >= 0.97, explained(report)


def test_the_cause_is_among_the_first_three_after_an_interview_that_runs_its_course(
    shipped: Knowledge, examples: tuple[Case, ...]
) -> None:
    # An emergency ends an interview before its cause can be told; the urgency is what counts then.
    report = judge(shipped, examples).uncut()

    assert report.top(3).value >= 0.97, explained(report)


def test_no_vignette_is_sent_home_too_calmly(shipped: Knowledge) -> None:
    cases = cases_of("vignettes.jsonl", shipped)

    report = judge(shipped, cases)

    assert len(cases) == 20
    assert report.under.hits == 0, explained(report)


def test_the_cases_stand_in_the_order_of_their_ids(shipped: Knowledge) -> None:
    for path in FOLDER.glob("*.jsonl"):
        keys = [case.key for case in cases_of(path.name, shipped)]
        assert keys == sorted(keys)
