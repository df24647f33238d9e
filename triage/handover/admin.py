"""The keys of integrators: made here, shown once, revoked here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator

from triage.content.views.page import page
from triage.staff.pages import confirmed_recently, person

from .api import keys
from .models import ApiKey

SECRET = "secret"


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg] # takes none when it runs
    revoke = forms.BooleanField(
        label="Revoke it: it opens nothing from now on",
        required=False,
        help_text="This cannot be undone. Make another key for whoever still needs one.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "per_minute")

    def clean_per_minute(self) -> int:
        per_minute: int = self.cleaned_data["per_minute"]
        if not per_minute:
            raise forms.ValidationError("Once a minute is the least. To stop a key, revoke it.")
        return per_minute


@method_decorator(confirmed_recently, "changeform_view")
@method_decorator(confirmed_recently, "delete_view")
@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # as above
    form = ApiKeyForm
    actions = None
    list_display = ("name", "per_minute", "maker", "made_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("made_by",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[Any]:
        if obj is None:
            return ["name", "per_minute"]
        if obj.revoked_at is not None or not self.has_change_permission(request, obj):
            return ["name", "per_minute", "maker", "made_at", "revoked_at"]
        return ["name", "per_minute", "maker", "made_at", "revoke"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return [] if obj is None else ["name", "maker", "made_at", "revoked_at"]

    @admin.display(description="made by")
    def maker(self, key: ApiKey) -> str:
        return key.made_by.get_username()

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        now = timezone.now()
        if not change:
            # Beside the row, for the page that follows: the message of an ordinary save would be
            # kept in a cookie until it is shown.
            obj.__dict__[SECRET] = keys.make(key=obj, by=person(request), now=now)
            return
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("revoke"):
            keys.revoke(key=obj, by=person(request), now=now)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key, in the response to the post: a reload asks before it makes another."""
        secret = obj.__dict__.pop(SECRET)
        return page(request, "handover/key.html", title="A new API key", key=obj, secret=secret)
