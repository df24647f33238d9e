"""What open desks cost: screens that ask every few seconds whether there is anything new.

So many browsers of signed-in staff poll as the page's script does, each with the mark of its last
answer. The processor's time of the server counts, by the kernel, beside the same number of requests
to a plain view at the same pace. Then somebody begins at a kiosk twice a minute, and every desk draws
its list of some forty people anew each time.
"""

import argparse
import gzip
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import unescape
from http.client import HTTPConnection, RemoteDisconnected
from itertools import count
from pathlib import Path
from typing import Any

from triage.evaluation.tables import Table

from ._bars import Goal, print_goals
from ._processes import worked
from ._requests import HOST
from ._site import set_up
from .answer import Server, served

DESK, PLAIN = "/staff/desk/", "/bare/plain"
LIVE = re.compile(r'hx-get="([^"]+)"')
SCRIPT = Path(__file__).parents[1] / "triage" / "desk" / "static" / "desk" / "desk.js"
PEOPLE, ANSWERS = 40, 8


def pace() -> float:
    """Return every how many seconds the page asks, as its script says."""
    found = re.search(r"const EVERY = (\d+);", SCRIPT.read_text())
    assert found is not None
    return int(found[1]) / 1000


@dataclass(frozen=True, slots=True)
class Run:
    """What so many seconds of asking came to. `spent`: the processor's seconds of the server."""

    requests: int
    seconds: float
    spent: float
    statuses: Counter[int]

    @property
    def of_a_core(self) -> float:
        return self.spent / self.seconds

    @property
    def each(self) -> float:
        return self.spent / self.requests


class Browser:
    """One that keeps its connection open, as browsers do."""

    def __init__(self, port: int, cookie: str) -> None:
        self.connection = HTTPConnection(HOST, port, timeout=10)
        self.headers = {"Cookie": cookie, "HX-Request": "true", "Accept-Encoding": "gzip"}

    def get(self, path: str) -> tuple[int, str]:
        try:
            return self._get(path)
        except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.connection.close()  # the server lets go of a connection that was long unused
            return self._get(path)

    def _get(self, path: str) -> tuple[int, str]:
        self.connection.request("GET", path, headers=self.headers)
        response = self.connection.getresponse()
        body = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return response.status, body.decode()


class Desk(Browser):
    """An open desk. It asks where its last answer told it to."""

    def __init__(self, port: int, cookie: str) -> None:
        super().__init__(port, cookie)
        self.address = DESK
        self.ask()

    def ask(self) -> int:
        status, body = self.get(self.address)
        if found := LIVE.search(body):
            self.address = unescape(found[1])
        return status


def _status(browser: Browser) -> int:
    return browser.get(PLAIN)[0]


def members(number: int) -> list[str]:
    """Return the cookies of so many receptionists, each signed in with a phone."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client
    from django_otp import DEVICE_ID_SESSION_KEY

    from triage.staff import signing_in
    from triage.staff.roles import set_up_groups

    reception = set_up_groups()["Reception"]
    cookies = []
    for place in range(number):
        user = User.objects.create(username=f"reception-{place}", is_staff=True)
        user.groups.add(reception)
        phone = signing_in.give_phone(user=user)
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        session = client.session
        session.update({DEVICE_ID_SESSION_KEY: phone.persistent_id, **signing_in.stamps()})
        session.save()
        cookies.append(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
    return cookies


def people() -> Callable[[], None]:
    """Fill a day's list, with nothing left to be seen; return what lets one more person begin."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from triage.handover.models import Alert
    from triage.kiosk.models import Terminal
    from triage.questionnaire import services
    from triage.questionnaire.models import Assessment

    from ._people import Said, interviews

    kiosk = Terminal.objects.create(
        place="waiting room", made_by=User.objects.earliest("pk"), made_at=timezone.now()
    )

    def begin(said: Sequence[Said]) -> None:
        now = timezone.now()
        _, assessment = services.start(
            on=services.live_release_here(),
            language="en-gb",
            voice=Assessment.Voice.TEXT,
            now=now,
            terminal=kiosk,
        )
        for place, one in enumerate(said):
            services.answer(
                assessment=assessment,
                number=place + 1,
                feature=one.feature,
                reply=one.reply,
                revision=place,
                confirmed=True,
                now=now,
            )

    for said in interviews(PEOPLE):
        begin(said[:ANSWERS])
    Alert.objects.update(acknowledged_at=timezone.now(), acknowledged_name="somebody")
    return lambda: begin(())


