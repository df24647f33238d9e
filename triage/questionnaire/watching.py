"""What would change the advice, in lines that a worried person can look out for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import groupby

from django.utils.translation import gettext

from triage.content.knowledge import Wording
from triage.engine import (
    NOT_SURE,
    Change,
    Changes,
    Chosen,
    Evidence,
    Feature,
    FeatureKey,
    Knowledge,
    Number,
    OptionKey,
    Outcome,
    Reply,
    Unknown,
    Urgency,
)
from triage.engine.disposition import is_unknown

from .sentences import named, range_of, replied

MOST_LINES = 6
"""Shown at once; the rest is folded."""

MOST_TOGETHER = 2

type Noticed = tuple[FeatureKey, OptionKey | int]
"""What a person may notice: an option, or a number in the cell that begins with it."""


@dataclass(frozen=True, slots=True)
class Line:
    """What to look out for; where there are `items`, any one of them."""

    urgency: Urgency
    says: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signs:
    """What to do, and the signs of which each is a reason to do it."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer on which the advice hangs, or one that is not known and what it could change.

    What the advice would be without an answer is not said: more questions might follow.
    """

    name: str
    answer: str
    change_url: str
    says: str = ""
    is_alarm: bool = False


@dataclass(frozen=True, slots=True)
class Watching:
    first: tuple[Signs, ...]
    more: tuple[Signs, ...]
    hangs_on: tuple[Answer, ...]


def watching(
    changes: Changes,
    knowledge: Knowledge,
    evidence: Evidence,
    wording: Wording,
    urls: Mapping[FeatureKey, str],
) -> Watching:
    """Return what would raise the urgency, warning signs first, and the answers it hangs on.

    `urls` say where each answer can be changed.
    """
    alone, together = _lines(changes.raising, knowledge, evidence, wording)
    rest = sorted([*alone[MOST_LINES:], *together], key=lambda line: -line.urgency)
    return Watching(
        _by_urgency(alone[:MOST_LINES], wording),
        _by_urgency(rest, wording),
        tuple(_hanging(changes.lowering, knowledge, evidence, wording, urls)),
    )


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The answers that are not known: by which the advice could become more urgent, and the rest."""

    pressing: tuple[Answer, ...]
    others: tuple[Answer, ...]

    def __bool__(self) -> bool:
        return bool(self.pressing or self.others)

    def __iter__(self) -> Iterator[Answer]:
        yield from self.pressing
        yield from self.others


def not_known(
    outcome: Outcome,
    knowledge: Knowledge,
    evidence: Evidence,
    wording: Wording,
    urls: Mapping[FeatureKey, str],
) -> NotKnown:
    """Return the answers that are not known, and what each of them could change."""
    urgency = outcome.disposition.urgency
    pressing: list[Answer] = []
    others: list[Answer] = []
    for unknown in outcome.unknowns:
        reply = evidence.get(unknown.feature)
        if reply is None or unknown.feature not in urls:
            continue
        answer = Answer(
            wording.feature_name(unknown.feature),
            replied(unknown.feature, reply, knowledge, wording),
            urls[unknown.feature],
            says=_could_change(unknown, urgency),
        )
        (pressing if unknown.highest > urgency else others).append(answer)
    return NotKnown(tuple(pressing), tuple(others))


def _could_change(unknown: Unknown, urgency: Urgency) -> str:
    if unknown.highest > urgency:
        if unknown.leads:
            return gettext(
                "An answer could make the advice more urgent, or change which cause is most likely"
            )
        return gettext("An answer could make the advice more urgent")
    if unknown.lowest < urgency:
        if unknown.leads:
            return gettext(
                "An answer could make the advice less urgent, or change which cause is most likely"
            )
        return gettext("An answer could make the advice less urgent")
    return gettext("An answer could change which cause is most likely")


def _lines(
    raising: Iterable[Change], knowledge: Knowledge, evidence: Evidence, wording: Wording
) -> tuple[list[Line], list[Line]]:
    """Return a line for each feature and urgency: of one sign, and of two that count together."""
    alone: dict[tuple[bool, Urgency, FeatureKey], list[Noticed]] = {}
    together: dict[tuple[Urgency, Noticed, FeatureKey], list[Noticed]] = {}
    for change in raising:
        noticed = [
            sign
            for key, reply in change.replies
            for sign in _noticed(knowledge.feature(key), reply, evidence.get(key))
        ]
        features = {key for key, _ in noticed}
        if len(features) < len(change.replies):
            continue  # some of it cannot be noticed
        if len(noticed) == 1:
            (sign,) = noticed
            alone.setdefault((bool(change.brings), change.urgency, sign[0]), []).append(sign)
        elif len(noticed) == MOST_TOGETHER:
            # a number comes last, so that its cells stand in one line
            one, two = sorted(noticed, key=lambda each: isinstance(each[1], int))
            together.setdefault((change.urgency, one, two[0]), []).append(two)
    lines = [_line(urgency, signs, knowledge, wording) for (_, urgency, _), signs in alone.items()]
    pairs: dict[tuple[Urgency, str], list[str]] = {}
    for (urgency, one, _), signs in together.items():
        with_these = _said(signs, knowledge, wording)
        pairs.setdefault((urgency, with_these), []).append(_said([one], knowledge, wording))
    return lines, [_pair(urgency, other, some) for (urgency, other), some in pairs.items()]


