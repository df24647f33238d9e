import ast
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import dev

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in programs are shell scripts")


def program(path: Path, prints: str, code: int = 0) -> Path:
    """Write a stand-in for a program: it prints one thing and ends with `code`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout elsewhere, so that no test touches this one."""
    for name in (*dev.LEVELS, "uv"):
        (tmp_path / "requirements").mkdir(exist_ok=True)
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"# {name} 0\nthing==1\n")
    (tmp_path / "pyproject.toml").write_text('dependencies = [\n    "thing",\n]\n')
    for name, place in (("ROOT", "."), ("VENV", ".venv"), ("TOOLS", ".tools"), ("VAR", "var")):
        monkeypatch.setattr(dev, name, tmp_path / place)
    monkeypatch.setattr(dev, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have run; none does."""
    seen: list[list[str]] = []

    def call(arguments: Sequence[object], or_else: str = "", **environment: str) -> bool:
        seen.append([str(argument) for argument in arguments])
        return True

    def outcome_of(arguments: Sequence[object], **environment: str) -> tuple[bool, str]:
        return call(arguments), ""

    monkeypatch.setattr(dev, "call", call)
    monkeypatch.setattr(dev, "outcome_of", outcome_of)
    return seen


def lock(checkout: Path) -> None:
    for name in (*dev.LEVELS, "uv"):
        (checkout / "requirements" / f"{name}.txt").write_text(f"# {dev.made_from()}\nthing==1\n")


def test_the_launcher_starts_on_python_3_8_with_nothing_installed() -> None:
    tree = ast.parse(Path(dev.__file__).read_text(), feature_version=(3, 8))

    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


def test_no_shell_reads_a_command() -> None:
    tree = ast.parse(Path(dev.__file__).read_text())

    words = {
        word.arg for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords
    }
    assert "shell" not in words


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["--help"]) == 0

    text = capsys.readouterr().out
    for command in ("run", "test", "soak", "manage", "bench", "lighthouse", "lock"):
        assert f"dev.py {command}" in text


def test_help_of_a_command_does_not_run_it(
    calls: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.main(["run", "--help"]) == 0

    assert calls == []
    assert "127.0.0.1" in capsys.readouterr().out


def test_an_unknown_command_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["serve"]) == 1

    assert capsys.readouterr().err == (
        "dev.py: There is no command serve: see python3 dev.py --help.\n"
    )


def test_an_active_environment_and_pyenv_choice_do_not_leak_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("VIRTUAL_ENV", "PYENV_VERSION", "PYTHONPATH", "PYTHONHOME"):
        monkeypatch.setenv(name, "elsewhere")

    assert not {"VIRTUAL_ENV", "PYENV_VERSION", "PYTHONPATH", "PYTHONHOME"} & set(
        dev.clean(os.environ)
    )


def test_caches_and_downloads_stay_inside_the_checkout() -> None:
    environment = dev.clean({})

    for name in (
        "UV_CACHE_DIR",
        "UV_PYTHON_INSTALL_DIR",
        "PLAYWRIGHT_BROWSERS_PATH",
        "NPM_CONFIG_CACHE",
    ):
        assert Path(environment[name]).is_relative_to(dev.ROOT)


def test_a_python_that_pyenv_hides_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "shims" / "python3.13", "pyenv: not selected", code=127)
    hidden = program(tmp_path / "versions" / "3.13.0" / "bin" / "python", "3.13")
    monkeypatch.setenv("PATH", str(tmp_path / "shims"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(sys, "_base_executable", str(program(tmp_path / "old", "3.9")))

    assert dev.find_python() == str(hidden)


def test_a_python_that_is_too_old_or_too_new_is_not_taken(tmp_path: Path) -> None:
    for version in ("3.11", "3.15", "2.7"):
        assert not dev.fits(str(program(tmp_path / version, version)))
    for version in ("3.12", "3.13", "3.14"):
        assert dev.fits(str(program(tmp_path / version, version)))


def test_no_python_and_no_download_says_what_to_install(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(checkout)
    monkeypatch.setattr(dev, "find_python", lambda: "")
    monkeypatch.setattr(dev, "find_uv", lambda python: str(program(checkout / "uv", "", code=2)))

    with pytest.raises(dev.Stop, match=r"install one \(Debian: python3-venv"):
        dev.make_environment("run")


def test_a_uv_that_does_not_run_is_passed_over(
    checkout: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    program(checkout / "path" / "uv", "pyenv: uv not selected", code=127)
    own = program(checkout / ".tools" / "uv" / "bin" / "uv", "uv 1")
    monkeypatch.setenv("PATH", f"{checkout / 'path'}:/bin")

    assert dev.find_uv("python3") == str(own)
    assert calls == []


def test_without_uv_it_is_installed_as_pinned_into_the_checkout(
    checkout: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")

    dev.find_uv("python3")

    assert calls[0][:3] == ["python3", "-m", "venv"]
    assert "--require-hashes" in calls[1]
    assert str(checkout / ".tools") in calls[1][0]


def test_a_stale_lock_stops_everything(
    checkout: Path, calls: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.main(["manage", "check"]) == 1

    assert calls == []
    assert "run python3 dev.py lock" in capsys.readouterr().err


def test_a_new_dependency_makes_the_lock_stale(checkout: Path) -> None:
    lock(checkout)
    dev.check_lock()

    (checkout / "pyproject.toml").write_text('dependencies = [\n    "thing",\n    "other",\n]\n')

    with pytest.raises(dev.Stop, match="does not fit"):
        dev.check_lock()


def test_the_committed_lock_is_fresh_and_names_no_address() -> None:
    dev.check_lock()

    for path in (dev.ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert not any(
            sign in text for sign in ("://", "--index", "--extra", "--find-links", "file:", " /")
        )


def test_an_environment_that_is_up_to_date_is_left_alone(
    checkout: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(checkout)
    program(dev.PYTHON, "3.13")
    monkeypatch.setattr(dev, "find_uv", lambda python: "uv")
    dev.make_environment("test")
    assert [command[:3] for command in calls] == [["uv", "pip", "sync"]]
    calls.clear()

    dev.make_environment("test")
    dev.make_environment("run")

    assert calls == []


def test_a_changed_lock_is_installed_without_taking_the_test_tools_away(
    checkout: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(checkout)
    program(dev.PYTHON, "3.13")
    monkeypatch.setattr(dev, "find_uv", lambda python: "uv")
    dev.make_environment("test")
    path = checkout / "requirements" / "run.txt"
    path.write_text(path.read_text().replace("thing==1", "thing==2"))

    dev.make_environment("run")

    assert calls[-1][-1].endswith("test.txt")


def test_the_second_start_sets_nothing_up(checkout: Path, calls: list[list[str]]) -> None:
    (checkout / "fixtures").mkdir()
    fact = checkout / "fixtures" / "facts.jsonl"
    fact.write_text("{}")
    dev.set_up()
    (checkout / "var" / "triage.sqlite3").touch()
    dev.set_up()
    first = len(calls)
    assert first == 4

    dev.set_up()
    assert len(calls) == first

    fact.write_text('{"changed": true}')
    dev.set_up()
    assert len(calls) > first


def test_a_deleted_database_is_made_again(checkout: Path, calls: list[list[str]]) -> None:
    dev.set_up()
    (checkout / "var" / "triage.sqlite3").touch()
    (checkout / "var" / "triage.sqlite3").unlink()
    calls.clear()

    dev.set_up()

    assert [command[2] for command in calls] == [
        "catalogues",
        "migrate",
        "set_up_demonstration",
        "collectstatic",
    ]


def test_the_demonstration_key_is_made_once_and_is_nobody_elses(checkout: Path) -> None:
    dev.demonstration()
    key = checkout / "var" / "secret-key"
    first = key.read_text()

    dev.demonstration()

    assert key.read_text() == first
    assert len(first) > 50
    assert key.stat().st_mode & 0o077 == 0


def test_manage_makes_the_database_first_where_there_is_none(
    checkout: Path, calls: list[list[str]]
) -> None:
    lock(checkout)
    program(dev.PYTHON, "3.13")
    (checkout / ".venv" / "synced").write_text("run stale")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dev, "make_environment", lambda level: None)
        patch.delenv("DATABASE_URL", raising=False)
        dev.manage(["evaluate", "cases.jsonl"])

    assert [command[2] for command in calls] == [
        "catalogues",
        "migrate",
        "set_up_demonstration",
        "collectstatic",
        "evaluate",
    ]


@pytest.mark.parametrize("command", ["makemigrations", "migrate", "check"])
def test_manage_makes_no_database_for_a_command_that_needs_none(
    checkout: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(dev, "make_environment", lambda level: None)

    dev.manage([command, "--dry-run"])

    assert [call[2] for call in calls] == [command]


def test_a_taken_port_is_one_sentence(
    calls: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert dev.main(["run", "--port", str(port)]) == 1

    assert capsys.readouterr().err == (
        f"dev.py: Port {port} is taken or not allowed: choose another with --port.\n"
    )
    assert calls == []


def test_lighthouse_is_pinned_by_hashes_and_names_no_registry() -> None:
    lock = json.loads(
        (Path(dev.__file__).parent / "bench/lighthouse/package-lock.json").read_text()
    )
    own, *packages = lock["packages"].values()

    assert own["dependencies"] == {"lighthouse": "12.8.2"}
    assert len(packages) > 100
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not any("resolved" in package for package in packages)


def test_lighthouse_is_installed_once_and_runs_no_script_of_a_package(
    checkout: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("package.json", "package-lock.json"):
        (checkout / "bench" / "lighthouse").mkdir(parents=True, exist_ok=True)
        (checkout / "bench" / "lighthouse" / name).write_text("{}")
    for name in ("node", "npm"):
        program(checkout / "path" / name, "20")
    monkeypatch.setenv("PATH", f"{checkout / 'path'}:/bin")

    made = dev.make_lighthouse()
    made.parent.mkdir(parents=True)
    made.touch()
    dev.make_lighthouse()

    (install,) = calls
    assert install[1:3] == ["ci", "--prefix"]
    assert "--ignore-scripts" in install
    assert made.is_relative_to(checkout / ".tools")


def test_lighthouse_without_node_says_what_to_install(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("package.json", "package-lock.json"):
        (checkout / "bench" / "lighthouse").mkdir(parents=True, exist_ok=True)
        (checkout / "bench" / "lighthouse" / name).write_text("{}")
    monkeypatch.setenv("PATH", "")

    with pytest.raises(dev.Stop, match="apt install npm"):
        dev.make_lighthouse()


@pytest.mark.parametrize(
    "arguments", [["--port"], ["--port", "x"], ["--host", "0.0.0.0"], ["9000"]]
)
def test_run_takes_nothing_but_a_port(
    arguments: list[str], calls: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.main(["run", *arguments]) == 1

    assert "takes nothing but --port" in capsys.readouterr().err


def test_every_check_that_fails_is_named_and_the_others_still_run(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def call(arguments: Sequence[object], or_else: str = "", **environment: str) -> bool:
        ran.append(" ".join(map(str, arguments)))
        return not {"mypy", "pytest"} & {Path(word).name for word in ran[-1].split()}

    def outcome_of(arguments: Sequence[object], **environment: str) -> tuple[bool, str]:
        words = " ".join(map(str, arguments))  # not the last of `ran`: two run at a time
        ran.append(words)
        return "mypy" not in words, "what it said"

    monkeypatch.setattr(dev, "call", call)
    monkeypatch.setattr(dev, "outcome_of", outcome_of)
    monkeypatch.setattr(dev, "make_environment", lambda level: None)

    assert dev.main(["test", "--quick"]) == 1

    shown = capsys.readouterr()
    assert "Not passed: types, tests on SQLite." in shown.err
    assert "what it said" in shown.out
    told = " ".join(ran)
    for part in ("ruff format --check", "ruff check", "lint-imports", "djade", "makemigrations"):
        assert part in told
    assert "--deploy --fail-level WARNING" in told
    assert "postgres" not in told


def test_browser_tests_that_did_not_run_fail_in_ci_only(
    checkout: Path,
    calls: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(dev, "make_environment", lambda level: None)
    monkeypatch.setattr(dev, "find_chromium", lambda: "")
    monkeypatch.delenv("CI", raising=False)
    assert dev.main(["test"]) == 0
    assert "DID NOT RUN" in capsys.readouterr().out

    monkeypatch.setenv("CI", "true")
    assert dev.main(["test"]) == 1


def test_everything_runs_again_on_postgres_but_the_browser(
    checkout: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "make_environment", lambda level: None)
    monkeypatch.setattr(dev, "find_chromium", lambda: "chromium")

    dev.main(["test"])

    assert calls[-1][1:3] == ["-m", "tests.postgres"]
    assert calls[-1][-1] == "database and not browser and not sqlite"


def test_nothing_is_written_outside_the_checkout(tmp_path: Path) -> None:
    """The parts that run without a network, in a home that must stay empty."""
    home = tmp_path / "home"
    home.mkdir()

    subprocess.run(
        [sys.executable, "-B", dev.__file__, "bench", "nothing-of-this-name"],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )

    assert list(home.iterdir()) == []


def test_every_import_layer_of_the_design_is_watched() -> None:
    """A package under triage that is no layer fails the contract: `exhaustive` says so."""
    text = (dev.ROOT / "pyproject.toml").read_text()

    assert "exhaustive = true" in text
