from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.engine.small import evidence_of, knowledge_with
from triage.engine import ConditionKey, Evidence, Knowledge, RuleKey, Urgency
from triage.evaluation.cases import Case
from triage.evaluation.intervals import Share
from triage.evaluation.interviews import interview, interviewed, urgency_with_all_answers
from triage.evaluation.simulation import simulated
from triage.evaluation.triage import (
    SHIPPED,
    Levelled,
    Levels,
    People,
    Point,
    Setting,
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
from triage.evaluation.triage_page import by_age, by_condition, choice, curve, overview, sources

SELF, ROUTINE, WEEKS, DAYS, SAME_DAY, NOW = map(int, Urgency)


def levels(*urgencies: int) -> Levels:
    return np.array(urgencies, dtype=np.int64)


def case(condition: str, evidence: Evidence) -> Case:
    return Case("x", evidence, frozenset({ConditionKey(condition)}))


@pytest.fixture(scope="module")
def small() -> Knowledge:
    return knowledge_with()


@pytest.fixture(scope="module")
def few(small: Knowledge) -> People:
    """Four people whose posteriors and rules are set by hand.

    Conditions: cyst (self-care, 1.0), strain (routine, 0.5), tumour (2 weeks, 0.2); group deep
    (few days, 0.85).
    """
    rules = [rule.key for rule in small.rules]
    fired = np.zeros((4, len(rules)), dtype=np.bool_)
    fired[0, rules.index(RuleKey("fever"))] = True
    fired[1, rules.index(RuleKey("see_gp"))] = True
    risks = np.array(
        [
            [0.9, 0.05, 0.05, 0.1],
            [0.5, 0.4, 0.1, 0.5],
            [0.1, 0.1, 0.8, 0.9],
            [0.0, 0.0, 0.0, 0.0],
        ]
    )
    part = Levelled(fired, risks)
    truths, ages = levels(0, 2, 2, 1), levels(20, 50, 70, -1)
    return People(small, truths, ages, part, part)


def test_everybody_ends_at_the_highest_rule_or_risk(few: People) -> None:
    assert few.reached(few.asked).tolist() == [SAME_DAY, ROUTINE, DAYS, SELF]


def test_all_thresholds_move_together(few: People) -> None:
    # times 0.5 the second has strain at 0.4 >= 0.25, tumour at 0.1 >= 0.1, deep at 0.5 >= 0.425
    assert few.reached(few.asked, Setting(0.5)).tolist() == [SAME_DAY, DAYS, DAYS, SELF]
    assert few.reached(few.asked, Setting(2.0)).tolist() == [SAME_DAY, ROUTINE, WEEKS, SELF]
    assert few.reached(few.asked, Setting(None)).tolist() == [SAME_DAY, ROUTINE, SELF, SELF]


def test_one_threshold_moves_alone(few: People) -> None:
    # times 0.5 the second has tumour at 0.1 >= 0.1, and strain and deep as they were
    tumour = Setting(0.5, alone=ConditionKey("tumour"))

    assert few.reached(few.asked, tumour).tolist() == [SAME_DAY, WEEKS, DAYS, SELF]


def test_only_thresholds_that_calm_somebody_are_listed(few: People) -> None:
    names = [point.name for point in by_one_threshold(few)]

    assert names == ["as shipped", "tumour 20 to 10 %", "tumour 20 to 5 %"]


def test_rules_can_be_left_out(few: People) -> None:
    without = Setting(without=frozenset({RuleKey("fever"), RuleKey("see_gp")}))

    assert few.reached(few.asked, without).tolist() == [SELF, SELF, DAYS, SELF]


def test_due_is_the_conditions_own_urgency_or_that_of_a_rule(few: People) -> None:
    assert few.own.tolist() == [SELF, WEEKS, WEEKS, ROUTINE]
    assert few.due.tolist() == [SAME_DAY, WEEKS, WEEKS, ROUTINE]


def test_too_low_and_too_high_are_told_from_what_is_due() -> None:
    reached, due = levels(ROUTINE, WEEKS, DAYS), levels(WEEKS, WEEKS, WEEKS)

    assert too_low(reached, due).tolist() == [True, False, False]
    assert too_high(reached, due).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("reached", "due", "far", "hazard"),
    [
        (ROUTINE, WEEKS, False, False),  # one level too low
        (SELF, WEEKS, True, True),  # two
        (DAYS, SAME_DAY, False, True),  # one, but tomorrow instead of today
        (SAME_DAY, NOW, False, False),  # today, though not by ambulance
        (DAYS, NOW, True, True),
        (NOW, SELF, False, False),
    ],
)
def test_a_hazard_is_two_levels_too_low_or_not_today_where_that_is_due(
    reached: int, due: int, far: bool, hazard: bool
) -> None:
    assert far_too_low(levels(reached), levels(due)).tolist() == [far]
    assert hazardous(levels(reached), levels(due)).tolist() == [hazard]


