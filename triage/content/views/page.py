"""What all pages of the content desk share: the admin's frame, and the tabs of a topic."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from triage.content.models import Topic

TABS = {
    "content:topic": "Overview",
    "content:faults": "Faults",
    "content:effects": "Effect",
    "try": "Try it out",
    "content:proposals": "Approval",
    "content:releases": "Releases",
    "content:map": "Map",
    "content:matrix": "Matrix",
    "content:ledger": "Evidence",
    "content:exchange": "Files",
    "content:changes": "History",
}


def page(
    request: HttpRequest,
    template: str,
    *,
    title: str,
    topic: Topic | None = None,
    tab: str = "",
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Render a page of the desk; with a topic, below the tabs of its other pages.

    A page without a tab of its own names in `tab` the one that it belongs to.
    """
    here = tab or (request.resolver_match.view_name if request.resolver_match else "")
    tabs = [*_tabs(topic, here)] if topic else []
    shared = admin.site.each_context(request)
    return render(
        request,
        template,
        {**shared, "title": title, "topic": topic, "tabs": tabs, **context},
        status=status,
    )


def _tabs(topic: Topic, here: str) -> Iterator[tuple[str, str, bool]]:
    for name, label in TABS.items():
        with suppress(NoReverseMatch):
            yield reverse(name, args=[topic.key]), label, name == here
