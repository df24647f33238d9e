"""What people type and tick, and what they are told when it makes no sense."""

from collections.abc import Callable

import pytest
from django.http import QueryDict

from triage.content.knowledge import content_of
from triage.content.models import Release
from triage.engine import Chosen, Decline, Declined, FeatureKey, Number, OptionKey, Reply
from triage.questionnaire.forms import AnswerForm

from .conftest import Person

type Ask = Callable[..., AnswerForm]


@pytest.fixture
def ask(release: Release) -> Ask:
    content = content_of(release.pk)

    def ask(key: str, **posted: str | list[str]) -> AnswerForm:
        data = QueryDict(mutable=True)
        data.update({"feature": key, "revision": "0"})
        for name, value in posted.items():
            data.setlist(name, value if isinstance(value, list) else [value])
        return AnswerForm(
            data,
            feature=content.knowledge.feature(FeatureKey(key)),
            wording=content.wording("en"),
            reply=None,
            revision=0,
        )

    return ask


def chosen(*keys: str) -> Chosen:
    return Chosen(frozenset(map(OptionKey, keys)))


@pytest.mark.parametrize(
    ("typed", "age"),
    [
        ("34", 34),
        (" 34 ", 34),
        ("34 years", 34),
        ("34 years old.", 34),
        ("I am 34", 34),
        ("٣٤", 34),
        ("३४", 34),
        ("３４", 34),  # noqa: RUF001 - full width, as a Japanese keyboard types it
        ("034", 34),
        ("0", 0),
        ("120", 120),
    ],
)
def test_a_number_is_read_as_people_type_it(ask: Ask, typed: str, age: int) -> None:
    form = ask("age", reply=typed)

    assert form.is_valid()
    assert form.reply == Number(age)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "-5", "- 5", "34.5", "34,5", "3½", "121", "999999999", "9" * 5000, "1e3", "0x22",
     "thirty", "3 4", "34/2", "²", "三十四", "\x00", "\ud800", "👵"],
)  # fmt: skip
def test_a_number_that_makes_no_sense_is_explained(ask: Ask, typed: str) -> None:
    form = ask("age", reply=typed)

    assert form.errors == ["Age: enter a whole number from 0 to 120"]


def test_a_short_scale_is_chosen_and_not_typed(ask: Ask) -> None:
    form = ask("pain_severity", reply="10")

    assert [row.value for row in form.choices_view] == [str(number) for number in range(11)]
    assert form.is_valid()
    assert form.reply == Number(10)
    assert ask("pain_severity").errors == ["Select a number from 0 to 10"]


@pytest.mark.parametrize(
    ("key", "posted", "reply"),
    [
        ("fever", {"reply": "yes"}, chosen("yes")),
        ("right_now", {"reply": ["collapse", "no_pee"]}, chosen("collapse", "no_pee")),
        ("right_now", {"reply": ["collapse", "collapse"]}, chosen("collapse")),
        ("skin_look", {"decline": "cant_see"}, Declined(Decline.CANT_SEE)),
        ("cancer_history", {"decline": "rather_not_say"}, Declined(Decline.RATHER_NOT_SAY)),
        ("pain_severity", {"decline": "dont_know"}, Declined(Decline.DONT_KNOW)),
        ("fever", {"decline": "dont_know"}, chosen("not_sure")),
        ("skin_look", {"reply": "pus", "decline": "cant_see"}, Declined(Decline.CANT_SEE)),
        ("skin_look", {"reply": "junk", "decline": "cant_see"}, Declined(Decline.CANT_SEE)),
    ],
)
def test_a_post_becomes_a_reply(ask: Ask, key: str, posted: dict[str, str], reply: Reply) -> None:
    form = ask(key, **posted)

    assert form.is_valid(), form.errors
    assert form.reply == reply


@pytest.mark.parametrize(
    ("key", "posted", "message"),
    [
        ("fever", {}, "Select the answer that fits best"),
        ("fever", {"reply": "junk"}, "Select the answer that fits best"),
        ("fever", {"reply": "yes\x00"}, "Select the answer that fits best"),
        ("fever", {"decline": "cant_see"}, "Select the answer that fits best"),
        ("fever", {"decline": "junk"}, "Select the answer that fits best"),
        ("right_now", {}, "Select all that fit, or “None of these”"),
        ("right_now", {"reply": ["collapse", "junk"]}, "Select all that fit, or “None of these”"),
        (
            "right_now",
            {"reply": ["none", "collapse"]},
            "Select either “None of these” or the other answers, not both",
        ),
        ("age", {"decline": "dont_know"}, "Age: enter a whole number from 0 to 120"),
        ("age", {"decline": "rather_not_say"}, "Age: enter a whole number from 0 to 120"),
    ],
)
def test_a_post_that_makes_no_sense_says_what_to_do(
    ask: Ask, key: str, posted: dict[str, str], message: str
) -> None:
    form = ask(key, **posted)

    assert form.errors == [message]


def test_not_sure_comes_last_after_an_or(ask: Ask) -> None:
    rows = ask("fever").choices_view

    assert rows[-1].value == "not_sure"
    assert [row.value for row in rows if row.divider_before] == ["not_sure"]


def test_what_holds_alone_is_marked_so(ask: Ask) -> None:
    rows = ask("right_now").choices_view

    assert [row.value for row in rows if row.exclusive] == ["none", "not_sure"]
    assert [row.value for row in rows if row.divider_before] == ["none"]


@pytest.mark.parametrize("htmx", [False, True])
def test_an_invalid_answer_is_told_in_place_and_keeps_what_was_ticked(
    underway: Person, htmx: bool
) -> None:
    underway.htmx = htmx

    response = underway.answer(["none", "collapse"])

    assert response.status_code == 422
    if htmx:
        assert response.headers["HX-Push-Url"] == "false"
    assert "There is a problem" in underway.page
    assert underway.page.count(" checked") == 2
    assert "Error: " in underway.page
    assert underway.assessment.replies == []
