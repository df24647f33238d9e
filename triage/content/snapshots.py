"""Drafts as they are at this moment, kept to be measured, tried out and decided on."""

import hashlib
from datetime import datetime
from threading import Lock
from typing import Any

from django.db.models import QuerySet

from .documents import canonical, compile_release
from .knowledge import Content, compiled
from .models import Snapshot, Topic

KEPT = 4
"""How many compiled drafts a process remembers: each is some 10 MB."""

_contents: dict[int, Content] = {}
_compiling = Lock()


def sha256_of_drafts(topic: Topic) -> str:
    return hashlib.sha256(canonical(compile_release(topic))).hexdigest()


def forget_unused(*, made_before: datetime, used: "QuerySet[Any, Any]") -> None:
    """Delete what nobody submitted; `used` are the keys of those that are being tried out."""
    old = Snapshot.objects.filter(made_at__lt=made_before, proposals=None)
    old.exclude(pk__in=used).delete()


def snapshot_of(topic: Topic) -> Snapshot:
    """Return the drafts of a topic, frozen; the same drafts are kept once."""
    text = canonical(compile_release(topic))
    snapshot, _ = Snapshot.objects.get_or_create(
        topic=topic,
        sha256=hashlib.sha256(text).hexdigest(),
        defaults={"document": text.decode()},
    )
    return snapshot


def content_of_snapshot(snapshot_id: int) -> Content:
    """Return a draft, compiled as a release would be.

    Raises Snapshot.DoesNotExist, and Unsound with every fault where the engine refuses it.
    """
    with _compiling:
        if snapshot_id not in _contents:
            snapshot = Snapshot.objects.get(pk=snapshot_id)
            while len(_contents) >= KEPT:
                _contents.pop(next(iter(_contents)))
            _contents[snapshot_id] = compiled(
                snapshot.document, snapshot.sha256, release_number=0, demonstration=False
            )
        return _contents[snapshot_id]
