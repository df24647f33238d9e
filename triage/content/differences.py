"""What changes from one document of a topic to the next, in sentences for who must approve it.

Everything that a document holds is covered: two documents without a difference are the same to the
byte. Nothing here asks the database or the clock.
"""

import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from triage.engine import Expression, FeatureKey, OptionKey, RuleError, Words, in_words, parse
from triage.engine.rules import ALWAYS, misfits
from triage.engine.verdicts import Signs, Verdict

from .choices import Urgency
from .documents import Document, canonical
from .fixtures import FILES
from .knowledge import feature_from, in_order, options_of

CONTEXT = 8
"""So many words are shown on either side of a change in a long text."""

type Fields = Mapping[str, Any]
type Row = tuple[tuple[Any, ...], Fields]
"""What a row is known by, and its fields."""


class Kind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Reach(StrEnum):
    """Whom a changed rule fires for, worked out over all answers that there can be."""

    SAME = "It fires for the same people as before."
    MORE = "It fires for everybody that it fired for before, and for more."
    FEWER = "It fires for fewer people than before, and for nobody else."
    OTHERS = "It no longer fires for some that it fired for, and fires for some others."
    UNKNOWN = "Whether it fires for fewer people than before cannot be told."


@dataclass(frozen=True, slots=True)
class Difference:
    """`place` names the row as reviews do (“conditions/lipoma”), `heading` in words. `marked` is
    the sentence with what goes and what comes marked; `is_calmer` says that somebody may be told to
    wait longer because of it."""

    part: str
    place: str
    heading: str
    sentence: str
    kind: Kind
    marked: SafeString
    is_calmer: bool = False
    key: tuple[str, ...] = ()
    """Of its row, without the topic."""


# What each row is known by. The order is that in which a reader decides: urgency first.
KEYS: Mapping[str, tuple[str, ...]] = {
    "red_flags": ("topic", "key"),
    "risk_groups": ("topic", "key"),
    "conditions": ("topic", "key"),
    "likelihoods": ("condition", "option"),
    "syndromes": ("topic", "key"),
    "syndrome_chances": ("syndrome", "condition"),
    "syndrome_members": ("syndrome", "option", "condition"),
    "features": ("topic", "key"),
    "options": ("feature", "key"),
    "advice": ("topic", "scope", "key"),
    "glossary": ("topic", "term"),
    "topic": (),
    "sources": ("key",),
    "calibration_studies": ("topic", "key"),
    "translations": ("topic", "language", "place"),
    "reviews": ("topic", "place", "reviewer", "reviewed_on"),
}
TITLES: Mapping[str, str] = {
    "red_flags": "Red flags and floor rules",
    "risk_groups": "Risk groups",
    "conditions": "Conditions",
    "likelihoods": "How often people with a condition give an answer",
    "syndromes": "Syndromes",
    "syndrome_chances": "How often a condition brings a syndrome",
    "syndrome_members": "How often a syndrome shows as an answer",
    "features": "Questions",
    "options": "Answers",
    "advice": "Advice",
    "glossary": "Words that are explained",
    "topic": "The topic and its settings",
    "sources": "Sources",
    "calibration_studies": "Calibration studies",
    "translations": "Translations",
    "reviews": "Reviews",
}
RULES = {"rule", "asked_if"}
FORM = "form"
"""The part of what only the bytes show."""


def differences(before: Document | None, after: Document) -> list[Difference]:
    """Return everything that changes, the rules first; nothing before: all of it is new."""
    # As their bytes are read: a compiled topic has tuples where JSON has lists.
    after = json.loads(canonical(after))
    earlier = json.loads(canonical(before)) if before else {}
    names = _Names.of(earlier, after)
    found = [
        difference
        for part in KEYS
        for difference in _in_part(part, _rows(earlier, part), _rows(after, part), names)
    ]
    for part in sorted((set(earlier) | set(after)) - set(KEYS)):
        found += _elsewhere(part, earlier.get(part), after.get(part))
    if not found and before is not None and canonical(earlier) != canonical(after):
        found.append(_of_form())
    return found


