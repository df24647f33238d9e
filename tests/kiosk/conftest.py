"""A kiosk in a waiting room, the browser that it is, and whoever comes to it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tests.questionnaire.conftest import Person
from tests.staff.people import sign_in
from triage.content.models import Release
from triage.kiosk import enrolment, pin
from triage.kiosk.models import Terminal
from triage.questionnaire.models import Assessment

PIN = "6042"
FIRST_PAGE = "/kiosk/"


def make_terminal(place: str = "Waiting room 2", **more: Any) -> Terminal:
    return Terminal.objects.create(
        place=place,
        made_by=User.objects.get(username="demo-clinic"),
        made_at=timezone.now(),
        pin_hash=pin.hashed(PIN),
        **more,
    )


def enrolled(terminal: Terminal) -> Client:
    """Return a browser at which the code of this terminal was typed."""
    code = enrolment.make_code(terminal=terminal, by=terminal.made_by, now=timezone.now())
    browser = Client()
    assert browser.post("/kiosk/enrol", {"code": code}).status_code == 303
    terminal.refresh_from_db()
    return browser


@dataclass
class AtKiosk(Person):
    """Somebody at the screen of a kiosk, whose browser keeps what the person before has left."""

    @property
    def token(self) -> str:
        kept = self.browser.cookies.get(settings.ASSESSMENT_COOKIE_NAME)
        return kept.value if kept else ""

    def leave(self) -> HttpResponse:
        return self.browser.post("/kiosk/leave")  # type: ignore[return-value] # a response with more

    def is_at_first_page(self) -> bool:
        return self.path.endswith(FIRST_PAGE)


@pytest.fixture
def terminal(release: Release) -> Terminal:
    return make_terminal()


@pytest.fixture
def visitor(terminal: Terminal) -> AtKiosk:
    return AtKiosk(enrolled(terminal))


@pytest.fixture
def answering(visitor: AtKiosk) -> AtKiosk:
    """Somebody who has begun at the kiosk, and sees the first question."""
    visitor.begin()
    assert visitor.feature
    return visitor


@pytest.fixture
def clinic(release: Release) -> Client:
    """A member of staff who looks after the kiosks, on a computer behind the counter."""
    return sign_in(Client(), User.objects.get(username="demo-clinic"))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands until it is moved."""
    with time_machine.travel(datetime(2031, 5, 7, 9, 0, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def everything_is_gone() -> bool:
    return not Assessment.objects.exists()
