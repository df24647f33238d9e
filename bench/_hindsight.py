"""The fewest replies that would have done, had one known them all beforehand."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from triage.engine import Evidence, FeatureKey, Knowledge, Urgency
from triage.engine.standing import Standing
from triage.engine.verdicts import FALSE, TRUE, VALUES, Verdict

MOST_NODES = 200_000

type Features = int
"""A set of features, one bit each, in the order of the content."""

type Sets = frozenset[Features]


@dataclass(frozen=True, slots=True)
class Fewest:
    """How many replies prove the urgency. Where the search was cut off, `at_least` is a bound."""

    count: int
    at_least: int


def fewest_replies(knowledge: Knowledge, known: Evidence) -> Fewest:
    """Return the size of the smallest set of this person's replies from which it follows, whatever
    the others are, that the rules reach the urgency that they reach with all, and no higher one.

    No probability counts here, nor does what tells the causes apart. A reply counts only together
    with those that show that its question applies. Features without a reply are not known.

    A set of replies proves that a rule is false if it has a reply in common with each set of
    features that, replied to differently, would make the rule true; and the other way round. So
    the smallest set that meets all of these is looked for, exactly, by branch and bound.
    """
    return _Hindsight(knowledge, known).fewest()


class _Hindsight:
    def __init__(self, knowledge: Knowledge, known: Evidence) -> None:
        unknown = frozenset(f.key for f in knowledge.features if f.key not in known)
        self.knowledge = knowledge
        self.nothing = Standing(knowledge, Evidence(), unknown)  # before the first question
        self.everything = Standing(knowledge, known, unknown)
        self.bits: Mapping[FeatureKey, Features] = {
            feature.key: 1 << place for place, feature in enumerate(knowledge.features)
        }
        self.own = dict(self._values(known))
        self._gates: dict[Features, Sets] = {}

    def _values(self, known: Evidence) -> Iterator[tuple[int, int]]:
        """Yield each sign with the value that it has in this person."""
        for key, reply in known:
            unsure = key in self.knowledge.feeds_emergency
            for mark in self.knowledge.signs.marks(key, reply, unsure=unsure):
                yield mark // VALUES, mark % VALUES

    def fewest(self) -> Fewest:
        held = self.everything.fired()
        reached = max((rule.urgency for rule in held), default=Urgency.SELF_CARE)
        must: set[Features] = set()
        for rule in self.knowledge.rules:
            if rule.urgency > reached:
                must |= self._turned(self.nothing.verdict(rule.key), TRUE)
        proofs = [
            must | self._turned(self.nothing.verdict(rule.key), FALSE)
            for rule in held
            if rule.urgency is reached
        ]
        found = [self._search(_smallest(sets)) for sets in proofs or [must]]
        return Fewest(min(one.count for one in found), min(one.at_least for one in found))

    def _turned(self, verdict: Verdict, to: Verdict) -> Sets:
        """Return the smallest sets of features that could turn the verdict if they were other."""
        owner, features = self.knowledge.signs.owner, self.knowledge.features
        known: dict[int, Sets] = {}

        def turned(node: Verdict) -> Sets:
            if not node.branches:
                return frozenset({0}) if node is to else frozenset()
            if id(node) not in known:
                own = self.own[node.sign]
                bit = self.bits[features[owner[node.sign]].key]
                known[id(node)] = _smallest(
                    other if value == own else other | bit
                    for value, branch in enumerate(node.branches)
                    for other in turned(branch)
                )
            return known[id(node)]

        return turned(verdict)

    def _gate(self, bit: Features) -> Sets:
        """What must be met so that the feature's question is known to apply."""
        if bit not in self._gates:
            key = self.knowledge.features[bit.bit_length() - 1].key
            gate = self.nothing.gates.get(key, TRUE)
            self._gates[bit] = self._turned(gate, FALSE)
        return self._gates[bit]

    def _left(self, sets: Sets, chosen: Features, bit: Features) -> Sets:
        """Return what is still to be met once this feature is chosen too."""
        both = chosen | bit
        return _smallest(one for one in sets | self._gate(bit) if not one & both)

    def _search(self, sets: Sets) -> Fewest:
        nodes = 0

        def within(left: Sets, chosen: Features, budget: int) -> bool:
            """Whether so many more replies can meet all sets."""
            nonlocal nodes
            nodes += 1
            if not left:
                return True
            if _disjoint(left) > budget or nodes > MOST_NODES:
                return False
            return any(
                within(self._left(left, chosen, bit), chosen | bit, budget - 1)
                for bit in _by_use(min(left, key=int.bit_count), left)
            )

        count = _disjoint(sets)
        while not within(sets, 0, count):
            if nodes > MOST_NODES:
                return Fewest(self._greedy(sets), count)
            count += 1
        return Fewest(count, count)

    def _greedy(self, left: Sets) -> int:
        chosen = 0
        while left:
            everything = 0
            for one in left:
                everything |= one
            bit = _by_use(everything, left)[0]
            left, chosen = self._left(left, chosen, bit), chosen | bit
        return chosen.bit_count()


def _smallest(sets: Iterable[Features]) -> Sets:
    """Return the sets that hold none of the others."""
    kept: list[Features] = []
    for one in sorted(set(sets), key=int.bit_count):
        if not any(other & one == other for other in kept):
            kept.append(one)
    return frozenset(kept)


def _disjoint(sets: Iterable[Features]) -> int:
    """Return how many sets have nothing in common: each of them takes a reply of its own."""
    taken = count = 0
    for one in sorted(sets, key=int.bit_count):
        if not one & taken:
            taken |= one
            count += 1
    return count


def _by_use(among: Features, sets: Sets) -> list[Features]:
    """Return the features of a set, first the one that meets most of the sets."""
    bits = [1 << place for place in range(among.bit_length()) if among >> place & 1]
    return sorted(bits, key=lambda bit: (-sum(bool(one & bit) for one in sets), bit))
