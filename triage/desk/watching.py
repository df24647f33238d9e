"""What makes a poll of the desk cheap: whether anything has changed is one statement of SQL.

Each answer leaves a mark: what stood on the screen, for whom, and until when that holds without
looking the person up again. It is signed for their session alone. As long as the mark holds, the
session is still there, nothing has changed and nothing is to be done, there is nothing to say.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from triage.handover import alerts

HOLDS = timedelta(seconds=60)
"""How long a person whose rights were taken away may still be shown that nothing has changed."""

# Portable, and in one round. Times only grow, and numbers are weighed by their row, so that two
# changes do not cancel out. A flag that was written a moment ago may have no alert yet, so the
# answers' own rows are looked at too.
LOOK = """
SELECT
    (SELECT COUNT(*) FROM django_session WHERE session_key = %s AND expire_date > %s),
    (SELECT COUNT(*) FROM handover_watch WHERE seen_at > %s),
    alert.due, visit.*, alert.*, handover.*, answered.*
FROM
    (SELECT COUNT(*) AS visits, MAX(id) AS newest, COUNT(left_at) AS gone,
            COALESCE(SUM(id * (1 + urgency)), 0) AS urgencies,
            COALESCE(SUM(CASE WHEN concluded THEN id ELSE 0 END), 0) AS ended
     FROM handover_visit WHERE started_at > %s) AS visit,
    (SELECT COUNT(*) AS alerts, MAX(id) AS newest, COUNT(acknowledged_at) AS seen,
            COUNT(withdrawn_at) AS taken_back, MAX(raised_at) AS raised, MAX(raised_again_at) AS again,
            COALESCE(SUM(CASE WHEN acknowledged_at IS NULL
                              AND COALESCE(raised_again_at, raised_at) <= %s THEN 1 END), 0) AS due
     FROM handover_alert) AS alert,
    (SELECT COUNT(visit_id) AS handed, COALESCE(SUM(visit_id), 0) AS whose, MAX(opened_at) AS opened
     FROM handover_handover) AS handover,
    (SELECT COALESCE(SUM(id * LENGTH(CAST(flags AS TEXT))), 0) AS flags,
            COALESCE(SUM(id * LENGTH(CAST(withdrawn AS TEXT))), 0) AS withdrawn
     FROM questionnaire_assessment
     WHERE id IN (SELECT assessment FROM handover_visit)) AS answered
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the desk stands. `is_due`: it has to be written down that somebody looks, or alerts have
    to be raised again."""

    has_session: bool
    is_due: bool
    digest: str


def standing(now: datetime, session_key: str) -> Standing:
    times = (now, now - alerts.LOOKS, now - settings.HANDOVER_LASTS, now - settings.ALERT_AGAIN)
    ready = map(connection.ops.adapt_datetimefield_value, times)
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [session_key, *ready])
        has_session, is_looked_at, due, *rest = cursor.fetchone()
    return Standing(bool(has_session), bool(due) or not is_looked_at, _digest(*rest))


@dataclass(frozen=True, slots=True)
class Mark:
    """What an answer of the desk leaves behind. `shown`: for whom, and what they may do there."""

    digest: str
    shown: str
    until: datetime

    def signed(self, session_key: str) -> str:
        said = f"{self.digest}-{self.shown}-{int(self.until.timestamp())}"
        return f"{said}-{_mac(said, session_key)}"


def read(signed: str, session_key: str) -> Mark | None:
    """Return a mark that was made for this session, even if it no longer holds."""
    said, _, mac = signed.rpartition("-")
    if not said or not constant_time_compare(mac, _mac(said, session_key)):
        return None
    digest, shown, until = said.split("-")
    return Mark(
        digest, shown, datetime.fromtimestamp(int(until), tz=timezone.get_current_timezone())
    )


def shown_to(*what: Any) -> str:
    return _digest(*what)


def _digest(*parts: Any) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=9).hexdigest()


def _mac(said: str, session_key: str) -> str:
    return salted_hmac(__name__, f"{said}-{session_key}", algorithm="sha256").hexdigest()[:32]
