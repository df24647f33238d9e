"""What a first visit weighs: every byte of page, style, script and image, compressed as served."""

import argparse
import gzip
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from statistics import median
from urllib.parse import urljoin, urlsplit

import brotli  # type: ignore[import-untyped] # it has no type hints
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from triage.evaluation.tables import Table

from ._bars import Bar, print_bars
from ._requests import Application, Request, Response, send
from ._site import set_up

FETCHES = 15
"""So often is each page fetched: a few random bytes in it hide its length from eavesdroppers."""

FIRST_VISIT = 21_000
FIRST_WINDOW = 14_600
"""What a server may send before it hears back: ten segments (RFC 6928)."""


class Files(HTMLParser):
    """The files that a browser fetches for a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.styles: list[str] = []
        self.others: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        match tag, given:
            case "link", {"rel": "stylesheet", "href": str(address)}:
                self.styles.append(address)
            case "link", {"rel": "icon" | "preload" | "manifest", "href": str(address)}:
                self.others.append(address)
            case "script" | "img" | "source" | "iframe", {"src": str(address)}:
                self.others.append(address)
            case _:
                pass


@dataclass(frozen=True, slots=True)
class Weight:
    name: str
    raw: int
    served: int
    encoding: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A page and all that it brings, to somebody who has nothing of ours in the browser yet."""

    name: str
    weights: tuple[Weight, ...]
    elsewhere: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(weight.served for weight in self.weights)

    @property
    def blocking(self) -> int:
        return sum(weight.served for weight in self.weights if weight.blocks)

    def table(self) -> Table:
        rows = [
            (
                weight.name,
                f"{weight.raw:,}",
                f"{weight.served:,}",
                weight.encoding,
                "yes" if weight.blocks else "",
            )
            for weight in self.weights
        ]
        total = ("all of it", "", f"{self.total:,}", "", f"{self.blocking:,}")
        head = ("file", "bytes", "as served", "encoding", "before the first paint")
        return Table(f"{self.name}: bytes of the bodies", head, (*rows, total))

    def bars(self) -> list[Bar]:
        return [
            Bar(f"{self.name}, everything, bytes", self.total, "at most", FIRST_VISIT),
            Bar(f"{self.name}, page and style, bytes", self.blocking, "at most", FIRST_WINDOW),
            Bar(f"{self.name}, files from other origins", len(self.elsewhere), "at most", 0),
        ]


def visit(application: Application, name: str, request: Request) -> Visit:
    pages = [send(application, request.environ()) for _ in range(FETCHES)]
    html = unpacked(pages[0])
    files = Files(html.decode())
    size = round(median(len(page.body) for page in pages))
    weights = [Weight("the page", len(html), size, encoding(pages[0]), blocks=True)]
    waiting = [*((address, True) for address in files.styles), *((a, False) for a in files.others)]
    elsewhere, fetched = [], set()
    while waiting:
        address, blocks = waiting.pop(0)
        if urlsplit(address).scheme == "data" or address in fetched:
            continue
        fetched.add(address)
        if urlsplit(address).netloc:
            elsewhere.append(address)
            continue
        file = send(application, Request(address).environ())
        if file.status != 200:
            raise SystemExit(f"{address} answers {file.status}.")
        raw = unpacked(file)
        weights.append(Weight(address, len(raw), len(file.body), encoding(file), blocks))
        if address in files.styles:
            inner = re.findall(r"url\(\s*['\"]?([^'\")]+)", raw.decode())
            waiting += [(urljoin(address, one), False) for one in inner]
    return Visit(name, tuple(weights), tuple(elsewhere))


def encoding(response: Response) -> str:
    return response.headers.get("Content-Encoding", "none")


def unpacked(response: Response) -> bytes:
    match encoding(response):
        case "gzip":
            return gzip.decompress(response.body)
        case "br":
            return bytes(brotli.decompress(response.body))
        case _:
            return response.body


def first_question(application: Application, language: str) -> Request:
    """Begin an assessment as a browser does, and return the request for its first question."""
    with translation.override(language):
        begin = reverse("questionnaire:begin")
    secret = "c" * 32
    begun = send(
        application,
        Request(
            begin,
            fields=(("csrfmiddlewaretoken", secret), ("voice", "text")),
            cookies={"csrf": secret},
        ).environ(),
    )
    cookie = re.match(r"(assessment)=([^;]+)", begun.headers.get("Set-Cookie", ""))
    if begun.status != 303 or cookie is None:
        raise SystemExit(f"Beginning an assessment answers {begun.status}.")
    return Request(begun.headers["Location"], cookies={cookie[1]: cookie[2], "csrf": secret})


def main() -> None:
    argparse.ArgumentParser(prog="dev.py bench page", description=__doc__).parse_args()
    with set_up("bench._settings"):
        from triage.wsgi import application

        visits = [
            visit(application, "start page", Request("/")),
            *(
                visit(
                    application,
                    f"first question in {name}, seen first",
                    first_question(application, language),
                )
                for language, name in settings.LANGUAGES
            ),
        ]
    print(f"# The weight of a page\n\n{__doc__}")
    for one in visits:
        print(f"\n{one.table().markdown()}")
    print_bars("bars", [bar for one in visits for bar in one.bars()])


if __name__ == "__main__":
    main()
