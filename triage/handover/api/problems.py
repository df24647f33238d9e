"""Refusals, each as a small JSON document (RFC 9457) that says what is wrong and where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils.cache import add_never_cache_headers

PROBLEM = "application/problem+json"
MOST_FAULTS = 50
"""So many faults are told of one body: more help nobody."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of the body: “answers/3/options/0”, or "" for all of it."""

    place: str
    detail: str


class Refused(Exception):
    """Nothing was worked out. `code` is for the program, `detail` for whoever wrote it."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        faults: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
        emergency: bool | None = None,
    ) -> None:
        super().__init__(code)  # nothing of the body, wherever it may be printed
        self.status = status
        self.code = code
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = headers or {}
        self.emergency = emergency

    @property
    def response(self) -> HttpResponse:
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "code": self.code,
            "detail": self.detail,
            "in_an_emergency": f"In an emergency call {settings.EMERGENCY_NUMBER} now.",
        }
        if self.faults:
            document["errors"] = [
                {"place": fault.place, "detail": fault.detail}
                for fault in self.faults[:MOST_FAULTS]
            ]
        if self.emergency is not None:
            document["emergency"] = self.emergency
        response = JsonResponse(
            document, status=self.status, content_type=PROBLEM, headers=self.headers
        )
        add_never_cache_headers(response)
        return response