def title_of(part: str) -> str:
    return TITLES.get(part, part.replace("_", " ").capitalize())


# Names


@dataclass(frozen=True, slots=True)
class _Names:
    """What rows are called: as after the change, or as before for what is gone."""

    conditions: Mapping[str, str]
    questions: Mapping[str, str]
    syndromes: Mapping[str, str]
    words: Words
    reaches: Mapping[str, Reach]

    @classmethod
    def of(cls, before: Document, after: Document) -> "_Names":
        def named(part: str, field: str) -> dict[str, str]:
            both = [*before.get(part, []), *after.get(part, [])]
            return {row["key"]: row.get(field, row["key"]) for row in both}

        options = [*before.get("options", []), *after.get("options", [])]
        return cls(
            conditions=named("conditions", "name"),
            questions=named("features", "text"),
            syndromes=named("syndromes", "plain_name"),
            reaches=_reaches(before, after),
            words=Words(
                features={FeatureKey(k): v for k, v in named("features", "name").items()},
                options={
                    (FeatureKey(row["feature"][-1]), OptionKey(row["key"])): row["text"]
                    for row in options
                },
            ),
        )

    def condition(self, key: Sequence[str] | None) -> str:
        return "any condition" if key is None else self.conditions.get(key[-1], key[-1])

    def syndrome(self, key: Sequence[str]) -> str:
        return self.syndromes.get(key[-1], key[-1])

    def question(self, key: str) -> str:
        return self.questions.get(key, key)

    def feature(self, key: str) -> str:
        return self.words.features.get(FeatureKey(key), key)

    def answer(self, key: Sequence[str]) -> str:
        feature, option = key[-2:]
        return self.words.options.get((FeatureKey(feature), OptionKey(option)), option)

    def rule(self, text: str) -> str:
        """Return a rule in words; as it is written where it has none."""
        if not text:
            return "Always."
        try:
            return in_words(parse(text), self.words)
        except (RuleError, KeyError):
            return text


def _heading(part: str, row: Fields, names: _Names) -> str:
    match part:
        case "topic":
            return str(row.get("title", ""))
        case "conditions" | "syndromes" | "risk_groups" | "features":
            return f"{row['name']} ({row['key']})"
        case "red_flags":
            return f"{row['title']} ({row['key']})"
        case "options":
            return f"{names.feature(row['feature'][-1])}: {row['text']} ({row['key']})"
        case "likelihoods":
            return names.condition(row["condition"])
        case "syndrome_chances" | "syndrome_members":
            return names.syndrome(row["syndrome"])
        case "advice":
            return f"{row['heading']} ({row['scope']}, {row['key']})"
        case "glossary":
            return f"“{row['term']}”"
        case "translations":
            return f"{row['language']}: {row['place']}"
        case "reviews":
            return str(row["place"])
        case _:
            return str(row["key"])


def _own_key(part: str, key: tuple[Any, ...]) -> tuple[str, ...]:
    """Return what a row is known by, without the topic that all of them share."""
    pieces: list[str] = []
    for name, value in zip(KEYS[part], key, strict=True):
        if name == "topic" or value is None:
            continue
        pieces += value[1:] if isinstance(value, tuple) else [str(value)]
    return tuple(map(str, pieces))


# Rows


def _rows(document: Document, part: str) -> list[Fields]:
    """Return the rows of a part; releases made before it was there have none."""
    if part == "topic":
        return [document["topic"]] if "topic" in document else []
    rows: list[Fields] = document.get(part, [])
    return rows


