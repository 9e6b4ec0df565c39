"""Who is told of in the issue of another, as mass outages begin, grow and end."""

from lifesign.bootstrap.spokesmen import Spokesmen
from lifesign.core.conversation import Conversation


def conversation(name: str, *speaks_for: str, sink: str = "forge", shared: bool = True) -> Conversation:
    return Conversation(sink, name, f"{name}-1", 0, shared=shared, speaks_for=speaks_for)


def test_whoever_is_named_by_another_is_told_of_in_that_ones_issue() -> None:
    spokesmen = Spokesmen()
    assert spokesmen.follow([conversation("b"), conversation("a", "a", "b", "c"), conversation("d")]) == {"b", "c"}
    assert (list(spokesmen.of("b")), list(spokesmen.of("a")), list(spokesmen.of("d"))) == ([("a", "a-1")], [], [])
    assert spokesmen.spoken_for("a") == ["b", "c"]
    assert spokesmen.spoken_for("b") == []


def test_only_those_for_whom_another_speaks_than_before_are_shown_anew() -> None:
    spokesmen = Spokesmen()
    spokesmen.follow([conversation("a", "a", "b")])
    assert spokesmen.follow([conversation("a", "a", "b")]) == set()
    assert spokesmen.follow([conversation("a", "a", "b", "c")]) == {"c"}
    assert spokesmen.follow([conversation("a", "a", "b", "c", shared=False)]) == {"b", "c"}, "it is over"
    assert list(spokesmen.of("b")) == []


def test_each_sink_may_have_another_that_speaks() -> None:
    spokesmen = Spokesmen()
    spokesmen.follow([conversation("a", "a", "c", sink="chat"), conversation("b", "b", "c")])
    assert list(spokesmen.of("c")) == [("a", "a-1"), ("b", "b-1")]
