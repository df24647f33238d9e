"""The receipt: a small file from which whoever has the release works out the same outcome.

It shows that the outcome follows from the answers. It does not show who wrote it: its hashes find
what was spoilt or changed in passing, and somebody who alters it on purpose can make them fit.
"""

import hashlib
import json
from typing import Any

from triage.content.documents import canonical
from triage.content.knowledge import Content, content_of
from triage.content.models import Release
from triage.engine import (
    ENGINE_VERSION,
    EngineError,
    Evidence,
    FeatureKey,
    check_reply,
    outcome,
    receipt,
    reply_from_json,
    reply_to_json,
)

from .summary import Summary

FORMAT = "triage-receipt-1"
SEAL = "seal"
NEEDED = {"topic", "release", "sha256", "engine", "replies", "outcome_sha256"}


class CannotReplay(Exception):
    """Why a receipt does not lead to its outcome here, as a sentence."""


class NotAReceipt(CannotReplay):
    """It is something else, or of a format that is not known here."""


class Altered(CannotReplay):
    """It is not as it was written."""


class NotHere(CannotReplay):
    """The release that it names was never published here, or holds other content here."""


class OtherEngine(CannotReplay):
    """The rules of reckoning have changed since."""


class OtherOutcome(CannotReplay):
    """Release, engine and answers are the same, and the outcome is not: promise 3 is broken."""


def receipt_of(summary: Summary) -> bytes:
    """Return the receipt: canonical JSON, sealed with the SHA-256 of all the rest of it."""
    source = summary.source
    document = {
        "format": FORMAT,
        "topic": summary.topic,
        "release": summary.release_number,
        "sha256": summary.release_sha256,
        "engine": summary.engine_version,
        "replies": [[feature, reply_to_json(reply)] for feature, reply in source.evidence],
        "set_by": [voice.value for voice in source.set_by],
        "voice": source.voice.value,
        "language": source.language,
        "channel": source.channel.value,
        "started_at": source.started_at.isoformat(),
        "finished_at": source.finished_at.isoformat() if source.finished_at else None,
        "withdrawn": list(source.withdrawn),
        "outcome_sha256": _hash(_outcome(source.content, source.evidence).encode()),
    }
    return canonical(document | {SEAL: _hash(canonical(document))})


def replay(content: bytes) -> str:
    """Return the canonical JSON of the outcome, to the byte what it was when the receipt was made.

    Raises CannotReplay, one of those above, and Tampered if the release itself was altered.
    """
    document = _opened(content)
    if document["engine"] != ENGINE_VERSION:
        raise OtherEngine(
            f"It was worked out by engine {document['engine']}, and this is engine"
            f" {ENGINE_VERSION}: run it with the version of the program that made it."
        )
    release = _release_of(document)
    text = _outcome(release, _evidence(document["replies"], release))
    if _hash(text.encode()) != document["outcome_sha256"]:
        raise OtherOutcome(
            "Release, engine and answers are those of the receipt, but they come to another outcome"
            " than it records. Keep the file, and report this."
        )
    return text


def _opened(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise NotAReceipt("This is no receipt: it is not JSON.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise NotAReceipt(f"This is no receipt of the format “{FORMAT}”.")
    seal = document.pop(SEAL, None)
    try:
        sound = seal == _hash(canonical(document)) and document.keys() >= NEEDED
    except ValueError:  # NaN and the like, or half of a character
        sound = False
    if not sound:
        raise Altered("This receipt is not as it was written: something in it was changed.")
    return document


def _release_of(document: dict[str, Any]) -> Content:
    """Return the content by its hash: a roll-back brings the same back under another number."""
    topic, number, sha256 = document["topic"], document["release"], document["sha256"]
    releases = Release.objects.filter(topic__key=topic)
    same = releases.filter(sha256=sha256).order_by("number").values_list("pk", flat=True).first()
    if same is not None:
        return content_of(same)
    here = releases.filter(number=number).values_list("sha256", flat=True).first()
    if here is None:
        raise NotHere(f"Release {number} of “{topic}” ({sha256[:8]}) was never published here.")
    raise NotHere(
        f"Release {number} of “{topic}” holds other content here than in the receipt: its hash is"
        f" {here[:8]}, and that of the receipt {sha256[:8]}."
    )


def _evidence(replies: list[list[Any]], release: Content) -> Evidence:
    try:
        evidence = Evidence((FeatureKey(key), reply_from_json(reply)) for key, reply in replies)
        for key, reply in evidence:
            check_reply(release.knowledge.feature(key), reply)
    except EngineError as error:
        raise Altered(
            f"This receipt has an answer that the release does not take: {error}"
        ) from None
    return evidence


def _outcome(content: Content, evidence: Evidence) -> str:
    return receipt(outcome(content.knowledge, evidence))


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
