"""The engine as an interviewer on DDXPlus: 49 conditions, 223 evidences, made-up patients of whom
nobody here made up any (Fansi Tchango et al., NeurIPS 2022).

The topic is made from the published tables and a few training patients, never from the patients that
are measured. An interview starts with age, sex and the first complaint and asks at most 30 questions;
a multiple choice is one. "Counts alone" knows neither age, sex nor multiple choices. These patients'
replies are drawn almost independently given the condition, as the engine takes them to be: this
measures the choice of questions and the ranking, and never accuracy in life.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

from triage.engine import Evidence, Knowledge, Settings, posterior
from triage.evaluation.intervals import Share, quantile
from triage.evaluation.reliability import Reliability
from triage.evaluation.tables import Table

from ._asking import Asking, file_in, per_cent, record, take_folder
from ._bars import Bar, print_bars
from ._ddxplus import (
    AGE,
    CONDITIONS,
    COUNTS,
    EVIDENCES,
    LAST_WRITTEN,
    SEX,
    TRAINING,
    UNDISTURBED,
    Case,
    Disturbance,
    Oddities,
    Patient,
    Release,
    Topic,
    Unreadable,
    case_of,
    read_patients,
)

MOST_QUESTIONS = 30
STOPS = (0.80, 0.90, 0.95, 0.98, 0.99, 0.995)
"""The leading posteriors at which an interview may end."""
JUDGED_AT = 0.995
"""All bars of length are judged at this one stop. It and the least gain were chosen with the 588
balanced patients in sight, beside simulated ones; no likelihood was."""
GAIN_STOP = 0.001
"""Nats. Two conditions that no question can tell apart are not asked about up to the cap."""
FLOOR = 0.001
"""The least chance of a reply, so that no reply rules anything out for good."""
FLOOR_IF_FLIPPED = 0.03
MOST_FLOOR = 0.25
DRAWS = 3
"""So many times each patient's replies are disturbed."""
IN_THE_DIFFERENTIAL = 0.01
"""What is not above this counts as not named, by the official definition."""
COUNTS_ALONE = "counts alone"
EVERYTHING = "with age, sex and multiple choices"


@dataclass(frozen=True, slots=True)
class Ending:
    """Where an interview ended.

    asked         how many questions after what was given
    rank, chance  the place of the true condition, from 1, and its posterior
    lead          the largest posterior
    recall        share of the patient's evidences that was asked for, the complaint among them
    precision     share of what was asked for that the patient has
    """

    asked: int
    rank: int
    chance: float
    lead: float
    recall: float
    precision: float
    severity: int

    def names(self, places: int) -> bool:
        """Whether the true condition is among the first so many, by the official definition."""
        return self.rank <= places and self.chance > IN_THE_DIFFERENTIAL


@dataclass(frozen=True)
class Endings:
    """All interviews of one kind."""

    each: Sequence[Ending]

    def named(self, places: int) -> Share:
        return Share(sum(ending.names(places) for ending in self.each), len(self.each))

    @property
    def asked(self) -> list[int]:
        return [ending.asked for ending in self.each]

    @property
    def length(self) -> float:
        return fmean(self.asked)

    @property
    def claims(self) -> list[tuple[float, bool]]:
        return [(ending.lead, ending.rank == 1) for ending in self.each]

    @property
    def calibration(self) -> Reliability:
        return Reliability.of(self.claims)

    def of_severity(self, *severities: int) -> "Endings":
        return Endings([ending for ending in self.each if ending.severity in severities])


class Stage(NamedTuple):
    """What was known, and the posterior then."""

    said: Evidence
    ending: Ending


