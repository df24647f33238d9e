"""Whoever comes, goes, walks away or comes back: nobody meets anything of the person before."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from triage.handover.codes import new_seed
from triage.handover.models import Visit
from triage.kiosk.models import Terminal
from triage.questionnaire import services
from triage.questionnaire.models import Assessment, Token

from .conftest import FIRST_PAGE, PIN, AtKiosk, enrolled, make_terminal

STEPS = 40
IDLE = 240
"""Seconds after which the server ends a visit: 180 on the advice, 30 of warning, 30 of grace."""

ADDRESSES = [
    *("/", "/es/", "/check/1", "/check/2", "/es/check/3", "/check/answers", "/check/outcome"),
    *(
        "/check/resume",
        "/check/delete",
        "/check/deleted",
        "/privacy",
        "/kiosk/desk",
        "/kiosk/known",
    ),
    *("/kiosk/pulse", "/kiosk/menu", "/kiosk/offline", "/conditions/", "/emergency", "/nowhere"),
]


class WaitingRoom(RuleBasedStateMachine):
    """One screen. `said` is what the person at it now has answered, `code` by what they handed it
    over; of the others before, `tokens`, `tickets` and `codes` must never be seen again."""

    def __init__(self) -> None:
        super().__init__()
        self.travel = time_machine.travel(datetime(2031, 5, 7, 9, 0, tzinfo=UTC), tick=False)
        self.clock = self.travel.start()
        for model in (Assessment, Visit, Terminal):
            model._default_manager.all().delete()
        self.visitor = AtKiosk(enrolled(make_terminal()))
        self.tokens: set[str] = set()
        self.tickets: set[str] = set()
        self.codes: set[str] = set()
        self.code = ""
        self.kept: list[tuple[str, dict[str, Any]]] = []
        self.nobody()

    def teardown(self) -> None:
        self.travel.stop()

    def nobody(self) -> None:
        """The person who was there is one of those before."""
        if token := self.visitor.token:
            self.tokens.add(token)
        self.tickets |= set(Visit.objects.values_list("ticket", flat=True))
        self.codes |= {self.code} - {""}
        self.code = ""
        self.said: dict[str, set[str]] = {}

    @property
    def is_over(self) -> bool:
        row = Assessment.objects.first()
        return row is None or row.is_expired(timezone.now())

    # What may happen

    @rule(language=st.sampled_from(["", "/es"]), by_the_first_page=st.booleans())
    def somebody_comes(self, language: str, by_the_first_page: bool) -> None:
        self.nobody()
        if by_the_first_page:
            self.see(self.visitor.go(f"{language}{FIRST_PAGE}"))
            assert not Assessment.objects.exists()
        before = Assessment.objects.values_list("pk", flat=True).first()
        self.see(self.visitor.browser.post(f"{language}/check/begin"))
        self.see(self.visitor.go(f"{language}/check/resume"))
        assert Assessment.objects.get().pk != before
        assert self.visitor.token not in self.tokens

    @precondition(lambda self: self.visitor.feature)
    @rule(data=st.data(), htmx=st.booleans())
    def they_answer(self, data: st.DataObject, htmx: bool) -> None:
        options = re.findall(r'name="reply" value="(\w+)"', self.visitor.page)
        age = st.integers(18, 99).map(str)
        reply = data.draw(st.sampled_from(options) if options else age)
        calmly = data.draw(st.integers(0, 3))
        form = self.visitor.form(self.visitor.calm() if options and calmly else reply)
        self.kept.append((self.visitor.path, form))
        self.send(self.visitor.path, form, htmx)

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), htmx=st.booleans())
    def somebody_sends_a_page_of_before(self, data: st.DataObject, htmx: bool) -> None:
        path, form = data.draw(st.sampled_from(self.kept))
        self.send(path, form, htmx)

    def send(self, path: str, form: dict[str, Any], htmx: bool) -> None:
        was_over = self.is_over
        if not was_over:
            self.said.setdefault(form["feature"], set()).add(form["reply"])
        self.visitor.htmx = htmx
        response: Any = self.visitor.browser.post(
            path, form, headers={"HX-Request": "true"} if htmx else {}
        )
        self.see(response)
        led = response.headers.get("HX-Redirect") or response.headers.get("Location")
        if was_over:
            assert led == FIRST_PAGE
            self.nobody()
        if led:
            self.see(self.visitor.go(led))
        elif response.status_code == 200:
            pushed = response.headers.get("HX-Push-Url", "false")
            self.visitor.page = response.text
            self.visitor.path = path if pushed == "false" else pushed

    @rule()
    def they_finish(self) -> None:
        if self.is_over:
            self.nobody()
        self.see(self.visitor.browser.post("/check/finish"))
        self.see(self.visitor.go("/check/resume"))

    @rule()
    def they_hand_it_over(self) -> None:
        """An emergency ends the questions at once, so that some come as far as this."""
        if self.is_over:
            self.nobody()
        elif self.visitor.feature == "right_now":
            self.send(self.visitor.path, self.visitor.form("cant_breathe"), htmx=False)
        response: Any = self.visitor.browser.post("/check/hand-over", {"once": new_seed()})
        self.see(response)
        if code := re.search(r'class="code">([A-Z0-9]{3}-[A-Z0-9]{3})<', response.text):
            self.codes |= {self.code} - {""}
            self.code = code[1]

    @rule()
    def they_leave(self) -> None:
        self.nobody()
        self.see(self.visitor.leave())
        assert not self.visitor.token
        assert not Assessment.objects.exists()

    @rule()
    def they_delete_their_answers(self) -> None:
        self.nobody()
        self.see(self.visitor.browser.post("/check/delete"))
        assert not Assessment.objects.exists()

    @rule(seconds=st.sampled_from([5, 100, IDLE - 1, IDLE, 3600]))
    def nothing_happens(self, seconds: int) -> None:
        self.clock.shift(timedelta(seconds=seconds))

    @rule(path=st.sampled_from(["here", "more-time"]))
    def they_ask_for_time(self, path: str) -> None:
        was_over = self.is_over
        response = self.visitor.browser.post(f"/kiosk/{path}")
        assert response.status_code == (410 if was_over or not self.visitor.token else 204)

    @rule(path=st.sampled_from(ADDRESSES), htmx=st.booleans())
    def somebody_types_an_address(self, path: str, htmx: bool) -> None:
        was_over = self.is_over
        if was_over:
            self.nobody()
        headers = {"HX-Request": "true"} if htmx else {}
        response: Any = self.visitor.browser.get(path, headers=headers)
        self.see(response)
        if was_over and "/check/" in path:
            led = response.headers["HX-Redirect" if htmx else "Location"]
            assert led == FIRST_PAGE

    @rule()
    def the_power_is_cut(self) -> None:
        """The browser comes back without what it had for the session alone."""
        self.nobody()
        for name in (settings.ASSESSMENT_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
            self.visitor.browser.cookies.pop(name, None)
        self.see(self.visitor.go(FIRST_PAGE))
        assert not Assessment.objects.exists()

    @rule()
    def staff_start_it_again(self) -> None:
        if self.is_over:
            self.nobody()
        self.visitor.browser.post("/kiosk/menu", {"pin": PIN})
        self.see(self.visitor.browser.get("/kiosk/menu"))
        self.nobody()
        self.see(self.visitor.browser.post("/kiosk/menu/restart"))
        assert not Assessment.objects.exists()

    @rule()
    def the_server_tidies_up(self) -> None:
        if self.is_over:
            self.nobody()
        services.purge(now=timezone.now())

    # What must never be

    def see(self, response: Any) -> None:
        """Look through a response for anything of the people before."""
        said = response.text + str(response.headers) + response.cookies.output()
        assert not [secret for secret in self.tokens | self.codes if secret in said]
        assert not self.tickets & set(re.findall(r'id="ticket"[^0-9]*(\d{3})\D', response.text))
        feature = re.search(r'name="feature" value="(\w+)"', response.text)
        own = self.said.get(feature[1], set()) if feature else set()
        assert self.filled_in(response.text) <= own
        if not self.said:
            assert "/check/2" not in re.findall(r'<a href="([^"]*)"', response.text)

    def filled_in(self, page: str) -> set[str]:
        chosen = re.findall(r'name="reply" value="(\w+)"[^>]* checked', page)
        typed = re.findall(r'name="reply"[^>]*inputmode="\w+"[^>]* value="(\d+)"', page)
        return {*chosen, *typed}

    @invariant()
    def there_is_never_more_than_one_person(self) -> None:
        rows = list(Assessment.objects.all())
        assert len(rows) <= 1
        for row in rows:
            if not row.is_expired(timezone.now()) and self.visitor.token:
                assert row.token_hash not in self.hashes()
                assert {feature for feature, _ in row.replies} <= self.said.keys()

    def hashes(self) -> set[str]:
        rows = (Assessment.objects.of(Token(token)).first() for token in self.tokens)
        return {row.token_hash for row in rows if row}


@pytest.mark.usefixtures("release")
def test_nobody_meets_the_person_before(sweep: int) -> None:
    run(
        WaitingRoom,
        settings=how(
            max_examples=max(1, sweep // 400),
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
