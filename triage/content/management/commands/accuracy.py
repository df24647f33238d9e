from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.evaluation.accuracy import page
from triage.evaluation.simulation import simulated

from .evaluate import add_topic, cases_of, live_knowledge, only_topic

PAGE = settings.BASE_DIR / "docs" / "accuracy.md"
CASES = settings.BASE_DIR / "tests" / "cases"
PEOPLE = 500
SEED = 2024


class Command(BaseCommand):
    help = "Write docs/accuracy.md: every figure, measured anew on what is live."

    def add_arguments(self, parser: CommandParser) -> None:
        add_topic(parser)
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit 1 if the page is out of date"
        )

    def handle(self, *, topic: str | None, check: bool, **options: Any) -> str:
        topic = topic or only_topic()
        knowledge = live_knowledge(topic)
        paths = sorted((CASES / topic).glob("*.jsonl"))
        files = {path.stem: cases_of(path, knowledge) for path in paths}
        people = tuple(simulated(knowledge, np.random.default_rng(SEED), PEOPLE))
        text = page(knowledge, files, people, SEED)
        if not check:
            PAGE.write_text(text, encoding="utf-8")
            return f"{PAGE} is written."
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            raise CommandError(f"{PAGE} is out of date: run “python3 dev.py manage accuracy”.")
        return f"{PAGE} is up to date."
