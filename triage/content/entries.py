"""Likelihoods as somebody types them: compared with what is stored and live, and written together.

An `Entry` is one likelihood on a page, as it is stored, live and typed. What nobody touched is not
written, so a page that was opened long ago undoes nobody's work; what somebody else has changed
since is refused once, and shown.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2s
from typing import Any, NamedTuple

from django import forms
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .choices import Basis, Kind
from .jumps import SOURCE, jumps, lacking, moved, to_be_filled_in
from .models import Condition, Feature, Likelihood, Option, Release, Source, Topic
from .paragraphs import named_in, paragraphs_of
from .releases import NothingPublished, live_release
from .sums import Total, added_up, in_proportion, number_of

FIELDS = ("probability", "basis", "source", "sample_size", "note", "document_paragraph")
TOLD = 5
ALL_PEOPLE = 1_000_000_000
EXAMPLE = "Write it with a point, such as 0.6."


class LiveNumber(NamedTuple):
    probability: float
    note: str


@dataclass(frozen=True, slots=True)
class Live:
    """The numbers of the release that is live: likelihoods by condition, feature and option; the
    priors of conditions in per cent. Without a release there are none."""

    likelihoods: Mapping[tuple[str, str, str], LiveNumber]
    priors: Mapping[str, float]


def live_numbers(topic: Topic) -> Live:
    try:
        release = live_release(topic.key)
    except NothingPublished:
        return Live({}, {})
    return _numbers_of(release.pk, release.sha256)


@lru_cache(maxsize=4)
def _numbers_of(release_id: int, sha256: str) -> Live:
    """Read the numbers of a release, which never changes: its document is some 900 kB."""
    document = json.loads(Release.objects.values_list("document", flat=True).get(pk=release_id))
    return Live(
        likelihoods={
            (row["condition"][1], row["option"][1], row["option"][2]): LiveNumber(
                row["probability"], row["note"]
            )
            for row in document["likelihoods"]
        },
        priors={
            row["key"]: row["prior_percent"]
            for row in document["conditions"]
            if row["prior_percent"] is not None
        },
    )


def typed_in(post: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands in the boxes of a post."""
    return {name: str(text) for name, text in post.items()}


def sources_by_key() -> dict[str, Source]:
    return {source.key: source for source in Source.objects.all()}


class EntryForm(forms.Form):
    """Says what is wrong with one line before the database refuses it."""

    probability = forms.FloatField(
        error_messages={
            "required": f"Write a number above 0 and below 1. {EXAMPLE}",
            "invalid": f"This is no number. {EXAMPLE}",
        }
    )
    basis = forms.ChoiceField(
        choices=Basis, error_messages={"required": "Choose where the number is from."}
    )
    source = forms.CharField(required=False)
    sample_size = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=ALL_PEOPLE,
        error_messages={"invalid": "Write how many people as a whole number, or leave it empty."},
    )
    note = forms.CharField(required=False)
    document_paragraph = forms.CharField(required=False)

    def __init__(
        self,
        typed: Mapping[str, str],
        *,
        sources: Mapping[str, Source],
        live: LiveNumber | None,
        stored: float | None,
    ) -> None:
        super().__init__(typed)
        self._sources = sources
        self._live = live
        self._stored = stored

    def clean_probability(self) -> float:
        probability: float = self.cleaned_data["probability"]
        if not 0 < probability < 1:
            raise forms.ValidationError(
                "A probability lies above 0 and below 1: nine in ten is 0.9, not 9 or 90."
            )
        return probability

    def clean_source(self) -> Source | None:
        key = self.cleaned_data["source"]
        if not key:
            return None
        if key not in self._sources:
            raise forms.ValidationError(
                f"No source has the key “{key}”. Choose one from the list that opens as you type;"
                " a new one is first written under Sources."
            )
        return self._sources[key]

    def clean(self) -> None:
        said = self.cleaned_data
        basis = said.get("basis")
        if basis and basis != Basis.ESTIMATE and "source" in said and not said["source"]:
            self.add_error("source", "A number from a study or a guideline names its source.")
        if said.get("sample_size") and basis and basis != Basis.STUDY:
            self.add_error("sample_size", "Only a number from a study has a number of people.")
        if "probability" in said and said["probability"] != self._stored:
            self._explain_jump(said["probability"])

    def _explain_jump(self, probability: float) -> None:
        if self._live is None or not jumps(self._live.probability, probability):
            return
        said = self.cleaned_data
        named = bool(said.get("source")) or "source" in self.errors
        lacks = lacking(self._live.note, said.get("note", ""), has_source=named)
        if lacks:
            what = moved(self._live.probability, probability)
            at = "source" if SOURCE in lacks else "note"
            self.add_error(at, f"{what} {to_be_filled_in(lacks)}")


