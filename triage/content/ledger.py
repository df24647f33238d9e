"""The evidence ledger: every number and every rule of a topic, and what it rests on.

Read from the drafts in a number of queries that does not grow with them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import TextChoices
from django.urls import reverse

from .choices import Basis, Urgency
from .models import (
    Condition,
    Likelihood,
    Option,
    RedFlag,
    RiskGroup,
    Source,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
    Topic,
)
from .reviews import Standing, standings_of


class Sort(TextChoices):
    """What an entry is: all of them numbers but the last."""

    PRIOR = "prior", "Prior"
    LIKELIHOOD = "likelihood", "Likelihood"
    CHANCE = "chance", "Chance of a syndrome"
    MEMBER = "member", "Sign of a syndrome"
    THRESHOLD = "threshold", "Risk threshold"
    GROUP = "group", "Risk threshold of a group"
    RULE = "rule", "Rule"


class ReviewState(TextChoices):
    """How the review of an entry stands."""

    IN_TIME = "in_time", "Reviewed, in time"
    CHANGED = "changed", "Changed since its review"
    OVERDUE = "overdue", "Review overdue"
    NEVER = "never", "Never reviewed"


def review_of(standing: Standing | None, today: date) -> ReviewState:
    if standing is None:
        return ReviewState.NEVER
    if standing.is_overdue(today):
        return ReviewState.OVERDUE
    return ReviewState.CHANGED if standing.is_of_before else ReviewState.IN_TIME


@dataclass(frozen=True, slots=True)
class Entry:
    """One number, or one rule.

    place      what a review of it names: the row that it belongs to
    value      as the row has it: a probability, per cent, or the urgency of a rule
    basis      empty where the row has none: thresholds and rules name sources only
    sources    by key; of a threshold, a prior and a rule those of the whole row
    is_signed  None where the row has no box for the sign-off
    """

    sort: Sort
    place: str
    what: str
    value: str
    basis: str
    sources: tuple[str, ...]
    sample_size: int | None
    note: str
    paragraph: str
    condition: str
    feature: str
    is_signed: bool | None
    field: tuple[str, int, str]
    standing: Standing | None

    @property
    def address(self) -> str:
        """The field in the admin."""
        model, pk, field = self.field
        anchor = field if field.endswith("-group") else f"id_{field}"
        return reverse(f"admin:content_{model}_change", args=[pk]) + f"#{anchor}"

    def review(self, today: date) -> ReviewState:
        return review_of(self.standing, today)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some numbers rest on what. Counted are those that have a basis."""

    name: str
    key: str
    study: int
    guideline: int
    estimate: int

    @property
    def total(self) -> int:
        return self.study + self.guideline + self.estimate


@dataclass(frozen=True, slots=True)
class Ledger:
    """Entries by sort, and then in the order of the content; names by key."""

    entries: tuple[Entry, ...]
    conditions: Mapping[str, str]
    features: Mapping[str, str]
    sources: Mapping[str, Source]

    def share(self) -> Share:
        return _share("All numbers", "", self.entries)

    def by_condition(self) -> list[Share]:
        return [
            _share(name, key, [e for e in self.entries if e.condition == key])
            for key, name in self.conditions.items()
        ]

    def by_feature(self) -> list[Share]:
        return [
            _share(name, key, [e for e in self.entries if e.feature == key])
            for key, name in self.features.items()
        ]


def _share(name: str, key: str, entries: Iterable[Entry]) -> Share:
    bases = Counter(entry.basis for entry in entries)
    return Share(name, key, bases[Basis.STUDY], bases[Basis.GUIDELINE], bases[Basis.ESTIMATE])


