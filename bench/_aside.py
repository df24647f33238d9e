"""Work in a forked process: it may take too long or too much memory without harm, and shows what a
further worker of a server would need for itself."""

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any

FORK = multiprocessing.get_context("fork")


def aside[T](work: Callable[[], Iterator[T]], *, seconds: float) -> list[T]:
    """Return what a forked process found of `work` within so many seconds; all if it was done."""
    gc.freeze()  # or the first collection of the child would copy every page of ours
    receiving, sending = FORK.Pipe(duplex=False)
    child = FORK.Process(target=_send_all, args=(work, sending), daemon=False)
    child.start()
    sending.close()
    found: list[T] = []
    deadline = monotonic() + seconds
    try:
        while receiving.poll(max(0.0, deadline - monotonic())):
            found.append(receiving.recv())
    except EOFError:
        pass
    finally:
        _end(child)
        gc.unfreeze()
    return found


def _send_all(work: Callable[[], Iterator[Any]], sending: Connection) -> None:
    os.setpgid(0, 0)  # so that its own children end with it
    for found in work():
        sending.send(found)
    sending.close()


def _end(child: multiprocessing.process.BaseProcess) -> None:
    if child.is_alive():
        assert child.pid
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            child.kill()
    child.join()


def resident() -> float:
    """Return the memory that this process has in use, in megabytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def its_own() -> float:
    """Return the memory that this process shares with no other, in megabytes (Linux)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    sizes = (int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return sum(sizes) / 1e3
