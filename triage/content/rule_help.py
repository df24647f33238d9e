"""What helps whoever writes a rule: the names there are, what the rule says, and what it comes to.

It reads only the questions and the other rules of the drafts, so it helps as well where numbers or
texts are not in order yet.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from django.conf import settings

from triage.engine import (
    Chosen,
    Decline,
    Declined,
    Expression,
    Feature,
    FeatureKey,
    Kind,
    Number,
    OptionKey,
    Reply,
    RuleError,
    Urgency,
    Words,
    in_words,
    parse,
)
from triage.engine.rules import ALWAYS, Has, Is, Literal, features_of, literals, misfits
from triage.engine.soundness import calming_alarms
from triage.engine.verdicts import FALSE, TRUE, Signs, Verdict

from .knowledge import Fields, feature_from
from .models import Option, Topic
from .ways import Way, shortest_way

CASES = settings.BASE_DIR / "tests" / "cases"
MOST_NAMES = 12
"""So many names are offered for the word that is being typed; the rest have a page of their own."""

NEARNESS = 0.6
"""How alike a wrong name and a right one must be (difflib's ratio) to be meant."""

OWN_WORDS = {"and", "or", "not", "in", "is", "None"}
WORD_BEFORE = re.compile(r"['\"]?\w*\Z")
FEATURE_BEFORE = re.compile(
    r"(\w+)\s*(?:(?:==|!=)\s*|(?:not\s+)?in\s*\(\s*(?:['\"]\w*['\"]\s*,\s*)*)\Z"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the rule language. `literal` is what to write for it, `about` what people read."""

    key: str
    literal: str
    about: str
    feature: FeatureKey
    is_option: bool


@dataclass(frozen=True, slots=True)
class Completion:
    """A name for the word that is being typed, which stands at `start` to `end` of the text."""

    name: Name
    insert: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Misfit:
    what: str
    meant: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reads:
    """One question that a rule reads, and which of its answers the rule names."""

    feature: FeatureKey
    name: str
    pk: int
    options: tuple[str, ...]
    asked_if: str


@dataclass(frozen=True, slots=True)
class Check:
    """What there is to say of a rule. What follows the first `refused` or `misfits` is not known.

    says      the rule in plain English
    never     nobody can fulfil it; `always`, everybody does
    calming   the alarms that can switch it off
    implied   rules that fire whenever this one does and are as urgent or more
    way       the fewest answers after which it fires, as question and answer
    cases     the cases that fire it, with their stories
    """

    refused: str = ""
    misfits: tuple[Misfit, ...] = ()
    says: str = ""
    never: bool = False
    always: bool = False
    calming: tuple[str, ...] = ()
    implied: tuple[str, ...] = ()
    reads: tuple[Reads, ...] = ()
    way: tuple[tuple[str, str], ...] | None = None
    cases: tuple[tuple[str, str], ...] = ()

    @property
    def is_sound(self) -> bool:
        return not (self.refused or self.misfits or self.never or self.calming)


class Vocabulary:
    """The questions of a topic's drafts as rules know them, in the order in which they stand.

    With `before`, only those that stand before this one: what its `asked_if` may look at.
    """

    def __init__(self, topic: Topic, before: str = "") -> None:
        self.topic = topic
        rows: list[Fields] = list(topic.features.order_by("order", "key").values())
        self.later = _from(rows, before)
        options: dict[int, list[Fields]] = {}
        for option in Option.objects.filter(feature__topic=topic).order_by("order", "key").values():
            options.setdefault(option["feature_id"], []).append(option)
        self.rows = {FeatureKey(row["key"]): row for row in rows}
        self.features = {
            key: feature_from(row, options.get(row["id"], [])) for key, row in self.rows.items()
        }
        self.words = Words(
            features={key: row["name"] for key, row in self.rows.items()},
            options={
                (key, OptionKey(option["key"])): option["text"]
                for key, row in self.rows.items()
                for option in options.get(row["id"], [])
            },
        )

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """Every name that a rule may use: each question, followed by its answers."""
        return tuple(
            name
            for key, feature in self.features.items()
            if key not in self.later
            for name in self._names_of(feature)
        )

    def _names_of(self, feature: Feature) -> Iterator[Name]:
        about = self.words.features[feature.key]
        shape = f"{feature.key} >= " if feature.kind is Kind.NUMBER else str(feature.key)
        yield Name(feature.key, shape, about, feature.key, is_option=False)
        for option in feature.options if feature.kind is not Kind.NUMBER else ():
            is_list = feature.kind is Kind.MULTI
            literal = (
                f"'{option.key}' in {feature.key}"
                if is_list
                else f"{feature.key} == '{option.key}'"
            )
            text = self.words.options[feature.key, option.key]
            yield Name(option.key, literal, f"{about}: {text}", feature.key, is_option=True)

    def matching(self, word: str) -> list[Name]:
        """Return the names in which a word occurs, or in what people read of them; best first."""
        word = word.strip().casefold()
        ranked = [(_rank(name, word), place, name) for place, name in enumerate(self.names)]
        return [name for rank, _, name in sorted(ranked, key=lambda each: each[:2]) if rank < 4]

    def completions(self, text: str, caret: int) -> list[Completion]:
        """Return the names that fit the word that ends where the caret stands."""
        before = text[:caret]
        word = WORD_BEFORE.search(before)
        if word is None or word[0] in OWN_WORDS or not word[0].strip("'\""):
            return []
        owner = FEATURE_BEFORE.search(before[: word.start()])
        names = self.matching(word[0].strip("'\""))
        if owner and owner[1] in self.features:
            names = [name for name in names if name.is_option and name.feature == owner[1]]
        end = caret + (text[caret : caret + 1] == word[0][0] and word[0][0] in "'\"")
        return [
            Completion(
                name,
                f"'{name.key}'" if name.is_option and owner else name.literal,
                word.start(),
                end,
            )
            for name in names[:MOST_NAMES]
        ]

    def meant(self, wrong: str, feature: str = "") -> tuple[str, ...]:
        """Return the names that somebody may have meant who wrote one that there is not."""
        known = [
            name.key
            for name in self.names
            if name.is_option == bool(feature) and feature in ("", name.feature)
        ]
        within = [key for key in known if wrong and (wrong in key or key in wrong)]
        near = get_close_matches(wrong, known, n=3, cutoff=NEARNESS)
        return tuple(dict.fromkeys([*near, *within]))[:3]


def _rank(name: Name, word: str) -> int:
    about = name.about.casefold()
    if name.key.startswith(word):
        return 0 if not name.is_option else 1
    if word in name.key:
        return 2
    return 3 if word in about else 4


def _from(rows: list[Fields], key: str) -> frozenset[str]:
    """Return the keys of this row and of all that come after it."""
    keys = [row["key"] for row in rows]
    return frozenset(keys[keys.index(key) :]) if key in keys else frozenset()


def help_with(
    text: str,
    topic: Topic,
    *,
    caret: int | None = None,
    gate_of: str | None = None,
    urgency: str = "",
    key: str = "",
) -> dict[str, Any]:
    """Return what a page shows of a rule: of a red flag, or of when the question `gate_of` is asked.

    Without a caret nothing is being typed, and no names are offered.
    """
    vocabulary = Vocabulary(topic, before=gate_of or "")
    is_gate = gate_of is not None
    lowest = "" if is_gate else urgency or Urgency.SELF_CARE.key
    return {
        "topic": topic,
        "text": text,
        "is_gate": is_gate,
        "into": "id_asked_if" if is_gate else "id_rule",
        "check": check(text, vocabulary, urgency=lowest, key=key) if text.strip() else None,
        "completions": [] if caret is None else vocabulary.completions(text, caret),
    }


@dataclass(frozen=True, slots=True)
class _Other:
    """Another rule of the drafts."""

    title: str
    urgency: Urgency
    expression: Expression


def check(text: str, vocabulary: Vocabulary, *, urgency: str = "", key: str = "") -> Check:
    """Return what there is to say of a rule, which is or will be the one with this key.

    Without an urgency it is an `asked_if`: then no other rule is held against it.
    """
    try:
        expression = parse(text)
    except RuleError as error:
        return Check(refused=f"{error}.")
    if found := tuple(_misfits(expression, vocabulary)):
        return Check(misfits=found)
    others = _others(vocabulary, key)
    diagrams = _Diagrams(vocabulary, [expression, *(other.expression for other in others)])
    verdict = diagrams.of(expression)
    unsure = {
        feature
        for other in [*others, *([_Other("", Urgency.of(urgency), expression)] if urgency else [])]
        if other.urgency is Urgency.EMERGENCY_NOW
        for feature in features_of(other.expression)
    }
    way = shortest_way(verdict, diagrams.signs, diagrams.gates, unsure)
    return Check(
        says=in_words(expression, vocabulary.words),
        never=verdict is FALSE,
        always=verdict is TRUE,
        calming=tuple(_calming(verdict, diagrams.signs, vocabulary)) if urgency else (),
        implied=tuple(
            other.title
            for other in others
            if urgency
            and verdict is not FALSE
            and other.urgency >= Urgency.of(urgency)
            and diagrams.signs.implies(verdict, diagrams.of(other.expression))
        ),
        reads=tuple(_reads(expression, vocabulary)),
        way=None if way is None else tuple(_told(way, vocabulary)),
        cases=tuple(_fired(verdict, diagrams.signs, unsure, vocabulary)),
    )


def _misfits(expression: Expression, vocabulary: Vocabulary) -> Iterator[Misfit]:
    features = vocabulary.features
    for literal in literals(expression):
        key = literal.feature
        for what in misfits(literal, features):
            yield Misfit(f"{what[:1].upper()}{what[1:]}.", _meant(literal, vocabulary))
        if key in features and key in vocabulary.later:
            what = f"It looks at “{key}”, which does not come before this question."
            yield Misfit(what, ())


def _meant(literal: Literal, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the names that were meant where one is unknown; where the kind does not fit, none."""
    feature = vocabulary.features.get(literal.feature)
    if feature is None:
        return vocabulary.meant(literal.feature)
    match literal:
        case Is(options=options):
            unknown = [option for option in options if not feature.has(option)]
        case Has(option=option):
            unknown = [option] if not feature.has(option) else []
        case _:
            unknown = []
    return tuple(name for option in unknown for name in vocabulary.meant(option, feature.key))


def _others(vocabulary: Vocabulary, key: str) -> list[_Other]:
    """Return the other rules of the drafts, without those that are not in order."""
    rows = vocabulary.topic.red_flags.exclude(key=key).values_list("title", "urgency", "rule")
    return [
        _Other(title, Urgency.of(urgency), expression)
        for title, urgency, rule in rows
        if (expression := _sound(rule, vocabulary.features)) is not None
    ]


def _sound(text: str, features: Mapping[FeatureKey, Feature]) -> Expression | None:
    try:
        expression = parse(text)
    except RuleError:
        return None
    return None if any(misfits(expression, features)) else expression


class _Diagrams:
    """The decision diagrams of some rules. A question whose `asked_if` is not in order, or looks
    at a later one, is taken to be asked of everybody."""

    def __init__(self, vocabulary: Vocabulary, expressions: Iterable[Expression]) -> None:
        earlier: dict[FeatureKey, Feature] = {}
        asked_if: dict[FeatureKey, Expression] = {}
        for key, feature in vocabulary.features.items():
            gate = _sound(feature.asked_if, earlier)
            asked_if[key] = ALWAYS if gate is None else gate
            earlier[key] = feature
        features = tuple(vocabulary.features.values())
        self.signs = Signs(features, [*asked_if.values(), *expressions])
        self.gates: dict[FeatureKey, Verdict] = {}
        for key, expression in asked_if.items():
            self.gates[key] = self.of(expression)

    def of(self, expression: Expression) -> Verdict:
        return self.signs.compiled(expression, self.gates)


def _calming(verdict: Verdict, signs: Signs, vocabulary: Vocabulary) -> Iterator[str]:
    features = list(vocabulary.features.values())
    for place in sorted({signs.owner[sign] for sign in signs.signs_of(verdict)}):
        feature = features[place]
        for option in calming_alarms(feature, signs, verdict):
            text = vocabulary.words.options[feature.key, OptionKey(option)]
            yield f"{vocabulary.words.features[feature.key]}: {text}"


def _reads(expression: Expression, vocabulary: Vocabulary) -> Iterator[Reads]:
    named: dict[FeatureKey, list[OptionKey]] = {}
    for literal in literals(expression):
        own = named.setdefault(literal.feature, [])
        match literal:
            case Is(options=options):
                own += options
            case Has(option=option):
                own.append(option)
            case _:
                pass
    for key, own in named.items():
        row = vocabulary.rows[key]
        yield Reads(
            feature=key,
            name=row["name"],
            pk=row["id"],
            options=tuple(vocabulary.words.options[key, option] for option in dict.fromkeys(own)),
            asked_if=_gate_in_words(row["asked_if"], vocabulary),
        )


def _gate_in_words(text: str, vocabulary: Vocabulary) -> str:
    gate = _sound(text, vocabulary.features)
    return in_words(gate, vocabulary.words) if text.strip() and gate is not None else ""


def _told(way: Way, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    for key, reply in way:
        yield vocabulary.rows[key]["text"], _answer(key, reply, vocabulary)


def _answer(key: FeatureKey, reply: Reply, vocabulary: Vocabulary) -> str:
    match reply:
        case Number(value):
            return str(value)
        case Declined(reason):
            return DECLINED[reason]
        case Chosen(options):
            feature = vocabulary.features[key]
            texts = (
                vocabulary.words.options[key, option.key]
                for option in feature.options
                if option.key in options
            )
            return "; ".join(texts)


DECLINED = {
    Decline.DONT_KNOW: "Does not know",
    Decline.CANT_SEE: "Cannot see or reach it",
    Decline.RATHER_NOT_SAY: "Would rather not say",
}

# Cases


def _fired(
    verdict: Verdict, signs: Signs, unsure: Set[FeatureKey], vocabulary: Vocabulary
) -> Iterator[tuple[str, str]]:
    """Yield the cases in which the rule holds once all is answered that they answer."""
    for key, story, answers in _cases(vocabulary.topic):
        left = verdict
        for name, answer in answers.items():
            feature = vocabulary.features.get(FeatureKey(name))
            reply = feature and _reply(feature, answer)
            for mark in (
                signs.marks(feature.key, reply, unsure=feature.key in unsure)
                if feature and reply
                else ()
            ):
                left = signs.given(left, mark)
        if signs.last(left) is TRUE:
            yield key, story


def _cases(topic: Topic) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for file in sorted((CASES / topic.key).glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            yield case["id"], case.get("story", ""), case["answers"]
    for saved in topic.saved_cases.all():
        yield saved.key, saved.story, saved.answers


def _reply(feature: Feature, answer: object) -> Reply | None:
    """Return the reply of a case, or None if the drafts have no such answer any more."""
    match answer:
        case bool():
            return None
        case int() if feature.kind is Kind.NUMBER:
            return Number(answer)
        case str() if answer in Decline and not feature.has(OptionKey(answer)):
            return Declined(Decline(answer))
        case str() if feature.kind is Kind.SINGLE:
            options = [answer]
        case list() if feature.kind is Kind.MULTI:
            options = answer
        case _:
            return None
    chosen = frozenset(option for option in map(OptionKey, options) if feature.has(option))
    return Chosen(chosen) if chosen else None
