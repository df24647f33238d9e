"""The shortest way of answers to a rule: the fewest that make it true, whatever else is answered."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, combinations

from triage.engine import Chosen, Declined, Feature, FeatureKey, Kind, Number, Reply
from triage.engine.verdicts import FALSE, TRUE, Signs, Verdict

type Way = tuple[tuple[FeatureKey, Reply], ...]
"""Answers in an order in which each question is asked by then."""


def shortest_way(
    verdict: Verdict,
    signs: Signs,
    gates: Mapping[FeatureKey, Verdict],
    unsure: Collection[FeatureKey] = (),
) -> Way | None:
    """Return the fewest answers after which the verdict is true for good; None if it never is.

    Each answer is to a question whose `asked_if` holds by then, in `gates`. Of the questions in
    `unsure` one that is declined reads as not sure. Of several ways that are as short it is the one
    through the questions and answers that come first.

    Breadth-first over what is left of the verdict: only a question that it still hangs on can bring
    it nearer, and two ways that leave the same of it, and of the gates of what it reads, are one.
    """
    if verdict is TRUE:
        return ()
    waiting: deque[tuple[Verdict, Mapping[FeatureKey, Verdict], Way]] = deque(
        [(verdict, gates, ())]
    )
    seen: set[tuple[int, ...]] = set()
    while waiting:
        left, open_gates, way = waiting.popleft()
        for feature in _hung_on(left, signs):
            if open_gates[feature.key] is not TRUE:
                continue
            for reply in _replies(feature, left, signs):
                marks = signs.marks(feature.key, reply, unsure=feature.key in unsure)
                after = left
                for mark in marks:
                    after = signs.given(after, mark)
                if after is TRUE:
                    return (*way, (feature.key, reply))
                if after is FALSE:
                    continue
                moved = {}
                for other in _hung_on(after, signs):
                    gate = open_gates[other.key]
                    for mark in marks:
                        gate = signs.given(gate, mark)
                    moved[other.key] = gate
                state = (id(after), *map(id, moved.values()))
                if state not in seen:
                    seen.add(state)
                    waiting.append((after, moved, (*way, (feature.key, reply))))
    return None


def _hung_on(verdict: Verdict, signs: Signs) -> list[Feature]:
    owners = sorted({signs.owner[sign] for sign in signs.signs_of(verdict)})
    features = list(signs.features.values())
    return [features[owner] for owner in owners]


def _replies(feature: Feature, verdict: Verdict, signs: Signs) -> Iterator[Reply]:
    """Yield one reply of each kind that may make a difference, what says the least first."""
    options = [option.key for option in feature.options]
    match feature.kind:
        case Kind.NUMBER:
            yield from (Number(cell.start) for cell in signs.cells[feature.key])
        case Kind.SINGLE:
            yield from (Chosen(frozenset({key})) for key in options)
        case Kind.MULTI:
            first = signs.first[feature.key]
            hung = signs.signs_of(verdict)
            read = {key for place, key in enumerate(options, first) if place in hung}
            free = [option.key for option in feature.options if not option.exclusive]
            telling = [key for key in free if key in read]
            others = [key for key in free if key not in read]
            yield from (Chosen(frozenset({o.key})) for o in feature.options if o.exclusive)
            yield from (Chosen(frozenset({key})) for key in others[:1])
            sizes = range(1, len(telling) + 1)
            several = chain.from_iterable(combinations(telling, size) for size in sizes)
            yield from (Chosen(frozenset(keys)) for keys in several)
    yield from map(Declined, feature.declines)
