"""What a change of the content does: to each case, and to simulated people.

A case is the same person on both sides, so each of them is compared with itself. Simulated people
are drawn for each side from its own tables, with the same seed: what is told of them is how the
checker does on people who are as its tables say, before and after. With equal tables they are the
same people, and nothing differs.

`figures_of` is what is kept, as JSON:

    cases         those that change or cannot be read on the draft, the lowered ones first:
      file, key, story
      lowered, higher   whether the urgency is lower or higher on the draft, by interview or with
                        all answers; one that can no longer be read counts as lowered
      unread            [before, after] why it cannot be read, a list of sentences each
      interview, whole  by interview and with all answers, each of which holds, as [before, after]
                        with None for a side on which the case cannot be read:
        urgency         its key
        rank            the place of the expected cause, from 1; None if there is none or no causes
                        are shown
        leading, expected   {condition, posterior, low, high, word}, or None
        within          whether the urgency is in the range that the case expects, None if any is
        asked           how many questions
    unchanged     how many other cases there are
    people        count, seed, engine; before (None without a release) and after, with
      too_low, hazardous, too_high, today, first, first_three   {hits, of, value, low, high}
      asked, asked_by_most   {value, low, high}: median and 95th percentile of the questions
    asked         of each feature of the draft that anybody is asked {share, place}: of people, and
                  its mean place among their questions, from 1
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from triage.engine import ENGINE_VERSION, Chance, ConditionKey, Knowledge, Urgency
from triage.engine.explanation import chance as word_for
from triage.engine.inference import credible_range, posterior_of
from triage.engine.standing import Standing

from .asking import asked_in
from .cases import Case, UnfitCases, read_case
from .intervals import Quantile, Share, quantile
from .interviews import Run, all_at_once
from .simulation import simulated
from .triage import hazardous, share, today, too_high, too_low
from .walks import Progress, Walkers, nobody, together

PEOPLE = 3000
SEED = 2025
MOST = 0.95
SEEN = 0.01
"""A range whose ends move by less than this is not changed: they are shown in per cent."""

type Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """A case as it is written down: one JSON object, of a file of that name."""

    file: str
    key: str
    story: str
    text: str

    @property
    def name(self) -> str:
        return name_of(self.file, self.key)


def name_of(file: str, key: str) -> str:
    """Return the one name of a case: by this it is signed off."""
    return f"{file}/{key}"


@dataclass(frozen=True, slots=True)
class Cause:
    condition: ConditionKey
    posterior: float
    low: float
    high: float
    word: Chance


@dataclass(frozen=True, slots=True)
class End:
    """What one case comes to in one way.

    leading   the likeliest cause, None if none are shown
    rank      the place of the likeliest expected cause, from 1
    within    whether the urgency is in the range that the case expects, None if it expects any
    """

    urgency: Urgency
    leading: Cause | None
    expected: Cause | None
    rank: int | None
    within: bool | None
    asked: int

    def differs(self, other: "End") -> bool:
        """Whether urgency, rank or range is another."""
        return (
            self.urgency is not other.urgency
            or self.rank != other.rank
            or _moved(self.leading, other.leading)
            or _moved(self.expected, other.expected)
        )


def _moved(one: Cause | None, other: Cause | None) -> bool:
    if one is None or other is None:
        return one is not other
    ends = max(abs(one.low - other.low), abs(one.high - other.high))
    return one.condition != other.condition or one.word is not other.word or ends >= SEEN


@dataclass(frozen=True, slots=True)
class Came:
    """What a case comes to on one side, by interview and with all answers."""

    interview: End
    whole: End


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a case cannot be read on one side."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One case on the live release, if there is one, and on the draft."""

    case: Described
    before: Came | Unread | None
    after: Came | Unread

    @property
    def is_lowered(self) -> bool:
        """Whether the urgency is lower, in either way. Nobody can say that it is not of a case
        that can be read no longer."""
        if isinstance(self.before, Came) and isinstance(self.after, Unread):
            return True
        return self._any(lambda before, after: after.urgency < before.urgency)

    @property
    def is_higher(self) -> bool:
        return self._any(lambda before, after: after.urgency > before.urgency)

    @property
    def differs(self) -> bool:
        """Whether there is anything to say of it."""
        unread = isinstance(self.after, Unread) or isinstance(self.before, Unread)
        return unread or self._any(lambda before, after: after.differs(before))

    def _any(self, holds: Callable[[End, End], bool]) -> bool:
        match self.before, self.after:
            case Came(), Came():
                pairs = (
                    (self.before.interview, self.after.interview),
                    (self.before.whole, self.after.whole),
                )
                return any(holds(before, after) for before, after in pairs)
            case _:
                return False