class Interviewer:
    """One topic at one floor, and its interviews, which go on until the last of the stops."""

    def __init__(self, topic: Topic, floor: float) -> None:
        self.topic, self.floor = topic, floor
        settings = Settings(temper=1.0, slip=2 * floor, gain_stop=GAIN_STOP, lead_stop=max(STOPS))
        self.knowledge: Knowledge = topic.knowledge(settings)
        self.asking = Asking(self.knowledge)

    def ending(self, case: Case, said: Evidence) -> Ending:
        """Return how the patient would be judged if the interview ended here."""
        patient, keys = case.patient, self.topic.release.conditions
        weights = posterior(self.knowledge, said)
        pairs = zip(keys, weights.tolist(), strict=True)
        places = {key: (-round(chance, 12), key) for key, chance in pairs}
        truth = places[patient.pathology]
        asked_for = {key for key, _ in said} - {AGE, SEX}
        has = asked_for & patient.evidences.keys()
        return Ending(
            asked=len(said) - len(case.given),
            rank=1 + sum(place < truth for place in places.values()),
            chance=float(weights[keys.index(patient.pathology)]),
            lead=float(weights.max()),
            recall=len(has) / max(1, len(patient.evidences)),
            precision=len(has) / max(1, len(asked_for)),
            severity=self.topic.release.counts[patient.pathology]["severity"],
        )

    def walk(self, case: Case) -> Mapping[float, Ending]:
        """Interview a patient once. Return where the interview ends at each stop: the lower ones
        change nothing but the end."""
        found: dict[float, Ending] = {}
        for said in self.asking.interview(case.whole, case.given, MOST_QUESTIONS):
            ending = self.ending(case, said)
            found.update(
                {stop: ending for stop in STOPS if stop not in found and ending.lead >= stop}
            )
        return {stop: found.get(stop, ending) for stop in STOPS}


@dataclass(frozen=True)
class Measured:
    """The interviews of all patients by stop, and what is concluded from all evidence shown."""

    stops: Mapping[float, Endings]
    shown: Endings


def measure(
    interviewer: Interviewer,
    patients: Sequence[Patient],
    oddities: Oddities,
    disturbances: Sequence[Disturbance] = (UNDISTURBED,),
) -> Measured:
    walks, shown = [], []
    for disturbance in disturbances:
        for patient in patients:
            case = case_of(interviewer.topic, interviewer.knowledge, patient, oddities, disturbance)
            walks.append(interviewer.walk(case))
            shown.append(interviewer.ending(case, case.whole))
    stops = {stop: Endings([walk[stop] for walk in walks]) for stop in STOPS}
    return Measured(stops, Endings(shown))


def table(title: str, measured: Measured) -> Table:
    rows = [(f"{stop:g}", *_figures(endings)) for stop, endings in measured.stops.items()]
    everything = _figures(measured.shown)
    rows.append(("all evidence shown", *everything[:3], *[""] * 6, *everything[9:]))
    return Table(
        title,
        (
            "ends at",
            "GTPA@1",
            "GTPA@3",
            "GTPA@5",
            "questions, mean",
            "median",
            "95th",
            "at the cap",
            "PER",
            "PEP",
            "claimed",
            "calibration error",
        ),
        tuple(rows),
    )


def _figures(endings: Endings) -> tuple[str, ...]:
    capped = sum(asked >= MOST_QUESTIONS for asked in endings.asked)
    calibration = endings.calibration
    return (
        *(per_cent(endings.named(places)) for places in (1, 3, 5)),
        f"{endings.length:.2f}",
        f"{median(endings.asked):g}",
        f"{quantile(endings.asked, 0.95).value:g}",
        f"{100 * capped / len(endings.each):.1f} %",
        f"{100 * fmean(ending.recall for ending in endings.each):.0f}",
        f"{100 * fmean(ending.precision for ending in endings.each):.0f}",
        f"{100 * calibration.claimed:.2f}",
        f"{100 * calibration.error:.2f}",
    )