@dataclass(slots=True)
class Entry:
    """One likelihood on a page.

    texts   its fields as they are stored
    shown   the fields that the page has a box for
    typed   what stands in them
    seen    a mark of what stood in them when the page was made
    common  what is typed once for all entries that are touched, by field
    errors  what is wrong, by field
    """

    condition: Condition
    option: Option
    stored: Likelihood | None
    texts: Mapping[str, str]
    sources: Mapping[str, Source]
    live: LiveNumber | None
    name: str
    shown: tuple[str, ...]
    typed: dict[str, str] = field(default_factory=dict)
    seen: str = ""
    common: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    cleaned: dict[str, Any] = field(default_factory=dict)

    def read(self, posted: Mapping[str, str] | None) -> None:
        """Take what was typed; what has no box in the post is as it is stored."""
        stored, now = self.texts, self.mark
        posted = posted or {}
        self.seen = posted.get(f"seen-{self.id}", now)
        self.typed = {
            name: posted.get(f"{name}-{self.id}", stored[name]).replace("\r\n", "\n").strip()
            for name in self.shown
        }
        if not self.touched:
            self.typed = {name: stored[name] for name in self.shown}
        if self._marked(self.typed) == now:  # somebody else has made the same change
            self.seen = now

    @property
    def id(self) -> str:
        """What ends the names of its boxes."""
        return f"{self.condition.pk}-{self.option.pk}"

    @property
    def mark(self) -> str:
        """A mark of what is stored, as far as the page shows it."""
        return self._marked(self.texts)

    @property
    def touched(self) -> bool:
        return self._marked(self.typed) != self.seen

    @property
    def is_new(self) -> bool:
        return self.stored is None

    @property
    def all_errors(self) -> list[tuple[str, str]]:
        """Return the id of the box and the sentence of each error."""
        return [
            (f"{name}-{self.id}" if name in self.shown else f"id_{name}", what)
            for name, errors in self.errors.items()
            for what in errors
        ]

    @property
    def said(self) -> list[str]:
        return [what for _, what in self.all_errors]

    @property
    def differs(self) -> bool:
        """Whether what is typed is another number than what is live."""
        return self.live is not None and number_of(self.typed["probability"]) != (
            self.live.probability
        )

    @property
    def live_text(self) -> str:
        return repr(self.live.probability) if self.live else ""

    @property
    def warning(self) -> str:
        """What is still to be filled in for a number that was moved far before now."""
        row = self.stored
        if not row or not self.live or not jumps(self.live.probability, row.probability):
            return ""
        lacks = lacking(self.live.note, row.note, has_source=row.source_id is not None)
        if not lacks:
            return ""
        return f"{moved(self.live.probability, row.probability)} {to_be_filled_in(lacks)}"

    @property
    def change(self) -> str:
        before, after = self.texts["probability"] or "empty", repr(self.cleaned["probability"])
        return f"{self.name}: {before if before == after else f'{before} → {after}'}"

    def check(self) -> None:
        """Find what is wrong with what was typed."""
        if not self.touched:
            return
        if self.mark != self.seen:
            now = "; ".join(self.texts[name] for name in self.shown if self.texts[name])
            what = (
                f"Somebody has changed this since you opened the page. It is now: {now or 'empty'}."
            )
            self.errors = {"probability": [f"{what} Save again if yours is to stand."]}
            self.seen = self.mark
            return
        form = EntryForm(
            {**self.texts, **self._common_texts(), **self.typed},
            sources=self.sources,
            live=self.live,
            stored=self.stored.probability if self.stored else None,
        )
        self.errors = {name: [str(each) for each in found] for name, found in form.errors.items()}
        self.cleaned = form.cleaned_data

    def write(self) -> None:
        row = self.stored or Likelihood(condition=self.condition, option=self.option)
        for name, value in self.cleaned.items():
            setattr(row, name, value)
        row.save()

    def _common_texts(self) -> dict[str, str]:
        """Another source, or another basis, did not count the people of the one before."""
        common = {name: text for name, text in self.common.items() if text}
        if {"basis", "source"} & common.keys():
            common["sample_size"] = ""
        return common

    def _marked(self, texts: Mapping[str, str]) -> str:
        joined = "\x1f".join(texts[name] for name in self.shown)
        return blake2s(joined.encode(), digest_size=6).hexdigest()