@dataclass(frozen=True, slots=True)
class Crowd:
    """What came of simulated people, by interview, against the own urgency of their condition.

    first, first_three   of those who are shown causes, how many have the true one so high up
    """

    too_low: Share
    hazardous: Share
    too_high: Share
    today: Share
    first: Share
    first_three: Share
    asked: Quantile
    asked_by_most: Quantile


def figures_of(
    draft: Knowledge,
    live: Knowledge | None,
    cases: Sequence[Described],
    *,
    before: Mapping[str, Any] | None = None,
    people: int = PEOPLE,
    seed: int = SEED,
    processes: int = 1,
    told: Progress = nobody,
) -> dict[str, Any]:
    """Return what the draft changes. They are the same however many processes share the work.

    `before` is what `people` says of the live release in earlier figures, if that is known; `told`
    hears how many people and cases more are done.
    """
    read = [_read(case, draft) for case in cases]
    fit = [case for case in read if isinstance(case, Case)]
    with Walkers(draft, processes) as walkers:
        on_live = _on_live(live, cases)  # while the processes start
        drawn = list(simulated(draft, np.random.default_rng(seed), people))
        runs = walkers.interview([case.evidence for case in (*drawn, *fit)], told)
    ends = iter(runs[people:])
    after = [c if isinstance(c, Unread) else _came(draft, c, next(ends)) for c in read]
    crowd = runs[:people]
    if live is not None and before is None:
        before = _json_of(_crowd_of(live, people, seed, processes, told))
    compared = [
        Compared(case, was, now) for case, was, now in zip(cases, on_live, after, strict=True)
    ]
    asked = asked_in(draft, [run.said for run in crowd])
    return {
        "cases": [case_json(one) for one in sorted(filter(_differs, compared), key=_order)],
        "unchanged": sum(not one.differs for one in compared),
        "people": {
            "count": people,
            "seed": seed,
            "engine": ENGINE_VERSION,
            "before": before,
            "after": _json_of(_crowd(drawn, crowd)),
        },
        "asked": {feature: asdict(each) for feature, each in asked.items()},
    }


def lowered(figures: Figures) -> tuple[str, ...]:
    """Return the names of the cases whose urgency is lower, or that can be read no longer: each has
    to be signed off before the draft can be approved."""
    return tuple(name_of(c["file"], c["key"]) for c in figures["cases"] if c["lowered"])


def came_of(case: Described, knowledge: Knowledge) -> Came | Unread:
    """Return what one case comes to, or why it cannot be read."""
    read = _read(case, knowledge)
    if isinstance(read, Unread):
        return read
    (run,) = together(knowledge, [read.evidence])
    return _came(knowledge, read, run)


def _read(case: Described, knowledge: Knowledge) -> Case | Unread:
    try:
        return read_case(case.text, knowledge)
    except UnfitCases as unfit:
        return Unread(unfit.faults)


def _on_live(live: Knowledge | None, cases: Sequence[Described]) -> Iterable[Came | Unread | None]:
    if live is None:
        return [None] * len(cases)
    read = [_read(case, live) for case in cases]
    runs = iter(together(live, [case.evidence for case in read if isinstance(case, Case)]))
    return [c if isinstance(c, Unread) else _came(live, c, next(runs)) for c in read]


def _came(knowledge: Knowledge, case: Case, run: Run) -> Came:
    whole = all_at_once(knowledge, case.evidence)
    return Came(_end(knowledge, case, run), _end(knowledge, case, whole))


def _end(knowledge: Knowledge, case: Case, run: Run) -> End:
    ranked, rank = [condition for condition, _ in run.ranked], _rank(case, run)
    wanted = ranked[:1] if rank is None else [ranked[0], ranked[rank - 1]]
    causes = _causes(knowledge, run, wanted)
    within = None
    if case.at_least is not None or case.at_most is not None:
        at_least, at_most = case.at_least or min(Urgency), case.at_most
        within = at_least <= run.urgency <= (max(Urgency) if at_most is None else at_most)
    return End(
        urgency=run.urgency,
        leading=causes[ranked[0]] if ranked else None,
        expected=None if rank is None else causes[ranked[rank - 1]],
        rank=rank,
        within=within,
        asked=run.asked,
    )


