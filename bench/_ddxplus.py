"""DDXPlus: its published tables made into knowledge, and its patients read.

What is taken from where. Binary and categorical evidences: the counts over the 1,025,602 training
patients. Travel: the authors' own table, exact, since nobody chose two. The other multiple choices:
that table only says which option of a patient was written last, so their chances are estimated from
it and from a few training patients; age and sex from the latter alone. Nothing is taken from the
patients that are measured.

Source: Fansi Tchango et al., DDXPlus, NeurIPS 2022, CC-BY 4.0.
"""

import ast
import csv
import gzip
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from triage.engine import (
    Chosen,
    Condition,
    ConditionKey,
    Decline,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Number,
    Option,
    OptionKey,
    Reply,
    Settings,
    Urgency,
)

COUNTS = "ddxplus_train_counts.json.gz"
LAST_WRITTEN = "ddxplus_bed_stats_4.json.gz"
EVIDENCES = "ddxplus_release_evidences_en.json.gz"
CONDITIONS = "ddxplus_release_conditions_en.json.gz"
TRAINING = "ddxplus_fewshot_98.csv.gz"
COLUMNS = ("AGE", "SEX", "PATHOLOGY", "EVIDENCES", "INITIAL_EVIDENCE")

AGE, SEX = FeatureKey("age"), FeatureKey("sex")
YES, NO = OptionKey("yes"), OptionKey("no")
SEXES = (OptionKey("F"), OptionKey("M"))
FRENCH = {
    "douleurxx_carac": "E_54",
    "douleurxx_endroitducorps": "E_55",
    "douleurxx_irrad": "E_57",
    "lesions_peau_endroitducorps": "E_133",
    "oedeme_endroitducorps": "E_152",
    "trav1": "E_204",
}
"""The multiple choices in the table of what was written last."""
TRAVEL = "E_204"
REGIONS = {
    "afriqn": "V_0",
    "afriqo": "V_1",
    "afriqss": "V_2",
    "amerc": "V_3",
    "amern": "V_4",
    "amers": "V_5",
    "asie": "V_6",
    "asiesse": "V_7",
    "cara": "V_8",
    "euro": "V_9",
}

LEAST = 1e-9
"""No chance is 0 or 1; what it is worth to be careful is the topic's share of slips."""

# How a list is estimated. Chosen by guessing either training patient's lists from the other's.
STRAY = 0.003  # an option that nothing speaks for
OFTENEST = 0.7  # no listed option is expected more often than this, unless the table shows it
USUAL_SIZE = 3.0  # of a list, weighed as one patient
WEIGHT = 6.0  # of what is expected, in patients
ALWAYS = 0.97  # written last this often: then it is all that is on the list
HIDDEN = 0.05  # written last by a smaller share of those who have it: the table cannot show it

# Ages count by their ratio. Chosen by guessing either training patient's age from the other's.
AGE_SPREAD, AGE_OFFSET, AGE_WEIGHT = 0.6, 2.0, 3.0
AGE_BANDS = (0, 1, 2, 4, 7, 11, 17, 25, 37, 54, 79)
OLDEST = 130
SEX_WEIGHT = 20.0


class Unreadable(Exception):
    """A file is not what it should be; says where."""


@dataclass(frozen=True, slots=True)
class Patient:
    """`evidences` are the values by code; none for a binary evidence that is present."""

    line: int
    age: int
    sex: str
    pathology: ConditionKey
    evidences: Mapping[str, tuple[str, ...]]
    initial: str

    @property
    def person(self) -> tuple[object, ...]:
        """What is the same in two rows about the same patient."""
        present = tuple(sorted((code, tuple(sorted(v))) for code, v in self.evidences.items()))
        return self.age, self.sex, self.pathology, self.initial, present


@dataclass(frozen=True)
class Oddities:
    """What in a file the tables do not know: how often, and on which line first."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, int] = field(default_factory=dict)

    def note(self, what: str, line: int) -> None:
        self.counts[what] += 1
        self.lines.setdefault(what, line)

    def sentences(self) -> Iterator[str]:
        for what, count in self.counts.most_common():
            yield f"{what}: {count} times, first on line {self.lines[what]}."


@dataclass(frozen=True, slots=True)
class Question:
    """One of DDXPlus's evidences. `values` are empty if it is binary; `parent` opens it."""

    code: str
    values: tuple[str, ...]
    several: bool
    default: str
    parent: str | None


def read_json(path: Path) -> Any:
    try:
        return json.loads(plain_bytes(path))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise Unreadable(f"{path} cannot be read: {error}.") from None


