"""The database's own rules about a row, worked out without asking it.

Whoever brings in thousands of rows must hear of every fault of each of them before the first one
is written, and one question to the database for each rule and row would take minutes.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import models
from django.db.models import F, Q

type Fields = Mapping[str, Any]
type Truth = bool | None
"""SQL's: true, false, or unknown where a value is not there."""


def broken(model: type[models.Model], fields: Fields) -> Iterator[str]:
    """Yield the sentence of each rule that a row breaks. As in SQL, an unknown breaks none."""
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            condition: Any = constraint.condition
            if _truth(condition, fields) is False:
                yield str(constraint.get_violation_error_message())


def _truth(condition: Q, fields: Fields) -> Truth:
    children: list[Any] = condition.children
    found = [
        _truth(child, fields) if isinstance(child, Q) else _compared(child[0], child[1], fields)
        for child in children
    ]
    decides = condition.connector == Q.OR  # true decides an “or”, false an “and”
    together = decides if decides in found else None if None in found else not decides
    return together if together is None or not condition.negated else not together


def _compared(lookup: str, wanted: Any, fields: Fields) -> Truth:
    name, _, how = lookup.partition("__")
    value: Any = fields[name]
    if how == "isnull":
        return (value is None) is wanted
    if wanted is None:
        return value is None
    if isinstance(wanted, F):
        wanted = fields[wanted.name]  # type: ignore[attr-defined] # the stubs leave it out
    return None if value is None or wanted is None else COMPARE[how](value, wanted)


def _matches(value: str, pattern: str) -> bool:
    """Unlike Python and like Postgres, `$` is the very end, not the line's."""
    whole = pattern.removesuffix("$")
    return re.search(whole if whole == pattern else rf"{whole}\Z", value) is not None


COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "": lambda value, wanted: bool(value == wanted),
    "in": lambda value, wanted: value in wanted,
    "gt": lambda value, wanted: bool(value > wanted),
    "gte": lambda value, wanted: bool(value >= wanted),
    "lt": lambda value, wanted: bool(value < wanted),
    "lte": lambda value, wanted: bool(value <= wanted),
    "regex": _matches,
}