def texts_of(row: Likelihood | None, keys: Mapping[int, str]) -> dict[str, str]:
    """Return the fields of a likelihood as they stand in boxes; `keys` names the sources."""
    if row is None:
        return dict.fromkeys(FIELDS, "") | {"basis": Basis.ESTIMATE.value}
    return {
        "probability": repr(row.probability),
        "basis": row.basis,
        "source": keys[row.source_id] if row.source_id else "",
        "sample_size": "" if row.sample_size is None else str(row.sample_size),
        "note": row.note.replace("\r\n", "\n").strip(),
        "document_paragraph": row.document_paragraph.strip(),
    }


@dataclass(slots=True)
class Group:
    """The likelihoods that one condition has with the answers to one question."""

    condition: Condition
    feature: Feature
    entries: list[Entry]
    quotes: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Total | None:
        """What they add up to; several answers may hold at once, and then nothing has to."""
        if self.feature.kind == Kind.MULTI:
            return None
        return added_up(entry.typed["probability"] for entry in self.entries)

    @property
    def suggestion(self) -> str:
        """What the numbers that are as they are live would be, if the others stay as typed."""
        if not self.is_wrong:
            return ""
        moved = in_proportion(
            [entry.typed["probability"] for entry in self.entries],
            [entry.live.probability if entry.live else None for entry in self.entries],
        )
        return "; ".join(f"{self.entries[n].option.text} {moved[n]!r}" for n in sorted(moved))

    @property
    def columns(self) -> int:
        """How many columns a table has whose lines are such groups."""
        return len(self.entries) + (1 if self.feature.kind == Kind.MULTI else 2)

    @property
    def is_wrong(self) -> bool:
        return bool(self.total and not self.total.right)

    @property
    def is_open(self) -> bool:
        """Whether there is something to look at."""
        return self.is_wrong or any(
            entry.errors or entry.differs or entry.is_new or entry.touched for entry in self.entries
        )

    @property
    def boxes(self) -> str:
        """The names of the boxes that hold its numbers, and of the token that a post needs."""
        names = [f"probability-{entry.id}" for entry in self.entries]
        return ",".join(["csrfmiddlewaretoken", *names])

    @property
    def sources(self) -> list[Source]:
        """The sources that its numbers name, each once."""
        used = {entry.typed.get("source", "") for entry in self.entries}
        known = self.entries[0].sources if self.entries else {}
        return [known[key] for key in sorted(used) if key in known]


class Table:
    """All likelihoods of one condition, or of one question, on one page."""

    def __init__(self, groups: Sequence[Group], sources: Mapping[str, Source], live: Live) -> None:
        self.groups = groups
        self.sources = sources
        self.live = live

    @property
    def entries(self) -> Iterator[Entry]:
        return (entry for group in self.groups for entry in group.entries)

    @property
    def touched(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.touched]

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """Return for each error the id of its box, the number's name and the sentence."""
        return [
            (box, entry.name, what)
            for entry in self.entries
            if entry.errors
            for box, what in entry.all_errors
        ]

    def check(self) -> bool:
        for entry in self.entries:
            entry.check()
        return not any(entry.errors for entry in self.entries)

    def write(self) -> list[Entry]:
        """Write what was touched, once `check` has found nothing wrong, and return it."""
        touched = self.touched
        for entry in touched:
            entry.write()
        return touched


def table_of_condition(condition: Condition, posted: Mapping[str, str] | None = None) -> Table:
    """Return all numbers of a condition by question, with what was typed if something was."""
    topic = condition.topic
    return _table(
        topic,
        [condition],
        list(topic.features.order_by("order", "key")),
        posted,
        shown=FIELDS,
        name=lambda condition, option: f"{option.feature.name}: {option.text}",
        quotes=paragraphs_of(topic.source_document),
    )


