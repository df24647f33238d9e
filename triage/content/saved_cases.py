"""The clinic's own cases: people on whom each change of the content is tried."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from triage.engine import Knowledge
from triage.evaluation.cases import Case, UnfitCases, read_case
from triage.evaluation.effects import Described

from .audit import changing
from .models import SavedCase, Topic

SAVED = "saved"
"""What stands for a file in the names of the clinic's own cases."""


class UnfitCase(Exception):
    """A case that cannot be kept as it is, and why."""


def save_case(
    *,
    topic: Topic,
    key: str,
    story: str,
    answers: dict[str, Any],
    expected: dict[str, Any],
    knowledge: Knowledge,
    who: User,
) -> SavedCase:
    """Keep a case. Raises UnfitCase if it cannot be read, or if its name is taken."""
    case = SavedCase(
        topic=topic, key=key, story=story, answers=answers, expected=expected, saved_by=who
    )
    as_case(case, knowledge)
    try:
        with transaction.atomic(), changing(who=who, why=f"A case to try changes on: {story}"):
            case.save(force_insert=True)
    except IntegrityError:
        raise UnfitCase(f"There is a case “{key}” already. Choose another name.") from None
    return case


def as_case(saved: SavedCase, knowledge: Knowledge) -> Case:
    """Return a saved case as it is run. Raises UnfitCase with every reason why it cannot be."""
    try:
        return read_case(described(saved).text, knowledge)
    except UnfitCases as unfit:
        raise UnfitCase("; ".join(unfit.faults)) from None


def described(saved: SavedCase) -> Described:
    """Return a saved case as a line of a file of cases."""
    line = {
        "id": saved.key,
        "story": saved.story,
        "answers": saved.answers,
        "expected": saved.expected,
    }
    return Described(SAVED, saved.key, saved.story, json.dumps(line, ensure_ascii=False))
