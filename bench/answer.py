"""A real answer against the bare round trip and against a view that does nothing.

Real means: a reply of a simulated person to their own assessment, posted as htmx posts it, through
all the middleware, checked, thought about, kept on the disk, and answered with the next question.
The bare round trip is a session row, a SELECT of the earlier answers, an INSERT and a template of
the same size, behind the middleware of any Django project, without engine and content.
"""

import argparse
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from time import sleep
from typing import TYPE_CHECKING

from triage.evaluation.tables import Table

from ._bars import Goal, print_goals
from ._clock import by_two_clocks, in_words
from ._processes import worked
from ._requests import HOST, Application, Request, Response, send
from ._site import set_up

if TYPE_CHECKING:
    from ._people import Said

ROOT = Path(__file__).resolve().parent.parent
PLAIN = Request("/bare/plain")
BARE = "/bare/answer"
WITHOUT_LOCK = "/bare/answer-without-lock"

ANSWER = "a real answer"
ROUND_TRIP = "the bare round trip"
PLAIN_VIEW = "a plain view"

CLIENTS = 8
GROUP = 12
"""So many people answer in turn before others come: a round holds early and late answers alike."""


class Shape:
    """One kind of request, sent again and again in this process, each time the next of its list."""

    def __init__(self, application: Application, requests: Sequence[Request]) -> None:
        self.application = application
        self.environs = [request.environ() for request in requests]
        self.seen: list[Response] = []

    def __call__(self, turn: int) -> None:
        self.seen.append(send(self.application, self.environs[turn]))

    def check(self, name: str) -> None:
        failed = [response.status for response in self.seen if response.status != 200]
        if failed:
            raise SystemExit(f"{len(failed)} requests of “{name}” failed: {sorted(set(failed))}.")

    @property
    def size(self) -> float:
        return median(len(unpacked(response)) for response in self.seen)


def unpacked(response: Response) -> bytes:
    import gzip

    if response.headers.get("Content-Encoding") == "gzip":
        return gzip.decompress(response.body)
    return response.body


def in_process(people: int, rounds: int) -> None:
    """Print the cost of an answer without sockets."""
    from . import _serve
    from ._people import Said, bare_answers, interviews, kept, one_by_one, real_answers

    said = interviews(people)
    groups = [said[place : place + GROUP] for place in range(0, len(said), GROUP)]

    def drawn(make: Callable[[int, Sequence[Said]], list[Request]]) -> list[Request]:
        return [
            request
            for number, group in enumerate(groups)
            for request in one_by_one(
                [make(number * GROUP + i, one) for i, one in enumerate(group)]
            )
        ]

    real = drawn(lambda _, one: real_answers(one))
    shapes = {
        PLAIN_VIEW: Shape(_serve.bare_views, [PLAIN] * len(real)),
        ROUND_TRIP: Shape(
            _serve.bare_views, drawn(lambda i, one: bare_answers(one, f"locked-{i}", BARE))
        ),
        "the same, holding no lock": Shape(
            _serve.bare_views, drawn(lambda i, one: bare_answers(one, f"free-{i}", WITHOUT_LOCK))
        ),
        ANSWER: Shape(_serve.checker, real),
    }
    statements = most_statements(_serve.checker, real_answers(interviews(1, seed=2)[0]))
    before = kept()
    timings, processor = by_two_clocks(shapes, rounds=rounds, each=len(real) // rounds)
    for name, shape in shapes.items():
        shape.check(name)
    answers = len(shapes[ANSWER].seen)
    if kept() - before != answers:
        raise SystemExit(f"{answers} answers were timed, but {kept() - before} were kept.")
    rows = [
        (
            name,
            in_words(timings.seconds(name)),
            f"{timings.ratio(name, PLAIN_VIEW):.2f}",
            f"{timings.ratio(name, ROUND_TRIP):.2f}",
            in_words(processor.seconds(name)),
            f"{processor.ratio(name, ROUND_TRIP):.2f}",
            f"{shape.size:,.0f}",
        )
        for name, shape in shapes.items()
    ]
    head = (
        "shape",
        "one request",
        "of a plain view",
        "of the bare round trip",
        "processor alone",
        "of the bare round trip",
        "bytes of HTML",
    )
    title = f"In process: {answers} answers of {people} people, in turn"
    print(f"\n{Table(title, head, tuple(rows)).markdown()}")
    print_goals(
        "in process: bars",
        [
            Goal(
                "W1 a real answer / the bare round trip",
                timings.ratio(ANSWER, ROUND_TRIP),
                "at most",
                gate=1.3,
                stretch=1.1,
                note="the design asks for 0.75",
            ),
            Goal(
                "W1 processor alone",
                processor.ratio(ANSWER, ROUND_TRIP),
                "at most",
                gate=1.3,
                stretch=1.1,
                note="without waiting: for the disk, for whoever else uses this machine",
            ),
            Goal(
                "W3 a real answer / a plain view",
                timings.ratio(ANSWER, PLAIN_VIEW),
                "at most",
                gate=10,
                stretch=5,
            ),
            Goal(
                "W3 processor alone",
                processor.ratio(ANSWER, PLAIN_VIEW),
                "at most",
                gate=10,
                stretch=5,
            ),
            Goal("W9 SQL statements for an answer, the most", statements, "at most", gate=2),
        ],
    )


def most_statements(application: Application, requests: Sequence[Request]) -> int:
    """Return how many statements an answer takes, the most of one person's."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for request in requests:
        with CaptureQueriesContext(connection) as captured:
            send(application, request.environ())
        counts.append(len(captured))
    return max(counts)


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What wrk saw."""

    requests: int
    seconds: float
    failed: int
    p50: float
    p99: float
    worked: float
    """The processor's seconds of the server for one request."""

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


SCRIPT = """
local requests = {
%s
}
local count = -1 -- wrk tries this function once and sends nothing
request = function()
  count = count + 1
  if not %s and count >= #requests then wrk.thread:stop() end
  return requests[count == 0 and 1 or (count - 1) %% #requests + 1]
end
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '{"requests": %%d, "seconds": %%f, "failed": %%d, "p50": %%f, "p99": %%f}\\n',
    summary.requests, summary.duration / 1e6, failed,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
"""


def wrk(
    server: Server, requests: Sequence[Request], folder: Path, *, clients: int, seconds: int
) -> Run:
    """Send requests in their order from so many clients at once; a single one again and again."""
    script = folder / "requests.lua"
    lines = ",\n".join(json.dumps(as_text(request, server.port)) for request in requests)
    script.write_text(SCRIPT % (lines, "true" if len(requests) == 1 else "false"))
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script)]
    command.append(f"http://{HOST}:{server.port}/")
    before = sum(map(worked, server.pids))
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    seen = json.loads(said.splitlines()[-1])
    spent = sum(map(worked, server.pids)) - before
    return Run(**seen, worked=spent / seen["requests"])


