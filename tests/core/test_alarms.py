"""Alarms: each rings once, at the earliest moment that was asked for, in order."""

from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.alarms import Alarms

_SETTINGS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=30)


def test_they_ring_in_order_of_time_and_then_of_number_and_only_once() -> None:
    alarms = Alarms()
    for number, moment_ns in ((2, 7), (1, 5), (0, 7), (3, 9)):
        alarms.set(number, moment_ns)
    assert alarms.next_ns() == 5
    assert alarms.ring(4) == []
    assert alarms.ring(7) == [1, 0, 2]
    assert alarms.ring(8) == []
    assert alarms.ring(9) == [3]
    assert alarms.next_ns() is None


def test_one_that_is_set_to_a_later_moment_rings_early_and_no_second_time() -> None:
    alarms = Alarms()
    alarms.set(0, 5)
    alarms.set(0, 8)
    assert alarms.ring(5) == [0]
    assert alarms.ring(8) == []


def test_one_that_is_set_to_an_earlier_moment_rings_then_and_no_second_time() -> None:
    alarms = Alarms()
    alarms.set(0, 8)
    alarms.set(0, 5)
    assert alarms.ring(5) == [0]
    assert alarms.ring(8) == []


@given(_SETTINGS, st.integers(0, 9))
def test_what_rings_is_what_was_asked_for_by_then(settings: list[tuple[int, int]], now_ns: int) -> None:
    alarms, earliest = Alarms(), dict[int, int]()
    for number, moment_ns in settings:
        alarms.set(number, moment_ns)
        earliest[number] = min(moment_ns, earliest.get(number, moment_ns))
    due = sorted((moment_ns, number) for number, moment_ns in earliest.items() if moment_ns <= now_ns)
    assert alarms.ring(now_ns) == [number for _, number in due]
    left = [moment_ns for moment_ns in earliest.values() if moment_ns > now_ns]
    next_ns = alarms.next_ns()
    assert not left or (next_ns is not None and next_ns <= min(left))


def test_it_says_when_each_rings_and_of_none_that_is_not_set() -> None:
    alarms = Alarms()
    alarms.set(1, 5)
    assert [alarms.moment_ns(number) for number in (0, 1, 2)] == [None, 5, None]
    assert alarms.next_ns() == 5
    alarms.ring(5)
    assert alarms.moment_ns(1) is None
