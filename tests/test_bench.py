"""The benchmarks measure what they say, in sizes too small to time anything."""

from itertools import pairwise

import pytest

from bench._bars import Bar, print_bars
from bench._clock import Timings, alternating
from bench._packs import Pack, drawn, shipped, untempered
from bench._plain import Plain
from bench._topics import shipped_topics
from bench.engine import Ours, disagreement_with_plain


@pytest.fixture(scope="module")
def back_lump() -> Pack:
    return shipped("back-lump", shipped_topics()["back-lump"], people=15)


def test_plain_python_agrees_with_the_engine_on_a_drawn_pack() -> None:
    pack = drawn(7, 12, 3, people=10)

    assert max(disagreement_with_plain(pack, 10)) < 1e-9


def test_plain_python_agrees_with_the_engine_on_the_shipped_content(back_lump: Pack) -> None:
    assert back_lump.knowledge.settings.temper < 1
    assert max(disagreement_with_plain(back_lump, 15)) < 1e-9


def test_plain_python_asks_what_the_engine_would_ask(back_lump: Pack) -> None:
    pack = untempered(back_lump)
    ours, plain = Ours(pack), Plain(pack)

    asked = [ours.next_question(turn) for turn in range(15)]

    assert asked == [plain.next_question(turn) for turn in range(15)]
    assert len(set(asked)) > 1


def test_everybody_in_a_pack_differs_from_the_one_before(back_lump: Pack) -> None:
    for pack in (back_lump, drawn(7, 12, 3, people=10)):
        people = pack.replies
        assert all(one != other for one, other in pairwise(people))
        assert {len(person) for person in people} == {10}


def test_calls_alternate_and_each_is_told_its_turn() -> None:
    seen: list[tuple[str, int]] = []

    timings = alternating(
        {"a": lambda turn: seen.append(("a", turn)), "b": lambda turn: seen.append(("b", turn))},
        rounds=2,
        each=2,
    )

    assert seen == [(name, turn) for turn in range(4) for name in "ab"]
    assert len(timings.rounds["a"]) == len(timings.rounds["b"]) == 2


def test_a_ratio_is_the_median_of_the_ratios_within_each_round() -> None:
    timings = Timings({"a": (2.0, 40.0, 9.0), "b": (1.0, 10.0, 3.0)})

    assert timings.ratio("a", "b") == 3.0


def test_what_falls_short_of_its_bar_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_bars(
        "bars",
        [
            Bar("faster", 3, "at least", 4),
            Bar("smaller", 3, "at most", 4),
            Bar("slower", 5, "at most", 4),
        ],
    )

    assert capsys.readouterr().out.endswith("Short of the bar: faster; slower.\n")
