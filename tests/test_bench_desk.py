"""The benchmark of open desks measures what it says, without a server."""

from collections import Counter

from bench.desk import Run, figures, pace


def test_it_asks_at_the_pace_of_the_page_which_leaves_time_within_five_seconds() -> None:
    assert 3 <= pace() <= 4


def test_the_share_of_a_core_and_the_ratio_to_a_plain_view_are_those_of_the_quiet_desk() -> None:
    plain = Run(requests=100, seconds=10, spent=0.05, statuses=Counter({200: 100}))
    quiet = Run(requests=100, seconds=10, spent=0.1, statuses=Counter({204: 98, 200: 2}))
    busy = Run(requests=100, seconds=10, spent=0.9, statuses=Counter({200: 100}))

    table, goals = figures({"plain": plain, "quiet": quiet, "busy": busy}, desks=50)

    assert [goal.seen for goal in goals] == [1.0, 2.0]
    assert "2 of 200, 98 of 204" in table.markdown()
