"""Where one person stands: which replies are read, what may be asked, and each rule's verdict."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain

from .errors import UnknownFeature
from .evidence import Chosen, Declined, Evidence, Number, Reply
from .knowledge import Knowledge
from .rules import Reading
from .sums import Sums
from .verdicts import FALSE, TRUE, VALUES, Mark, Verdict
from .vocabulary import NOT_SURE, Feature, FeatureKey, OptionKey, Rule, RuleKey

NOTHING: frozenset[FeatureKey] = frozenset()


class Standing:
    """One person's evidence, read with one topic's knowledge.

    A feature in `skipped` will never be asked: it reads as not known. A reply whose gate does not
    hold is kept in the evidence but not read.

    Raises: UnknownFeature if the evidence or `skipped` names what the knowledge lacks.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        evidence: Evidence,
        skipped: frozenset[FeatureKey] = NOTHING,
    ) -> None:
        self.knowledge = knowledge
        self.evidence = evidence
        self.skipped = skipped
        known = knowledge.place.keys()
        if not (evidence.features <= known and skipped <= known):
            key = next(key for key in chain(evidence.features, skipped) if key not in known)
            raise UnknownFeature(f"there is no feature “{key}”")

    def after(
        self, feature: FeatureKey, reply: Reply, *, to_the_last_bit: bool = False
    ) -> "Standing":
        """The same person after one more reply, or another one to the same feature.

        What was already worked out of this standing is passed on where the reply cannot change it,
        and brought up to date where it can. With `to_the_last_bit` the scores are added up in the
        order in which they are from the start, which takes longer among thousands of conditions.
        Raises: UnknownFeature if the knowledge has no such feature.
        """
        if feature not in self.knowledge.place:
            raise UnknownFeature(f"there is no feature “{feature}”")
        next_one = Standing.__new__(Standing)  # all the rest was looked at before
        next_one.knowledge = self.knowledge
        next_one.evidence = self.evidence.set(feature, reply)
        next_one.skipped = self.skipped
        if feature not in self.evidence and feature not in self.skipped:
            next_one._go_on_from(self, feature, reply, to_the_last_bit=to_the_last_bit)
        return next_one

    def _go_on_from(
        self, before: "Standing", feature: FeatureKey, reply: Reply, *, to_the_last_bit: bool
    ) -> None:
        worked_out, knowledge = before.__dict__, self.knowledge
        if not worked_out.keys().isdisjoint(("_known", "gates", "verdicts")):
            unsure = feature in knowledge.feeds_emergency
            marks = knowledge.signs.marks(feature, reply, unsure=unsure)
            if "_known" in worked_out:
                self._known = before._known.copy()
                _note(self._known, marks)
            if "gates" in worked_out:
                self.gates = {key: self._given(gate, marks) for key, gate in before.gates.items()}
            if "verdicts" in worked_out:
                self.verdicts = verdicts = dict(before.verdicts)
                holds_now = False
                for rule in knowledge.rules_reading.get(feature, ()):
                    verdict = verdicts[rule]
                    if verdict.branches:
                        verdicts[rule] = verdict = self._given(verdict, marks)
                        holds_now |= verdict is TRUE
                if "_fired" in worked_out and not holds_now:  # what held holds for good
                    self._fired = before._fired
        if "sums" in worked_out and (not knowledge.gated or before._reads_the_same_for_good()):
            sums = before.sums
            if self._counts(feature):
                add = sums.with_reply_in_order if to_the_last_bit else sums.with_reply
                sums = add(feature, reply)
            self.sums = sums

    def _given(self, verdict: Verdict, marks: Iterable[Mark]) -> Verdict:
        given = self.knowledge.signs.given
        for mark in marks:
            if not verdict.branches:
                break
            verdict = given(verdict, mark)
        return verdict

    def _reads_the_same_for_good(self) -> bool:
        """Whether each of its replies is read, or not, whatever else is replied."""
        gated = self.knowledge.gate_hangs_on.keys() & self.evidence.features
        return not gated or not any(self.gates[key].branches for key in gated)

    def _counts(self, feature: FeatureKey) -> bool:
        """Whether a reply to this feature is read. What its gate hangs on and is open is taken as
        not known."""
        if feature not in self.knowledge.gate_hangs_on:
            return True
        return self.knowledge.signs.last(self.gates[feature]) is TRUE

    @cached_property
    def _known(self) -> list[Mark | None]:
        """What is known of each sign."""
        signs, unsure = self.knowledge.signs, self.knowledge.feeds_emergency
        known: list[Mark | None] = [None] * len(signs.owner)
        for key in self.skipped:
            _note(known, signs.unknown(key))
        for key, reply in self.evidence:
            _note(known, signs.marks(key, reply, unsure=key in unsure))
        return known

    @property
    def known(self) -> Sequence[Mark | None]:
        """What is known of each sign; something of each, once nothing more will be asked."""
        return self._known

    def _fold(
        self, verdict: Verdict, hangs_on: Iterable[int], known: Sequence[Mark | None]
    ) -> Verdict:
        given = self.knowledge.signs.given
        for sign in hangs_on:
            mark = known[sign]
            if mark is not None:
                verdict = given(verdict, mark)
                if not verdict.branches:
                    break
        return verdict

    def verdict(self, rule: RuleKey) -> Verdict:
        knowledge = self.knowledge
        return self._fold(knowledge.verdicts[rule], knowledge.hangs_on[rule], self._known)

    @cached_property
    def verdicts(self) -> dict[RuleKey, Verdict]:
        return {rule.key: self.verdict(rule.key) for rule in self.knowledge.rules}

    @cached_property
    def gates(self) -> dict[FeatureKey, Verdict]:
        """The verdict on `asked_if`, for the features that are not always asked."""
        knowledge = self.knowledge
        return {
            key: self._fold(knowledge.gates[key], knowledge.gate_hangs_on[key], self._known)
            for key in knowledge.gated
        }

    def applies(self, feature: FeatureKey) -> bool:
        """Whether the feature's `asked_if` holds for sure."""
        return self.gates.get(feature, TRUE) is TRUE

    def may_ask(self, feature: FeatureKey) -> bool:
        """Whether the feature is open: unasked, not skipped, and its `asked_if` holds."""
        return (
            feature not in self.evidence and feature not in self.skipped and self.applies(feature)
        )

    @property
    def not_to_ask(self) -> list[FeatureKey]:
        """The features that are not open; some of them more than once."""
        closed = [*self.evidence.features, *self.skipped]
        if self.knowledge.gated:
            closed += [key for key, gate in self.gates.items() if gate is not TRUE]
        return closed

    def fired(self) -> tuple[Rule, ...]:
        """The rules that hold whatever is still to be replied, in the order of the content."""
        return self._fired

    @cached_property
    def _fired(self) -> tuple[Rule, ...]:
        verdicts = self.verdicts
        return tuple([rule for rule in self.knowledge.rules if verdicts[rule.key] is TRUE])

    def open_rules(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.knowledge.rules if self.verdicts[rule.key].branches)

    def is_pending(self, rule: Rule) -> bool:
        """Whether an open rule hangs on a reply: were that reply not known, it would be false."""
        return any(
            self._if_unknown(rule.key, key) is FALSE
            for key in self.knowledge.reads[rule.key]
            if key in self.evidence
        )

    def _if_unknown(self, rule: RuleKey, feature: FeatureKey) -> Verdict:
        knowledge = self.knowledge
        known = self._known.copy()
        _note(known, knowledge.signs.unknown(feature))
        return self._fold(knowledge.verdicts[rule], knowledge.hangs_on[rule], known)

    def with_replies(self, replies: Iterable[tuple[FeatureKey, Reply]]) -> "Standing":
        """The same person with other replies, worked out from the start."""
        evidence = self.evidence
        for feature, reply in replies:
            evidence = evidence.set(feature, reply)
        return Standing(self.knowledge, evidence, self.skipped)

    def closed(self) -> "Standing":
        """The same person, when nothing more will be asked."""
        return self._closed

    @cached_property
    def _closed(self) -> "Standing":
        closed = Standing(self.knowledge, self.evidence, self.knowledge.everything)
        last = self.knowledge.signs.last
        closed.verdicts = {key: last(verdict) for key, verdict in self.verdicts.items()}
        closed.gates = {key: last(gate) for key, gate in self.gates.items()}
        return closed

    @cached_property
    def read(self) -> tuple[tuple[Feature, Reply], ...]:
        """The replies that count, in the order of the content."""
        place = self.knowledge.place
        return tuple(
            (self.knowledge.features[place[key]], reply)
            for key, reply in sorted(self.evidence, key=lambda pair: place[pair[0]])
            if self._counts(key)
        )

    @cached_property
    def sums(self) -> Sums:
        """What the replies that count add up to."""
        gated = self.knowledge.gate_hangs_on
        return Sums.of(
            self.knowledge.tables,
            (pair for pair in self.evidence if pair[0] not in gated or self._counts(pair[0])),
        )

    @cached_property
    def readings(self) -> dict[FeatureKey, Reading]:
        """What the rules read, as plain values."""
        unsure = self.knowledge.feeds_emergency
        return {
            feature.key: reading_of(feature, reply, unsure=feature.key in unsure)
            for feature, reply in self.read
        }


def _note(known: list[Mark | None], marks: Iterable[Mark]) -> None:
    for mark in marks:
        known[mark // VALUES] = mark


def reading_of(feature: Feature, reply: Reply, *, unsure: bool) -> Reading:
    match reply:
        case Chosen(options):
            return options
        case Number(value):
            return value
        case Declined() if unsure and feature.has(NOT_SURE):
            return frozenset({NOT_SURE})
        case Declined():
            nothing: frozenset[OptionKey] = frozenset()
            return nothing
