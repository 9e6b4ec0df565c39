"""When the state is polled, by a clock in the test's hand."""

from lifesign.tui.pace import Pace, period_s, soonest_s
from lifesign.tui.snapshot import FRESH_FOR_S


def answered(cost_s: float, *, told: bool = True) -> Pace:
    """The pace after a poll at 100 s that took `cost_s` of a core."""
    pace = Pace(100.0)
    pace.told = told
    pace.asked()
    pace.answered(100.0, 100.01, cost_s)
    return pace


def test_a_state_that_costs_much_is_read_seldom_but_never_so_seldom_that_it_is_no_longer_fresh() -> None:
    assert [period_s(cost_s) for cost_s in (0.0, 0.004, 0.008, 9.0)] == [1.0, 1.0, 2.0, 3.0]
    assert [period_s(cost_s, told=True) for cost_s in (0.0, 0.002, 0.004, 0.006, 9.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert [soonest_s(cost_s) for cost_s in (0.0, 0.004, 9.0)] == [0.25, 1.0, 3.0]
    assert period_s(9.0) < FRESH_FOR_S


def test_the_tick_polls_once_where_that_is_due() -> None:
    pace = answered(0.006)
    assert [pace.is_due_at_tick(now_s) for now_s in (101.0, 102.0, 103.0, 104.0)] == [False, False, True, False]


def test_news_is_polled_for_at_once_and_however_much_of_it_there_is_only_as_often_as_the_state_allows() -> None:
    pace = answered(0.006)
    assert [pace.is_due_at_news(now_s) for now_s in (100.1, 101.4, 101.6, 101.7)] == [False, False, True, False]


def test_news_that_came_too_soon_for_a_poll_gets_one_at_the_first_tick_that_may() -> None:
    pace = answered(0.006)
    assert not pace.is_due_at_news(100.1)
    assert [pace.is_due_at_tick(now_s) for now_s in (101.0, 102.0, 103.0)] == [False, True, False]


def test_what_happens_while_a_poll_is_under_way_is_news_after_it() -> None:
    pace = answered(0.0)
    pace.asked()
    assert not pace.is_due_at_news(101.0)
    pace.answered(101.0, 101.1, 0.0)
    assert pace.is_due_at_tick(101.3)


def test_a_loop_that_stands_still_is_not_buried_in_answers() -> None:
    pace = answered(0.0)
    assert not pace.is_due_at_news(102.1)
    assert pace.is_due_at_tick(102.2), "it goes on, and has the news at once"


def test_a_daemon_that_tells_no_news_is_asked_more_often() -> None:
    pace = answered(0.006, told=False)
    assert [pace.is_due_at_tick(now_s) for now_s in (100.9, 101.1)] == [False, True]
