"""How cost grows is measured on packs that say what they should."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from bench._aside import aside
from bench._bars import Goal, print_goals
from bench._ours import Ours
from bench._packs import Size, parts_of, replied
from bench.scale import megabytes
from triage.engine import Knowledge
from triage.engine.matrices import Dense, Sparse

ROOT = Path(__file__).parents[1]


def test_a_sparse_pack_says_what_the_whole_of_it_says() -> None:
    parts = parts_of(Size(30, 20, 3, own=2))
    background = parts["background"]
    whole = {
        (condition.key, *pair): parts["likelihoods"].get((condition.key, *pair), cell)
        for condition in parts["conditions"]
        for pair, cell in background.items()
    }
    sparse = replied("sparse", Knowledge(**parts), people=10)
    dense = replied("dense", Knowledge(**{**parts, "likelihoods": whole}), people=10)

    assert (type(sparse.knowledge.tables.roots), type(dense.knowledge.tables.roots)) == (
        Sparse,
        Dense,
    )
    assert sparse.variables == dense.variables
    for turn in range(10):
        ours, others = Ours(sparse), Ours(dense)
        assert ours.next_question(turn) == others.next_question(turn)
        assert np.abs(ours.posterior(turn) - others.posterior(turn)).max() < 1e-12
        assert np.abs(ours.update(turn) - ours.posterior(turn)).max() < 1e-12


def test_what_takes_too_long_is_ended_and_what_it_found_is_kept() -> None:
    def slow() -> Iterator[int]:
        yield 1
        sleep(60)
        yield 2

    started = monotonic()

    assert aside(slow, seconds=1) == [1]
    assert monotonic() - started < 30


def test_what_is_done_in_time_is_all_found() -> None:
    assert aside(lambda: iter([1, 2, 3]), seconds=30) == [1, 2, 3]


def test_compiled_arrays_are_counted_once() -> None:
    knowledge = Knowledge(**parts_of(Size(10, 4, 2)))
    cells = 10 * 4 * 2

    # terms, variances and roots, outcomes with an entropy for each feature, and the priors
    expected = 8 * (4 * cells + 10 * 4 + 2 * 10)
    assert expected / 1e6 <= megabytes(knowledge.tables) <= (expected + 200) / 1e6


def test_a_goal_that_cannot_be_had_is_short_of_its_gate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_goals(
        "goals",
        [
            Goal("faster", 5, "at least", 4, 6),
            Goal("smaller", 3, "at most", 4, 3.5),
            Goal("unknown", None, "at most", 4),
        ],
    )

    printed = capsys.readouterr().out
    assert "| faster | 5 | at least 4 | yes | 6 | no |" in printed
    assert "| smaller | 3 | at most 4 | yes | 3.5 | yes |" in printed
    assert printed.endswith("Short of the gate: unknown.\n")


def test_what_is_there_before_the_workers_fork_is_left_alone_by_their_collections(
    tmp_path: Path,
) -> None:
    frozen = subprocess.check_output(
        [sys.executable, "-c", "import gc, triage.wsgi; print(gc.get_freeze_count())"],
        cwd=ROOT,
        env={**os.environ, "DEBUG_HTTP": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite3"},
        text=True,
    )

    assert int(frozen.splitlines()[-1]) > 10_000
