"""What a person's replies add up to: the log score of every condition, before it is normalised."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .arrays import Array
from .evidence import Reply
from .tables import Tables
from .vocabulary import FeatureKey

NONE_LINKED: Mapping[int, tuple[int, ...]] = {}
NONE_TOGETHER: Mapping[int, Array] = {}


@dataclass(frozen=True, slots=True)
class Sums:
    """C conditions; in nats.

    rows      of the tables' terms, one for each finding that no syndrome speaks for
    linked    by place the syndromes of which something is known, and the rows that were found
    alone     (C,) log P(condition) and all the rows
    together  (C,) of each such syndrome
    leanings  (S, C) P(state | condition, evidence) of each such syndrome
    scores    (C,) all of it: log P(condition) + the tempered log-likelihood of the replies
    """

    tables: Tables
    rows: tuple[int, ...]
    linked: Mapping[int, tuple[int, ...]]
    alone: Array
    together: Mapping[int, Array]
    leanings: Mapping[int, Array]
    scores: Array

    @classmethod
    def of(cls, tables: Tables, replies: Iterable[tuple[FeatureKey, Reply]]) -> "Sums":
        """Return what replies add up to, to the last bit the same in whatever order they are."""
        rows: list[int] = []
        linked: dict[int, tuple[int, ...]] = {}
        for feature, reply in replies:
            own, found = tables.found(feature, reply)
            rows += own
            for place, more in found:
                linked[place] = (*linked.get(place, ()), *more)
        rows.sort()
        alone = tables.log_priors + tables.terms.total(rows) if rows else tables.log_priors
        sums = cls(tables, tuple(rows), NONE_LINKED, alone, NONE_TOGETHER, NONE_TOGETHER, alone)
        if not linked:
            return sums
        return sums._with_linked({place: tuple(sorted(more)) for place, more in linked.items()})

    def with_reply(self, feature: FeatureKey, reply: Reply) -> "Sums":
        """Return what they add up to with a reply to one more feature."""
        rows, found = self.tables.found(feature, reply)
        if not rows and not found:
            return self
        added = self.tables.terms.total(rows)
        alone = self.alone + added
        scores = self.scores + added if self.together else alone
        rows = (*self.rows, *rows)
        sums = Sums(self.tables, rows, self.linked, alone, self.together, self.leanings, scores)
        if not found:
            return sums
        return sums._with_linked(
            {place: (*self.linked.get(place, ()), *more) for place, more in found}
        )

    def _with_linked(self, found: Mapping[int, tuple[int, ...]]) -> "Sums":
        """Return the same with other rows found of these syndromes."""
        together, leanings = dict(self.together), dict(self.leanings)
        for place, rows in found.items():
            together[place], leanings[place] = self.tables.syndromes[place].heard(rows)
        scores = self.alone
        for _, term in sorted(together.items(), key=lambda pair: pair[0]):
            scores = scores + term
        return replace(
            self,
            linked={**self.linked, **found},
            together=together,
            leanings=leanings,
            scores=scores,
        )
