from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as PlainAdminConfig


class StaffConfig(AppConfig):
    name = "triage.staff"

    def ready(self) -> None:
        from . import security_log  # noqa: F401 - importing connects it to the signals


class AdminConfig(PlainAdminConfig):
    """Django's admin behind a second factor."""

    default = False
    default_site = "triage.staff.site.StaffSite"
