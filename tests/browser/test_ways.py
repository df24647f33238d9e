"""The daughter comes in after some questions: from then on she looks, and nothing is lost."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from triage.engine import FeatureKey, Knowledge
from triage.questionnaire.models import AssessmentQuerySet

from .people import MARBLE, questions_for
from .visitor import Visitor

OFFER = "Check the back another way"
HELPER = "Someone is with me: they look, feel and answer here"
SHAPE = FeatureKey("back_shape")


def voiced(visitor: Visitor, voice: Any) -> str:
    return visitor.assessment.content.wording("en").question(SHAPE, voice)


def arrive(visitor: Visitor, shipped: Knowledge) -> str:
    """Come to the question about the shape of the back, with what was asked before it answered by touch."""
    before = questions_for(shipped, MARBLE).index(SHAPE)
    visitor.has_answered(MARBLE, count=before)
    visitor.open(f"/check/{before + 1}")
    visitor.sees(voiced(visitor, "text"))
    return visitor.path


def unfold(visitor: Visitor) -> None:
    visitor.use(visitor.page.locator("summary", has_text=OFFER))
    expect(visitor.button(HELPER)).to_be_visible()


def seen_or_felt(page: Page) -> list[str]:
    return page.locator("p.because", has_text="Seen or felt by").all_inner_texts()


def test_from_a_question_on_somebody_else_looks(anybody: Visitor, shipped: Knowledge) -> None:
    here = arrive(anybody, shipped)
    replies = anybody.assessment.replies

    unfold(anybody)
    anybody.press(HELPER)

    anybody.sees(voiced(anybody, "helper"))
    anybody.has_landed()
    assert anybody.path == here
    assert anybody.assessment.replies == replies
    anybody.answer_all(MARBLE)
    anybody.press_and_go("See advice")
    felt, seen = seen_or_felt(anybody.page)
    assert felt.startswith("Seen or felt by the person: ")
    assert seen.startswith("Seen or felt by a helper who is with them: ")
    assert anybody.assessment.content.wording("en").feature_name(SHAPE) in seen


def test_another_way_is_no_place_in_the_history(scripted: Visitor, shipped: Knowledge) -> None:
    arrive(scripted, shipped)
    scripted.page.evaluate("window.kept = true")  # gone, were the page loaded anew
    before = scripted.page.evaluate("history.length")

    unfold(scripted)
    scripted.press(HELPER)

    scripted.sees(voiced(scripted, "helper"))
    assert scripted.page.evaluate("history.length") == before
    assert scripted.page.evaluate("window.kept")


def test_pressed_twice_it_is_sent_once(scripted: Visitor, shipped: Knowledge) -> None:
    arrive(scripted, shipped)
    sent: list[str] = []
    scripted.page.on("request", lambda request: sent.append(request.url))

    unfold(scripted)
    scripted.button(HELPER).dblclick()

    scripted.sees(voiced(scripted, "helper"))
    scripted.has_landed()
    assert len([url for url in sent if url.endswith("/check/voice")]) == 1


def test_the_enter_key_on_an_answer_sends_the_answer(visitor: Visitor, shipped: Knowledge) -> None:
    here = arrive(visitor, shipped)
    unfold(visitor)

    visitor.page.locator("input[name=reply]").first.press("Space")
    visitor.page.locator("input[name=reply]").first.press("Enter")

    visitor.page.wait_for_url(lambda url: not url.endswith(here))
    assert visitor.assessment.features[-1] == SHAPE
    assert visitor.assessment.voice == "text"


def test_a_way_that_could_not_be_changed_leaves_what_was_ticked(
    visitor: Visitor, shipped: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = arrive(visitor, shipped)
    with monkeypatch.context() as patch:
        patch.setattr(AssessmentQuerySet, "unchanged", lambda self, _: self.none())
        visitor.fill_in(["no"])
        unfold(visitor)
        visitor.press(HELPER)
        if visitor.script:
            expect(visitor.page.get_by_role("alert")).to_contain_text("was not saved")
        else:
            expect(visitor.page.locator(".error-summary")).to_contain_text("could not change")
        assert visitor.chosen == ["no"]

    visitor.press_and_go("Continue")

    visitor.has_landed()
    assert visitor.path != here
    assert visitor.assessment.voice == "text"


def test_from_the_list_of_answers_on_somebody_else_looks(anybody: Visitor) -> None:
    anybody.has_answered(MARBLE)
    anybody.open("/check/answers")

    unfold(anybody)
    anybody.press(HELPER)

    expect(anybody.page.locator("summary", has_text=OFFER)).to_be_visible()
    expect(anybody.button(HELPER)).to_have_count(0)
    anybody.has_landed()
    assert anybody.path == "/check/answers"
    anybody.open(anybody.url_of(SHAPE))
    anybody.sees(voiced(anybody, "helper"))
