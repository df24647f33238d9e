from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.knowledge import Tampered
from triage.handover.receipt import CannotReplay, replay


class Command(BaseCommand):
    help = (
        "Work out the outcome of a receipt anew, from its release and its answers, and print it to"
        " the byte as it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the receipt, as the desk gave it")

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            text = replay(file.read_bytes())
        except OSError as error:
            raise CommandError(f"“{file}” cannot be read: {error.strerror}.") from error
        except (CannotReplay, Tampered) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(text, ending="")
