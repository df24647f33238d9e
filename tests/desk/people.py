"""People at kiosks, and staff who look after them."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.test import Client

from tests.browser.people import MARBLE, Replies, reply_of
from tests.staff.people import sign_in, staff_member
from triage.content.models import Release
from triage.engine import Ask, FeatureKey
from triage.handover import visits
from triage.handover.models import Visit
from triage.kiosk.models import Terminal
from triage.questionnaire import services
from triage.questionnaire.models import Assessment, Token
from triage.staff.roles import set_up_groups


def member(name: str, *roles: str, called: str = "") -> User:
    """Make a member of staff with these roles."""
    user = staff_member(name)
    user.first_name, _, user.last_name = called.partition(" ")
    user.save()
    groups = set_up_groups()
    user.groups.set(groups[role] for role in roles)
    return user


def at_the_desk(user: User) -> Client:
    return sign_in(Client(), user)


def terminal_of(place: str, made_by: User, now: datetime) -> Terminal:
    there = Terminal.objects.filter(place=place).first()
    return there or Terminal.objects.create(place=place, made_by=made_by, made_at=now)


@dataclass
class AtKiosk:
    """Somebody at a kiosk, who says what `replies` has and else that there is nothing."""

    token: Token
    assessment: Assessment

    @property
    def visit(self) -> Visit:
        return Visit.objects.get(assessment=self.assessment.pk)

    def reply(self, feature: str, said: list[str] | int | str, now: datetime) -> None:
        """Set one reply, whether it is asked for the first time or changed, and confirm that."""
        number = services.number_of(self.assessment, FeatureKey(feature))
        assert number is not None
        services.answer(
            assessment=self.assessment,
            number=number,
            feature=FeatureKey(feature),
            reply=reply_of({feature: said}, FeatureKey(feature)),
            revision=self.assessment.revision,
            confirmed=True,
            now=now,
        )

    def reply_until(self, feature: str, now: datetime, replies: Replies = MARBLE) -> None:
        """Answer until this is the next question."""
        while self.assessment.asking and self.assessment.asking != feature:
            asked = self.assessment.asking
            self.reply(asked, replies[asked], now)

    def raise_flag(self, now: datetime) -> None:
        """Say that the legs have become numb: help today."""
        self.reply_until("leg_nerves", now)
        self.reply("leg_nerves", ["numb_legs"], now)

    def finish(self, now: datetime, replies: Replies = MARBLE) -> None:
        while isinstance(services.progress(self.assessment).step, Ask):
            asked = self.assessment.asking
            self.reply(asked, replies[asked], now)
        services.finish(assessment=self.assessment, now=now)

    def leave(self, now: datetime) -> None:
        services.delete(token=self.token, now=now)


def begin(
    terminal: Terminal, release: Release, now: datetime, *, language: str = "en-gb"
) -> AtKiosk:
    token, assessment = services.start(
        on=release,
        language=language,
        voice=Assessment.Voice.TEXT,
        now=now,
        terminal=terminal,
    )
    visits.open_visit(assessment=assessment, place=terminal.place, now=now)
    return AtKiosk(token, assessment)
