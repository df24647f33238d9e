"""How a terminal shows the pages to whoever is at it now. Templates read it; no view does."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.db import DatabaseError
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import override

from triage.handover import alerts
from triage.handover.alerts import Known
from triage.handover.models import Visit
from triage.questionnaire.models import Assessment, Token

from .models import Terminal


class AtTerminal(HttpRequest):
    """A request that went through our middleware; at home there is no terminal."""

    terminal: "Showing | None"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is at a terminal: no more of them than every page there needs."""

    ticket: str
    idle_limit: timedelta


class Showing:
    """A terminal, and the person at it. What hangs on the person is looked up when it is shown.

    Times are in seconds, sizes in CSS pixels.
    """

    locked = False
    reachable = True

    def __init__(self, terminal: Terminal, token: Token | None, now: datetime) -> None:
        self.row = terminal
        self.token = token
        self.now = now
        self.pk: int = terminal.pk or 0
        self.place = terminal.place
        self.idle_limit = terminal.idle_limit
        self.help_text = terminal.help_text
        self.prints = terminal.prints
        self.shows_qr = terminal.shows_qr
        self.sound = terminal.sound
        self.controls_low = terminal.controls_low
        self.target = terminal.target
        self.warning = terminal.warning

    @cached_property
    def language(self) -> str:
        spoken = dict(settings.LANGUAGES)
        return self.row.language if self.row.language in spoken else settings.LANGUAGE_CODE

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Which ones it offers, its own first."""
        offered = [code for code, _ in settings.LANGUAGES if code in self.row.languages]
        every = offered or [code for code, _ in settings.LANGUAGES]
        return tuple(dict.fromkeys([self.language, *every]))

    @cached_property
    def person(self) -> Person | None:
        """Who is at it, as long as their time is not over; nobody, on a page that says that the
        database is away."""
        try:
            return self.find_person()
        except DatabaseError:
            return None

    def find_person(self) -> Person | None:
        if self.token is None:
            return None
        ticket = Visit.objects.filter(assessment=OuterRef("pk")).values("ticket")[:1]
        row = (
            Assessment.objects.of(self.token)
            .filter(device=self.pk)
            .values_list(Coalesce(Subquery(ticket), Value("")), "idle_limit", "active_at")
            .first()
        )
        if row is None:
            return None
        ticket_said, idle_limit, active_at = row
        if idle_limit is None or active_at + idle_limit <= self.now:
            return None
        return Person(ticket_said, idle_limit)

    def forget(self) -> None:
        """Show nobody: the person has just been wiped."""
        self.token = None
        self.__dict__.pop("person", None)

    @property
    def ticket(self) -> str:
        return self.person.ticket if self.person else ""

    @property
    def known(self) -> Known | None:
        """What staff know of a red flag that this person has raised, if they raised one."""
        if self.token is None:
            return None
        raised = (
            Assessment.objects.of(self.token)
            .filter(device=self.pk)
            .exclude(flags=[], withdrawn=[])
            .values("pk")
        )
        visit = Visit.objects.filter(assessment__in=raised).first()
        return alerts.known(visit) if visit else None

    @property
    def idle_question(self) -> int:
        return self.row.idle_question * self._times

    @property
    def idle_outcome(self) -> int:
        return self.row.idle_outcome * self._times

    @property
    def _times(self) -> int:
        return 2 if self.person and self.person.idle_limit > self.idle_limit else 1

    @property
    def first_page(self) -> str:
        """Where the next person begins, in the language of this terminal."""
        with override(self.language):
            return reverse("kiosk:attract")


class Locked(Showing):
    """A device that was a terminal once: its pages send to the desk."""

    locked = True

    def __init__(self, now: datetime) -> None:
        super().__init__(Terminal(), None, now)


class Unreachable(Locked):
    """Which terminal it is cannot be said, since the database is away."""

    reachable = False