def ledger_of(topic: Topic) -> Ledger:
    conditions = {row.pk: row for row in topic.conditions.all()}
    features = dict(topic.features.values_list("key", "name"))
    answers = _Answers(topic)
    reading = _Reading(topic, conditions, answers)
    return Ledger(
        entries=(
            *reading.priors(),
            *reading.likelihoods(),
            *reading.chances(),
            *reading.members(),
            *reading.thresholds(),
            *reading.groups(),
            *reading.rules(),
        ),
        conditions={row.key: row.plain_name for row in conditions.values()},
        features=features,
        sources={source.key: source for source in Source.objects.all()},
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    feature: str
    words: str
    place: tuple[int, int]


class _Answers(dict[int, _Answer]):
    """Every answer of a topic in words, with the question that it is of, by its id."""

    def __init__(self, topic: Topic) -> None:
        rows = Option.objects.filter(feature__topic=topic).values_list(
            "pk", "feature__key", "feature__name", "text", "feature__order", "order"
        )
        super().__init__(
            (pk, _Answer(feature, f"{name}: “{text}”", (first, then)))
            for pk, feature, name, text, first, then in rows
        )


class _Reading:
    """Reads the rows of one topic as entries."""

    def __init__(
        self, topic: Topic, conditions: Mapping[int, Condition], answers: Mapping[int, _Answer]
    ) -> None:
        self._topic = topic
        self._conditions = conditions
        self._rank = {pk: rank for rank, pk in enumerate(conditions)}
        self._answers = answers
        self._standings = standings_of(topic)
        self._sources_of_conditions = _named(
            Condition.sources.through.objects.filter(condition__topic=topic).values_list(
                "condition", "source__key"
            )
        )

    def _of_condition(self, row: Condition) -> dict[str, object]:
        place = f"conditions/{row.key}"
        return {
            "place": place,
            "sources": self._sources_of_conditions.get(row.pk, ()),
            "condition": row.key,
            "paragraph": row.document_paragraph,
            "is_signed": not row.needs_clinical_sign_off,
            "standing": self._standings.get(place),
        }

    def priors(self) -> Iterator[Entry]:
        for row in self._conditions.values():
            if row.prior_percent is not None:
                yield _entry(
                    **self._of_condition(row),
                    sort=Sort.PRIOR,
                    what=f"{row.plain_name}: of 100 with this complaint",
                    value=f"{row.prior_percent:g} %",
                    basis=row.prior_basis,
                    field=("condition", row.pk, "prior_percent"),
                )

    def thresholds(self) -> Iterator[Entry]:
        for row in self._conditions.values():
            if row.raise_at_percent is not None:
                yield _entry(
                    **self._of_condition(row),
                    sort=Sort.THRESHOLD,
                    what=f"{row.plain_name}: raises to “{row.get_urgency_display()}”",
                    value=f"{row.raise_at_percent:g} %",
                    field=("condition", row.pk, "raise_at_percent"),
                )

    def likelihoods(self) -> Iterator[Entry]:
        rows = Likelihood.objects.filter(condition__topic=self._topic).values_list(
            "pk",
            "condition",
            "option",
            "probability",
            "basis",
            "source__key",
            "sample_size",
            "note",
            "document_paragraph",
        )
        known = (row for row in rows if row[2] in self._answers)
        for pk, condition, option, number, basis, source, size, note, paragraph in sorted(
            known, key=lambda row: (self._rank[row[1]], self._answers[row[2]].place)
        ):
            of = self._conditions[condition]
            answer = self._answers[option]
            yield _entry(
                **self._of_condition(of)
                | {"sources": (source,) if source else (), "paragraph": paragraph},
                sort=Sort.LIKELIHOOD,
                what=f"{of.plain_name}: {answer.words}",
                value=f"{number:g}",
                basis=basis,
                sample_size=size,
                note=note,
                feature=answer.feature,
                field=("likelihood", pk, "probability"),
            )

    def _of_syndrome(self, row: Syndrome) -> dict[str, object]:
        place = f"syndromes/{row.key}"
        return {
            "place": place,
            "paragraph": row.document_paragraph,
            "is_signed": not row.needs_clinical_sign_off,
            "standing": self._standings.get(place),
        }

    def chances(self) -> Iterator[Entry]:
        rows = SyndromeChance.objects.filter(syndrome__topic=self._topic)
        for row in rows.select_related("syndrome", "source").order_by("syndrome__key", "pk"):
            if of := self._conditions.get(row.condition_id):
                yield _entry(
                    **self._of_syndrome(row.syndrome),
                    sort=Sort.CHANCE,
                    what=f"{of.plain_name}: brings “{row.syndrome.plain_name}”",
                    value=f"{row.probability:g}",
                    basis=row.basis,
                    sources=(row.source.key,) if row.source else (),
                    note=row.note,
                    condition=of.key,
                    field=("syndrome", row.syndrome_id, "chances-group"),
                )

    def members(self) -> Iterator[Entry]:
        rows = SyndromeMember.objects.filter(syndrome__topic=self._topic)
        for row in rows.select_related("syndrome", "source").order_by("syndrome__key", "pk"):
            if answer := self._answers.get(row.option_id):
                of = self._conditions.get(row.condition_id) if row.condition_id else None
                with_what = f", with {of.plain_name}" if of else ""
                yield _entry(
                    **self._of_syndrome(row.syndrome),
                    sort=Sort.MEMBER,
                    what=f"{row.syndrome.plain_name}{with_what}: {answer.words}",
                    value=f"{row.probability:g}",
                    basis=row.basis,
                    sources=(row.source.key,) if row.source else (),
                    note=row.note,
                    condition=of.key if of else "",
                    feature=answer.feature,
                    field=("syndrome", row.syndrome_id, "members-group"),
                )

    def groups(self) -> Iterator[Entry]:
        sources = _named(
            RiskGroup.sources.through.objects.filter(riskgroup__topic=self._topic).values_list(
                "riskgroup", "source__key"
            )
        )
        for row in self._topic.risk_groups.all():
            place = f"risk_groups/{row.key}"
            yield _entry(
                sort=Sort.GROUP,
                place=place,
                what=f"{row.name}: raises to “{row.get_urgency_display()}”",
                value=f"{row.raise_at_percent:g} %",
                sources=sources.get(row.pk, ()),
                field=("riskgroup", row.pk, "raise_at_percent"),
                standing=self._standings.get(place),
            )

    def rules(self) -> Iterator[Entry]:
        sources = _named(
            RedFlag.sources.through.objects.filter(redflag__topic=self._topic).values_list(
                "redflag", "source__key"
            )
        )
        for row in self._topic.red_flags.all():
            place = f"red_flags/{row.key}"
            yield _entry(
                sort=Sort.RULE,
                place=place,
                what=row.title,
                value=Urgency(row.urgency).label,
                sources=sources.get(row.pk, ()),
                note=row.plain_rule,
                paragraph=row.document_paragraph,
                is_signed=not row.needs_clinical_sign_off,
                field=("redflag", row.pk, "rule"),
                standing=self._standings.get(place),
            )


def _entry(**fields: object) -> Entry:
    empty: dict[str, object] = {
        "basis": "",
        "sources": (),
        "sample_size": None,
        "note": "",
        "paragraph": "",
        "condition": "",
        "feature": "",
        "is_signed": None,
        "standing": None,
    }
    return Entry(**(empty | fields))  # type: ignore[arg-type] # each has the type of its field


def _named(rows: Iterable[tuple[int, str]]) -> dict[int, tuple[str, ...]]:
    named: dict[int, list[str]] = {}
    for pk, source in rows:
        named.setdefault(pk, []).append(source)
    return {pk: tuple(sorted(keys)) for pk, keys in named.items()}


# What somebody looks for


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty: any."""

    sort: str = ""
    condition: str = ""
    feature: str = ""
    basis: str = ""
    source: str = ""
    standing: str = ""


NO_BASIS = "none"
NO_SOURCE = "-"
UNSIGNED = "unsigned"


def found(entries: Sequence[Entry], wanted: Wanted, today: date) -> list[Entry]:
    return [entry for entry in entries if _fits(entry, wanted, today)]


def _fits(entry: Entry, wanted: Wanted, today: date) -> bool:
    return (
        wanted.sort in ("", entry.sort)
        and wanted.condition in ("", entry.condition)
        and wanted.feature in ("", entry.feature)
        and wanted.basis in ("", entry.basis or NO_BASIS)
        and (not wanted.source or wanted.source in (entry.sources or (NO_SOURCE,)))
        and _stands(entry, wanted.standing, today)
    )


def _stands(entry: Entry, wanted: str, today: date) -> bool:
    if wanted == UNSIGNED:
        return entry.is_signed is False
    return wanted in ("", entry.review(today))