def as_text(request: Request, port: int) -> str:
    headers = {
        "Host": f"{HOST}:{port}",
        **request.headers,
        **({"Content-Length": str(len(request.body))} if request.fields else {}),
    }
    head = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    return f"{request.method} {request.path} HTTP/1.1\r\n{head}\r\n{request.body.decode()}"


@contextmanager
def served(application: str = "bench._serve:application") -> Iterator[Server]:
    """Serve as gunicorn.conf.py says, to this computer only; the port is a free one."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}"]
    server = subprocess.Popen([*command, "--log-level", "warning", application], cwd=ROOT)
    try:
        for _ in range(300):
            with socket.socket() as client:
                if client.connect_ex((HOST, port)) == 0:
                    break
            sleep(0.1)
        yield Server(port, (server.pid,))
    finally:
        server.terminate()
        server.wait(timeout=60)


MOST_A_SECOND = 1500
"""More real answers than this in a second would run out of people."""


FEWEST = 1000
"""Among fewer people somebody's answer can overtake their last one, which a busy server holds."""


def enough_requests(
    shape: str, people: "Sequence[Sequence[Said]]", *, seconds: int
) -> list[Request]:
    """Start an assessment or a session for so many people that a run of it has enough to send."""
    from django.db import transaction

    from ._people import bare_answers, one_by_one, real_answers

    enough = MOST_A_SECOND * seconds
    drawn: list[list[Request]] = []
    with transaction.atomic():  # all of them in one wait for the disk
        while len(drawn) < FEWEST or sum(map(len, drawn)) < enough:
            said = people[len(drawn) % len(people)]
            drawn.append(
                real_answers(said)
                if shape == ANSWER
                else bare_answers(said, secrets.token_hex(8), WITHOUT_LOCK)
            )
    return list(islice(one_by_one(drawn), enough))


TURNS = [(PLAIN_VIEW, CLIENTS), (ROUND_TRIP, CLIENTS), *((ANSWER, n) for n in (1, CLIENTS, 64))]
"""What is sent in each round, and by how many clients at once."""


