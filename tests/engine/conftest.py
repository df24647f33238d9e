"""The two topics under test: one worked by hand, and the one that is shipped."""

from pathlib import Path

import pytest

from triage.content.fixtures import document_of
from triage.content.knowledge import knowledge_from
from triage.engine import Knowledge

from .small import knowledge_with

SHIPPED = Path(__file__).parents[2] / "fixtures" / "back-lump"


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return knowledge_with()


@pytest.fixture(scope="session")
def shipped() -> Knowledge:
    """Straight from the fixtures: no database is touched."""
    return knowledge_from(document_of(SHIPPED))
