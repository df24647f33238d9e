"""The one door from the database to the engine: a frozen release, compiled once for good."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

from django.conf import settings

from triage.engine import (
    Basis,
    Condition,
    ConditionKey,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Observation,
    Option,
    OptionKey,
    RiskGroup,
    Rule,
    RuleKey,
    RuleKind,
    Settings,
    StateKey,
    Syndrome,
    SyndromeKey,
    Tier,
    Urgency,
    Words,
)

from . import places
from .calibration import Checked, checked
from .glossary import Glossary, Term, terms_of
from .models import Release
from .paragraphs import named_in, paragraphs_of, title_of
from .syndromes import Cell, chances_of, likelihoods_of, signs_of, splits_of
from .translations import gaps_in, is_checked, translated

type Document = Mapping[str, Any]
type Fields = Mapping[str, Any]
type Voice = Literal["text", "helper", "other"]

SURENESS = (Basis.STUDY, Basis.GUIDELINE, Basis.ESTIMATE)
ABSENT, PRESENT = StateKey("absent"), StateKey("present")


class Tampered(Exception):
    """A release whose document no longer has the hash that was published."""


class NotTranslated(LookupError):
    """Content is never shown in another language than was asked for."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """`url` is empty where the source is not on the web."""

    citation: str
    url: str


@dataclass(frozen=True, slots=True)
class ConditionText:
    """What releases made before there were pages of conditions do not have is empty.

    `quotes` are the paragraphs of the source document that it names, by name: where `is_added`
    says that the document does not name the condition, the nearest that it says.
    """

    name: str
    plain_name: str
    summary: str
    how_found: str
    how_treated: str
    is_added: bool
    quotes: Mapping[str, str]
    sources: tuple[SourceText, ...]


@dataclass(frozen=True, slots=True)
class FlagText:
    title: str
    message: str
    plain_rule: str
    why_clinician: str


@dataclass(frozen=True, slots=True)
class SyndromeText:
    """`signs` are the answers that show the syndrome."""

    name: str
    present: str
    absent: str
    explanation: str
    signs: frozenset[tuple[FeatureKey, OptionKey]]


@dataclass(frozen=True, slots=True)
class AdviceText:
    heading: str
    what_to_do: str
    self_care: str
    safety_net: str
    do_not: str


def _source(row: Fields) -> SourceText:
    locator = row["locator"]
    return SourceText(row["citation"], locator if locator.startswith("https://") else "")


def by_key(rows: list[Fields]) -> dict[str, Fields]:
    return {row["key"]: row for row in rows}


class Wording:
    """Every text of a release that a person reads, in one language, placeholders filled in.

    `is_checked` says whether a clinician has checked it in this language.
    """

    def __init__(self, document: Document, language: str, *, is_checked: bool = True) -> None:
        self.language = language
        self.is_checked = is_checked

        def filled(text: str) -> str:
            return places.filled(text, language)

        self.topic_title = filled(document["topic"]["title"])
        self.covers = filled(document["topic"]["covers"])
        self._features = {
            key: {name: filled(value) for name, value in row.items() if isinstance(value, str)}
            for key, row in by_key(document["features"]).items()
        }
        self._options = {
            (FeatureKey(row["feature"][1]), OptionKey(row["key"])): filled(row["text"])
            for row in document["options"]
        }
        source_document = document["topic"].get("source_document", "")
        self.source_document_title = title_of(source_document)
        paragraphs, sources = paragraphs_of(source_document), by_key(document["sources"])
        self._conditions = {
            key: ConditionText(
                name=filled(row["name"]),
                plain_name=filled(row["plain_name"]),
                summary=filled(row["plain_summary"]),
                how_found=filled(row.get("how_found", "")),
                how_treated=filled(row.get("how_treated", "")),
                is_added=row["document_paragraph"].startswith("added"),
                quotes={
                    name: paragraphs[name]
                    for name in named_in(row["document_paragraph"])
                    if name in paragraphs
                },
                sources=tuple(_source(sources[name]) for (name,) in row["sources"]),
            )
            for key, row in by_key(document["conditions"]).items()
        }
        self._syndromes = {
            SyndromeKey(key): SyndromeText(
                filled(row["name"]),
                filled(row["plain_name"]),
                filled(row["plain_name_absent"]),
                filled(row["explanation"]),
                frozenset(
                    (FeatureKey(feature), OptionKey(option))
                    for feature, options in signs_of(key, document).items()
                    for option in options
                ),
            )
            for key, row in by_key(document.get("syndromes", [])).items()
        }
        self._linked = {feature for text in self._syndromes.values() for feature, _ in text.signs}
        self._groups = {
            key: filled(row["name"]) for key, row in by_key(document["risk_groups"]).items()
        }
        self._flags = {
            key: FlagText(
                filled(row["title"]),
                filled(row["message"]),
                filled(row["plain_rule"]),
                filled(row["why_clinician"]),
            )
            for key, row in by_key(document["red_flags"]).items()
        }
        self._advice = {
            (row["scope"], row["key"]): AdviceText(
                filled(row["heading"]),
                filled(row["what_to_do"]),
                filled(row["self_care"]),
                filled(row["safety_net"]),
                filled(row["do_not"]),
            )
            for row in document["advice"]
        }
        # Releases made before there was a glossary have none.
        self.glossary = Glossary(
            Term(term.word, filled(term.meaning), term.forms)
            for term in terms_of(document.get("glossary", []))
        )
        self.words = Words(
            features={FeatureKey(key): row["name"] for key, row in self._features.items()},
            options=self._options,
        )

    def question(self, feature: FeatureKey, voice: Voice = "text") -> str:
        return self._features[feature]["text" if voice == "text" else f"text_{voice}"]

    def help(self, feature: FeatureKey) -> str:
        return self._features[feature]["help_text"]

    def why_we_ask(self, feature: FeatureKey) -> str:
        return self._features[feature]["why_we_ask"]

    def feature_name(self, feature: FeatureKey) -> str:
        return self._features[feature]["name"]

    def section(self, feature: FeatureKey) -> str:
        return self._features[feature]["section"]

    def terms_of(self, feature: FeatureKey) -> tuple[Term, ...]:
        """Return the words of the glossary that the question, its answers or its reason use."""
        row = self._features[feature]
        answers = [text for (of, _), text in self._options.items() if of == feature]
        return self.glossary.terms_in(
            *(row[name] for name in ("text", "help_text", "why_we_ask")), *answers
        )

    def option(self, feature: FeatureKey, option: OptionKey) -> str:
        return self._options[feature, option]

    def condition(self, condition: ConditionKey) -> ConditionText:
        return self._conditions[condition]

    def syndrome(self, syndrome: SyndromeKey) -> SyndromeText:
        return self._syndromes[syndrome]

    def shows_a_syndrome(self, feature: FeatureKey) -> bool:
        """Return whether some of the feature's options are signs of a syndrome."""
        return feature in self._linked

    def risk_group(self, key: str) -> str:
        return self._groups[key]

    def flag(self, rule: RuleKey) -> FlagText:
        return self._flags[rule]

    def advice(self, scope: str, key: str) -> AdviceText:
        """Return the advice for an `urgency`, a `condition`, a `state` or a `floor`."""
        return self._advice[scope, key]


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """A release as the rest of the program reads it.

    `checked` is the study by which it may say “about N in 100”, if it has one that fits.
    """

    release_number: int
    sha256: str
    demonstration: bool
    topic: str
    usual_questions: tuple[int, int]
    knowledge: Knowledge
    checked: Checked | None
    wordings: Mapping[str, Wording]
    """By language: all in which every text is there, and that this place speaks."""

    @property
    def says_in_100(self) -> bool:
        return self.checked is not None

    def wording(self, language: str) -> Wording:
        """Return the texts in a language. Raises NotTranslated if one of them is missing."""
        try:
            return self.wordings[language.partition("-")[0]]
        except KeyError:
            what = f"release {self.release_number} does not have every text in “{language}”"
            raise NotTranslated(what) from None


