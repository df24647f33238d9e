"""The clinic's own cases: people on whom each change of the content is tried."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from triage.engine import Knowledge
from triage.evaluation.cases import Case, UnfitCases, read_case

from .audit import changing
from .models import SavedCase, Topic


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
    line = {"id": saved.key, "answers": saved.answers, "expected": saved.expected}
    try:
        return read_case(json.dumps(line), knowledge)
    except UnfitCases as unfit:
        raise UnfitCase("; ".join(unfit.faults)) from None
