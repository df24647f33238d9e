"""A topic's drafts as one file, sealed so that whatever was altered on its way is found and named.

One row a line, so that two files can be compared. The digests find accidents, not forgers: whoever
alters a row on purpose can work them out anew. Who may import is the desk's own question.
"""

import hashlib
import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .admission import (
    Refused,
    Twice,
    faults_in_rows,
    key_in,
    names_twice,
    refuse,
    rows_in,
    words_of,
)
from .documents import Document
from .faults import Fault
from .fixtures import FILES
from .topic_schema import FORMAT, misshapen, shown

MOST_MEGABYTES = 8
THE_FILE = "The file"
ALTERED = "was altered after the export."

type Digests = Mapping[str, Any]


def written(document: Document) -> bytes:
    """Return the one form of a topic's file: the same drafts give the same bytes."""
    return _laid_out(document).encode()


def _laid_out(document: Document) -> str:
    parts = [
        f"{_line(part)}:{_line(rows)}" if part == "topic" else f"{_line(part)}:{_lines(rows)}"
        for part, rows in ((part, document[part]) for part in FILES)
    ]
    digests = [f"{_line(part)}:{_line(_sealed(rows_in(document, part)))}" for part in FILES]
    return "\n".join(
        [
            "{",
            f'"format":{_line(FORMAT)},',
            f'"topic":{_line(document["topic"]["key"])},',
            f'"sha256":{_line(sha256_of(document))},',
            '"parts":{',
            ",\n".join(parts),
            "},",
            '"digests":{',
            ",\n".join(digests),
            "}",
            "}",
            "",
        ]
    )


def sha256_of(document: Document) -> str:
    """Return the hash of drafts: a release that is made of them has the same."""
    return _sha256(_line(document))


def read_topic_file(file: bytes) -> Document:
    """Return the drafts in a file. Asks no database. Raises Refused with what is wrong, and where."""
    text = decoded(file, THE_FILE)
    try:
        whole = loads(text)
    except NotJson as error:
        where = _place_at(text, error.position)
        raise Refused([Fault(f"{THE_FILE}, {where}", f"is not JSON: {error}.")]) from None
    refuse(Fault(THE_FILE, what) for what in _frame_faults(whole))
    document, digests = whole["parts"], whole["digests"]
    refuse(names_twice(document, place_in_file))
    # What tells most of an altered file comes first, and what takes longest last.
    refuse(_broken_seals(document, digests))
    if whole["topic"] != document["topic"]["key"]:
        other = shown(document["topic"]["key"])
        raise Refused([Fault(THE_FILE, f"says {shown(whole['topic'])}, and its topic is {other}.")])
    if whole["sha256"] != sha256_of(document):
        raise Refused([Fault(THE_FILE, f"“sha256” or the parts: {ALTERED}")])
    if (right := _laid_out(document)) != text:
        where = _place_at(text, _first_difference(text, right))
        raise Refused([Fault(f"{THE_FILE}, {where}", _LAID_OUT)])
    refuse(faults_in_rows(document, place_in_file))
    refuse(_out_of_order(document))
    drafts: Document = document
    return drafts


_LAID_OUT = "is not laid out as it was exported: spaces, line ends or the order of names differ."


def place_in_file(part: str, number: int) -> str:
    return "topic" if part == "topic" else f"{part}, row {number}"


def decoded(file: bytes, name: str) -> str:
    """Return the text of a file. Raises Refused where it is too large or no plain UTF-8."""
    if len(file) > MOST_MEGABYTES * 1_000_000:
        raise Refused([Fault(name, f"is too large: {MOST_MEGABYTES} MB at the most.")])
    if file.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused([Fault(name, "is written in UTF-16. Save it as UTF-8.")])
    if file.startswith(b"\xef\xbb\xbf"):
        raise Refused([Fault(name, "begins with a byte order mark. Save it as UTF-8 without one.")])
    try:
        return file.decode()
    except UnicodeDecodeError as error:
        before = file[: error.start].decode()
        where = f"{name}, {_place_at(before, len(before))}"
        raise Refused([Fault(where, "holds a byte that is no UTF-8.")]) from None


class NotJson(Exception):
    """A text that is no JSON: why, and at which character."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(what)
        self.position = position


def loads(text: str) -> Any:
    """Return what a JSON text says; an object with a name twice comes as `Twice`."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise NotJson(error.msg[:1].lower() + error.msg[1:], error.pos) from None
    except RecursionError:
        raise NotJson("it is nested too deeply", 0) from None
    except ValueError:
        raise NotJson("a number in it has too many digits", 0) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = Counter(name for name, _ in pairs)
    return Twice(pairs, max(names, key=lambda name: names[name]))