def _known(part: str, rows: Iterable[Fields]) -> dict[tuple[tuple[Any, ...], int], Fields]:
    """Return the rows by what they are known by, and how many with the same came before."""
    seen: Counter[tuple[Any, ...]] = Counter()
    known = {}
    for row in rows:
        key = tuple(_hashable(row.get(name)) for name in KEYS[part])
        known[key, seen[key]] = row
        seen[key] += 1
    return known


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _in_part(
    part: str, before: list[Fields], after: list[Fields], names: _Names
) -> Iterator[Difference]:
    """Yield the differences of a part, those of one heading together."""
    old, new = _known(part, before), _known(part, after)
    both = sorted(
        {**old, **new},
        key=lambda known: (_heading(part, (new.get(known) or old[known]), names), repr(known)),
    )
    for known in both:
        key = _own_key(part, known[0])
        if known not in old:
            yield _whole(part, key, new[known], Kind.ADDED, names)
        elif known not in new:
            yield _whole(part, key, old[known], Kind.REMOVED, names)
        elif not _same(old[known], new[known]):
            yield from _changes(part, key, old[known], new[known], names)


def _same(one: Any, other: Any) -> bool:
    """Compare as the bytes of a release do: 1 and 1.0 are the same number, written in two ways."""
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _whole(part: str, key: tuple[str, ...], row: Fields, kind: Kind, names: _Names) -> Difference:
    """Return a row that comes or goes, with all that it says."""
    lead = _lead(part, row, names)
    rest = [
        f"{_label(part, name)}: {_shown(part, name, value, names)}"
        for name, value in row.items()
        if name not in KEYS[part]
        and name not in _LED.get(part, ())
        and value not in ("", None, [], False)
    ]
    said = " ".join([lead, *([f"{'; '.join(rest)}."] if rest else [])]).strip()
    word, tag = ("New", "ins") if kind is Kind.ADDED else ("Gone", "del")
    return Difference(
        part=part,
        place="/".join([part, *key]),
        key=key,
        heading=_heading(part, row, names),
        sentence=f"{word}: {said}",
        kind=kind,
        marked=format_html("{}: <{}>{}</{}>", word, SafeString(tag), said, SafeString(tag)),
        is_calmer=kind is Kind.REMOVED and part in ("red_flags", "risk_groups"),
    )


# The fields that the first sentence of a whole row says already.
_LED: Mapping[str, tuple[str, ...]] = {
    "likelihoods": ("probability", "basis", "source", "sample_size"),
    "syndrome_chances": ("probability", "basis", "source"),
    "syndrome_members": ("probability", "basis", "source"),
    "conditions": ("name", "prior_percent", "prior_basis"),
    "red_flags": ("title", "rule"),
}


def _lead(part: str, row: Fields, names: _Names) -> str:
    match part:
        case "likelihoods" | "syndrome_chances" | "syndrome_members":
            return f"{_of_100(part, row, names, _per_100(row['probability']))}. {_from(row)}"
        case "conditions" if row.get("prior_percent") is not None:
            return (
                f"{row['name']}. Of 100 people who come, {row['prior_percent']:g} have it."
                f" From: {row.get('prior_basis')}."
            )
        case "red_flags":
            return f"“{row['title']}”. It fires when this holds: {names.rule(row['rule'])}"
        case _:
            return ""


def _from(row: Fields) -> str:
    source = row.get("source")
    people = row.get("sample_size")
    return (
        f"From: {row.get('basis')}"
        + (f", source {source[-1]}" if source else ", no source")
        + (f", {people} people" if people else "")
        + "."
    )


def _of_100(part: str, row: Fields, names: _Names, count: str) -> str:
    """Return what a probability says of people: “Of 100 people with lipoma, 60 say …”."""
    match part:
        case "likelihoods":
            who = names.condition(row["condition"])
            return f"Of 100 people with “{who}”, {count} say {_answer(row, names)}"
        case "syndrome_chances":
            who, what = names.condition(row["condition"]), names.syndrome(row["syndrome"])
            return f"Of 100 people with “{who}”, {count} have “{what}”"
        case _:
            with_it = names.condition(row["condition"]) if row.get("condition") else ""
            return (
                f"Of 100 people who have “{names.syndrome(row['syndrome'])}”"
                + (f" with “{with_it}”" if with_it else "")
                + f", {count} say {_answer(row, names)}"
            )


