"""The shortest way of answers to a rule: the fewest that make it true, whatever else is answered."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping

from triage.engine import Chosen, Declined, Feature, FeatureKey, Kind, Number, OptionKey, Reply
from triage.engine.verdicts import FALSE, TRUE, Signs, Verdict

type Verdicts = tuple[Verdict, ...]
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
            for reply in _replies(feature, (left, *open_gates.values()), signs):
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


def _replies(feature: Feature, left: Verdicts, signs: Signs) -> Iterator[Reply]:
    """Yield a reply for each thing that may be left of the verdicts, what says the least first."""
    match feature.kind:
        case Kind.NUMBER:
            yield from (Number(cell.start) for cell in signs.cells[feature.key])
        case Kind.SINGLE:
            yield from (Chosen(frozenset({option.key})) for option in feature.options)
        case Kind.MULTI:
            yield from (Chosen(frozenset({o.key})) for o in feature.options if o.exclusive)
            yield from map(Chosen, _ticks(feature, left, signs))
    yield from map(Declined, feature.declines)


def _ticks(feature: Feature, left: Verdicts, signs: Signs) -> Iterator[frozenset[OptionKey]]:
    """Yield which options to tick together; two sets that leave the same are one, the smaller.

    Option by option, as a list of twenty has a million sets, and most of them leave the same.
    """
    reads = 0
    for verdict in left:
        reads |= verdict.reads
    first = signs.first[feature.key]
    free = [(sign, o.key) for sign, o in enumerate(feature.options, first) if not o.exclusive]
    unread = [key for sign, key in free if not reads >> sign & 1]
    sets: dict[Verdicts, frozenset[OptionKey]] = {left: frozenset()}
    for sign, key in free:
        if not reads >> sign & 1:
            continue
        more: dict[Verdicts, frozenset[OptionKey]] = {}
        for ticked in (0, 1):
            for verdicts, keys in sets.items():
                after = tuple(signs.with_value(verdict, sign, ticked) for verdict in verdicts)
                now = keys | {key} if ticked else keys
                if after not in more or len(now) < len(more[after]):
                    more[after] = now
        sets = more
    for keys in sorted(sets.values(), key=len):
        if keys:
            yield keys
        elif unread:  # no box is ticked that matters, so another one is
            yield frozenset(unread[:1])
