"""What would change the advice: the replies that would raise the urgency, and those that would
lower it.

A change is one single or number reply replaced, or one option of a multiple choice toggled, of a
feature that applies to this person, whether it was asked or not. Where no such change makes a rule
hold that is above the urgency, two of them together may.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from .evidence import Chosen, Evidence, Number, Reply
from .knowledge import Knowledge
from .replaying import Replay, Replayed
from .risks import Replies, Risk
from .standing import NOTHING, Standing
from .tables import options_in
from .verdicts import FALSE, TRUE, VALUES, Mark, Verdict
from .vocabulary import (
    NOT_SURE,
    Feature,
    FeatureKey,
    Kind,
    OptionKey,
    Rule,
    RuleKey,
    Urgency,
)

MOST_AT_ONCE = 2
"""Replies that are changed together."""


@dataclass(frozen=True, slots=True)
class Change:
    """Replies that would be others, and the urgency that `disposition` gives with them.

    replies    one, or two of different features, or one in which two options are toggled
    rules      what does it: the rules that set the higher urgency, or if the urgency falls those
               above it that no longer hold
    risks      likewise the conditions that are likely enough, or no longer; none where rules do it
    brings     the alarms that are reported with these replies and are not so now
    withdraws  the alarms that are reported now and would not be any more: without them the advice
               is only calmer if they were reported by mistake
    """

    replies: tuple[tuple[FeatureKey, Reply], ...]
    urgency: Urgency
    rules: tuple[RuleKey, ...]
    risks: tuple[Risk, ...]
    brings: tuple[tuple[FeatureKey, OptionKey], ...]
    withdraws: tuple[tuple[FeatureKey, OptionKey], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """The urgency now, and what would raise it and lower it: those with alarms first, then the most
    urgent, then by key."""

    urgency: Urgency
    raising: tuple[Change, ...]
    lowering: tuple[Change, ...]


def changes_of(
    knowledge: Knowledge, evidence: Evidence, *, skipped: frozenset[FeatureKey] = NOTHING
) -> Changes:
    """Return every single change that raises or lowers the urgency; and every two that raise it
    together by a rule that neither of them, nor any other one, makes hold, to an urgency that
    neither reaches.

    Each change of a number is to the first of another cell: all numbers of one come to the same.

    Raises: UnknownFeature if `evidence` or `skipped` names what `knowledge` lacks.
    """
    return changes_in(Replay(Standing(knowledge, evidence, skipped)))


def changes_in(replay: Replay) -> Changes:
    knowledge, evidence = replay.knowledge, replay.standing.evidence
    singles = [
        step.alone
        for feature in knowledge.features
        if replay.applies(feature.key)
        for step in _steps(knowledge, feature.key, evidence.get(feature.key))
    ]
    found = dict(zip(singles, replay.after(singles), strict=True))
    pairs = list(_pairs(replay, found))
    found.update(zip(pairs, replay.after(pairs), strict=True))
    changes = [
        _change(replay, replies, replayed)
        for replies, replayed in found.items()
        if replayed.urgency is not replay.now.urgency
    ]
    changes.sort(key=_order)
    now = replay.now.urgency
    return Changes(
        now,
        tuple(change for change in changes if change.urgency > now),
        tuple(change for change in changes if change.urgency < now),
    )


def _order(change: Change) -> tuple[object, ...]:
    replies = [(key, _key_of(reply)) for key, reply in change.replies]
    return not (change.brings or change.withdraws), -change.urgency, len(replies), replies


def _key_of(reply: Reply) -> tuple[int, tuple[str, ...]]:
    match reply:
        case Number(value):
            return value, ()
        case Chosen(options):
            return 0, tuple(sorted(options))
        case _:
            return 0, ()


@dataclass(frozen=True, slots=True)
class _Step:
    """One change: the reply, by itself and as what it sets, and the option that is toggled for it,
    if one is."""

    feature: Feature
    reply: Reply
    alone: Replies
    marks: tuple[Mark, ...]
    option: OptionKey | None


REMEMBERED = 4096
"""Replies of which it is remembered what is one change away: that is the same for everybody."""


@lru_cache(REMEMBERED)
def _steps(knowledge: Knowledge, key: FeatureKey, reply: Reply | None) -> tuple[_Step, ...]:
    """Return every way to be one change away from the reply to a feature, if it has one."""
    feature, unsure = knowledge.feature(key), key in knowledge.feeds_emergency
    return tuple(
        _Step(
            feature,
            other,
            ((key, other),),
            knowledge.signs.marks(key, other, unsure=unsure),
            option,
        )
        for other, option in _others(knowledge, feature, reply)
    )


def _others(
    knowledge: Knowledge, feature: Feature, reply: Reply | None
) -> Iterator[tuple[Reply, OptionKey | None]]:
    match feature.kind:
        case Kind.SINGLE:
            for option in feature.options:
                if (other := Chosen(frozenset({option.key}))) != reply:
                    yield other, None
        case Kind.NUMBER:
            for cell in knowledge.signs.cells[feature.key]:
                if not (isinstance(reply, Number) and reply.value in cell):
                    yield Number(cell.start), None
        case Kind.MULTI:
            for option in feature.options:
                toggled = _toggled(feature, reply, option.key)
                if toggled is not None and toggled != reply:
                    yield toggled, option.key


def _toggled(feature: Feature, reply: Reply | None, key: OptionKey) -> Chosen | None:
    """Return the reply to a multiple choice with one option ticked, or no longer ticked.

    An exclusive option and the others give way to each other. With the last tick gone the answer is
    the option that says that there is nothing; None if the feature has none.
    """
    lone = {option.key for option in feature.options if option.exclusive}
    ticked = reply.options if isinstance(reply, Chosen) else frozenset[OptionKey]()
    if key not in ticked:
        return Chosen(frozenset({key}) if key in lone else ticked - lone | {key})
    nothing = [o.key for o in feature.options if o.exclusive and o.key != NOT_SURE]
    left = ticked - {key} or frozenset(nothing[:1])
    return Chosen(left) if left else None


def _pairs(replay: Replay, singles: Mapping[Replies, Replayed]) -> Iterator[Replies]:
    """Yield the two changes each that raise the urgency only together."""
    knowledge, now = replay.knowledge, replay.now.urgency
    within_reach = {rule.key for replayed in singles.values() for rule in replayed.rules}
    seen = set(singles)
    for rule in knowledge.rules:
        if rule.urgency <= now or rule.key in within_reach:
            continue
        verdict = knowledge.verdicts[rule.key]
        useful = _useful(replay, verdict)
        steps = [
            step
            for key in (knowledge.reads[rule.key] if useful else ())
            for step in _steps(knowledge, key, replay.standing.evidence.get(key))
            if not useful.isdisjoint(step.marks) and not _reaches(singles, step, rule.urgency)
        ]
        for one, other in combinations(steps, MOST_AT_ONCE):
            if one.feature is other.feature:
                both = _both(replay, one, other)
                holds = both and replay.comes_to(verdict, replay.values_after(both))
            else:
                holds = replay.comes_to(verdict, replay.values_with(one.marks, other.marks))
                both = _both(replay, one, other) if holds else ()
            if both and holds and both not in seen and _can_be(replay, both):
                seen.add(both)
                yield both


def _reaches(singles: Mapping[Replies, Replayed], step: _Step, urgency: Urgency) -> bool:
    alone = singles.get(step.alone)
    return alone is not None and alone.urgency >= urgency


def _both(replay: Replay, one: _Step, other: _Step) -> Replies:
    """Return two changes as one: of the same feature only two options, neither exclusive."""
    if one.feature is not other.feature:
        pair = sorted((one, other), key=lambda step: replay.knowledge.place[step.feature.key])
        return pair[0].alone + pair[1].alone
    lone = {option.key for option in one.feature.options if option.exclusive}
    if (
        one.option is None
        or other.option is None
        or not lone.isdisjoint({one.option, other.option})
    ):
        return ()
    reply = _toggled(one.feature, one.reply, other.option)
    return () if reply is None else ((one.feature.key, reply),)


def _can_be(replay: Replay, change: Replies) -> bool:
    """Whether one of the features applies, and the other does too or will then."""
    keys = [key for key, _ in change]
    if all(replay.knowledge.gates[key] is TRUE for key in keys):
        return True
    return any(
        replay.applies(first)
        and all(replay.applies(key, tuple(p for p in change if p[0] == first)) for key in keys)
        for first in keys
    )


def _useful(replay: Replay, verdict: Verdict) -> frozenset[Mark]:
    """Return every mark that is not so now and by which, with one change more at the most, the
    verdict may become true. Some may be too many, none is missing."""
    knowledge, values = replay.knowledge, replay.values
    known: dict[tuple[int, int], frozenset[Mark] | None] = {}

    def leading(node: Verdict, budget: int) -> frozenset[Mark] | None:
        """Return the marks on the ways to true, None if there is no way that can be paid."""
        if not node.branches:
            return frozenset() if node is TRUE else None
        key = (id(node), budget)
        if key not in known:
            feature = knowledge.features[knowledge.signs.owner[node.sign]]
            found: set[Mark] = set()
            reached = False
            for value, branch in enumerate(node.branches):
                if branch is FALSE:
                    continue
                # a tick goes for nothing where another option is ticked
                is_free = value == values[node.sign] or (feature.kind is Kind.MULTI and not value)
                rest = None if not (is_free or budget) else leading(branch, budget - (not is_free))
                if rest is not None:
                    reached = True
                    found |= rest
                    if value != values[node.sign]:
                        found.add(Mark(node.sign * VALUES + value))
            known[key] = frozenset(found) if reached else None
        return known[key]

    return leading(verdict, MOST_AT_ONCE) or frozenset()


def _change(replay: Replay, replies: Replies, replayed: Replayed) -> Change:
    now, then = replay.now, replayed.urgency
    rules: Iterable[Rule]
    risks: Iterable[Risk]
    if then > now.urgency:
        rules, risks = replayed.rules, replayed.risks
        rules = [rule for rule in rules if rule.urgency is then]
        risks = [risk for risk in risks if risk.urgency is then]
    else:
        rules = [rule for rule in now.rules if rule.urgency > then]
        risks = [risk for risk in now.risks if risk.urgency > then]
    brings: list[tuple[FeatureKey, OptionKey]] = []
    withdraws: list[tuple[FeatureKey, OptionKey]] = []
    for key, reply in replies:
        before = _alarms(replay.knowledge, key, replay.standing.evidence.get(key))
        after = _alarms(replay.knowledge, key, reply)
        brings += [(key, alarm) for alarm in after if alarm not in before]
        withdraws += [(key, alarm) for alarm in before if alarm not in after]
    return Change(
        replies,
        then,
        tuple([rule.key for rule in rules]),
        tuple(risks),
        tuple(brings),
        tuple(withdraws),
    )


@lru_cache(REMEMBERED)
def _alarms(knowledge: Knowledge, key: FeatureKey, reply: Reply | None) -> tuple[OptionKey, ...]:
    """Return the alarms that a reply reports, in the order of the content."""
    feature = knowledge.feature(key)
    options = None if reply is None else options_in(feature, reply)
    return tuple(o.key for o in feature.options if o.alarm and o.key in (options or ()))
