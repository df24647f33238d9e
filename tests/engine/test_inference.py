"""The posterior, and how sure it is."""

from math import log
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.engine import (
    Basis,
    Chosen,
    ConditionKey,
    Evidence,
    FeatureKey,
    Knowledge,
    Likelihood,
    OptionKey,
    Reply,
    Settings,
    next_step,
    outcome,
    posterior,
)
from triage.engine.inference import credible_range, log_odds
from triage.engine.standing import Standing

from .expressions import some_people, thorough, whole_people
from .oracle import Replies
from .people import pool_of
from .reference import posteriors
from .small import SETTINGS, TABLE, chosen, evidence_of, knowledge_with, likelihoods


def by_key(knowledge: Knowledge, evidence: Evidence) -> dict[ConditionKey, float]:
    keys = [condition.key for condition in knowledge.conditions]
    return dict(zip(keys, posterior(knowledge, evidence).tolist(), strict=True))


def test_without_evidence_the_posterior_is_the_prior(either: Knowledge) -> None:
    assert by_key(either, Evidence()) == pytest.approx(
        {"cyst": 0.6, "strain": 0.3, "tumour": 0.1}, abs=1e-12
    )


def test_a_posterior_worked_by_hand(knowledge: Knowledge) -> None:
    """Fever: P' is 0.97 P + 0.03 / 2, that is 0.112, 0.0635 and 0.209; to the power of 0.6 that
    is 0.26886, 0.19127 and 0.39090; times the priors 0.16132, 0.05738 and 0.03909 of 0.25779."""
    found = by_key(knowledge, evidence_of(knowledge, fever="yes"))

    assert found == pytest.approx({"cyst": 0.6258, "strain": 0.2226, "tumour": 0.1516}, abs=1e-4)


def test_untempered_and_without_slips_it_is_the_theorem_of_bayes() -> None:
    """Of 1,000 people 600, 300 and 100 have the conditions; 60, 15 and 20 of them a fever."""
    plain = knowledge_with(settings=Settings(temper=1, slip=0))

    found = by_key(plain, evidence_of(plain, fever="yes"))

    assert found == pytest.approx({"cyst": 60 / 95, "strain": 15 / 95, "tumour": 20 / 95})


@thorough
@given(replies=some_people)
def test_the_posterior_is_that_of_the_formula(either: Knowledge, replies: Replies) -> None:
    found = by_key(either, Evidence(replies.items()))

    assert found == pytest.approx(posteriors(either, replies), rel=1e-9, abs=1e-12)
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)


def test_the_shipped_posterior_is_that_of_the_formula(shipped: Knowledge) -> None:
    for person in pool_of(shipped, seed=3, count=40).people:
        found = by_key(shipped, Evidence(person.items()))

        assert found == pytest.approx(posteriors(shipped, person), rel=1e-9, abs=1e-12)


@thorough
@given(replies=whole_people, seed=st.integers(0, 9))
def test_the_order_of_asking_does_not_matter(
    either: Knowledge, replies: Replies, seed: int
) -> None:
    shuffled = list(replies.items())
    Random(seed).shuffle(shuffled)

    there = posterior(either, Evidence(replies.items()))
    back = posterior(either, Evidence(shuffled))

    assert there.tolist() == back.tolist()


@pytest.mark.parametrize(
    ("key", "reply"),
    [
        ("fever", "not_sure"),
        ("skin", "not_sure"),
        ("skin", "cant_see"),
        ("feel", "cant_see"),
        ("pain", "dont_know"),
        ("injects", "rather_not_say"),
        ("injects", "dont_know"),
        ("leg_nerves", "not_sure"),
        # what is not scored weighs nothing either
        ("right_now", "none"),
        # nor does a number outside of every band
        ("age", 12),
    ],
)
def test_what_is_not_known_weighs_nothing(either: Knowledge, key: str, reply: str | int) -> None:
    evidence = evidence_of(either, lump="one", feel="hard")
    replied = evidence.set(FeatureKey(key), *dict(evidence_of(either, **{key: reply})).values())
    if key == "feel":
        evidence = evidence.without(FeatureKey("feel"))

    assert posterior(either, replied).tolist() == posterior(either, evidence).tolist()


def test_a_reply_behind_a_closed_gate_weighs_nothing(either: Knowledge) -> None:
    evidence = evidence_of(either, lump="no_lump")
    dormant = evidence.set(FeatureKey("feel"), chosen("hard"))

    assert posterior(either, dormant).tolist() == posterior(either, evidence).tolist()


