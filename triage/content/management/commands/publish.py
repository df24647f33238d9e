import json
import time
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.approval import lowered_in
from triage.content.effects import effect_of, is_given_up
from triage.content.faults import faults_in
from triage.content.models import Topic
from triage.content.releases import NotDone, UnfitDraft, live_of, publish
from triage.content.snapshots import snapshot_of


class Command(BaseCommand):
    help = (
        "Submit, approve and publish the drafts of a topic in one go, as its next release. Where a"
        " release is live the effect is measured first, and a case that would go to a lower urgency"
        " stops it: such a case is signed off by name, on the pages at /staff/."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("topic", help="the key of the topic, such as back-lump")
        parser.add_argument("--author", required=True, help="user name of who wrote it")
        parser.add_argument(
            "--approver", required=True, help="user name of who approves and publishes it"
        )
        parser.add_argument("--why", required=True, help="what changes for the people we serve")
        parser.add_argument(
            "--demonstration",
            action="store_true",
            help="for trying out only: every page says so, and a real service refuses it",
        )

    def handle(self, *, topic: str, author: str, approver: str, **options: Any) -> str:
        try:
            found = Topic.objects.get(key=topic)
            people = User.objects.get(username=author), User.objects.get(username=approver)
            if not options["demonstration"]:
                self._refuse_lowered(found)
            release = publish(
                topic=found,
                author=people[0],
                approver=people[1],
                why=options["why"],
                demonstration=options["demonstration"],
            )
        except Topic.DoesNotExist:
            raise CommandError(f"There is no topic “{topic}”.") from None
        except User.DoesNotExist:
            raise CommandError(f"“{author}” or “{approver}” is nobody's user name.") from None
        except NotDone as refusal:
            raise CommandError(str(refusal)) from refusal
        return f"{release} of {topic} is published, with the hash {release.sha256}."

    def _refuse_lowered(self, topic: Topic) -> None:
        """Wait for the effect, and stop where somebody would be told to wait longer."""
        live, draft = live_of(topic), snapshot_of(topic)
        if live is None or live.sha256 == draft.sha256:
            return
        if faults := faults_in(json.loads(draft.document)):
            raise UnfitDraft(faults)
        effect = effect_of(draft, live)
        while effect.figures is None and not effect.failed and not is_given_up(effect):
            time.sleep(0.5)
            effect.refresh_from_db()
        if effect.figures is None:
            raise CommandError(f"The effect could not be measured. {effect.failed}".strip())
        if lowered := lowered_in(effect):
            raise CommandError(
                f"These cases would go to a lower urgency: {', '.join(lowered)}. Submit the change"
                " on the pages at /staff/, where each is signed off by name and with a reason."
            )
