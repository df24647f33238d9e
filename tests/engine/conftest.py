"""The topics under test: one worked by hand, and the one that is shipped."""

from pathlib import Path

import pytest

from triage.content.fixtures import document_of
from triage.content.knowledge import knowledge_from
from triage.engine import Knowledge

from .small import SYNDROMES, knowledge_with

SHIPPED = Path(__file__).parents[2] / "fixtures" / "back-lump"


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return knowledge_with()


@pytest.fixture(scope="session")
def linked() -> Knowledge:
    """The small topic, with syndromes."""
    return knowledge_with(syndromes=SYNDROMES)


@pytest.fixture(scope="session", params=["independent", "linked"])
def either(request: pytest.FixtureRequest) -> Knowledge:
    """The small topic without syndromes, and with them."""
    return knowledge_with(syndromes=SYNDROMES if request.param == "linked" else ())


@pytest.fixture(scope="session")
def shipped() -> Knowledge:
    """Straight from the fixtures: no database is touched."""
    return knowledge_from(document_of(SHIPPED))
