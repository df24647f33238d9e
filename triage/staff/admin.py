"""The accounts: who there is, in which roles, and with which phone."""

from typing import Any, cast

import structlog
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import signing_in
from .pages import confirmed_recently, person

RIGHTS = {"is_active", "is_staff", "is_superuser", "groups"}

log = structlog.get_logger("triage.staff")

# Roles are what triage.staff.roles says; secrets and recovery codes are nobody's to read.
for model in (User, Group, TOTPDevice, StaticDevice):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@method_decorator(confirmed_recently, "changeform_view")
@method_decorator(confirmed_recently, "delete_view")
@method_decorator(confirmed_recently, "user_change_password")
@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg] # takes none when it runs
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username", "first_name", "last_name")
    filter_horizontal = ()
    actions = None
    readonly_fields = ("phone", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "groups", "is_superuser")}),
        ("Signing in", {"fields": ("phone", "last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer boxes to tick: a list needs a held-down key."""
        options["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **options)

    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    def phone(self, user: User) -> str:
        phone = signing_in.phone_of(user)
        if phone is None:
            return "None yet: it is set up when they first sign in."
        return format_html(
            'Set up on {}. {} recovery codes left. <a href="{}">Remove it, because it is lost</a>',
            date_format(localtime(phone.created_at)),
            signing_in.codes_left(user),
            reverse("admin:otp_totp_totpdevice_delete", args=[phone.pk]),
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change or RIGHTS & set(form.changed_data):
            user = cast(User, form.instance)
            log.warning(
                "role_changed",
                who=person(request).get_username(),
                whose=user.get_username(),
                roles=sorted(group.name for group in user.groups.all()),
                active=user.is_active,
                staff=user.is_staff,
                superuser=user.is_superuser,
            )


@method_decorator(confirmed_recently, "delete_view")
@admin.register(TOTPDevice)
class PhoneAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # as above
    """Reached from its person's page, to be removed when it is lost."""

    actions = None
    delete_confirmation_template = "staff/remove_phone.html"
    list_display = ("user", "created_at", "last_used_at")
    fields = readonly_fields = ("user", "created_at", "last_used_at")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        titled = {"title": "Remove a phone that is lost", "subtitle": None}
        return super().delete_view(request, object_id, {**(extra_context or {}), **titled})

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> Any:
        self.message_user(request, "The phone was removed.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:auth_user_changelist"))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        signing_in.remove_phone(user=obj.user, by=person(request))
