from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.admission import Refused
from triage.content.exchange import AlreadyThere, import_topic


class Command(BaseCommand):
    help = "Import a topic from a file that export_topic wrote: all of it, or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--why", required=True, help="for the record")
        parser.add_argument("--by", help="user name of who imports it, for the record")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="make the drafts that are there what the file says. Releases stay.",
        )

    def handle(self, *, file: Path, why: str, by: str | None, replace: bool, **options: Any) -> str:
        try:
            who = User.objects.get(username=by) if by else None
            topic = import_topic(file.read_bytes(), who=who, why=why, replace=replace)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        except User.DoesNotExist:
            raise CommandError(f"“{by}” is nobody's user name.") from None
        except Refused as refused:
            raise CommandError(f"Nothing was imported.\n{refused}") from None
        except AlreadyThere as there:
            raise CommandError(
                f"Nothing was imported.\n{there}\nWith --replace it would be changed."
            ) from None
        return f"“{topic.key}” is imported. Its releases are what they were."
