"""Alarms: each rings once, at the earliest moment that was asked for, in order."""

from hypothesis import given
from hypothesis import strategies as st

from lifesign.core.alarms import Alarms

_DEEDS = st.lists(
    st.tuples(st.sampled_from(["set", "put off", "ring"]), st.integers(0, 5), st.integers(0, 9)), max_size=60
)


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


def test_one_that_is_put_off_rings_later_unless_it_is_due_already() -> None:
    alarms = Alarms()
    for number in (0, 1, 2):
        alarms.set(number, 5)
    alarms.put_off(0, 8, now_ns=4)
    alarms.put_off(1, 8, now_ns=5)
    alarms.put_off(2, 3, now_ns=2)
    alarms.put_off(9, 7, now_ns=2)
    assert alarms.next_ns() == 3
    assert alarms.ring(6) == [2, 1]
    assert alarms.next_ns() == 7
    assert alarms.ring(9) == [9, 0]
    assert alarms.next_ns() is None


@given(_DEEDS)
def test_what_rings_is_what_was_asked_for_by_then(deeds: list[tuple[str, int, int]]) -> None:
    alarms, expected, now_ns = Alarms(), dict[int, int](), 0
    for deed, number, after_ns in deeds:
        moment_ns, held_ns = now_ns + after_ns, expected.get(number)
        if deed == "set":
            alarms.set(number, moment_ns)
            expected[number] = moment_ns if held_ns is None else min(moment_ns, held_ns)
        elif deed == "put off":
            alarms.put_off(number, moment_ns, now_ns)
            expected[number] = held_ns if held_ns is not None and held_ns <= now_ns else moment_ns
        else:
            now_ns = moment_ns
            due = sorted((at_ns, of) for of, at_ns in expected.items() if at_ns <= now_ns)
            assert alarms.ring(now_ns) == [of for _, of in due]
            expected = {of: at_ns for of, at_ns in expected.items() if at_ns > now_ns}
        if number % 2:  # to ask must change nothing
            assert alarms.next_ns() == min(expected.values(), default=None)
        assert [alarms.moment_ns(of) for of in range(6)] == [expected.get(of) for of in range(6)]


def test_it_says_when_each_rings_and_of_none_that_is_not_set() -> None:
    alarms = Alarms()
    alarms.set(1, 5)
    assert [alarms.moment_ns(number) for number in (0, 1, 2)] == [None, 5, None]
    assert alarms.next_ns() == 5
    alarms.ring(5)
    assert alarms.moment_ns(1) is None
