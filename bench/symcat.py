"""Ranking and questions on a made pack that has SymCAT's shape: hundreds of conditions, hundreds of
findings that are there or not, and about three of them present in each patient.

It is NOT SymCAT: conditions, findings and probabilities are all drawn from a seed, with families of
conditions that are alike, so that about as many can be told apart as on SymCAT when everything is
known. What others published on SymCAT stands beside it for orientation and cannot be compared.
Patients are drawn as in the simulation used with SymCAT: all conditions alike, each finding by its
probability, at least one, and the first complaint any of those present.
A finding is the likelier to be the complaint the fewer others are present; the engine does not know
that, nor that nobody has none.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np
import numpy.typing as npt

from triage.engine import (
    Chosen,
    Condition,
    ConditionKey,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Option,
    OptionKey,
    Settings,
    Urgency,
    posterior,
)
from triage.evaluation.intervals import Share, quantile
from triage.evaluation.reliability import Reliability
from triage.evaluation.tables import Table

from ._asking import Asking, per_cent, record
from ._clock import in_words

type Array = npt.NDArray[np.float64]

FINDINGS = {200: 328, 300: 349, 400: 355, 800: 376}
"""How many findings SymCAT's cuts of so many conditions have (376 for all of its 801)."""
FEWEST, MOST = 6, 14
"""How many findings a condition can have: between them all numbers are alike."""
LEAD, OTHERS = (0.2, 0.7), (0.12, 0.65)
"""Where P(finding | condition) lies, of its first finding evenly, of the others mostly low."""
FAMILY, POOL, KIN = 10, 15, 0.97
"""How many conditions a family has, how many findings it draws from, and the share it draws."""
COMMON = 20
"""The larger, the more alike the findings are in how often they are drawn."""
FLOOR = 1e-4
"""What a finding's chance is taken to be where the condition does not have it."""

QUESTIONS = (5, 8, 10, 15, 20)
LONGEST = 40
STOPS = (0.90, 0.95)
ALL = "all known"
YES, NO = OptionKey("yes"), OptionKey("no")

PUBLISHED = (
    ("REINFORCE", "48.8 / 61.7 / 66.6 (6.7)", "21.8 / 28.4 / 31.2 (6.8)", "0.7 / 1.5 / 2.1 (9.0)"),
    ("REFUEL", "54.8 / 73.7 / 79.7 (8.0)", "47.5 / 65.1 / 71.2 (8.1)", "43.8 / 60.8 / 67.1 (8.4)"),
)
"""Peng et al., NeurIPS 2018, table 1."""


@dataclass(frozen=True, slots=True)
class Patient:
    truth: int
    first: FeatureKey
    whole: Evidence


