"""Simulated people who answer the real questions, one request for each answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from triage.content.knowledge import content_of
from triage.engine import Ask, Chosen, Declined, Evidence, FeatureKey, Number, Reply, next_step
from triage.evaluation.simulation import simulated
from triage.questionnaire import services
from triage.questionnaire.models import Assessment

from ._requests import Request

SECRET = "c" * 32
"""A CSRF secret: the cookie holds it, and the form sends it back."""

DECLINES = 0.05


@dataclass(frozen=True, slots=True)
class Said:
    feature: FeatureKey
    reply: Reply


def interviews(count: int, seed: int = 1) -> list[list[Said]]:
    """Return what so many people reply to the questions that the live release asks them."""
    knowledge = content_of(services.live_release_here().pk).knowledge
    chance = np.random.default_rng(seed)
    told = []
    for case in simulated(knowledge, chance, count, declines=DECLINES):
        skipped = frozenset(f.key for f in knowledge.features if f.key not in case.evidence)
        said = Evidence()
        while isinstance(step := next_step(knowledge, said), Ask):
            if step.feature in skipped:  # the drawing gave no reply to what does not apply
                break
            reply = case.evidence.get(step.feature)
            assert reply is not None
            said = said.set(step.feature, reply)
        told.append([Said(feature, reply) for feature, reply in said])
    return told


def fields_of(reply: Reply) -> list[tuple[str, str]]:
    """Return what the form sends for a reply."""
    match reply:
        case Chosen(options):
            return [("reply", option) for option in sorted(options)]
        case Number(value):
            return [("reply", str(value))]
        case Declined(reason):
            return [("decline", reason.value)]


def real_answers(said: Sequence[Said]) -> list[Request]:
    """Start an assessment, and return the requests that answer its questions one by one."""
    token, _ = services.start(
        on=services.live_release_here(),
        language="en",
        voice=Assessment.Voice.TEXT,
        now=timezone.now(),
    )
    cookies = {settings.ASSESSMENT_COOKIE_NAME: token, settings.CSRF_COOKIE_NAME: SECRET}
    return [
        Request(
            f"/check/{place + 1}",
            fields=(
                ("csrfmiddlewaretoken", SECRET),
                ("feature", one.feature),
                ("revision", str(place)),
                *fields_of(one.reply),
            ),
            cookies=cookies,
            htmx=True,
        )
        for place, one in enumerate(said)
    ]


def bare_answers(said: Sequence[Said], person: str, path: str) -> list[Request]:
    """Start a session, and return as many requests that each leave a row."""
    session = SessionStore()
    session["person"] = person
    session.create()
    cookies = {
        settings.SESSION_COOKIE_NAME: str(session.session_key),
        settings.CSRF_COOKIE_NAME: SECRET,
    }
    return [
        Request(
            path,
            fields=(
                ("csrfmiddlewaretoken", SECRET),
                ("feature", one.feature),
                ("revision", str(place)),
                *fields_of(one.reply),
            ),
            cookies=cookies,
            htmx=True,
        )
        for place, one in enumerate(said)
    ]


def one_by_one(people: Sequence[Sequence[Request]]) -> Iterator[Request]:
    """Yield everybody's first answer, then everybody's second, until nobody has one left: whoever
    answers has long seen the question, as many others answered in between."""
    for place in range(max(map(len, people))):
        for requests in people:
            if place < len(requests):
                yield requests[place]


def kept() -> int:
    """Return how many replies all assessments hold together."""
    return sum(map(len, Assessment.objects.values_list("replies", flat=True)))
