"""What `dev.py run` needs to be tried out at once: content, four people, a first release."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import Group, User
from django.db import transaction

from triage.staff.roles import set_up_groups
from triage.staff.signing_in import give_phone, make_recovery_codes, phone_of

from .fixtures import load_topic, topic_folders
from .models import Topic
from .releases import publish

WHY = "First release, so that the checker can be tried out. No clinician has approved it."
RECOVERY_CODES = 5


@dataclass(frozen=True)
class Account:
    """What somebody new signs in with. It is said once and, but for hashes, stored nowhere."""

    name: str
    password: str
    recovery_codes: list[str]


@transaction.atomic
def set_up() -> list[Account]:
    """Load, create and publish what is missing; return who was created.

    Safe to repeat: what is there already is left as it is.
    """
    for folder in topic_folders():
        load_topic(folder)
    roles = set_up_groups()
    created: list[Account] = []
    author = _person("demo-author", [roles["Author"]], created)
    approver = _person("demo-approver", [roles["Approver"], roles["Publisher"]], created)
    _person("demo-auditor", [roles["Auditor"]], created)
    _person("demo-clinic", [roles["Reception"], roles["Clinician"], roles["Clinic"]], created)
    for topic in Topic.objects.filter(releases=None):
        publish(topic=topic, author=author, approver=approver, why=WHY, demonstration=True)
    return created


def _person(name: str, groups: list[Group], created: list[Account]) -> User:
    """Return a member of staff whose phone is this computer, see `manage.py one_time_code`."""
    person = User.objects.filter(username=name).first()
    if person is None:
        password = secrets.token_urlsafe(12)
        person = User.objects.create_user(name, password=password, is_staff=True)
        person.groups.set(groups)
        codes = make_recovery_codes(user=person, number=RECOVERY_CODES)
        created.append(Account(name, password, codes))
    if not phone_of(person):
        give_phone(user=person)
    return person
