"""Somebody with a phone, and a clock to move."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import User

from .people import staff_member


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands, at the beginning of one of the half minutes of a code."""
    with time_machine.travel(datetime(2031, 5, 7, 9, 0, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def nurse(db: None) -> User:
    return staff_member("nurse")


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog
