"""What a person's replies come to, found without any of the engine's reasoning.

A rule is a Python expression over plain values, so Python itself says whether it holds: a single
choice is a string, a multiple choice a set, a number an int; what is not known is the empty string,
the empty set, or a thing of which every comparison is false.
"""

import ast
from collections.abc import Mapping
from functools import cache
from types import CodeType

from triage.engine import (
    NOT_SURE,
    Chosen,
    Declined,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Number,
    Reply,
    Rule,
    Urgency,
)

type Plain = str | frozenset[str] | int | NotKnown
type Replies = Mapping[FeatureKey, Reply]


class NotKnown:
    """A number that is not known: every comparison with it is false."""

    def _never(self, other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _never
    __eq__ = __ne__ = _never
    __hash__ = object.__hash__


NOT_KNOWN = NotKnown()


@cache
def compiled(text: str) -> CodeType:
    # Python's "is not None" asks whether a number is known
    return compile(text.replace("is not None", "is not NOT_KNOWN"), "rule", "eval")


@cache
def names(text: str) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))


def is_true(text: str, values: Mapping[str, Plain]) -> bool:
    if not text:
        return True
    scope: dict[str, object] = {"__builtins__": {}, "NOT_KNOWN": NOT_KNOWN, **values}
    return bool(eval(compiled(text), scope))


def plain_values(knowledge: Knowledge, replies: Replies) -> dict[str, Plain]:
    """Return what every feature reads, as if nothing more were asked."""
    emergencies = emergency_features(knowledge)
    values: dict[str, Plain] = {}
    for feature in knowledge.features:
        reply = replies.get(feature.key)
        if reply is None or not is_true(feature.asked_if, values):
            values[feature.key] = nothing_known(feature)
        else:
            values[feature.key] = _value(feature, reply, feature.key in emergencies)
    return values


@cache
def emergency_features(knowledge: Knowledge) -> frozenset[str]:
    emergencies = [rule for rule in knowledge.rules if rule.urgency is Urgency.EMERGENCY_NOW]
    return frozenset[str]().union(*(names(rule.text) for rule in emergencies))


def nothing_known(feature: Feature) -> Plain:
    match feature.kind:
        case Kind.SINGLE:
            return ""
        case Kind.MULTI:
            return frozenset()
        case Kind.NUMBER:
            return NOT_KNOWN


def _value(feature: Feature, reply: Reply, feeds_an_emergency: bool) -> Plain:
    match reply:
        case Number(value):
            return value
        case Chosen(options) if feature.kind is Kind.MULTI:
            return options
        case Chosen(options):
            (option,) = options
            return option
        case Declined() if feeds_an_emergency and feature.has(NOT_SURE):
            return frozenset({NOT_SURE}) if feature.kind is Kind.MULTI else NOT_SURE
        case Declined():
            return nothing_known(feature)


def holding(knowledge: Knowledge, replies: Replies) -> list[Rule]:
    """Return the rules that hold of a person of whom nothing more will be known."""
    values = plain_values(knowledge, replies)
    return [rule for rule in knowledge.rules if is_true(rule.text, values)]


def rule_urgency(knowledge: Knowledge, replies: Replies) -> Urgency:
    return max((r.urgency for r in holding(knowledge, replies)), default=Urgency.SELF_CARE)


def applying(knowledge: Knowledge, replies: Replies) -> list[FeatureKey]:
    """Return the features that this person is to be asked, in the order of the content."""
    values = plain_values(knowledge, replies)
    return [f.key for f in knowledge.features if is_true(f.asked_if, values)]
