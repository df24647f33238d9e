"""All numbers of one question at once: a line for each condition, a column for each answer."""

from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from triage.content.audit import changing
from triage.content.choices import Basis
from triage.content.entries import Table, said_of, table_of_feature, typed_in
from triage.content.models import Feature
from triage.staff.pages import staff_page

from .page import page

AS_IT_IS = "As each number has it"
TO_SAVE = ("content.change_likelihood", "content.add_likelihood")


class GridForm(forms.Form):
    """What is said once of all numbers that are changed."""

    basis = forms.ChoiceField(required=False, choices=[("", AS_IT_IS), *Basis.choices])
    source = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"list": "source-keys", "autocomplete": "off"}),
        help_text="The key of a source: a list opens as you type. Empty: as each number has it.",
    )
    note = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="How the numbers were found. Empty: as each number has it.",
    )
    why = forms.CharField(
        label="Why, for the record",
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="What was wrong, and what this mends: whoever approves it reads this.",
        error_messages={"required": "Say why: whoever approves it reads this."},
    )


@require_http_methods(["GET", "POST"])
@staff_page("content.view_likelihood", "content.view_feature")
def grid(request: HttpRequest, topic: str, feature: str) -> HttpResponse:
    found = get_object_or_404(
        Feature.objects.select_related("topic"), topic__key=topic, key=feature
    )
    if request.method != "POST":
        form = GridForm()
        return _show(request, found, form, table_of_feature(found))
    user = cast(User, request.user)
    if not user.has_perms(TO_SAVE):
        raise PermissionDenied
    form = GridForm(request.POST)
    typed = typed_in(request.POST)
    common = {name: typed.get(name, "").strip() for name in ("basis", "source", "note")}
    if "add_up" in typed:
        table = table_of_feature(found, typed, common)
        return _show(request, found, form, table, only_adds_up=True)
    with changing(who=user, why=typed.get("why", "").strip()):
        table = table_of_feature(found, typed, common)
        if not (table.check() & form.is_valid()):
            return _show(request, found, form, table)
        written = table.write()
    if not written:
        messages.info(request, "No number was changed, so nothing was saved.")
    else:
        messages.success(request, said_of(written))
    return HttpResponseRedirect(reverse("content:grid", args=[topic, feature]))


def _show(
    request: HttpRequest,
    feature: Feature,
    form: GridForm,
    table: Table,
    *,
    only_adds_up: bool = False,
) -> HttpResponse:
    topic = feature.topic
    errors = [] if only_adds_up else table.errors
    if not only_adds_up:
        errors += [
            (f"id_{name}", str(form[name].label), str(what))
            for name, found in form.errors.items()
            for what in found
        ]
    return page(
        request,
        "content/grid.html",
        title=f"{feature.name}: all conditions",
        topic=topic,
        feature=feature,
        questions=topic.features.filter(options__scored=True).distinct().order_by("order", "key"),
        options=[entry.option for entry in table.groups[0].entries] if table.groups else [],
        table=table,
        form=form,
        errors=errors,
        only_adds_up=only_adds_up,
        is_nav_sidebar_enabled=False,  # the table needs the room
        may_save=cast(User, request.user).has_perms(TO_SAVE),
    )
