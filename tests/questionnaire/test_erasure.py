"""What was deleted is gone, from the rows and on SQLite from the files."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.database_files import copies, sqlite_only
from triage.content.models import Release
from triage.questionnaire import erasure, services
from triage.questionnaire.models import Assessment

from .conftest import Person

CANARY = "canary-8f1c"


def answered_by(how_many: int, release: Release) -> list[Person]:
    """People whose replies are long enough to spill over several pages of the file."""
    people = []
    for _ in range(how_many):
        person = Person()
        person.begin()
        assessment = person.assessment
        for size in (1, 40, 400):
            Assessment.objects.filter(pk=assessment.pk).update(
                replies=[["right_now", [CANARY] * size]], set_at=[1], set_by=[CANARY]
            )
        people.append(person)
    return people


@sqlite_only
@pytest.mark.usefixtures("transactional_db")
def test_delete_leaves_nothing_in_any_file(release: Release) -> None:
    people = answered_by(20, release)
    assert copies(CANARY) > 20

    for person in people:
        person.post({}, "/check/delete")

    assert Assessment.objects.count() == 0
    assert copies(CANARY) == 0


@sqlite_only
@pytest.mark.usefixtures("transactional_db")
def test_the_purge_leaves_nothing_in_any_file(release: Release) -> None:
    answered_by(20, release)
    assert copies(CANARY) > 20

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        call_command("purge_assessments", verbosity=0)

    assert Assessment.objects.count() == 0
    assert copies(CANARY) == 0


def test_the_purge_takes_what_is_due_and_nothing_else(
    release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = Person(), Person()
    with time_machine.travel(timezone.now() - timedelta(hours=25)):
        old.begin()
    with time_machine.travel(timezone.now() - timedelta(hours=23)):
        new.begin()
    kept = new.assessment.pk

    first, _ = services.purge(now=timezone.now())
    second, _ = services.purge(now=timezone.now())

    assert (first, second) == (1, 0)
    assert Assessment.objects.get().pk == kept
    assert old.go("/check/1").status_code == 410
    assert "no longer here" in old.page


def test_a_clock_that_jumps_back_loses_nothing(underway: Person) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=400)):
        assert services.purge(now=timezone.now())[0] == 0
        assert underway.answer("none").status_code == 303


@sqlite_only
def test_the_purge_says_so_when_somebody_is_in_the_way(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "overwrite", lambda: False)

    with pytest.raises(CommandError, match="Run it again"):
        call_command("purge_assessments")


def test_the_purge_goes_on_when_told_to(
    underway: Person, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", nap)

    with pytest.raises(KeyboardInterrupt):
        call_command("purge_assessments", every=30)

    assert naps == [30, 30, 30]
    assert capsys.readouterr().out.count("0 expired assessments deleted.") == 3