def by_severity(models: Mapping[str, Measured]) -> Table:
    rows = []
    for name, measured in models.items():
        for label, severities in (("1", (1,)), ("2", (2,)), ("3 to 5", (3, 4, 5))):
            part = measured.stops[JUDGED_AT].of_severity(*severities)
            if part.each:
                first, third = per_cent(part.named(1)), per_cent(part.named(3))
                rows.append((name, label, str(len(part.each)), first, third, f"{part.length:.2f}"))
    return Table(
        f"By severity, of which 1 is the worst; interviews that end at {JUDGED_AT:g}",
        ("", "severity", "patients", "GTPA@1", "GTPA@3", "questions, mean"),
        tuple(rows),
    )


PUBLISHED = (
    ("AARLC, trained on the pathology", "98.86", "99.79", "99.93", "IL 7.27", "DDXPlus paper"),
    ("BASD, trained on the pathology", "96.65", "98.32", "98.34", "IL 17.85", "DDXPlus paper"),
    ("AARLC, on the differential", "61.74", "91.51", "96.6", "IL 14.1", "DDXPlus paper"),
    ("BASD, on the differential", "68.23", "91.35", "96.00", "IL 17.46", "DDXPlus paper"),
    ("AARLC, tuned again", "75.4", "", "", "25.8", "CASANDE paper, second hand"),
    ("MEDDxAgent, GPT-4o", "86", "", "", "15, fixed", "ACL 2025, 100 patients, second hand"),
    ("MEDDxAgent, Llama-70B", "71", "", "", "15, fixed", "ACL 2025, 100 patients, second hand"),
    ("UMLS graph, no training", "83.2", "", "", "13.6", "graph-ddxplus, 134,529 patients"),
    ("the same with Qwen3-8B", "82.1", "", "", "24.8", "graph-ddxplus, 1,000 patients"),
    ("language model and MLP", "87.8", "", "93.9", "6.6", "Billthebest7306, 49 patients"),
    ("Bayesian value of information", "71.4", "", "81.6", "22.4", "Billthebest7306, 49 patients"),
    ("all evidence shown: DDxT", "99.98", "", "", "", "its abstract; accuracy"),
)
"""Of the DDXPlus paper tables 3 and 4."""


def published() -> Table:
    return Table(
        "Published, not measured here, on other patients of the same set; IL counts the complaint"
        " as well, and so is one more than the questions",
        ("system", "GTPA@1", "GTPA@3", "GTPA@5", "length", "source"),
        PUBLISHED,
    )


def bars(counts: Measured, full: Measured, flipped: Measured, unknown: Measured) -> Iterator[Bar]:
    """Yield what was seen beside each bar."""
    shown = full.shown.named(1)
    yield Bar("all evidence shown: first", shown.value, "at least", 0.994, str(shown))
    yield from _pair(COUNTS_ALONE, counts, 0.991, 6.8)
    yield from _pair(EVERYTHING, full, 0.993, 4.7)
    yield from _pair("the same, stretch", full, 0.994, 4.0)
    error = full.stops[0.99].calibration.error
    yield Bar("calibration error at 0.99", error, "at most", 0.01)
    yield from _pair("binary replies flipped", flipped, 0.985, 7.0)
    yield from _pair("replies not known", unknown, 0.989, 6.5)


def _pair(name: str, measured: Measured, first: float, length: float) -> Iterator[Bar]:
    endings = measured.stops[JUDGED_AT]
    named, shown = endings.named(1), measured.shown.named(1)
    note = f"{named}; with all evidence shown {100 * shown.value:.1f} %"
    yield Bar(f"{name}: first", named.value, "at least", first, note)
    yield Bar(f"{name}: questions, mean", endings.length, "at most", length)


def trained_on(trained: Sequence[Patient], measured: Sequence[Patient]) -> list[Patient]:
    """Return the training patients without those that are measured."""
    people = {patient.person for patient in measured}
    return [patient for patient in trained if patient.person not in people]