def test_none_says_no_to_every_option(either: Knowledge) -> None:
    """1 - P' is 0.98 and 0.9653 for a tired cyst: none of the two is a weak sign against both."""
    found = by_key(either, evidence_of(either, general="none"))

    assert found == pytest.approx(
        posteriors(either, {FeatureKey("general"): chosen("none")}), rel=1e-9
    )
    assert found[ConditionKey("tumour")] < 0.1


def test_temper_takes_the_same_share_of_every_weight() -> None:
    full = knowledge_with(settings=Settings(temper=1.0))
    half = knowledge_with(settings=Settings(temper=0.5))
    evidence = evidence_of(full, fever="yes", skin={"red"}, age=70)

    def moved(knowledge: Knowledge) -> float:
        after, before = posterior(knowledge, evidence), posterior(knowledge, Evidence())
        return log(after[0] / after[2]) - log(before[0] / before[2])

    assert moved(half) == pytest.approx(moved(full) / 2)


def test_a_slip_keeps_one_reply_from_ruling_a_condition_out() -> None:
    """With a share of slips e, no option is rarer than e / K, so it cannot weigh more than that."""
    cells = likelihoods()
    for condition in ("cyst", "strain", "tumour"):
        chance = 1e-9 if condition == "cyst" else 0.5
        key = (ConditionKey(condition), FeatureKey("leg_nerves"), OptionKey("weak_legs"))
        cells[key] = Likelihood(chance)
    careless = knowledge_with(likelihoods=cells, settings=Settings(temper=1, slip=0.04))
    strict = knowledge_with(likelihoods=cells, settings=Settings(temper=1, slip=0))
    evidence = evidence_of(strict, leg_nerves={"weak_legs"})

    assert by_key(strict, evidence)[ConditionKey("cyst")] < 1e-8
    assert by_key(careless, evidence)[ConditionKey("cyst")] > 0.02


EXTREMES = {
    f"{tiny:.0e}, slip {slip}": (tiny, slip)
    for tiny in (1e-9, 1e-100, 1e-300)
    for slip in (0.03, 0.0)
}


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize("ticks", ["some", "all", "none"])
def test_no_probability_is_too_small_to_reckon_with(extreme: str, ticks: str) -> None:
    """Warnings are errors here, so an overflow on the way fails too."""
    tiny, slip = EXTREMES[extreme]
    cells = likelihoods()
    for condition in ("cyst", "strain"):
        for feature in ("leg_nerves", "general", "skin"):
            for option in TABLE[condition][feature]:
                key = (ConditionKey(condition), FeatureKey(feature), OptionKey(option))
                cells[key] = Likelihood(tiny)
    knowledge = knowledge_with(likelihoods=cells, settings=Settings(slip=slip))
    replies: dict[str, dict[str, Reply]] = {
        "some": {"skin": chosen("bruise")},
        "all": {
            "skin": chosen("bruise", "red", "pus"),
            "general": chosen("tired", "weight_loss"),
            "leg_nerves": chosen("numb_legs"),
        },
        "none": {"skin": chosen("looks_normal"), "general": chosen("none")},
    }
    evidence = Evidence((FeatureKey(key), reply) for key, reply in replies[ticks].items())
    evidence = evidence.set(FeatureKey("age"), *dict(evidence_of(knowledge, age=70)).values())

    found = outcome(knowledge, evidence)
    next_step(knowledge, evidence)

    for ranked in found.differential:
        assert 0 <= ranked.low <= ranked.posterior <= ranked.high <= 1
        assert all(np.isfinite(w.nats) for w in (*ranked.supports, *ranked.opposes))


def test_log_odds_are_exact_where_a_probability_rounds_to_one() -> None:
    scores = np.array([0.0, -50.0, -60.0])

    assert log_odds(scores).tolist() == pytest.approx(
        [50 - log(1 + np.exp(-10.0)), -50 - np.exp(-60.0), -60 - np.exp(-50.0)], abs=1e-12
    )


DRAWS = 20_000


