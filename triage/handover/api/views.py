"""The two addresses of the API."""

import json
from collections.abc import Callable
from functools import cache, wraps
from http import HTTPStatus
from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from . import keys
from .answers import asked_in, document_in
from .problems import Refused
from .steps import step_document

type View = Callable[[HttpRequest], HttpResponse]


def refusing(view: View) -> View:
    """Answer a refusal with its problem document."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except Refused as refused:
            return refused.response

    return answered


# No browser sends the key by itself, as it does a cookie, so that no other site can use it.
@csrf_exempt
@never_cache
@require_POST
@refusing
def step(request: HttpRequest) -> HttpResponse:
    """Return what comes next for somebody who gave these answers. Nothing of it is kept."""
    keys.spend(authorization=request.headers.get("Authorization", ""), now=timezone.now())
    if request.content_type != "application/json":
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "wrong_type",
            "Send JSON, and say so: “Content-Type: application/json”.",
            headers={"Accept": "application/json"},
        )
    asked = asked_in(document_in(request.body))
    return JsonResponse(step_document(asked), headers={"Content-Language": asked.language})


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(_openapi(), content_type="application/json")
    patch_cache_control(response, public=True, max_age=300)
    return response


@cache
def _openapi() -> bytes:
    text = (Path(__file__).parent / "openapi.json").read_text(encoding="utf-8")
    return json.dumps(json.loads(text), separators=(",", ":")).encode()
