"""The shipped content as one document, and ways to change one row of it."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

from django.conf import settings

from triage.content.documents import Document
from triage.content.fixtures import document_of


@cache
def shipped() -> Document:
    """Return the shipped content; whoever changes it changes a copy."""
    return document_of(settings.BASE_DIR / "fixtures" / "back-lump")


def row(document: Document, part: str, *key: str) -> Any:
    """Return the row to break: an option by feature and key, a likelihood by all three."""
    for fields in document[part]:
        own: tuple[str, ...]
        match part:
            case "options":
                own = (fields["feature"][1], fields["key"])
            case "likelihoods":
                own = (fields["condition"][1], *fields["option"][1:])
            case "syndrome_chances":
                own = (fields["syndrome"][1], fields["condition"][1])
            case "syndrome_members":
                condition = fields["condition"] or ("", "any")
                own = (fields["syndrome"][1], *fields["option"][1:], condition[1])
            case "advice":
                own = (fields["scope"], fields["key"])
            case _:
                own = (fields["key"],)
        if own == key:
            return fields
    raise AssertionError(f"the fixtures have no {key}")


def change(part: str, *key: str, **fields: Any) -> Callable[[Document], None]:
    return lambda document: row(document, part, *key).update(fields)


def add_like(part: str, *key: str, **fields: Any) -> Callable[[Document], None]:
    return lambda document: document[part].append(deepcopy(row(document, part, *key)) | fields)


def drop(part: str, *key: str) -> Callable[[Document], None]:
    return lambda document: document[part].remove(row(document, part, *key))


def double(part: str, *key: str) -> Callable[[Document], None]:
    return lambda document: document[part].append(deepcopy(row(document, part, *key)))
