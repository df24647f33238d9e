"""Who is at the kiosks and which red flags nobody has seen, as the desk shows them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.utils.translation import get_language_info

from triage.engine import Urgency
from triage.handover import alerts
from triage.handover.models import Alert, Visit

WORDS = {
    Urgency.EMERGENCY_NOW: "Emergency",
    Urgency.SAME_DAY: "Today",
    Urgency.FEW_DAYS: "Within 2 to 3 days",
    Urgency.URGENT_2_WEEKS: "Within 2 weeks",
    Urgency.ROUTINE: "Not urgent",
    Urgency.SELF_CARE: "Care at home",
}


class State(StrEnum):
    ANSWERING = "Answering now"
    FINISHED = "Finished"
    HANDED_OVER = "Handed over"
    OPENED = "Opened"
    LEFT = "Left the kiosk"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who began at a kiosk. `urgency` is the highest so far; None while nothing says."""

    visit: Visit
    urgency: Urgency | None
    state: State
    alerts: tuple[Alert, ...]

    @property
    def word(self) -> str:
        return WORDS[self.urgency] if self.urgency is not None else "Not known yet"

    @property
    def sign(self) -> str:
        return self.urgency.key if self.urgency is not None else "unknown"

    @property
    def language(self) -> str:
        """The language that somebody reads, where it is not that of the place."""
        code = self.visit.language
        if code.partition("-")[0] == settings.LANGUAGE:
            return ""
        name: str = get_language_info(code)["name"]
        return name

    @property
    def is_there(self) -> bool:
        return self.visit.left_at is None

    @property
    def unseen(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts if alert.acknowledged_at is None)

    @property
    def seen(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts if alert.acknowledged_at is not None)


@dataclass(frozen=True, slots=True)
class Alarm:
    """The red flags of one person that nobody has said to have seen."""

    waiting: Waiting
    alerts: tuple[Alert, ...]

    @property
    def urgency(self) -> Urgency:
        return Urgency(max(alert.urgency for alert in self.alerts))

    @property
    def word(self) -> str:
        return WORDS[self.urgency]

    @property
    def since(self) -> datetime:
        return min(alert.raised_at for alert in self.alerts)

    @property
    def again_at(self) -> datetime | None:
        return max(filter(None, (alert.raised_again_at for alert in self.alerts)), default=None)

    @property
    def rings(self) -> str:
        """What has another word in it whenever the desk has to be told anew."""
        return " ".join(map(_ring, self.alerts))


@dataclass(frozen=True, slots=True)
class Lists:
    alarms: tuple[Alarm, ...]
    here: tuple[Waiting, ...]
    left: tuple[Waiting, ...]


def lists(now: datetime) -> Lists:
    """Return the alarms, who is waiting, and who has left a kiosk without handing anything over.

    Each by urgency, then by time. Nobody drops out at midnight.
    """
    visits = (
        Visit.objects.filter(started_at__gt=now - settings.HANDOVER_LASTS)
        .select_related("handover__opened_by")
        .defer("handover__document")
        .prefetch_related("alerts")
        .order_by("started_at", "pk")
    )
    people = sorted(map(_waiting, visits), key=_by_urgency)
    alarms = [Alarm(each, each.unseen) for each in people if each.unseen]
    return Lists(
        alarms=tuple(sorted(alarms, key=lambda alarm: (-alarm.urgency, alarm.since))),
        here=tuple(each for each in people if each.state is not State.LEFT),
        left=tuple(each for each in people if each.state is State.LEFT),
    )


def _waiting(visit: Visit) -> Waiting:
    raised = sorted(visit.alerts.all(), key=lambda alert: (-alert.urgency, alert.raised_at))
    urgency = None if visit.urgency is None else Urgency(visit.urgency)
    return Waiting(visit, urgency, _state(visit), tuple(raised))


def _by_urgency(waiting: Waiting) -> int:
    return -1 if waiting.urgency is None else -1 - waiting.urgency


def _state(visit: Visit) -> State:
    if handover := getattr(visit, "handover", None):  # it outlives the visit at the kiosk
        return State.OPENED if handover.opened_at else State.HANDED_OVER
    if visit.left_at is not None:
        return State.LEFT
    return State.FINISHED if visit.concluded else State.ANSWERING


def _ring(alert: Alert) -> str:
    again = alert.raised_again_at
    return f"{alert.pk}@{again.timestamp() if again else ''}"


def tend(now: datetime) -> None:
    """Do what has to be done while somebody looks: bring alerts up to date, and say that they do."""
    alerts.gather(now)
    alerts.desk_looks(now)
