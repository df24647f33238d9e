"""A receptionist, a doctor, and people at the kiosk of the waiting room."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from triage.content.models import Release

from .people import AtKiosk, at_the_desk, begin, member, terminal_of

type Begin = Callable[..., AtKiosk]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2031, 5, 7, 9, 0, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def ana(db: None) -> User:
    return member("ana", "Reception", called="Ana Ruiz")


@pytest.fixture
def doctor(db: None) -> User:
    return member("okafor", "Clinician", called="Chidi Okafor")


@pytest.fixture
def desk(clock: time_machine.Traveller, ana: User) -> Client:
    """The receptionist's browser."""
    return at_the_desk(ana)


@pytest.fixture
def surgery(clock: time_machine.Traveller, doctor: User) -> Client:
    """The doctor's browser."""
    return at_the_desk(doctor)


@pytest.fixture
def somebody(clock: time_machine.Traveller, ana: User, release: Release) -> Begin:
    """Begin at a kiosk."""

    def come(place: str = "Waiting room 2", **more: str) -> AtKiosk:
        now = timezone.now()
        return begin(terminal_of(place, ana, now), release, now, **more)

    return come
