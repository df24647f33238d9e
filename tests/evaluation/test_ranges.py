from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.engine.small import SETTINGS, SYNDROMES, evidence_of, knowledge_with, likelihoods
from triage.engine import (
    Chance,
    Condition,
    ConditionKey,
    Evidence,
    Knowledge,
    Likelihood,
    Urgency,
    posterior,
)
from triage.engine.standing import Standing
from triage.evaluation.intervals import Share
from triage.evaluation.interviews import interviewed
from triage.evaluation.ranges import Coverage, Held, Worlds, coverage, table
from triage.evaluation.simulation import simulated

EXACT = replace(SETTINGS, spread_estimate=0, spread_guideline=0, spread_study=0)
REPLIES: dict[str, Any] = {
    "fever": "yes",
    "age": 61,
    "lump": "one",
    "feel": "hard",
    "skin": {"pus", "bruise"},
    "pain": 8,
    "general": {"tired"},
    "injects": "rather_not_say",
    "leg_nerves": {"not_sure"},
}


def seeded() -> np.random.Generator:
    return np.random.default_rng(5)


def held(posterior: float, hits: int, *, leading: bool = True, word: str = "likely") -> Held:
    return Held(posterior, leading, Chance(word), Share(hits, 100))


@pytest.mark.parametrize("syndromes", [(), SYNDROMES])
def test_where_nothing_is_unsure_every_world_is_as_stated(syndromes: Any) -> None:
    cells = {cell: Likelihood(like.probability) for cell, like in likelihoods().items()}
    knowledge = knowledge_with(settings=EXACT, likelihoods=cells, syndromes=syndromes)
    evidence = evidence_of(knowledge, **REPLIES)

    drawn = Worlds(knowledge).posteriors(Standing(knowledge, evidence), seeded(), 3)

    assert drawn == pytest.approx(np.tile(posterior(knowledge, evidence), (3, 1)), abs=1e-12)


def test_two_sure_conditions_differ_by_their_priors_alone() -> None:
    # with nothing said, log-odds of 0.5 against 0.5: the draws are logit-normal about it, each
    # prior with spread 0.25 and a slope of 1 - 0.5, so the log-odds have sd 0.25 * sqrt(0.5)
    two = [Condition(ConditionKey(key), 0.5, Urgency.ROUTINE) for key in ("cyst", "strain")]
    knowledge = knowledge_with(conditions=two, groups=(), likelihoods=_of(two))

    drawn = Worlds(knowledge).posteriors(Standing(knowledge, Evidence()), seeded(), 20_000)

    odds = np.log(drawn[:, 0] / drawn[:, 1])
    assert odds.mean() == pytest.approx(0, abs=0.01)
    assert odds.std() == pytest.approx(0.25 * 0.5**0.5, rel=0.02)


def _of(conditions: list[Condition]) -> Any:
    keys = {condition.key for condition in conditions}
    return {cell: like for cell, like in likelihoods().items() if cell[0] in keys}


@pytest.mark.parametrize("syndromes", [(), SYNDROMES])
def test_a_right_range_holds_nine_in_ten(syndromes: Any) -> None:
    knowledge = knowledge_with(syndromes=syndromes)
    said = [evidence_of(knowledge, **REPLIES), evidence_of(knowledge, age=20, feel="soft")]

    found = coverage(knowledge, said, seeded(), 4000)

    assert found.leading.of == 8000
    assert 0.85 <= found.leading.value <= 0.95


def test_a_range_that_is_too_sure_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # In worlds that lie three times as far off, a 90 % range reaches 0.55 standard deviations,
    # which holds 42 %.
    knowledge = knowledge_with()
    off = Worlds(knowledge)
    off.prior_spreads = 3 * off.prior_spreads
    off.spreads = {key: 3 * spreads for key, spreads in off.spreads.items()}
    monkeypatch.setattr("triage.evaluation.ranges.Worlds", lambda _: off)

    found = coverage(knowledge, [evidence_of(knowledge, **REPLIES)], seeded(), 2000)

    assert 0.30 <= found.leading.value <= 0.55


def test_the_same_seed_draws_the_same_worlds() -> None:
    knowledge = knowledge_with(syndromes=SYNDROMES)
    said = [evidence_of(knowledge, **REPLIES)]

    assert coverage(knowledge, said, seeded(), 50) == coverage(knowledge, said, seeded(), 50)


def test_leading_and_likely_causes_are_counted_apart_and_by_band() -> None:
    found = Coverage((held(0.7, 90), held(0.2, 60, leading=False), held(0.9, 80)), people=2)

    assert (found.leading.hits, found.leading.of) == (170, 200)
    assert (found.likely.hits, found.likely.of) == (230, 300)
    assert found.between(0.1, 0.3).likely.hits == 60
    rows = {row[0]: row[1:] for row in table("Held", found).rows}
    assert rows["60 to 80 %"][0].startswith("90.0 %")
    assert rows["10 to 30 %"][0] == "none to judge"
    assert rows["80 to 100 %"][1].endswith("80 of 100")


def test_a_posterior_of_one_is_in_the_last_band() -> None:
    rows = table("Held", Coverage((held(1.0, 90),), people=1)).rows

    assert rows[-1][1].endswith("90 of 100")


def test_leading_causes_that_are_hard_to_tell_are_counted() -> None:
    hard = held(0.7, 90, word="hard_to_tell")
    found = Coverage((hard, held(0.9, 80), replace(hard, leading=False)), people=2)

    assert (found.hard_to_tell.hits, found.hard_to_tell.of) == (1, 2)


def ranges_of(knowledge: Knowledge, people: int, worlds: int) -> Coverage:
    cases = simulated(knowledge, seeded(), people)
    said = [interviewed(knowledge, case.evidence)[0] for case in cases]
    return coverage(knowledge, said, seeded(), worlds)


def test_the_shipped_ranges_hold_what_they_promise(shipped: Knowledge) -> None:
    found = ranges_of(shipped, 60, 50)

    assert found.leading.of == 3000
    assert 0.85 <= found.leading.value <= 0.95
    assert 0.85 <= found.likely.value <= 0.95


def test_the_shipped_ranges_hold_in_every_band_and_words_are_seldom_missing(
    shipped: Knowledge, sweep: int
) -> None:
    people = max(sweep // 20, 50)

    found = ranges_of(shipped, people, 20)

    assert 0.85 <= found.leading.value <= 0.95
    assert 0.85 <= found.likely.value <= 0.95
    assert found.hard_to_tell.interval[0] <= 0.30
    for low, high in ((0.01, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 0.8), (0.8, 2)):
        part = found.between(low, high).likely
        assert part.interval[0] <= 0.95
        assert part.interval[1] >= 0.85
