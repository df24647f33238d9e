"""The effect of a draft is measured once, kept, and started again only where it stopped."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from triage.content import effects
from triage.content.audit import changing
from triage.content.effects import (
    GIVEN_UP_AFTER,
    cases_of,
    effect_of,
    find_effect,
    is_given_up,
    measure,
    start_again,
)
from triage.content.models import Effect, Release, Topic
from triage.content.saved_cases import save_case
from triage.content.snapshots import content_of_snapshot, snapshot_of
from triage.evaluation.effects import lowered

PEOPLE = 60


@pytest.fixture(autouse=True)
def few_people(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two cases and a few people."""
    folder = tmp_path / "back-lump"
    folder.mkdir()
    shipped = effects.CASES / "back-lump" / "example-patients.jsonl"
    lines = {json.loads(line)["id"]: line for line in shipped.read_text("utf-8").splitlines()}
    (folder / "some.jsonl").write_text(f"{lines['v01']}\n\n{lines['v02']}\n", encoding="utf-8")
    monkeypatch.setattr(effects, "CASES", tmp_path)
    monkeypatch.setattr(effects, "PEOPLE", PEOPLE)
    monkeypatch.setattr(effects, "PROCESSES", 1)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The effects whose measuring was started, by their ids."""
    found: list[int] = []
    monkeypatch.setattr(effects, "start", lambda effect: found.append(effect.pk))
    return found


def measured(topic: Topic, live: Release | None) -> Effect:
    effect = effect_of(snapshot_of(topic), live)
    measure(effect)
    effect.refresh_from_db()
    return effect


def figures(effect: Effect) -> dict[str, Any]:
    assert effect.figures is not None, effect.failed
    found: dict[str, Any] = effect.figures
    return found


def test_it_is_started_once_for_each_draft_release_and_set_of_cases(
    topic: Topic, release: Release, author: User, started: list[int]
) -> None:
    first = effect_of(snapshot_of(topic), release)
    again = effect_of(snapshot_of(topic), release)
    topic.conditions.filter(key="lipoma").update(plain_summary="A soft lump of fat.")
    other = effect_of(snapshot_of(topic), release)
    alone = effect_of(snapshot_of(topic), None)
    knowledge = content_of_snapshot(other.draft_id).knowledge
    save_case(
        topic=topic,
        key="mine",
        story="Somebody.",
        answers={"age": 40},
        expected={},
        knowledge=knowledge,
        who=author,
    )
    with_one_more = effect_of(snapshot_of(topic), release)

    assert again == first
    assert started == [first.pk, other.pk, alone.pk, with_one_more.pk]
    assert find_effect(topic, other.draft.sha256, release) == with_one_more
    assert (first.people_done, first.people_total) == (0, PEOPLE + 2)


def test_a_draft_that_changes_nothing_has_no_effect(topic: Topic, release: Release) -> None:
    effect = measured(topic, release)

    found = figures(effect)
    assert (found["cases"], found["unchanged"]) == ([], 2)
    assert found["people"]["before"] == found["people"]["after"]
    assert effect.people_done == effect.people_total == 2 * PEOPLE + 2
    assert set(found["asked"]) <= set(topic.features.values_list("key", flat=True))
    assert found["asked"]["right_now"] == {"share": 1.0, "place": 1.0}


def test_a_case_that_goes_lower_is_named(topic: Topic, release: Release) -> None:
    """Without the floor that sends a lump to the doctor, somebody may treat it at home: both cases."""
    topic.red_flags.filter(key="floor_see_gp").delete()
    topic.conditions.filter(kind="ranked").update(raise_at_percent=99)

    found = figures(measured(topic, release))

    assert lowered(found) == ("some/v01", "some/v02")
    assert found["cases"][0]["interview"]["urgency"] == ["routine", "self_care"]


def test_what_was_measured_of_the_live_side_is_used_again(topic: Topic, release: Release) -> None:
    same = measured(topic, release)
    topic.conditions.filter(key="lipoma").update(prior_percent=9)
    topic.conditions.filter(key="boil_deep_spot").update(prior_percent=11)

    effect = measured(topic, release)

    assert effect.people_total == PEOPLE + 2
    assert figures(effect)["people"]["before"] == figures(same)["people"]["after"]
    assert figures(effect)["people"]["after"] != figures(same)["people"]["after"]


def test_drafts_that_the_engine_refuses_say_so(topic: Topic, release: Release) -> None:
    topic.conditions.filter(key="lipoma").update(prior_percent=90)

    effect = measured(topic, release)

    assert effect.figures is None
    assert "The engine refuses these drafts." in effect.failed
    assert "The priors add up to 1.8" in effect.failed


def test_an_error_is_kept_and_raised(
    topic: Topic, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any, **more: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(effects, "figures_of", broken)
    effect = effect_of(snapshot_of(topic), release)

    with pytest.raises(MemoryError):
        measure(effect)

    effect.refresh_from_db()
    assert effect.failed == "It stopped on an error that is in the log: MemoryError."


def test_only_what_failed_or_fell_silent_is_started_again(
    topic: Topic, release: Release, started: list[int]
) -> None:
    effect = effect_of(snapshot_of(topic), release)

    start_again(effect)
    assert started == [effect.pk]  # it is being measured
    assert not is_given_up(effect)

    Effect.objects.update(people_done=9, moved_at=timezone.now() - 2 * GIVEN_UP_AFTER)
    effect.refresh_from_db()
    assert is_given_up(effect)
    start_again(effect)
    start_again(effect)
    assert started == [effect.pk] * 2
    assert effect.people_done == 0

    Effect.objects.update(failed="It stopped.")
    start_again(effect)
    assert started == [effect.pk] * 3
    assert effect.failed == ""

    Effect.objects.update(figures={}, moved_at=timezone.now() - timedelta(days=1))
    start_again(effect)
    assert started == [effect.pk] * 3
    effect.refresh_from_db()
    assert not is_given_up(effect)


def test_the_command_measures_and_fails_where_that_fails(topic: Topic, release: Release) -> None:
    effect = effect_of(snapshot_of(topic), release)

    call_command("measure_effect", str(effect.pk))

    effect.refresh_from_db()
    assert effect.figures
    with pytest.raises(CommandError, match="There is no effect 0"):
        call_command("measure_effect", "0")


def test_it_tells_how_far_it_is(
    topic: Topic, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "OFTEN", 0)
    seen: list[int] = []
    keep = effects._keep

    def noting(effect: Effect, **columns: Any) -> None:
        seen.extend(n for n in [columns.get("people_done")] if isinstance(n, int))
        keep(effect, **columns)

    monkeypatch.setattr(effects, "_keep", noting)

    measured(topic, release)

    assert seen == sorted(seen)
    assert len(seen) > PEOPLE / 2


def test_cases_are_those_of_the_files_and_those_of_the_clinic(topic: Topic, author: User) -> None:
    with changing(who=author, why="A case."):
        topic.saved_cases.create(
            key="mine", story="Somebody.", answers={"age": 40}, saved_by=author
        )

    cases = cases_of(topic)

    assert [case.name for case in cases] == ["some/v01", "some/v02", "saved/mine"]
    assert cases[2].story == "Somebody."
    assert json.loads(cases[2].text)["answers"] == {"age": 40}
