#!/usr/bin/env python3
"""Run and test the checker on a machine that has nothing but Python 3.8 or newer, and git.

  dev.py run [--port N]       set everything up and serve it on 127.0.0.1, to this computer only
  dev.py test [--quick]       every check and every test; --quick: no browser, no PostgreSQL, and
                              sweeps of 200 cases instead of 2,000
  dev.py test PYTEST-ARGS     only these tests, on SQLite
  dev.py soak                 the long sweeps: 20,000 cases each, and every page in each language
  dev.py manage COMMAND ...   a management command, as manage.py takes it
  dev.py bench NAME ...       a benchmark, with the tools it compares us with
  dev.py lighthouse           the quality of the pages on a slow phone; needs Node, brings 185 MB
  dev.py lock                 pin the requirements anew after a change of pyproject.toml

It writes into this folder only: .venv, .tools and var, which can be deleted at any time.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Iterator, Mapping, NoReturn, Sequence

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
VAR = ROOT / "var"
WINDOWS = os.name == "nt"
BIN = "Scripts" if WINDOWS else "bin"
PYTHON = VENV / BIN / ("python.exe" if WINDOWS else "python")
VERSIONS = ("3.13", "3.12", "3.14")  # the one we develop on first
LEVELS = ("run", "test", "bench")  # each set of requirements holds the ones before it
WITHOUT_DATABASE = {
    "catalogues",
    "check",
    "collectstatic",
    "help",
    "makemigrations",
    "migrate",
    "--help",
}


class Stop(Exception):
    """What went wrong and what to do, in one sentence."""


# The environment


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for our tools: no other Python leaks in, nothing is written outside."""
    foreign = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYENV_VERSION", "PYTHONHOME", "PYTHONPATH")
    return {
        **{name: value for name, value in environment.items() if name not in foreign},
        "UV_CACHE_DIR": str(TOOLS / "cache"),
        "UV_PYTHON_INSTALL_DIR": str(TOOLS / "python"),
        "PIP_NO_CACHE_DIR": "1",
        "PLAYWRIGHT_BROWSERS_PATH": str(TOOLS / "browsers"),
        "NPM_CONFIG_CACHE": str(TOOLS / "npm"),
    }


def call(arguments: Sequence[object], or_else: str = "", **environment: str) -> bool:
    """Run a program in the checkout; where it fails, stop with `or_else`, or return False."""
    command = [str(argument) for argument in arguments]
    try:
        code = subprocess.call(command, cwd=ROOT, env={**clean(os.environ), **environment})
    except OSError:
        code = 127
    if code and or_else:
        raise Stop(or_else)
    return code == 0


def outcome_of(arguments: Sequence[object], **environment: str) -> tuple[bool, str]:
    """Run a program in the checkout; return whether it succeeded, and all that it said."""
    command = [str(argument) for argument in arguments]
    surroundings = {**clean(os.environ), **environment}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except OSError as error:
        return False, f"{error}\n"
    return done.returncode == 0, done.stdout


