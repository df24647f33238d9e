"""The rule language: parse, check against the features, evaluate, and say in plain English.

A rule is a Python boolean expression over feature keys and constants and nothing else, parsed
through `ast` with a whitelist and never executed. What is not known reads as: a single choice,
no option; a multiple choice, no option ticked; a number, every comparison false.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne

from .errors import RuleError
from .vocabulary import Feature, FeatureKey, Kind, OptionKey


@dataclass(frozen=True, slots=True)
class Is:
    """The reply to a single choice is one of these options."""

    feature: FeatureKey
    options: tuple[OptionKey, ...]


@dataclass(frozen=True, slots=True)
class Has:
    """This option of a multiple choice is ticked."""

    feature: FeatureKey
    option: OptionKey


@dataclass(frozen=True, slots=True)
class Compare:
    feature: FeatureKey
    sign: str
    number: float


@dataclass(frozen=True, slots=True)
class IsKnown:
    """The reply to a number feature is known."""

    feature: FeatureKey


@dataclass(frozen=True, slots=True)
class Not:
    part: "Expression"


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Expression", ...]


type Literal = Is | Has | Compare | IsKnown
type Expression = Literal | Not | AllOf | AnyOf
type Reading = frozenset[OptionKey] | int | None
"""What a rule reads of a feature: the options chosen, a number, or None for a number not known."""

ALWAYS = AllOf(())
MOST_NESTED = 50

_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_HOLDS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Return the expression that a rule's text means; empty text always holds.

    Raises RuleError with the place and the reason if the text is not in the rule language.
    """
    if not text.strip():
        return ALWAYS
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RuleError(f"“{text}” cannot be read: {error}") from None
    try:
        return _expression(tree.body, MOST_NESTED)
    except _Refused as refused:
        node = refused.node
        part = (ast.get_source_segment(text.strip(), node) or "")[:60]
        place = node.col_offset + 1
        raise RuleError(f"“{part}” at character {place} is not in the rule language") from None


class _Refused(Exception):
    def __init__(self, node: ast.expr) -> None:
        super().__init__()
        self.node = node


