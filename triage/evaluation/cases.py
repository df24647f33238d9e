"""Cases: people of whom it is known, or was decided beforehand, what would be right for them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from triage.engine import (
    Chosen,
    ConditionKey,
    Decline,
    Declined,
    EngineError,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Number,
    OptionKey,
    Reply,
    Urgency,
    check_reply,
)


class UnfitCases(Exception):
    """Cases that cannot be run; `faults` holds a sentence for each reason, with its line."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class Case:
    """One person.

    evidence     all that is known, in the order of the content; the rest stays unasked
    conditions   any of them counts as the right cause; empty: the causes are not judged
    at_least     the lowest urgency that would be right, and `at_most` the highest; both None:
                 the urgency is not judged
    """

    key: str
    evidence: Evidence
    conditions: frozenset[ConditionKey] = frozenset()
    at_least: Urgency | None = None
    at_most: Urgency | None = None


def read_cases(lines: Iterable[str], knowledge: Knowledge) -> tuple[Case, ...]:
    """Return the cases of a JSONL file, one a line. Empty lines are passed over.

    Raises UnfitCases with every fault of every line at once.
    """
    cases: list[Case] = []
    faults: list[str] = []
    lines_by_key: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case = read_case(line, knowledge)
        except UnfitCases as unfit:
            faults.extend(f"line {number}: {fault}" for fault in unfit.faults)
            continue
        earlier = lines_by_key.setdefault(case.key, number)
        if earlier != number:
            faults.append(f"line {number}: the id “{case.key}” is already that of line {earlier}")
        cases.append(case)
    if not cases and not faults:
        faults.append("there is no case in it")
    if faults:
        raise UnfitCases(faults)
    return tuple(cases)


def read_case(text: str, knowledge: Knowledge) -> Case:
    """Return the case that one JSON object describes. Raises UnfitCases with all of its faults."""
    try:
        record = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UnfitCases([f"this is not JSON: {error}"]) from None
    if not isinstance(record, dict):
        raise UnfitCases(["a case is a JSON object with “id”, “answers” and “expected”"])
    faults: list[str] = []
    key = record.get("id")
    if not isinstance(key, str) or not key:
        faults.append("“id” is missing, or is no text")
    evidence = _evidence(record.get("answers"), knowledge, faults)
    expected = _expected(record.get("expected"), faults)
    conditions = _conditions(expected.get("conditions"), knowledge, faults)
    at_least = _urgency(expected, "urgency_at_least", faults)
    at_most = _urgency(expected, "urgency_at_most", faults)
    if at_least is not None and at_most is not None and at_least > at_most:
        faults.append("“urgency_at_least” is higher than “urgency_at_most”")
    if faults:
        raise UnfitCases(faults)
    return Case(str(key), evidence, conditions, at_least, at_most)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"“{twice}” is given twice")
    return record


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _evidence(answers: object, knowledge: Knowledge, faults: list[str]) -> Evidence:
    if not isinstance(answers, dict):
        faults.append("“answers” is missing, or is no object of features and replies")
        return Evidence()
    features = {feature.key: feature for feature in knowledge.features}
    faults.extend(f"“{key}” is no feature of this topic" for key in answers if key not in features)
    replies: list[tuple[FeatureKey, Reply]] = []
    for key, feature in features.items():
        if key in answers and (reply := _reply(feature, answers[key], faults)) is not None:
            replies.append((key, reply))
    return Evidence(replies)


def _reply(feature: Feature, value: object, faults: list[str]) -> Reply | None:
    match value:
        case str() if value in Decline and not feature.has(OptionKey(value)):
            reply: Reply = Declined(Decline(value))
        case str() if feature.kind is Kind.SINGLE:
            reply = Chosen(frozenset({OptionKey(value)}))
        case list() if feature.kind is Kind.MULTI and all(isinstance(key, str) for key in value):
            reply = Chosen(frozenset(map(OptionKey, value)))
        case int() if feature.kind is Kind.NUMBER and not isinstance(value, bool):
            reply = Number(value)
        case _:
            shown = json.dumps(value, ensure_ascii=False)
            faults.append(f"“{feature.key}” takes {_SHAPES[feature.kind]}, not {shown}")
            return None
    if isinstance(reply, Chosen):
        unknown = sorted(key for key in reply.options if not feature.has(key))
        if unknown:
            faults.extend(f"“{feature.key}” has no option “{key}”" for key in unknown)
            return None
    try:
        return check_reply(feature, reply)
    except EngineError as error:
        faults.append(str(error))
        return None


_SHAPES = {
    Kind.SINGLE: "one option as a text",
    Kind.MULTI: "a list of options",
    Kind.NUMBER: "a whole number",
}


def _expected(value: object, faults: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        faults.append("“expected” is missing, or is no object")
        return {}
    known = ("conditions", "urgency_at_least", "urgency_at_most")
    faults.extend(
        f"“expected” says “{key}”; it can only say {', '.join(known)}"
        for key in value
        if key not in known
    )
    return value


def _conditions(value: object, knowledge: Knowledge, faults: list[str]) -> frozenset[ConditionKey]:
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
        faults.append("“conditions” is no list of conditions")
        return frozenset()
    known = {condition.key for condition in knowledge.conditions}
    faults.extend(f"“{key}” is no condition of this topic" for key in value if key not in known)
    return frozenset(map(ConditionKey, value))


def _urgency(expected: dict[str, Any], name: str, faults: list[str]) -> Urgency | None:
    value = expected.get(name)
    if value is None:
        return None
    keys = [urgency.key for urgency in Urgency]
    if value not in keys:
        shown = json.dumps(value, ensure_ascii=False)
        faults.append(f"“{name}” is {shown}, which is none of {', '.join(keys)}")
        return None
    return Urgency.of(value)


def as_answers(evidence: Evidence, knowledge: Knowledge) -> dict[str, Any]:
    """Return evidence as the “answers” of a case, which read back give the same evidence."""
    return {key: _as_answer(knowledge.feature(key), reply) for key, reply in evidence}


def _as_answer(feature: Feature, reply: Reply) -> str | list[str] | int:
    match reply:
        case Number(value):
            return value
        case Declined(reason):
            return reason.value
        case Chosen(options):
            chosen: list[str] = sorted(options)
            return chosen if feature.kind is Kind.MULTI else chosen[0]