def chances(conditions: int, findings: int, chance: np.random.Generator) -> Array:
    """Draw P(finding | condition), (C, F), 0 where the condition does not have the finding.

    Nothing but `chance.random()`, sums, products and quotients: the same on every machine.
    """
    steps = np.cumsum(COMMON / (COMMON + np.arange(findings)))

    def any_finding() -> int:
        return int(np.searchsorted(steps, chance.random() * steps[-1], side="right"))

    count = max(conditions // FAMILY, 1)
    families = [_different(POOL, any_finding) for _ in range(count)]
    table = np.zeros((conditions, findings))
    for row in table:
        pool = families[int(chance.random() * len(families))]

        def a_finding(pool: list[int] = pool) -> int:
            kin = chance.random() < KIN
            return pool[int(chance.random() * POOL)] if kin else any_finding()

        own = _different(FEWEST + int(chance.random() * (MOST - FEWEST + 1)), a_finding)
        draws = chance.random(len(own))
        row[own] = OTHERS[0] + (OTHERS[1] - OTHERS[0]) * draws * draws
        row[own[0]] = LEAD[0] + (LEAD[1] - LEAD[0]) * draws[0]
    return table


def _different(count: int, draw: Callable[[], int]) -> list[int]:
    """Draw until there are so many different ones."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[draw()] = None
    return list(found)


def pack(table: Array) -> Knowledge:
    """Return the topic: every finding asked with yes or no, nobody slips."""
    count, findings = table.shape
    keys = [ConditionKey(f"c{place:03}") for place in range(count)]
    features = [
        Feature(FeatureKey(f"f{place:03}"), Kind.SINGLE, (Option(YES), Option(NO)))
        for place in range(findings)
    ]
    likelihoods = {}
    for key, row in zip(keys, np.maximum(table, FLOOR), strict=True):
        for feature, there in zip(features, row.tolist(), strict=True):
            likelihoods[key, feature.key, YES] = Likelihood(there)
            likelihoods[key, feature.key, NO] = Likelihood(1 - there)
    return Knowledge(
        conditions=[Condition(key, 1 / count, Urgency.SELF_CARE, raise_at=1.0) for key in keys],
        features=features,
        rules=[],
        likelihoods=likelihoods,
        settings=Settings(temper=1.0, slip=0.0, gain_stop=0.0, lead_stop=1.0),
    )


def patients(table: Array, count: int, chance: np.random.Generator) -> Iterator[Patient]:
    """Draw people. Whoever would have no finding is drawn anew, with the same condition."""
    for _ in range(count):
        truth = int(chance.random() * len(table))
        present = np.zeros(table.shape[1], dtype=bool)
        while not present.any():
            present = chance.random(table.shape[1]) < table[truth]
        own = np.flatnonzero(present)
        yield Patient(
            truth,
            FeatureKey(f"f{own[int(chance.random() * len(own))]:03}"),
            Evidence(
                (FeatureKey(f"f{place:03}"), reply(there))
                for place, there in enumerate(present.tolist())
            ),
        )


def reply(there: bool) -> Chosen:
    return Chosen(frozenset({YES if there else NO}))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the true condition stands, from 1, and the first one's posterior."""

    rank: int
    lead: float


def place_of(weights: Array, truth: int) -> Place:
    """Rank as the engine does: among equals the one that comes first in the topic."""
    rounded = np.round(weights, 12)
    ahead = int((rounded > rounded[truth]).sum() + (rounded[:truth] == rounded[truth]).sum())
    return Place(1 + ahead, float(weights.max()))


@dataclass(frozen=True, slots=True)
class Sitting:
    """Where the true condition stands after 0, 1, 2, ... questions, and with everything known."""

    after: tuple[Place, ...]
    known: Place

    def at(self, count: int) -> Place:
        return self.after[min(count, len(self.after) - 1)]

    def length(self, stop: float) -> int:
        """How many questions until the first posterior reaches the stop, or none is left."""
        reached = (count for count, place in enumerate(self.after) if place.lead >= stop)
        return next(reached, len(self.after) - 1)


def sit(asking: Asking, patient: Patient) -> Sitting:
    """Interview one person, from the first complaint, until the last stop is reached and the last
    number of questions."""
    said = Evidence([(patient.first, reply(True))])
    after = []
    for known in asking.interview(patient.whole, said, LONGEST):
        after.append(place_of(posterior(asking.knowledge, known), patient.truth))
        if len(after) > max(QUESTIONS) and any(place.lead >= max(STOPS) for place in after):
            break
    whole = posterior(asking.knowledge, patient.whole)
    return Sitting(tuple(after), place_of(whole, patient.truth))


@dataclass(frozen=True, slots=True)
class Size:
    """What was seen on the pack of one size."""

    conditions: int
    findings: int
    own: float
    present: float
    sittings: tuple[Sitting, ...]
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.conditions} x {self.findings}"

    def places(self, stage: int | str) -> list[Place]:
        """Return everybody's, after so many questions or with everything known."""
        if isinstance(stage, str):
            return [sitting.known for sitting in self.sittings]
        return [sitting.at(stage) for sitting in self.sittings]

    def pairs(self, stage: int | str) -> list[tuple[float, bool]]:
        return [(place.lead, place.rank == 1) for place in self.places(stage)]


