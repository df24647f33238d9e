"""The benchmark of effects measures what it says, in sizes too small to time anything."""

import time

from bench._topics import shipped_topics
from bench.effects import Took, cases_of, effect, together_or_alone, took


def test_it_takes_all_cases_of_the_topic() -> None:
    cases = cases_of("back-lump")

    assert len(cases) == 101
    assert {case.file for case in cases} == {"example-patients", "vignettes"}


def test_what_a_process_works_counts_and_what_it_waits_does_not() -> None:
    worked = took(lambda: sum(range(3_000_000)))
    waited = took(lambda: time.sleep(0.2))

    assert worked.processors > 0
    assert waited.wall >= 0.2
    assert waited.processors < 0.2
    assert Took(wall=9, processors=12).shared(2) == 6


def test_it_runs_a_draft_and_people_together_and_alone() -> None:
    knowledge = shipped_topics()["back-lump"]

    found = effect(knowledge, "back-lump", people=3, processes=1)
    at_once, alone = together_or_alone(knowledge, people=3)

    assert found.processors > 0
    assert at_once > 0
    assert alone > 0
