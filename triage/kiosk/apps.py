from django.apps import AppConfig


class KioskConfig(AppConfig):
    name = "triage.kiosk"

    def ready(self) -> None:
        from . import receivers  # noqa: F401 - its models are there only now