def answer_of(arguments: Sequence[object]) -> str:
    """Return what a program prints, or nothing where it is missing, hangs or fails."""
    try:
        return subprocess.run(
            [str(argument) for argument in arguments],
            env=clean(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=True,
        ).stdout.decode()
    except (OSError, subprocess.SubprocessError):
        return ""


def say(what: str) -> None:
    print(f"- {what}", flush=True)


def fits(python: str) -> bool:
    # A launcher of pyenv's exists for each version and fails unless it is selected: only trying tells.
    code = "import sys, ssl, sqlite3; print('%d.%d' % sys.version_info[:2])"
    return answer_of([python, "-I", "-c", code]).strip() in VERSIONS


def pythons() -> Iterator[str]:
    """Yield where a Python may be, likeliest first; most of these do not exist."""
    yield getattr(sys, "_base_executable", sys.executable)
    homes = [
        os.environ.get("PYENV_ROOT", "~/.pyenv") + "/versions/{}*/bin/python",
        os.environ.get("ASDF_DATA_DIR", "~/.asdf") + "/installs/python/{}*/bin/python",
        os.environ.get("MISE_DATA_DIR", "~/.local/share/mise") + "/installs/python/{}*/bin/python",
        "~/.local/share/uv/python/cpython-{}*/bin/python",
        "/opt/homebrew/bin/python{}",
        "/usr/local/bin/python{}",
        "/Library/Frameworks/Python.framework/Versions/{}/bin/python3",
    ]
    for version in VERSIONS:
        yield shutil.which("python" + version) or ""
        for home in homes:
            yield from sorted(glob.glob(os.path.expanduser(home.format(version))), reverse=True)
        tag = version.replace(".", "")
        yield os.path.expandvars(rf"%LOCALAPPDATA%\Programs\Python\Python{tag}\python.exe")


def find_python() -> str:
    return next((python for python in pythons() if python and fits(python)), "")


def find_uv(python: str) -> str:
    """Return a uv that runs: the one on PATH, else our own, got with pip."""
    own = TOOLS / "uv"
    program = own / BIN / ("uv.exe" if WINDOWS else "uv")
    for candidate in (shutil.which("uv"), str(program)):
        if candidate and answer_of([candidate, "--version"]):
            return candidate
    say("getting uv")
    pip = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements/uv.txt"]
    if call([python, "-m", "venv", "--clear", own]) and call([own / BIN / "python", *pip]):
        return str(program)
    call(
        [python, *pip, "--target", own],
        "uv could not be installed: see to it that this computer reaches PyPI or a mirror and that"
        " Python has pip (on Debian: apt install python3-venv), then run this again.",
    )
    return str(program)


def made_from() -> str:
    """Return the fingerprint of what the requirement files are made from."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    inputs = re.findall(
        r"^(?:requires-python|dependencies|test|bench|uv) = (?:\[.*?\]$|.*?$)", text, re.M | re.S
    )
    return hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]


def requirements(level: str) -> Path:
    return ROOT / "requirements" / f"{level}.txt"


def check_lock() -> None:
    for level in (*LEVELS, "uv"):
        if made_from() not in requirements(level).read_text("utf-8").partition("\n")[0]:
            raise Stop(
                f"requirements/{level}.txt does not fit pyproject.toml: run python3 dev.py lock."
            )


def make_environment(level: str) -> None:
    """Make .venv hold what `level` needs, exactly as pinned."""
    check_lock()
    pinned = "".join(requirements(each).read_text("utf-8") for each in LEVELS)
    fingerprint = hashlib.sha256(pinned.encode()).hexdigest()
    stamp = VENV / "synced"
    held, _, made = stamp.read_text().partition(" ") if stamp.exists() else ("run", "", "")
    usable = fits(str(PYTHON))
    if usable and made == fingerprint and LEVELS.index(held) >= LEVELS.index(level):
        return
    python = "" if usable else find_python()
    uv = find_uv(python or sys.executable)
    if not usable:
        say("making .venv")
        call(
            [uv, "venv", "--quiet", "--clear", "--python", python or VERSIONS[0], VENV],
            "No Python 3.12, 3.13 or 3.14 was found and none could be downloaded: install one"
            " (Debian: python3-venv, macOS: brew install python@3.13) and run this again.",
        )
        held = "run"
    level = max(level, held, key=LEVELS.index)
    say(f"installing what requirements/{level}.txt pins")
    stamp.unlink() if stamp.exists() else None
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode"]
    call(
        [*sync, "--python", PYTHON, requirements(level)],
        "The pinned packages could not be installed: see to it that this computer reaches PyPI or"
        " a mirror of it (UV_DEFAULT_INDEX), then run this again.",
    )
    stamp.write_text(f"{level} {fingerprint}")


# The demonstration


def demonstration() -> dict[str, str]:
    """Return the settings of a checker that only this computer can reach."""
    key = VAR / "secret-key"
    if not key.exists():
        VAR.mkdir(exist_ok=True)
        key.touch(0o600)
        key.write_text(secrets.token_urlsafe(50))
    return {"DEBUG_HTTP": "1", "SECRET_KEY_FILE": str(key)}


def contents() -> str:
    """Return the fingerprint of all that the demonstration's database and static files come from."""
    digest = hashlib.sha256()
    for folder in ("fixtures", "locale", "static", "triage", "requirements"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".pyc", ".mo"):
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def set_up() -> None:
    """Bring database, content and static files up to date; change nothing where they are."""
    stamp = VAR / "set-up"
    fingerprint = contents()
    made_here = "DATABASE_URL" not in os.environ and (VAR / "triage.sqlite3").exists()
    if made_here and stamp.exists() and stamp.read_text() == fingerprint:
        return
    say("setting up database, content and demonstration users")
    commands = (
        ["catalogues", "--compile"],
        ["migrate"],
        ["set_up_demonstration"],
        ["collectstatic", "--no-input"],
    )
    for command in commands:
        quiet = [] if command[0] == "set_up_demonstration" else ["--verbosity", "0"]
        call(
            [PYTHON, "manage.py", *command, *quiet],
            f"manage.py {command[0]} failed, for the reason above: mend it, or start anew by"
            " deleting the folder var.",
            **demonstration(),
        )
    stamp.write_text(fingerprint)


def run(arguments: Sequence[str]) -> NoReturn:
    match = re.fullmatch(r"(?:--port[ =](\d{1,5}))?", " ".join(arguments))
    if not match:
        raise Stop("dev.py run takes nothing but --port N.")
    port = int(match.group(1) or 8000)
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0 if WINDOWS else 1)
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise Stop(
                f"Port {port} is taken or not allowed: choose another with --port."
            ) from None
    make_environment("run")
    set_up()
    say(f"serving on http://127.0.0.1:{port}/; stop with Ctrl+C")
    say("staff: /staff/ as demo-author or demo-approver, with the password said when it was set up")
    say(
        "  (another: dev.py manage changepassword NAME) and a code: dev.py manage one_time_code NAME"
    )
    address = f"127.0.0.1:{port}"
    if WINDOWS:  # gunicorn needs fork()
        served = call([PYTHON, "manage.py", "runserver", "--noreload", address], **demonstration())
        raise SystemExit(0 if served else 1)
    os.chdir(ROOT)
    os.execve(
        PYTHON,
        [str(PYTHON), "-m", "gunicorn", "--bind", address, "triage.wsgi"],
        {**clean(os.environ), **demonstration()},
    )


