"""Where a rule stands while replies are still to come: true, false, or what it still hangs on.

Each rule is compiled once to a decision diagram over *signs*. A single choice or a number is one
sign with a value for each option or cell of numbers, and a last one for "not known"; each option
of a multiple choice is a sign of its own, yes or no. The diagrams are ordered and reduced, so a
rule that can no longer change is one of the two leaves, exactly, whatever is still unasked.

Two things are folded into the diagram, so that every combination of sign values is a possible
person: a feature whose `asked_if` does not hold reads as not known, and an exclusive option that
is ticked unticks the others.

Source: R. E. Bryant, IEEE Trans. Comput. 1986;C-35:677-91, here with many-valued signs.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import NewType

from .evidence import Chosen, Declined, Number, Reply
from .rules import (
    AllOf,
    AnyOf,
    Compare,
    Expression,
    Has,
    Is,
    IsKnown,
    Literal,
    Not,
    holds,
    literals,
)
from .vocabulary import NOT_SURE, Feature, FeatureKey, Kind, OptionKey

Mark = NewType("Mark", int)
"""One sign with one value: `sign * VALUES + value`."""

VALUES = 256
_NO_SIGN = 1 << 30


class Verdict:
    """True, false, or a sign and the verdict for each of its values. Equal verdicts are one object.

    `reads` has a bit for each sign on which the verdict hangs.
    """

    __slots__ = ("branches", "breadth", "memo", "reads", "sign")

    def __init__(self, sign: int, branches: tuple["Verdict", ...]) -> None:
        self.sign = sign
        self.branches = branches
        self.reads = 1 << sign if branches else 0
        for branch in branches:
            self.reads |= branch.reads
        self.memo: dict[Mark, Verdict] = {}
        self.breadth: int | None = None

    @property
    def is_open(self) -> bool:
        return bool(self.branches)


TRUE = Verdict(_NO_SIGN, ())
FALSE = Verdict(_NO_SIGN, ())


class Signs:
    """The signs of a topic's features, and the diagrams over them."""

    def __init__(self, features: Sequence[Feature], expressions: Iterable[Expression]) -> None:
        expressions = list(expressions)
        self.features = {feature.key: feature for feature in features}
        self.first: dict[FeatureKey, int] = {}
        self.owner: list[int] = []
        self._is_tick: list[bool] = []
        self.cells: dict[FeatureKey, tuple[range, ...]] = {}
        self._made: dict[tuple[int, ...], Verdict] = {}
        self._implied: dict[tuple[int, int], bool] = {}
        self._marks: dict[tuple[FeatureKey, Reply, bool], tuple[Mark, ...]] = {}
        self._unknown: dict[FeatureKey, tuple[Mark, ...]] = {}
        self._read = {
            (literal.feature, literal.option)
            for expression in expressions
            for literal in literals(expression)
            if isinstance(literal, Has)
        }
        for index, feature in enumerate(features):
            self.first[feature.key] = len(self.owner)
            if feature.kind is Kind.MULTI:
                self.owner.extend([index] * len(feature.options))
            else:
                self.owner.append(index)
            self._is_tick.extend(
                [feature.kind is Kind.MULTI] * (len(self.owner) - len(self._is_tick))
            )
            if feature.kind is Kind.NUMBER:
                self.cells[feature.key] = _cells(feature, expressions)

    def values(self, feature: FeatureKey) -> int:
        """How many values the sign of a single choice or a number has, "not known" included."""
        if feature in self.cells:
            return len(self.cells[feature]) + 1
        return len(self.features[feature].options) + 1

    def unknown(self, feature: FeatureKey) -> tuple[Mark, ...]:
        """The marks of a feature of which nothing is known."""
        if feature not in self._unknown:
            self._unknown[feature] = self._unknown_of(feature)
        return self._unknown[feature]

    def _unknown_of(self, feature: FeatureKey) -> tuple[Mark, ...]:
        first = self.first[feature]
        if self.features[feature].kind is Kind.MULTI:
            count = len(self.features[feature].options)
            return tuple(_mark(sign, 0) for sign in range(first, first + count))
        return (_mark(first, self.values(feature) - 1),)

    def marks(self, feature: FeatureKey, reply: Reply, *, unsure: bool) -> tuple[Mark, ...]:
        """The marks that a reply sets. With `unsure`, a declined one reads as `not_sure`."""
        key = (feature, reply, unsure)
        if key not in self._marks:
            self._marks[key] = self._marks_of(feature, reply, unsure=unsure)
        return self._marks[key]

    def _marks_of(self, feature: FeatureKey, reply: Reply, *, unsure: bool) -> tuple[Mark, ...]:
        first = self.first[feature]
        options = self.features[feature].options
        match reply:
            case Number(value):
                for index, cell in enumerate(self.cells[feature]):
                    if value in cell:
                        return (_mark(first, index),)
                return self.unknown(feature)
            case Declined() if unsure and self.features[feature].has(NOT_SURE):
                return self.marks(feature, Chosen(frozenset({NOT_SURE})), unsure=unsure)
            case Declined():
                return self.unknown(feature)
            case Chosen(chosen) if self.features[feature].kind is Kind.MULTI:
                return tuple(
                    _mark(first + index, int(option.key in chosen))
                    for index, option in enumerate(options)
                )
            case Chosen(chosen):
                keys = [option.key for option in options]
                return tuple(_mark(first, keys.index(key)) for key in chosen)

    def compiled(self, expression: Expression, gates: Mapping[FeatureKey, Verdict]) -> Verdict:
        """Return the verdict on an expression before anything is known.

        `gates` holds the verdict on `asked_if` of every feature that the expression reads.
        """
        match expression:
            case AllOf(parts):
                verdict = TRUE
                for part in parts:
                    verdict = self.both(verdict, self.compiled(part, gates))
                return verdict
            case AnyOf(parts):
                verdict = FALSE
                for part in parts:
                    verdict = self.either(verdict, self.compiled(part, gates))
                return verdict
            case Not(part):
                return self.opposite(self.compiled(part, gates))
            case _:
                return self._gated(expression, gates[expression.feature])

    def _gated(self, literal: Literal, gate: Verdict) -> Verdict:
        """No literal holds of a feature that is not known, so an unasked one makes it false."""
        return self.both(gate, self._literal(literal))

    def _literal(self, literal: Literal) -> Verdict:
        feature = self.features[literal.feature]
        match literal:
            case Has(option=option):
                return self._ticked(feature, option)
            case Is(options=options):
                known = [option.key in options for option in feature.options]
            case Compare() | IsKnown():
                known = [
                    holds(literal, {feature.key: cell.start}) for cell in self.cells[feature.key]
                ]
        branches = [TRUE if value else FALSE for value in (*known, False)]
        return self._made_of(self.first[feature.key], tuple(branches))

    def _ticked(self, feature: Feature, key: OptionKey) -> Verdict:
        """The option is ticked, and no exclusive one that ranks before it."""
        first = self.first[feature.key]
        rivals = [
            index
            for index, option in enumerate(feature.options)
            if option.exclusive and (feature.key, option.key) in self._read
        ]
        own = next(index for index, option in enumerate(feature.options) if option.key == key)
        if own in rivals:
            rivals = rivals[: rivals.index(own)]
        verdict = self._made_of(first + own, (FALSE, TRUE))
        for rival in rivals:
            verdict = self.both(verdict, self._made_of(first + rival, (TRUE, FALSE)))
        return verdict

    def _made_of(self, sign: int, branches: tuple[Verdict, ...]) -> Verdict:
        if branches.count(branches[0]) == len(branches):
            return branches[0]
        key = (sign, *map(id, branches))
        made = self._made.get(key)
        return made or self._made.setdefault(key, Verdict(sign, branches))

    def both(self, left: Verdict, right: Verdict) -> Verdict:
        return self._joined(left, right, _both, {})

    def either(self, left: Verdict, right: Verdict) -> Verdict:
        return self._joined(left, right, _either, {})

    def opposite(self, verdict: Verdict) -> Verdict:
        return self._joined(verdict, TRUE, _unlike, {})

    def _joined(
        self,
        left: Verdict,
        right: Verdict,
        settled: Callable[[Verdict, Verdict], Verdict | None],
        seen: dict[tuple[int, int], Verdict],
    ) -> Verdict:
        leaf = settled(left, right)
        if leaf is not None:
            return leaf
        key = (id(left), id(right))
        if key not in seen:
            sign = min(left.sign, right.sign)
            count = len((left if left.sign == sign else right).branches)
            seen[key] = self._made_of(
                sign,
                tuple(
                    [
                        self._joined(one, other, settled, seen)
                        for one, other in zip(
                            _by_value(left, sign, count), _by_value(right, sign, count), strict=True
                        )
                    ]
                ),
            )
        return seen[key]

    def given(self, verdict: Verdict, mark: Mark) -> Verdict:
        """Return the verdict once this mark is known. Remembered with the verdict."""
        sign = mark // VALUES
        if not verdict.reads >> sign & 1:
            return verdict
        if verdict.sign == sign:
            return verdict.branches[mark % VALUES]
        known = verdict.memo.get(mark)
        if known is None:
            branches = [
                self.given(branch, mark) if branch.reads >> sign & 1 else branch
                for branch in verdict.branches
            ]
            known = verdict.memo[mark] = self._made_of(verdict.sign, tuple(branches))
        return known

    def with_value(self, verdict: Verdict, sign: int, value: int) -> Verdict:
        return self.given(verdict, _mark(sign, value))

    def with_one(self, verdict: Verdict, feature: Feature, index: int) -> Verdict:
        """Return the verdict once one option of a multiple choice is ticked and no other."""
        first = self.first[feature.key]
        for place in range(len(feature.options)):
            if verdict.reads >> first + place & 1:
                verdict = self.with_value(verdict, first + place, int(place == index))
        return verdict

    def implies(self, left: Verdict, right: Verdict) -> bool:
        """Whether `right` is true of everybody of whom `left` is. Nothing is made for it."""
        if left is FALSE or right is TRUE or left is right:
            return True
        if not (left.branches or right.branches):
            return False
        key = (id(left), id(right))  # neither goes away before the signs do
        known = self._implied.get(key)
        if known is None:
            sign = min(left.sign, right.sign)
            count = len((left if left.sign == sign else right).branches)
            lefts, rights = _by_value(left, sign, count), _by_value(right, sign, count)
            known = all(map(self.implies, lefts, rights))
            self._implied[key] = known
        return known

    def keeps(self, verdict: Verdict, sign: int, values: Collection[int], to: int) -> bool:
        """Whether a verdict that is true with any of these values of a sign is so with `to`."""
        return all(
            self.implies(node.branches[value], node.branches[to])
            for node in _nodes_of(verdict, sign)
            for value in values
        )

    def last(self, verdict: Verdict) -> Verdict:
        """Return the leaf that is reached when nothing more becomes known."""
        while verdict.branches:
            unknown = 0 if self._is_tick[verdict.sign] else -1
            verdict = verdict.branches[unknown]
        return verdict

    def breadth(self, verdict: Verdict) -> int:
        """How many features the verdict hangs on; 0 once it is settled. Remembered with it."""
        if verdict.breadth is None:
            verdict.breadth = len({self.owner[sign] for sign in self.signs_of(verdict)})
        return verdict.breadth

    def signs_of(self, verdict: Verdict) -> frozenset[int]:
        """The signs on which the verdict hangs."""
        signs, rest = [], verdict.reads
        while rest:
            lowest = rest & -rest
            signs.append(lowest.bit_length() - 1)
            rest ^= lowest
        return frozenset(signs)


