"""What staff see of the effect of their drafts, of one case, and of the clinic's own cases."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.staff.people import sign_in
from triage.content import effects
from triage.content.effects import GIVEN_UP_AFTER, effect_of
from triage.content.models import Effect, Release, SavedCase, Topic
from triage.content.snapshots import snapshot_of

CAUSE = {"condition": "lipoma", "posterior": 0.64, "low": 0.51, "high": 0.76, "word": "likely"}
LESS = {**CAUSE, "posterior": 0.42, "low": 0.33, "high": 0.52, "word": "possible"}


def way(**told: Any) -> dict[str, Any]:
    return {
        "urgency": ["routine", "routine"],
        "rank": [1, 1],
        "leading": [CAUSE, CAUSE],
        "expected": [CAUSE, CAUSE],
        "within": [True, True],
        "asked": [20, 20],
        **told,
    }


def case(key: str, *, lowered: bool = False, higher: bool = False, **told: Any) -> dict[str, Any]:
    return {
        "file": "vignettes",
        "key": key,
        "story": f"The story of {key}.",
        "lowered": lowered,
        "higher": higher,
        "unread": [[], []],
        "interview": way(),
        "whole": way(),
        **told,
    }


SHARE = {"hits": 12, "of": 3000, "value": 0.004, "low": 0.0023, "high": 0.007}
COUNT = {"value": 22.0, "low": 21, "high": 22}
SIDE = {
    **dict.fromkeys(("too_low", "hazardous", "too_high", "today", "first", "first_three"), SHARE),
    "asked": COUNT,
    "asked_by_most": {"value": 28, "low": 28, "high": 29},
}
PEOPLE = {"count": 3000, "seed": 2025, "engine": "2", "before": SIDE, "after": SIDE}


@pytest.fixture
def nurse(author: User) -> Client:
    return sign_in(Client(), author)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr(effects, "start", lambda effect: found.append(effect.pk))
    return found


def address(topic: Topic) -> str:
    return reverse("content:effects", args=[topic.key])


def words(client: Client, where: str, **more: Any) -> str:
    response = client.get(where, **more)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def changed(topic: Topic) -> Effect:
    """Return the effect of drafts of which one text is another."""
    topic.conditions.filter(key="lipoma").update(plain_summary="A soft lump of fat.")
    return effect_of(snapshot_of(topic), Release.objects.get(topic=topic))


def measured(topic: Topic, *cases: dict[str, Any], unchanged: int = 99, **people: Any) -> Effect:
    effect = changed(topic)
    told = {"cases": cases, "unchanged": unchanged, "people": PEOPLE | people, "asked": {}}
    Effect.objects.filter(pk=effect.pk).update(figures=told)
    effect.refresh_from_db()
    return effect


def test_a_stranger_sees_no_effect(client: Client, topic: Topic) -> None:
    assert client.get(address(topic)).status_code == 302
    assert client.post(address(topic)).status_code == 302
    assert not Effect.objects.exists()


def test_drafts_like_what_is_live_say_what_to_do_first(
    nurse: Client, topic: Topic, release: Release
) -> None:
    said = words(nurse, address(topic))

    assert "The drafts are the same as what is live" in said
    assert "against Release 1, which is live" in said


def test_the_button_starts_it_once_and_looking_starts_nothing(
    nurse: Client, topic: Topic, started: list[int]
) -> None:
    topic.conditions.filter(key="lipoma").update(plain_summary="A soft lump of fat.")

    assert "Nobody has worked out yet what these drafts change." in words(nurse, address(topic))
    assert not Effect.objects.exists()

    for _ in range(2):
        assert nurse.post(address(topic)).status_code == 302
    assert started == [Effect.objects.get().pk]


def test_it_says_how_far_it_is_and_asks_again_by_itself(nurse: Client, topic: Topic) -> None:
    effect = changed(topic)
    Effect.objects.update(people_done=1200, people_total=3101)

    page = nurse.get(address(topic)).content.decode()
    assert 'max="3101" value="1200"' in page
    assert f"?poll=1&amp;effect={effect.pk}" in page
    assert "See how far it is" in page

    poll = f"{address(topic)}?poll=1&effect={effect.pk}"
    part = nurse.get(poll, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'hx-trigger="load delay:1s"' in part
    measured(topic)
    part = nurse.get(poll, headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" not in part
    assert "The effect is worked out." in part
    assert nurse.get(f"{address(topic)}?poll=1&effect=0").status_code == 404
    assert nurse.get(f"{address(topic)}?poll=1").status_code == 404


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"failed": "The engine refuses these drafts."}, "The engine refuses these drafts."),
        ({"moved_at": timezone.now() - 2 * GIVEN_UP_AFTER}, "nothing was heard of it since"),
    ],
)
def test_where_it_stopped_it_says_why_and_can_be_started_again(
    nurse: Client, topic: Topic, columns: dict[str, Any], said: str, started: list[int]
) -> None:
    effect = changed(topic)
    Effect.objects.update(**columns)

    page = words(nurse, address(topic))
    assert said in page
    assert "Work it out again" in page

    nurse.post(address(topic))
    assert started == [effect.pk, effect.pk]


def test_the_cases_that_go_lower_come_first_in_words_with_their_numbers(
    nurse: Client, topic: Topic
) -> None:
    lower = {"urgency": ["same_day", "routine"], "within": [True, False]}
    measured(
        topic,
        case("DV-01", lowered=True, interview=way(**lower), whole=way(urgency=["same_day"] * 2)),
        case("DV-02", lowered=True, unread=[[], ["“feel” is no feature of this topic"]]),
        case("DV-03", higher=True, interview=way(urgency=["routine", "few_days"])),
        case("DV-04", interview=way(rank=[1, 2], leading=[CAUSE, LESS], expected=[CAUSE, LESS])),
    )

    page = nurse.get(address(topic)).content.decode()
    said = words(nurse, address(topic))

    heads = ["Lower urgency: 2", "Higher urgency: 1", "Other causes or ranges: 1"]
    assert [head for head in heads if head in said] == heads
    assert sorted(heads, key=said.index) == heads
    assert "The story of DV-01." in said
    assert "before: Same day → now: Routine visit With all answers: Same day" in said
    assert "No longer what the case expects." in said
    assert "The draft cannot read it: “feel” is no feature of this topic." in said
    assert "before: Routine visit → now: Within 2 to 3 days" in said
    assert "before: Lipoma: likely, 64 % (51 to 76) → now: possible, 42 % (33 to 52)" in said
    assert "before: number 1 → now: number 2" in said
    assert "99 other cases stay as they are." in said
    assert reverse("content:case", args=[topic.key, "vignettes", "DV-01"]) in page


def test_many_cases_of_which_the_urgency_stays_are_folded(nurse: Client, topic: Topic) -> None:
    other = way(leading=[CAUSE, {**LESS, "condition": "skin_cancer"}])
    measured(topic, *(case(f"DV-{number}", interview=other) for number in range(11)))

    page = nurse.get(address(topic)).content.decode()

    assert "<summary><h3>Other causes or ranges: 11</h3></summary>" in page
    name = topic.conditions.get(key="skin_cancer").name
    assert f"now: {name}: possible, 42 %" in words(nurse, address(topic))


def test_people_are_told_with_their_intervals_before_and_after(nurse: Client, topic: Topic) -> None:
    measured(topic, after={**SIDE, "hazardous": {**SHARE, "value": 0.01, "low": 0.008}})

    said = words(nurse, address(topic))

    assert "3000 simulated people" in said
    assert "Urgency lower than that of their condition 0.4 % (0.2 to 0.7) 0.4 %" in said
    assert "a hazard 0.4 % (0.2 to 0.7) 1.0 % (0.8 to 0.7)" in said
    assert "Questions asked, median 22 (21 to 22)" in said


@pytest.mark.parametrize(
    ("unchanged", "people", "said"),
    [
        (101, {}, "No case changes. Urgency, rank and range of all 101 cases stay as they are."),
        (0, {}, "There are no cases of this topic yet"),
        (3, {"before": None}, "so there is nothing to compare the 3 cases with"),
    ],
)
def test_where_nothing_is_to_be_compared_it_says_so(
    nurse: Client, topic: Topic, unchanged: int, people: dict[str, Any], said: str
) -> None:
    measured(topic, unchanged=unchanged, **people)

    assert said in words(nurse, address(topic))


def test_a_case_shows_who_it_is_and_what_it_comes_to_on_both_sides(
    nurse: Client, topic: Topic
) -> None:
    where = reverse("content:case", args=[topic.key, "vignettes", "DV-02"])
    topic.red_flags.filter(key="floor_see_gp").update(urgency="same_day")

    said = words(nurse, where)

    assert "For years my lower back pain has slowly worsened." in said
    assert "Routine visit to Within 2 weeks; the cause is" in said
    assert re.search("Urgency, by interview before: .{,20} → now: Same day", said), said
    assert "Source: [descriptive] Radiology teaching file: low back pain" in said
    assert "Place is that of the pain." in said
    nowhere = reverse("content:case", args=[topic.key, "vignettes", "DV-99"])
    assert nurse.get(nowhere).status_code == 404


def test_a_case_says_where_the_engine_refuses_the_drafts(nurse: Client, topic: Topic) -> None:
    topic.conditions.filter(key="lipoma").update(prior_percent=90)

    said = words(nurse, reverse("content:case", args=[topic.key, "vignettes", "DV-02"]))

    assert "The drafts cannot read it: The engine refuses the drafts as they are now." in said


# The clinic's own


def saved(topic: Topic, **more: Any) -> dict[str, Any]:
    return {
        "topic": topic.pk,
        "key": "boil-with-fever",
        "story": "A boil, and ill with it.",
        "answers": '{"age": 40, "fever": "yes", "skin_look": ["pus"]}',
        "urgency_at_least": "same_day",
        "conditions": ["boil_deep_spot", "skin_abscess"],
        "why": "We meet these.",
        **more,
    }


def test_what_would_be_right_is_chosen_and_not_written(
    nurse: Client, topic: Topic, author: User
) -> None:
    response = nurse.post(reverse("admin:content_savedcase_add"), saved(topic))

    assert response.status_code == 302, response.context["errors"]
    kept = SavedCase.objects.get()
    assert kept.expected == {
        "urgency_at_least": "same_day",
        "conditions": ["boil_deep_spot", "skin_abscess"],
    }
    assert (kept.saved_by, kept.answers["age"]) == (author, 40)

    form = reverse("admin:content_savedcase_change", args=[kept.pk])
    page, said = nurse.get(form).content.decode(), words(nurse, form)
    assert re.search(r'value="same_day" selected', page)
    assert len(re.findall(r'name="conditions" value="\w+"[^>]* checked', page)) == 2
    assert "Urgency Same day" in said
    assert "All that it comes to" in said
    assert reverse("content:case", args=[topic.key, "saved", kept.key]) in page

    nurse.post(form, saved(topic, urgency_at_least="", urgency_at_most="few_days", conditions=[]))
    kept.refresh_from_db()
    assert kept.expected == {"urgency_at_most": "few_days"}
    listed = words(nurse, reverse("admin:content_savedcase_changelist"))
    assert "Within 2 to 3 days or less urgent." in listed
    own = words(nurse, reverse("content:case", args=[topic.key, "saved", kept.key]))
    assert "Change this case" in own


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"answers": '{"hair": "red"}'}, "“hair” is no feature of this topic"),
        ({"answers": '{"age": 400}'}, "400 is above 120"),
        ({"urgency_at_most": "routine"}, "“urgency_at_least” is higher than “urgency_at_most”"),
    ],
)
def test_a_case_that_cannot_be_run_is_not_kept(
    nurse: Client, topic: Topic, wrong: dict[str, Any], why: str
) -> None:
    response = nurse.post(reverse("admin:content_savedcase_add"), saved(topic, **wrong))

    assert response.status_code == 200
    assert why in response.content.decode()
    assert not SavedCase.objects.exists()


def test_who_may_only_look_reads_it_in_words(nurse: Client, topic: Topic, approver: User) -> None:
    nurse.post(reverse("admin:content_savedcase_add"), saved(topic))

    said = words(
        sign_in(Client(), approver),
        reverse("admin:content_savedcase_change", args=[SavedCase.objects.get().pk]),
    )

    assert "Same day or more urgent; the cause is" in said
    assert "Fever" in said


def test_an_old_measuring_is_not_that_of_the_drafts_of_now(nurse: Client, topic: Topic) -> None:
    measured(topic, case("DV-01", lowered=True))
    topic.conditions.filter(key="lipoma").update(plain_summary="Soft fat.")
    Effect.objects.update(asked_at=timezone.now() - timedelta(minutes=1))

    assert "Nobody has worked out yet" in words(nurse, address(topic))