def asked(
    server: Server, asking: Sequence[Callable[[], int]], *, every: float, seconds: float
) -> Run:
    """Let all of them ask at their pace, one after another within it, for so long."""
    statuses: Counter[int] = Counter()
    failures: list[BaseException] = []
    lock = threading.Lock()
    began = time.monotonic()

    def keep_asking(place: int, ask: Callable[[], int]) -> None:
        try:
            for turn in count():
                due = began + every * (turn + place / len(asking))
                if due - began >= seconds:
                    return
                time.sleep(max(0.0, due - time.monotonic()))
                status = ask()
                with lock:
                    statuses[status] += 1
        except BaseException as failure:
            failures.append(failure)

    before = sum(map(worked, server.pids))
    threads = [
        threading.Thread(target=keep_asking, args=(place, ask)) for place, ask in enumerate(asking)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    took = time.monotonic() - began
    if failures:
        raise failures[0]
    return Run(statuses.total(), took, sum(map(worked, server.pids)) - before, statuses)


def beginning(begin: Callable[[], None], *, every: float, seconds: float) -> threading.Thread:
    """Let one more person begin at this pace meanwhile."""

    def keep_beginning() -> None:
        from django.db import connection

        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            begin()
            time.sleep(every)
        connection.close()

    thread = threading.Thread(target=keep_beginning)
    thread.start()
    return thread


def measured(desks: int, seconds: float, begins_every: float) -> Iterator[tuple[str, Run]]:
    """Yield what each way of asking came to, on one server."""
    cookies, begin, every = members(desks), people(), pace()
    with served() as server:
        plain = [Browser(server.port, cookie) for cookie in cookies]
        yield (
            "a plain view at the same pace",
            asked(
                server,
                [partial(_status, each) for each in plain],
                every=every,
                seconds=seconds,
            ),
        )
        open_desks = [Desk(server.port, cookie).ask for cookie in cookies]
        yield "nothing happens", asked(server, open_desks, every=every, seconds=seconds)
        meanwhile = beginning(begin, every=begins_every, seconds=seconds)
        yield (
            f"somebody begins every {begins_every:.3g} s",
            asked(server, open_desks, every=every, seconds=seconds),
        )
        meanwhile.join()


def figures(runs: dict[str, Run], desks: int) -> tuple[Table, list[Goal]]:
    (plain, quiet, _) = runs.values()
    rows = tuple(
        (
            name,
            str(run.requests),
            ", ".join(f"{number} of {status}" for status, number in sorted(run.statuses.items())),
            f"{100 * run.of_a_core:.2f} %",
            f"{1000 * run.each:.2f} ms",
            f"{run.each / plain.each:.2f}",
        )
        for name, run in runs.items()
    )
    head = ("", "polls", "answers", "of one core", "each", "of a plain view")
    table = Table(f"{desks} desks, a poll every {pace():.3g} s", head, rows)
    goals = [
        Goal(
            f"per cent of one core for {desks} open desks",
            100 * quiet.of_a_core,
            "at most",
            gate=5,
            stretch=2.5,
        ),
        Goal("a poll / a plain view", quiet.each / plain.each, "at most", gate=4, stretch=2),
    ]
    return table, goals


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench desk", description=__doc__)
    parser.add_argument("--desks", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60, help="of each way of asking")
    parser.add_argument("--begins-every", type=float, default=30, help="seconds")
    given: Any = parser.parse_args()
    print(f"# Open desks\n\n{__doc__}")
    if not sys.platform.startswith("linux"):
        print("\nNot measured: the processor's time of a server is read as Linux has it.")
        return
    with set_up("bench._settings"):
        runs = dict(measured(given.desks, given.seconds, given.begins_every))
    table, goals = figures(runs, given.desks)
    print(f"\n{table.markdown()}")
    print_goals("desk: bars", goals)


if __name__ == "__main__":
    main()
