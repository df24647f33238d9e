"""Knowledge that states of each condition only what sets it apart from all others."""

from dataclasses import replace

import numpy as np
import pytest

from triage.engine import (
    Basis,
    ConditionKey,
    Evidence,
    FeatureKey,
    Knowledge,
    Likelihood,
    OptionKey,
    Settings,
    Unsound,
    next_step,
    outcome,
    posterior,
    receipt,
    selection,
    tables,
)
from triage.engine.matrices import Dense, Matrix, Sparse
from triage.engine.selection import outlook, worths
from triage.engine.standing import Standing
from triage.engine.stated import stated_of
from triage.engine.tables import Tables

from .people import pool_of
from .small import CONDITIONS, FEATURES, SETTINGS, chosen, knowledge_with, likelihoods
from .traces import trace, twins

type Usual = dict[tuple[FeatureKey, OptionKey], Likelihood]


def background() -> Usual:
    """What is said of a cyst is said of everybody, from a study of 50 people."""
    return {
        (feature, option): Likelihood(cell.probability, Basis.STUDY, 50)
        for (condition, feature, option), cell in likelihoods().items()
        if condition == "cyst"
    }


def own() -> dict[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood]:
    """All of some features for two of the conditions; of a multiple choice single options."""
    kept = {("strain", "lump"), ("strain", "age"), ("tumour", "feel"), ("tumour", "fever")}
    return {
        key: cell
        for key, cell in likelihoods().items()
        if key[:2] in kept or key in {("strain", "skin", "red"), ("tumour", "general", "tired")}
    }


def whole() -> dict[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood]:
    filled = {
        (condition.key, *pair): cell
        for condition in CONDITIONS
        for pair, cell in background().items()
    }
    return {**filled, **own()}


def with_background(settings: Settings = SETTINGS) -> Knowledge:
    return knowledge_with(likelihoods=own(), background=background(), settings=settings)


def tables_of(knowledge: Knowledge, *, sparse: bool) -> Tables:
    stated, _ = stated_of(knowledge.conditions, FEATURES, own(), background(), knowledge.settings)
    return Tables(knowledge.conditions, stated, knowledge.settings, sparse=sparse)


def rows_of(matrix: Matrix) -> int:
    return len(matrix.base) if isinstance(matrix, Sparse) else len(matrix.array)


