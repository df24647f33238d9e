"""The processor's time of an answer on SQLite and on PostgreSQL, each with a gunicorn of its own.

As a program: serve on the database of DATABASE_URL, and for each line read take a run and print
the seconds that one answer took the server and the database. Needs Linux, wrk and PostgreSQL.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, urlsplit

from tests.postgres import cluster

from ._site import set_up
from .answer import ANSWER, CLIENTS, ROOT, Server, enough_requests, served, wrk


def times_as_dear(rounds: int, seconds: int) -> float:
    """Return how many times the processor's time of SQLite an answer takes on PostgreSQL.

    Raises NoPostgres.
    """
    with ExitStack() as both:
        address = both.enter_context(cluster())
        sqlite = both.enter_context(_measuring("", seconds))
        postgres = both.enter_context(_measuring(address, seconds))
        ratios = [postgres() / sqlite() for _ in range(rounds + 1)]
    return median(ratios[1:])  # the first round only warms up


@contextmanager
def _measuring(address: str, seconds: int) -> Iterator[Callable[[], float]]:
    """Yield what takes one run on this database: the processor's seconds of an answer."""
    command = [sys.executable, "-m", "bench._databases", str(seconds)]
    environment = {**os.environ, "DATABASE_URL": address}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin
        assert child.stdout
        told, said = child.stdin, child.stdout

        def measure() -> float:
            print("another run", file=told, flush=True)
            return float(said.readline())

        yield measure


def main() -> None:
    seconds, address = int(sys.argv[1]), os.environ["DATABASE_URL"]
    with set_up("bench._settings", address) as folder, served() as server:
        from ._people import interviews

        said = interviews(72)
        both = Server(server.port, (*server.pids, *_postmaster(address)))
        for _ in sys.stdin:
            requests = enough_requests(ANSWER, said, seconds=seconds)
            run = wrk(both, requests, folder, clients=CLIENTS, seconds=seconds)
            print(run.worked, flush=True)


def _postmaster(address: str) -> list[int]:
    """Return the process that all of a private PostgreSQL belongs to; none of SQLite."""
    if not address:
        return []
    (folder,) = parse_qs(urlsplit(address).query)["host"]
    return [int((Path(folder) / "data" / "postmaster.pid").read_text().splitlines()[0])]


if __name__ == "__main__":
    main()
