"""Red flags that were raised at a kiosk: none is lost before somebody has said that they know.

What an assessment says of its flags in its own row is the truth, and the alerts follow it. Whatever
dies between the two, the next who looks brings them up to date; and before a row is deleted, they
are, within the same transaction.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from triage.content.knowledge import Content, content_of
from triage.engine import RuleKey
from triage.questionnaire.models import Assessment

from .models import Alert, Visit, Watch
from .visits import leave

log = structlog.get_logger("triage.alerts")

# All that can be out of date, in one statement: a desk asks every few seconds, and mostly in vain.
# A release and its wording are looked up only for what has to be written.
LOOK = """
SELECT
    visit.*,
    assessment.id AS running, assessment.release_id AS release, assessment.flags AS holding,
    assessment.withdrawn AS once, assessment.urgency AS reached, assessment.concluded AS at_its_end,
    alert.id AS alert, alert.flag AS flag, alert.withdrawn_at IS NOT NULL AS is_withdrawn,
    alert.acknowledged_at IS NULL AND COALESCE(alert.raised_again_at, alert.raised_at) <= %s AS is_due
FROM handover_visit AS visit
LEFT JOIN questionnaire_assessment AS assessment ON assessment.id = visit.assessment
LEFT JOIN handover_alert AS alert ON alert.visit_id = visit.id
WHERE visit.assessment IS NOT NULL OR alert.id IS NOT NULL AND alert.acknowledged_at IS NULL
ORDER BY visit.id
"""


@dataclass(frozen=True, slots=True)
class _Raised:
    """An alert that is there already; it is `due` when it has to be raised again."""

    pk: int
    is_withdrawn: bool
    is_due: bool


@dataclass(frozen=True, slots=True)
class _Standing:
    """A visit as it is written down, its alerts by flag, and what the assessment says instead:
    which flags hold now, and which ones ever did."""

    visit: Visit
    alerts: dict[str, _Raised]
    has_replies: bool
    release: int | None
    holding: list[str]
    ever: list[str]
    urgency: int | None
    concluded: bool

    @property
    def is_behind(self) -> bool:
        """Whether anything has to be written."""
        if any(alert.is_due for alert in self.alerts.values()):
            return True
        if self.visit.assessment is None:
            return False
        wrong = self.has_moved_on or self.missing or any(self.marked_wrong)
        return not self.has_replies or bool(wrong)

    @property
    def has_moved_on(self) -> bool:
        return (self.visit.urgency, self.visit.concluded) != (self.urgency, self.concluded)

    @property
    def missing(self) -> list[str]:
        return [flag for flag in self.ever if flag not in self.alerts]

    @property
    def marked_wrong(self) -> Iterator[tuple[str, _Raised]]:
        """Alerts of flags that were withdrawn, or raised anew, since they were written."""
        for flag in self.ever:
            alert = self.alerts.get(flag)
            if alert and alert.is_withdrawn is (flag in self.holding):
                yield flag, alert


def gather(now: datetime) -> None:
    """Bring visits and alerts up to date with what people have answered, and raise again what nobody
    has acknowledged for `settings.ALERT_AGAIN`. One statement where there is nothing to do."""
    for visit in [standing.visit.pk for standing in _look(now) if standing.is_behind]:
        try:
            bring_up_to_date([visit], now)
        except Exception as error:
            # One whose release cannot be read, say, must not keep all others from the desk.
            log.error("alerts_not_gathered", visit=visit, exception=type(error).__qualname__)


@transaction.atomic
def bring_up_to_date(visits: Collection[int], now: datetime) -> None:
    """Write what is to be written of these visits: one at a time for each, and looked at only once
    nobody else writes to it."""
    locked = Visit.objects.select_for_update().filter(pk__in=visits).order_by("pk")
    mine = set(locked.values_list("pk", flat=True))
    for standing in list(_look(now)):
        if standing.visit.pk in mine:
            _catch_up(standing, now)


def _look(now: datetime) -> Iterator[_Standing]:
    due = connection.ops.adapt_datetimefield_value(now - settings.ALERT_AGAIN)
    rows: Any = Visit.objects.raw(LOOK, [due])
    for _, group in groupby(rows, key=lambda row: row.pk):
        first, *others = group
        holding = _flags(first.holding)
        yield _Standing(
            visit=first,
            alerts={
                row.flag: _Raised(row.alert, bool(row.is_withdrawn), bool(row.is_due))
                for row in (first, *others)
                if row.alert is not None
            },
            has_replies=first.running is not None,
            release=first.release,
            holding=holding,
            ever=list(dict.fromkeys([*holding, *_flags(first.once)])),
            urgency=first.reached,
            concluded=bool(first.at_its_end),
        )


def _flags(stored: Any) -> list[str]:
    """Return what a JSON column of the statement above holds, as the ORM would."""
    column: Any = Assessment._meta.get_field("flags")
    return list(column.from_db_value(stored, None, connection) or [])


def _catch_up(standing: _Standing, now: datetime) -> None:
    visit = standing.visit
    if visit.assessment is not None and not standing.has_replies:
        leave(visits=[visit.pk], now=now)  # its row went without a word: no more is to be had of it
    elif visit.assessment is not None:
        if standing.has_moved_on:
            visit.urgency, visit.concluded = standing.urgency, standing.concluded
            visit.save(update_fields=["urgency", "concluded"])
        _catch_up_flags(standing, now)
    due = [alert.pk for alert in standing.alerts.values() if alert.is_due]
    Alert.objects.unacknowledged().filter(pk__in=due).update(raised_again_at=now)


def _catch_up_flags(standing: _Standing, now: datetime) -> None:
    anew = standing.missing
    for flag, alert in standing.marked_wrong:
        if flag in standing.holding:
            # Another alert with a key of its own: who saw it withdrawn has not seen it raised.
            Alert.objects.filter(pk=alert.pk).delete()
            anew.append(flag)
        else:
            Alert.objects.filter(pk=alert.pk).update(withdrawn_at=now)
    if anew and standing.release is not None:
        content = content_of(standing.release)
        _raise(standing.visit, anew, standing.holding, content, now)


def _raise(
    visit: Visit, flags: list[str], holding: list[str], content: Content, now: datetime
) -> None:
    every = content.wordings
    wording = every.get(settings.LANGUAGE) or next(iter(every.values()), None)
    Alert.objects.bulk_create(
        Alert(
            visit=visit,
            flag=flag,
            title=wording.flag(RuleKey(flag)).title if wording else flag,
            urgency=content.knowledge.rule(RuleKey(flag)).urgency,
            raised_at=now,
            withdrawn_at=None if flag in holding else now,
        )
        for flag in flags
    )
    log.warning("red_flag_raised", terminal=visit.device, flags=len(flags))


def waiting() -> QuerySet[Alert]:
    """Return what nobody has acknowledged, the most urgent and then the oldest first."""
    return (
        Alert.objects.unacknowledged()
        .select_related("visit")
        .order_by("-urgency", "raised_at", "pk")
    )


def acknowledge(
    *, visit: Visit, by: User, now: datetime, seen: Collection[int] | None = None
) -> int:
    """Take down who knows of the red flags of a visit; return of how many. Safe to repeat.

    `seen` are the keys of those that stood on their screen: one that was raised meanwhile stays
    unacknowledged. Without it they know of all.
    """
    alerts = Alert.objects.unacknowledged().filter(visit=visit)
    if seen is not None:
        alerts = alerts.filter(pk__in=seen)
    return alerts.update(
        acknowledged_at=now,
        acknowledged_by=by,
        acknowledged_name=by.get_full_name() or by.get_username(),
    )


# What the patient is told of it


LOOKS = settings.DESK_WATCHES / 6
"""How often at the most it is written down that a desk is looking."""


class Stage(StrEnum):
    NOBODY_WATCHES = "nobody_watches"
    TOLD = "told"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Known:
    """What staff know of the red flags of a visit. TOLD: they stand on a screen of the desk, of which
    nobody has said that they saw them. `at` is when somebody last did, if all are acknowledged."""

    stage: Stage
    at: datetime | None = None


def known(visit: Visit) -> Known:
    """Return what staff know; never more than is true.

    A desk that has not asked since a flag was raised does not show it yet.
    """
    times = Alert.objects.filter(visit=visit).values_list("raised_at", "acknowledged_at")
    raised = list(times)
    unseen = [raised_at for raised_at, acknowledged_at in raised if acknowledged_at is None]
    if raised and not unseen:
        return Known(Stage.ACKNOWLEDGED, max(at for _, at in raised if at is not None))
    now, watch = timezone.now(), Watch.objects.first()
    if unseen and watch and max(unseen) <= watch.seen_at and _is_lately(watch, now):
        return Known(Stage.TOLD)
    return Known(Stage.NOBODY_WATCHES)


def desk_is_watching(now: datetime) -> bool:
    watch = Watch.objects.first()
    return watch is not None and _is_lately(watch, now)


def _is_lately(watch: Watch, now: datetime) -> bool:
    """A clock that was set back must not make a desk of yesterday watch."""
    return now - settings.DESK_WATCHES < watch.seen_at <= now + LOOKS


def desk_looks(now: datetime) -> None:
    """Write down that a desk is looking, unless that was done a moment ago and no alert is newer."""
    newer = Alert.objects.unacknowledged().filter(raised_at__gt=OuterRef("seen_at"))
    lately = Watch.objects.filter(~Exists(newer), seen_at__range=(now - LOOKS, now))
    if not lately.exists():
        Watch.objects.update_or_create(pk=1, defaults={"seen_at": now})
