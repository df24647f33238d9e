"""What all pages of the content desk share: the admin's frame, and the tabs of a topic."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from triage.content.models import Topic

TABS = {
    "topic": "Overview",
    "faults": "Faults",
    "effects": "Effect",
    "try": "Try it out",
    "proposals": "Approval",
    "releases": "Releases",
    "map": "Map",
    "matrix": "Matrix",
    "ledger": "Evidence",
    "exchange": "Files",
    "changes": "History",
}


def page(
    request: HttpRequest,
    template: str,
    *,
    title: str,
    topic: Topic | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Render a page of the desk; with a topic, below the tabs of its other pages."""
    here = request.resolver_match.url_name if request.resolver_match else ""
    tabs = (
        [
            (reverse(f"content:{name}", args=[topic.key]), label, name == here)
            for name, label in TABS.items()
        ]
        if topic
        else []
    )
    shared = admin.site.each_context(request)
    return render(
        request,
        template,
        {**shared, "title": title, "topic": topic, "tabs": tabs, **context},
        status=status,
    )
