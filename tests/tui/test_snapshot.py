"""Ages and the link, reckoned on the console's own clock."""

from lifesign.tui.drawing.glyphs import UNICODE
from lifesign.tui.drawing.spans import age
from lifesign.tui.snapshot import FRESH_FOR_S, Reading, Snapshot
from tests.tui.documents import at, component, state


def known(asked_s: float = 100.0, answered_s: float = 100.0) -> Snapshot:
    """A document of noon, read at these seconds."""
    return Snapshot().after(Reading(asked_s, answered_s, state([component("a", since=at(-10), staleness_s=5.0)])))


def test_an_age_counts_from_the_moment_the_document_was_made() -> None:
    assert known().age_s(at(-10), 100.0) == 10
    assert known().age_s(at(-10), 107.5) == 17.5


def test_a_slow_answer_was_made_between_question_and_answer() -> None:
    assert known(100.0, 102.0).age_s(at(-10), 102.0) == 11


def test_an_age_on_screen_is_within_a_second_of_the_truth_until_the_next_tick() -> None:
    for tenths in range(300):
        drawn_s = tenths / 10
        text = age(drawn_s, UNICODE)
        shown_s = float(text.removesuffix("s"))
        for later_s in (0.0, 0.5, 1.0):
            assert abs(drawn_s + later_s - shown_s) <= 1.0, (drawn_s, text)


def test_a_moment_in_the_future_or_none_at_all_is_no_age_below_zero() -> None:
    assert known().age_s(at(60), 100.0) == 0
    assert known().until_s(at(60), 110.0) == 50
    for none in (None, "", "yesterday", "2026-13-45T99:99:99Z"):
        assert known().age_s(none, 100.0) is None
        assert known().until_s(none, 100.0) is None


def test_work_grows_staler_between_two_polls() -> None:
    snapshot = known()
    assert snapshot.state is not None
    assert snapshot.staleness_s(snapshot.state.components[0], 103.0) == 8.0


def test_the_same_document_again_makes_nothing_younger() -> None:
    again = known().after(Reading(104.0, 104.0, state([component("a", since=at(-10))])))
    assert again.lost_for_s(104.0) == 4.0
    assert not again.live(100.0 + FRESH_FOR_S + 0.1)


def test_a_failed_poll_ends_the_link_at_once_and_the_next_good_one_restores_it() -> None:
    lost = known().after(Reading(101.0, 101.1, problem="refused"))
    assert not lost.live(101.1)
    assert lost.state is not None
    assert lost.after(Reading(102.0, 102.0, state([], seconds=2))).live(102.0)


def test_a_document_from_a_file_stands_still_and_is_not_the_present() -> None:
    shown = Snapshot(archived=True).after(Reading(100.0, 100.0, state([component("a")])))
    assert shown.live(100_000.0)
    assert shown.age_s(at(-10), 100_000.0) == 10
