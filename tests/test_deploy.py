"""What a clinic copies: the launch script, the units, the policy, the proxy, and the guide to them."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.conf import settings

from .conftest import did_not_run

ROOT = Path(settings.BASE_DIR)
DEPLOY = ROOT / "deploy"
SCRIPT = DEPLOY / "kiosk" / "kiosk.sh"
GUIDE = (ROOT / "docs" / "clinic.md").read_text(encoding="utf-8")
IN_MEMORY = Path("/dev/shm")


def text(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def values(*parts: str) -> dict[str, str]:
    """Return what a file of settings sets."""
    lines = text(*parts).splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))


def block(source: str, name: str) -> str:
    """Return a service of compose.yaml with all that is indented below it."""
    found = re.search(rf"^  {name}:.*\n((?:    .*\n|\n)+)", source, re.MULTILINE)
    assert found, f"there is no {name}"
    return found[1]


# The guide says what is there


def test_the_guide_explains_each_flag_of_the_launch_script() -> None:
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", SCRIPT.read_text(encoding="utf-8")))
    of_other_programs = {"--silent", "--fail", "--max-time", "--output", "--file-system"}
    of_other_programs |= {"--format"}
    explained = set(re.findall(r"^\| `(--[a-z-]+)` \|", GUIDE, re.MULTILINE))

    assert len(explained) > 10
    assert used - of_other_programs == explained


def test_every_setting_that_the_guide_names_is_read_somewhere() -> None:
    sources = [("triage", "settings.py"), ("compose.yaml",), ("deploy", "kiosk", "kiosk.sh")]
    sources.append(("deploy", "caddy", "Caddyfile"))
    read = set(re.findall(r"[A-Z][A-Z_]+[A-Z]", "".join(text(*each) for each in sources)))
    tables = re.findall(r"`([A-Z]+_[A-Z_]+)[`=]", GUIDE)

    assert len(set(tables)) > 8
    assert set(tables) <= read
    assert (
        values("deploy", "clinic.env").keys() | values("deploy", "kiosk", "kiosk.env").keys()
        <= read
    )


def test_every_file_that_the_guide_names_is_there() -> None:
    named = set(re.findall(r"\bdeploy/[\w./*-]+\w", GUIDE))

    assert len(named) > 5
    assert [path for path in named if not list(ROOT.glob(path))] == []


def test_the_times_of_the_guide_are_those_of_the_program() -> None:
    said = {
        "30 minutes after it was opened": (settings.HANDOVER_AFTER_OPENING, timedelta(minutes=30)),
        "12 hours if nobody opens it": (settings.HANDOVER_LASTS, timedelta(hours=12)),
        "raised again after two minutes": (settings.ALERT_AGAIN, timedelta(minutes=2)),
        "nobody touches for 15 minutes": (settings.STAFF_IDLE, timedelta(minutes=15)),
        "after eight hours it stops": (settings.STAFF_SESSION, timedelta(hours=8)),
    }

    assert [words for words in said if words not in GUIDE] == []
    assert [words for words, (held, told) in said.items() if held != told] == []


# The policy of the browser


def test_the_policy_opens_the_server_and_nothing_else() -> None:
    policy = json.loads(text("deploy", "kiosk", "policy.json"))
    address = values("deploy", "kiosk", "kiosk.env")["KIOSK_URL"]

    assert policy["URLBlocklist"][0] == "*"
    assert policy["URLAllowlist"] == [address, "chrome://print"]
    assert address == f"https://{values('deploy', 'clinic.env')['CLINIC_HOST']}"


def test_the_policy_keeps_suggests_and_sends_nothing() -> None:
    policy = json.loads(text("deploy", "kiosk", "policy.json"))

    off = [
        "AllowFileSelectionDialogs",
        "AutofillAddressEnabled",
        "AutofillCreditCardEnabled",
        "ComponentUpdatesEnabled",
        "MetricsReportingEnabled",
        "PasswordManagerEnabled",
        "SearchSuggestEnabled",
        "SpellcheckEnabled",
        "TranslateEnabled",
    ]
    assert [name for name in off if policy[name] is not False] == []
    assert policy["SavingBrowserHistoryDisabled"]
    assert policy["DownloadRestrictions"] == 3  # all of them
    assert policy["DeveloperToolsAvailability"] == 2  # none
    assert policy["IncognitoModeAvailability"] == 1  # none


# The proxy


def test_the_proxy_is_the_one_that_the_application_trusts() -> None:
    compose, set_to = text("compose.yaml"), values("deploy", "clinic.env")
    caddy = block(compose, "caddy")

    assert "profiles: [clinic]" in caddy
    assert "./deploy/caddy/Caddyfile:/etc/caddy/Caddyfile:ro" in caddy
    assert f"ipv4_address: {set_to['FORWARDED_ALLOW_IPS']} " in caddy
    assert set_to["PROXY_COUNT"] == "1"
    assert "caddy:/data" in caddy  # or a new authority is made, which no device trusts
    assert re.search(r"^volumes:\n(  \w+:\n)*  caddy:", compose, re.MULTILINE)


def test_the_proxy_gets_every_value_that_its_file_asks_for() -> None:
    asked = set(re.findall(r"\{\$([A-Z_]+)", text("deploy", "caddy", "Caddyfile")))
    given = set(
        re.findall(r"^      ([A-Z_]+):", block(text("compose.yaml"), "caddy"), re.MULTILINE)
    )

    assert asked == given
    assert "tls internal" in text("deploy", "caddy", "Caddyfile")


def test_the_page_of_the_proxy_says_whom_to_call() -> None:
    assert "call {$EMERGENCY_NUMBER:999}" in text("deploy", "caddy", "Caddyfile")


def test_a_kiosk_takes_the_page_of_the_proxy_for_silence_and_shows_its_own() -> None:
    status = re.search(r"</html>\n` (\d+)", text("deploy", "caddy", "Caddyfile"))
    silent = re.search(r"SILENT = \[([\d, ]+)\]", text("static", "js", "kiosk_worker.js"))

    assert status
    assert silent
    assert status[1] in silent[1].split(", ")


# The units


@pytest.mark.parametrize("unit", sorted(DEPLOY.rglob("*.service")), ids=lambda path: path.name)
def test_a_unit_starts_again_and_leaves_nothing_on_the_disk(unit: Path) -> None:
    lines = unit.read_text(encoding="utf-8").splitlines()

    assert {"Restart=always", "MemorySwapMax=0", "LimitCORE=0", "UMask=0077"} <= set(lines)


def test_the_units_start_what_the_guide_puts_there() -> None:
    kiosk = text("deploy", "kiosk", "triage-kiosk.service")
    purge = text("deploy", "systemd", "triage-purge.service")
    every = re.search(r"purge_assessments --every (\d+)", purge)

    for path in ("/usr/local/lib/triage/kiosk.sh", "/etc/triage/kiosk.env"):
        assert path in kiosk
        assert path in GUIDE
    assert every
    assert int(every[1]) <= 60


# The launch script

BROWSER = """#!/bin/sh
# A browser that is enrolled at once if it is not yet, and then keeps what somebody types.
for flag in "$@"; do
    case $flag in --user-data-dir=*) profile=${flag#*=} ;; esac
done
mkdir -p "$profile/Default"
cookies=$profile/Default/Cookies
before=$(sqlite3 "$cookies" "SELECT name || hex(encrypted_value) FROM cookies" 2>/dev/null)
echo "$profile has ($before): $*" >> "$SEEN"
sqlite3 "$cookies" "
CREATE TABLE IF NOT EXISTS cookies (name UNIQUE, encrypted_value, expires_utc);
INSERT INTO cookies VALUES ('__Host-kiosk', '${CODE:-1}', 9) ON CONFLICT DO NOTHING;
INSERT INTO cookies VALUES ('__Host-assessment', 'canary', 0);
UPDATE cookies SET encrypted_value = '$CODE' WHERE name = '__Host-kiosk' AND '$CODE' <> '';"
mkdir -p "$profile/Default/Service Worker"
echo canary | tee "$HOME/Crash" "$TMPDIR/Temporary" > "$profile/Default/History"
exec sleep 60
"""


class Kiosk:
    """The launch script with folders of its own, and a browser that only says what it was told."""

    def __init__(self, disk: Path, memory: Path) -> None:
        self.disk, self.memory, self.seen = disk / "state", memory, disk / "seen"
        self.disk.mkdir()
        browser = disk / "browser"
        browser.write_text(BROWSER)
        browser.chmod(0o755)
        self.environment = {
            "PATH": os.environ["PATH"],
            "KIOSK_URL": "https://127.0.0.1:9",
            "KIOSK_WAITS": "0",
            "KIOSK_CHROMIUM": str(browser),
            "STATE_DIRECTORY": str(self.disk),
            "RUNTIME_DIRECTORY": str(memory),
            "SEEN": str(self.seen),
            "CODE": "",
            "HOME": str(self.disk),
            "TMPDIR": str(self.disk),
        }

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sh", SCRIPT], env=self.environment | environment)

    def browsers(self) -> list[str]:
        """What each browser that was started had, and was told."""
        return self.seen.read_text().splitlines() if self.seen.exists() else []

    def run(self, **environment: str) -> str:
        """Run a browser until somebody has typed, and switch it off; return what is on the disk."""
        running = self.start(**environment)
        try:
            until(lambda: "History" in self.files(self.memory))
        finally:
            running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=10) == 0
        assert self.files(self.memory) == ""
        return "\n".join(
            f"{path.name} {path.read_text(errors='replace')}"
            for path in self.disk.rglob("*")
            if path.is_file()
        )

    def files(self, folder: Path) -> str:
        return " ".join(sorted(str(path.relative_to(folder)) for path in folder.rglob("*")))


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    if not IN_MEMORY.is_dir() or not shutil.which("sqlite3"):
        did_not_run("it needs sqlite3, and a folder in memory as Linux has it")
    with TemporaryDirectory(dir=IN_MEMORY) as memory:
        yield Kiosk(tmp_path, Path(memory))


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_disk_holds_the_enrolment_and_nothing_that_people_leave(kiosk: Kiosk) -> None:
    for _ in range(2):
        on_disk = kiosk.run()

        assert "__Host-kiosk" in on_disk
        assert "canary" not in on_disk
        assert "assessment" not in on_disk
        assert (
            kiosk.files(kiosk.disk / "enrolled") == "Default Default/Cookies Default/Service Worker"
        )
    first, second = kiosk.browsers()
    assert "has ()" in first
    assert "has (__Host-kiosk31)" in second
    assert all(each.endswith("https://127.0.0.1:9/kiosk/") for each in (first, second))


def test_an_enrolment_that_is_made_anew_at_the_screen_outlives_the_power(kiosk: Kiosk) -> None:
    kiosk.run()
    kiosk.run(CODE="2")
    kiosk.run()

    assert "has (__Host-kiosk32)" in kiosk.browsers()[-1]


def test_it_prints_without_a_dialogue_only_where_that_is_set(kiosk: Kiosk) -> None:
    kiosk.run(KIOSK_PRINTS="")
    kiosk.run(KIOSK_PRINTS="1")

    assert ["--kiosk-printing" in each for each in kiosk.browsers()] == [False, True]


def test_it_ends_with_its_browser_so_that_the_unit_starts_another(kiosk: Kiosk) -> None:
    broken = Path(kiosk.environment["KIOSK_CHROMIUM"])
    broken.write_text("#!/bin/sh\nexit 3\n")

    assert kiosk.start().wait(timeout=20) == 3
    assert kiosk.files(kiosk.memory) == ""


def test_the_cookie_that_it_keeps_is_the_one_of_the_program() -> None:
    name = settings.KIOSK_COOKIE_NAME.removeprefix("__Host-")

    assert f"\ncookie=__Host-{name}\n" in SCRIPT.read_text(encoding="utf-8")


def test_it_refuses_to_keep_what_people_leave_on_a_disk(kiosk: Kiosk, tmp_path: Path) -> None:
    on_disk = tmp_path / "runtime"
    on_disk.mkdir()
    # Where the tests have their folders in memory, nothing but this tells it of a disk.
    stand_in = tmp_path / "stat"
    stand_in.write_text("#!/bin/sh\necho ext2/ext3\n")
    stand_in.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    assert kiosk.start(RUNTIME_DIRECTORY=str(on_disk), PATH=path).wait(timeout=10) == 78
    assert kiosk.browsers() == []


@pytest.mark.parametrize("missing", ["KIOSK_URL", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"])
def test_it_names_what_is_not_set(kiosk: Kiosk, missing: str) -> None:
    del kiosk.environment[missing]
    done = subprocess.run(["sh", SCRIPT], env=kiosk.environment, capture_output=True, text=True)

    assert done.returncode != 0
    assert missing in done.stderr
