from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.documents import compile_release
from triage.content.exchange import export_fixtures, export_topic
from triage.content.fixtures import files_of
from triage.content.models import Topic
from triage.content.topic_schema import written_schema


class Command(BaseCommand):
    help = "Write the drafts of a topic to a file that another site can import."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("topic", nargs="?", help="the key of the topic, such as back-lump")
        parser.add_argument(
            "--to",
            type=Path,
            help="a file: sealed JSON, or an archive where its name ends with .zip; or a folder"
            " that is there, for files as load_content reads them",
        )
        parser.add_argument(
            "--schema", action="store_true", help="write the JSON Schema of such a file instead"
        )

    def handle(self, *, topic: str | None, to: Path | None, schema: bool, **options: Any) -> str:
        if schema:
            return written_schema().rstrip("\n")
        if not topic or not to:
            raise CommandError("Say which topic, and with --to where it goes.")
        try:
            found = Topic.objects.get(key=topic)
        except Topic.DoesNotExist:
            raise CommandError(f"There is no topic “{topic}”.") from None
        try:
            _write(found, to)
        except OSError as error:
            raise CommandError(f"{to}: {error.strerror}") from None
        return f"“{topic}” is written to {to}."


def _write(topic: Topic, to: Path) -> None:
    if not to.is_dir():
        to.write_bytes(export_fixtures(topic) if to.suffix == ".zip" else export_topic(topic))
        return
    files = files_of(compile_release(topic))
    for name, text in files.items():
        (to / name).write_bytes(text)
    for old in to.glob("*.jsonl"):  # a part that has no rows any more
        if old.name not in files:
            old.unlink()