def over_gunicorn(folder: Path, people: int, rounds: int, seconds: int) -> None:
    """Print requests a second and latency, the shapes and the numbers of clients in turn."""
    from ._people import interviews, kept

    said = interviews(people)
    runs: dict[tuple[str, int], list[Run]] = {turn: [] for turn in TURNS}
    with served() as server:
        for number in range(rounds + 1):
            for name, clients in TURNS:
                requests = [PLAIN]
                if name != PLAIN_VIEW:
                    requests = enough_requests(name, said, seconds=seconds)
                before = kept()
                run = wrk(server, requests, folder, clients=clients, seconds=seconds)
                more = kept() - before - (run.requests - run.failed)  # still under way at the end
                if name == ANSWER and not 0 <= more <= run.failed + clients:
                    raise SystemExit(f"{run} came back, but {kept() - before} were kept.")
                if number:  # the first round only warms the workers up
                    runs[name, clients].append(run)
    plain, real = runs[PLAIN_VIEW, CLIENTS], runs[ANSWER, CLIENTS]
    alone, crowd = runs[ANSWER, 1], runs[ANSWER, 64]
    rows = [
        (
            name,
            str(clients),
            f"{median(run.rate for run in of):,.0f}",
            f"{share(of, plain):.2f}",
            in_words(median(run.p50 for run in of)),
            in_words(median(run.p99 for run in of)),
            in_words(median(run.worked for run in of)),
            str(sum(run.failed for run in of)),
        )
        for (name, clients), of in runs.items()
    ]
    title = f"gunicorn, runs of {seconds} s, median of {rounds} rounds"
    head = (
        "shape",
        "clients",
        "requests a second",
        "of a plain view",
        "p50",
        "p99",
        "processor",
        "failed",
    )
    print(f"\n{Table(title, head, tuple(rows)).markdown()}")
    print_goals(
        "gunicorn: bars",
        [
            Goal(
                "W4 requests a second, a real answer / a plain view",
                share(real, plain),
                "at least",
                gate=0.12,
                stretch=0.25,
            ),
            Goal(
                "W4 processor of the server, a plain view / a real answer",
                median(a.worked / b.worked for a, b in zip(plain, real, strict=True)),
                "at least",
                gate=0.12,
                stretch=0.25,
                note="the same, whatever else this machine does",
            ),
            Goal(
                "W5 requests a second, 8 clients / 1",
                share(real, alone),
                "at least",
                gate=1.5,
                stretch=1.8,
            ),
            Goal(
                "W6 p99 / p50 at 8 clients",
                median(run.p99 / run.p50 for run in real),
                "at most",
                gate=4,
                stretch=2,
            ),
            Goal(
                "W7 requests a second, 64 clients / 8",
                share(crowd, real),
                "at least",
                gate=0.9,
                stretch=1,
            ),
            Goal(
                "W7 failed answers",
                sum(run.failed for run in [*real, *alone, *crowd]),
                "at most",
                gate=0,
            ),
        ],
    )


def share(of: Sequence[Run], other: Sequence[Run]) -> float:
    return median(one.rate / another.rate for one, another in zip(of, other, strict=True))


def on_two_databases(rounds: int, seconds: int) -> None:
    """Print what an answer costs on PostgreSQL, where there is one."""
    from tests.postgres import NoPostgres

    from ._databases import times_as_dear

    try:
        dear, note = times_as_dear(rounds, seconds), "the server's and the database's processes"
    except NoPostgres as missing:
        dear, note = None, str(missing)
    goal = Goal(
        "W8 processor of an answer, PostgreSQL / SQLite",
        dear,
        "at most",
        gate=1.6,
        stretch=1.3,
        note=note,
    )
    print_goals("two databases: bars", [goal])


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench answer", description=__doc__)
    parser.add_argument("--people", type=int, default=72)
    parser.add_argument("--rounds", type=int, default=7, help="in process")
    parser.add_argument("--served-rounds", type=int, default=3, help="over gunicorn")
    parser.add_argument("--seconds", type=int, default=3, help="of each run over gunicorn")
    parser.add_argument(
        "--synchronous",
        choices=["FULL", "NORMAL"],
        default="FULL",
        help="FULL, as shipped: each write waits for the disk; NORMAL: none does, ours or bare",
    )
    given = parser.parse_args()
    os.environ["BENCH_SYNCHRONOUS"] = given.synchronous
    print(f"# The cost of an answer\n\n{__doc__}")
    print(f"SQLite writes with synchronous={given.synchronous}.")
    with set_up("bench._settings") as folder:
        in_process(given.people, given.rounds)
        if shutil.which("wrk") is None or not sys.platform.startswith("linux"):
            print("\nNot measured over gunicorn: that needs Linux and wrk (apt-get install wrk).")
            return
        over_gunicorn(folder, given.people, given.served_rounds, given.seconds)
        on_two_databases(given.served_rounds, given.seconds)


if __name__ == "__main__":
    main()
