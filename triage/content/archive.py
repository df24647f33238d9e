"""A topic as the files of its fixtures in one archive: the form to edit by hand, without a seal."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .admission import Refused, Twice, faults_in_rows, names_twice, refuse
from .documents import Document
from .faults import Fault
from .fixtures import FILES, SOURCE_DOCUMENT, files_of
from .topic_file import MOST_MEGABYTES, NotJson, decoded, loads
from .topic_schema import shown

BEGINS = b"PK"
MADE = (1980, 1, 1, 0, 0, 0)  # always, or the same topic would give other bytes a minute later
READABLE = 0o644 << 16
THE_ARCHIVE = "The archive"
NAME = re.compile(r"^(?:([a-z0-9-]+)/)?([a-z_]+\.jsonl|source-document\.txt)$")


def zipped(document: Document) -> bytes:
    """Return the archive of a topic: the same drafts give the same bytes, on every machine."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for name, text in files_of(document).items():
            entry = zipfile.ZipInfo(f"{document['topic']['key']}/{name}", MADE)
            entry.create_system, entry.external_attr = 3, READABLE
            # Stored, not compressed: two versions of zlib may compress the same text otherwise.
            files.writestr(entry, text, zipfile.ZIP_STORED)
    return archive.getvalue()


def read_archive(archive: bytes) -> Document:
    """Return the drafts in an archive. Asks no database. Raises Refused with what is wrong."""
    return read_files(_unzipped(archive))


def read_files(files: Mapping[str, bytes]) -> Document:
    """Return the drafts in the files of a topic, by name. Raises Refused with what is wrong."""
    known = {SOURCE_DOCUMENT, *(f"{part}.jsonl" for part in FILES)}
    faults = [Fault(name, "is no file of a topic.") for name in sorted(files.keys() - known)]
    document: Document = {}
    for part in FILES:
        name = f"{part}.jsonl"
        lines = list(_lines(decoded(files.get(name, b""), name), name, part))
        faults += [line for line in lines if isinstance(line, Fault)]
        document[part] = [line.fields for line in lines if isinstance(line, _Line)]
    if not faults and len(document["topic"]) != 1:
        faults = [Fault("topic.jsonl", "must hold one line: the topic.")]
    refuse(faults)
    (topic,) = document["topic"]
    if isinstance(topic, dict):
        if "source_document" in topic:
            what = f"“source_document” stands in a file of its own: {SOURCE_DOCUMENT}."
            raise Refused([Fault("topic.jsonl, line 1", what)])
        text = decoded(files.get(SOURCE_DOCUMENT, b""), SOURCE_DOCUMENT)
        topic["source_document"] = text
    document["topic"] = topic
    refuse(names_twice(document, _place))
    refuse(faults_in_rows(document, _place))
    return document


def _place(part: str, number: int) -> str:
    return f"{part}.jsonl, line {number}"


@dataclass(frozen=True, slots=True)
class _Line:
    fields: Any


def _lines(text: str, name: str, part: str) -> Iterator[_Line | Fault]:
    wanted = FILES[part]._meta.label_lower
    lines = text.removesuffix("\n").split("\n") if text else []
    for number, line in enumerate(lines, start=1):
        where = f"{name}, line {number}"
        try:
            row = loads(line)
        except NotJson as error:
            yield Fault(f"{where}, character {error.position + 1}", f"is not JSON: {error}.")
            continue
        if not isinstance(row, dict) or isinstance(row, Twice) or row.keys() != {"model", "fields"}:
            yield Fault(where, "must be an object with “model” and “fields”, each once.")
        elif row["model"] != wanted:
            yield Fault(
                where, f"“model” is {shown(row['model'])}; it must be {shown(wanted)} here."
            )
        else:
            yield _Line(row["fields"])


def _unzipped(archive: bytes) -> dict[str, bytes]:
    """Return the files of an archive; one that would fill the memory is refused unopened."""
    most = MOST_MEGABYTES * 1_000_000
    if len(archive) > most:
        raise _refused(f"is too large: {MOST_MEGABYTES} MB at the most.")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > most:
                raise _refused(f"holds more than {MOST_MEGABYTES} MB.")
            named = [_named(entry.filename) for entry in entries]
            if len(set(named)) < len(named) or len({folder for folder, _ in named}) > 1:
                raise _refused("holds the files of more than one topic.")
            return {
                name: opened.read(entry) for (_, name), entry in zip(named, entries, strict=True)
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise _refused(f"cannot be opened: {error}.") from None


def _named(path: str) -> tuple[str, str]:
    if match := NAME.match(path):
        return match[1] or "", match[2]
    raise _refused(f"holds {shown(path)}, which is no file of a topic.")


def _refused(what: str) -> Refused:
    return Refused([Fault(THE_ARCHIVE, what)])
