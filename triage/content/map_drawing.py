"""The map of a topic as SVG: text, links and lines, styled by classes; no script and no style."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from textwrap import wrap
from xml.sax.saxutils import escape, quoteattr

from triage.evaluation.drawings import box, words

from .choices import RuleKind, Tier, Urgency
from .topic_map import Condition, Feature, Flag, Need, Place, TopicMap

WIDTH = 1000
FLAGS, FEATURES, CONDITIONS = (0, 275), (402, 240), (765, 235)
"""The three columns: where each begins and how wide it is."""

TITLES = (
    ("Rules, by urgency", ""),
    ("Questions, in order", "asked of"),
    ("Conditions, by urgency", "prior"),
)

LETTER = 5.9  # units that a letter takes in the mean, at 12 units
SMALL_LETTERS = 40  # as many small ones go into the column of the features
LINE = 13
PAD = 8
GAP = 5
HEADING = 26
MOST_SLACK = 14
STRIPE = 5
MOST_LINES = 2
NARROW = 1.15  # pixels for a unit, where a column is left out

NOTES = {RuleKind.SCOPE.value: "scope", RuleKind.FLOOR.value: "floor"}
"""What is said beside a rule that is no danger sign."""

type Addresses = Mapping[Place, str]


@dataclass(slots=True)
class _Box:
    """One thing on the map; `y` is its middle, known once its column is stacked."""

    place: Place
    kind: str
    text: Sequence[str]
    tip: str
    note: str = ""
    answers: "Mapping[str, Sequence[str]]" = field(default_factory=dict)
    y: float = 0.0
    lines: list[str] = field(default_factory=list)

    @property
    def height(self) -> float:
        small = sum(len(lines) for lines in self.answers.values())
        return 2 * PAD + LINE * (len(self.text) + small) - 4

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    def y_of(self, answer: str) -> float:
        """Return the middle of an answer, or of the whole if it is not listed."""
        if answer not in self.answers:
            return self.y
        y = self.top + PAD + LINE * len(self.text)
        for listed, lines in self.answers.items():
            if listed == answer:
                return y + LINE * len(lines) / 2 - 2
            y += LINE * len(lines)
        return self.y


@dataclass(frozen=True, slots=True)
class _Group:
    heading: str
    kind: str
    boxes: Sequence[_Box]


def drawn(topic_map: TopicMap, addresses: Addresses, *, with_answers: bool = False) -> str:
    """Return the map as a whole SVG. Each thing on it is a link, if it has an address.

    With answers, each feature says below its name which of them the rules look at.
    """
    features = _feature_groups(topic_map, with_answers=with_answers)
    order = {feature.key: place for place, feature in enumerate(topic_map.features)}
    flags = _flag_groups(topic_map, order)
    conditions = _condition_groups(topic_map, order)
    columns = [(FLAGS, flags), (FEATURES, features), (CONDITIONS, conditions)]
    height = max(map(_natural, (groups for _, groups in columns)), default=0.0)
    for _, groups in columns:
        _stack(groups, height, is_centred=with_answers)
    boxes = {each.place: each for _, groups in columns for group in groups for each in group.boxes}
    for line in _lines(topic_map, boxes):
        for place in line.ends:
            boxes[place].lines.append(line.drawn(is_echo=place[0] == "features"))
    parts = list(_titles(columns))
    parts += (part for column, groups in columns for part in _drawn(column, groups, addresses))
    there = [column for column, groups in columns if groups]
    left, right = (there[0][0], sum(there[-1])) if there else (0, WIDTH)
    return _svg(topic_map, left, right - left, HEADING + height, parts)


def _svg(
    topic_map: TopicMap, left: float, width: float, height: float, parts: Iterable[str]
) -> str:
    title = f"The map of “{topic_map.title}”"
    told = (
        f"On the left {len(topic_map.flags)} rules from the most urgent, in the middle"
        f" {len(topic_map.features)} questions in the order in which they are mostly asked, on the"
        f" right {len(topic_map.conditions)} conditions. Lines lead from each rule to the questions"
        " that it reads, and from each condition to the questions that tell most of it. The lists"
        " below say the same in words."
    )
    size = f'viewBox="{left - 1} 0 {width + 2} {height:.0f}"'
    kind = 'class="map"'
    if width < WIDTH:  # it would be drawn as wide as the page
        kind = f'class="map map-narrow" width="{width * NARROW:.0f}"'
    named = 'role="group" aria-labelledby="map-title" aria-describedby="map-desc"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {kind} {size} {named}>',
            f'<title id="map-title">{escape(title)}</title>',
            f'<desc id="map-desc">{escape(told)}</desc>',
            *parts,
            "</svg>\n",
        )
    )


# The columns


def _feature_groups(topic_map: TopicMap, *, with_answers: bool) -> list[_Group]:
    by_tier = sorted(topic_map.features, key=lambda q: Tier.values.index(q.tier))
    answers: dict[str, dict[str, None]] = {}
    for flag in topic_map.flags if with_answers else ():
        for need in flag.needs:
            named = dict.fromkeys(answer.words for answer in need.answers)
            answers.setdefault(need.feature, {}).update(named)
    return [
        _Group(Tier(tier).label, "", [_feature(q, answers.get(q.key, {})) for q in features])
        for tier, features in groupby(by_tier, key=lambda q: q.tier)
    ]


def _feature(feature: Feature, answers: Iterable[str]) -> _Box:
    asked = feature.asked
    note = f"{100 * asked.share:.0f} %" if asked else ""
    when = (
        f"asked of {100 * asked.share:.0f} in 100, in the mean as number {asked.place:.0f}"
        if asked
        else "hardly ever asked"
    )
    _, width = FEATURES
    return _Box(
        ("features", feature.key),
        "",
        _wrapped(feature.name, width, note),
        f"{feature.name} ({feature.section}): {when}",
        note,
        {answer: wrap(f"· {answer}", SMALL_LETTERS) for answer in answers},
    )


def _flag_groups(topic_map: TopicMap, order: Mapping[str, int]) -> list[_Group]:
    def middle(flag: Flag) -> float:
        return _mean([(order[need.feature], 1.0) for need in flag.needs if need.feature in order])

    return [
        _Group(
            urgency.label,
            f"map-{urgency}",
            [
                _Box(
                    ("red_flags", flag.key),
                    f"map-{urgency}",
                    _wrapped(flag.title, FLAGS[1], NOTES.get(flag.kind, "")),
                    f"{urgency.label}: {flag.title}",
                    NOTES.get(flag.kind, ""),
                )
                for flag in sorted(flags, key=lambda flag: (middle(flag), flag.key))
            ],
        )
        for urgency, flags in _by_urgency(topic_map.flags)
    ]


def _condition_groups(topic_map: TopicMap, order: Mapping[str, int]) -> list[_Group]:
    def middle(condition: Condition) -> float:
        return _mean([(order[t.feature], t.nats) for t in condition.told_by if t.feature in order])

    return [
        _Group(
            urgency.label,
            f"map-{urgency}",
            [
                _Box(
                    ("conditions", condition.key),
                    f"map-{urgency}" + (" map-state" if condition.prior_percent is None else ""),
                    _wrapped(condition.name, CONDITIONS[1], _prior(condition)),
                    f"{urgency.label}: {condition.name}",
                    _prior(condition),
                )
                for condition in sorted(
                    conditions, key=lambda condition: (middle(condition), condition.key)
                )
            ],
        )
        for urgency, conditions in _by_urgency(topic_map.conditions)
    ]


def _by_urgency[T: (Flag, Condition)](rows: Sequence[T]) -> Iterator[tuple[Urgency, list[T]]]:
    for urgency, group in groupby(rows, key=lambda row: row.urgency):
        yield urgency, list(group)


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    whole = sum(weight for _, weight in weighted)
    return sum(place * weight for place, weight in weighted) / whole if whole else 0.0


def _prior(condition: Condition) -> str:
    return "rules only" if condition.prior_percent is None else f"{condition.prior_percent:g} %"


def _wrapped(text: str, width: float, note: str) -> list[str]:
    """Break a name to the width of its column, less what the note beside it takes."""
    letters = int((width - 28) / LETTER) - (len(note) + 2 if note else 0)
    return wrap(text, letters, max_lines=MOST_LINES, placeholder="…") or ["?"]


def _natural(groups: Sequence[_Group]) -> float:
    return sum(HEADING + sum(each.height + GAP for each in group.boxes) for group in groups)


def _stack(groups: Sequence[_Group], height: float, *, is_centred: bool) -> None:
    """Give each thing its place below the one before. What is left over is shared between them,
    or in the small map of one thing above and below."""
    count = sum(len(group.boxes) for group in groups)
    left = height - _natural(groups)
    slack = 0.0 if is_centred or not count else min(left / count, MOST_SLACK)
    y = HEADING + (left / 2 if is_centred else 0.0)
    for group in groups:
        y += HEADING
        for each in group.boxes:
            each.y = y + each.height / 2
            y += each.height + GAP + slack


# The lines


@dataclass(frozen=True, slots=True)
class _Line:
    """From a rule or a condition to a feature."""

    ends: tuple[Place, Place]
    start: tuple[float, float]
    end: tuple[float, float]
    kind: str
    width: float
    tip: str

    def drawn(self, *, is_echo: bool) -> str:
        """It belongs to what it leads from; its echo lights up with what it leads to."""
        (x1, y1), (x2, y2) = self.start, self.end
        middle = (x1 + x2) / 2
        path = f"M{x1:g} {y1:.1f}C{middle:g} {y1:.1f} {middle:g} {y2:.1f} {x2:g} {y2:.1f}"
        kind = f"map-line {self.kind}" + (" map-echo" if is_echo else "")
        tip = "" if is_echo else f"<title>{escape(self.tip)}</title>"
        return f'<path class="{kind}" stroke-width="{self.width:.1f}" d="{path}">{tip}</path>'


def _lines(topic_map: TopicMap, boxes: Mapping[Place, _Box]) -> Iterator[_Line]:
    left, right = sum(FLAGS), CONDITIONS[0]
    start, end = FEATURES[0], sum(FEATURES)
    for flag in topic_map.flags:
        here = ("red_flags", flag.key)
        for need in flag.needs:
            there = ("features", need.feature)
            ends = {boxes[there].y_of(answer.words): False for answer in need.answers}
            for answer in need.answers:
                ends[boxes[there].y_of(answer.words)] |= answer.is_enough
            for y, is_enough in ends.items():
                is_strong = is_enough and flag.kind == RuleKind.RED_FLAG
                yield _Line(
                    (here, there),
                    (left, boxes[here].y),
                    (start, y),
                    f"map-{flag.urgency}" + ("" if is_strong else " map-part"),
                    2.4 if is_strong else 1.0,
                    f"{flag.title}: {_said(need)}",
                )
    names = topic_map.names
    for condition in topic_map.conditions:
        here = ("conditions", condition.key)
        for telling in condition.told_by:
            there = ("features", telling.feature)
            yield _Line(
                (here, there),
                (right, boxes[here].y),
                (end, boxes[there].y),
                "map-tells",
                min(0.5 + 1.4 * telling.nats, 7),
                f"{names[telling.feature]} tells {telling.nats:.1f} nats of {condition.name}",
            )


def _said(need: Need) -> str:
    ways = "; ".join(need.sentences)
    return ways if need.is_enough else f"{ways} (only together with other answers)"


# The drawing


def _titles(columns: Sequence[tuple[tuple[float, float], Sequence[_Group]]]) -> Iterator[str]:
    for ((x, width), groups), (title, note) in zip(columns, TITLES, strict=True):
        if groups:
            yield words(x, 14, title, anchor="start", kind="map-title")
        if any(each.note for group in groups for each in group.boxes):
            yield words(x + width, 14, note, anchor="end", kind="map-small")


def _drawn(
    column: tuple[float, float], groups: Sequence[_Group], addresses: Addresses
) -> Iterator[str]:
    x, width = column
    for group in groups:
        yield words(
            x + 2,
            group.boxes[0].top - 8,
            group.heading,
            anchor="start",
            kind=f"map-heading {group.kind}",
        )
        for each in group.boxes:
            yield f'<g class="map-node {each.kind}">'
            yield from each.lines
            yield _linked(_inside(each, x, width), each.tip, addresses.get(each.place, ""))
            yield "</g>"


def _inside(each: _Box, x: float, width: float) -> Iterator[str]:
    top = each.top
    yield box(x, top, width, each.height, "map-box")
    if each.kind:
        yield box(x, top, STRIPE, each.height, "map-stripe")
    y = top + PAD + 9
    for line in each.text:
        yield words(x + STRIPE + 8, y, line, anchor="start", kind="map-name")
        y += LINE
    for line in (line for lines in each.answers.values() for line in lines):
        yield words(x + STRIPE + 8, y, line, anchor="start", kind="map-small")
        y += LINE
    if each.note:
        yield words(x + width - 8, top + PAD + 9, each.note, anchor="end", kind="map-small")


def _linked(parts: Iterable[str], tip: str, address: str) -> str:
    inside = f"<title>{escape(tip)}</title>" + "".join(parts)
    if not address:
        return inside
    return f"<a href={quoteattr(address)} aria-label={quoteattr(tip)}>{inside}</a>"