def run(conditions: int, people: int, seed: int) -> Size:
    findings = FINDINGS.get(conditions) or 300 + conditions // 10
    chance = np.random.default_rng([seed, conditions])
    table = chances(conditions, findings, chance)
    drawn = list(patients(table, people, chance))
    asking = Asking(pack(table))
    sittings = tuple(sit(asking, patient) for patient in drawn)
    present = fmean(
        sum(YES in one.options for _, one in patient.whole if isinstance(one, Chosen))
        for patient in drawn
    )
    own = fmean((table > 0).sum(axis=1).tolist())
    return Size(conditions, findings, own, present, sittings, median(asking.seconds))


def ranked(sizes: Sequence[Size]) -> Table:
    rows = []
    for size in sizes:
        for stage in (*QUESTIONS, ALL):
            ranks = [place.rank for place in size.places(stage)]
            shares = [Share(sum(rank <= k for rank in ranks), len(ranks)) for k in (1, 3, 5)]
            seen = Reliability.of(size.pairs(stage))
            rows.append(
                (
                    size.name,
                    stage if isinstance(stage, str) else f"{stage} questions",
                    *map(per_cent, shares),
                    f"{100 * seen.claimed:.1f}",
                    f"{100 * seen.error:.1f}",
                )
            )
    return Table(
        "The true condition is the first, among the first 3 and the first 5: per cent of patients,"
        " 95 % intervals in brackets; the mean of the first one's posterior; and the calibration"
        " error, per cent",
        ("conditions x findings", "", "1", "3", "5", "claimed", "calibration error"),
        tuple(rows),
    )


def lengths(sizes: Sequence[Size]) -> Table:
    rows = []
    for size in sizes:
        for stop in STOPS:
            asked = [sitting.length(stop) for sitting in size.sittings]
            ends = [s.at(count) for s, count in zip(size.sittings, asked, strict=True)]
            right = Share(sum(end.rank == 1 for end in ends), len(ends))
            reached = Share(sum(end.lead >= stop for end in ends), len(ends))
            rows.append(
                (
                    size.name,
                    f"{stop:g}",
                    f"{fmean(asked):.1f}",
                    str(quantile(asked, 0.5)),
                    str(quantile(asked, 0.95)),
                    per_cent(reached),
                    per_cent(right),
                )
            )
    return Table(
        f"Questions until the first posterior reaches a stop, {LONGEST} at most; the share that"
        " gets there, and the share whose true condition then comes first, per cent",
        ("conditions x findings", "stop", "mean", "median", "95th", "reached", "right"),
        tuple(rows),
    )


def shapes(sizes: Sequence[Size]) -> Table:
    return Table(
        "The packs, and what the choice of one question takes",
        ("conditions x findings", "findings a condition", "present a patient", "time a question"),
        tuple(
            (size.name, f"{size.own:.1f}", f"{size.present:.2f}", in_words(size.seconds))
            for size in sizes
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench symcat", description=__doc__)
    parser.add_argument("--conditions", type=int, nargs="+", default=list(FINDINGS))
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="keep the calibration in docs")
    given = parser.parse_args()
    print(f"# Hundreds of conditions\n\n{__doc__}")
    sizes = [run(count, given.patients, given.seed) for count in given.conditions]
    print(f"{given.patients} patients of each size drawn from seed {given.seed}.")
    for table in (shapes(sizes), ranked(sizes), lengths(sizes), published()):
        print(f"\n{table.markdown()}")
    if given.record:
        names = ", ".join(size.name for size in sizes)
        record(
            "symcat",
            "Made packs of SymCAT's shape",
            f"The first condition after 15 questions: {given.patients} patients drawn with seed"
            f" {given.seed} in each of the packs of {names} (conditions x findings). The packs are"
            " made up; none of it is SymCAT.",
            [pair for size in sizes for pair in size.pairs(15)],
        )


def published() -> Table:
    return Table(
        "Published on SymCAT itself, NOT comparable with the made packs above: first / among the"
        " first 3 / 5, per cent, mean number of questions in brackets (Peng et al., NeurIPS 2018)",
        ("", "200 conditions", "300", "400"),
        PUBLISHED,
    )


if __name__ == "__main__":
    main()