def _answer(row: Fields, names: _Names) -> str:
    return f"“{names.answer(row['option'])}” to “{names.question(row['option'][-2])}”"


def _per_100(probability: Any) -> str:
    return f"{100 * probability:.4g}"


# Fields


def _changes(
    part: str, key: tuple[str, ...], before: Fields, after: Fields, names: _Names
) -> Iterator[Difference]:
    """Yield one difference for each field of a row that changes."""
    for name in [*after, *(name for name in before if name not in after)]:
        if name in before and name in after and _same(before[name], after[name]):
            continue
        old, new = before.get(name), after.get(name)
        sentence, marked = _change(part, name, old, new, after, names)
        yield Difference(
            part=part,
            place="/".join([part, *key]),
            key=key,
            heading=_heading(part, after, names),
            sentence=sentence,
            kind=Kind.CHANGED,
            marked=marked,
            is_calmer=_is_calmer(name, old, new)
            or (name == "rule" and names.reaches.get(after["key"]) in MAY_CALM),
        )


def _is_calmer(name: str, old: Any, new: Any) -> bool:
    """Return whether this can let somebody wait longer."""
    match name:
        case "urgency":
            scale = list(Urgency.values)
            return bool(old in scale and new in scale and scale.index(new) < scale.index(old))
        case "raise_at_percent":
            return old is not None and (new is None or new > old)
        case "alarm" | "cannot_miss" | "scored":
            return bool(old) and not new
        case _:
            return False


def _change(
    part: str, name: str, old: Any, new: Any, row: Fields, names: _Names
) -> tuple[str, SafeString]:
    """Return what becomes of one field, plain and marked."""
    match name:
        case "probability" if _are_numbers(old, new):
            was, is_now = _told_apart(_per_100, old, new)
            return _number(_of_100(part, row, names, "{}"), is_now, was, f" {_from(row)}")
        case "prior_percent" if _are_numbers(old, new):
            was, is_now = _told_apart(lambda number: f"{number:g}", old, new)
            who = f"Of 100 people who come, {{}} have “{row['name']}”"
            return _number(who, is_now, was, f" From: {row.get('prior_basis')}.")
        case _ if name in RULES:
            reach = names.reaches.get(row["key"]) if name == "rule" else None
            return _rule(_label(part, name), old or "", new or "", names, reach)
        case "text" | "original" if part == "translations":
            return _text(_label(part, name), str(old or ""), str(new or ""))
        case "table":
            return _value(_label(part, name), _length(new), _length(old), " Its numbers changed.")
        case _ if isinstance(_field(part, name), models.ManyToManyField):
            return _list(_label(part, name), old, new)
        case _ if _is_text(part, name) and isinstance(old, str) and isinstance(new, str):
            return _text(_label(part, name), old, new)
        case _:
            was, is_now = _told_apart(lambda value: _shown(part, name, value, names), old, new)
            return _value(_label(part, name), is_now, was, _consequence(name, old, new))


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _told_apart(shown: Callable[[Any], str], old: Any, new: Any) -> tuple[str, str]:
    """Return both as they are shown, or as they are stored where that looks the same."""
    was, is_now = shown(old), shown(new)
    return (was, is_now) if was != is_now else (json.dumps(old), json.dumps(new))


def _number(told: str, is_now: str, was: str, rest: str) -> tuple[str, SafeString]:
    before, after = told.split("{}", 1)
    return (
        f"{before}{is_now}{after}; it was {was}.{rest}",
        format_html("{}<ins>{}</ins>{}; it was <del>{}</del>.{}", before, is_now, after, was, rest),
    )


def _value(label: str, is_now: str, was: str, rest: str) -> tuple[str, SafeString]:
    return (
        f"{label}: {is_now}; it was {was}.{rest}",
        format_html("{}: <ins>{}</ins>; it was <del>{}</del>.{}", label, is_now, was, rest),
    )


