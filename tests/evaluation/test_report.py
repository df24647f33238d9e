import pytest

from triage.engine import ConditionKey, Evidence, Knowledge, RuleKey, Urgency
from triage.evaluation.cases import Case, read_cases
from triage.evaluation.interviews import Run, all_at_once
from triage.evaluation.report import Judged, Report, by_condition, judge, misses, overview

ORDER = [ConditionKey(key) for key in ("cyst", "bone", "boil", "lipoma")]
RANKED = tuple(zip(ORDER, (0.4, 0.3, 0.2, 0.1), strict=True))


def judged(
    *expected: str,
    urgency: Urgency = Urgency.ROUTINE,
    within: tuple[Urgency | None, Urgency | None] = (Urgency.ROUTINE, Urgency.SAME_DAY),
    whole: Urgency = Urgency.ROUTINE,
    asked: int = 10,
    ranked: tuple[tuple[ConditionKey, float], ...] = RANKED,
    cut_short: bool = False,
) -> Judged:
    case = Case("x", Evidence(), frozenset(map(ConditionKey, expected)), *within)
    return Judged(
        case,
        Run(urgency, ranked, (RuleKey("flag"),), (ORDER[1],), asked, cut_short, Evidence()),
        whole,
    )


def test_any_expected_cause_counts_as_right() -> None:
    assert judged("lipoma", "bone").rank == 2


def test_a_case_that_expects_no_cause_counts_for_urgency_only() -> None:
    report = Report((judged(), judged("cyst")))

    assert (report.top(1).hits, report.top(1).of) == (1, 1)
    assert report.exact.of == 2


def test_a_case_that_is_shown_no_causes_counts_for_urgency_only() -> None:
    report = Report((judged("cyst", ranked=()),))

    assert report.top(5).of == 0
    assert report.exact.hits == 1


def test_the_right_cause_is_counted_by_its_place() -> None:
    report = Report((judged("cyst"), judged("boil"), judged("lipoma")))

    assert [report.top(places).hits for places in (1, 3, 5)] == [1, 2, 3]


def test_interviews_that_an_emergency_cut_short_can_be_left_out() -> None:
    report = Report((judged("cyst"), judged("lipoma", cut_short=True)))

    assert (report.top(3).hits, report.top(3).of) == (1, 2)
    assert (report.uncut().top(3).hits, report.uncut().top(3).of) == (1, 1)


@pytest.mark.parametrize(
    ("urgency", "within", "counts"),
    [
        (Urgency.SELF_CARE, (Urgency.ROUTINE, Urgency.SAME_DAY), (0, 1, 0)),
        (Urgency.ROUTINE, (Urgency.ROUTINE, Urgency.SAME_DAY), (1, 0, 0)),
        (Urgency.SAME_DAY, (Urgency.ROUTINE, Urgency.SAME_DAY), (1, 0, 0)),
        (Urgency.EMERGENCY_NOW, (Urgency.ROUTINE, Urgency.SAME_DAY), (0, 0, 1)),
        (Urgency.EMERGENCY_NOW, (Urgency.ROUTINE, None), (1, 0, 0)),
        (Urgency.SELF_CARE, (None, Urgency.SAME_DAY), (1, 0, 0)),
        (Urgency.SELF_CARE, (None, None), (0, 0, 0)),
    ],
)
def test_an_urgency_is_within_its_range_or_too_low_or_too_high(
    urgency: Urgency,
    within: tuple[Urgency | None, Urgency | None],
    counts: tuple[int, int, int],
) -> None:
    report = Report((judged(urgency=urgency, within=within),))

    assert (report.exact.hits, report.under.hits, report.over.hits) == counts


def test_an_early_stop_is_set_against_all_answers_at_once() -> None:
    report = Report(
        (
            judged(urgency=Urgency.ROUTINE, whole=Urgency.SAME_DAY),
            judged(urgency=Urgency.SAME_DAY, whole=Urgency.ROUTINE),
            judged(urgency=Urgency.ROUTINE, whole=Urgency.ROUTINE),
        )
    )

    assert (report.lower.hits, report.higher.hits, report.higher.of) == (1, 1, 3)


def test_the_overview_sets_reports_side_by_side() -> None:
    few, many = Report((judged("cyst", asked=4),)), Report((judged("cyst", asked=30),))

    rows = {row[0]: row[1:] for row in overview("Both", {"few": few, "many": many}).rows}

    assert rows["questions asked, median"] == ("4 (4 to 4)", "30 (30 to 30)")
    assert rows["urgency within its range"] == ("100.0 % (20.7 to 100.0), 1 of 1",) * 2


def test_each_set_of_expected_causes_has_its_own_row() -> None:
    report = Report((judged("cyst"), judged("bone", "boil"), judged(), judged("cyst")))

    table = by_condition("By condition", report)

    assert [row[:2] for row in table.rows] == [
        ("boil or bone", "1"),
        ("cyst", "2"),
        ("no cause expected", "1"),
    ]


def test_every_miss_is_listed_with_its_reason() -> None:
    report = Report((judged("cyst"), judged("lipoma"), judged(urgency=Urgency.SELF_CARE)))

    assert misses("Misses", report).rows == (
        ("x", "lipoma", "4", "routine to same_day", "routine", "flag, risk of bone"),
        ("x", "none", "not judged", "routine to same_day", "self_care", "flag, risk of bone"),
    )


def test_cases_are_judged_by_interview_unless_told_otherwise(knowledge: Knowledge) -> None:
    line = '{"id": "a", "answers": {"danger": ["collapse"], "age": 34}, "expected": {}}'
    cases = read_cases([line], knowledge)

    interviewed, whole = judge(knowledge, cases), judge(knowledge, cases, all_at_once)

    assert interviewed.asked(0.5).value == 1
    assert whole.asked(0.5).value == 2
