"""People, changes and measurements for the tests of what is decided on."""

import hashlib
import json

from django.contrib.auth.models import Group, User

from triage.content import approval
from triage.content.audit import changing
from triage.content.documents import canonical
from triage.content.models import Condition, Effect, Proposal, Release, Snapshot, Topic
from triage.engine import ENGINE_VERSION


def member(name: str, *groups: str) -> User:
    person = User.objects.create_user(name, is_staff=True)
    person.groups.set(Group.objects.filter(name__in=groups))
    return person


class Measured:
    """What the measuring finds, in the place of the process that takes seconds to find it."""

    def __init__(self) -> None:
        self.is_done = True
        self.lowered: list[str] = []

    def effect_of(self, snapshot: Snapshot, live: Release | None) -> Effect:
        cases = [
            {
                "key": key,
                "file": "triage",
                "story": "A person who was made up.",
                "lowered": True,
                "higher": False,
                "unread": [[], []],
                **{
                    way: {
                        "urgency": ["same_day", "routine"],
                        "rank": [1, 1],
                        "leading": [None, None],
                        "expected": [None, None],
                        "within": [True, False],
                        "asked": [9, 8],
                    }
                    for way in ("interview", "whole")
                },
            }
            for key in self.lowered
        ]
        share = {"hits": 1, "of": 10, "value": 0.1, "low": 0.02, "high": 0.4}
        asked = {"value": 20.0, "low": 19.0, "high": 21.0}
        side = {
            **dict.fromkeys(
                ("too_low", "hazardous", "too_high", "today", "first", "first_three"), share
            ),
            "asked": asked,
            "asked_by_most": asked,
        }
        people = {"count": 10, "seed": 1, "engine": ENGINE_VERSION, "before": side, "after": side}
        figures = {"cases": cases, "unchanged": 3, "people": people, "asked": {}}
        effect, _ = Effect.objects.update_or_create(
            draft=snapshot,
            live_sha256=live.sha256 if live else "",
            cases_sha256="0" * 64,
            defaults={"figures": figures if self.is_done else None, "people_total": 3000},
        )
        return effect


def quick_snapshot_of(topic: Topic) -> Snapshot:
    """Return the drafts as far as `change` changes them; compiling all of them takes long."""
    document = json.loads(topic.releases.get(number=1).document)
    (lipoma,) = (row for row in document["conditions"] if row["key"] == "lipoma")
    lipoma["plain_summary"] = topic.conditions.get(key="lipoma").plain_summary
    text = canonical(document)
    snapshot, _ = Snapshot.objects.get_or_create(
        topic=topic,
        sha256=hashlib.sha256(text).hexdigest(),
        defaults={"document": text.decode()},
    )
    return snapshot


def change(who: User | None, summary: str = "A lump of fat.", why: str = "Plainer.") -> None:
    with changing(who=who, why=why):
        Condition.objects.filter(key="lipoma").update(plain_summary=summary)


def proposed(topic: Topic, author: User, summary: str = "A lump of fat.") -> Proposal:
    change(author, summary)
    return approval.submit(topic=topic, author=author, why="Plainer words.")
