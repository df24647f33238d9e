from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.releases import live_release
from triage.engine import ENGINE_VERSION, Knowledge, Number
from triage.evaluation.cases import Case
from triage.evaluation.simulation import simulated
from triage.evaluation.stamps import digest, is_current, stamped, traces
from triage.evaluation.triage import AGE, People, by_thresholds
from triage.evaluation.triage_page import CURVE, curve, page

from .evaluate import add_topic, live_knowledge, only_topic

PAGE = settings.BASE_DIR / "docs" / "triage.md"
PEOPLE = 10_000
OF_EACH = 100
CHILDREN = 500
PROBES = 50
SEED = 2025


class Command(BaseCommand):
    help = "Write docs/triage.md: who is sent too low and too high, and what would change it."

    def add_arguments(self, parser: CommandParser) -> None:
        add_topic(parser)
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit 1 if the page is out of date"
        )

    def handle(self, *, topic: str | None, check: bool, **options: Any) -> str:
        topic = topic or only_topic()
        knowledge = live_knowledge(topic)
        drawing = PAGE.with_name(CURVE)
        if check:
            if not is_current(_text(PAGE), _inputs(topic, knowledge, _text(drawing))):
                raise CommandError(
                    f"{PAGE} is out of date: run “python3 dev.py manage triage_report”."
                )
            return f"{PAGE} is up to date."
        chance = np.random.default_rng(SEED)
        people = People.of(knowledge, tuple(simulated(knowledge, chance, PEOPLE)))
        each = People.of(knowledge, tuple(_of_each(knowledge, chance)))
        few = simulated(knowledge, chance, CHILDREN)
        children = People.of(knowledge, tuple(as_children(few, chance)))
        about = (
            f"{PEOPLE} people drawn by the priors, {OF_EACH} more of every condition for the"
            f" figures by condition, and {CHILDREN} who were given an age of 5 to 15, though the"
            f" tables are those of adults (seed {SEED})."
        )
        text = page(people, each, children, about)
        drawn = curve("What the thresholds trade", by_thresholds(people))
        drawing.write_text(drawn, encoding="utf-8")
        PAGE.write_text(stamped(text, _inputs(topic, knowledge, drawn)), encoding="utf-8")
        return f"{PAGE} is written."


def _inputs(topic: str, knowledge: Knowledge, drawn: str) -> str:
    """Return a digest of all that the figures hang on, as far as a second can tell."""
    few = simulated(knowledge, np.random.default_rng(SEED), PROBES)
    counts = f"{PEOPLE} {OF_EACH} {CHILDREN} {SEED}"
    release = live_release(topic).sha256
    return digest([release, ENGINE_VERSION, counts, traces(knowledge, few), drawn])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _of_each(knowledge: Knowledge, chance: np.random.Generator) -> Iterator[Case]:
    for condition in knowledge.conditions:
        yield from simulated(knowledge, chance, OF_EACH, condition=condition.key)


def as_children(cases: Iterable[Case], chance: np.random.Generator) -> Iterator[Case]:
    """Yield the same people at an age of 5 to 15."""
    for case in cases:
        age = Number(5 + int(11 * chance.random()))
        yield replace(case, evidence=case.evidence.set(AGE, age))
