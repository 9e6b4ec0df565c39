"""Which components are shown, and in which order."""

from lifesign.tui.order import Selection, arrange
from tests.tui.documents import component


def test_the_worst_stands_first_and_equals_stand_by_name() -> None:
    states = {
        "b": "healthy",
        "a": "healthy",
        "m": "down",
        "c": "down",
        "u": "unknown",
        "d": "degraded",
        "s": "starting",
    }
    shown = arrange([component(name, word) for name, word in states.items()], Selection())
    assert shown.names == ("c", "m", "u", "d", "s", "a", "b")
    assert not shown.would_change


def test_a_held_order_stands_and_says_that_it_would_change() -> None:
    before = arrange([component("a"), component("b")], Selection()).names
    now = [component("a"), component("b", "down"), component("new", "down")]
    held = arrange(now, Selection(), before, frozen=True)
    assert held.names == ("a", "b", "new")
    assert held.would_change
    assert arrange(now, Selection(), held.names).names == ("b", "new", "a")


def test_a_held_order_that_is_the_right_one_says_nothing() -> None:
    both = [component("a", "down"), component("b")]
    assert not arrange(both, Selection(), ("a", "b"), frozen=True).would_change


def test_a_state_of_a_newer_daemon_counts_as_unknown_and_never_as_good() -> None:
    shown = arrange([component("a", "degraded"), component("z", "melting")], Selection())
    assert shown.names == ("z", "a")


def test_the_filter_looks_into_name_title_tags_state_and_diagnosis_whatever_the_case() -> None:
    one = component("mind", "down", title="Consciousness", tags=["nexus"], diagnosis="Port closed")
    for pattern in ("MIN", "conscious", "nexus", "down", "port", "", "  "):
        assert Selection(pattern).admits(one), pattern
    assert not Selection("gateway").admits(one)


def test_an_exclamation_mark_inverts_the_filter() -> None:
    assert not Selection("!mind").admits(component("mind"))
    assert Selection("!mind").admits(component("gateway"))
    assert Selection("!").admits(component("gateway"))


def test_problems_only_hides_nothing_but_the_healthy() -> None:
    only = Selection(problems_only=True)
    assert not only.admits(component("a"))
    assert only.admits(component("a", flapping=True))
    for word in ("down", "unknown", "degraded", "starting", "paused"):
        assert only.admits(component("a", word)), word
