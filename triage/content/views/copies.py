"""To copy a condition, a question or a whole topic under a new key."""

from typing import Any, Protocol, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from triage.content.copying import (
    CannotCopy,
    copy_condition,
    copy_feature,
    copy_topic,
    left_to_do,
)
from triage.content.models import Condition, Feature, Topic
from triage.staff.pages import staff_page

from .page import page


class CopyForm(forms.Form):
    key = forms.CharField()
    name = forms.CharField()
    why = forms.CharField(
        label="Why, for the record",
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="What the copy is for: whoever approves it reads this.",
    )

    def __init__(self, original: Condition | Feature | Topic, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["key"].help_text = original._meta.get_field("key").help_text
        self.fields["name"].help_text = "What it is called, so that the two can be told apart."


class Copies[Row](Protocol):
    def __call__(self, original: Row, /, *, key: str, name: str, who: User, why: str) -> Row: ...


@staff_page("content.view_topic", "content.add_condition")
def condition(request: HttpRequest, topic: str, key: str) -> HttpResponse:
    found = get_object_or_404(Condition.objects.select_related("topic"), topic__key=topic, key=key)
    return _copied(request, found, copy_condition, found.plain_name, found.topic)


@staff_page("content.view_topic", "content.add_feature")
def feature(request: HttpRequest, topic: str, key: str) -> HttpResponse:
    found = get_object_or_404(Feature.objects.select_related("topic"), topic__key=topic, key=key)
    return _copied(request, found, copy_feature, found.name, found.topic)


@staff_page("content.view_topic", "content.add_topic")
def topic(request: HttpRequest, topic: str) -> HttpResponse:
    found = get_object_or_404(Topic, key=topic)
    return _copied(request, found, copy_topic, found.title, found, "-")


def _copied[Row: (Condition, Feature, Topic)](
    request: HttpRequest,
    original: Row,
    copies: Copies[Row],
    name: str,
    topic: Topic,
    joint: str = "_",
) -> HttpResponse:
    suggested = {"key": f"{original.key}{joint}copy", "name": f"{name} (copy)"}
    form = CopyForm(original, request.POST or None, initial=suggested)
    if form.is_valid():
        try:
            copy = copies(original, who=cast(User, request.user), **form.cleaned_data)
        except CannotCopy as refused:
            form.add_error("key", str(refused))
        else:
            messages.success(request, f"This is the copy of “{name}”.")
            for what in left_to_do(copy):
                messages.warning(request, what)
            return redirect(_form_of(copy))
    return page(
        request,
        "content/copy.html",
        title=f"Copy “{name}”",
        topic=topic,
        form=form,
        original=_form_of(original),
        status=422 if form.errors else 200,
    )


def _form_of(row: models.Model) -> str:
    return reverse(f"admin:content_{row._meta.model_name}_change", args=[row.pk])
