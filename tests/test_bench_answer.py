"""What the cost of an answer is measured with."""

import os
import subprocess
import sys

import pytest

from bench._processes import worked

WORK = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")
def test_what_a_process_started_counts_while_it_lives_and_when_it_is_gone() -> None:
    before = worked(os.getpid())

    with subprocess.Popen(
        [sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout
        started.stdout.readline()
        living = worked(os.getpid()) - before
        started.communicate(b"\n")

    assert living > 0.28  # the kernel's clock ticks each 0.01 s
    assert worked(os.getpid()) - before >= living
