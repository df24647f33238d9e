"""Interviews by the engine's own choice of questions, of people whose every reply is known."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter

from triage.engine import Ask, Evidence, FeatureKey, Knowledge, next_step
from triage.evaluation.intervals import Share
from triage.evaluation.reliability import Recorded, Reliability, to_json

ROOT = Path(__file__).resolve().parent.parent


class Asking:
    """What one topic asks. Whoever replied the same is asked the same, so that the first questions,
    which are many people's, are worked out once.

    seconds  what each choice took that was worked out
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.seconds: list[float] = []
        self._chosen: dict[Evidence, FeatureKey | None] = {}

    def next_question(self, said: Evidence) -> FeatureKey | None:
        if said not in self._chosen:
            started = perf_counter()
            step = next_step(self.knowledge, said)
            self.seconds.append(perf_counter() - started)
            self._chosen[said] = step.feature if isinstance(step, Ask) else None
        return self._chosen[said]

    def interview(self, whole: Evidence, said: Evidence, most: int) -> Iterator[Evidence]:
        """Yield what one person said at first and after each question, until none is left or so
        many were asked."""
        yield said
        for _ in range(most):
            feature = self.next_question(said)
            reply = None if feature is None else whole.get(feature)
            if feature is None or reply is None:
                return
            said = said.set(feature, reply)
            yield said


def per_cent(share: Share) -> str:
    low, high = share.interval
    return f"{100 * share.value:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def take_folder(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("BENCH_DATA", ROOT.parent / "shared" / "bench")),
        metavar="DIR",
        help="the folder of the files to measure with, which are no part of the project",
    )


def file_in(folder: Path, name: str) -> Path:
    """Return the file's path; end with a sentence and status 2 if there is no such file."""
    path = folder / name
    if not path.is_file():
        print(
            f"There is no {path}: name the folder that holds {name} with --data.", file=sys.stderr
        )
        raise SystemExit(2)
    return path


def record(name: str, title: str, about: str, claims: Iterable[tuple[float, bool]]) -> None:
    """Write the calibration where the pages about accuracy look for it."""
    path = ROOT / "docs" / "calibration" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    recorded = Recorded(title, about, Reliability.of(claims))
    path.write_text(to_json(recorded), encoding="utf-8", newline="\n")
    print(f"\nRecorded in {path.relative_to(ROOT)}.")
