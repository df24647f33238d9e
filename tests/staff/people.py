"""Staff who are signed in, or about to be."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from triage.logs import formatter
from triage.staff import signing_in

PASSWORD = "a long enough password"
SIGN_IN, CODE, PHONE = "/staff/login/", "/staff/code/", "/staff/phone/"


def sign_in(client: Client, user: User) -> Client:
    """Make a client one of somebody who has just given password and code."""
    phone, _ = TOTPDevice.objects.get_or_create(user=user, defaults={"name": "Phone"})
    client.force_login(user)
    session = client.session
    session.update({DEVICE_ID_SESSION_KEY: phone.persistent_id, **signing_in.stamps()})
    session.save()
    return client


def staff_member(name: str, *, phone: bool = True) -> User:
    person = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    if phone:
        signing_in.give_phone(user=person)
    return person


def give_password(client: Client, name: str, password: str = PASSWORD, **more: Any) -> HttpResponse:
    post = {"username": name, "password": password}
    return client.post(SIGN_IN, post, **more)  # type: ignore[return-value] # a response with more


def give_code(client: Client, code: str, **more: Any) -> HttpResponse:
    return client.post(CODE, {"code": code}, **more)  # type: ignore[return-value] # as above


def code_of(person: User, off: timedelta = timedelta()) -> str:
    """Return what a phone shows whose clock is off by so much."""
    totp = TOTP(TOTPDevice.objects.get(user=person).bin_key)
    totp.time = timezone.now().timestamp() + off.total_seconds()
    return f"{totp.token():06}"


def is_in(client: Client) -> bool:
    return client.get("/staff/?poll=1").status_code == 200


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the lines of the security log, without what every line has."""
    written = [
        json.loads(formatter().format(record))
        for record in caplog.records
        if record.name == "triage.staff"
    ]
    every = {"level", "logger", "timestamp", "request_id"}
    return [{key: line[key] for key in line.keys() - every} for line in written]


def log_of(caplog: pytest.LogCaptureFixture) -> str:
    """Return everything that was logged, by whomever, as it is written."""
    return "\n".join(formatter().format(record) for record in caplog.records)
