"""What a staff page is wrapped in."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django_htmx.http import HttpResponseClientRedirect

from . import kept, signing_in
from .site import is_signed_in

type View = Callable[..., HttpResponse]


def staff_page[V: View](*permissions: str) -> Callable[[V], V]:
    """Open a page only to staff who gave both factors and have all these permissions."""

    def decorate(view: V) -> V:
        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not is_signed_in(request):
                return lead_to_sign_in(request)
            if not person(request).has_perms(permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast(V, never_cache(csrf_protect(page)))

    return decorate


def watching_page[V: View](*permissions: str) -> Callable[[V], V]:
    """Open a page as `staff_page` does, and keep it open on a session that is idle.

    For a screen that is looked at and not touched. It shows as little as it can, and being asked for
    keeps nothing else open: an idle session stays idle.
    """

    def decorate(view: V) -> V:
        page = staff_page(*permissions)(view)
        page.__dict__["watches"] = True
        return page

    return decorate


def confirmed_recently[V: View](view: V) -> V:
    """Ask for the password first, unless it was given within the last five minutes.

    A post without it changes nothing: what it held is offered again, see `kept`.
    """

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if signing_in.is_confirmed(request):
            return view(request, *args, **kwargs)
        if request.method != "GET":
            messages.warning(request, "Nothing was done yet: give your password first.")
            if typed := kept.typed(request):
                request.session[kept.KEPT] = typed
        return lead_to(request, reverse("staff:confirm"))

    return cast(V, page)


def person(request: HttpRequest) -> User:
    """Return who is signed in, on a page that nobody else sees."""
    return cast(User, request.user)


def watches(request: HttpRequest) -> bool:
    """Whether the page that is asked for stays open on an idle session."""
    return bool(request.resolver_match and getattr(request.resolver_match.func, "watches", False))


def lead_to_sign_in(request: HttpRequest, **query: str) -> HttpResponse:
    """Redirect to the sign-in; a screen that asks by itself stays, and says that it shows no more."""
    if watches(request) and "poll" in request.GET:
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    return lead_to(request, reverse("admin:login"), **query)


def lead_to(request: HttpRequest, address: str, **query: str) -> HttpResponse:
    """Redirect to a page that comes back to this one; htmx must not put it into a part of a page."""
    shown = request.headers.get("HX-Current-URL", "")
    back = urlsplit(shown)._replace(scheme="", netloc="").geturl() if shown else ""
    target = f"{address}?{urlencode({'next': back or request.get_full_path(), **query})}"
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(target)
    return HttpResponseRedirect(target)


def is_about_typing(request: HttpRequest) -> bool:
    """Whether a page asks by itself about what somebody is typing, none of which is saved yet."""
    return request.method == "POST" and "HX-Request" in request.headers


def ask_to_save() -> HttpResponse:
    """Say in the page that a session is over. To lead away would lose all that is typed there; the
    session stays, over as it is, so that saving it keeps it until after the sign-in."""
    return HttpResponse(
        "You are signed out. Press Save: you sign in again, and find here what you typed.",
        status=HTTPStatus.CONFLICT,
    )


def onward(request: HttpRequest) -> HttpResponse:
    """Go on to where a person wanted to go, past what they had typed and could not save."""
    if kept.is_kept(request):
        query = urlencode({"next": next_page(request)})
        return HttpResponseRedirect(f"{reverse('staff:kept')}?{query}")
    request.session.pop(kept.KEPT, None)
    return HttpResponseRedirect(next_page(request))


def next_page(request: HttpRequest) -> str:
    """Return where a person wanted to go, if that is here; else the first page of the desk."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if urlsplit(wanted).path == reverse("admin:logout"):  # takes no GET
        return reverse("admin:index")
    if url_has_allowed_host_and_scheme(wanted, request.get_host(), request.is_secure()):
        return wanted
    return reverse("admin:index")
