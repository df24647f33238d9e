import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from triage.questionnaire import services


class Command(BaseCommand):
    help = "Delete every assessment that has expired, and every trace of it in SQLite's files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--every", type=int, metavar="SECONDS", help="Go on, once in so many seconds."
        )

    def handle(self, *, every: int | None, **options: Any) -> None:
        while True:
            count, overwritten = services.purge(now=timezone.now())
            self.stdout.write(f"{count} expired assessments deleted.")
            if not overwritten and not every:
                raise CommandError(
                    "Somebody was reading, so SQLite's log still holds copies. Run it again."
                )
            if not every:
                return
            time.sleep(every)
