from django.apps import AppConfig


class HandoverConfig(AppConfig):
    name = "triage.handover"

    def ready(self) -> None:
        from . import receivers  # noqa: F401 - its models are there only now