def _line(urgency: Urgency, signs: list[Noticed], knowledge: Knowledge, wording: Wording) -> Line:
    """Say signs of one feature: “Fever: Yes”, or “Legs and arms, any of these:” with a list."""
    answers = _answers(signs, knowledge, wording)
    if len(answers) == 1:
        return Line(urgency, _said(signs, knowledge, wording))
    name = wording.feature_name(signs[0][0])
    return Line(urgency, gettext("%(name)s, any of these:") % {"name": name}, tuple(answers))


def _pair(urgency: Urgency, sign: str, others: list[str]) -> Line:
    """Say a sign that counts only together with one of the others."""
    if len(others) == 1:
        both = {"sign": sign, "other": others[0]}
        return Line(urgency, gettext("%(sign)s, together with %(other)s") % both)
    says = gettext("%(sign)s, together with any of these:") % {"sign": sign}
    return Line(urgency, says, tuple(others))


def _noticed(feature: Feature, reply: Reply, before: Reply | None) -> list[Noticed]:
    """Return what is new in a reply and can be noticed: not what one is sure of from the start,
    such as the age, and not that nothing is."""
    if feature.required:
        return []
    match reply:
        case Number(value):
            return [(feature.key, value)]
        case Chosen(options):
            had = before.options if isinstance(before, Chosen) else frozenset[OptionKey]()
            lone = {option.key for option in feature.options if option.exclusive} | {NOT_SURE}
            order = [option.key for option in feature.options]
            return [(feature.key, key) for key in order if key in options - had - lone]
        case _:
            return []


def _said(signs: list[Noticed], knowledge: Knowledge, wording: Wording) -> str:
    """Say signs of one feature: “Legs and arms: Legs weak; or Wobbly when walking”."""
    answers = _answers(signs, knowledge, wording)
    return named(wording.feature_name(signs[0][0]), _any_of(answers))


def _answers(signs: list[Noticed], knowledge: Knowledge, wording: Wording) -> list[str]:
    feature = knowledge.feature(signs[0][0])
    order = [option.key for option in feature.options]
    options = sorted({s for _, s in signs if not isinstance(s, int)}, key=order.index)
    said = [wording.option(feature.key, key) for key in options]
    return said + _ranges(feature, {s for _, s in signs if isinstance(s, int)}, knowledge)


def _any_of(said: Iterable[str]) -> str:
    """Return “one”, “one; or two”, “one; or two; or three”."""
    return reduce(
        lambda some, more: gettext("%(some)s; or %(more)s") % {"some": some, "more": more}, said
    )


def _ranges(feature: Feature, starts: set[int], knowledge: Knowledge) -> list[str]:
    """Say cells of numbers, those that meet as one range."""
    if not starts:
        return []
    ranges: list[tuple[int, int]] = []
    for cell in knowledge.signs.cells[feature.key]:
        if cell.start in starts:
            if ranges and ranges[-1][1] == cell.start - 1:
                ranges[-1] = (ranges[-1][0], cell[-1])
            else:
                ranges.append((cell.start, cell[-1]))
    return [
        gettext("%(low)s or more") % {"low": low}
        if high == feature.high
        else range_of(low, high)
        if low < high
        else str(low)
        for low, high in ranges
    ]


def _by_urgency(lines: list[Line], wording: Wording) -> tuple[Signs, ...]:
    return tuple(
        Signs(wording.advice("urgency", urgency.key).heading, tuple(group))
        for urgency, group in groupby(lines, key=lambda line: line.urgency)
    )


def _hanging(
    lowering: Iterable[Change],
    knowledge: Knowledge,
    evidence: Evidence,
    wording: Wording,
    urls: Mapping[FeatureKey, str],
) -> Iterable[Answer]:
    """Yield the answers without which the advice would be less urgent, warning signs first."""
    by_feature: dict[FeatureKey, list[Change]] = {}
    for change in lowering:
        for key, _ in change.replies:
            by_feature.setdefault(key, []).append(change)
    for key, changes in by_feature.items():
        reply = evidence.get(key)
        if reply is None or key not in urls or is_unknown(reply):
            continue  # nobody is sent looking for what would calm
        yield Answer(
            wording.feature_name(key),
            replied(key, reply, knowledge, wording),
            urls[key],
            is_alarm=any(change.withdraws for change in changes),
        )
