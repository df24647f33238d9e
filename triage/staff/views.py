"""Signing in, the second factor, and being asked once more."""

import secrets
from typing import Any

import segno
import structlog
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from . import kept, signing_in
from .forms import CodeForm, NameAndPassword, PasswordForm
from .pages import confirmed_recently, next_page, onward, person, staff_page
from .site import is_signed_in

log = structlog.get_logger("triage.staff")

WHY = {
    "idle": "You were signed out because nothing happened here for {idle} minutes.",
    "long": "You were signed out because you had been signed in for {long} hours.",
}


def page(
    request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    everywhere = admin.site.each_context(request)
    return render(
        request,
        template,
        {**everywhere, "title": title, "next": next_page(request), **context},
        status=status,
    )


@never_cache
@csrf_protect
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "GET" and is_signed_in(request):
        return HttpResponseRedirect(next_page(request))
    form = NameAndPassword(request, request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = form.get_user()
        signing_in.begin(request=request, user=user)
        return _lead_to(request, "staff:code" if signing_in.phone_of(user) else "staff:phone")
    why, _, lost = request.GET.get("why", "").partition("-")
    return page(
        request,
        "staff/sign_in.html",
        "Sign in",
        form=form,
        why=WHY.get(why, "").format(
            idle=settings.STAFF_IDLE.seconds // 60, long=settings.STAFF_SESSION.seconds // 3600
        ),
        lost=lost,
        kept=kept.KEPT in request.session,
    )


@never_cache
@csrf_protect
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    user = signing_in.half_way(request)
    if user is None:
        return _lead_to(request, "admin:login")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            device = signing_in.check_code(
                request=request, user=user, code=form.cleaned_data["code"]
            )
        except signing_in.LockedOut:
            return locked_out(request)
        except (signing_in.WrongCode, signing_in.TooSoon) as why:
            form.refuse(why)
        else:
            signing_in.let_in(request=request, user=user, device=device)
            return onward(request)
    return page(
        request,
        "staff/code.html",
        "Enter the code of your phone",
        form=form,
        codes_left=signing_in.codes_left(user),
    )


@never_cache
@csrf_protect
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """Set up the first phone on the way in, or another one by somebody who is in."""
    if is_signed_in(request):
        return new_phone(request)
    user = signing_in.half_way(request)
    if user is None or signing_in.phone_of(user):
        return _lead_to(request, "admin:login")
    return _set_up(request, user)


@staff_page()
@confirmed_recently
def new_phone(request: HttpRequest) -> HttpResponse:
    if signing_in.NEW_PHONE not in request.session:
        request.session[signing_in.NEW_PHONE] = {"key": secrets.token_hex(20)}
    return _set_up(request, person(request))


def _set_up(request: HttpRequest, user: User) -> HttpResponse:
    key = signing_in.key_of(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            device, codes = signing_in.set_up_phone(
                user=user, key=key, code=form.cleaned_data["code"]
            )
        except signing_in.WrongCode as why:
            form.refuse(why)
        else:
            request.session.pop(signing_in.NEW_PHONE, None)
            signing_in.let_in(request=request, user=user, device=device)
            return _show(request, codes)
    return page(
        request,
        "staff/phone.html",
        "Set up your phone",
        form=form,
        picture=_picture(signing_in.address_for_phones(user, key)),
        letters=signing_in.in_letters(key),
    )


def _picture(address: str) -> SafeString:
    # Attributes only, no style; and black on white also where the page is dark.
    picture = segno.make(address, error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff"
    )
    return mark_safe(picture)


def _show(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return page(request, "staff/recovery_codes.html", "Keep these recovery codes", codes=codes)


@staff_page()
def second_factor(request: HttpRequest) -> HttpResponse:
    user = person(request)
    return page(
        request,
        "staff/second_factor.html",
        "Your phone and recovery codes",
        phone=signing_in.phone_of(user),
        codes_left=signing_in.codes_left(user),
    )


@staff_page()
@require_POST
@confirmed_recently
def recovery_codes(request: HttpRequest) -> HttpResponse:
    user = person(request)
    codes = signing_in.make_recovery_codes(user=user)
    log.info("recovery_codes_made", who=user.get_username())
    return _show(request, codes)


@staff_page()
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        return onward(request)
    return page(request, "staff/confirm.html", "Give your password once more", form=form)


@staff_page()
def kept_post(request: HttpRequest) -> HttpResponse:
    post = kept.take(request)
    if post is None:
        return HttpResponseRedirect(next_page(request))
    return page(request, "staff/kept.html", "This was not saved yet", post=post)


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    minutes = settings.STAFF_LOCKED_OUT.seconds // 60
    response = page(
        request, "staff/locked_out.html", "Too many wrong tries", status=429, minutes=minutes
    )
    response.headers["Retry-After"] = str(settings.STAFF_LOCKED_OUT.seconds)
    return response


def forbidden(request: HttpRequest) -> HttpResponse:
    return page(request, "staff/forbidden.html", "You may not do this", status=403)


def _lead_to(request: HttpRequest, name: str) -> HttpResponse:
    return redirect(f"{reverse(name)}?{urlencode({'next': next_page(request)})}")
