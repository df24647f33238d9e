"""When a release may say “about N in 100”: a study of people in whom the numbers came true."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from typing import Any

from triage.engine import ENGINE_VERSION, Knowledge
from triage.evaluation.cases import Case
from triage.evaluation.interviews import interview
from triage.evaluation.reliability import BINS, Bin, Reliability, from_json

from .choices import Studied

type Document = Mapping[str, Any]
type Fields = Mapping[str, Any]

LEAST_PEOPLE = 300
"""Fewer people cannot tell a right number from a wrong one.

A half is then known to 6 in 100 either way (Wilson, 95 %), which is about the error that is
allowed; and if two thirds of the people have one of the causes that the page listed, there are 200
of them, the number wanted by Collins GS, Ogundimu EO, Altman DG, Stat Med 2016;35:214-26. Even
that can be imprecise (Snell KIE et al., J Clin Epidemiol 2021;135:79-89): more are better.
"""

MOST_ERROR = 0.05
"""The expected calibration error that a number said to patients may have.

The table counts claims by tenths. Half a tenth off, a claim stands on average as well in the next.
"""

MOST_CAUSES = 5
"""So many causes the last page lists, and says a number of each."""

BEYOND_CHANCE = 2.807034
"""Standard deviations that one of ten right tenths passes by chance in 5 of 100 studies at most."""

SETTINGS = (
    "temper",
    "slip",
    "gain_stop",
    "lead_stop",
    "spread_estimate",
    "spread_guideline",
    "spread_study",
)
# Of each part of a document, the fields that decide a probability or its range. Wording does not.
DECIDING: Mapping[str, tuple[str, ...]] = {
    "conditions": ("key", "kind", "prior_percent", "prior_basis"),
    "features": ("key", "kind", "asked_if", "low", "high"),
    "options": ("feature", "key", "exclusive", "scored", "low", "high"),
    "likelihoods": ("condition", "option", "probability", "basis", "sample_size"),
    "syndromes": ("key",),
    "syndrome_chances": ("syndrome", "condition", "probability", "basis"),
    "syndrome_members": ("syndrome", "option", "condition", "probability"),
}


class UnfitTable(ValueError):
    """A table that is not what a reliability is written as; its text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a release's numbers in a hundred rest on.

    `tenths` are those in which the study had claims, 0 for below a tenth; `url` is empty where the
    source is not on the web.
    """

    people: int
    citation: str
    url: str
    tenths: frozenset[int]

    def covers(self, probability: float) -> bool:
        return tenth_of(probability) in self.tenths


def measured(knowledge: Knowledge, people: Iterable[Case]) -> tuple[int, Reliability]:
    """Return how many people were told causes, and how right all was that they were told.

    Each is asked as in life, and makes a claim for every cause that the last page lists. Whoever
    has no known cause, or is shown none, makes none.
    Raises ValueError if nobody makes any.
    """
    told = [
        [(claimed, cause in one.conditions) for cause, claimed in ranked[:MOST_CAUSES]]
        for one in people
        if one.conditions and (ranked := interview(knowledge, one.evidence).ranked)
    ]
    return len(told), Reliability.of(claim for claims in told for claim in claims)


def tenth_of(probability: float) -> int:
    return min(int(probability * BINS), BINS - 1)


def knowledge_sha256(document: Document) -> str:
    """Return the hash of all in a compiled topic that decides how likely a cause comes out.

    A new engine may work out other numbers from the same content, so its version counts too.
    """
    deciding: dict[str, Any] = {
        "engine": ENGINE_VERSION,
        "settings": {name: _plain(document["topic"][name]) for name in SETTINGS},
    }
    for part, names in DECIDING.items():
        rows = ([_plain(row[name]) for name in names] for row in document.get(part, []))
        deciding[part] = sorted(rows, key=json.dumps)
    text = json.dumps(deciding, sort_keys=True, separators=(",", ":"), allow_nan=True)
    return sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Let 1 and 1.0 be the same: a file has the one where the database gives back the other."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def reliability_in(table: object) -> Reliability:
    """Return what a study's table says. Raises UnfitTable if it is no such table."""
    try:
        reliability = from_json(json.dumps(table)).reliability
        fits = all(map(_is_tenth, reliability.bins))
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise UnfitTable(
            "This is not a table as “manage.py calibrate” writes it: a title, what it is about,"
            " and a row for each tenth with “low”, “high”, “claimed”, “right” and “of”."
        )
    lows = [b.low for b in reliability.bins]
    if lows != sorted(set(lows)):
        raise UnfitTable("Each tenth has one row, and the rows rise from 0 to 1.")
    return reliability


