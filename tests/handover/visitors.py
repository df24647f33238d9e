"""People at a kiosk, and staff who look after them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from triage.content.knowledge import content_of
from triage.content.models import Release
from triage.engine import FeatureKey, Reply, RuleKey, RuleKind, Urgency, reply_from_json
from triage.handover import visits
from triage.handover.models import Visit
from triage.questionnaire import services
from triage.questionnaire.models import Assessment, Token


@dataclass(frozen=True)
class Device:
    """A terminal, as far as an assessment and its visit have to know of it."""

    pk: int = 7
    place: str = "by the door"
    idle_limit: timedelta = timedelta(minutes=5)


@dataclass
class Visitor:
    """Somebody at a kiosk, who answers by the services and not through pages."""

    token: Token
    pk: int
    visit: Visit

    @property
    def assessment(self) -> Assessment:
        return Assessment.objects.get(pk=self.pk)

    def reply(self, feature: str, reply: str | list[str], *, confirmed: bool = False) -> None:
        """Set one reply, wherever its question stands; all before it were answered calmly."""
        while (number := services.number_of(self.assessment, FeatureKey(feature))) is None:
            asking = self.assessment.asking
            assert asking, f"{feature} is never asked"
            self._set(len(self.assessment.replies) + 1, asking, calm(self.assessment, asking))
        told = reply_from_json([reply] if isinstance(reply, str) else reply)
        self._set(number, feature, told, confirmed=confirmed)

    def _set(self, number: int, feature: str, reply: Reply, *, confirmed: bool = False) -> None:
        assessment = self.assessment
        services.answer(
            assessment=assessment,
            number=number,
            feature=FeatureKey(feature),
            reply=reply,
            revision=assessment.revision,
            confirmed=confirmed,
            now=timezone.now(),
        )

    def leave(self) -> None:
        services.delete(token=self.token, now=timezone.now())

    def say(self, *, flags: list[str], withdrawn: list[str]) -> None:
        """Let the row say this, as an answer would, with nobody told: the process died."""
        Assessment.objects.filter(pk=self.pk).update(flags=flags, withdrawn=withdrawn)


def calm(assessment: Assessment, feature: str) -> Reply:
    asked = assessment.content.knowledge.feature(FeatureKey(feature))
    if not asked.options:
        return reply_from_json(44)
    options = [option.key for option in asked.options]
    calmest = next((key for key in ("none", "no", "not_sure") if key in options), options[0])
    return reply_from_json([calmest])


def visitor(release: Release, device: Device | None = None, now: datetime | None = None) -> Visitor:
    device, now = device or Device(), now or timezone.now()
    token, assessment = services.start(
        on=release,
        language="en-gb",
        voice=Assessment.Voice.TEXT,
        now=now,
        terminal=device,
    )
    visit = visits.open_visit(assessment=assessment, place=device.place, now=now)
    return Visitor(token, assessment.pk, visit)


def red_flags(release: Release) -> list[str]:
    """The red flags of a release, the most urgent first."""
    rules = content_of(release.pk).knowledge.rules
    flags = [rule for rule in rules if rule.kind is RuleKind.RED_FLAG]
    return [str(rule.key) for rule in sorted(flags, key=lambda rule: -rule.urgency)]


def urgency_of(release: Release, flag: str) -> Urgency:
    return content_of(release.pk).knowledge.rule(RuleKey(flag)).urgency


def receptionist(name: str = "amina", **more: str) -> User:
    return User.objects.create_user(name, is_staff=True, **more)


def of_the_clinic() -> User:
    """Somebody who is there before and after a test with real transactions."""
    return User.objects.get(username="demo-clinic")
