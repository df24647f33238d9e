from math import sqrt

import numpy as np
import pytest

from triage.engine import ConditionKey, Evidence, Knowledge, Urgency
from triage.evaluation.accuracy import calibrations, measure, page, reliability_of, with_temper
from triage.evaluation.cases import Case
from triage.evaluation.interviews import Run, all_at_once
from triage.evaluation.reliability import Recorded, Reliability
from triage.evaluation.report import Judged, Report, judge
from triage.evaluation.simulation import simulated

CYST, BONE = ConditionKey("cyst"), ConditionKey("bone")


def judged(truth: ConditionKey, *ranked: tuple[ConditionKey, float]) -> Judged:
    case = Case("x", Evidence(), frozenset({truth}))
    run = Run(Urgency.ROUTINE, ranked, (), (), 3, cut_short=False, said=Evidence())
    return Judged(case, run, Urgency.ROUTINE)


def test_a_claim_is_the_leading_cause_and_right_if_it_is_the_true_one() -> None:
    ranked = ((CYST, 0.8), (BONE, 0.2))

    [only] = reliability_of(Report((judged(CYST, *ranked), judged(BONE, *ranked)))).bins

    assert only.claimed == pytest.approx(0.8)
    assert (only.right.hits, only.right.of) == (1, 2)


def test_whoever_is_shown_no_cause_is_claimed_nothing() -> None:
    claims = reliability_of(Report((judged(CYST), judged(CYST, (CYST, 0.9)))))

    assert claims.right.of == 1


def test_the_shipped_temper_and_others_are_calibrated_apart(knowledge: Knowledge) -> None:
    blunt = with_temper(knowledge, 0.65)
    people = tuple(simulated(blunt, np.random.default_rng(1), 4))
    measured = measure(blunt, people, 1, 3)

    records = calibrations(blunt, "lump", people, measured)

    assert list(records) == [
        "lump-interview",
        "lump-all-answers",
        "lump-interview-temper-1",
        "lump-all-answers-temper-1",
    ]
    assert "at temper 0.65 as shipped" in records["lump-interview"].about
    sharper = records["lump-all-answers-temper-1"].reliability
    assert sharper.claimed > records["lump-all-answers"].reliability.claimed


def test_the_page_shows_every_record_and_both_tables_of_ranges(knowledge: Knowledge) -> None:
    people = tuple(simulated(knowledge, np.random.default_rng(1), 4))
    measured = measure(knowledge, people, 1, 3)
    bench = Recorded("A benchmark", "Two patients.", Reliability.of([(0.9, True), (0.9, False)]))

    text = page(knowledge, {}, measured, {"bench": bench})

    assert "](calibration/bench.svg)" in text
    assert "### A benchmark" in text
    assert f"Two patients. {bench.reliability.sentence}" in text
    assert "## 4 simulated people (seed 1)" in text
    assert "3 worlds were drawn for each\nof 4 simulated people, 12 in all" in text
    assert text.count("leading cause is hard to tell") == 2


def test_the_shipped_content_claims_what_comes_true_of_simulated_people(
    shipped: Knowledge, sweep: int
) -> None:
    people = tuple(simulated(shipped, np.random.default_rng(8), sweep // 4))

    claims = reliability_of(judge(shipped, people, all_at_once))

    low, high = claims.right.interval
    assert low <= claims.claimed <= high
    # of fewer people chance alone makes more: ten bins, each off by about a root of its people
    assert claims.error <= 0.03 + 0.5 / sqrt(len(people))
