import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.effects import measure
from triage.content.models import Effect

COURTESY = 10
"""How much the pages of patients go before it, as `nice` counts."""


class Command(BaseCommand):
    help = "Work out what a draft changes. Pages start this by themselves."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("effect", type=int, help="the row to fill in")
        parser.add_argument(
            "--wait-for-patients", action="store_true", help="let their pages go before it"
        )

    def handle(self, *, effect: int, wait_for_patients: bool, **options: Any) -> str:
        if wait_for_patients and hasattr(os, "nice"):
            os.nice(COURTESY)
        found = Effect.objects.select_related("draft__topic").filter(pk=effect).first()
        if found is None:
            raise CommandError(f"There is no effect {effect}.")
        measure(found)
        found.refresh_from_db()
        if found.failed:
            raise CommandError(found.failed)
        return f"The {found} is measured."
