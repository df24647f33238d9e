"""Topics that leave this site as files, and come in from another: looked at first, then written."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from .admission import rows_in
from .archive import BEGINS, read_archive, zipped
from .audit import changing
from .differences import title_of
from .documents import Document, canonical, compile_release
from .fixtures import FILES, Line, way_to_topic, write_drafts
from .models import Source, Topic
from .topic_file import place_in_file, read_topic_file, sha256_of, written
from .topic_schema import shown

ROWS = [part for part in FILES if part != "topic"]


class AlreadyThere(Exception):
    """What is there would be changed, and nobody said that it may be."""


class DraftsMoved(Exception):
    """The drafts are not what they were when the differences were shown."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do: the drafts before, None for a new topic, and after it."""

    before: Document | None
    after: Document
    state: str
    """The hash of all that the import would write over."""
    rows: Mapping[str, int]
    """How many rows the file has of each part that it has any of."""
    shared: tuple[str, ...]
    """A sentence for each shared source that would say something else."""

    @property
    def topic(self) -> str:
        key: str = self.after["topic"]["key"]
        return key

    @property
    def changes_nothing(self) -> bool:
        return self.before is not None and canonical(self.before) == canonical(self.after)


def drafts_of(topic: Topic) -> Document:
    """Return a topic's drafts as they would be read from a file: lists where rows have tuples."""
    document: Document = json.loads(canonical(compile_release(topic)))
    return document


def export_topic(topic: Topic) -> bytes:
    """Return a topic's drafts as one sealed file."""
    return written(compile_release(topic))


def export_fixtures(topic: Topic) -> bytes:
    """Return a topic's drafts as an archive of the files that `load_content` reads."""
    return zipped(compile_release(topic))


def read(file: bytes) -> Document:
    """Return the drafts in a file of either kind. Asks no database.

    Raises Refused with every reason why it cannot be taken, at most 50.
    """
    return read_archive(file) if file.startswith(BEGINS) else read_topic_file(file)


def preview(document: Document) -> Preview:
    topic = Topic.objects.filter(key=document["topic"]["key"]).first()
    before = drafts_of(topic) if topic else None
    return Preview(
        before=before,
        after=_with_sources_of(before, document) if before else document,
        state=state_of(document["topic"]["key"]),
        rows={title_of(part): len(document[part]) for part in ROWS if document[part]},
        shared=tuple(_shared_sources(document)),
    )


def _with_sources_of(before: Document, document: Document) -> Document:
    """Return a document with the sources that it lacks: topics share them, so they stay."""
    own = {row["key"] for row in document["sources"]}
    kept = [row for row in before["sources"] if row["key"] not in own]
    return {
        **document,
        "sources": sorted([*document["sources"], *kept], key=lambda row: row["key"]),
    }


def import_topic(file: bytes, *, who: User | None, why: str, replace: bool = False) -> Topic:
    """Make the topic in a file, or with `replace` make its drafts what the file says.

    All or nothing; releases stay. Raises Refused, and AlreadyThere without `replace`.
    """
    return write_document(read(file), who=who, why=why, replace=replace)


def write_document(
    document: Document, *, who: User | None, why: str, replace: bool, state: str | None = None
) -> Topic:
    """Write a document that `read` gave back.

    Raises AlreadyThere; and DraftsMoved where the drafts are not as they were at `state`.
    """
    with changing(who=who, why=why):
        key = document["topic"]["key"]
        there = Topic.objects.filter(key=key).first()
        if there and not replace:
            raise AlreadyThere(f"“{key}” is there already.")
        if state is not None:
            hold_still(key, state)
        if not replace and (shared := list(_shared_sources(document))):
            raise AlreadyThere("\n".join(shared))
        write_drafts({part: list(_located(part, document)) for part in FILES}, replace=replace)
        return Topic.objects.get(key=key)


def hold_still(key: str, state: str) -> None:
    """Let nobody else change a topic's drafts until the end of this transaction.

    Raises DraftsMoved where they are not as they were when `state_of` gave `state`.
    """
    for model in FILES.values():
        rows = model._default_manager.all()
        if model is not Source:
            rows = rows.filter(**{f"{way_to_topic(model)}key": key})
        list(rows.order_by().select_for_update().values_list("pk"))
    if state_of(key) != state:
        raise DraftsMoved(f"Somebody has changed “{key}” since the differences were shown.")


def state_of(key: str) -> str:
    """Return the hash of a topic's drafts, or of the sources if there is no such topic yet."""
    if topic := Topic.objects.filter(key=key).first():
        return sha256_of(compile_release(topic))
    return sha256_of({"sources": list(Source.objects.order_by("key").values())})


def _located(part: str, document: Document) -> Iterator[Line]:
    for number, row in enumerate(rows_in(document, part), start=1):
        yield place_in_file(part, number), row


def _shared_sources(document: Document) -> Iterator[str]:
    """Yield a sentence for each source of the database that the document would change."""
    there = {source.key: source for source in Source.objects.all()}
    own = document["topic"]["key"]
    for row in document["sources"]:
        source = there.get(row["key"])
        changed = [name for name in row if source and getattr(source, name) != row[name]]
        if source and changed:
            others = sorted(_topics_that_name(source) - {own})
            users = f", which {', '.join(others)} names too," if others else ""
            fields = "; ".join(
                f"“{name}” from {shown(getattr(source, name))} to {shown(row[name])}"
                for name in changed
            )
            yield f"The shared source “{source.key}”{users} would change: {fields}."


def _topics_that_name(source: Source) -> set[str]:
    """Return the keys of the topics of which a row names the source."""
    found: set[str] = set()
    for relation in source._meta.related_objects:
        model: Any = relation.related_model
        if model in FILES.values():
            rows = model.objects.filter(**{relation.field.name: source}).order_by()
            found |= set(rows.values_list(f"{way_to_topic(model)}key", flat=True).distinct())
    return found
