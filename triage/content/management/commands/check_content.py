from typing import Any

from django.core.management.base import BaseCommand, CommandError

from triage.content.faults import find_faults, find_gaps


class Command(BaseCommand):
    help = (
        "List every fault that makes the content unfit to publish, and exit 1 if there is one; and"
        " what keeps a translation from being offered."
    )

    def handle(self, **options: Any) -> str:
        if faults := find_faults():
            raise CommandError("\n".join(map(str, faults)))
        return "\n".join(["The content is sound.", *map(str, find_gaps())])
