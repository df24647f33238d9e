"""Whether the process is alive, and whether it could serve a patient now."""

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from triage.content.releases import NothingPublished

from . import services
from .models import Pulse


@never_cache
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Write, since a full disk still answers reads, and find the release that would be started."""
    try:
        Pulse.objects.update_or_create(id=1, defaults={"beat_at": timezone.now()})
        services.live_release_here()
    except (DatabaseError, NothingPublished) as error:
        reason = type(error).__name__
        return HttpResponse(f"not ready: {reason}\n", content_type="text/plain", status=503)
    return HttpResponse("ready\n", content_type="text/plain")
