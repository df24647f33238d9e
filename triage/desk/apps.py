from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "triage.desk"

    def ready(self) -> None:
        from . import receivers  # noqa: F401 - its models are there only now
