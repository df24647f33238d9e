"""What Django answers by itself with a blank page or a crash, said in words."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language

from triage.content.knowledge import NotTranslated
from triage.staff.site import is_for_staff

from . import errors
from .languages import address_in
from .trials import MOUNT, is_trial, mounted

log = structlog.get_logger("triage.questionnaire")


def try_out_drafts(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Show the same pages once more below their own mount, where staff try a draft out."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not is_trial(request):
            return get_response(request)
        request.path_info = request.path_info.removeprefix(MOUNT.rstrip("/"))
        if is_for_staff(request):
            return HttpResponseRedirect(request.path_info)
        with mounted(MOUNT):
            return get_response(request)

    return middleware


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
        if isinstance(exception, NotTranslated):
            return self._in_the_own_language(request)
        return None

    def _in_the_own_language(self, request: HttpRequest) -> HttpResponse:
        """Lead whoever asked for a language that this release lacks to the one of the place."""
        if get_language() == settings.LANGUAGE_CODE:
            return errors.unavailable(request)
        return HttpResponseRedirect(address_in(settings.LANGUAGE_CODE, request.path_info))
