"""An assessment at a device that one person after another uses, before anything else knows of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from triage.content.models import Release
from triage.engine import Chosen, FeatureKey, Number, OptionKey, Reply, Urgency
from triage.questionnaire import services, signals
from triage.questionnaire.models import Assessment, Token

pytestmark = pytest.mark.django_db
LIMIT = timedelta(minutes=4)
CONFUSED = ("right_now", "confused")
"""What ends an interview at once."""


@dataclass
class Terminal:
    pk: int = 7
    idle_limit: timedelta = LIMIT
    place: str = "waiting room"


@dataclass
class Told:
    signal: Any
    what: dict[str, Any]


@pytest.fixture
def told() -> Iterator[list[Told]]:
    """What receivers are told, in order."""
    said: list[Told] = []
    there = (
        signals.begun,
        signals.flags_changed,
        signals.concluded,
        signals.leaving,
        signals.purging,
    )

    def listen(*, signal: Any, sender: Any, **what: Any) -> None:
        if isinstance(what.get("assessments"), QuerySet):
            what["assessments"] = list(what["assessments"])
        said.append(Told(signal, what))

    for signal in there:
        signal.connect(listen, weak=False)
    yield said
    for signal in there:
        signal.disconnect(listen)


def begun(release: Release, terminal: Terminal | None = None) -> tuple[Token, Assessment]:
    return services.start(
        on=release,
        language="en-gb",
        voice=Assessment.Voice.TEXT,
        now=timezone.now(),
        terminal=terminal,
    )


def ended(assessment: Assessment) -> Assessment:
    """Answer until the question that can end it at once, and end it."""
    while assessment.asking != CONFUSED[0]:
        feature = assessment.content.knowledge.feature(FeatureKey(assessment.asking))
        last = feature.options[-1].key if feature.options else OptionKey("")
        reply = Chosen(frozenset({last})) if last else Number(40)
        _set(assessment, reply)
    return _set(assessment, Chosen(frozenset({OptionKey(CONFUSED[1])})))


def _set(assessment: Assessment, reply: Reply) -> Assessment:
    return services.answer(
        assessment=assessment,
        number=len(assessment.replies) + 1,
        feature=FeatureKey(assessment.asking),
        reply=reply,
        revision=assessment.revision,
        confirmed=False,
        now=timezone.now(),
    ).assessment


def test_it_lasts_as_long_as_the_terminal_says_and_one_at_home_a_day(release: Release) -> None:
    _, here = begun(release, Terminal())
    _, home = begun(release)
    soon, tomorrow = here.active_at + LIMIT, here.active_at + timedelta(hours=24, minutes=1)

    assert here.channel == Assessment.Channel.KIOSK
    assert home.channel == Assessment.Channel.HOME
    assert here.is_expired(soon)
    assert not here.is_expired(soon - timedelta(seconds=1))
    assert not home.is_expired(soon)
    assert list(Assessment.objects.expired(soon - timedelta(seconds=1))) == []
    assert list(Assessment.objects.expired(soon)) == [here]
    assert set(Assessment.objects.expired(tomorrow)) == {here, home}


def test_a_sign_of_life_extends_it_and_more_time_may_be_asked_for(release: Release) -> None:
    token, here = begun(release, Terminal())
    later = here.active_at + LIMIT - timedelta(seconds=1)

    assert services.touch(token=token, now=later)
    here.refresh_from_db()
    assert here.active_at == later
    assert services.touch(token=token, now=later, idle_limit=2 * LIMIT)
    here.refresh_from_db()
    assert not here.is_expired(later + LIMIT)
    assert here.is_expired(later + 2 * LIMIT)


def test_one_that_is_over_is_not_brought_back_by_a_sign_of_life(release: Release) -> None:
    token, here = begun(release, Terminal())
    over = here.active_at + LIMIT

    assert not services.touch(token=token, now=over)
    assert not services.touch(token=Token("nobody's"), now=over)
    here.refresh_from_db()
    assert here.is_expired(over)


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "kiosk"},
        {"channel": "kiosk", "device": 7},
        {"channel": "kiosk", "idle_limit": LIMIT},
        {"device": 7},
        {"idle_limit": LIMIT},
    ],
)
def test_the_database_refuses_half_a_terminal(release: Release, wrong: dict[str, Any]) -> None:
    _, home = begun(release)

    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.filter(pk=home.pk).update(**wrong)


def test_others_are_told_of_its_beginning_flags_end_and_leaving(
    release: Release, told: list[Told]
) -> None:
    terminal = Terminal()
    token, here = begun(release, terminal)
    here = ended(here)

    assert here.urgency == Urgency.EMERGENCY_NOW
    services.delete(token=token, now=timezone.now())
    assert [each.signal for each in told] == [
        signals.begun,
        signals.flags_changed,
        signals.concluded,
        signals.leaving,
    ]
    assert told[0].what == {"assessment": here, "terminal": terminal}
    assert told[1].what["assessment"].flags
    assert told[3].what["assessments"] == [here]


def test_nobody_is_told_of_what_is_answered_at_home(release: Release, told: list[Told]) -> None:
    _, home = begun(release)
    ended(home)

    assert told == []


def test_the_purge_lets_others_keep_what_they_must_before_it_deletes(
    release: Release, told: list[Told]
) -> None:
    _, here = begun(release, Terminal())
    now: datetime = here.active_at + LIMIT

    services.purge(now=now)

    assert [each.signal for each in told[1:]] == [signals.leaving, signals.purging]
    assert told[1].what["assessments"] == [here]
    assert not Assessment.objects.exists()


def test_a_receiver_that_fails_undoes_no_answer(release: Release) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError

    _, here = begun(release, Terminal())
    signals.flags_changed.connect(fail)
    try:
        ended(here)
    finally:
        signals.flags_changed.disconnect(fail)

    here.refresh_from_db()
    assert here.urgency == Urgency.EMERGENCY_NOW


def test_an_assessment_can_be_taken_home_as_it_is(release: Release) -> None:
    _, here = begun(release, Terminal())
    here = ended(here)

    token, copy = services.copy_home(
        release=release,
        replies=here.replies,
        set_by=here.set_by,
        withdrawn=here.withdrawn,
        voice=Assessment.Voice.TEXT,
        language="en-gb",
        now=timezone.now(),
    )

    found = services.find(token=token, now=timezone.now())
    assert found == copy
    assert copy.channel == Assessment.Channel.HOME
    assert (copy.replies, copy.flags, copy.urgency) == (here.replies, here.flags, here.urgency)
    assert copy.finished_at is not None
