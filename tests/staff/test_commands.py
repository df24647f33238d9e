"""Trying it out without a phone."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings
from time_machine import Traveller

from .people import give_code, give_password, is_in, staff_member

pytestmark = pytest.mark.django_db


def code_for(name: str) -> str:
    out = StringIO()
    call_command("one_time_code", name, stdout=out)
    return out.getvalue().strip()


def test_each_code_lets_in_and_the_next_one_at_once_too(clock: Traveller) -> None:
    staff_member("nurse")
    for _ in range(2):
        client = Client()
        give_password(client, "nurse")
        give_code(client, code_for("nurse"))
        assert is_in(client)

    with pytest.raises(CommandError, match="Wait 30 seconds"):
        code_for("nurse")
    clock.shift(30)
    give_password(client := Client(), "nurse")
    give_code(client, code_for("nurse"))
    assert is_in(client)


@pytest.mark.parametrize("name", ["nobody", "newcomer"])
def test_who_has_no_phone_gets_no_code(name: str) -> None:
    staff_member("newcomer", phone=False)

    with pytest.raises(CommandError, match="no phone"):
        code_for(name)


def test_a_real_service_says_no_codes(settings: Settings) -> None:
    settings.DEBUG_HTTP = False
    staff_member("nurse")

    with pytest.raises(CommandError, match="real service"):
        code_for("nurse")
