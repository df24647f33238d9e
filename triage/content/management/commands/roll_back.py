from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.approval import roll_back
from triage.content.models import Release
from triage.content.releases import NotDone


class Command(BaseCommand):
    help = (
        "Make the content of an earlier release live again, to the byte. Whoever is in the middle"
        " of an assessment finishes on what they began with; to stop them, see recall."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="of the release to go back to")
        parser.add_argument("--topic", default="back-lump", help="the key of the topic")
        parser.add_argument("--by", required=True, help="user name of who rolls back")
        parser.add_argument("--why", required=True, help="what is wrong with what is live")

    def handle(self, *, number: int, topic: str, by: str, why: str, **options: Any) -> str:
        try:
            earlier = Release.objects.without_document().get_by_natural_key(topic, number)
            release = roll_back(release=earlier, by=User.objects.get(username=by), why=why)
        except Release.DoesNotExist:
            raise CommandError(f"“{topic}” has no release {number}.") from None
        except User.DoesNotExist:
            raise CommandError(f"“{by}” is nobody's user name.") from None
        except NotDone as refusal:
            raise CommandError(str(refusal)) from refusal
        return f"{release} of {topic} is live, with the content of release {number}."