def _nodes_of(verdict: Verdict, sign: int) -> Iterator[Verdict]:
    """Yield every verdict on the sign that can be reached."""
    seen: set[int] = set()
    waiting = [verdict]
    while waiting:
        node = waiting.pop()
        if node.sign == sign:
            yield node
        elif node.reads >> sign & 1 and id(node) not in seen:
            seen.add(id(node))
            waiting.extend(node.branches)


def _by_value(verdict: Verdict, sign: int, count: int) -> Iterable[Verdict]:
    """Return what the verdict is for each value of a sign that does not come after its own."""
    return verdict.branches if verdict.sign == sign else repeat(verdict, count)


def _mark(sign: int, value: int) -> Mark:
    return Mark(sign * VALUES + value)


def _both(left: Verdict, right: Verdict) -> Verdict | None:
    if left is FALSE or right is FALSE:
        return FALSE
    if left is TRUE or left is right:
        return right
    return left if right is TRUE else None


def _either(left: Verdict, right: Verdict) -> Verdict | None:
    if left is TRUE or right is TRUE:
        return TRUE
    if left is FALSE or left is right:
        return right
    return left if right is FALSE else None


def _unlike(left: Verdict, right: Verdict) -> Verdict | None:
    if left.is_open or right.is_open:
        return None
    return FALSE if left is right else TRUE


def _cells(feature: Feature, expressions: Iterable[Expression]) -> tuple[range, ...]:
    """Cut the numbers a feature takes at every band and at every constant of every expression."""
    if feature.low is None or feature.high is None:
        return ()
    cuts = {feature.low}
    for option in feature.options:
        if option.low is not None:
            cuts.add(option.low)
        if option.high is not None:
            cuts.add(option.high + 1)
    for expression in expressions:
        for literal in literals(expression):
            if isinstance(literal, Compare) and literal.feature == feature.key:
                floor = int(literal.number // 1)
                cuts.update((floor, floor + 1))
    starts = sorted(cut for cut in cuts if feature.low <= cut <= feature.high)
    ends = [*starts[1:], feature.high + 1]
    return tuple(range(start, end) for start, end in zip(starts, ends, strict=True))