_contents: dict[int, Content] = {}
_compiling = Lock()


def content_of(release_id: int) -> Content:
    """Return a release, compiled; one query and some 100 ms the first time, none later.

    Raises Release.DoesNotExist, and Tampered if its document does not have its hash.
    """
    if content := _contents.get(release_id):
        return content
    with _compiling:
        if release_id not in _contents:
            _contents[release_id] = _compiled(Release.objects.get(pk=release_id))
        return _contents[release_id]


def knowledge_of(release_id: int) -> Knowledge:
    return content_of(release_id).knowledge


def is_recalled(release_id: int) -> bool:
    return Release.objects.filter(pk=release_id, recalled_at__isnull=False).exists()


def _compiled(release: Release) -> Content:
    if hashlib.sha256(release.document.encode()).hexdigest() != release.sha256:
        raise Tampered(f"{release} is not what was published: its document has another hash.")
    return compiled(
        release.document,
        release.sha256,
        release_number=release.number,
        demonstration=release.demonstration,
    )


def compiled(text: str, sha256: str, *, release_number: int, demonstration: bool) -> Content:
    """Return a document as the rest of the program reads it; number 0 is a draft.

    Raises Unsound with every fault where the engine refuses it.
    """
    document = json.loads(text)
    topic = document["topic"]
    return Content(
        release_number=release_number,
        sha256=sha256,
        demonstration=demonstration,
        topic=topic["key"],
        usual_questions=(topic["usual_questions_low"], topic["usual_questions_high"]),
        knowledge=knowledge_from(document),
        checked=checked(document),
        wordings={
            language: Wording(
                translated(document, language), language, is_checked=is_checked(document, language)
            )
            for language in settings.PLACEHOLDERS
            if not any(gaps_in(document, language))
        },
    )


