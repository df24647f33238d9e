"""A topic of three conditions cut out of the shipped one, with a row in every part of it."""

import json
from functools import cache
from typing import Any

from django.conf import settings

from tests.studies import table
from triage.content.fixtures import document_of

type Document = dict[str, Any]

CONDITIONS = ("lipoma", "skin_cancer", "spinal_metastasis")
FEATURES = ("age", "fever", "general_signs")


def small_topic() -> Document:
    """Return it with lists where JSON has lists, and floats where the database keeps floats."""
    copied: Document = json.loads(_cut_out())
    return copied


@cache
def _cut_out() -> str:
    shipped = document_of(settings.BASE_DIR / "fixtures" / "back-lump")
    conditions = [row for row in shipped["conditions"] if row["key"] in CONDITIONS]
    features = [row for row in shipped["features"] if row["key"] in FEATURES]
    document: Document = {
        **shipped,
        "topic": {**shipped["topic"], "temper": float(shipped["topic"]["temper"])},
        "conditions": conditions,
        "features": features,
        "options": [row for row in shipped["options"] if row["feature"][1] in FEATURES],
        "likelihoods": [
            row
            for row in shipped["likelihoods"]
            if row["condition"][1] in CONDITIONS and row["option"][1] in FEATURES
        ],
        "syndromes": [row for row in shipped["syndromes"] if row["key"] == "ill_all_over"],
        "syndrome_chances": [
            row
            for row in shipped["syndrome_chances"]
            if row["syndrome"][1] == "ill_all_over" and row["condition"][1] in CONDITIONS
        ],
        "syndrome_members": [
            row
            for row in shipped["syndrome_members"]
            if row["syndrome"][1] == "ill_all_over"
            and row["option"][1] in FEATURES
            and (row["condition"] is None or row["condition"][1] in CONDITIONS)
        ],
        "red_flags": shipped["red_flags"][:3],
        "risk_groups": [
            {
                "topic": ["back-lump"],
                "key": "cancers",
                "name": "A cancer",
                "urgency": "urgent_2_weeks",
                "raise_at_percent": 3.0,
                "conditions": [["back-lump", "skin_cancer"], ["back-lump", "spinal_metastasis"]],
                "sources": [["nice_ng12"]],
            }
        ],
        "advice": shipped["advice"][:3],
        "glossary": shipped["glossary"][:3],
        "translations": shipped["translations"][:6],
        "calibration_studies": [
            {
                "topic": ["back-lump"],
                "key": "made_up",
                "studied": "People who were made up for a test.",
                "kind": "simulated",
                "source": ["nice_ng12"],
                "people": 600,
                "table": table(),
                "knowledge_sha256": "0" * 64,
            }
        ],
        "reviews": [
            {
                "topic": ["back-lump"],
                "place": "conditions/lipoma",
                "reviewer": "A. Reader, surgeon",
                "reviewed_on": "2026-01-31",
                "due_on": "2027-01-31",
                "note": "",
            }
        ],
    }
    named = json.dumps({part: rows for part, rows in document.items() if part != "sources"})
    document["sources"] = [row for row in shipped["sources"] if f'["{row["key"]}"]' in named]
    return json.dumps(document)
