"""What Lighthouse says of the pages, as on a middling phone far from a mast.

Each page is loaded by a browser that has nothing of ours yet. Lighthouse's own defaults: a phone's
screen, its processor four times slower than this one, 1.6 Mbit/s with 150 ms there and back, all
three simulated. Served by gunicorn as `dev.py run` serves. Median of the runs.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench._bars import Bar, print_bars
from bench._requests import HOST, Request, send
from bench._site import set_up
from bench.answer import ROOT, served

BARS = {"accessibility": 100, "best-practices": 100, "performance": 98}

METRICS = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
    "cumulative-layout-shift": "shift",
    "speed-index": "speed index",
}

TRIES = 3
"""Now and then the browser's first page is there before Lighthouse has begun to record it."""

CHROMIUM = "--headless=new --no-sandbox --disable-gpu"


@dataclass(frozen=True, slots=True)
class Page:
    """What is loaded, and what has to come with the request so that the page is shown."""

    name: str
    request: Request


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the runs said of one page. Shares of 100, times in milliseconds."""

    page: str
    shares: dict[str, float]
    metrics: dict[str, float]
    failing: tuple[str, ...]

    def bars(self) -> Iterator[Bar]:
        for category, bar in BARS.items():
            note = "" if category != "performance" else self.note
            name = f"{self.page}: {category.replace('-', ' ')}"
            yield Bar(name, self.shares[category], "at least", bar, note)

    @property
    def note(self) -> str:
        shift = self.metrics["cumulative-layout-shift"]
        times = [
            f"{words} {self.metrics[key] / 1000:.1f} s"
            for key, words in METRICS.items()
            if key != "cumulative-layout-shift"
        ]
        return ", ".join([*times, f"shift {shift:.2g}"])


def pages() -> list[Page]:
    """Answer for two simulated people, one of them to the end, and return what is then to see."""
    from django.conf import settings

    from bench._people import interviews, real_answers
    from triage.wsgi import application

    pictures = {path.stem for path in ROOT.glob("templates/questionnaire/pictures/*.html")}
    said = next(
        said
        for said in interviews(50)
        if pictures & {one.feature for one in said[1:]} and len(said) > 10
    )
    drawn = next(place for place, one in enumerate(said) if place and one.feature in pictures)

    begun, halfway, done = real_answers(said), real_answers(said), real_answers(said)
    for request in (*halfway[:drawn], *done):
        answered = send(application, request.environ())
        if answered.status != 200:
            raise SystemExit(f"An answer to {request.path} is answered {answered.status}.")
    cookies = done[0].cookies or {}
    token = ("csrfmiddlewaretoken", cookies[settings.CSRF_COOKIE_NAME])
    send(application, Request("/check/finish", fields=(token,), cookies=cookies).environ())

    def seen(name: str, path: str, cookies: Any = None) -> Page:
        request = Request(path, cookies=cookies)
        status = send(application, request.environ()).status
        if status != 200:
            raise SystemExit(f"{path} answers {status}.")
        return Page(name, request)

    return [
        seen("start page", "/"),
        seen("first question", begun[0].path, begun[0].cookies),
        seen("question with a picture", halfway[drawn].path, halfway[drawn].cookies),
        seen("outcome", "/check/outcome", cookies),
    ]


def run(page: Page, port: int, folder: Path) -> dict[str, Any]:
    """Load a page once and return Lighthouse's report of it."""
    report, headers = folder / "report.json", folder / "headers.json"
    headers.write_text(json.dumps({"Cookie": page.request.headers.get("Cookie", "")}))
    address = f"http://{HOST}:{port}{page.request.path}"
    command = [
        "node",
        os.environ["LIGHTHOUSE"],
        address,
        "--quiet",
        "--no-enable-error-reporting",
        f"--only-categories={','.join(BARS)}",
        f"--chrome-flags={CHROMIUM}",
        f"--extra-headers={headers}",
        "--output=json",
        f"--output-path={report}",
    ]
    chromium = {"CHROME_PATH": os.environ["CHROMIUM"]}
    for _ in range(TRIES):
        report.unlink(missing_ok=True)
        subprocess.run(command, env={**os.environ, **chromium}, cwd=folder)
        said: dict[str, Any] = json.loads(report.read_bytes()) if report.exists() else {}
        if said and "runtimeError" not in said:
            if said["finalDisplayedUrl"] != address:
                raise SystemExit(f"The {page.name} leads on to {said['finalDisplayedUrl']}.")
            return said
    raise SystemExit(f"Lighthouse could not load the {page.name}, for the reason above.")


def failing(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the key of each audit that is not passed, and in words what it is and where."""
    for category in BARS:
        for reference in report["categories"][category]["auditRefs"]:
            audit = report["audits"][reference["id"]]
            share = audit["score"]
            counts = reference["weight"] or category != "performance"
            if share is None or share >= (1 if counts else 0.9):
                continue
            places = [
                item["node"]["snippet"]
                for item in audit.get("details", {}).get("items", ())
                if "node" in item
            ]
            said = audit.get("displayValue", "")
            words = [f"{category}, {audit['id']}: {audit['title']}", said, *places[:5]]
            yield audit["id"], " | ".join(filter(None, words))


def verdict(page: str, reports: Sequence[dict[str, Any]]) -> Verdict:
    """Return the median of the runs; an audit that fails in any of them is named, once."""
    return Verdict(
        page,
        {
            category: median(100 * report["categories"][category]["score"] for report in reports)
            for category in BARS
        },
        {
            key: median(report["audits"][key]["numericValue"] for report in reports)
            for key in METRICS
        },
        tuple(dict(each for report in reports for each in failing(report)).values()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py lighthouse", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each page; the median counts")
    given = parser.parse_args()
    print(f"# What Lighthouse says\n\n{__doc__}")
    with set_up("triage.settings") as folder, served("triage.wsgi") as server:
        verdicts = [
            verdict(page.name, [run(page, server.port, folder) for _ in range(given.runs)])
            for page in pages()
        ]
    for one in verdicts:
        print(f"\nNot passed in full by the {one.page}:" if one.failing else "", end="")
        print("".join(f"\n- {fault}" for fault in one.failing))
    bars = [bar for one in verdicts for bar in one.bars()]
    print_bars(f"Lighthouse, median of {given.runs} runs", bars)
    raise SystemExit(0 if all(bar.is_met for bar in bars) else 1)


if __name__ == "__main__":
    main()