def plain_bytes(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


@dataclass(frozen=True)
class Release:
    """The published tables of one folder."""

    counts: Mapping[str, Any]
    last_written: Mapping[str, Any]
    evidences: Mapping[str, Any]
    names: Mapping[str, Any]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Release":
        """Read the four tables, in the order of COUNTS, LAST_WRITTEN, EVIDENCES, CONDITIONS."""
        counts, last_written, evidences, names = map(read_json, paths)
        return cls(counts["conditions"], last_written, evidences, names)

    @cached_property
    def conditions(self) -> tuple[ConditionKey, ...]:
        return tuple(map(ConditionKey, self.counts))

    @cached_property
    def named(self) -> Mapping[str, ConditionKey]:
        """The conditions by their English and their French names."""
        french = {row["cond-name-fr"]: ConditionKey(name) for name, row in self.names.items()}
        return {**french, **{name: name for name in self.conditions}}

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """The evidences by code, whatever opens others first."""
        kinds = {code: row["data_type"] for code, row in self.evidences.items()}
        found = [
            Question(
                code,
                tuple(map(str, row["possible-values"])),
                kinds[code] == "M" and code != TRAVEL,
                str(row["default_value"]),
                self._parent(code, row),
            )
            for code, row in self.evidences.items()
        ]
        parents = {question.parent for question in found}
        return {q.code: q for q in sorted(found, key=lambda q: (q.code not in parents, q.code))}

    def _parent(self, code: str, row: Mapping[str, Any]) -> str | None:
        """Return what has to be present for this to be asked. Five binary evidences name a question
        that the release lacks: they are asked like any other."""
        parent = row["code_question"]
        return parent if parent != code and parent in self.evidences else None

    def present(self, code: str | None, condition: str) -> float:
        """Return P(binary evidence | condition); 1 of no evidence at all."""
        if code is None:
            return 1.0
        row = self.counts[condition]
        return float(row["binary_yes"].get(code, 0) / row["n"])

    def categorical(self, question: Question, condition: str) -> list[float]:
        """Return P(value | condition, parent present), in the order of the values.

        Whoever lacks the parent is counted at the default value; that is also what they would say.
        """
        row = self.counts[condition]
        counts = Counter({str(v): n for v, n in row["categorical"].get(question.code, {}).items()})
        absent = row["n"] * (1 - self.present(question.parent, condition))
        counts[question.default] = max(counts[question.default] - round(absent), 0)
        if not counts.total():
            counts[question.default] = 1
        return [counts[value] / counts.total() for value in question.values]

    def written_last(self, question: Question, condition: str) -> Mapping[str, float]:
        """Return how often each value is a patient's last one, given that the parent is present;
        empty if it never is."""
        share = self.present(question.parent, condition)
        row = dict(self._written.get((question.code, condition), {}))
        if question.parent is not None and question.default in row:
            row[question.default] = max(row[question.default] - (1 - share), 0.0)
        total = sum(row.values())
        if not share or not total:
            return {}
        return {value: part / total for value, part in row.items() if part}

    @cached_property
    def _written(self) -> Mapping[tuple[str, str], Mapping[str, float]]:
        found = {}
        for french, row in self.last_written.items():
            for name, parts in row["findings"].items():
                if name in FRENCH:
                    code = FRENCH[name]
                    shown = {v: part for v, part in parts.items() if part > 1e-6}
                    values = {self._value(code, value): part for value, part in shown.items()}
                    found[code, str(self.named[french])] = values
        return found

    def _value(self, code: str, french: str) -> str:
        """Return the value that the table of what was written last calls so."""
        wanted = _plain(french)
        if code == TRAVEL and wanted in REGIONS:
            return REGIONS[wanted]
        meanings = self.evidences[code]["value_meaning"].items()
        names: dict[str, str] = {_plain(meaning["fr"]): value for value, meaning in meanings}
        if wanted in names:
            return names[wanted]
        longer = [value for name, value in names.items() if wanted.startswith(f"{name}_")]
        if len(longer) != 1:
            raise Unreadable(f"{LAST_WRITTEN}: “{french}” is no value of {code}.")
        return longer[0]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")


def read_patients(path: Path, release: Release, oddities: Oddities) -> list[Patient]:
    """Read patients from a CSV file in the official columns, plain or compressed.

    Codes that the release does not know are left out and noted; so is a patient whose pathology
    or whose every evidence it does not know. Raises Unreadable, with line and column, if the file
    is not in order.
    """
    try:
        text = plain_bytes(path).decode("utf-8-sig")
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}.") from None
    except (EOFError, ValueError, zlib.error) as error:
        raise Unreadable(f"{path} cannot be read: {error}.") from None
    csv.field_size_limit(len(text) + 1)
    reader = csv.DictReader(StringIO(text, newline=""))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise Unreadable(f"{path} has no column {', '.join(missing)}.")
    patients = []
    try:
        for row in reader:
            patient = _patient(row, _Place(path, reader.line_num), release, oddities)
            if patient is not None:
                patients.append(patient)
    except csv.Error as error:
        raise Unreadable(f"{path}, line {reader.line_num}: {error}.") from None
    if not patients:
        raise Unreadable(
            f"{path} holds no patient with a pathology and an evidence that are known."
        )
    return patients


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    line: int

    def fault(self, column: str, what: str) -> Unreadable:
        return Unreadable(f"{self.path}, line {self.line}, column {column}: {what}.")


