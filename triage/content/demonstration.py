"""What `dev.py run` needs to be tried out at once: content, two people, a first release."""

import secrets

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from .fixtures import load_topic, topic_folders
from .models import Topic
from .releases import publish

DRAFTS = (
    "topic",
    "source",
    "condition",
    "feature",
    "option",
    "likelihood",
    "syndrome",
    "syndromechance",
    "syndromemember",
    "redflag",
    "riskgroup",
    "advice",
    "glossaryterm",
    "translation",
    "calibrationstudy",
)
WHY = "First release, so that the checker can be tried out. No clinician has approved it."


@transaction.atomic
def set_up() -> list[tuple[str, str]]:
    """Load, create and publish what is missing; return who was created, with their passwords.

    Safe to repeat: what is there already is left as it is.
    """
    for folder in topic_folders():
        load_topic(folder)
    authors, approvers = set_up_groups()
    author, author_password = _person("demo-author", authors)
    approver, approver_password = _person("demo-approver", approvers)
    for topic in Topic.objects.filter(releases=None):
        publish(topic=topic, author=author, approver=approver, why=WHY, demonstration=True)
    created = ((author, author_password), (approver, approver_password))
    return [(person.username, password) for person, password in created if password]


def set_up_groups() -> tuple[Group, Group]:
    """Return the group that writes and the group that approves, made if they are not there.

    One that is there may do what is new since it was made, and all that it could do before.
    """
    authors, _ = Group.objects.get_or_create(name="Author")
    _permit(authors, ("view", "add", "change", "delete"), DRAFTS, "view_release")
    approvers, _ = Group.objects.get_or_create(name="Approver")
    _permit(approvers, ("view",), (*DRAFTS, "release"), "approve_release")
    return authors, approvers


def _permit(group: Group, actions: tuple[str, ...], models: tuple[str, ...], more: str) -> None:
    names = [more, *(f"{action}_{model}" for action in actions for model in models)]
    wanted = Permission.objects.filter(content_type__app_label="content", codename__in=names)
    if missing := list(wanted.exclude(group=group)):
        group.permissions.add(*missing)


def _person(username: str, group: Group) -> tuple[User, str]:
    """Return a member of staff, and the password if they are new: it is stored nowhere else."""
    if person := User.objects.filter(username=username).first():
        return person, ""
    password = secrets.token_urlsafe(12)
    person = User.objects.create_user(username, password=password, is_staff=True)
    person.groups.add(group)
    return person, password