def _consequence(name: str, old: Any, new: Any) -> str:
    if name != "urgency" or old not in Urgency.values or new not in Urgency.values:
        return ""
    return (
        " People are told to wait longer than before."
        if _is_calmer(name, old, new)
        else " People are sent sooner than before."
    )


def _rule(
    label: str, old: str, new: str, names: _Names, reach: Reach | None
) -> tuple[str, SafeString]:
    """Return a rule before and after in words, or as it is written where the words are the same."""
    was, is_now = names.rule(old), names.rule(new)
    sentence, marked = _text(label, old, new) if was == is_now else _text(label, was, is_now)
    rest = [reach] if reach else ["In words it stays the same."] if was == is_now else []
    return " ".join([sentence, *rest]), format_html_join(" ", "{}", ((s,) for s in [marked, *rest]))


def _reaches(before: Document, after: Document) -> dict[str, Reach]:
    """Return whom each red flag or floor rule fires for whose rule changes."""
    old = {row["key"]: row["rule"] for row in _rows(before, "red_flags")}
    changed = {
        row["key"]: (old[row["key"]], row["rule"])
        for row in _rows(after, "red_flags")
        if old.get(row["key"], row["rule"]) != row["rule"]
    }
    if not changed:
        return {}
    try:
        rules = {key: (parse(was), parse(is_now)) for key, (was, is_now) in changed.items()}
        return _compared(after, rules)
    except (RuleError, LookupError, TypeError, ValueError):
        return dict.fromkeys(changed, Reach.UNKNOWN)


def _compared(
    document: Document, rules: Mapping[str, tuple[Expression, Expression]]
) -> dict[str, Reach]:
    """Compare rules over the questions of a document. Raises LookupError where one names others."""
    features = [
        feature_from(row, options_of(row, document)) for row in in_order(document["features"])
    ]
    asked_if = {each.key: parse(each.asked_if) if each.asked_if else ALWAYS for each in features}
    everything = [*asked_if.values(), *(rule for pair in rules.values() for rule in pair)]
    known = {each.key: each for each in features}
    for misfit in (misfit for each in everything for misfit in misfits(each, known)):
        raise LookupError(misfit)
    signs = Signs(features, everything)
    gates: dict[FeatureKey, Verdict] = {}
    for key, expression in asked_if.items():
        gates[key] = signs.compiled(expression, gates)
    found = {}
    for name, pair in rules.items():
        was, is_now = (signs.compiled(each, gates) for each in pair)
        more, fewer = signs.implies(was, is_now), signs.implies(is_now, was)
        found[name] = REACHES[more, fewer]
    return found


MAY_CALM = {Reach.FEWER, Reach.OTHERS, Reach.UNKNOWN}
REACHES = {
    (True, True): Reach.SAME,
    (True, False): Reach.MORE,
    (False, True): Reach.FEWER,
    (False, False): Reach.OTHERS,
}


def _list(label: str, old: Any, new: Any) -> tuple[str, SafeString]:
    """Return which members of a list come and go."""
    were, are = [_named(item) for item in old or []], [_named(item) for item in new or []]
    come, go = (
        [item for item in are if item not in were],
        [item for item in were if item not in are],
    )
    if not come and not go:
        return _value(label, json.dumps(new), json.dumps(old), "")
    pieces = [*(f"with {item}" for item in come), *(f"without {item}" for item in go)]
    marks = [("ins", item) for item in come] + [("del", item) for item in go]
    return (
        f"{label}: now {', '.join(pieces)}.",
        format_html(
            "{}: {}.",
            label,
            format_html_join(", ", "<{0}>{1}</{0}>", ((SafeString(t), i) for t, i in marks)),
        ),
    )


def _length(table: Any) -> str:
    return f"{len(table)} lines" if isinstance(table, list) else "none"


def _named(item: Any) -> str:
    if isinstance(item, list) and item and all(isinstance(piece, str) for piece in item):
        return str(item[-1])
    return json.dumps(item, ensure_ascii=False)


