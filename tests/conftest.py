"""What every test can ask for."""

import os

import pytest


@pytest.fixture(scope="session")
def sweep() -> int:
    """How many cases a sweep draws: 2,000, or what SWEEP says (`dev.py soak`: 20,000)."""
    return int(os.environ.get("SWEEP", "2000"))
