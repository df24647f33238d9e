from typing import Any

from django.core.management.base import BaseCommand

from triage.staff.roles import set_up_groups


class Command(BaseCommand):
    help = (
        "Make the groups Author, Approver, Publisher and Auditor where they are not there, and give"
        " them the rights that are new since they were made."
    )

    def handle(self, **options: Any) -> str:
        return f"There are {', '.join(set_up_groups())}."
