"""What was looked at and waits to be confirmed: kept by the browser, signed, not by the server.

The page that shows what an upload would change holds the upload itself, packed and signed with the
name of who sent it and the hash of the drafts that it was compared with. So exactly what was shown
is written, by the same person, within the hour, and only if the drafts are still the same.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import models

from .audit import changing
from .documents import Document
from .exchange import Preview, hold_still, state_of, write_document
from .models import Likelihood, Option, Source, Topic, Translation
from .spreadsheets import Change

SALT = "triage.content.uploads"
AN_HOUR = 60 * 60
FOR_THE_REST = 64 * 1024  # of a post, beside the upload: the reason, the token


class Unusable(Exception):
    """What was to be confirmed is not what was shown, or not to this person, or too long ago."""


class TooLarge(Exception):
    """More than a page can hold: the command can import it."""


class Kind(StrEnum):
    TOPIC = "topic"
    LIKELIHOODS = "likelihoods"
    TRANSLATIONS = "translations"


@dataclass(frozen=True, slots=True)
class Upload:
    """`state` is that of the drafts that it was compared with. `content` is the document, or of
    each row its keys and what its fields would be."""

    kind: Kind
    topic: str
    state: str
    who: int
    content: Any
    language: str = ""


def of_topic(document: Document, preview: Preview, who: User) -> Upload:
    return Upload(Kind.TOPIC, preview.topic, preview.state, who.pk, document)


def of_table(
    kind: Kind, topic: Topic, changes: Iterable[Change], who: User, language: str = ""
) -> Upload:
    rows = [[list(change.key), change.values] for change in changes]
    return Upload(kind, topic.key, state_of(topic.key), who.pk, rows, language)


def packed(upload: Upload) -> str:
    """Return an upload for a hidden field. Raises TooLarge."""
    text = signing.dumps(asdict(upload), salt=SALT, compress=True)
    if len(text) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE - FOR_THE_REST:
        raise TooLarge("This is too much for a page. Import it with manage.py import_topic.")
    return text


def unpacked(text: str, who: User) -> Upload:
    """Return what was packed. Raises Unusable."""
    try:
        upload = Upload(**signing.loads(text, salt=SALT, max_age=AN_HOUR))
    except signing.SignatureExpired:
        raise Unusable("That was shown more than an hour ago. Choose the file again.") from None
    except signing.BadSignature:
        raise Unusable("What came back is not what was shown. Choose the file again.") from None
    if upload.who != who.pk:
        raise Unusable("Somebody else was shown this. Choose the file again.")
    return upload


def confirm(upload: Upload, *, who: User, why: str) -> Topic:
    """Write exactly what was shown. Raises DraftsMoved where the drafts are not what they were."""
    match Kind(upload.kind):
        case Kind.TOPIC:
            return write_document(
                upload.content, who=who, why=why, replace=True, state=upload.state
            )
        case Kind.LIKELIHOODS:
            return _write(upload, _likelihood, who, why)
        case Kind.TRANSLATIONS:
            return _write(upload, _translation, who, why)


def _write(upload: Upload, row_of: Any, who: User, why: str) -> Topic:
    with changing(who=who, why=why):
        hold_still(upload.topic, upload.state)
        topic = Topic.objects.get(key=upload.topic)
        sources = {source.key: source for source in Source.objects.all()}
        rows_of = row_of(topic, upload.language)
        for key, values in upload.content:
            row: models.Model = rows_of(tuple(key))
            for name, value in values.items():
                is_source = name == "source" and value is not None
                setattr(row, name, sources[value[0]] if is_source else value)
            row.save()
        return topic


def _likelihood(topic: Topic, _: str) -> Any:
    """Return what finds the row of a likelihood, or makes one that is not saved yet."""
    there = {
        row.natural_key()[1:2] + row.natural_key()[3:]: row for row in Likelihood.objects.of(topic)
    }
    conditions = {row.key: row for row in topic.conditions.all()}
    options = {(row.feature.key, row.key): row for row in Option.objects.of(topic)}

    def row_of(key: tuple[str, str, str]) -> Likelihood:
        condition, *option = key
        return there.get(key) or Likelihood(
            condition=conditions[condition], option=options[option[0], option[1]]
        )

    return row_of


def _translation(topic: Topic, language: str) -> Any:
    there = {row.place: row for row in topic.translations.filter(language=language)}

    def row_of(key: tuple[str]) -> Translation:
        (place,) = key
        return there.get(place) or Translation(topic=topic, language=language, place=place)

    return row_of
