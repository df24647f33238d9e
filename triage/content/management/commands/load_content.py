from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.fixtures import UnfitFixture, load_topic, topic_folders


class Command(BaseCommand):
    help = "Load the topics that the fixtures hold. What staff have edited since stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--replace",
            action="store_true",
            help="Throw away the drafts and load the fixtures in their place. Releases stay.",
        )

    def handle(self, *, replace: bool, **options: Any) -> None:
        for folder in topic_folders():
            try:
                loaded = load_topic(folder, replace=replace)
            except UnfitFixture as unfit:
                raise CommandError(f"{folder.name}: {unfit}") from unfit
            self.stdout.write(
                f"{folder.name}: loaded."
                if loaded
                else f"{folder.name}: already there, nothing was changed."
            )
