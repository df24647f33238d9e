"""A real answer against the bare round trip and against a view that does nothing.

Real means: a reply of a simulated person to their own assessment, posted as htmx posts it, through
all the middleware, checked, thought about, kept on the disk, and answered with the next question.
The bare round trip is a session row, a SELECT of the earlier answers, an INSERT and a template of
the same size, behind the middleware of any Django project, without engine and content.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import sleep

from triage.evaluation.tables import Table

from ._bars import Bar, print_bars
from ._clock import by_two_clocks, in_words
from ._requests import HOST, Application, Request, Response, send
from ._site import set_up

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
    print_bars(
        "in process: bars",
        [
            Bar(
                "a real answer / the bare round trip",
                timings.ratio(ANSWER, ROUND_TRIP),
                "at most",
                0.75,
            ),
            Bar(
                "the same, processor alone",
                processor.ratio(ANSWER, ROUND_TRIP),
                "at most",
                0.75,
            ),
            Bar(
                "a real answer / a plain view",
                timings.ratio(ANSWER, PLAIN_VIEW),
                "at most",
                5,
            ),
            Bar("SQL statements for an answer, the most", statements, "at most", 2),
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
class Run:
    """What wrk saw."""

    requests: int
    seconds: float
    failed: int
    p50: float
    p99: float

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


def wrk(port: int, requests: Sequence[Request], folder: Path, *, seconds: int, again: bool) -> Run:
    """Send requests in their order from eight clients at once; `again` from the start at the end."""
    script = folder / "requests.lua"
    lines = ",\n".join(json.dumps(as_text(request, port)) for request in requests)
    script.write_text(SCRIPT % (lines, "true" if again else "false"))
    command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script)]
    said = subprocess.run(
        [*command, f"http://{HOST}:{port}/"], capture_output=True, check=True, text=True
    ).stdout
    return Run(**json.loads(said.splitlines()[-1]))


def as_text(request: Request, port: int) -> str:
    headers = {
        "Host": f"{HOST}:{port}",
        **request.headers,
        **({"Content-Length": str(len(request.body))} if request.fields else {}),
    }
    head = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    return f"{request.method} {request.path} HTTP/1.1\r\n{head}\r\n{request.body.decode()}"


@contextmanager
def served() -> Iterator[int]:
    """Serve as gunicorn.conf.py says, to this computer only; the port is a free one."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}"]
    server = subprocess.Popen(
        [*command, "--log-level", "warning", "bench._serve:application"], cwd=ROOT
    )
    try:
        for _ in range(300):
            with socket.socket() as client:
                if client.connect_ex((HOST, port)) == 0:
                    break
            sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=60)


def over_gunicorn(folder: Path, people: int, rounds: int, seconds: int) -> None:
    """Print requests a second and latency at eight clients, the shapes in turn."""
    from ._people import Said, bare_answers, interviews, kept, one_by_one, real_answers

    said = interviews(people)
    enough = MOST_A_SECOND * seconds

    def enough_of(make: Callable[[int, Sequence[Said]], list[Request]]) -> list[Request]:
        drawn: list[list[Request]] = []
        while sum(map(len, drawn)) < enough:
            drawn.append(make(len(drawn), said[len(drawn) % len(said)]))
        return list(one_by_one(drawn))

    def sessions(number: int) -> Callable[[int, Sequence[Said]], list[Request]]:
        return lambda i, one: bare_answers(one, f"served-{number}-{i}", WITHOUT_LOCK)

    runs: dict[str, list[Run]] = {
        PLAIN_VIEW: [],
        ROUND_TRIP: [],
        ANSWER: [],
    }
    with served() as port:
        for number in range(rounds + 1):
            lists = {
                PLAIN_VIEW: [PLAIN],
                ROUND_TRIP: enough_of(sessions(number)),
                ANSWER: enough_of(lambda _, one: real_answers(one)),
            }
            for name, requests in lists.items():
                before = kept()
                run = wrk(port, requests, folder, seconds=seconds, again=len(requests) == 1)
                if name == ANSWER and not 0 <= kept() - before - run.requests <= CLIENTS:
                    raise SystemExit(
                        f"{run.requests} answers came back, but {kept() - before} were kept."
                    )
                if number:  # the first round only warms the workers up
                    runs[name].append(run)
    plain, real = runs[PLAIN_VIEW], runs[ANSWER]
    rows = [
        (
            name,
            f"{median(run.rate for run in of):,.0f}",
            f"{share(of, plain):.2f}",
            in_words(median(run.p50 for run in of)),
            in_words(median(run.p99 for run in of)),
            str(sum(run.failed for run in of)),
        )
        for name, of in runs.items()
    ]
    title = f"gunicorn, {CLIENTS} clients, runs of {seconds} s, median of {rounds} rounds"
    head = ("shape", "requests a second", "of a plain view", "p50", "p99", "failed")
    print(f"\n{Table(title, head, tuple(rows)).markdown()}")
    print_bars(
        "gunicorn: bars",
        [
            Bar(
                "requests a second, a real answer / a plain view",
                share(real, plain),
                "at least",
                0.25,
            ),
            Bar("a real answer, p99 / p50", median(r.p99 / r.p50 for r in real), "at most", 4),
            Bar("failed answers", sum(run.failed for run in real), "at most", 0),
        ],
    )


MOST_A_SECOND = 1500
"""More real answers than this in a second would run out of people."""


def share(of: Sequence[Run], plain: Sequence[Run]) -> float:
    return median(one.rate / other.rate for one, other in zip(of, plain, strict=True))


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
        if shutil.which("wrk") is None or os.name == "nt":
            print("\nNot measured over gunicorn: that needs wrk (on Debian: apt-get install wrk).")
            return
        over_gunicorn(folder, given.people, given.served_rounds, given.seconds)


if __name__ == "__main__":
    main()