def _rank(case: Case, run: Run) -> int | None:
    """Return the place of the likeliest expected cause, from 1."""
    places = (place for place, (key, _) in enumerate(run.ranked, 1) if key in case.conditions)
    return next(places, None)


def _causes(
    knowledge: Knowledge, run: Run, keys: Sequence[ConditionKey]
) -> Mapping[ConditionKey, Cause]:
    if not keys:
        return {}
    standing = Standing(knowledge, run.said)
    weights, reach = posterior_of(standing), credible_range(standing)
    places = {condition.key: place for place, condition in enumerate(knowledge.conditions)}
    causes = {}
    for key in keys:
        p, low, high = (float(array[places[key]]) for array in (weights, reach.low, reach.high))
        causes[key] = Cause(key, p, low, high, word_for(p, low, high))
    return causes


def _crowd_of(
    knowledge: Knowledge, people: int, seed: int, processes: int, told: Progress
) -> Crowd:
    with Walkers(knowledge, processes) as walkers:
        drawn = list(simulated(knowledge, np.random.default_rng(seed), people))
        return _crowd(drawn, walkers.interview([c.evidence for c in drawn], told))


def _crowd(people: Sequence[Case], runs: Sequence[Run]) -> Crowd:
    reached = np.array([int(run.urgency) for run in runs], dtype=np.int64)
    own = np.array([int(case.at_least or 0) for case in people], dtype=np.int64)
    ranks = [_rank(case, run) for case, run in zip(people, runs, strict=True)]
    shown = [rank for rank in ranks if rank is not None]
    asked = [run.asked for run in runs]
    return Crowd(
        too_low=share(too_low(reached, own)),
        hazardous=share(hazardous(reached, own)),
        too_high=share(too_high(reached, own)),
        today=share(today(reached)),
        first=Share(shown.count(1), len(shown)),
        first_three=Share(sum(rank <= 3 for rank in shown), len(shown)),
        asked=quantile(asked, 0.5),
        asked_by_most=quantile(asked, MOST),
    )


def _differs(one: Compared) -> bool:
    return one.differs


def _order(one: Compared) -> tuple[bool, bool]:
    return not one.is_lowered, not one.is_higher


def case_json(one: Compared) -> dict[str, Any]:
    """Return what the figures say of one case."""
    sides = one.before, one.after
    came = [side if isinstance(side, Came) else None for side in sides]
    return {
        "file": one.case.file,
        "key": one.case.key,
        "story": one.case.story,
        "lowered": one.is_lowered,
        "higher": one.is_higher,
        "unread": [list(side.reasons) if isinstance(side, Unread) else [] for side in sides],
        "interview": _ends_json([None if side is None else side.interview for side in came]),
        "whole": _ends_json([None if side is None else side.whole for side in came]),
    }


def _ends_json(ends: Sequence[End | None]) -> dict[str, Any]:
    def both(told: Callable[[End], Any]) -> list[Any]:
        return [None if end is None else told(end) for end in ends]

    return {
        "urgency": both(lambda end: end.urgency.key),
        "rank": both(lambda end: end.rank),
        "leading": both(lambda end: _cause_json(end.leading)),
        "expected": both(lambda end: _cause_json(end.expected)),
        "within": both(lambda end: end.within),
        "asked": both(lambda end: end.asked),
    }


def _cause_json(cause: Cause | None) -> dict[str, Any] | None:
    return None if cause is None else {**asdict(cause), "word": cause.word.value}


def _json_of(crowd: Crowd) -> dict[str, Any]:
    return {
        "too_low": _share_json(crowd.too_low),
        "hazardous": _share_json(crowd.hazardous),
        "too_high": _share_json(crowd.too_high),
        "today": _share_json(crowd.today),
        "first": _share_json(crowd.first),
        "first_three": _share_json(crowd.first_three),
        "asked": asdict(crowd.asked),
        "asked_by_most": asdict(crowd.asked_by_most),
    }


def _share_json(found: Share) -> dict[str, Any]:
    if not found.of:
        return {"hits": 0, "of": 0, "value": None, "low": None, "high": None}
    low, high = found.interval
    return {"hits": found.hits, "of": found.of, "value": found.value, "low": low, "high": high}