def test_same_day_and_higher_is_today() -> None:
    assert today(levels(DAYS, SAME_DAY, NOW)).tolist() == [False, True, True]


def test_one_run_serves_for_all_thresholds(small: Knowledge) -> None:
    cases = tuple(simulated(small, np.random.default_rng(3), 40))
    people = People.of(small, cases)
    strict = knowledge_with(
        conditions=[replace(c, raise_at=c.raise_at / 4) for c in small.conditions],
        groups=[replace(g, raise_at=g.raise_at / 4) for g in small.groups],
    )

    assert people.reached(people.asked).tolist() == [
        interview(small, one.evidence).urgency for one in cases
    ]
    for knowledge, setting in ((small, SHIPPED), (strict, Setting(0.25))):
        whole = [urgency_with_all_answers(knowledge, one.evidence) for one in cases]
        assert people.reached(people.whole, setting).tolist() == whole


def test_other_thresholds_are_judged_on_what_was_asked(small: Knowledge) -> None:
    cases = tuple(simulated(small, np.random.default_rng(3), 20))
    people = People.of(small, cases)
    never = knowledge_with(conditions=[replace(c, raise_at=1.0) for c in small.conditions])

    said = [interviewed(small, one.evidence)[0] for one in cases]

    calmer = People(never, people.truths, people.ages, people.asked, people.whole).reached(
        people.asked
    )
    assert calmer.tolist() == [urgency_with_all_answers(never, one) for one in said]


def test_the_shipped_content_is_levelled_as_it_is_run(shipped: Knowledge) -> None:
    cases = tuple(simulated(shipped, np.random.default_rng(4), 25))

    people = People.of(shipped, cases)

    asked = [interview(shipped, one.evidence).urgency for one in cases]
    assert people.reached(people.asked).tolist() == asked
    assert (people.ages >= 16).all()