def _patient(
    row: Mapping[str, Any], place: _Place, release: Release, oddities: Oddities
) -> Patient | None:
    for column in COLUMNS:
        if not isinstance(row[column], str):
            raise place.fault(column, "there is nothing")
    try:
        age = int(float(row["AGE"]))
    except (ValueError, OverflowError):
        raise place.fault("AGE", f"“{row['AGE']}” is no number") from None
    if age < 0:
        raise place.fault("AGE", f"{age} is below 0")
    if (sex := row["SEX"].strip().upper()) not in SEXES:
        raise place.fault("SEX", f"“{row['SEX']}” is neither F nor M")
    evidences = _evidences(row["EVIDENCES"], place, release, oddities)
    pathology = release.named.get(row["PATHOLOGY"].strip())
    if pathology is None:
        oddities.note(f"patient left out, no pathology “{row['PATHOLOGY']}”", place.line)
        return None
    if not evidences:
        oddities.note("patient left out, of whose evidences none is known", place.line)
        return None
    initial = row["INITIAL_EVIDENCE"].strip().partition("_@_")[0]
    if initial not in release.questions:
        oddities.note(f"initial evidence left out, no “{row['INITIAL_EVIDENCE']}”", place.line)
        initial = ""
    return Patient(place.line, min(age, OLDEST), sex, pathology, evidences, initial)


def _evidences(
    text: str, place: _Place, release: Release, oddities: Oddities
) -> Mapping[str, tuple[str, ...]]:
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        try:
            listed = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise place.fault("EVIDENCES", "this is no list") from None
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise place.fault("EVIDENCES", "this is no list of codes")
    found: dict[str, tuple[str, ...]] = {}
    for each in listed:
        code, _, value = each.strip().partition("_@_")
        question = release.questions.get(code)
        if question is None or (question.values and value not in question.values):
            oddities.note(f"evidence left out, no “{each}”", place.line)
        elif not question.values:
            found[code] = ()
        elif value not in found.get(code, ()):
            found[code] = (*found.get(code, ()), value)
    return found


