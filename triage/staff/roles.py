"""The roles, as groups: what each may do with the content and in the clinic, whose models lie above
this app."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction

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
    "review",
    "savedcase",
)
WORKFLOW = ("snapshot", "proposal", "comment", "casesignoff", "effect", "release")
RECORD = ("auditrecord",)
EVERYTHING = (*DRAFTS, *WORKFLOW, *RECORD)


def to(*actions: str, models: tuple[str, ...]) -> set[str]:
    return {f"{action}_{model}" for action in actions for model in models}


RECEPTION = {"view_visit", "view_alert", "acknowledge_alert"}
APPS = ("content", "handover", "kiosk", "desk")

ROLES = {
    "Author": to("view", "add", "change", "delete", models=DRAFTS)
    | to("view", models=WORKFLOW)
    | {"add_proposal"},
    "Approver": to("view", models=EVERYTHING) | {"approve_release"},
    "Publisher": to("view", models=EVERYTHING) | {"publish_release"},
    "Auditor": to("view", models=EVERYTHING),
    "Reception": RECEPTION,
    "Clinician": RECEPTION | {"pick_up", "add_verdict", "change_verdict", "view_verdict"},
    "Clinic": to("view", "add", "change", "delete", models=("terminal", "apikey")),
}


@transaction.atomic
def set_up_groups() -> dict[str, Group]:
    """Return the group of each role, made where it is not there.

    One that is there may do what is new since it was made, and all that it could do before.
    """
    named = ROLES.keys()
    groups = {
        group.name: group
        for group in Group.objects.filter(name__in=named).prefetch_related("permissions")
    }
    there = Permission.objects.filter(content_type__app_label__in=APPS)
    permissions = {permission.codename: permission for permission in there}
    for name, wanted in ROLES.items():
        if name not in groups:
            groups[name] = Group.objects.create(name=name)
        held = {permission.codename for permission in groups[name].permissions.all()}
        if missing := wanted - held:
            groups[name].permissions.add(*(permissions[codename] for codename in missing))
    return groups