def manage(arguments: Sequence[str]) -> bool:
    make_environment("run")
    made = "DATABASE_URL" in os.environ or (VAR / "triage.sqlite3").exists()
    if arguments and arguments[0] not in WITHOUT_DATABASE and not made:
        set_up()
    return call([PYTHON, "manage.py", *arguments], **demonstration())


def bench(arguments: Sequence[str]) -> bool:
    names = sorted(
        path.stem for path in (ROOT / "bench").glob("*.py") if not path.stem.startswith("_")
    )
    if not arguments or arguments[0] not in names:
        raise Stop(f"Name the benchmark to run: {', '.join(names) or 'there is none yet'}.")
    make_environment("bench")
    return call([PYTHON, "-m", f"bench.{arguments[0]}", *arguments[1:]], **demonstration())


def lock() -> bool:
    uv = find_uv(find_python() or sys.executable)
    sources = {
        "run": ["pyproject.toml"],
        "test": ["pyproject.toml", "--group=test"],
        "bench": ["pyproject.toml", "--group=test", "--group=bench"],
        "uv": ["--group=uv"],
    }
    for level, source in sources.items():
        path = requirements(level)
        command = [uv, "pip", "compile", *source, "--output-file", path, "--quiet", "--universal"]
        command += ["--python-version", "3.12", "--generate-hashes", "--no-header"]
        command += ["--no-emit-index-url"]  # no address of ours in it: any mirror serves
        call(command, "uv could not pin the requirements, for the reason above.")
        made = f"# Made by dev.py lock from pyproject.toml {made_from()}\n"
        path.write_text(made + path.read_text("utf-8"), "utf-8")
    return True


# The tests


def find_chromium() -> str:
    """Return a Chromium that starts, installing one where we may."""
    names = ("chromium", "chromium-browser", "google-chrome")

    def on_path() -> str:
        found = (shutil.which(name) or "" for name in names)
        return next((path for path in found if path and answer_of([path, "--version"])), "")

    if on_path():
        return on_path()
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        say("installing chromium with apt-get")
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        if call(install, **quiet) or (call(["apt-get", "update"]) and call(install, **quiet)):
            return on_path()
    say("installing Playwright's own Chromium")
    call([PYTHON, "-m", "playwright", "install", "chromium"])
    code = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as p: print(p.chromium.executable_path)"
    )
    path = answer_of([PYTHON, "-c", code]).strip()
    return path if path and answer_of([path, "--version"]) else ""