def run(given: argparse.Namespace) -> None:
    names = (COUNTS, LAST_WRITTEN, EVIDENCES, CONDITIONS)
    release = Release.read([file_in(given.data, name) for name in names])
    oddities = Oddities()
    patients = read_patients(given.patients, release, oddities)
    training = given.training or file_in(given.data, TRAINING)
    trained = read_patients(training, release, Oddities())
    kept = trained_on(trained, patients)
    print(f"{len(patients)} patients of {given.patients.name}; trained on {len(kept)} others.")
    if len(kept) < len(trained):
        print(
            f"WARNING: {len(trained) - len(kept)} of the {len(trained)} training patients are among"
            " those measured and were left out of the training."
        )
    topics = {COUNTS_ALONE: Topic(release, kept, True), EVERYTHING: Topic(release, kept, False)}
    models = {}
    for name, topic in topics.items():
        models[name] = measure(Interviewer(topic, given.floor), patients, oddities)
        title = f"Interviews {name}, floor {given.floor:g}: per cent, 95 % intervals in brackets"
        print(f"\n{table(title, models[name]).markdown()}")
    for what in oddities.sentences():
        print(f"\nNOTE: {what}")
    print(f"\n{by_severity(models).markdown()}")
    seeds = range(given.seed, given.seed + given.draws)
    disturbed = {}
    for label, floor, disturbance in (
        (
            f"{100 * given.flip:g} % of binary replies flipped",
            given.floor_flipped,
            {"flipped": given.flip},
        ),
        (
            f"{100 * given.dont_know:g} % of replies not known",
            given.floor,
            {"unknown": given.dont_know},
        ),
    ):
        draws = [replace(UNDISTURBED, seed=seed, **disturbance) for seed in seeds]
        interviewer = Interviewer(topics[EVERYTHING], floor)
        disturbed[label] = measure(interviewer, patients, Oddities(), draws)
        title = (
            f"{label}, {EVERYTHING}, floor {floor:g}: each patient {len(draws)} times, from seed"
            f" {given.seed}; the intervals take these as so many patients"
        )
        print(f"\n{table(title, disturbed[label]).markdown()}")
    print(f"\n{published().markdown()}")
    print_bars(
        f"DDXPlus: bars, judged at {JUDGED_AT:g}", list(bars(*models.values(), *disturbed.values()))
    )
    if given.record:
        record(
            "ddxplus",
            "DDXPlus",
            f"The first of 49 conditions where an interview ends at 0.99: {len(patients)} patients"
            f" of {given.patients.name}, {EVERYTHING}.",
            models[EVERYTHING].stops[0.99].claims,
        )


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 0 and below 1")
    return value


def _floor(text: str) -> float:
    value = _share(text)
    if value >= MOST_FLOOR:
        raise argparse.ArgumentTypeError(f"{text} is not below {MOST_FLOOR}")
    return value


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench ddxplus", description=__doc__)
    take_folder(parser)
    parser.add_argument(
        "--patients",
        type=Path,
        required=True,
        metavar="FILE",
        help="CSV in the official columns, plain or .gz",
    )
    parser.add_argument(
        "--training",
        type=Path,
        metavar="FILE",
        help=f"patients for age, sex and multiple choices; if none is named {TRAINING}",
    )
    parser.add_argument("--floor", type=_floor, default=FLOOR, help="least chance of a reply")
    parser.add_argument("--floor-flipped", type=_floor, default=FLOOR_IF_FLIPPED)
    parser.add_argument("--flip", type=_share, default=0.05, help="share of binary replies")
    parser.add_argument("--dont-know", type=_share, default=0.20, help="share of all replies")
    parser.add_argument("--draws", type=int, default=DRAWS, help="disturbances of each patient")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="keep the calibration in docs")
    given = parser.parse_args()
    if not given.data.is_dir():  # mostly the other files lie beside the patients
        given.data = given.patients.parent
    print(f"# The engine on DDXPlus\n\n{__doc__}")
    try:
        run(given)
    except Unreadable as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
