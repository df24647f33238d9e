"""The page of under- and over-triage that stands in the documentation, and its curve."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from triage.engine import Urgency

from .drawings import WIDTH, box, dot, drawing, line, words
from .intervals import Share
from .tables import Table
from .triage import (
    SHIPPED,
    Flags,
    Levels,
    People,
    Point,
    by_one_threshold,
    by_rules,
    by_thresholds,
    far_too_low,
    hazardous,
    share,
    today,
    too_high,
    too_low,
)

BANDS = (("16 to 39", 16, 39), ("40 to 64", 40, 64), ("65 and over", 65, 200))
RARER = (2, 3, 5)
CURVE = "triage.svg"

INTRODUCTION = """\
# Who is sent too low, and who too high

Written by `python3 dev.py manage triage_report` and never by hand. A test fails when what it was
measured from has changed.

Simulated people are drawn from the probabilities themselves, and each is run by interview and with
all answers. Two things are taken as what somebody is *due*: the own urgency of their true
condition, which nobody can know beforehand; and the higher of that and of every rule that holds
with all answers, since a fever needs to be seen today whatever it turns out to be. The urgency is
*too low* (under-triage) below what is due and *too high* (over-triage) above it. It is *hazardous*
if it is two or more levels too low, which no published comparison calls safe (Gilbert et al., BMJ
Open 2020;10:e040269: safe is at most one level too low); or, more strictly than there, if it is
below same day where same day or an ambulance is due. A study of such a tool in 2,543 patients set
itself a hazardous share of less than 1 % beforehand (JMIR 2024;26:e58157). Brackets hold 95 %
intervals.

What this can show: whether the rules, the thresholds and the interview do on people who are exactly
as the tables say what their author meant. What it cannot: how many real people would be sent too
low. Replies are drawn as if independent given the condition, but for what a syndrome ties together,
and so every one of the rare signs turns up by itself: in life they come together in a few people.
The share that is sent the same day is therefore too high, by how much nobody can tell from here.
"""

MOVES = """\
## When the risk thresholds move

All thresholds times the same number; “none” is the rules alone. With all answers, since the
interview itself goes by the thresholds: it asks what may take a serious condition over its own, and
ends when it has. Measured against the own urgency of the true condition.
"""

ONE = """\
## When one threshold moves

Each by itself, to a half and to a quarter; only those that change who is too low.
"""

RULES = """\
## When a rule is left out

With all answers, against the own urgency of the true condition; only rules that change a figure.
Leaving a rule out calms everybody whom it speaks for, and nothing here says how right it is: the
people who have the sign and one of the conditions that nobody ranks, such as a stroke, are not
among those drawn.
"""

CHOICE = """\
## The operating point, and why

The thresholds as shipped, times 1. With all answers, double of them would send {twice} fewer
people in a hundred to same day or higher and leave {worse} more of {people} hazardous; half of them
would send {half} more and leave {better} fewer.

{bar}

