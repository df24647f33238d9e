from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.calibration import knowledge_sha256, measured
from triage.content.documents import compile_release
from triage.content.knowledge import knowledge_from
from triage.content.models import Topic
from triage.engine import Unsound
from triage.evaluation.reliability import Recorded, to_json

from .evaluate import add_topic, cases_of, only_topic


class Command(BaseCommand):
    help = (
        "Measure the drafts on people whose cause was found out, and print what a calibration"
        " study is entered with: how many they are, the hash of the numbers, and the table."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cases", type=Path, metavar="CASES.jsonl", help="one person a line")
        add_topic(parser)

    def handle(self, *, cases: Path, topic: str | None, **options: Any) -> str:
        key = topic or only_topic()
        try:
            document = compile_release(Topic.objects.get(key=key))
            knowledge = knowledge_from(document)
        except Topic.DoesNotExist:
            raise CommandError(f"There is no topic “{key}”.") from None
        except Unsound as unsound:
            raise CommandError("\n".join(unsound.faults)) from None
        try:
            people, reliability = measured(knowledge, cases_of(cases, knowledge))
        except ValueError:
            raise CommandError("Nobody in it has a known cause and was told any.") from None
        table = Recorded(
            f"{key}, {people} people",
            f"Every cause that the last page listed for {people} people of {cases.name}.",
            reliability,
        )
        return (
            f"Number of people: {people}\n"
            f"Hash of the numbers: {knowledge_sha256(document)}\n"
            f"{reliability.sentence}\n\n{to_json(table)}"
        )
