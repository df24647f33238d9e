"""What is measured on networks and made packs is read, drawn and built as it says."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from bench._asking import Asking, file_in
from bench._networks import (
    FLOOR,
    Network,
    causes_of,
    drawn,
    evidence_of,
    knowledge_of,
    posteriors,
    priors_of,
    read_bif,
)
from bench.pathfinder import ALL, asked, claims, compared, sitting
from bench.symcat import FLOOR as ABSENT
from bench.symcat import (
    YES,
    Place,
    Sitting,
    chances,
    lengths,
    pack,
    patients,
    place_of,
    ranked,
    run,
)
from triage.engine import (
    Chosen,
    ConditionKey,
    Evidence,
    FeatureKey,
    OptionKey,
    posterior,
)

CHAIN = """
network unknown {
}
variable rash {
  type discrete [ 2 ] { no, yes };
}
variable illness {
  type discrete [ 2 ] { cold, measles };
}
variable fever {
  type discrete [ 3 ] { none, mild, high };
}
probability ( rash | fever, illness ) {
  (none, cold) 0.99, 0.01;
  (mild, cold) 0.98, 0.02;
  (high, cold) 0.9, 0.1;
  (none, measles) 0.5, 0.5;
  (mild, measles) 0.3, 0.7;
  (high, measles) 0.1, 0.9;
}
probability ( illness ) {
  table 0.8, 0.2;
}
probability ( fever | illness ) {
  (measles) 0.1, 0.3, 0.6;
  (cold) 0.7, 0.2, 0.1;
}
"""

BELOW = """
variable season { type discrete [ 2 ] { summer, winter }; }
variable cold { type discrete [ 2 ] { no, yes }; }
variable cough { type discrete [ 2 ] { no, yes }; }
variable age { type discrete [ 2 ] { young, old }; }
variable clothes { type discrete [ 2 ] { few, many }; }
probability ( season ) { table 0.5, 0.5; }
probability ( age ) { table 0.7, 0.3; }
probability ( cold | season, age ) {
  (summer, young) 0.9, 0.1;
  (winter, young) 0.6, 0.4;
  (summer, old) 0.8, 0.2;
  (winter, old) 0.5, 0.5;
}
probability ( cough | cold ) { (no) 0.95, 0.05; (yes) 0.3, 0.7; }
probability ( clothes | season ) { (summer) 0.8, 0.2; (winter) 0.1, 0.9; }
"""
"""A network whose condition, the cold, hangs on two of its findings."""


@pytest.fixture
def chain() -> Network:
    return read_bif(CHAIN)


@pytest.fixture
def below() -> Network:
    return read_bif(BELOW)


def test_a_network_is_read_with_parents_first_and_rows_where_they_belong(chain: Network) -> None:
    assert [node.name for node in chain.nodes] == ["illness", "fever", "rash"]
    assert chain["fever"].states == ("none", "mild", "high")
    assert chain["fever"].table.tolist() == [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]
    assert chain["rash"].parents == ("fever", "illness")
    assert chain["rash"].table[2].tolist() == [[0.9, 0.1], [0.1, 0.9]]


def test_a_table_with_a_row_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="“rash” is not complete"):
        read_bif(CHAIN.replace("(mild, cold) 0.98, 0.02;", ""))


def test_arcs_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        read_bif(
            BELOW.replace("( season )", "( season | clothes )").replace(
                "table 0.5, 0.5;", "(few) 0.5, 0.5; (many) 0.5, 0.5;"
            )
        )


def test_what_is_drawn_has_the_frequencies_of_the_network(chain: Network) -> None:
    people = drawn(chain, 40_000, seed=4)
    joint = np.zeros((2, 3, 2))

    np.add.at(joint, (people["illness"], people["fever"], people["rash"]), 1 / 40_000)

    illness, fever, rash = (node.table for node in chain.nodes)
    true = illness[:, None, None] * fever[:, :, None] * rash.transpose(1, 0, 2)
    spread = np.sqrt(true * (1 - true) / 40_000)
    assert (np.abs(joint - true) < 5 * spread).all()


def test_a_seed_draws_the_same_people_however_many_are_wanted(chain: Network) -> None:
    few, many = drawn(chain, 10, seed=9), drawn(chain, 1000, seed=9)

    assert all((few[name] == many[name][:10]).all() for name in few)
    assert many["fever"].tolist() != drawn(chain, 1000, seed=8)["fever"].tolist()


def test_parts_are_what_the_condition_sets_apart(chain: Network, below: Network) -> None:
    def names(network: Network, condition: str) -> list[list[str]]:
        return [[node.name for node in part] for part in network.parts(condition)]

    assert names(chain, "illness") == [["fever", "rash"]]
    assert names(chain, "fever") == [["illness", "rash"]]
    assert names(below, "cold") == [["season", "age", "clothes"], ["cough"]]


def test_the_prior_of_a_condition_that_hangs_on_findings_is_summed_over_them(
    below: Network,
) -> None:
    cold = 0.5 * (0.7 * 0.1 + 0.3 * 0.2) + 0.5 * (0.7 * 0.4 + 0.3 * 0.5)

    assert priors_of(below, "cold").tolist() == pytest.approx([1 - cold, cold], abs=1e-12)


@pytest.mark.parametrize("states", [1, 2, 3])
def test_summed_over_the_hidden_cause_every_finding_is_as_likely_as_in_the_network(
    chain: Network, states: int
) -> None:
    rash = [0.7 * 0.01 + 0.2 * 0.02 + 0.1 * 0.1, 0.1 * 0.5 + 0.3 * 0.7 + 0.6 * 0.9]

    knowledge = knowledge_of(chain, "illness", causes_of(chain, "illness", states))

    for key, chance in zip(("cold", "measles"), rash, strict=True):
        cell = (ConditionKey(key), FeatureKey("rash"), OptionKey("yes"))
        assert knowledge.likelihoods[cell].probability == pytest.approx(chance, abs=2 * FLOOR)
    assert [len(syndrome.states) for syndrome in knowledge.syndromes] == [states] * (states > 1)


@pytest.mark.parametrize(("text", "condition"), [(CHAIN, "illness"), (BELOW, "cold")])
def test_with_states_enough_the_posterior_is_that_of_the_network(text: str, condition: str) -> None:
    network = read_bif(text)
    others = [node for node in network.nodes if node.name != condition]
    grid = np.array(list(product(*(range(len(node.states)) for node in others))))
    people = {node.name: column for node, column in zip(others, grid.T, strict=True)}
    people[condition] = np.zeros(len(grid), dtype=np.intp)
    true = posteriors(network, condition, people)

    def off(states: int) -> float:
        knowledge = knowledge_of(network, condition, causes_of(network, condition, states))
        ours = [
            posterior(knowledge, evidence_of(network, condition, people, place))
            for place in range(len(grid))
        ]
        return float(np.abs(np.array(ours) - true).max())

    assert off(8) < 1e-4
    assert off(1) > 0.01


def test_the_posterior_of_everything_is_bayes_rule(chain: Network) -> None:
    people = {key: np.array([place]) for key, place in (("illness", 0), ("fever", 2), ("rash", 1))}

    found = posteriors(chain, "illness", people)

    cold, measles = 0.8 * 0.1 * 0.1, 0.2 * 0.6 * 0.9
    assert found[0].tolist() == pytest.approx([cold / (cold + measles), measles / (cold + measles)])


def test_whoever_replies_the_same_is_asked_the_same_at_no_cost(chain: Network) -> None:
    knowledge = knowledge_of(chain, "illness", causes_of(chain, "illness", 3))
    people = drawn(chain, 50, seed=2)
    asking = Asking(knowledge)

    for place in range(50):
        whole = evidence_of(chain, "illness", people, place)
        *_, last = asking.interview(whole, Evidence(), most=9)
        assert {key: last.get(key) for key, _ in last} == dict(whole)

    assert len(asking.seconds) <= 1 + 3 + 3 * 2


def test_an_interview_that_runs_out_of_questions_stays_where_it_ended(chain: Network) -> None:
    knowledge = knowledge_of(chain, "illness", causes_of(chain, "illness", 3))
    whole = evidence_of(chain, "illness", drawn(chain, 1, seed=2), 0)

    known = sitting(Asking(knowledge), whole, (1, 2, 30))

    assert [len(said) for said in known.values()] == [1, 2, 2, 2]
    assert list(known) == [*map(asked, (1, 2, 30)), ALL]


def test_a_claim_is_right_if_the_first_is_the_true_one() -> None:
    found = claims(np.array([[0.9, 0.1], [0.4, 0.6]]), [0, 0])

    assert found.pairs == ((0.9, True), (0.6, False))
    assert found.apart == pytest.approx(0.25)
    assert compared({"one": {ALL: found}}).rows[0][:3] == (ALL, "one", "2")


def test_a_file_that_is_not_there_is_named_with_the_flag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        file_in(tmp_path, "pathfinder.bif.gz")

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "pathfinder.bif.gz" in said
    assert "--data" in said
    assert said.count("\n") == 1


def test_a_made_pack_and_its_patients_are_the_same_from_the_same_seed() -> None:
    def made(seed: int) -> tuple[list[float], list[tuple[int, FeatureKey, Evidence]]]:
        chance = np.random.default_rng(seed)
        table = chances(30, 60, chance)
        people = patients(table, 20, chance)
        return table.ravel().tolist(), [(p.truth, p.first, p.whole) for p in people]

    assert made(1) == made(1)
    assert made(1) != made(2)
    # Worked out once: a change of the generator is a change of every figure that was recorded.
    table = chances(30, 60, np.random.default_rng(1))
    assert (int((table > 0).sum()), round(float(table.sum()), 6)) == PACK


PACK = (329, 101.74312)


def test_patients_have_a_complaint_and_nothing_that_their_condition_lacks() -> None:
    chance = np.random.default_rng(3)
    table = chances(30, 60, chance)

    for person in patients(table, 200, chance):
        there = [isinstance(one, Chosen) and YES in one.options for _, one in person.whole]
        places = np.flatnonzero(there)
        assert int(person.first[1:]) in places
        assert (table[person.truth, places] > 0).all()


def test_a_finding_that_a_condition_lacks_is_next_to_impossible_not_more() -> None:
    knowledge = pack(np.array([[0.5, 0.0], [0.0, 0.5]]))

    cells = {
        key[0]: cell.probability
        for key, cell in knowledge.likelihoods.items()
        if key[1:] == ("f000", YES)
    }

    assert cells == {"c000": 0.5, "c001": ABSENT}


def test_equals_rank_in_the_order_of_the_topic() -> None:
    weights = np.array([0.2, 0.3, 0.2, 0.3])

    assert [place_of(weights, truth).rank for truth in range(4)] == [3, 1, 4, 2]
    assert place_of(weights, 0).lead == 0.3


def test_an_interview_is_as_long_as_it_takes_to_reach_the_stop() -> None:
    after = tuple(Place(rank, lead) for rank, lead in ((2, 0.4), (1, 0.92), (1, 0.8)))
    found = Sitting(after, known=Place(1, 0.99))

    assert [found.length(stop) for stop in (0.3, 0.9, 0.95)] == [0, 1, 2]
    assert [found.at(count).lead for count in (0, 1, 2, 20)] == [0.4, 0.92, 0.8, 0.8]


def test_a_small_run_fills_every_row() -> None:
    size = run(20, people=12, seed=1)

    assert (size.name, len(size.sittings)) == ("20 x 302", 12)
    assert len(ranked([size]).rows) == 6
    assert [row[1] for row in lengths([size]).rows] == ["0.9", "0.95"]
