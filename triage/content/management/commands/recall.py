from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.models import Release
from triage.content.releases import NotDone, recall


class Command(BaseCommand):
    help = "Take a release out of use at once. The one before it is live again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int)
        parser.add_argument("--topic", default="back-lump", help="the key of the topic")
        parser.add_argument("--by", required=True, help="user name of who recalls it")
        parser.add_argument("--why", required=True, help="what is wrong with it")

    def handle(self, *, number: int, topic: str, by: str, why: str, **options: Any) -> str:
        try:
            release = Release.objects.without_document().get_by_natural_key(topic, number)
            recall(release=release, by=User.objects.get(username=by), why=why)
        except Release.DoesNotExist:
            raise CommandError(f"“{topic}” has no release {number}.") from None
        except User.DoesNotExist:
            raise CommandError(f"“{by}” is nobody's user name.") from None
        except NotDone as refusal:
            raise CommandError(str(refusal)) from refusal
        return f"{release} of {topic} is recalled: whoever is in the middle of it is told."
