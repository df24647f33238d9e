"""What each role may do, worked out from the pages and held against a table."""

from collections.abc import Iterable
from io import StringIO

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse

from triage.staff.roles import APPS, ROLES, set_up_groups

from .people import sign_in, staff_member

pytestmark = pytest.mark.django_db
ALL_ROLES = (
    "Author",
    "Approver",
    "Publisher",
    "Auditor",
    "none",
    "superuser",
    "Reception",
    "Clinician",
    "Clinic",
)

# v view, a add, c change, d delete; for each of the roles, in their order.
DRAFT = "vacd v v v - vacd - - -"
ONLY_READ = "v v v v - v - - -"
ACCOUNTS = "- - - - - vacd - - -"
CLINIC = "- - - - - vacd - - vacd"
TABLE = {
    "content.Topic": DRAFT,
    "content.Source": DRAFT,
    "content.Condition": DRAFT,
    "content.Feature": DRAFT,
    "content.Option": DRAFT,
    "content.Likelihood": DRAFT,
    "content.Syndrome": DRAFT,
    "content.RedFlag": DRAFT,
    "content.RiskGroup": DRAFT,
    "content.Advice": DRAFT,
    "content.GlossaryTerm": DRAFT,
    "content.Translation": DRAFT,
    "content.CalibrationStudy": DRAFT,
    "content.Review": DRAFT,
    "content.SavedCase": DRAFT,
    "content.Release": ONLY_READ,
    "auth.User": ACCOUNTS,
    "otp_totp.TOTPDevice": "- - - - - vd - - -",
    "kiosk.Terminal": CLINIC,
    "handover.ApiKey": CLINIC,
}
RIGHTS = {
    "content.add_proposal": "Author superuser",
    "content.approve_release": "Approver superuser",
    "content.publish_release": "Publisher superuser",
    "content.view_proposal": "Author Approver Publisher Auditor superuser",
    "content.view_effect": "Author Approver Publisher Auditor superuser",
    "content.view_auditrecord": "Approver Publisher Auditor superuser",
    "content.change_release": "superuser",
    "content.change_proposal": "superuser",
    "content.add_auditrecord": "superuser",
    "content.change_auditrecord": "superuser",
    "content.delete_auditrecord": "superuser",
    "auth.change_user": "superuser",
    "otp_totp.delete_totpdevice": "superuser",
    "handover.view_visit": "Reception Clinician superuser",
    "handover.acknowledge_alert": "Reception Clinician superuser",
    "handover.pick_up": "Clinician superuser",
    "handover.change_handover": "superuser",
    "desk.add_verdict": "Clinician superuser",
    "desk.view_verdict": "Clinician superuser",
}


def named(models: Iterable[type[models.Model]]) -> list[str]:
    return sorted(model._meta.label for model in models)


def person_in(role: str) -> User:
    if role == "superuser":
        return User.objects.create_superuser("somebody")
    person = staff_member("somebody", phone=False)
    if role != "none":
        person.groups.add(set_up_groups()[role])
    return User.objects.get(pk=person.pk)  # without the rights that it remembers


def letters(model_admin: "admin.ModelAdmin[models.Model]", person: User) -> str:
    request = RequestFactory().get("/staff/")
    request.user = person
    may = {
        "v": model_admin.has_view_permission(request),
        "a": model_admin.has_add_permission(request),
        "c": model_admin.has_change_permission(request),
        "d": model_admin.has_delete_permission(request),
    }
    return "".join(letter for letter, allowed in may.items() if allowed) or "-"


def test_the_table_names_every_model_of_the_admin() -> None:
    assert set(named(admin.site._registry)) <= TABLE.keys()


@pytest.mark.parametrize("role", ALL_ROLES)
def test_a_role_may_do_what_the_table_says(client: Client, role: str) -> None:
    person = person_in(role)
    column = ALL_ROLES.index(role)

    may = {
        model._meta.label: letters(model_admin, person)
        for model, model_admin in admin.site._registry.items()
    }

    assert may == {label: TABLE[label].split()[column] for label in may}
    assert {right for right in RIGHTS if person.has_perm(right)} == {
        right for right, roles in RIGHTS.items() if role in roles.split()
    }


@pytest.mark.sqlite
@pytest.mark.parametrize("role", ALL_ROLES)
def test_the_pages_say_the_same(client: Client, role: str) -> None:
    person = person_in(role)
    sign_in(client, person)
    answers, expected = {}, {}
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        allowed = letters(model_admin, person)
        for page, letter in (("changelist", "v"), ("add", "a")):
            answers[name, page] = client.get(reverse(f"{name}_{page}")).status_code
            expected[name, page] = 200 if letter in allowed else 403

    assert answers == expected


def test_roles_name_only_rights_that_there_are() -> None:
    there = set(
        Permission.objects.filter(content_type__app_label__in=APPS).values_list(
            "codename", flat=True
        )
    )

    assert {right for rights in ROLES.values() for right in rights} <= there


def test_a_group_that_is_there_gains_what_is_new_and_loses_nothing() -> None:
    group = Group.objects.get(name="Auditor")
    new = Permission.objects.get(codename="view_condition")
    own = Permission.objects.get(codename="view_session")
    group.permissions.remove(new)
    group.permissions.add(own)

    set_up_groups()

    assert {new, own} <= set(group.permissions.all())
    assert group.permissions.count() == len(ROLES["Auditor"]) + 1


def test_a_real_service_makes_the_roles_by_a_command() -> None:
    Group.objects.filter(name__in=ROLES).delete()
    out = StringIO()

    call_command("set_up_roles", stdout=out)

    assert out.getvalue() == "There are {}.\n".format(", ".join(ROLES))
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)
