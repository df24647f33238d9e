"""Every page there is, and how somebody comes to see it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone
from playwright.sync_api import expect

from triage.handover.services import hand_over
from triage.questionnaire import errors, models, services
from triage.questionnaire.models import Assessment

from .people import CHILD, CONFUSED, FEVER, MARBLE
from .visitor import Visitor

type Arrive = Callable[[Visitor, pytest.MonkeyPatch], None]

DIFFICULT = MARBLE | {
    # Something to say on each part of the outcome: flags, what was declined, serious causes.
    "fever": ["not_sure"],
    "bladder_saddle": "rather_not_say",
    "age": 67,
    "cancer_history": ["yes"],
    "pain_course": ["worse"],
}

STATIC = {
    "start": "/",
    "guide": "/guide",
    "privacy": "/privacy",
    "accessibility": "/accessibility",
    "about": "/about",
    "complain": "/complain",
    "no lump": "/not-for-me/no-lump",
    "elsewhere": "/not-for-me/elsewhere",
    "danger": "/not-for-me/danger",
    "emergency": "/emergency",
    "conditions": "/conditions/",
    "condition": "/conditions/infected_haematoma",
    "condition, not in the source document": "/conditions/myeloma",
    "lost": "/check/1",
    "deleted": "/check/deleted",
    "link, used": "/take/once",
    "404": "/nowhere",
    "405": "/check/begin",
}

# Those that few people ever see, some of them for want of a route that leads there.
REFUSALS = ("400", "403", "403_csrf", "409", "429", "500", "503")


def _static(path: str) -> Arrive:
    return lambda visitor, _: visitor.open(path)


def _refusal(name: str) -> Arrive:
    def arrive(visitor: Visitor, patch: pytest.MonkeyPatch) -> None:
        page = errors.static_page
        patch.setattr(
            errors, "static_page", lambda request, _, __: page(request, f"{name}.html", 404)
        )
        visitor.open("/nowhere")

    return arrive


def _question(feature: str) -> Arrive:
    """The first time, with nothing filled in."""

    return lambda visitor, _: visitor.is_asked(feature)


def _filled_in(feature: str, said: list[str] | int) -> Arrive:
    def arrive(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
        visitor.is_asked(feature)
        visitor.fill_in(said)

    return arrive


def _error(feature: str) -> Arrive:
    def arrive(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
        visitor.is_asked(feature)
        visitor.press("Continue")
        expect(visitor.page.locator(".error-summary")).to_be_focused()

    return arrive


def _how(feature: str, voice: Assessment.Voice) -> Arrive:
    """With what it says on how to look, feel or measure opened."""

    def arrive(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
        visitor.is_asked(feature)
        Assessment.objects.update(voice=voice)
        visitor.open("/check/1")
        visitor.page.locator("fieldset summary").first.click()

    return arrive


def _another_way(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    """With the other ways to check the back opened."""
    visitor.is_asked("skin_look")
    visitor.page.locator(".actions + details summary").click()


def _so_far(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    """With what the answers say already above the question."""
    visitor.has_answered(MARBLE | {"leg_nerves": ["numb_legs"]}, count=3)
    visitor.open("/check/4")
    expect(visitor.page.locator("#main aside")).to_be_visible()


def _answers(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    visitor.has_answered(MARBLE)
    visitor.open("/check/answers")


def _answers_another_way(visitor: Visitor, patch: pytest.MonkeyPatch) -> None:
    _answers(visitor, patch)
    visitor.page.locator("form > details summary").click()


def _outcome(replies: dict[str, list[str] | int | str]) -> Arrive:
    def arrive(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
        visitor.has_answered(replies, finished=True)
        visitor.open("/check/outcome")
        for part in visitor.page.locator("summary").all():
            part.click()

    return arrive


def _hand_over(visitor: Visitor, patch: pytest.MonkeyPatch) -> None:
    _outcome(DIFFICULT)(visitor, patch)
    visitor.open("/check/hand-over")


def _code(visitor: Visitor, patch: pytest.MonkeyPatch) -> None:
    _hand_over(visitor, patch)
    visitor.use(visitor.button("Give my answers to the staff"))
    expect(visitor.page.locator(".code")).to_be_visible()


def _take(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    """The link of somebody else."""
    visitor.has_answered(MARBLE, finished=True)
    codes = hand_over(assessment=Assessment.objects.get(), visit=None, now=timezone.now())
    visitor.page.context.clear_cookies()
    visitor.open(f"/take/{codes.link}")


def _withdraw(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    visitor.has_answered(FEVER)
    visitor.open(visitor.url_of("fever"))
    visitor.fill_in(["no"])
    visitor.press("Continue")
    visitor.sees("This change takes back a warning")


def _conflict(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    visitor.has_answered(MARBLE, count=1)
    visitor.open("/check/2")
    Assessment.objects.update(
        replies=[["right_now", ["none"]], ["bladder_saddle", ["none"]]],
        set_at=[1, 2],
        set_by=["text", "text"],
        revision=2,
        asking="leg_nerves",
    )
    visitor.fill_in(["not_sure"])
    visitor.press("Continue")
    visitor.sees("This page is out of date")
    expect(visitor.page.locator(".row")).to_have_count(2)


def _stale(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    visitor.has_answered(MARBLE, count=1)
    visitor.open("/check/2")
    Assessment.objects.update(replies=[], set_at=[], set_by=[], revision=2, asking="right_now")
    visitor.fill_in(["not_sure"])
    visitor.press("Continue")
    visitor.sees("This page is out of date")


def _resume(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    visitor.has_answered(MARBLE, count=1)
    visitor.open("/")
    visitor.press_and_go("Start now")


def _delete(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    visitor.has_answered(MARBLE, count=1)
    visitor.open("/check/delete")


def _gone(visitor: Visitor, _: pytest.MonkeyPatch) -> None:
    visitor.has_answered(MARBLE, count=1)
    Assessment.objects.update(active_at=timezone.now() - timedelta(hours=25))
    visitor.open("/check/1")


def _recalled(visitor: Visitor, patch: pytest.MonkeyPatch) -> None:
    visitor.has_answered(CONFUSED)
    recall(patch)
    visitor.open("/check/1")


def recall(patch: pytest.MonkeyPatch) -> None:
    """Take every release for recalled: a real recall cannot be undone for the tests that follow."""
    patch.setattr(models, "FIND", models.FIND.replace("release.recalled_at IS NOT NULL", "TRUE"))


def _not_saved(visitor: Visitor, patch: pytest.MonkeyPatch) -> None:
    """The database refuses an answer."""
    visitor.has_answered(MARBLE, count=1)
    visitor.open("/check/2")
    break_answers(patch)
    visitor.fill_in(["none"])
    visitor.press("Continue")
    told = (
        visitor.page.get_by_role("alert")
        if visitor.script
        else visitor.page.locator(".error-summary")
    )
    expect(told).to_be_visible()


def break_answers(patch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise DatabaseError

    patch.setattr(services, "answer", refuse)


PAGES: dict[str, Arrive] = {
    **{name: _static(path) for name, path in STATIC.items()},
    **{name: _refusal(name) for name in REFUSALS},
    "question, tick boxes": _question("right_now"),
    "question, ways to decline": _question("bladder_saddle"),
    "question, radio buttons": _question("fever"),
    "question, typed number": _question("age"),
    "question, with a picture": _filled_in("lump_position", ["beside"]),
    "question, another picture": _filled_in("spine_level", ["neck_base"]),
    "question, eleven numbers": _filled_in("pain_severity", 7),
    "question, how to look": _how("skin_look", Assessment.Voice.MIRROR),
    "question, how to feel": _how("lump_feel", Assessment.Voice.HELPER),
    "question, how to measure": _how("lump_size", Assessment.Voice.OTHER),
    "question, another way": _another_way,
    "question, with advice so far": _so_far,
    "error, tick boxes": _error("right_now"),
    "error, radio buttons": _error("fever"),
    "error, typed number": _error("age"),
    "answers": _answers,
    "answers, another way": _answers_another_way,
    "outcome, emergency": _outcome(CONFUSED),
    "outcome, routine": _outcome(MARBLE),
    "outcome, flags and unknowns": _outcome(DIFFICULT),
    "outcome, under 16": _outcome(CHILD),
    "hand over": _hand_over,
    "hand over, code": _code,
    "link": _take,
    "withdraw": _withdraw,
    "conflict": _conflict,
    "stale": _stale,
    "resume": _resume,
    "delete": _delete,
    "gone": _gone,
    "recalled": _recalled,
    "not saved": _not_saved,
}

# Others are built as one of these is, of the same parts with other words.
ALIKE = {
    "accessibility",
    "complain",
    "no lump",
    "elsewhere",
    "condition, not in the source document",
    "deleted",
    "400",
    "403",
    "403_csrf",
    "405",
    "409",
    "429",
    "500",
    "question, how to feel",
    "error, radio buttons",
    "answers, another way",
    "outcome, routine",
    "gone",
    "recalled",
    "stale",
    "link",
    "link, used",
}
LAYOUTS = [name for name in PAGES if name not in ALIKE]
EACH_LAYOUT = [
    pytest.param(name, marks=pytest.mark.soak) if name in ALIKE else name for name in PAGES
]
"""Where a test has one of each layout, those that are alike wait for `dev.py soak`."""
FEW = {
    "start",
    "question, tick boxes",
    "question, with a picture",
    "question, another way",
    "error, tick boxes",
    "answers",
    "outcome, emergency",
    "outcome, flags and unknowns",
    "withdraw",
    "condition, not in the source document",
    "500",
}
"""One of each sort. Where a test has all of them, the others wait for `dev.py soak`."""

ONE_OF_EACH = [
    name if name in FEW else pytest.param(name, marks=pytest.mark.soak) for name in LAYOUTS
]