def group_of(feature: Feature, typed: Mapping[str, str]) -> Group | None:
    """Return the numbers of one condition with a question, as far as they are in a post."""
    for group in table_of_feature(feature, typed, lock=False).groups:
        if any(f"probability-{entry.id}" in typed for entry in group.entries):
            return group
    return None


def table_of_feature(
    feature: Feature,
    posted: Mapping[str, str] | None = None,
    common: Mapping[str, str] | None = None,
    *,
    lock: bool = True,
) -> Table:
    """Return the numbers of a question, a group for each ranked condition of its topic."""
    return _table(
        feature.topic,
        list(Condition.objects.ranked().filter(topic=feature.topic)),
        [feature],
        posted,
        shown=("probability",),
        lock=lock,
        name=lambda condition, option: f"{condition.plain_name}: {option.text}",
        common=common or {},
    )


def _table(
    topic: Topic,
    conditions: Sequence[Condition],
    features: Sequence[Feature],
    posted: Mapping[str, str] | None,
    *,
    shown: tuple[str, ...],
    name: Callable[[Condition, Option], str],
    common: Mapping[str, str] | None = None,
    quotes: Mapping[str, str] | None = None,
    lock: bool = True,
) -> Table:
    """Make the entries; with a post, which may be written, the rows are locked if `lock` says so."""
    sources, live = sources_by_key(), live_numbers(topic)
    keys = {source.pk: key for key, source in sources.items()}
    by_feature = {feature.pk: feature for feature in features}
    options = Option.objects.filter(feature__in=by_feature, scored=True).order_by("order", "key")
    rows = Likelihood.objects.filter(condition__in=conditions, option__feature__in=by_feature)
    if posted is not None and lock:
        rows = rows.select_for_update(of=("self",))
    stored = {(row.condition_id, row.option_id): row for row in rows}
    by_question: dict[int, list[Option]] = {}
    for option in options:
        option.feature = by_feature[option.feature_id]
        by_question.setdefault(option.feature_id, []).append(option)
    groups = []
    for condition in conditions:
        for feature in features:
            entries = [
                Entry(
                    condition=condition,
                    option=option,
                    stored=stored.get((condition.pk, option.pk)),
                    texts=texts_of(stored.get((condition.pk, option.pk)), keys),
                    sources=sources,
                    live=live.likelihoods.get((condition.key, feature.key, option.key)),
                    name=name(condition, option),
                    shown=shown,
                    common=common or {},
                )
                for option in by_question.get(feature.pk, ())
            ]
            for entry in entries:
                entry.read(posted)
            if entries:
                told = _quoted(condition, feature, entries, quotes) if quotes else {}
                groups.append(Group(condition, feature, entries, told))
    return Table(groups, sources, live)


def _quoted(
    condition: Condition, feature: Feature, entries: Sequence[Entry], quotes: Mapping[str, str]
) -> dict[str, str]:
    """Return the paragraphs that the numbers name, and those that condition and question share."""
    shared = set(named_in(condition.document_paragraph)) & set(named_in(feature.document_paragraph))
    own = {name for entry in entries for name in named_in(entry.typed["document_paragraph"])}
    return {name: text for name, text in quotes.items() if name in shared | own}


def said_of_priors(condition: Condition, typed: str, live: Live) -> SafeString:
    """Add up the priors of a topic, with one as it is typed, and say which one of it is live."""
    others = condition.topic.conditions.filter(~Q(pk=condition.pk), prior_percent__isnull=False)
    texts = [repr(prior) for prior in others.values_list("prior_percent", flat=True)]
    total = added_up([*texts, typed], whole=100, unit=" %")
    own = live.priors.get(condition.key)
    differs = own is not None and number_of(typed) != own
    return format_html("All priors together: {}.{}", total, f" Live: {own:g} %." if differs else "")


def said_of(written: Sequence[Entry]) -> SafeString:
    """Say what was saved, and what has to be done until patients see it."""
    told = [entry.change for entry in written[:TOLD]]
    if more := len(written) - len(told):
        told.append(f"and {more} more")
    topic = written[0].condition.topic
    return format_html(
        'Saved as a draft: {}. Patients see it once somebody else has <a href="{}">approved it</a>.',
        "; ".join(told),
        reverse("content:proposals", args=[topic.key]),
    )
