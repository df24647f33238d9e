from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ContentConfig(AppConfig):
    name = "triage.content"

    def ready(self) -> None:
        from . import audit

        post_migrate.connect(audit.watch, sender=self)
