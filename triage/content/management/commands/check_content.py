from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from triage.content.faults import find_faults, find_notices
from triage.content.models import Topic


class Command(BaseCommand):
    help = (
        "List every fault that makes the content unfit to publish, and exit 1 if there is one; and"
        " what else there is to look at."
    )

    def handle(self, **options: Any) -> str:
        today = timezone.localdate()
        notices = [n for topic in Topic.objects.all() for n in find_notices(topic, today)]
        to_look_at = [f"To look at: {notice}" for notice in notices]
        if faults := find_faults():
            raise CommandError("\n".join(map(str, [*faults, *to_look_at])))
        return "\n".join(["The content is sound.", *to_look_at])