@pytest.mark.parametrize(
    "replies",
    [
        {},
        {"fever": chosen("yes")},
        {"fever": chosen("no"), "lump": chosen("one"), "feel": chosen("hard")},
        {"skin": chosen("red", "bruise"), "general": chosen("weight_loss")},
        {"skin": chosen("looks_normal"), "general": chosen("none"), "lump": chosen("no_lump")},
    ],
    ids=["prior", "one", "three", "ticks", "none"],
)
def test_the_credible_range_holds_nine_of_ten_draws(
    knowledge: Knowledge, replies: dict[str, Reply]
) -> None:
    """Each prior and likelihood is drawn as logit-normal about its value; the row of a single choice
    or a number is then made to sum to 1 again."""
    evidence = Evidence((FeatureKey(key), reply) for key, reply in replies.items())
    drawn = draws(knowledge, evidence)

    found = credible_range(Standing(knowledge, evidence))

    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    assert found.low == pytest.approx(low, abs=0.012)
    assert found.high == pytest.approx(high, abs=0.012)


def draws(knowledge: Knowledge, evidence: Evidence) -> np.ndarray[tuple[int, int]]:
    """Return posteriors (DRAWS, C), each from numbers of its own."""
    chance = np.random.default_rng(20)
    settings, spreads = knowledge.settings, spreads_of(knowledge)

    def drawn(probability: float, spread: float) -> np.ndarray[tuple[int]]:
        odds = log(probability / (1 - probability)) + spread * chance.standard_normal(DRAWS)
        return np.asarray(1 / (1 + np.exp(-odds)))

    scores = []
    for condition in knowledge.conditions:
        score = np.log(drawn(condition.prior, SETTINGS.spread_estimate))
        for key, reply in evidence:
            feature = knowledge.feature(key)
            scored = [option.key for option in feature.options if option.scored]
            ticks = feature.kind == "multi"
            cells = [(condition.key, key, option) for option in scored]
            row = np.array([drawn(knowledge.likelihoods[c].probability, spreads[c]) for c in cells])
            if not ticks:
                row /= row.sum(axis=0)
            row = (1 - settings.slip) * row + settings.slip / (2 if ticks else len(scored))
            for option, p in zip(scored, row, strict=True):
                ticked = isinstance(reply, Chosen) and option in reply.options
                if ticks or ticked:
                    score += settings.temper * np.log(p if ticked else 1 - p)
        scores.append(score)
    weights = np.exp(np.array(scores).T)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def spreads_of(
    knowledge: Knowledge,
) -> dict[tuple[ConditionKey, FeatureKey, OptionKey], float]:
    """An estimate has a spread of 0.25, a guideline 0.20; a study of n people 0.15, or what n
    people leave open if that is more: 1 / sqrt(n p (1 - p)), for a fever in cyst 1 / 6."""
    spreads = {}
    for key, cell in knowledge.likelihoods.items():
        p = cell.probability
        spread = {"estimate": 0.25, "guideline": 0.20, "study": 0.15}[cell.basis]
        if cell.sample_size is not None:
            spread = max(spread, (cell.sample_size * p * (1 - p)) ** -0.5)
        spreads[key] = spread
    return spreads


def test_a_range_is_wider_the_less_is_known_of_the_numbers() -> None:
    sure = knowledge_with(settings=Settings(spread_estimate=0, spread_guideline=0, spread_study=0))
    evidence = evidence_of(sure, age=70, lump="one")

    exact = credible_range(Standing(sure, evidence))
    rough = credible_range(Standing(knowledge_with(), evidence))

    assert exact.low == pytest.approx(posterior(sure, evidence))
    assert exact.high == pytest.approx(posterior(sure, evidence))
    assert (rough.low < exact.low).all()
    assert (rough.high > exact.high).all()


def test_a_small_study_says_less_than_its_basis(knowledge: Knowledge) -> None:
    """Four people of ten: 1 / sqrt(10 x 0.4 x 0.6) = 0.6455."""
    cells = likelihoods()
    key = (ConditionKey("cyst"), FeatureKey("leg_nerves"), OptionKey("numb_legs"))
    cells[key] = Likelihood(0.4, Basis.STUDY, 10)
    evidence = evidence_of(knowledge, leg_nerves={"numb_legs"})
    few = knowledge_with(likelihoods=cells)
    cells[key] = Likelihood(0.4, Basis.STUDY, 100_000)
    many = knowledge_with(likelihoods=cells)

    width = [
        float((found.high - found.low)[0])
        for found in (credible_range(Standing(k, evidence)) for k in (few, many))
    ]

    assert width[0] > 1.3 * width[1]