@dataclass(frozen=True)
class Topic:
    """The release as a topic. `trained` are the patients for lists, age and sex; without any of
    these three, `counts_alone`, they are not used."""

    release: Release
    trained: Sequence[Patient]
    counts_alone: bool

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """What is asked, by code."""
        return {
            code: question
            for code, question in self.release.questions.items()
            if not (self.counts_alone and (question.several or code == TRAVEL))
        }

    def knowledge(self, settings: Settings) -> Knowledge:
        release = self.release
        total = sum(row["n"] for row in release.counts.values())
        likelihoods: dict[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood] = {}
        for feature, chances in self._chances.items():
            for option, row in chances.items():
                for condition, chance in zip(release.conditions, row, strict=True):
                    likelihoods[condition, feature, option] = Likelihood(chance)
        return Knowledge(
            conditions=[
                # All alike, so that no question is asked but to tell them apart
                Condition(key, row["n"] / total, Urgency.SELF_CARE, raise_at=1.0)
                for key, row in zip(release.conditions, release.counts.values(), strict=True)
            ],
            features=[self._feature(key) for key in self._chances],
            rules=(),
            likelihoods=likelihoods,
            settings=settings,
        )

    def _feature(self, key: FeatureKey) -> Feature:
        if key == AGE:
            ends = [first - 1 for first in AGE_BANDS[1:]] + [OLDEST]
            bands = zip(AGE_BANDS, ends, strict=True)
            options = [Option(_band(low), low=low, high=high) for low, high in bands]
            return Feature(key, Kind.NUMBER, tuple(options), low=0, high=OLDEST)
        options = [Option(option) for option in self._chances[key]]
        if key == SEX:
            return Feature(key, Kind.SINGLE, tuple(options))
        question = self.questions[key]
        gate = f"{question.parent} == '{YES}'" if question.parent else ""
        kind = Kind.MULTI if question.several else Kind.SINGLE
        return Feature(key, kind, tuple(options), asked_if=gate)

    @cached_property
    def _chances(self) -> Mapping[FeatureKey, Mapping[OptionKey, Sequence[float]]]:
        """P(option | condition) by feature and option, in the order of the conditions."""
        found: dict[FeatureKey, Mapping[OptionKey, Sequence[float]]] = {}
        if not self.counts_alone:
            found[AGE] = self._ages()
            found[SEX] = self._sexes()
        for code, question in self.questions.items():
            found[FeatureKey(code)] = self._answers(question)
        return found

    def _answers(self, question: Question) -> Mapping[OptionKey, Sequence[float]]:
        release, conditions = self.release, self.release.conditions
        if not question.values:
            yes = [release.present(question.code, condition) for condition in conditions]
            return _singles((YES, NO), [[chance, 1 - chance] for chance in yes])
        if question.several:
            return self._lists(question)
        if question.code == TRAVEL:
            last = [release.written_last(question, condition) for condition in conditions]
            rows = [[row.get(value, 0.0) for value in question.values] for row in last]
        else:
            rows = [release.categorical(question, condition) for condition in conditions]
        return _singles(question.values, rows)

    def _lists(self, question: Question) -> Mapping[OptionKey, Sequence[float]]:
        """Return the estimated chances of the values that the table or a training patient knows."""
        conditions, seen = self.release.conditions, self._trained_lists(question.code)
        rows = {c: self.release.written_last(question, c) for c in conditions}
        had = Counter(value for lists in seen.values() for each in lists for value in each)
        written: dict[str, float] = defaultdict(float)
        for condition, lists in seen.items():
            for value, part in rows[condition].items():
                written[value] += len(lists) * part
        everybody = sum(map(len, seen.values()))
        unseen = {
            value: count / everybody
            for value, count in had.items()
            if written[value] < HIDDEN * count
        }
        known = {question.default, *had}.union(*rows.values())
        return {
            OptionKey(value): [
                estimated(value, question.default, rows[condition], seen[condition], unseen)
                for condition in conditions
            ]
            for value in question.values
            if value in known
        }

    def _trained_lists(self, code: str) -> Mapping[ConditionKey, list[tuple[str, ...]]]:
        found: dict[ConditionKey, list[tuple[str, ...]]] = {c: [] for c in self.release.conditions}
        for patient in self.trained:
            if code in patient.evidences:
                found[patient.pathology].append(patient.evidences[code])
        return found

    def _ages(self) -> Mapping[OptionKey, Sequence[float]]:
        """Return P(age band | condition), smoothed over the logarithm of age.

        Without a training patient all ages are alike.
        """
        ends = [*AGE_BANDS, AGE_BANDS[-1] + 30]
        ages = np.arange(ends[-1])
        near = np.zeros((len(self.trained), len(ages)))
        for row, patient in zip(near, self.trained, strict=True):
            gaps = np.log(ages + AGE_OFFSET) - np.log(patient.age + AGE_OFFSET)
            row += np.exp(-0.5 * (gaps / AGE_SPREAD) ** 2)
        near /= near.sum(axis=1, keepdims=True)
        usual = near.mean(axis=0) if self.trained else np.full(len(ages), 1 / len(ages))
        rows = []
        for condition in self.release.conditions:
            own = near[[patient.pathology == condition for patient in self.trained]]
            chances = (own.sum(axis=0) + AGE_WEIGHT * usual) / (len(own) + AGE_WEIGHT)
            rows.append([float(chances[low:high].sum()) for low, high in pairwise(ends)])
        return _singles([_band(low) for low in AGE_BANDS], rows)

    def _sexes(self) -> Mapping[OptionKey, Sequence[float]]:
        counts = Counter((patient.pathology, patient.sex) for patient in self.trained)
        of_all = Counter(patient.sex for patient in self.trained)
        rows = []
        for condition in self.release.conditions:
            own = [counts[condition, sex] for sex in SEXES]
            usual = [(of_all[sex] + 1) / (of_all.total() + len(SEXES)) for sex in SEXES]
            weight = sum(own) + SEX_WEIGHT
            pairs = zip(own, usual, strict=True)
            rows.append([(count + SEX_WEIGHT * share) / weight for count, share in pairs])
        return _singles(SEXES, rows)


