"""A topic to break, and two people to publish it."""

from copy import deepcopy

import pytest
from django.contrib.auth.models import User

from triage.content.documents import Document
from triage.content.models import Release, Topic

from .breaking import shipped


@pytest.fixture
def document() -> Document:
    """The shipped content, to be broken."""
    return deepcopy(shipped())


@pytest.fixture
def topic(release: Release) -> Topic:
    return release.topic


@pytest.fixture
def author(release: Release) -> User:
    return User.objects.get(username="demo-author")


@pytest.fixture
def approver(release: Release) -> User:
    return User.objects.get(username="demo-approver")
