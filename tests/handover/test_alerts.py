"""A red flag that was raised at a kiosk stays until somebody has said by name that they know."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from types import SimpleNamespace

import pytest
import time_machine
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from triage.content.knowledge import FlagText, Wording
from triage.content.models import Release
from triage.engine import RuleKey, Urgency
from triage.handover import alerts, visits
from triage.handover.alerts import Known, Stage
from triage.handover.models import Alert, Visit, Watch
from triage.questionnaire import services, signals
from triage.questionnaire.models import Assessment

from .visitors import calm, receptionist, red_flags, urgency_of, visitor

MORNING = datetime(2031, 5, 7, 8, 0, tzinfo=timezone.get_default_timezone())


def told() -> list[tuple[str, str]]:
    """Each ticket and flag that nobody has acknowledged."""
    return [(alert.visit.ticket, alert.flag) for alert in alerts.waiting()]


# From the answer to the desk


def test_an_answer_that_raises_a_flag_tells_staff_at_once(release: Release) -> None:
    person = visitor(release)

    person.reply("right_now", ["chest_tight"])

    raised = person.assessment.flags
    assert raised
    assert {flag for _, flag in told()} == set(raised)
    alert = alerts.waiting()[0]
    assert alert.visit.urgency == alert.urgency == Urgency.EMERGENCY_NOW
    assert (alert.visit.place, alert.visit.concluded) == ("by the door", True)
    assert alert.withdrawn_at is None


def test_the_title_is_in_the_language_of_the_place(release: Release) -> None:
    person = visitor(release)
    Assessment.objects.filter(pk=person.pk).update(language="es")

    person.reply("right_now", ["chest_tight"])

    flag = person.assessment.flags[0]
    text = person.assessment.content.wording("en").flag(flag)
    assert alerts.waiting().get(flag=flag).title == text.title


def test_a_title_may_be_as_long_as_content_makes_it(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = visitor(release)
    title = "Signs of a squeezed cord, " * 40
    text = SimpleNamespace(title=title)
    monkeypatch.setattr(Wording, "flag", lambda self, flag: text)

    person.reply("right_now", ["chest_tight"])

    assert {alert.title for alert in alerts.waiting()} == {title}


def test_a_withdrawn_flag_stays_marked_so(release: Release) -> None:
    person = visitor(release)
    person.reply("right_now", ["chest_tight"])
    raised = person.assessment.flags
    assert raised

    person.reply("right_now", ["none"], confirmed=True)

    assert person.assessment.flags == []
    assert {flag for _, flag in told()} == set(raised)
    assert all(alert.withdrawn_at is not None for alert in alerts.waiting())
    assert person.visit.alerts.count() == len(raised)


def test_a_flag_that_is_raised_anew_has_to_be_acknowledged_anew(release: Release) -> None:
    person, flag, now = visitor(release), red_flags(release)[0], timezone.now()
    person.say(flags=[flag], withdrawn=[])
    alerts.gather(now)
    person.say(flags=[], withdrawn=[flag])
    alerts.gather(now)
    shown = [alert.pk for alert in alerts.waiting()]
    alerts.acknowledge(visit=person.visit, by=receptionist(), now=now, seen=shown)
    assert told() == []

    person.say(flags=[flag], withdrawn=[flag])
    alerts.gather(now)
    # Their screen still shows it withdrawn, and the button is pressed just now.
    alerts.acknowledge(visit=person.visit, by=receptionist("ben"), now=now, seen=shown)

    assert told() == [(person.visit.ticket, flag)]
    assert alerts.waiting()[0].withdrawn_at is None


def test_at_home_nobody_is_told(release: Release) -> None:
    services.start(on=release, language="en-gb", voice=Assessment.Voice.TEXT, now=timezone.now())
    Assessment.objects.update(flags=red_flags(release)[:1])

    services.purge(now=timezone.now())
    alerts.gather(timezone.now())

    assert not Visit.objects.exists()
    assert told() == []


def test_the_most_urgent_come_first_and_then_the_oldest(release: Release) -> None:
    flags = red_flags(release)
    urgent, calmer = flags[0], flags[-1]
    assert urgency_of(release, urgent) > urgency_of(release, calmer)
    calm, old, new = visitor(release), visitor(release), visitor(release)
    for minute, (person, flag) in enumerate(((calm, calmer), (old, urgent), (new, urgent))):
        person.say(flags=[flag], withdrawn=[])
        alerts.gather(MORNING + timedelta(seconds=minute))

    assert told() == [
        (old.visit.ticket, urgent),
        (new.visit.ticket, urgent),
        (calm.visit.ticket, calmer),
    ]


# Whatever dies in between


def test_the_desk_heals_what_died_after_the_answer(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = visitor(release)

    def die(now: datetime) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(alerts, "gather", die)
        person.reply("right_now", ["chest_tight"])
    assert person.assessment.flags
    assert told() == []

    alerts.gather(timezone.now())

    assert {flag for _, flag in told()} == set(person.assessment.flags)


def test_a_flag_that_cannot_be_told_keeps_no_other_from_the_desk(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = visitor(release), visitor(release)
    first, second = red_flags(release)[:2]
    broken.say(flags=[first], withdrawn=[])
    sound.say(flags=[second], withdrawn=[])
    text_of = Wording.flag

    def fail_for_the_first(self: Wording, flag: RuleKey) -> FlagText:
        if flag == first:
            raise LookupError
        return text_of(self, flag)

    with monkeypatch.context() as patch:
        patch.setattr(Wording, "flag", fail_for_the_first)
        alerts.gather(timezone.now())
        assert told() == [(sound.visit.ticket, second)]
        with pytest.raises(LookupError):
            broken.leave()

    alerts.gather(timezone.now())
    assert len(told()) == 2


@pytest.mark.parametrize("way", ["delete", "idle", "withdrawn"])
def test_a_wipe_copies_the_flags_first(release: Release, way: str) -> None:
    person, flag = visitor(release), red_flags(release)[0]
    if way == "withdrawn":
        person.say(flags=[], withdrawn=[flag])
    else:
        person.say(flags=[flag], withdrawn=[])

    if way == "idle":
        services.purge(now=timezone.now() + timedelta(hours=1))
    else:
        person.leave()

    assert not Assessment.objects.exists()
    assert told() == [(person.visit.ticket, flag)]
    assert (alerts.waiting()[0].withdrawn_at is not None) is (way == "withdrawn")


def test_a_wipe_that_cannot_copy_the_flags_does_not_happen(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = visitor(release)
    person.say(flags=red_flags(release)[:1], withdrawn=[])

    def die(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(alerts, "bring_up_to_date", die)
        with pytest.raises(MemoryError):
            person.leave()

    assert person.assessment.flags
    person.leave()
    assert len(told()) == 1


def test_a_wipe_that_fails_afterwards_leaves_everything_as_it_was(release: Release) -> None:
    person = visitor(release)
    person.say(flags=red_flags(release)[:1], withdrawn=[])

    def die(**_: object) -> None:
        raise MemoryError

    signals.leaving.connect(die)
    try:
        with pytest.raises(MemoryError):
            person.leave()
    finally:
        signals.leaving.disconnect(die)

    assert visits.visit_of(person.pk) == person.visit
    assert Visit.objects.get().left_at is None


def test_a_row_that_went_without_a_word_ends_its_visit(release: Release) -> None:
    person, flag = visitor(release), red_flags(release)[0]
    person.say(flags=[flag], withdrawn=[])
    alerts.gather(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM questionnaire_assessment WHERE id = %s", [person.pk])

    alerts.gather(timezone.now())

    visit = Visit.objects.get()
    assert visit.assessment is None
    assert visit.left_at is not None
    assert told() == [(visit.ticket, flag)]


ACTS = ("raise", "withdraw", "answer", "gather", "acknowledge", "leave", "purge", "hour", "begin")


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(ACTS), st.integers(0, 2), st.integers(0, 2)),
        min_size=5,
        max_size=30,
    )
)
def test_a_raised_flag_never_vanishes(release: Release, acts: list[tuple[str, int, int]]) -> None:
    """Whatever happens in whatever order: what was raised stands on the desk whenever it looks,
    until it is acknowledged, or twelve hours after its person has left."""
    flags = red_flags(release)[:3]
    with time_machine.travel(MORNING, tick=False) as clock, transaction.atomic():
        nurse = receptionist()
        people = [visitor(release) for _ in range(2)]
        owed: dict[tuple[int, str], datetime | None] = {}
        for act, who, which in acts:
            now = timezone.now()
            person, flag = people[who % len(people)], flags[which]
            row = Assessment.objects.filter(pk=person.pk).first()
            key = (person.visit.pk, flag)
            if act in ("raise", "answer") and row and flag not in row.flags:
                person.say(flags=[*row.flags, flag], withdrawn=row.withdrawn)
                there = Alert.objects.filter(visit=person.visit, flag=flag).first()
                if not (there and there.acknowledged_at and not there.withdrawn_at):
                    owed[key] = None
                if act == "answer":  # and the process lives on
                    signals.flags_changed.send_robust(
                        Assessment, assessment=person.assessment, now=now
                    )
            elif act == "withdraw" and row and flag in row.flags:
                kept = [other for other in row.flags if other != flag]
                once = list(dict.fromkeys([*row.withdrawn, flag]))
                person.say(flags=kept, withdrawn=once)
            elif act == "gather":
                alerts.gather(now)
            elif act == "acknowledge":
                seen = [alert.pk for alert in alerts.waiting().filter(visit=person.visit)]
                for alert in alerts.waiting().filter(visit=person.visit):
                    # One that was withdrawn and raised again unseen is a new one.
                    if row is None or alert.withdrawn_at is None or alert.flag not in row.flags:
                        owed.pop((person.visit.pk, alert.flag), None)
                alerts.acknowledge(visit=person.visit, by=nurse, now=now, seen=seen)
            elif act == "leave" and row:
                person.leave()
                owed.update({k: now for k in owed if k[0] == person.visit.pk})
            elif act == "purge":
                services.purge(now=now)
                for other in people:
                    if not Assessment.objects.filter(pk=other.pk).exists():
                        gone = {k: now for k in owed if k[0] == other.visit.pk and not owed[k]}
                        owed.update(gone)
            elif act == "hour":
                clock.shift(timedelta(hours=5))
                Assessment.objects.filter(pk=person.pk).update(active_at=timezone.now())
            elif act == "begin" and len(people) < 4:
                people.append(visitor(release))
            due = {
                key
                for key, left in owed.items()
                if left is None or timezone.now() < left + settings.HANDOVER_LASTS
            }
            with transaction.atomic():  # a look that leaves no trace, so that crashes stay crashed
                alerts.gather(timezone.now())
                stands = {(alert.visit_id, alert.flag) for alert in alerts.waiting()}
                assert due <= stands
                transaction.set_rollback(True)
        transaction.set_rollback(True)


# Acknowledged, and raised again


def test_acknowledging_takes_down_the_name(release: Release) -> None:
    person, now = visitor(release), timezone.now()
    person.say(flags=red_flags(release)[:2], withdrawn=[])
    alerts.gather(now)
    nurse = receptionist("amina", first_name="Amina", last_name="Shah")

    assert alerts.acknowledge(visit=person.visit, by=nurse, now=now) == 2
    assert alerts.acknowledge(visit=person.visit, by=receptionist("ben"), now=now) == 0

    names = person.visit.alerts.values_list(
        "acknowledged_name", "acknowledged_by", "acknowledged_at"
    )
    assert set(names) == {("Amina Shah", nurse.pk, now)}
    assert told() == []


def test_the_name_outlives_the_account(release: Release) -> None:
    person, nurse, now = visitor(release), receptionist("amina"), timezone.now()
    person.say(flags=red_flags(release)[:1], withdrawn=[])
    alerts.gather(now)
    alerts.acknowledge(visit=person.visit, by=nurse, now=now)

    nurse.delete()

    alert = Alert.objects.get()
    assert (alert.acknowledged_by, alert.acknowledged_name) == (None, "amina")


def test_one_raised_after_the_page_was_drawn_is_not_acknowledged_with_it(release: Release) -> None:
    person, now = visitor(release), timezone.now()
    first, second = red_flags(release)[:2]
    person.say(flags=[first], withdrawn=[])
    alerts.gather(now)
    shown = [alert.pk for alert in alerts.waiting()]
    person.say(flags=[first, second], withdrawn=[])
    alerts.gather(now)

    assert alerts.acknowledge(visit=person.visit, by=receptionist(), now=now, seen=shown) == 1

    assert told() == [(person.visit.ticket, second)]


def test_without_an_acknowledgement_it_is_raised_again_and_again(release: Release) -> None:
    person = visitor(release)
    person.say(flags=red_flags(release)[:1], withdrawn=[])
    alerts.gather(MORNING)
    again = settings.ALERT_AGAIN

    raised = []
    for minutes in (again - timedelta(seconds=1), again, again * 1.5, again * 2, again * 2.1):
        alerts.gather(MORNING + minutes)
        raised.append(Alert.objects.get().raised_again_at)
    person.leave()
    alerts.gather(MORNING + again * 3)

    second, third, fourth = (MORNING + again * times for times in (1, 2, 3))
    assert raised == [None, second, second, third, third]
    assert Alert.objects.get().raised_again_at == fourth
    alerts.acknowledge(visit=person.visit, by=receptionist(), now=MORNING + again * 3)
    alerts.gather(MORNING + again * 5)
    assert Alert.objects.get().raised_again_at == fourth


# What it costs


def test_looking_costs_one_statement_where_nothing_has_changed(release: Release) -> None:
    now = timezone.now()
    for person in (visitor(release) for _ in range(12)):
        person.say(flags=red_flags(release)[:3], withdrawn=[])
    alerts.gather(now)

    with CaptureQueriesContext(connection) as asked:
        alerts.gather(now)

    assert len(asked) == 1
    assert len(told()) == 36


def test_an_answer_that_changes_no_flag_asks_nothing_more(release: Release) -> None:
    person = visitor(release)
    assessment = person.assessment

    with CaptureQueriesContext(connection) as asked:
        services.answer(
            assessment=assessment,
            number=1,
            feature=services.feature_at(assessment, 1),
            reply=calm(assessment, assessment.asking),
            revision=assessment.revision,
            confirmed=False,
            now=timezone.now(),
        )

    assert len(asked) == 1


def test_fifty_desks_ask_for_little(release: Release) -> None:
    now = timezone.now()
    for person in (visitor(release) for _ in range(12)):
        person.say(flags=red_flags(release)[:3], withdrawn=[])
    alerts.gather(now)
    alerts.desk_looks(now)

    with CaptureQueriesContext(connection) as asked:
        for _ in range(50):
            alerts.desk_looks(now)
            alerts.gather(now)

    assert len(asked) == 100
    assert all(query["sql"].lstrip().startswith("SELECT") for query in asked)


@pytest.mark.usefixtures("transactional_db")
def test_desks_that_look_at_once_write_each_flag_once(release: Release) -> None:
    flags = red_flags(release)[:3]
    for _ in range(5):
        person = visitor(release)
        person.say(flags=flags, withdrawn=[])
        gate = Barrier(4)

        def look(gate: Barrier) -> None:
            try:
                gate.wait()
                alerts.gather(timezone.now())
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(look, [gate] * 4))

        assert sorted(alert.flag for alert in person.visit.alerts.all()) == sorted(flags)


# What the patient is told


def test_the_patient_is_never_told_more_than_is_true(release: Release) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        person, nurse = visitor(release), receptionist()
        assert alerts.known(person.visit) == Known(Stage.NOBODY_WATCHES)
        alerts.desk_looks(timezone.now())
        clock.shift(timedelta(seconds=1))
        person.reply("right_now", ["chest_tight"])
        # A desk looked a second ago, and has not shown this yet.
        assert alerts.desk_is_watching(timezone.now())
        assert alerts.known(person.visit) == Known(Stage.NOBODY_WATCHES)

        clock.shift(timedelta(seconds=1))
        alerts.desk_looks(timezone.now())
        assert alerts.known(person.visit) == Known(Stage.TOLD)

        clock.shift(settings.DESK_WATCHES)
        assert not alerts.desk_is_watching(timezone.now())
        assert alerts.known(person.visit) == Known(Stage.NOBODY_WATCHES)

        alerts.acknowledge(visit=person.visit, by=nurse, now=timezone.now())
        assert alerts.known(person.visit) == Known(Stage.ACKNOWLEDGED, timezone.now())


def test_a_second_flag_is_not_known_because_the_first_was(release: Release) -> None:
    person, now = visitor(release), timezone.now()
    first, second = red_flags(release)[:2]
    person.say(flags=[first], withdrawn=[])
    alerts.gather(now)
    alerts.acknowledge(visit=person.visit, by=receptionist(), now=now)

    person.say(flags=[first, second], withdrawn=[])
    alerts.gather(now)

    assert alerts.known(person.visit) == Known(Stage.NOBODY_WATCHES)


def test_a_clock_that_is_set_back_makes_no_desk_watch(release: Release) -> None:
    now = timezone.now()
    alerts.desk_looks(now)

    yesterday = now - timedelta(days=1)
    assert not alerts.desk_is_watching(yesterday)
    alerts.desk_looks(yesterday)

    assert alerts.desk_is_watching(yesterday)
    assert Watch.objects.get().seen_at == yesterday
