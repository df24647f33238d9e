"""What Django answers by itself with a blank page or a crash, said in words."""

from collections.abc import Callable

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from . import errors

log = structlog.get_logger("triage.questionnaire")


class SayItInWords:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            return errors.not_allowed(request, response.headers["Allow"])
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, (DatabaseError, InterfaceError)):
            # Only the class: the message of a database may quote the row, and so the answers.
            log.error("database_failed", exception=type(exception).__qualname__)
            return errors.unavailable(request)
        return None
