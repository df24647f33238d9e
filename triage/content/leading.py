"""Which conditions can come first, found by answers under which they do.

That a condition can lead is shown by such answers; that it cannot, by a bound that no answers pass.
Between the two nobody knows, and it is said so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from triage.engine import (
    Chosen,
    ConditionKey,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Number,
    OptionKey,
    Reply,
)
from triage.engine.arrays import Array
from triage.engine.standing import Standing
from triage.engine.syndromes import CompiledSyndrome

WALKS = 200
"""So many times all questions are answered by chance. Of a condition that leads in 90 of 100, more
than 95 of 100 would be seen once in 200 topics (binomial)."""

MOST_LED = 0.95
SEED = 20_260

ROUNDS = 6
"""So often each answer is tried again; it mostly ends by itself after two or three."""

RIVALS = 3
"""Of each condition so many others are looked at by themselves: those hardest to get ahead of."""

APART = 1e-9
"""Scores (nats) within this of each other lead together; what is below it is rounding."""

type Replies = dict[FeatureKey, Reply]


@dataclass(frozen=True, slots=True)
class Leads:
    """Which conditions lead, for whom.

    never    conditions that no answers make lead, each with the one that stays likelier
    unseen   conditions for which no answers were found under which they lead
    always   the condition that leads whatever is answered, if there is one
    mostly   otherwise the one that leads in more than `MOST_LED` of the random walks, and in how
             many of `WALKS`
    """

    never: dict[ConditionKey, ConditionKey]
    unseen: tuple[ConditionKey, ...]
    always: ConditionKey | None
    mostly: tuple[ConditionKey, int] | None


def leads(knowledge: Knowledge) -> Leads:
    """Return which conditions can lead the differential, and whether one of them always does."""
    keys = [condition.key for condition in knowledge.conditions]
    chance = np.random.default_rng(SEED)
    walks = [_leader(_scores(knowledge, _walk(knowledge, chance))) for _ in range(WALKS)]
    counts = np.bincount([place for place in walks if place is not None], minlength=len(keys))
    always, mostly = None, None
    first = int(counts.argmax())
    if counts[first] > MOST_LED * WALKS:
        if _stays_ahead(knowledge, first).all():
            always = keys[first]
        else:
            mostly = keys[first], int(counts[first])
    never, unseen = {}, []
    for place, key in enumerate(keys):
        if counts[place]:
            continue
        behind = -_furthest(knowledge, place)  # behind the others by at least so much
        behind[place] = -np.inf
        rival = int(behind.argmax())
        if behind[rival] > APART:
            never[key] = keys[rival]
        elif not _can_lead(knowledge, place, np.argsort(behind)[-RIVALS:].tolist()):
            unseen.append(key)
    return Leads(never, tuple(unseen), always, mostly)


def _scores(knowledge: Knowledge, evidence: Evidence) -> Array:
    return Standing(knowledge, evidence).sums.scores


def _leader(scores: Array) -> int | None:
    """Return the place of the condition that alone is the likeliest, if there is one."""
    first = int(scores.argmax())
    return first if _lead(scores, first) > APART else None


def _lead(scores: Array, place: int) -> float:
    """Return how far a condition is before all others, in nats; below 0 if it is behind one."""
    others = np.delete(scores, place)
    return float(scores[place] - others.max())


def _walk(knowledge: Knowledge, chance: np.random.Generator) -> Evidence:
    """Return an answer to every question, drawn by chance; those not asked are not read."""
    return Evidence(
        (feature.key, _drawn(knowledge, feature, chance)) for feature in knowledge.features
    )


def _drawn(knowledge: Knowledge, feature: Feature, chance: np.random.Generator) -> Reply:
    ways: list[Reply] = [*map(Declined, feature.declines), *_ways(knowledge, feature)]
    free = [option.key for option in feature.options if not option.exclusive]
    if feature.kind is Kind.MULTI and len(free) > 1:
        several = chance.choice(len(free), int(chance.integers(2, len(free) + 1)), replace=False)
        ways.append(Chosen(frozenset(free[place] for place in several)))
    return ways[int(chance.integers(len(ways)))]


def _ways(knowledge: Knowledge, feature: Feature) -> list[Reply]:
    """Return each option alone, and one number of each cell that bands and rules cut."""
    if feature.kind is Kind.NUMBER:
        return [Number(cell.start) for cell in knowledge.signs.cells[feature.key]]
    return [Chosen(frozenset({option.key})) for option in feature.options]


def _can_lead(knowledge: Knowledge, place: int, rivals: Sequence[int]) -> bool:
    """Whether answers are found under which the condition leads: first those that speak most for it
    against all others, or against one rival; from there one answer at a time is changed for the
    better, and last those on which it depends what else is asked."""
    search = _Search(knowledge, place)
    priors = np.exp(knowledge.tables.log_priors)
    starts = [search.telling_most(others) for others in (priors, *np.eye(len(priors))[rivals])]
    climbed = sorted(map(search.climbed, starts), key=itemgetter(1), reverse=True)
    for replies, lead in climbed:
        found = search.improved(replies, lead)
        if found and _leader(_scores(knowledge, Evidence(found.items()))) == place:
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Told:
    """What each of W ways to answer one question tells; the last of them tells nothing.

    alone   (W, C) nats
    linked  (W, S, C) of each syndrome, by place
    """

    alone: Array
    linked: dict[int, Array]


class _Search:
    """Answers under which one condition leads, looked for.

    ways      the answers to each question that are tried
    deciding  the questions on which it depends whether others are asked
    """

    def __init__(self, knowledge: Knowledge, place: int) -> None:
        self._knowledge = knowledge
        self._place = place
        hung = {sign for key in knowledge.gated for sign in knowledge.gate_hangs_on[key]}
        owners = {knowledge.signs.owner[sign] for sign in hung}
        self.deciding = {knowledge.features[owner].key for owner in owners}
        self.ways: dict[FeatureKey, list[Reply]] = {}
        self._told: dict[FeatureKey, _Told] = {}
        for feature in knowledge.features:
            ways = [*_ways(knowledge, feature), *self._several(feature)]
            self.ways[feature.key] = ways
            self._told[feature.key] = _told(knowledge, feature, ways)

    def _several(self, feature: Feature) -> list[Reply]:
        """Return of a list the sets of options that speak for the condition against each other."""
        ticked = self._ticked(feature)
        if feature.kind is not Kind.MULTI or not ticked:
            return []
        chances = np.array([*ticked.values()])
        likelier = (chances[:, self._place, None] > chances).T
        sets = {
            frozenset(key for key, its in zip(ticked, row, strict=True) if its) for row in likelier
        }
        return [Chosen(options) for options in sorted(sets, key=sorted) if options]

    def _ticked(self, feature: Feature) -> dict[OptionKey, Array]:
        """Return P(option | condition) of each scored option, (C,)."""
        tables = self._knowledge.tables
        rows = {o.key: tables.outcome_of.get((feature.key, o.key)) for o in feature.options}
        return {key: tables.outcomes[row] for key, row in rows.items() if row is not None}

    def telling_most(self, others: Array) -> Replies:
        """Return the answers that tell most for the condition against others, which are weighed, (C,).
        What has no likelihoods is left out, but for what cannot be skipped."""
        replies: Replies = {}
        for feature in self._knowledge.features:
            told, ways = self._told[feature.key], self.ways[feature.key]
            whole = told.alone + sum(each.mean(axis=1) for each in told.linked.values())
            ahead = whole[:, self._place] - whole @ others
            best = int(ahead.argmax())
            if best < len(ways) and (ahead[best] > 0 or feature.required):
                replies[feature.key] = ways[best]
            elif feature.required:
                replies[feature.key] = ways[0]
        return replies

    def climbed(self, replies: Replies) -> tuple[Replies, float]:
        """Change one answer at a time for the better, but for those that decide what is asked, and
        return the answers with how far the condition is ahead, in nats."""
        knowledge, tables = self._knowledge, self._knowledge.tables
        standing = Standing(knowledge, Evidence(replies.items()))
        asked = [f for f in knowledge.features if standing.closed().applies(f.key)]
        chosen = {f.key: self._number(f.key, replies.get(f.key)) for f in asked}
        alone = tables.log_priors + sum(self._told[key].alone[n] for key, n in chosen.items())
        linked = [
            sum(
                (
                    self._told[key].linked[number][n]
                    for key, n in chosen.items()
                    if number in self._told[key].linked
                ),
                np.zeros_like(syndrome.chances),
            )
            for number, syndrome in enumerate(tables.syndromes)
        ]
        terms = [s.terms(told) for s, told in zip(tables.syndromes, linked, strict=True)]
        lead = _lead(alone + sum(terms), self._place)
        for _ in range(ROUNDS):
            before = lead
            for feature in asked:
                if feature.key in self.deciding:
                    continue
                told, now = self._told[feature.key], chosen[feature.key]
                scores = alone - told.alone[now] + told.alone
                for number, term in enumerate(terms):
                    if number in told.linked:
                        own = told.linked[number]
                        scores = scores + tables.syndromes[number].terms(
                            linked[number] - own[now] + own
                        )
                    else:
                        scores = scores + term
                if feature.required:
                    scores = scores[:-1]
                leads = _leads_of(scores, self._place)
                best = int(leads.argmax())
                if leads[best] > lead:
                    lead, chosen[feature.key] = float(leads[best]), best
                    alone = alone - told.alone[now] + told.alone[best]
                    for number, own in told.linked.items():
                        linked[number] = linked[number] - own[now] + own[best]
                        terms[number] = tables.syndromes[number].terms(linked[number])
            if lead <= before:
                break
        found = {key: self.ways[key][n] for key, n in chosen.items() if n < len(self.ways[key])}
        return {**replies, **found}, lead

    def improved(self, replies: Replies, lead: float) -> Replies | None:
        """Return answers under which the condition leads, if changes of those that decide what is
        asked, with all others brought up to them, lead there."""
        for _ in range(ROUNDS):
            if lead > APART:
                return replies
            before = lead
            for feature in sorted(self.deciding):
                for reply in self.ways[feature]:
                    tried, its = self.climbed({**replies, feature: reply})
                    if its > lead:
                        replies, lead = tried, its
            if lead <= before:
                return None
        return None

    def _number(self, feature: FeatureKey, reply: Reply | None) -> int:
        """Return the number of an answer among the ways, the last one for none."""
        ways = self.ways[feature]
        return ways.index(reply) if reply in ways else len(ways)


def _told(knowledge: Knowledge, feature: Feature, ways: Sequence[Reply]) -> _Told:
    tables = knowledge.tables
    found = [tables.found(feature.key, reply) for reply in ways]
    alone = [tables.terms.total(rows) for rows, _ in found]
    linked = {}
    for number, syndrome in enumerate(tables.syndromes):
        if feature.key in syndrome.features:
            rows = [dict(its).get(number, ()) for _, its in found]
            logs = [syndrome.logs[list(own)].sum(axis=0) for own in rows]
            linked[number] = np.array([*logs, np.zeros_like(syndrome.chances)])
    return _Told(np.array([*alone, np.zeros_like(tables.log_priors)]), linked)


def _leads_of(scores: Array, place: int) -> Array:
    """Return how far a condition is before all others in each row, (W,) for scores (W, C)."""
    return np.asarray(scores[:, place] - np.delete(scores, place, axis=1).max(axis=1))


def _furthest(knowledge: Knowledge, place: int) -> Array:
    """Return how far a condition may be before each other, whatever is answered, at the most.

    Of each question the answer that speaks most for it against the other is taken, or none; of a
    syndrome its best state, which no mixture of states passes.
    Shape: (C,) in nats; 0 against itself.
    """
    return _bound(knowledge, place, 1)


def _stays_ahead(knowledge: Knowledge, place: int) -> npt.NDArray[np.bool_]:
    """Return of which others a condition is before, whatever is answered; itself among them."""
    ahead = _bound(knowledge, place, -1) < -APART
    ahead[place] = True
    return np.asarray(ahead)


def _bound(knowledge: Knowledge, place: int, sign: int) -> Array:
    """Return the most that `sign` times the condition's lead on each other may be, (C,)."""
    tables = knowledge.tables

    def led(logs: Array) -> Array:
        return sign * (logs[..., place : place + 1] - logs)

    most = led(tables.log_priors)
    for key in tables.asked:
        options = [option.key for option in knowledge.feature(key).options]
        rows = [tables.term_of[key, o] for o in options if (key, o) in tables.term_of]
        if rows:
            own = led(tables.terms[rows])
            if key in tables.unticked:  # a row says what one more tick adds to none
                whole = led(tables.terms[tables.unticked[key]]) + np.maximum(own, 0).sum(axis=0)
            else:
                whole = own.max(axis=0)
            most = most + np.maximum(whole, 0)
    for syndrome in tables.syndromes:
        most = most + syndrome.temper * _bound_of(syndrome, led)
    return most


def _bound_of(syndrome: CompiledSyndrome, led: Callable[[Array], Array]) -> Array:
    states = led(np.log(syndrome.chances))
    logs = led(syndrome.logs)  # (R, S, C)
    for feature in syndrome.features:
        rows: dict[OptionKey, list[int]] = {}
        for (owner, option, _), row in syndrome.row_of.items():
            if owner == feature:
                rows.setdefault(option, []).append(row)
        best = [logs[own].max(axis=0) for own in rows.values()]
        several = any(len(own) > 1 for own in rows.values())  # ticked and not ticked
        whole = np.sum(best, axis=0) if several else np.max(best, axis=0)
        states = states + np.maximum(whole, 0)
    return np.asarray(states.max(axis=0))