def knowledge_from(document: Document) -> Knowledge:
    """Return the engine's knowledge of a compiled topic. Raises Unsound with every fault."""
    topic = document["topic"]
    return Knowledge(
        conditions=[
            _condition(row) for row in by_falling_prior(document["conditions"]) if is_ranked(row)
        ],
        features=[
            feature_from(row, options_of(row, document)) for row in in_order(document["features"])
        ],
        rules=[_rule(row) for row in by_falling_urgency(document["red_flags"])],
        likelihoods={
            (
                ConditionKey(row["condition"][1]),
                FeatureKey(row["option"][1]),
                OptionKey(row["option"][2]),
            ): Likelihood(row["probability"], Basis(row["basis"]), row["sample_size"])
            for row in document["likelihoods"]
        },
        groups=[_group(row) for row in document["risk_groups"]],
        syndromes=_syndromes(document),
        settings=Settings(
            temper=topic["temper"],
            slip=topic["slip"],
            gain_stop=topic["gain_stop"],
            lead_stop=topic["lead_stop"],
            spread_estimate=topic["spread_estimate"],
            spread_guideline=topic["spread_guideline"],
            spread_study=topic["spread_study"],
        ),
    )


def is_ranked(condition: Fields) -> bool:
    return bool(condition["kind"] == "ranked")


def in_order(rows: list[Fields]) -> list[Fields]:
    return sorted(rows, key=lambda row: (row["order"], row["key"]))


def options_of(feature: Fields, document: Document) -> list[Fields]:
    return in_order([row for row in document["options"] if row["feature"][1] == feature["key"]])


def by_falling_prior(rows: list[Fields]) -> list[Fields]:
    return sorted(rows, key=lambda row: (-(row["prior_percent"] or 0), row["key"]))


