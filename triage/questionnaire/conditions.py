"""The public pages of conditions, and what search engines are told of them.

All that they say stands in the live release, or is computed from it.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, Concatenate

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import override
from django.views.decorators.http import conditional_page, require_safe

from triage.content.knowledge import Content, Wording, content_of
from triage.content.places import language_here
from triage.content.releases import NothingPublished
from triage.engine import ConditionKey, Evidence, Finding, Together, most_alike, portrait

from . import errors, services
from .languages import address_in
from .models import Token
from .pages import KEPT, marks_of, start_url_of
from .sentences import told
from .trials import cookie_of, is_trial

MOST_COMMON = 8
MOST_TELLING = 5
MOST_ALIKE = 5

type ContentView[**P] = Callable[Concatenate[HttpRequest, Content, P], HttpResponse]
type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


@dataclass(frozen=True, slots=True)
class Entry:
    """A condition in a list that leads to its page."""

    name: str
    summary: str
    url: str
    serious: bool


def of_the_live_release[**P](view: ContentView[P]) -> View[P]:
    """Find what is published. Whoever has no answers here may keep the page and ask whether it
    still stands, which a recall changes at once; of somebody who has, it could tell the outcome."""

    @conditional_page
    @require_safe
    @wraps(view)
    def found(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            content = _content_for(request)
        except NothingPublished:
            return errors.unavailable(request)
        response = view(request, content, *args, **kwargs)
        if cookie_of(request) in request.COOKIES:
            add_never_cache_headers(response)
        else:
            patch_cache_control(response, public=True, no_cache=True)
        return response

    return found


def _content_for(request: HttpRequest) -> Content:
    """Return what is live, or the draft that is being tried out here."""
    if is_trial(request) and (token := request.COOKIES.get(cookie_of(request))):
        with suppress(services.NoAssessment, services.Expired, services.Recalled):
            return services.find(token=Token(token), now=timezone.now()).content
    return content_of(services.live_release_here().pk)


@of_the_live_release
def index(request: HttpRequest, content: Content) -> HttpResponse:
    context = marks_of(content) | {
        "entries": sorted(
            _entries(content, _wording(content), get_script_prefix()).values(), key=lambda e: e.name
        ),
        "canonical": request.build_absolute_uri(reverse("questionnaire:conditions")),
    }
    return render(request, "questionnaire/conditions.html", context)


@of_the_live_release
def condition(request: HttpRequest, content: Content, key: str) -> HttpResponse:
    known = ConditionKey(key)
    first = content.topic
    if not _has(content, known):
        others = (content_of(release) for release in services.live_releases_here())
        content = next((other for other in others if _has(other, known)), content)
    if not _has(content, known):
        raise Http404
    context = marks_of(content) | _page(content, _wording(content), known, get_script_prefix())
    context["canonical"] = request.build_absolute_uri(url_of(known))
    context["start"] = start_url_of(content.topic, first)
    return render(request, "questionnaire/condition.html", context)


@of_the_live_release
def sitemap(request: HttpRequest, content: Content) -> HttpResponse:
    paths = [
        path
        for language, _ in settings.LANGUAGES
        if language.partition("-")[0] in content.wordings
        for path in _public_paths(content, language)
    ]
    context = {"addresses": [request.build_absolute_uri(path) for path in paths]}
    return render(request, "questionnaire/sitemap.xml", context, content_type="application/xml")


def _public_paths(content: Content, language: str) -> list[str]:
    with override(language):
        return [
            reverse("questionnaire:start"),
            reverse("questionnaire:conditions"),
            *(url_of(condition.key) for condition in content.knowledge.conditions),
        ]


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Let search engines read what is public, and keep them from assessments and from staff."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {address_in(language, '/check')}" for language, _ in settings.LANGUAGES),
        "Disallow: /staff",
        f"Sitemap: {request.build_absolute_uri(reverse('questionnaire:sitemap'))}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def _has(content: Content, key: ConditionKey) -> bool:
    return any(condition.key == key for condition in content.knowledge.conditions)


def url_of(key: ConditionKey) -> str:
    return reverse("questionnaire:condition", args=[key])


def _wording(content: Content) -> Wording:
    return content.wording(language_here())


@lru_cache(KEPT)
def _entries(content: Content, wording: Wording, mount: str) -> dict[ConditionKey, Entry]:
    """Return all, with their addresses below this mount: that of patients, or that of trials."""
    return {
        each.key: Entry(
            name=wording.condition(each.key).plain_name,
            summary=wording.condition(each.key).summary,
            url=url_of(each.key),
            serious=each.serious,
        )
        for each in content.knowledge.conditions
    }


@lru_cache(KEPT)
def _page(content: Content, wording: Wording, key: ConditionKey, mount: str) -> dict[str, Any]:
    knowledge = content.knowledge
    looks, entries = portrait(knowledge, key), _entries(content, wording, mount)

    def said(reason: Finding | Together) -> str:
        return told(reason, Evidence(), knowledge, wording)

    text, advice = wording.condition(key), wording.advice("condition", key)
    common = [said(reason) for reason in looks.common[:MOST_COMMON]]
    telling = [said(reason) for reason in looks.telling[:MOST_TELLING]]
    return {
        "text": text,
        "serious": knowledge.condition(key).serious,
        "common": common,
        "telling": telling,
        "alike": [entries[other] for other in most_alike(knowledge, key)[:MOST_ALIKE]],
        "urgency": {"key": knowledge.condition(key).urgency.key},
        "advice": advice,
        "terms": wording.glossary.terms_in(
            *(text.plain_name, text.summary, *common, *telling),
            *(advice.heading, advice.what_to_do, advice.safety_net, advice.do_not),
            *(text.how_found, text.how_treated, advice.self_care),
        ),
        "document_title": wording.source_document_title,
        "release_number": content.release_number,
        "release_hash_short": content.sha256[:8],
    }