def _field(part: str, name: str) -> "models.Field[Any, Any] | None":
    names = {field.name: field for field in FILES[part]._meta.get_fields()}
    field = names.get(name)
    return field if isinstance(field, models.Field) else None


def _label(part: str, name: str) -> str:
    if name == "asked_if":
        return "It is asked if this holds"
    if name == "rule":
        return "It fires when this holds"
    field = _field(part, name)
    label = str(field.verbose_name) if field else name.replace("_", " ")
    return label[:1].upper() + label[1:]


def _is_text(part: str, name: str) -> bool:
    field = _field(part, name)
    return field is None or not field.choices


def _shown(part: str, name: str, value: Any, names: _Names) -> str:
    if name in RULES and isinstance(value, str):
        return names.rule(value)
    match value:
        case True:
            return "yes"
        case False:
            return "no"
        case None | "":
            return "nothing"
        case str():
            field = _field(part, name)
            chosen = dict(field.flatchoices).get(value) if field and field.choices else None
            return f"“{chosen or value}”"
        case int() | float():
            return f"{value:g}" if abs(value) < 1e6 else repr(value)
        case [*_] if value and all(isinstance(item, str) for item in value):
            return f"“{value[-1]}”"
        case [*_]:
            return ", ".join(map(_named, value)) or "none"
        case _:
            return json.dumps(value, ensure_ascii=False)


# Texts


def _text(label: str, old: str, new: str) -> tuple[str, SafeString]:
    """Return the changed words of a text with some around them, plain and marked."""
    stretches = list(_stretches(old, new))
    was = "".join(text for tag, text in stretches if tag != "ins").strip()
    is_now = "".join(text for tag, text in stretches if tag != "del").strip()
    if was == is_now:
        was, is_now = (json.dumps(text, ensure_ascii=False) for text in (old, new))
    marked = format_html_join(
        "",
        "{}",
        (
            (text if not tag else format_html("<{0}>{1}</{0}>", SafeString(tag), text),)
            for tag, text in stretches
        ),
    )
    return (
        f"{label}: “{is_now}”; it was “{was}”.",
        format_html("{}: “{}”", label, marked),
    )


def _stretches(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield (tag, text): tag is “ins”, “del”, or empty for what stays."""
    were, are = (re.findall(r"\s+|[^\s]+", text) for text in (old, new))
    codes = difflib.SequenceMatcher(None, were, are, autojunk=False).get_opcodes()
    for number, (code, from_old, to_old, from_new, to_new) in enumerate(codes):
        if code == "equal":
            yield (
                "",
                _shortened(were[from_old:to_old], first=not number, last=number == len(codes) - 1),
            )
            continue
        if from_old < to_old:
            yield "del", "".join(were[from_old:to_old])
        if from_new < to_new:
            yield "ins", "".join(are[from_new:to_new])


def _shortened(words: list[str], *, first: bool, last: bool) -> str:
    """Return what stays the same, without its middle where it is long; each word has its space."""
    keep = 2 * CONTEXT
    if len(words) <= 2 * keep:
        return "".join(words)
    head = "" if first else "".join(words[:keep])
    tail = "" if last else "".join(words[-keep:])
    return f"{head} … {tail}"


# What is not a field of a row


def _elsewhere(part: str, old: Any, new: Any) -> Iterator[Difference]:
    """Yield what changes in a part that nobody has taught this page."""
    if _same(old, new):
        return
    kind = Kind.ADDED if old is None else Kind.REMOVED if new is None else Kind.CHANGED
    sentence, marked = _value(
        title_of(part), json.dumps(new, ensure_ascii=False), json.dumps(old, ensure_ascii=False), ""
    )
    yield Difference(part, part, title_of(part), sentence, kind, marked)


def _of_form() -> Difference:
    sentence = "Rows stand in another order. Nothing that people read and no number is different."
    return Difference(FORM, FORM, "How it is written", sentence, Kind.CHANGED, SafeString(sentence))
