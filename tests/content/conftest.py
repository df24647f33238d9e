"""A topic to break, and two people to publish it."""

from copy import deepcopy

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from triage.content.documents import Document
from triage.content.fixtures import document_of
from triage.content.models import Release, Topic


@pytest.fixture(scope="session")
def shipped_document() -> Document:
    return document_of(settings.BASE_DIR / "fixtures" / "back-lump")


@pytest.fixture
def document(shipped_document: Document) -> Document:
    """The shipped content, to be broken."""
    return deepcopy(shipped_document)


@pytest.fixture
def topic(release: Release) -> Topic:
    return release.topic


@pytest.fixture
def author(release: Release) -> User:
    return User.objects.get(username="demo-author")


@pytest.fixture
def approver(release: Release) -> User:
    return User.objects.get(username="demo-approver")
