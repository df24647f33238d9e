from triage.engine import Evidence, FeatureKey, Knowledge, Number
from triage.evaluation.cases import Case
from triage.evaluation.stamps import digest, is_current, stamped, traces

PAGE = "# Figures\n\n93 %\n"


def test_a_page_is_current_while_its_inputs_and_its_text_are() -> None:
    page = stamped(PAGE, "abc")

    assert page.startswith(PAGE)
    assert is_current(page, "abc")


def test_a_page_of_other_inputs_is_not_current() -> None:
    assert not is_current(stamped(PAGE, "abc"), "abd")


def test_a_page_that_was_changed_by_hand_is_not_current() -> None:
    assert not is_current(stamped(PAGE, "abc").replace("93", "99"), "abc")


def test_a_page_without_a_stamp_is_not_current() -> None:
    assert not is_current(PAGE, "abc")
    assert not is_current("", "abc")


def test_parts_do_not_run_into_each_other() -> None:
    assert digest(["ab", "c"]) != digest(["a", "bc"])


def test_a_trace_tells_what_came_of_each_case_both_ways(knowledge: Knowledge) -> None:
    case = Case("a", Evidence([(FeatureKey("age"), Number(34))]))

    [line] = traces(knowledge, [case]).splitlines()

    # 0.75 to 0.25, times (0.98 * 0.7 + 0.01) to (0.98 * 0.2 + 0.01)
    assert line.count('["cyst", 0.910201], ["bone", 0.089799]') == 2
    assert line.count('["age"]') == 2
    assert line.startswith('["a", ')
