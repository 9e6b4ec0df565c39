"""Outages of many, silences, holds, dependencies and our own deaths in any order: nobody is forgotten or told twice.

Each incident that lasts is told to each sink that wants it, or named by the one that speaks for all there; what was
told is ended once, and nothing else is.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifesign.core.alerting import SinkSpec
from lifesign.core.commands import Hold, OperatorCommand, Release, Silence, Unsilence
from lifesign.core.conversation import Notify, Stage
from tests.core.stage import S, check, component, seconds
from tests.core.test_shared_cause import Desk

NAMES = ("child", "a", "b", "c", "d", "gateway")
WANTS = {"all": NAMES, "picky": ("c", "child"), "patient": NAMES}
SINKS = (
    SinkSpec("all", min_update_ns=20 * S, remind_every_ns=90 * S),
    SinkSpec("picky", min_update_ns=20 * S, only=("c", "child")),
    SinkSpec("patient", notify_after_ns=15 * S, min_update_ns=20 * S),
)
_QUIET: dict[str, tuple[Callable[..., OperatorCommand], Callable[..., OperatorCommand]]] = {
    "silence": (Silence, Unsilence),
    "hold": (Hold, Release),
}

_SOME = st.frozensets(st.sampled_from(NAMES), min_size=1)
_MOST = st.sampled_from([frozenset(NAMES), frozenset(NAMES) - {"d"}, frozenset("abcd"), frozenset(("gateway", *"abc"))])
_QUIETLY = st.tuples(st.sampled_from(["silence", "hold"]), _SOME)
_OTHER = st.one_of(
    st.tuples(st.just("mend"), _SOME),
    st.tuples(st.just("let go"), _SOME),
    st.tuples(st.just("die"), st.just(frozenset[str]())),
    st.tuples(st.just("break"), _SOME),
)
_WAIT = st.sampled_from([0, 1, 5, 8, 30, 80])
Step = tuple[tuple[str, frozenset[str]], int]
Steps = list[Step]


@st.composite
def _steps(draw: st.DrawFn) -> Steps:
    """One or two outages of most, with others that go down a little later, and whatever else comes between."""
    steps: Steps = draw(st.lists(st.tuples(_QUIETLY, st.sampled_from([0, 1])), max_size=1))
    for _ in range(draw(st.integers(1, 2))):
        steps.append((("break", draw(_MOST)), draw(st.sampled_from([8, 5, 3]))))
        steps += draw(st.lists(st.tuples(st.one_of(_OTHER, _QUIETLY), _WAIT), max_size=3))
    return steps


class Book:
    """What was said to whom, judged as it is said."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, str], Notify] = {}
        self.over: set[tuple[str, str]] = set()

    def note(self, notify: Notify) -> None:
        said = notify.conversation
        key = said.sink, said.incident
        assert said.component in WANTS[said.sink]
        assert key not in self.over, f"{key} was over"
        if notify.stage is Stage.OPENED:
            assert key not in self.open, f"{key} told twice"
            self.open[key] = notify
        else:
            assert key in self.open, f"{key} was never told"
            self.open[key] = notify
        if notify.stage is Stage.RECOVERED:
            self.over.add(key)
            del self.open[key]


def play(steps: Steps) -> None:
    plain = check(interval_ns=2 * S, grace_ns=4 * S, failure_threshold=2, success_threshold=1)
    needs = {"child": ("gateway",)}
    desk = Desk(*(component(name, plain, depends_on=needs.get(name, ())) for name in NAMES), sinks=SINKS)
    book, read = Book(), 0
    for (what, names), wait_s in [*steps, (("let go", frozenset(NAMES)), 200)]:
        if what == "break":
            desk.break_(" ".join(names))
        elif what == "mend":
            desk.mend(" ".join(names))
        elif what == "die":
            desk.die(away_s=1)
        else:
            for name in sorted(names):
                _command(desk, what, name)
        desk.pass_(wait_s)
        for notify in desk.said[read:]:
            book.note(notify)
        read = len(desk.said)
    _nobody_is_forgotten(desk, book)
    desk.mend(" ".join(NAMES)).pass_(120)
    for notify in desk.said[read:]:
        book.note(notify)
    assert book.open == {}, "what was told and not ended"
    assert (desk.herald.conversations(), desk.herald.together) == ((), frozenset())


def _command(desk: Desk, what: str, name: str) -> None:
    commands: list[OperatorCommand] = [_QUIET[what][0](name, "op", seconds(40), "x")] if what in _QUIET else []
    held = desk.stage.monitor.components[name].operations
    commands += [Unsilence(name, "op")] if what == "let go" and held.silence else []
    commands += [Release(name, "op")] if what == "let go" and held.hold else []
    for command in commands:
        known = len(desk.stage.events)
        desk.stage.take(desk.stage.monitor.command(command, desk.stage.now))
        desk.hear(desk.stage.events[known:])


def _nobody_is_forgotten(desk: Desk, book: Book) -> None:
    """Who is down is so for minutes by now."""
    incidents = {name: held.incident for name, held in desk.stage.monitor.components.items()}
    for sink, wanted in WANTS.items():
        speaking = [c for c in desk.herald.conversations() if c.sink == sink and c.told and c.shared]
        named = {name for conversation in speaking for name in conversation.speaks_for}
        for name in wanted:
            incident = incidents[name]
            if incident is None or (name == "child" and incidents["gateway"] is not None):
                continue  # the child waits for the gateway, unless it was told of before
            assert (sink, incident.id) in book.open or name in named, f"{sink} does not know of {name}"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_steps())
def test_in_whatever_order_nobody_is_forgotten_or_told_twice(steps: Steps) -> None:
    play(steps)


@pytest.mark.proof
@pytest.mark.cpu
@pytest.mark.timeout(1200)
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_steps())
def test_the_same_over_many_more_orders(steps: Steps) -> None:
    play(steps)