def test_hazardous_cases_stay_under_one_in_a_hundred(shipped: Knowledge, sweep: int) -> None:
    cases = tuple(simulated(shipped, np.random.default_rng(6), sweep // 10))

    people = People.of(shipped, cases)

    asked, whole = (
        share(hazardous(people.reached(part), people.due)) for part in (people.asked, people.whole)
    )
    # The criterion that a prospective study set itself: JMIR 2024;26:e58157.
    assert asked.interval[0] < 0.01
    assert asked.interval[0] <= whole.interval[1]  # an early stop costs nothing that can be seen


def test_somebody_out_of_scope_has_no_risks(small: Knowledge) -> None:
    child = case("tumour", evidence_of(small, age=9, lump="one", feel="hard", fever="no"))

    people = People.of(small, [child])

    assert people.ages.tolist() == [9]
    assert not people.whole.risks.any()
    assert people.reached(people.whole).tolist() == [ROUTINE]


def test_people_are_chosen_and_put_together(few: People) -> None:
    old = few.only(few.ages >= 50)

    assert old.truths.tolist() == [2, 2]
    assert old.and_also(few).ages.tolist() == [50, 70, 20, 50, 70, -1]
    assert old.and_also(few).reached(old.and_also(few).asked).tolist()[:2] == [ROUTINE, DAYS]


def test_a_point_counts_against_the_conditions_own_urgency(few: People) -> None:
    point = Point.of("1", few, few.asked, SHIPPED)

    assert point.today == Share(1, 4)
    assert point.too_low == Share(2, 4)  # the second by one level, the fourth by one
    assert point.hazardous == Share(0, 4)
    assert point.too_high == Share(2, 4)


def test_rules_that_change_nothing_are_not_listed(few: People) -> None:
    names = [point.name for point in by_rules(few)]

    assert names == ["as shipped", "no floor", "no fever", "no see_gp", "no rule at all"]


def test_lower_thresholds_never_calm(few: People) -> None:
    shares = [point.today.value for point in by_thresholds(few)]

    assert shares == sorted(shares, reverse=True)


def test_the_overview_measures_by_both_that_is_due(few: People) -> None:
    rows = {row[0]: row[1:] for row in overview(few).rows}

    assert rows["too high"][0].endswith("2 of 4")
    assert rows["too high"][1].endswith("1 of 4")  # the fever is due its own level
    assert rows["same day or higher"][0].endswith("1 of 4")


def test_ages_stand_in_bands_with_the_children_apart(few: People) -> None:
    rows = by_age(few, few.only(few.ages < 0)).rows

    assert [row[:2] for row in rows] == [
        ("under 16", "1"),
        ("16 to 39", "1"),
        ("40 to 64", "1"),
        ("65 and over", "1"),
    ]


def test_the_most_urgent_conditions_come_first(few: People) -> None:
    rows = by_condition(few, few.only(few.truths == 2)).rows

    assert [row[:3] for row in rows] == [
        ("tumour", "urgent_2_weeks", "4"),
        ("strain", "routine", "1"),
        ("cyst", "self_care", "1"),
    ]


def test_what_sends_people_the_same_day_adds_up(few: People) -> None:
    counts = [row[1].rpartition(", ")[2] for row in sources(few).rows]

    assert counts == ["0 of 4", "0 of 4", "1 of 4", "0 of 4", "1 of 4"]


def point(name: str, sent: int, low: int, hazard: int) -> Point:
    return Point(name, Share(sent, 100), Share(low, 100), Share(hazard, 100), Share(0, 100))


MOVED = (
    point("0.1", 40, 1, 1),
    point("0.5", 30, 2, 1),
    point("1", 27, 4, 3),
    point("2", 26, 9, 8),
    point("none", 26, 10, 9),
)


def test_the_choice_is_told_in_the_figures_of_the_curve(few: People) -> None:
    told = choice(few, MOVED)

    assert "send 1.0 fewer\npeople in a hundred" in told
    assert "leave 5 more of 4 hazardous" in told
    assert "would send 3.0 more and leave 2 fewer" in told
    assert "a tenth of every threshold 1 of 4 are hazardous and 40.0 % are sent" in told
    assert "rules alone send 26.0 % and leave 9." in told
    calm = choice(few, [replace(each, today=Share(20, 100)) for each in MOVED])
    assert "They send no more than one in four there" in calm
    assert "a tenth of every threshold 1 of 4 are, and 20.0 % are sent" in calm


def test_the_curve_rings_what_is_shipped_and_says_every_point() -> None:
    root = ElementTree.fromstring(curve("Trade", MOVED))

    svg = "{http://www.w3.org/2000/svg}"
    told = root.findtext(f"{svg}desc") or ""
    assert "Thresholds times 1: 27.0 % sent the same day or higher, 4.00 % too low" in told
    rings = [c for c in root.iter(f"{svg}circle") if "hollow" in str(c.get("class"))]
    assert len(rings) == 2
    # from 25 to 40 % across 290 units, from 0 to 10.5 % up 290
    assert (rings[0].get("cx"), rings[0].get("cy")) == ("86.7", "233.5")
