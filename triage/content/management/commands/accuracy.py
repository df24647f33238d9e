from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.releases import live_release
from triage.engine import ENGINE_VERSION, Knowledge
from triage.evaluation.accuracy import (
    calibration,
    calibrations,
    measure,
    page,
    with_calibration,
)
from triage.evaluation.cases import Case
from triage.evaluation.reliability import Recorded, from_json, svg, to_json
from triage.evaluation.simulation import simulated
from triage.evaluation.stamps import digest, is_current, stamped, traces, unstamped

from .evaluate import add_topic, cases_of, live_knowledge, only_topic

PAGE = settings.BASE_DIR / "docs" / "accuracy.md"
CALIBRATION = settings.BASE_DIR / "docs" / "calibration"
CASES = settings.BASE_DIR / "tests" / "cases"
PEOPLE = 1000
WORLDS = 20
PROBES = 50
SEED = 2024


class Command(BaseCommand):
    help = "Write docs/accuracy.md and its diagrams: every figure, measured anew on what is live."

    def add_arguments(self, parser: CommandParser) -> None:
        add_topic(parser)
        parser.add_argument(
            "--check",
            action="store_true",
            help="write nothing; exit 1 if the page or a diagram is out of date",
        )
        parser.add_argument(
            "--records",
            action="store_true",
            help="take in what benchmarks recorded since, and measure nothing anew",
        )

    def handle(self, *, topic: str | None, check: bool, records: bool, **options: Any) -> str:
        topic = topic or only_topic()
        knowledge = live_knowledge(topic)
        paths = sorted((CASES / topic).glob("*.jsonl"))
        files = {path.stem: cases_of(path, knowledge) for path in paths}
        few = simulated(knowledge, np.random.default_rng(SEED), PROBES)
        inputs = _inputs(topic, knowledge, [*chain(*files.values()), *few])
        if check:
            if stale := _stale(recorded(), inputs):
                names = ", ".join(str(path) for path in stale)
                raise CommandError(f"Out of date: {names}. Run “python3 dev.py manage accuracy”.")
            return f"{PAGE} and its diagrams are up to date."
        if records:
            if not is_current(_text(PAGE), inputs):
                raise CommandError(f"{PAGE} is out of date: run this without --records.")
            text = with_calibration(unstamped(_text(PAGE)), recorded())
        else:
            people = tuple(simulated(knowledge, np.random.default_rng(SEED), PEOPLE))
            measured = measure(knowledge, people, SEED, WORLDS)
            _record(topic, calibrations(knowledge, topic, people, measured))
            text = page(knowledge, files, measured, recorded())
        drawn = _drawn(recorded())
        for path, drawing in drawn.items():
            path.write_text(drawing, encoding="utf-8")
        PAGE.write_text(stamped(text, inputs), encoding="utf-8")
        return f"{PAGE} is written, with {len(drawn)} diagrams in {CALIBRATION}."


def recorded() -> dict[str, Recorded]:
    """Return every calibration on record, of the content and of benchmarks, by its name."""
    found = {}
    for path in sorted(CALIBRATION.glob("*.json")):
        try:
            found[path.stem] = from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{path} is no record of a calibration: {error!r}.") from None
    return found


def _record(topic: str, records: Mapping[str, Recorded]) -> None:
    """Write the records of the topic, and take away those that it has no longer."""
    CALIBRATION.mkdir(exist_ok=True)
    for path in [*CALIBRATION.glob(f"{topic}-*.json"), *CALIBRATION.glob(f"{topic}-*.svg")]:
        if path.stem not in records:
            path.unlink()
    for name, record in records.items():
        (CALIBRATION / f"{name}.json").write_text(to_json(record), encoding="utf-8")


def _inputs(topic: str, knowledge: Knowledge, probes: Iterable[Case]) -> str:
    """Return a digest of all that is measured here, as far as a few seconds can tell."""
    release, counts = live_release(topic).sha256, f"{PEOPLE} {WORLDS} {SEED}"
    return digest([release, ENGINE_VERSION, counts, traces(knowledge, probes)])


def _drawn(records: Mapping[str, Recorded]) -> dict[Path, str]:
    return {
        CALIBRATION / f"{name}.svg": svg(record.title, record.reliability)
        for name, record in records.items()
    }


def _stale(records: Mapping[str, Recorded], inputs: str) -> list[Path]:
    drawn = _drawn(records)
    stale = [path for path, text in drawn.items() if _text(path) != text]
    stale.extend(path for path in CALIBRATION.glob("*.svg") if path not in drawn)
    text = _text(PAGE)
    if not is_current(text, inputs) or calibration(records) not in text:
        stale.append(PAGE)
    return stale


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
