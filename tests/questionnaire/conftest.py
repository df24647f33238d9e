"""A person who answers the published release through the web."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from triage.content.models import Release
from triage.engine import FeatureKey
from triage.questionnaire.models import Assessment


@dataclass
class Person:
    """Somebody at a browser: reads the page that is open, and posts its form."""

    browser: Client = field(default_factory=Client)
    page: str = ""
    path: str = ""
    htmx: bool = False

    def go(self, path: str) -> HttpResponse:
        response: Any = self.browser.get(path, follow=True)
        self.page = response.content.decode()
        self.path = response.redirect_chain[-1][0] if response.redirect_chain else path
        return response  # type: ignore[no-any-return] # the test client adds to HttpResponse

    def begin(self) -> HttpResponse:
        response: Any = self.browser.post("/check/begin", follow=True)
        self.page = response.content.decode()
        self.path = response.redirect_chain[-1][0] if response.redirect_chain else "/check/begin"
        return response  # type: ignore[no-any-return] # the test client adds to HttpResponse

    @property
    def feature(self) -> FeatureKey:
        """What the open page asks, or nothing."""
        return FeatureKey(self._hidden("feature"))

    @property
    def revision(self) -> str:
        return self._hidden("revision")

    def _hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return found[1] if found else ""

    def form(self, reply: str | list[str] = "", **more: str) -> dict[str, str | list[str]]:
        return {"feature": self.feature, "revision": self.revision, "reply": reply, **more}

    def post(self, form: dict[str, Any], path: str = "") -> HttpResponse:
        """Post a form; with htmx the answer is the next page, without it the redirect leads there."""
        headers = {"HX-Request": "true"} if self.htmx else {}
        response: Any = self.browser.post(path or self.path, form, headers=headers)
        if response.status_code in (302, 303):
            self.go(response.headers["Location"])
        else:
            self.page = response.content.decode()
            pushed = response.headers.get("HX-Push-Url", "false")
            self.path = (path or self.path) if pushed == "false" else pushed
        return response  # type: ignore[no-any-return] # the test client adds to HttpResponse

    def answer(self, reply: str | list[str] = "", **more: str) -> HttpResponse:
        return self.post(self.form(reply, **more))

    def answer_all(self, **replies: str | list[str]) -> None:
        """Answer every question until there is none: as told, else as calmly as it goes."""
        while self.feature:
            asked = self.feature
            response = self.answer(replies.get(asked, self.calm()))
            assert response.status_code in (200, 303), (asked, response.status_code)

    def calm(self) -> str:
        options = re.findall(r'name="reply" value="(\w+)"', self.page)
        for calm in ("none", "no", "looks_normal", "not_sure"):
            if calm in options:
                return calm
        return options[0] if options else "44"

    @property
    def assessment(self) -> Assessment:
        return Assessment.objects.latest("pk")


@pytest.fixture
def person(release: Release) -> Person:
    return Person()


@pytest.fixture
def underway(person: Person) -> Person:
    """Somebody who has started, and sees the first question."""
    person.begin()
    return person