@pytest.mark.parametrize("name", ["terms", "variances", "forecast", "roots"])
def test_a_sparse_matrix_gives_the_numbers_of_the_dense_one(name: str) -> None:
    knowledge = with_background()
    dense, sparse = (getattr(tables_of(knowledge, sparse=kind), name) for kind in (False, True))
    count = rows_of(dense)
    some = [0, count - 1, count // 2]

    assert (type(dense), type(sparse)) == (Dense, Sparse)
    assert rows_of(sparse) == count
    np.testing.assert_allclose(sparse[:], dense[:], rtol=0, atol=1e-12)
    np.testing.assert_allclose(sparse[some], dense[some], rtol=0, atol=1e-12)
    np.testing.assert_allclose(sparse[1], dense[1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(sparse.total(some), dense.total(some), rtol=0, atol=1e-12)
    if name not in ("terms", "variances"):
        for weights in np.array([[0.5, 0.3, 0.2], [1, 0, 0], [0, 0, 1], [1e-300, 0, 1]]):
            np.testing.assert_allclose(sparse @ weights, dense @ weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
def test_what_is_not_stated_is_what_the_background_says(sparse: bool) -> None:
    told, filled = with_background(), knowledge_with(likelihoods=whole())
    told.tables = tables_of(told, sparse=sparse)

    for person in pool_of(filled, seed=2, count=30).people:
        said = Evidence(list(person.items())[::2])
        here, there = Standing(told, said), Standing(filled, said)
        np.testing.assert_allclose(posterior(told, said), posterior(filled, said), atol=1e-12)
        prospect, other = outlook(here), outlook(there)
        np.testing.assert_allclose(prospect.gains, other.gains, atol=1e-12)
        np.testing.assert_allclose(worths(told, prospect), worths(filled, other), atol=1e-12)
        assert next_step(told, said) == next_step(filled, said)
        assert receipt(outcome(told, said)) == receipt(outcome(filled, said))


def test_a_likelihood_can_be_looked_up_whether_it_is_stated_or_not() -> None:
    knowledge = with_background()
    fever, yes = FeatureKey("fever"), OptionKey("yes")

    assert knowledge.likelihoods[ConditionKey("tumour"), fever, yes].probability == 0.2
    assert knowledge.likelihoods[ConditionKey("strain"), fever, yes].probability == 0.1
    with pytest.raises(KeyError):
        knowledge.likelihoods[ConditionKey("strain"), fever, OptionKey("purple")]


def test_little_that_differs_is_kept_as_little() -> None:
    many = [
        replace(CONDITIONS[0], key=ConditionKey(f"c{place}"), prior=0.01) for place in range(100)
    ]
    lump = {
        (ConditionKey("c7"), FeatureKey("lump"), OptionKey(key)): Likelihood(p)
        for key, p in (("one", 0.2), ("no_lump", 0.8))
    }

    knowledge = knowledge_with(
        conditions=many, groups=(), likelihoods=lump, background=background()
    )

    assert isinstance(knowledge.tables.forecast, Sparse)
    found = posterior(knowledge, Evidence([(FeatureKey("lump"), chosen("no_lump"))]))
    assert int(found.argmax()) == 7


FAULTS: dict[str, tuple[Usual, str]] = {
    "missing": (
        {(FeatureKey("fever"), OptionKey("yes")): Likelihood(float("nan"))},
        (
            "The likelihood of “the background” / “fever” / “yes” is nan: "
            "it must be above 0 and below 1."
        ),
    ),
    "sum": (
        {(FeatureKey("fever"), OptionKey("yes")): Likelihood(0.3)},
        "The likelihoods of “the background” / “fever” add up to 1.200000, not 1.",
    ),
    "strange": (
        {(FeatureKey("mood"), OptionKey("good")): Likelihood(0.3)},
        "There is a likelihood of “the background” / “mood” / “good”, which is not in the topic.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_background_that_is_not_sound_is_refused(fault: str) -> None:
    changed, sentence = FAULTS[fault]

    with pytest.raises(Unsound) as refused:
        knowledge_with(likelihoods=own(), background={**background(), **changed})

    assert sentence in refused.value.faults


def test_a_background_must_say_something_of_every_option() -> None:
    usual = background()
    del usual[FeatureKey("skin"), OptionKey("red")]

    with pytest.raises(Unsound) as refused:
        knowledge_with(likelihoods=own(), background=usual)

    assert refused.value.faults == (
        "The likelihood of “the background” / “skin” / “red” is missing.",
    )


def test_what_a_condition_states_and_the_background_must_go_together() -> None:
    """It states that one person in ten has a lump, and the background that 5 % have none."""
    cells = own()
    del cells[ConditionKey("strain"), FeatureKey("lump"), OptionKey("no_lump")]

    with pytest.raises(Unsound) as refused:
        knowledge_with(likelihoods=cells, background=background())

    assert refused.value.faults == (
        "The likelihoods of “strain” / “lump” add up to 0.350000, not 1.",
    )


def test_roots_in_single_precision_ask_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where two features are worth the same: what is close is settled in double precision."""
    double = trace(Knowledge(**twins()))

    monkeypatch.setattr(tables, "MOST_DOUBLE", 0)
    single = Knowledge(**twins())

    assert single.tables.rounding > 0
    assert trace(single) == double


def test_among_very_many_conditions_a_list_is_worth_its_options_and_at_most_all_that_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = knowledge_with()
    monkeypatch.setattr(selection, "MOST_PAIRED", 0)
    monkeypatch.setattr(selection, "MOST_CROSSED", 0)
    place = exact.tables.place[FeatureKey("skin")]

    for person in pool_of(exact, seed=6, count=20).people:
        standing = Standing(exact, Evidence(list(person.items())[:5]))
        prospect = outlook(standing)
        roots = np.sqrt(prospect.weights)
        options = [
            sum(
                float(np.sqrt(exact.tables.outcomes[row]) @ roots) ** 2
                for row in (first, first + 1)
            )
            for first in exact.tables.outcomes_at(place)[::2]
        ]
        left = 2 * np.log(roots.sum())
        entropy = -float(prospect.weights @ np.log(prospect.weights))

        bound = min(left, sum(left - np.log(option) for option in options))
        assert worths(exact, prospect)[place] == pytest.approx(bound, abs=1e-12)
        told = selection.gain_of(exact, prospect, exact.feature(FeatureKey("skin")))
        assert told == pytest.approx(min(float(prospect.gains[place]), entropy), abs=1e-12)