def _is_tenth(claims: Bin) -> bool:
    place = round(claims.low * BINS)
    return (
        (claims.low, claims.high) == (place / BINS, (place + 1) / BINS)
        and 0 <= claims.low <= claims.claimed <= claims.high <= 1
        and all(type(count) is int for count in (claims.right.hits, claims.right.of))
    )


def why_not(study: Fields, knowledge: str) -> Iterator[str]:
    """Yield each reason why a study is no evidence for the knowledge of this hash, for staff."""
    if study["kind"] != Studied.PEOPLE:
        yield (
            "its people were simulated. They fit the numbers because they were drawn from them;"
            " only people whose cause was found out count."
        )
    if study["knowledge_sha256"] != knowledge:
        yield (
            "a number was changed since it was measured, or it was measured on others. Run"
            " “manage.py calibrate” again on the answers of its people."
        )
    if study["people"] < LEAST_PEOPLE:
        yield f"it has {study['people']} people; {LEAST_PEOPLE} are the least."
    try:
        reliability = reliability_in(study["table"])
    except UnfitTable as unfit:
        yield f"its table cannot be read. {unfit}"
        return
    if reliability.right.of < study["people"]:
        yield (
            f"its table counts {reliability.right.of} claims for {study['people']} people; each"
            " of them was told one cause at least."
        )
    if reliability.error > MOST_ERROR:
        yield (
            f"its numbers are {100 * reliability.error:.1f} points off in the mean;"
            f" {100 * MOST_ERROR:g} is the most."
        )
    for claims in filter(_is_off, reliability.bins):
        yield (
            f"where it said {100 * claims.claimed:.0f} in 100 in the mean, it was"
            f" {100 * claims.right.value:.0f} in 100 ({claims.right.hits} of {claims.right.of}):"
            " more than chance makes."
        )


def _is_off(claims: Bin) -> bool:
    """Whether one tenth is too far off, as the mean of all can hide: most claims are small.

    Near 0 and 1 that is half of what is claimed, or 4 in 100 would pass for 8.
    """
    apart = abs(claims.claimed - claims.right.value)
    spread = sqrt(claims.claimed * (1 - claims.claimed) / claims.right.of)
    most = min(MOST_ERROR, claims.claimed / 2, (1 - claims.claimed) / 2)
    return apart > most and apart > BEYOND_CHANCE * spread


def checked(document: Document) -> Checked | None:
    """Return what lets this topic say “about N in 100”, or None where nothing does.

    Looked at for a release as well, however it came to be: one made before there was evidence, or
    by another way than publishing, says nothing.
    """
    if not document["topic"].get("says_in_100", False):
        return None
    knowledge = knowledge_sha256(document)
    studies = document.get("calibration_studies", [])
    sources = {(row["key"],): row for row in document["sources"]}
    fit = [
        study
        for study in studies
        if tuple(study["source"]) in sources and not any(why_not(study, knowledge))
    ]
    if not fit:
        return None
    largest = max(fit, key=lambda study: (study["people"], study["key"]))
    source = sources[tuple(largest["source"])]
    locator = source["locator"]
    return Checked(
        people=largest["people"],
        citation=source["citation"],
        url=locator if locator.startswith("https://") else "",
        tenths=frozenset(round(b.low * BINS) for b in reliability_in(largest["table"]).bins),
    )