def _frame_faults(whole: Any) -> Iterator[str]:
    """Yield what is wrong around the rows, so that the rows can be looked at."""
    named = {"": whole}
    if isinstance(whole, dict):
        named |= {name: whole.get(name) for name in ("parts", "digests")}
        digests = whole.get("digests")
        if isinstance(digests, dict):
            named |= {f"digests.{part}": each for part, each in digests.items()}
    for name, value in named.items():
        if isinstance(value, Twice):
            yield f"{f'“{name}” ' if name else ''}has “{value.name}” twice."
    yield from misshapen(whole)


def _line(value: Any) -> str:
    """Return a value as `canonical` would; what that would refuse to write is found later."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _lines(rows: list[Any]) -> str:
    return "[\n" + ",\n".join(map(_line, rows)) + "\n]" if rows else "[]"


def _sha256(text: str) -> str:
    # What was brought in may hold half a character, which UTF-8 has no bytes for.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _digest(text: str) -> str:
    return _sha256(text)[:12]


def _sealed(rows: list[Any]) -> dict[str, Any]:
    found = [_digest(_line(row)) for row in rows]
    return {"all": _digest("\n".join(found)), "rows": found}


@dataclass(frozen=True, slots=True)
class _Seal:
    """What of one part is not as its digests say."""

    altered: dict[int, str]
    missing: list[int]
    others: list[str]


def _broken_seals(document: Document, digests: Digests) -> Iterator[Fault]:
    """Yield each row that is not as it was exported: what is wrong with it, else that it is not."""
    seals = {part: _compared(rows_in(document, part), digests[part]) for part in FILES}
    chosen = {part: seal.altered for part, seal in seals.items()}
    wrong: dict[str, list[Fault]] = {}
    if any(chosen.values()):
        for fault in faults_in_rows(document, place_in_file, chosen):
            wrong.setdefault(fault.where, []).append(fault)
    for part, seal in seals.items():
        rows = rows_in(document, part)
        for number, what in seal.altered.items():
            where = f"{place_in_file(part, number)} ({words_of(part, rows[number - 1])})"
            yield from wrong.pop(where, [Fault(where, what)])
        for number in seal.missing:
            after = (
                f" (after {words_of(part, rows[number - 2])})" if 1 < number <= len(rows) else ""
            )
            yield Fault(
                f"{place_in_file(part, number)}{after}",
                "is missing: at the export a row stood there, or its digest was altered.",
            )
        for what in seal.others:
            yield Fault(part, what)


def _compared(rows: list[Any], digests: Mapping[str, Any]) -> _Seal:
    listed = [str(each) for each in digests["rows"]]
    right = _sealed(rows)
    found: list[str] = right["rows"]
    if found == listed:
        others = [] if right["all"] == digests["all"] else [f"its rows or digests: {ALTERED}"]
        return _Seal({}, [], others)
    unlisted, unfound = Counter(found) - Counter(listed), Counter(listed) - Counter(found)
    altered: dict[int, str] = {}
    for number in range(len(found), 0, -1):
        if unlisted[found[number - 1]]:
            unlisted[found[number - 1]] -= 1
            stood = listed[number - 1] if number <= len(listed) else ""
            altered[number] = (
                ALTERED if unfound[stood] else "was added or altered after the export."
            )
            unfound[stood] -= bool(unfound[stood])
    missing = [number for number, each in enumerate(listed, start=1) if unfound[each]]
    others = []
    if not altered and not missing:
        first = next(
            n for n, (one, two) in enumerate(zip(found, listed, strict=True)) if one != two
        )
        others = [f"row {first + 1} and others stand in another order than at the export."]
    return _Seal(dict(sorted(altered.items())), missing, others)


def _out_of_order(document: Document) -> Iterator[Fault]:
    """Yield the first row of each part that would come out at another place than it went in."""
    for part in FILES:
        keys = [key_in(part, row) for row in rows_in(document, part)]
        for number, (before, key) in enumerate(pairwise(keys), start=2):
            if key < before:
                yield Fault(place_in_file(part, number), "belongs before the row above it.")
                break


_START_OF_PART = re.compile(r'^"(\w+)":[\[{]')


def _place_at(text: str, position: int) -> str:
    """Return where a character stands: “line 512, character 7 (likelihoods, row 9)”."""
    before = text[:position].split("\n")
    line = text.split("\n", len(before))[len(before) - 1]
    part, row = "", 0
    for each in [*before[:-1], line]:
        if start := _START_OF_PART.match(each):
            part, row = start[1], 0
        elif part and each.startswith("{"):
            row += 1
    where = f"line {len(before)}, character {len(before[-1]) + 1}"
    return f"{where} ({place_in_file(part, row) if row else part})" if part else where


def _first_difference(text: str, right: str) -> int:
    lengths = range(1, min(len(text), len(right)) + 1)
    return bisect_left(lengths, True, key=lambda length: text[:length] != right[:length])
