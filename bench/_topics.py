"""The topics as shipped, straight from their fixtures."""

import os

import django

from triage.engine import Knowledge


def shipped_topics() -> dict[str, Knowledge]:
    """Return what is known of each topic; no database is needed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "triage.settings")
    django.setup()
    from triage.content.fixtures import document_of, topic_folders
    from triage.content.knowledge import knowledge_from

    return {folder.name: knowledge_from(document_of(folder)) for folder in topic_folders()}
