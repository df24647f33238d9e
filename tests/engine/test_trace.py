"""The same questions, reasons and receipts on every machine, to the byte.

After a change of content or engine that is meant: UPDATE_GOLDEN=1 pytest tests/engine/test_trace.py
"""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from triage.engine import Knowledge

from .traces import Parts, parts_of, trace, traces, twins

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "traces.json"
THREADS = 3


def other_machines() -> dict[str, dict[str, str]]:
    """Return settings under which numpy adds up in another order, or takes logarithms another way:
    what another machine does by itself. Kernels that this one cannot run are left out."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    plain = {"NPY_DISABLE_CPU_FEATURES": " ".join(found)} if found else {}
    machines = {
        "Prescott": {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_NUM_THREADS": "2"},
        "Nehalem": {"OPENBLAS_CORETYPE": "Nehalem", **plain},
        "no vectors": {"OPENBLAS_NUM_THREADS": "1", **plain},
    }
    if "X86_V3" in found:
        machines["Haswell"] = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1"}
    if "X86_V4" in found:
        machines["SkylakeX"] = {"OPENBLAS_CORETYPE": "SkylakeX", "OPENBLAS_NUM_THREADS": "2"}
    return machines


MACHINES = other_machines()


@pytest.fixture(scope="module")
def topics(linked: Knowledge, shipped: Knowledge) -> dict[str, Parts]:
    return {"small": parts_of(linked), "shipped": parts_of(shipped), "twins": twins()}


@pytest.fixture(scope="module")
def here(topics: dict[str, Parts]) -> dict[str, str]:
    return traces(topics)


@pytest.fixture(scope="module")
def elsewhere(topics: dict[str, Parts]) -> dict[str, tuple[dict[str, str], str]]:
    """What other machines make of the same topics: their traces, and how their numbers end."""
    told = pickle.dumps(topics)

    def asked(settings: dict[str, str]) -> tuple[dict[str, str], str]:
        quiet = {"PYTHONWARNINGS": "ignore::ImportWarning"}  # numpy names what it leaves out
        run = subprocess.run(
            [sys.executable, "-m", "tests.engine.traces"],
            cwd=ROOT,
            env={**os.environ, **quiet, **settings, "PYTHONHASHSEED": "random"},
            input=told,
            stdout=subprocess.PIPE,
            check=True,
        )
        found, bits = json.loads(run.stdout)
        return found, bits

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(MACHINES, pool.map(asked, MACHINES.values()), strict=True))


def test_it_is_the_same_when_asked_again(topics: dict[str, Parts], here: dict[str, str]) -> None:
    assert traces(topics) == here


def test_it_is_the_same_for_many_threads_with_the_same_knowledge(
    topics: dict[str, Parts], here: dict[str, str]
) -> None:
    """What the knowledge remembers it has not yet met, so all of them find it out at once."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for name, parts in topics.items():
            knowledge, together = Knowledge(**parts), Barrier(THREADS)

            def walk(_: int, knowledge: Knowledge = knowledge, start: Barrier = together) -> str:
                start.wait()
                return trace(knowledge)

            with ThreadPoolExecutor(THREADS) as pool:
                assert set(pool.map(walk, range(THREADS))) == {here[name]}
    finally:
        sys.setswitchinterval(usual)


@pytest.mark.parametrize("machine", MACHINES)
def test_it_is_the_same_on_another_machine(
    here: dict[str, str], elsewhere: dict[str, tuple[dict[str, str], str]], machine: str
) -> None:
    found, _ = elsewhere[machine]

    for name, lines in here.items():
        assert found[name].splitlines() == lines.splitlines()


@pytest.mark.skipif("Haswell" not in MACHINES, reason="the kernels named are those of newer x86")
def test_those_machines_do_differ_in_the_last_bits(
    elsewhere: dict[str, tuple[dict[str, str], str]],
) -> None:
    bits = {name: bits for name, (_, bits) in elsewhere.items()}

    assert bits["Prescott"] != bits["no vectors"] != bits["Nehalem"] != bits["Prescott"]


def digests(here: dict[str, str]) -> dict[str, str]:
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in here.items()}


@pytest.mark.skipif("UPDATE_GOLDEN" not in os.environ, reason="only to write the file anew")
def test_write_the_golden_traces(here: dict[str, str]) -> None:
    GOLDEN.write_text(json.dumps(digests(here), indent=1) + "\n")


def test_it_is_as_on_file_from_whatever_machine_that_came(here: dict[str, str]) -> None:
    assert digests(here) == json.loads(GOLDEN.read_text())
