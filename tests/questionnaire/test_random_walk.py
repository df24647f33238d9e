"""Whatever people do with buttons, tabs and addresses, the state stays legal."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from triage.content.models import Release
from triage.engine import (
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    check_reply,
    outcome,
    receipt,
    reply_from_json,
)
from triage.questionnaire import services
from triage.questionnaire.models import Assessment

from .conftest import Person
from .test_answering import hidden_of

STEPS = 50


class Walk(RuleBasedStateMachine):
    """One person, several tabs. `told` is what the server said it had accepted, `by` how."""

    def __init__(self) -> None:
        super().__init__()
        self.person = Person(htmx=True)
        self.arrive()

    def arrive(self) -> None:
        self.person.begin()
        self.pk = self.person.assessment.pk
        self.told: dict[str, Any] = {}
        self.by: dict[str, str] = {}
        self.kept: list[tuple[str, dict[str, Any]]] = []
        self.last: tuple[str, dict[str, Any]] | None = None
        self.ever: set[str] = set()

    @property
    def row(self) -> Assessment:
        return Assessment.objects.get(pk=self.pk)

    def feature(self, key: str) -> Feature:
        return self.row.content.knowledge.feature(FeatureKey(key))

    def reply_to(self, key: str, draw: Any) -> dict[str, Any]:
        """Draw what the form of this feature can send: options, a number, or a way to decline."""
        feature = self.feature(key)
        if feature.declines and draw(st.integers(0, 4)) == 0:
            return {"decline": draw(st.sampled_from(feature.declines)).value}
        if feature.kind is Kind.NUMBER:
            return {"reply": str(draw(st.integers(feature.low or 0, feature.high or 0)))}
        # Mostly calm, or every walk ends at its first alarm.
        calm = [o.key for o in feature.options if not o.alarm]
        keys = calm if draw(st.integers(0, 5)) else [o.key for o in feature.options]
        return {"reply": [draw(st.sampled_from(keys))]}

    def send(self, path: str, form: dict[str, Any]) -> Any:
        before = self.row
        response = self.person.post(form, path)
        after = self.row
        self.last = (path, form)
        if after.revision != before.revision:
            assert response.status_code == 200
            assert after.revision == before.revision + 1
            changed = [
                (key, reply) for key, reply in after.replies if [key, reply] not in before.replies
            ]
            if changed or self.by[form["feature"]] == after.voice:
                (self.told[form["feature"]],) = [reply for _, reply in changed]
                assert [key for key, _ in changed] == [form["feature"]]
            self.by[form["feature"]] = after.voice  # the same once more: looked at again
            if len(after.replies) > len(before.replies):
                assert form["feature"] == before.asking
        return response

    @precondition(lambda self: self.person.feature)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        self.send(self.person.path, self.filled(data))

    @precondition(lambda self: self.person.feature)
    @rule(times=st.integers(2, 10))
    def answer_calmly(self, times: int) -> None:
        """So that some walks come to their end, and go on from there."""
        for _ in range(times):
            if self.person.feature:
                self.send(self.person.path, self.person.form([self.person.calm()]))

    def filled(self, data: st.DataObject) -> dict[str, Any]:
        """Return the open form, filled in somehow."""
        person = self.person
        form = {"feature": person.feature, "revision": person.revision}
        return form | self.reply_to(person.feature, data.draw)

    @rule(data=st.data())
    def go_back_and_change(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, max(1, len(self.row.replies))))
        self.person.go(f"/check/{number}")
        if self.person.feature:
            self.send(self.person.path, self.filled(data))

    @rule()
    def confirm(self) -> None:
        form = hidden_of(self.person.page)
        if "confirm" in form:
            form["feature"] = form["feature"][0]
            self.send(self.person.path, form)

    @precondition(lambda self: self.last)
    @rule()
    def send_it_twice(self) -> None:
        assert self.last is not None
        self.send(*self.last)
        revision = self.row.revision
        self.send(*self.last)
        assert self.row.revision == revision

    @rule(voice=st.sampled_from(Assessment.Voice))
    def look_another_way(self, voice: Assessment.Voice) -> None:
        before, here = self.row, self.person.path
        form = {"feature": self.person.feature, "voice": voice.value}
        response = self.person.post(form, "/check/voice")
        after = self.row
        assert response.status_code == (409 if before.finished_at else 200)
        assert after.voice == (before.voice if before.finished_at else voice)
        assert (after.revision, after.replies) == (before.revision, before.replies)
        if self.person.path == "/check/voice":
            self.person.path = here

    @precondition(lambda self: self.person.feature)
    @rule(data=st.data())
    def leave_a_tab_open(self, data: st.DataObject) -> None:
        self.kept.append((self.person.path, self.filled(data)))

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def come_back_to_a_tab(self, data: st.DataObject) -> None:
        path, form = data.draw(st.sampled_from(self.kept))
        response = self.send(path, form)
        assert response.status_code in (200, 409)

    @rule(number=st.integers(0, 40))
    def type_an_address(self, number: int) -> None:
        before = self.row.revision
        response = self.person.go(f"/check/{number}")
        asked = len(self.row.replies) + 1
        assert response.status_code == (200 if 1 <= number <= asked else 404)
        assert self.row.revision == before

    @rule()
    def finish(self) -> None:
        response = self.person.post({}, "/check/finish")
        assert response.status_code in (200, 303)
        assert (self.row.finished_at is not None) is self.row.concluded

    @rule(rare=st.integers(0, 30))
    def stay_away_for_a_day(self, rare: int) -> None:
        if rare == 0:
            with time_machine.travel(timezone.now() + timedelta(hours=25)):
                assert self.person.go("/check/resume").status_code == 410
                services.purge(now=timezone.now())
            assert self.person.go("/check/resume").status_code == 410
            self.arrive()

    @invariant()
    def the_stored_path_is_legal(self) -> None:
        row = self.row
        keys = [key for key, _ in row.replies]
        assert len(set(keys)) == len(keys) == len(row.set_at)
        assert dict(row.replies) == self.told
        assert dict(zip(keys, row.set_by, strict=True)) == self.by
        for key, reply in row.evidence:
            assert check_reply(self.feature(key), reply) == reply

    @invariant()
    def what_is_stored_equals_a_replay(self) -> None:
        row = self.row
        columns = services.implied(row.content.knowledge, row.evidence).columns
        assert {name: getattr(row, name) for name in columns} == columns
        self.ever |= set(row.flags)
        assert self.ever == set(row.flags) | set(row.withdrawn)

    @invariant()
    def the_outcome_hangs_on_release_and_replies_only(self) -> None:
        if not self.row.concluded:
            return
        knowledge = self.row.content.knowledge
        told = Evidence((FeatureKey(k), reply_from_json(r)) for k, r in sorted(self.told.items()))
        assert receipt(outcome(knowledge, told)) == receipt(outcome(knowledge, self.row.evidence))


@pytest.mark.usefixtures("release")
def test_no_walk_breaks_the_state(sweep: int) -> None:
    run(
        Walk,
        settings=settings(
            max_examples=max(1, sweep // (2 * STEPS)),  # 1,000 steps, 10,000 in a soak
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_post_breaks_the_page(release: Release, sweep: int) -> None:
    person = Person()
    person.begin()
    text = st.text(max_size=40) | st.sampled_from(
        ["right_now", "none", "0", "1", "\x00", "\u202e", "9" * 400, "[]", "none'--", "cant_see"]
    )
    names = st.sampled_from(["feature", "revision", "reply", "decline", "confirm", "x"])

    @settings(
        max_examples=sweep // 4,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 3), st.dictionaries(names, st.lists(text, min_size=1, max_size=4)))
    def post(number: int, form: dict[str, list[str]]) -> None:
        before = Assessment.objects.values().get()
        response = person.browser.post(f"/check/{number}", form)

        assert response.status_code < 500
        if response.status_code >= 400:
            assert Assessment.objects.values().get() == before
            assert b"999" in response.content

    post()