def by_falling_urgency(rows: list[Fields]) -> list[Fields]:
    return sorted(rows, key=lambda row: (-Urgency.of(row["urgency"]), row["key"]))


def _condition(row: Fields) -> Condition:
    return Condition(
        key=ConditionKey(row["key"]),
        prior=row["prior_percent"] / 100,
        urgency=Urgency.of(row["urgency"]),
        raise_at=row["raise_at_percent"] / 100,
        serious=row["cannot_miss"],
        prior_basis=Basis(row["prior_basis"]),
    )


def feature_from(row: Fields, options: list[Fields]) -> Feature:
    return Feature(
        key=FeatureKey(row["key"]),
        kind=Kind(row["kind"]),
        options=tuple(map(_option, options)),
        tier=Tier(row["tier"]),
        asked_if=row["asked_if"],
        observation=Observation(row["observe"]),
        sensitive=row["sensitive"],
        required=row["required"],
        low=row["low"],
        high=row["high"],
        effort=seconds_to_reply(row, options),
    )


WORDS_A_MINUTE = 238
SECONDS_TO_CHOOSE = 1.35 + 1.1


def seconds_to_reply(feature: Fields, options: list[Fields]) -> float:
    """Return about how long it takes to read a question with all of its answers, and to choose.

    Source: silent reading, Brysbaert M, J Mem Lang 2019;109:104047; to decide and to point, Card,
            Moran and Newell, Commun ACM 1980;23:396. People in pain are slower, at all questions.
    """
    texts = [feature["text"], feature["help_text"], *(option["text"] for option in options)]
    words = sum(len(text.split()) for text in texts)
    return SECONDS_TO_CHOOSE + 60 * words / WORDS_A_MINUTE


def _option(row: Fields) -> Option:
    return Option(
        key=OptionKey(row["key"]),
        alarm=row["alarm"],
        exclusive=row["exclusive"],
        scored=row["scored"],
        low=row["low"],
        high=row["high"],
    )


def _rule(row: Fields) -> Rule:
    return Rule(
        key=RuleKey(row["key"]),
        kind=RuleKind(row["kind"]),
        urgency=Urgency.of(row["urgency"]),
        text=row["rule"],
    )


def _group(row: Fields) -> RiskGroup:
    return RiskGroup(
        key=row["key"],
        conditions=frozenset(ConditionKey(key) for _, key in row["conditions"]),
        urgency=Urgency.of(row["urgency"]),
        raise_at=row["raise_at_percent"] / 100,
    )


def _syndromes(document: Document) -> list[Syndrome]:
    """Releases made before there were syndromes have none."""
    keys = sorted(by_key(document.get("syndromes", [])))
    likelihoods = likelihoods_of(document) if keys else {}
    return [_syndrome(key, document, likelihoods) for key in keys]


def _syndrome(key: str, document: Document, likelihoods: Mapping[Cell, float]) -> Syndrome:
    chances = chances_of(key, document)
    return Syndrome(
        key=SyndromeKey(key),
        states=(ABSENT, PRESENT),
        chances={
            ConditionKey(condition): (1 - row["probability"], row["probability"])
            for condition, row in chances.items()
        },
        members={
            (ConditionKey(condition), FeatureKey(feature), OptionKey(option)): (
                split.absent,
                split.present,
            )
            for split in splits_of(key, document, likelihoods)
            for condition, feature, option in [split.cell]
        },
        # The least sure of its chances.
        basis=max((Basis(row["basis"]) for row in chances.values()), key=SURENESS.index),
    )


def compile_live_releases() -> None:
    """Compile what every topic shows now: once, in the process that the workers are forked from."""
    newest: dict[int, int] = {}
    live = Release.objects.not_recalled().for_patients().order_by("number")
    newest.update(live.values_list("topic_id", "pk"))
    for release_id in newest.values():
        content_of(release_id)
