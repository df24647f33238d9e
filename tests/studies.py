"""Studies that say how often a number came true, made up for tests."""

from typing import Any

from triage.content.calibration import knowledge_sha256
from triage.content.documents import Document
from triage.content.models import CalibrationStudy, Source, Topic

HASH = "0" * 64


def tenth(place: int, right: int, of: int, claimed: float | None = None) -> dict[str, Any]:
    mean = round(place / 10 + 0.05, 2) if claimed is None else claimed
    low, high = place / 10, (place + 1) / 10
    return {"low": low, "high": high, "claimed": mean, "right": right, "of": of}


def table(*bins: dict[str, Any]) -> dict[str, Any]:
    """Return a table of these tenths; if none is given, of all ten, each exactly right."""
    exact = [tenth(place, 6 * place + 3, 60) for place in range(10)]
    return {"title": "a topic, 400 people", "about": "Made up.", "bins": list(bins) or exact}


def row(document: Document, **fields: Any) -> dict[str, Any]:
    """Return a study, as a document has it, that bears the numbers of the document out."""
    fitting = {
        "topic": [document["topic"]["key"]],
        "key": "made_up",
        "studied": "People of a made-up clinic, whose lump was taken out and looked at.",
        "kind": "people",
        "source": [document["sources"][0]["key"]],
        "people": 400,
        "table": table(),
        "knowledge_sha256": knowledge_sha256(document),
    }
    return fitting | fields


def add_to(topic: Topic, document: Document, **fields: Any) -> CalibrationStudy:
    """Let a topic say “about N in 100”, and store the study that it needs."""
    Topic.objects.filter(pk=topic.pk).update(says_in_100=True)
    topic.refresh_from_db()
    study = row(document, **fields)
    source = Source.objects.get(key=study["source"][0])
    return CalibrationStudy.objects.create(**study | {"topic": topic, "source": source})
