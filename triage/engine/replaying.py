"""What other replies of the same person would come to, without starting over for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .arrays import Array
from .evidence import Reply
from .inference import DECIMALS, LAST_BITS, normalised
from .knowledge import Knowledge
from .reweighing import Reweighing
from .risks import Replies, Risk, risks_of
from .standing import Standing
from .verdicts import FALSE, TRUE, VALUES, Mark, Verdict
from .vocabulary import ConditionKey, FeatureKey, Rule, RuleKey, Urgency


@dataclass(frozen=True, slots=True)
class Replayed:
    """The urgency that `disposition` gives, the rules that hold, and the risk thresholds passed
    that are above all of them."""

    urgency: Urgency
    rules: tuple[Rule, ...]
    risks: tuple[Risk, ...]


class Replay:
    """One person, of whom nothing more will be asked, ready to have some replies changed."""

    def __init__(self, standing: Standing) -> None:
        self.knowledge = standing.knowledge
        self.standing = standing
        self.closed = standing.closed()
        self._above = _risks_above(self.knowledge)
        every_risk = self._above[min(Urgency)]
        self._weighed = Reweighing(self.closed, [risk.members for risk in every_risk])
        self.values = [mark % VALUES for mark in self.closed.known if mark is not None]
        self._marks = frozenset(self.closed.known)
        self._passing = self._rules_passing()
        owner = self.knowledge.signs.owner
        self._reading = {self.knowledge.features[owner[sign]].key for sign in self._passing}
        self._scoping = {key for rule in self.knowledge.scope for key in self.knowledge.reads[rule]}
        self._scopes: dict[Replies, bool] = {}
        self._holding = {
            rule.key: self.comes_to(self.knowledge.verdicts[rule.key], self.values)
            for rule in self.knowledge.rules
        }
        self._turned: dict[frozenset[RuleKey], Replayed] = {}
        self._by_rules_now = self._with_turned(frozenset())
        (self.now,) = self.after([()])

    def applies(self, feature: FeatureKey, change: Replies = ()) -> bool:
        """Whether a reply to the feature is read, after a change."""
        gate = self.knowledge.gates[feature]
        return gate is TRUE or self.comes_to(gate, self.values_after(change))

    def values_with(self, *marks: Sequence[Mark]) -> list[int]:
        values = self.values.copy()
        for some in marks:
            for mark in some:
                values[mark // VALUES] = mark % VALUES
        return values

    def marks_of(self, feature: FeatureKey, reply: Reply) -> tuple[Mark, ...]:
        unsure = feature in self.knowledge.feeds_emergency
        return self.knowledge.signs.marks(feature, reply, unsure=unsure)

    def values_after(self, change: Replies) -> list[int]:
        """Return the value of every sign after a change."""
        return self.values_with(*(self.marks_of(feature, reply) for feature, reply in change))

    @staticmethod
    def comes_to(verdict: Verdict, values: Sequence[int]) -> bool:
        while verdict.branches:
            verdict = verdict.branches[values[verdict.sign]]
        return verdict is TRUE

    def after(self, changes: Sequence[Replies]) -> list[Replayed]:
        """Return what each change comes to. Every feature changed has to be read before it or
        after it."""
        replayed = [self._by_rules(change) for change in changes]
        batches: dict[bool, list[int]] = {}
        for place, (change, found) in enumerate(zip(changes, replayed, strict=True)):
            if self._above[found.urgency] and self._in_scope_after(change):
                # where rules fall away more risks count: of few, so these go by themselves
                batches.setdefault(found.urgency < self._by_rules_now.urgency, []).append(place)
        for places in batches.values():
            least = min(replayed[place].urgency for place in places)
            above = self._above[least]
            highest = self._weighed.after([changes[place] for place in places], len(above))
            passed = highest >= np.array([risk.raise_at for risk in above]) - LAST_BITS
            passing: dict[int, list[Risk]] = {}
            for number, which in np.argwhere(passed).tolist():
                passing.setdefault(places[number], []).append(above[which])
            for place, these in passing.items():
                by_rules = replayed[place]
                risks = tuple([risk for risk in these if risk.urgency > by_rules.urgency])
                if risks:
                    replayed[place] = Replayed(risks[0].urgency, by_rules.rules, risks)
        return replayed

    def leads(self, changes: Sequence[Replies]) -> list[ConditionKey | None]:
        """Return which condition leads the differential after each change; None out of scope.

        Every feature changed has to be read before it or after it.
        """
        weights = normalised(self._weighed.scores(changes))
        near = weights >= weights.max(axis=1, keepdims=True) - 2 * 10.0**-DECIMALS
        lonely = near.sum(axis=1) == 1
        conditions = self.knowledge.conditions
        leads = [conditions[place].key for place in weights.argmax(axis=1).tolist()]
        for number in np.flatnonzero(~lonely):
            leads[number] = self._first(weights[number], np.flatnonzero(near[number]))
        return [
            lead if self._in_scope_after(change) else None
            for lead, change in zip(leads, changes, strict=True)
        ]

    def _first(self, weights: Array, places: Iterable[int]) -> ConditionKey:
        """Return the likeliest of some conditions, of equal ones the lowest key, as the outcome
        does."""
        return min(
            (-round(float(weights[n]), DECIMALS), self.knowledge.conditions[n].key) for n in places
        )[1]

    def _rules_passing(self) -> dict[int, list[RuleKey]]:
        """Return the rules whose way down the diagram comes by each sign, as things stand. With
        another value of a sign only these can come out otherwise."""
        passing: dict[int, list[RuleKey]] = {}
        for rule, verdict in self.knowledge.verdicts.items():
            while verdict.branches:
                passing.setdefault(verdict.sign, []).append(rule)
                verdict = verdict.branches[self.values[verdict.sign]]
        return passing

    def _by_rules(self, change: Replies) -> Replayed:
        if self._reading.isdisjoint([feature for feature, _ in change]):
            return self._by_rules_now
        others = [
            mark
            for feature, reply in change
            for mark in self.marks_of(feature, reply)
            if mark not in self._marks
        ]
        rules = {rule for mark in others for rule in self._passing.get(mark // VALUES, ())}
        if not rules:
            return self._by_rules_now
        verdicts, values = self.knowledge.verdicts, self.values_with(others)
        turned = frozenset(
            [
                rule
                for rule in rules
                if self.comes_to(verdicts[rule], values) is not self._holding[rule]
            ]
        )
        if turned not in self._turned:
            self._turned[turned] = self._with_turned(turned)
        return self._turned[turned]

    def _with_turned(self, turned: frozenset[RuleKey]) -> Replayed:
        """Return what the rules come to where these hold if they do not now, or the other way."""
        rules = tuple(
            [r for r in self.knowledge.rules if self._holding[r.key] is not (r.key in turned)]
        )
        return Replayed(max([r.urgency for r in rules], default=Urgency.SELF_CARE), rules, ())

    def _in_scope_after(self, change: Replies) -> bool:
        told = tuple([pair for pair in change if pair[0] in self._scoping])
        if told not in self._scopes:
            known = list(self.standing.known)
            for key, reply in told:
                for mark in self.marks_of(key, reply):
                    known[mark // VALUES] = mark
            self._scopes[told] = self._is_in_scope(known)
        return self._scopes[told]

    def _is_in_scope(self, known: Sequence[Mark | None]) -> bool:
        """Whether no scope rule holds or may hold, of which more could be asked."""
        knowledge = self.knowledge
        for rule in knowledge.scope:
            verdict = knowledge.verdicts[rule]
            for sign in knowledge.hangs_on[rule]:
                mark = known[sign]
                if mark is not None:
                    verdict = knowledge.signs.given(verdict, mark)
            if verdict is not FALSE:
                return False
        return True


@lru_cache(8)
def _risks_above(knowledge: Knowledge) -> dict[Urgency, list[Risk]]:
    """Return all that can raise the urgency above each one, the most urgent first."""
    risks = sorted(risks_of(knowledge), key=lambda risk: -risk.urgency)
    return {urgency: [risk for risk in risks if risk.urgency > urgency] for urgency in Urgency}
