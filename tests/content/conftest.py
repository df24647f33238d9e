"""A topic to break, and two people to publish it."""

import pytest
from django.contrib.auth.models import User

from triage.content.models import Release, Topic


@pytest.fixture
def topic(release: Release) -> Topic:
    return release.topic


@pytest.fixture
def author(release: Release) -> User:
    return User.objects.get(username="demo-author")


@pytest.fixture
def approver(release: Release) -> User:
    return User.objects.get(username="demo-approver")