def _band(low: int) -> OptionKey:
    return OptionKey(f"from_{low}")


def _singles(
    values: Sequence[str], rows: Sequence[Sequence[float]]
) -> Mapping[OptionKey, Sequence[float]]:
    """Return the chances by value, none of them 0 or 1. `rows` are by condition."""
    table = np.clip(np.array(rows), LEAST, 1 - LEAST)
    table /= table.sum(axis=1, keepdims=True)
    return {OptionKey(v): column.tolist() for v, column in zip(values, table.T, strict=True)}


def estimated(
    value: str,
    default: str,
    last: Mapping[str, float],
    lists: Collection[tuple[str, ...]],
    unseen: Mapping[str, float],
) -> float:
    """Return P(value is on the list | condition).

    value    of which `default` stands for none
    last     how often each is written last; empty if the condition has no such list
    lists    of training patients with the condition
    unseen   how common the values are that the table cannot show
    """
    if not last:
        expected = 1.0 if value == default else 0.0
    elif value == default or max(last.values()) > ALWAYS:
        expected = last.get(value, 0.0)
    elif value in last:
        size = (USUAL_SIZE + sum(map(len, lists))) / (1 + len(lists))
        expected = max(min(size / len(last), OFTENEST), last[value])
    else:
        expected = unseen.get(value, 0.0)
    hits = sum(value in each for each in lists)
    return (WEIGHT * min(max(expected, STRAY), 1 - STRAY) + hits) / (WEIGHT + len(lists))


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Shares of binary replies that are turned round, and of all replies that are not known.

    The same seed disturbs the same replies of the same patient.
    """

    flipped: float = 0.0
    unknown: float = 0.0
    seed: int = 1


UNDISTURBED = Disturbance()


@dataclass(frozen=True)
class Case:
    """A patient as somebody who replies: what is given at first, and every reply there is."""

    patient: Patient
    given: Evidence
    whole: Evidence


def case_of(
    topic: Topic,
    knowledge: Knowledge,
    patient: Patient,
    oddities: Oddities,
    disturbance: Disturbance = UNDISTURBED,
) -> Case:
    """Return the case. Age, sex and the initial complaint are given, with what opens it, and never
    disturbed."""
    first: list[tuple[FeatureKey, Reply]] = []
    if not topic.counts_alone:
        first = [(AGE, Number(patient.age)), (SEX, Chosen(frozenset({OptionKey(patient.sex)})))]
    complaint = topic.questions.get(patient.initial)
    if complaint is not None:
        opened = [complaint.parent] if complaint.parent else []
        codes = [*opened, *([] if complaint.values else [complaint.code])]
        first.extend((FeatureKey(code), Chosen(frozenset({YES}))) for code in codes)
        if complaint.values:
            key = FeatureKey(complaint.code)
            first.append((key, _reply(complaint, knowledge.feature(key), patient, oddities)))
    chance = np.random.default_rng([disturbance.seed, patient.line])
    replies = dict(first)
    for code in topic.release.questions:
        turn, forget = chance.random(), chance.random()  # drawn of all, so that no topic moves them
        key, question = FeatureKey(code), topic.questions.get(code)
        if question is None or key in replies:
            continue
        reply = _reply(question, knowledge.feature(key), patient, oddities)
        if not question.values and turn < disturbance.flipped:
            reply = Chosen(frozenset({NO if code in patient.evidences else YES}))
        if forget < disturbance.unknown:
            reply = Declined(Decline.DONT_KNOW)
        replies[key] = reply
    return Case(patient, Evidence(first), Evidence(replies.items()))


def _reply(question: Question, feature: Feature, patient: Patient, oddities: Oddities) -> Reply:
    """Return what the patient says; whoever has none of the values has the default one.

    Values that neither the tables nor a training patient know tell nothing.
    """
    if not question.values:
        return Chosen(frozenset({YES if question.code in patient.evidences else NO}))
    said = patient.evidences.get(question.code, (question.default,))
    known = [OptionKey(value) for value in said if feature.has(OptionKey(value))]
    if not known:
        return Declined(Decline.DONT_KNOW)
    if len(known) > 1 and not question.several:
        oddities.note(f"read as not known, several values of {question.code}", patient.line)
        return Declined(Decline.DONT_KNOW)
    return Chosen(frozenset(known))
