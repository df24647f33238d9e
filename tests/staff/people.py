"""Staff who are signed in, for tests of what they do then."""

from django.contrib.auth.models import User
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from triage.staff import signing_in


def sign_in(client: Client, user: User) -> Client:
    """Make a client one of somebody who has just given password and code."""
    phone, _ = TOTPDevice.objects.get_or_create(user=user, defaults={"name": "Phone"})
    client.force_login(user)
    session = client.session
    session.update({DEVICE_ID_SESSION_KEY: phone.persistent_id, **signing_in.stamps()})
    session.save()
    return client
