from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.models import Topic
from triage.content.releases import MayNotApprove, OwnApprover, UnfitDraft, publish


class Command(BaseCommand):
    help = "Freeze the drafts of a topic as its next release, which new assessments then use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("topic", help="the key of the topic, such as back-lump")
        parser.add_argument("--author", required=True, help="user name of who wrote it")
        parser.add_argument("--approver", required=True, help="user name of who approves it")
        parser.add_argument("--why", required=True, help="what changes for the people we serve")
        parser.add_argument(
            "--demonstration",
            action="store_true",
            help="for trying out only: every page says so, and a real service refuses it",
        )

    def handle(self, *, topic: str, author: str, approver: str, **options: Any) -> str:
        try:
            release = publish(
                topic=Topic.objects.get(key=topic),
                author=User.objects.get(username=author),
                approver=User.objects.get(username=approver),
                why=options["why"],
                demonstration=options["demonstration"],
            )
        except Topic.DoesNotExist:
            raise CommandError(f"There is no topic “{topic}”.") from None
        except User.DoesNotExist:
            raise CommandError(f"“{author}” or “{approver}” is nobody's user name.") from None
        except (OwnApprover, MayNotApprove, UnfitDraft) as refusal:
            raise CommandError(str(refusal)) from refusal
        return f"{release} of {topic} is published, with the hash {release.sha256}."
