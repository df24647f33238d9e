"""What a person's replies add up to: the log score of every condition, before it is normalised."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .arrays import Array
from .evidence import Reply
from .tables import Tables
from .vocabulary import Feature


@dataclass(frozen=True, slots=True)
class Sums:
    """C conditions; in nats.

    rows      of the tables' terms, one for each finding that no syndrome speaks for
    linked    by place the syndromes of which something is known, and the rows that were found
    alone     (C,) log P(condition) and all the rows
    together  (C,) of each such syndrome
    scores    (C,) all of it: log P(condition) + the tempered log-likelihood of the replies
    """

    tables: Tables
    rows: tuple[int, ...]
    linked: Mapping[int, tuple[int, ...]]
    alone: Array
    together: Mapping[int, Array]
    scores: Array

    @classmethod
    def of(cls, tables: Tables, read: Iterable[tuple[Feature, Reply]]) -> "Sums":
        """Return what replies in the order of the content add up to."""
        rows: list[int] = []
        linked: dict[int, tuple[int, ...]] = {}
        for feature, reply in read:
            rows += tables.terms_of(feature, reply)
            for place, found in tables.linked_rows(feature, reply):
                linked[place] = (*linked.get(place, ()), *found)
        alone = tables.log_priors + tables.terms.total(rows) if rows else tables.log_priors
        return cls(tables, tuple(rows), {}, alone, {}, alone)._with_linked(linked)

    def with_reply(self, feature: Feature, reply: Reply) -> "Sums":
        """Return what they add up to with a reply to one more feature."""
        rows = self.tables.terms_of(feature, reply)
        linked = {
            place: (*self.linked.get(place, ()), *found)
            for place, found in self.tables.linked_rows(feature, reply)
        }
        if not rows and not linked:
            return self
        added = self.tables.terms.total(rows) if rows else 0.0
        sums = Sums(
            self.tables,
            (*self.rows, *rows),
            self.linked,
            self.alone + added,
            self.together,
            self.scores + added,
        )
        return sums._with_linked(linked)

    def _with_linked(self, found: Mapping[int, tuple[int, ...]]) -> "Sums":
        """Return the same with other rows found of these syndromes."""
        if not found:
            return self
        together = dict(self.together)
        for place, rows in found.items():
            syndrome = self.tables.syndromes[place]
            together[place] = syndrome.terms(syndrome.logs[list(rows)].sum(axis=0))
        scores = self.alone
        for _, term in sorted(together.items(), key=lambda pair: pair[0]):
            scores = scores + term
        return replace(self, linked={**self.linked, **found}, together=together, scores=scores)
