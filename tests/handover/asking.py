"""A program that asks the checker, and holds each response to the published description."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from triage.engine import Chosen, Declined, Evidence, Number, Reply
from triage.handover.api import keys
from triage.handover.models import ApiKey

STEP = "/api/v1/step"
DESCRIPTION: Path = settings.BASE_DIR / "triage" / "handover" / "api" / "openapi.json"


@cache
def description() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return document


@cache
def schema_of(name: str) -> Draft202012Validator:
    """Return what checks one of the described parts."""
    parts = {"components": description()["components"]}
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", **parts})


def checked(response: Any) -> Any:
    """Return the JSON of a response of /step, once it is what the description says of its status."""
    told = description()["paths"][STEP]["post"]["responses"][str(response.status_code)]
    (kind,) = told["content"]
    assert response.headers["Content-Type"] == kind
    assert set(told.get("headers", {})) <= set(response.headers)
    assert "no-store" in response.headers["Cache-Control"]
    assert not response.cookies
    (part,) = told["content"].values()
    schema_of(part["schema"]["$ref"].rpartition("/")[2]).validate(response.json())
    return response.json()


def answers_of(evidence: Evidence) -> list[dict[str, Any]]:
    return [{"feature": feature, **_way(reply)} for feature, reply in evidence]


def _way(reply: Reply) -> dict[str, Any]:
    match reply:
        case Chosen(options):
            return {"options": sorted(options)}
        case Number(value):
            return {"number": value}
        case Declined(reason):
            return {"declined": reason.value}


@dataclass
class Program:
    """Somebody else's program, with its key."""

    key: str
    client: Client = field(default_factory=Client)

    @classmethod
    def with_a_key(cls, per_minute: int = 10_000) -> Self:
        by, _ = User.objects.get_or_create(username="clinic")
        key = ApiKey(name="Surgery", per_minute=per_minute)
        return cls(keys.make(key=key, by=by, now=timezone.now()))

    def post(self, body: str | bytes, **headers: str) -> Any:
        said = {"Authorization": f"Bearer {self.key}", **headers}
        kind = said.pop("Content-Type", "application/json")
        sent = body.encode() if isinstance(body, str) else body
        return self.client.generic("POST", STEP, sent, kind, headers=said, CONTENT_TYPE=kind)

    def ask(self, *, status: int = 200, **members: Any) -> Any:
        """Return the checked JSON for these members of a body."""
        body = {"topic": "back-lump", "answers": [], **members}
        response = self.post(json.dumps(body))
        assert response.status_code == status, response.content
        return checked(response)

    def refused(self, **members: Any) -> dict[str, str]:
        """Return the faults of a body that is refused, by their places."""
        told = self.ask(status=422, **members)
        return {fault["place"]: fault["detail"] for fault in told["errors"]}
