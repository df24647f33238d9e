"""Run a command against a PostgreSQL of its own: `python -m tests.postgres pytest ...`.

A private cluster in a temporary folder, reached through a socket in it, gone when the command
ends. PostgreSQL refuses to run as root, so root hands the cluster to the user `postgres`.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoPostgres(Exception):
    pass


def programs() -> Path:
    """Return the folder of the newest PostgreSQL here, 15 or later."""
    debian = sorted(
        (path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()),
        key=lambda path: int(path.parent.name),
        reverse=True,
    )
    on_path = shutil.which("initdb")
    for folder in [*debian, *([Path(on_path).resolve().parent] if on_path else [])]:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise NoPostgres("PostgreSQL is not installed (on Debian: apt-get install postgresql)")


def owner() -> str | None:
    """Return the user to run PostgreSQL as: None for the one we are."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def cluster() -> Iterator[str]:
    """Yield the address of a fresh, empty cluster."""
    folder = Path(tempfile.mkdtemp(prefix="triage-pg-"))
    user = owner()
    if user:
        shutil.chown(folder, user)
    binaries, place = programs(), folder / "data"
    options = ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=50"]
    server: subprocess.Popen[bytes] | None = None
    try:
        subprocess.run(
            [binaries / "initdb", "-D", place, "-U", "triage", "-A", "trust", "-E", "UTF8", "-N"],
            cwd=folder, user=user, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        start: list[Path | str] = [binaries / "postgres", "-D", place, "-k", folder]
        start += [part for option in options for part in ("-c", option)]
        server = subprocess.Popen(
            start, cwd=folder, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ready: list[Path | str] = [binaries / "pg_isready", "--quiet", "-h", folder]
        for _ in range(300):
            if subprocess.run(ready, check=False).returncode == 0:
                break
            time.sleep(0.1)
        else:
            raise NoPostgres("PostgreSQL did not start within 30 s")
        yield f"postgresql://triage@/postgres?host={folder}"
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)  # a fast shutdown: connections are cut
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def main(command: list[str]) -> int:
    try:
        with cluster() as address:
            return subprocess.call(command, env={**os.environ, "DATABASE_URL": address})
    except NoPostgres as missing:
        sys.stderr.write(f"{missing}, so the tests on PostgreSQL DID NOT RUN\n")
        return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