def checks() -> Iterator[tuple[str, Sequence[object], dict[str, str]]]:
    """Yield every check that is no test: its name, its command, its environment."""
    production = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "checker.example",
        "OPERATOR": "A clinic",
        "COMPLAINTS": "complaints@checker.example",
        "SQLITE_WAL_RISK_ACCEPTED": "1",  # what is checked is our settings, not this machine
    }
    tool = VENV / BIN
    templates = sorted((ROOT / "templates").rglob("*.html"))
    yield "format", [tool / "ruff", "format", "--check", "--quiet", "."], {}
    yield "lint", [tool / "ruff", "check", "--quiet", "."], {}
    yield "types", [tool / "mypy", "--no-error-summary"], {}
    yield "imports", [tool / "lint-imports", "--no-cache", "--no-logo"], {}
    yield "templates", [tool / "djade", "--check", *templates], {}
    migrations = [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"]
    yield "migrations", migrations, {"DEBUG_HTTP": "1"}
    deploy = [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    yield "deployment", deploy, production


def test(arguments: Sequence[str]) -> bool:
    make_environment("test")
    quick = "--quick" in arguments
    only = [argument for argument in arguments if argument != "--quick"]
    pytest = [PYTHON, "-m", "pytest", "--quiet"]
    failed = []
    if not only:
        with ThreadPoolExecutor(2) as two_at_a_time:
            running = [
                (name, two_at_a_time.submit(outcome_of, command, **environment))
                for name, command, environment in checks()
            ]
            for name, check in running:
                passed, said = check.result()
                say(name)
                print(said, end="", flush=True)
                if not passed:
                    failed.append(name)
        pytest += ["-n", "2", "--dist", "loadgroup"]
    chromium = "" if quick else find_chromium()
    say("tests on SQLite")
    here = [] if chromium else ["-m", "not browser"]
    sweep = os.environ.get("SWEEP", "200" if quick else "2000")
    if not call([*pytest, *here, *only], CHROMIUM=chromium, SWEEP=sweep):
        failed.append("tests on SQLite")
    if not quick and not only:
        say("tests on PostgreSQL")
        there = [*pytest, "-m", "database and not browser and not sqlite"]
        # What sweeps draw more of hangs on no database.
        if not call([PYTHON, "-m", "tests.postgres", *there], SWEEP="200"):
            failed.append("tests on PostgreSQL")
    if not quick and not chromium:
        say("NO Chromium could be found or installed, so the browser tests DID NOT RUN")
        if os.environ.get("CI"):
            failed.append("browser tests")
    if failed:
        raise Stop(f"Not passed: {', '.join(failed)}.")
    say("all passed")
    return True


def soak(arguments: Sequence[str]) -> bool:
    make_environment("test")
    return call(
        [PYTHON, "-m", "pytest", "-n", "2", "-m", "sweeps or soak", *arguments], SWEEP="20000"
    )


def make_lighthouse() -> Path:
    """Install Lighthouse exactly as pinned, running nobody's install script; return its program."""
    home = TOOLS / "lighthouse"
    program = home / "node_modules" / "lighthouse" / "cli" / "index.js"
    pinned = {
        name: (ROOT / "bench" / "lighthouse" / name).read_text("utf-8")
        for name in ("package.json", "package-lock.json")
    }
    stamp = home / "synced"
    fingerprint = hashlib.sha256("".join(pinned.values()).encode()).hexdigest()
    if program.exists() and stamp.exists() and stamp.read_text() == fingerprint:
        return program
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        raise Stop("Lighthouse needs Node 18.20 or newer and npm (on Debian: apt install npm).")
    say("installing what bench/lighthouse/package-lock.json pins")
    home.mkdir(parents=True, exist_ok=True)
    stamp.unlink() if stamp.exists() else None
    for name, text in pinned.items():
        (home / name).write_text(text, "utf-8")
    install = [npm, "ci", "--prefix", home, "--ignore-scripts", "--no-audit", "--no-fund"]
    call(
        [*install, "--loglevel", "error"],
        "Lighthouse could not be installed: see to it that this computer reaches npm's registry or"
        " a mirror of it (npm config set registry), then run this again.",
    )
    stamp.write_text(fingerprint)
    return program


def lighthouse(arguments: Sequence[str]) -> bool:
    make_environment("test")
    chromium = find_chromium()
    if not chromium:
        raise Stop("Lighthouse needs a Chromium, and none could be found or installed.")
    paths = {"CHROMIUM": chromium, "LIGHTHOUSE": str(make_lighthouse())}
    return call([PYTHON, "-m", "bench.lighthouse", *arguments], **demonstration(), **paths)


def main(arguments: Sequence[str]) -> int:
    commands: dict[str, Callable[[Sequence[str]], bool]] = {
        "run": run,
        "test": test,
        "soak": soak,
        "manage": manage,
        "bench": bench,
        "lighthouse": lighthouse,
        "lock": lambda _: lock(),
    }
    name, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if name in ("-h", "--help") or (rest[:1] in (["-h"], ["--help"]) and name != "manage"):
        print(__doc__)
        return 0
    try:
        if sys.version_info < (3, 8):
            raise Stop("dev.py needs Python 3.8 or newer to start.")
        if name not in commands:
            raise Stop(f"There is no command {name}: see python3 dev.py --help.")
        return 0 if commands[name](rest) else 1
    except Stop as stop:
        print(f"dev.py: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