Whoever is still left too low has, for most, an early abscess, shingles or crack with the answers of
its harmless look-alike, and is told what to watch for and when to come back. The red flags are not
weakened to send fewer: each rests on its source, and the share is overstated here, as said above.
"""

BAR = 0.25
MISSED = """\
The aim was to send at most one in four there without one hazardous case. No threshold does both: at
a tenth of every threshold {left} of {people} are hazardous and {low} are sent; with all thresholds
off the rules alone send {rules} and leave {worst}."""
REACHED = """\
They send no more than one in four there, which was the aim; that nobody be hazardous was the other
half of it: at a tenth of every threshold {left} of {people} are, and {low} are sent."""


def page(people: People, each: People, children: People, about: str) -> str:
    """Return the whole page.

    people    drawn by the priors
    each      as many of every condition, added to `people` for the figures by condition
    children  people who were given an age under 16
    about     who they are, in a sentence
    """
    moved = by_thresholds(people)
    return "\n".join(
        (
            INTRODUCTION,
            f"{about}\n",
            "## All people\n",
            _block(overview(people)),
            "## By age\n",
            _block(by_age(people, children)),
            "## By condition\n",
            _block(by_condition(people, each)),
            "## What sends people to same day or higher\n",
            _block(sources(people)),
            *_bounds(people),
            MOVES,
            _block(trade_off("Risk thresholds, with all answers", "times", moved)),
            f"![Share too low against share sent the same day, by thresholds]({CURVE})\n",
            ONE,
            _block(trade_off("One threshold, with all answers", "moved", by_one_threshold(people))),
            RULES,
            _block(trade_off("Rules, with all answers", "rules", by_rules(people))),
            choice(people, moved),
        )
    )


def overview(people: People) -> Table:
    """The figures of all people, by interview and with all answers, by both measures of due."""
    measures: tuple[tuple[str, Callable[[Levels, Levels], Flags]], ...] = (
        ("too low", too_low),
        ("hazardous", hazardous),
        ("two or more levels too low", far_too_low),
        ("too high", too_high),
        ("same day or higher", lambda reached, _: today(reached)),
    )
    asked, whole = people.reached(people.asked), people.reached(people.whole)
    sides = [(asked, people.own), (asked, people.due), (whole, people.own), (whole, people.due)]
    return Table(
        "All people",
        (
            "",
            "by interview, condition's own",
            "by interview, or rules if higher",
            "all answers, condition's own",
            "all answers, or rules if higher",
        ),
        tuple((name, *(str(share(figure(*side))) for side in sides)) for name, figure in measures),
    )


_HEAD = ("people", "too low", "hazardous", "too high", "above its own", "same day or higher")


def _figures(people: People) -> tuple[str, ...]:
    reached = people.reached(people.asked)
    figures = (
        too_low(reached, people.due),
        hazardous(reached, people.due),
        too_high(reached, people.due),
        too_high(reached, people.own),
        today(reached),
    )
    return str(len(reached)), *(str(share(figure)) for figure in figures)


def by_age(people: People, children: People) -> Table:
    bands = [
        (name, people.only((people.ages >= low) & (people.ages <= high)))
        for name, low, high in BANDS
    ]
    return Table(
        "By age, by interview; under 16 no causes are named and only rules speak",
        ("age", *_HEAD),
        tuple((name, *_figures(part)) for name, part in [("under 16", children), *bands]),
    )


def by_condition(people: People, each: People) -> Table:
    both = people.and_also(each)
    rows = []
    for place, condition in enumerate(people.knowledge.conditions):
        part = both.only(both.truths == place)
        if len(part.truths):
            rows.append((condition.key, condition.urgency.key, *_figures(part)))
    rows.sort(key=lambda row: (-Urgency.of(row[1]), row[0]))
    return Table(
        "By true condition, by interview, the most urgent first",
        ("condition", "own urgency", *_HEAD),
        tuple(rows),
    )


def sources(people: People) -> Table:
    """Who is sent to same day or higher, by what, and whether the condition itself is due it."""
    flags = today(people.by_rules(people.asked, SHIPPED))
    sent = today(people.reached(people.asked))
    due = today(people.own)
    kinds = (
        ("the true condition is due it, and a red flag holds", due & flags),
        ("the true condition is due it, and only a risk threshold is passed", due & sent & ~flags),
        ("another condition, and a red flag holds", ~due & flags),
        ("another condition, and only a risk threshold is passed", ~due & sent & ~flags),
        ("all", sent),
    )
    return Table(
        "Same day or higher, by interview",
        ("what sends them", "of all people"),
        tuple((name, str(share(holds))) for name, holds in kinds),
    )


def _bounds(people: People) -> Iterator[str]:
    """Say how far the share hangs on priors set high, and on signs drawn as if independent."""
    sent = today(people.reached(people.asked))
    serious = np.array([condition.serious for condition in people.knowledge.conditions])
    fewer = []
    for times in RARER:
        weights = np.where(serious[people.truths], 1 / times, 1.0)
        fewer.append(f"{100 * float(weights @ sent) / float(weights.sum()):.1f} %")
    yield (
        "The priors of the serious causes were set two to five times too high on purpose, so that "
        f"strong evidence can lift them into view. Were they {', '.join(map(str, RARER[:-1]))} or "
        f"{RARER[-1]} times rarer, {', '.join(fewer[:-1])} or {fewer[-1]} would be sent to same "
        "day or higher.\n"
    )
    due = today(people.own)
    urgent = [rule.urgency >= Urgency.SAME_DAY for rule in people.knowledge.rules]
    alone = (people.whole.fired & ~due[:, None]).mean(axis=0)[urgent]
    together = today(people.by_rules(people.whole, SHIPPED)) & ~due
    yield (
        "Of all people, "
        f"{100 * float(together.mean()):.1f} % have a red flag of same day or higher that their "
        "condition is not due. If red flags came together as far as their own shares allow, it "
        f"would be {100 * float(alone.max(initial=0)):.1f} %, the share of the commonest; if no "
        f"two came together, {100 * float(alone.sum()):.1f} %.\n"
    )


def trade_off(title: str, what: str, points: Sequence[Point]) -> Table:
    return Table(
        title,
        (what, "same day or higher", "too low", "hazardous", "above its own"),
        tuple(
            (
                point.name,
                str(point.today),
                str(point.too_low),
                str(point.hazardous),
                str(point.too_high),
            )
            for point in points
        ),
    )


def choice(people: People, moved: Sequence[Point]) -> str:
    named = {point.name: point for point in moved}
    one, two, half = (named[name] for name in ("1", "2", "0.5"))
    bar = (REACHED if one.today.value <= BAR else MISSED).format(
        low=_per_cent(named["0.1"].today),
        left=named["0.1"].hazardous.hits,
        rules=_per_cent(named["none"].today),
        worst=named["none"].hazardous.hits,
        people=len(people.truths),
    )
    return CHOICE.format(
        twice=f"{100 * (one.today.value - two.today.value):.1f}",
        worse=two.hazardous.hits - one.hazardous.hits,
        half=f"{100 * (half.today.value - one.today.value):.1f}",
        better=one.hazardous.hits - half.hazardous.hits,
        people=len(people.truths),
        bar=bar,
    )


def _per_cent(part: Share) -> str:
    return f"{100 * part.value:.1f} %"


def _block(table: Table) -> str:
    return f"{table.markdown()}\n"


# The curve: same day or higher to the right, too low upwards

_LEFT, _TOP, _SIDE = 48, 54, 290
_BOTTOM = _TOP + _SIDE


def curve(title: str, points: Sequence[Point]) -> str:
    """Return the drawing of what the thresholds trade; the one at “1” is ringed as shipped."""
    step = 0.05
    start = step * np.floor(min(point.today.value for point in points) / step)
    end = step * np.ceil(max(point.today.value for point in points) / step - 1e-9)
    top = np.ceil((max(point.too_low.value for point in points) + 0.001) * 200) / 200

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - float(start)) / float(end - start)
        return _LEFT + _SIDE * across, _BOTTOM - _SIDE * y / float(top)

    parts = [
        words(WIDTH / 2, 18, title, kind="bold"),
        dot(_LEFT + 10, 36, kind="mark"),
        words(_LEFT + 20, 40, "too low", anchor="start"),
        dot(_LEFT + 110, 36, kind="other"),
        words(_LEFT + 120, 40, "hazardous", anchor="start"),
        box(_LEFT, _TOP, _SIDE, _SIDE, "line"),
    ]
    for at in np.arange(start, end + step / 2, step):
        x, _ = place(float(at), 0)
        parts.append(line((x, _BOTTOM), (x, _BOTTOM + 4)))
        parts.append(words(x, _BOTTOM + 17, f"{100 * at:.0f}"))
    for fifth in range(6):
        high = float(top) * fifth / 5
        _, y = place(float(start), high)
        parts.append(line((_LEFT - 4, y), (_LEFT, y)))
        parts.append(words(_LEFT - 8, y + 4, f"{100 * high:.1f}", anchor="end"))
    parts.append(words(_LEFT + _SIDE / 2, _BOTTOM + 34, "sent the same day or higher, %"))
    parts.append(words(12, _TOP + _SIDE / 2, "too low, %", turned=True))
    for kind, figure in (("mark", "too_low"), ("other", "hazardous")):
        spots = [place(p.today.value, getattr(p, figure).value) for p in points]
        for before, after in pairwise(spots):
            parts.append(line(before, after, f"{kind} path"))
        for point, (x, y) in zip(points, spots, strict=True):
            shipped = point.name == "1"
            parts.append(dot(x, y, 6 if shipped else 3.5, f"{kind} hollow" if shipped else kind))
            if kind == "mark":
                parts.append(words(x + 7, y - 6, point.name, anchor="start", kind="small"))
    told = [
        f"Thresholds times {p.name}: {_per_cent(p.today)} sent the same day or higher, "
        f"{100 * p.too_low.value:.2f} % too low, {100 * p.hazardous.value:.2f} % hazardous."
        for p in points
    ]
    return drawing(title, " ".join(told), _BOTTOM + 44, parts)
