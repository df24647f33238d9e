"""What hard words mean: a topic's glossary, and the list of words that may not stand without one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

JARGON = Path(__file__).with_name("jargon.txt")

type Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """`forms` are the ways in which the word is written: cyst, cysts."""

    word: str
    meaning: str
    forms: tuple[str, ...]


def terms_of(rows: Iterable[Fields]) -> list[Term]:
    return [
        Term(row["term"], row["meaning"], (row["term"], *row["also"].splitlines())) for row in rows
    ]


class Glossary:
    def __init__(self, terms: Iterable[Term]) -> None:
        self._terms = {form.casefold(): term for term in terms for form in term.forms}
        self._pattern = any_of(self._terms)

    def terms_in(self, *texts: str) -> tuple[Term, ...]:
        """Return the terms that the texts use, each once, in the order of their first use."""
        found = (match[0].casefold() for text in texts for match in self._pattern.finditer(text))
        return tuple(dict.fromkeys(self._terms[form] for form in found))

    def without_terms(self, text: str) -> str:
        """Return the text with a gap for each term that is explained."""
        return self._pattern.sub("…", text)


@cache
def jargon() -> re.Pattern[str]:
    """Return what finds a word that lay people may not know. One a line; its plural counts too."""
    words = JARGON.read_text(encoding="utf-8").split("\n")
    return any_of(form for word in words if word for form in (word, f"{word}s", f"{word}es"))


def any_of(forms: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of the forms as whole words, the longest that fits."""
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    # Without forms it must find nothing, not everywhere.
    choices = "|".join(map(re.escape, longest_first)) or r"(?!)"
    return re.compile(rf"(?<!\w)(?:{choices})(?!\w)", re.IGNORECASE)
