"""The paragraphs of a source document, and which of them a row of the content names."""

import re

BROKEN_OFF = re.compile(r"\n(?=[a-z])")  # a line that begins small goes on where the last one broke
NAMED = re.compile(r"\bP\d+\b")


def title_of(document: str) -> str:
    return next(iter(_lines(document)), "")


def paragraphs_of(document: str) -> dict[str, str]:
    """Return the paragraphs after the title by name, P1 and on, without the title's repeats."""
    title, *lines = _lines(document) or [""]
    whole = BROKEN_OFF.sub("", "\n".join(lines)).splitlines()
    return {f"P{n}": line.replace(title, "").strip() for n, line in enumerate(whole, start=1)}


def named_in(place: str) -> list[str]:
    """Return the paragraphs that a row's `document_paragraph` names, each once, in order."""
    return list(dict.fromkeys(NAMED.findall(place)))


def _lines(document: str) -> list[str]:
    return [line.strip() for line in document.splitlines() if line.strip()]