def _expression(node: ast.expr, levels: int) -> Expression:
    if not levels:
        raise RuleError(f"it is nested more than {MOST_NESTED} levels deep")
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return AllOf(tuple(_expression(value, levels - 1) for value in values))
        case ast.BoolOp(op=ast.Or(), values=values):
            return AnyOf(tuple(_expression(value, levels - 1) for value in values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Not(_expression(operand, levels - 1))
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _comparison(node, left, sign, right)
        case _:
            raise _Refused(node)


def _comparison(node: ast.expr, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> Expression:
    match left, sign, right:
        case ast.Constant(value=str(option)), ast.In(), ast.Name(id=feature):
            return Has(FeatureKey(feature), OptionKey(option))
        case ast.Constant(value=str(option)), ast.NotIn(), ast.Name(id=feature):
            return Not(Has(FeatureKey(feature), OptionKey(option)))
        case ast.Name(id=feature), ast.In(), ast.Tuple(elts=elements) if elements:
            return Is(FeatureKey(feature), tuple(map(_option, elements)))
        case ast.Name(id=feature), ast.NotIn(), ast.Tuple(elts=elements) if elements:
            return Not(Is(FeatureKey(feature), tuple(map(_option, elements))))
        case ast.Name(id=feature), ast.IsNot(), ast.Constant(value=None):
            return IsKnown(FeatureKey(feature))
        case (ast.Name(id=feature), ast.Eq(), ast.Constant(value=str(option))) | (
            ast.Constant(value=str(option)),
            ast.Eq(),
            ast.Name(id=feature),
        ):
            return Is(FeatureKey(feature), (OptionKey(option),))
        case (ast.Name(id=feature), ast.NotEq(), ast.Constant(value=str(option))) | (
            ast.Constant(value=str(option)),
            ast.NotEq(),
            ast.Name(id=feature),
        ):
            return Not(Is(FeatureKey(feature), (OptionKey(option),)))
        case ast.Name(id=feature), _, ast.Constant(value=int() | float() as number) if type(
            sign
        ) in _SIGNS and not isinstance(number, bool):
            return Compare(FeatureKey(feature), _SIGNS[type(sign)], number)
        case ast.Constant(value=int() | float() as number), _, ast.Name(id=feature) if type(
            sign
        ) in _SIGNS and not isinstance(number, bool):
            return Compare(FeatureKey(feature), _MIRRORED[_SIGNS[type(sign)]], number)
    raise _Refused(node)


def _option(node: ast.expr) -> OptionKey:
    match node:
        case ast.Constant(value=str(option)):
            return OptionKey(option)
        case _:
            raise _Refused(node)


def literals(expression: Expression) -> Iterator[Literal]:
    """Yield every literal, in the order in which it is written."""
    match expression:
        case Not(part):
            yield from literals(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from literals(part)
        case _:
            yield expression


def features_of(expression: Expression) -> frozenset[FeatureKey]:
    return frozenset(literal.feature for literal in literals(expression))


def misfits(expression: Expression, features: Mapping[FeatureKey, Feature]) -> Iterator[str]:
    """Yield a sentence for every name or comparison that does not fit the features."""
    for literal in literals(expression):
        feature = features.get(literal.feature)
        if feature is None:
            yield f"it names “{literal.feature}”, which is no feature of this topic"
            continue
        match literal:
            case Is(options=options):
                wanted, named = Kind.SINGLE, options
            case Has(option=option):
                wanted, named = Kind.MULTI, (option,)
            case Compare() | IsKnown():
                wanted, named = Kind.NUMBER, ()
        if feature.kind is not wanted:
            yield f"it reads “{feature.key}” as a {wanted} feature, but it is a {feature.kind} one"
        else:
            for key in named:
                if not feature.has(key):
                    yield f"“{feature.key}” has no option “{key}”"


def holds(expression: Expression, readings: Mapping[FeatureKey, Reading]) -> bool:
    """Say whether the expression holds; a feature without a reading is not known."""
    match expression:
        case AllOf(parts):
            return all(holds(part, readings) for part in parts)
        case AnyOf(parts):
            return any(holds(part, readings) for part in parts)
        case Not(part):
            return not holds(part, readings)
        case Is(feature, options):
            reading = readings.get(feature)
            return isinstance(reading, frozenset) and not reading.isdisjoint(options)
        case Has(feature, option):
            reading = readings.get(feature)
            return isinstance(reading, frozenset) and option in reading
        case Compare(feature, sign, number):
            reading = readings.get(feature)
            return isinstance(reading, int) and bool(_HOLDS[sign](reading, number))
        case IsKnown(feature):
            return isinstance(readings.get(feature), int)


def because(expression: Expression, readings: Mapping[FeatureKey, Reading]) -> tuple[Literal, ...]:
    """Return the literals that hold and carry the expression, each once, as written.

    What carries it only by being absent ("not only the lump is sore") is left out: it is no
    finding. Empty if the expression does not hold.
    """
    return tuple(dict.fromkeys(_carriers(expression, readings, wanted=True)))


def _carriers(
    expression: Expression, readings: Mapping[FeatureKey, Reading], *, wanted: bool
) -> Iterator[Literal]:
    if holds(expression, readings) is not wanted:
        return
    match expression:
        case Not(part):
            yield from _carriers(part, readings, wanted=not wanted)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _carriers(part, readings, wanted=wanted)
        case _:
            if wanted:
                yield expression


@dataclass(frozen=True, slots=True)
class Words:
    """Short names of features and texts of options, in one language."""

    features: Mapping[FeatureKey, str]
    options: Mapping[tuple[FeatureKey, OptionKey], str]


_SIGN_WORDS = {
    "<": "under {}",
    "<=": "{} or less",
    ">": "over {}",
    ">=": "{} or more",
    "==": "exactly {}",
    "!=": "anything but {}",
}


def in_words(expression: Expression, words: Words) -> str:
    """Render the expression in plain English, one sentence, lists as “any of” and “all of”."""
    text = _phrase(expression, words, nested=False)
    return text[:1].upper() + text[1:] + "."


def _phrase(expression: Expression, words: Words, *, nested: bool) -> str:
    match expression:
        case AllOf(()):
            return "always"
        case AnyOf(()):
            return "never"
        case AllOf((part,)) | AnyOf((part,)):
            return _phrase(part, words, nested=nested)
        case AllOf(parts) | AnyOf(parts):
            head = "all of" if isinstance(expression, AllOf) else "any of"
            listed = "; ".join(_phrase(part, words, nested=True) for part in parts)
            return f"({head}: {listed})" if nested else f"{head}: {listed}"
        case Not(Is(feature, options)):
            return f"{words.features[feature]} is not {_either(feature, options, words)}"
        case Not(Has(feature, option)):
            return f"{words.features[feature]} is without “{words.options[feature, option]}”"
        case Not(IsKnown(feature)):
            return f"{words.features[feature]} is not known"
        case Not(part):
            return f"not {_phrase(part, words, nested=True)}"
        case Is(feature, options):
            return f"{words.features[feature]} is {_either(feature, options, words)}"
        case Has(feature, option):
            return f"{words.features[feature]} has “{words.options[feature, option]}”"
        case Compare(feature, sign, number):
            return f"{words.features[feature]} is {_SIGN_WORDS[sign].format(f'{number:g}')}"
        case IsKnown(feature):
            return f"{words.features[feature]} is known"


def _either(feature: FeatureKey, options: tuple[OptionKey, ...], words: Words) -> str:
    return " or ".join(f"“{words.options[feature, option]}”" for option in options)
