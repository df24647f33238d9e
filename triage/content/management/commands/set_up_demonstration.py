from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from triage.content.demonstration import set_up
from triage.content.fixtures import UnfitFixture
from triage.content.releases import UnfitDraft


class Command(BaseCommand):
    help = (
        "Load the content, create a demonstration author, approver and auditor, and publish a first"
        " release marked as a demonstration. What is there already stays as it is."
    )

    def handle(self, **options: Any) -> None:
        if not settings.DEBUG_HTTP:
            raise CommandError("This is a real service: it has no use for demonstration people.")
        try:
            created = set_up()
        except (UnfitFixture, UnfitDraft) as fault:
            raise CommandError(str(fault)) from fault
        for account in created:
            self.stdout.write(
                f"Created {account.name} with the password {account.password}"
                f" and the recovery codes {' '.join(account.recovery_codes)}"
            )
