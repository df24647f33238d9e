"""Who is at a kiosk, as staff see them: a ticket to call, and nothing that was answered."""

import random
from collections.abc import Collection
from contextlib import suppress
from datetime import date, datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.crypto import get_random_string

from triage.questionnaire.models import Assessment

from .models import Alert, Visit

CALLED_FOR_HELP = {111, 112, 116, 119, 911, 999}
"""Nobody is called by a number that others call for help, whichever country this is."""

TICKETS = [number for number in range(100, 1000) if number not in CALLED_FOR_HELP]
TRIES = 5


class NoTicketLeft(Exception):
    """Every ticket of the day is somebody's who is still here or waited for."""


def open_visit(*, assessment: Assessment, place: str, now: datetime) -> Visit:
    """Give whoever begins at a kiosk a ticket that nobody else has had today. Safe to repeat.

    Raises NoTicketLeft.
    """
    assert assessment.device is not None  # it stands at a kiosk, and the database sees to that
    day = timezone.localdate(now)
    for _ in range(TRIES):
        with suppress(IntegrityError), transaction.atomic():
            visit = Visit.objects.create(
                ticket=get_random_string(3, "abcdefghijklmnopqrstuvwxyz"),
                day=day,
                device=assessment.device,
                place=place,
                language=assessment.language,
                started_at=assessment.started_at,
                assessment=assessment.pk,
                urgency=assessment.urgency,
                concluded=assessment.concluded,
            )
            visit.ticket = _free_ticket(visit)
            visit.save(update_fields=["ticket"])
            return visit
        if there := visit_of(assessment.pk):
            return there
    raise NoTicketLeft


def _free_ticket(visit: Visit) -> str:
    """Return the ticket of this visit: its place in an order that is another one every day.

    By the key of the row, which never comes twice. Visits are deleted, so a number that no row has
    may still be on a paper in somebody's hand.
    """
    taken = set(Visit.objects.filter(day=visit.day).values_list("ticket", flat=True))
    order = _order_of(visit.day)
    first = visit.pk % len(order)
    for ticket in (*order[first:], *order[:first]):
        if ticket not in taken:
            return ticket
    raise NoTicketLeft


def _order_of(day: date) -> list[str]:
    order = [str(number) for number in TICKETS]
    random.Random(f"{settings.SECRET_KEY} {day}").shuffle(order)
    return order


def visit_of(assessment: int) -> Visit | None:
    return Visit.objects.filter(assessment=assessment).first()


def open_missing(*, among: QuerySet[Assessment], now: datetime) -> None:
    """Give a ticket to whoever is at a kiosk without one, so that no red flag is without a row."""
    there = Visit.objects.filter(assessment=OuterRef("pk"))
    before = Visit.objects.filter(device=OuterRef("device")).order_by("-started_at")
    missing = among.filter(~Exists(there), device__isnull=False)
    for assessment in missing.annotate(place=Subquery(before.values("place")[:1])):
        open_visit(assessment=assessment, place=assessment.place or "", now=now)


def leave(*, visits: Collection[int], now: datetime) -> None:
    """Let go of the replies, which are deleted; what the visits say of themselves stays."""
    Visit.objects.filter(pk__in=visits).update(assessment=None, left_at=now)


def forget(now: datetime) -> int:
    """Delete the visits of those who have left and whom nobody has to look after any more: staff
    have known of their alerts for `settings.ALERT_STAYS`, in which they still need the ticket to find
    them, and nothing that they handed over is left. After 12 hours all go."""
    left = Visit.objects.filter(left_at__isnull=False)
    looked_after = Alert.objects.still_needed(now).filter(visit=OuterRef("pk"))
    done = left.filter(~Exists(looked_after), handover=None)
    late = left.filter(left_at__lte=now - settings.HANDOVER_LASTS)
    count = 0
    for over in (done, late):
        count += over.delete()[1].get(Visit._meta.label, 0)
    return count
