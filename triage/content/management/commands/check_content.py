from typing import Any

from django.core.management.base import BaseCommand, CommandError

from triage.content.faults import find_faults


class Command(BaseCommand):
    help = "List every fault that makes the content unfit to publish; exit 1 if there is one."

    def handle(self, **options: Any) -> str:
        if faults := find_faults():
            raise CommandError("\n".join(map(str, faults)))
        return "The content is sound."
