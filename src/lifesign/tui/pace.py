"""When the state is polled: at rest seldom, where there is news soon, and never so often that it costs a core much.

Two threads and Textual's loop share one of these; each assignment is one step of the interpreter. Not here: the polls
and the threads (`tui.feed`). Pure: the seconds of the console's clock are given.
"""

import math

POLL_EVERY_S = 1.0
_SELDOMEST_S = 3.0  # still well within what the console takes for fresh
_SOONEST_S = 0.25
_MOST_OF_A_CORE = 0.004
_AT_REST = 0.002  # of a core, where the daemon tells of news
_UNASKED_AFTER_S = 0.5
_LOOP_STANDS_AFTER_S = 2.0


class Pace:
    """The moments of one console's polls. `told`: whether the daemon tells of news at present."""

    def __init__(self, now_s: float) -> None:
        self.told = False
        self._news = False
        self._due_s = self._soonest_s = math.inf
        self._ticked_s = now_s

    def asked(self) -> None:
        """A poll begins. What is news from now on may not be in its answer."""
        self._news = False
        self._due_s = self._soonest_s = math.inf

    def answered(self, asked_s: float, answered_s: float, cost_s: float) -> float:
        """Seconds to wait for a tick or for news, for a console that has neither; `cost_s`: the poll's, of a core."""
        every_s = period_s(cost_s, told=self.told)
        self._due_s = asked_s + every_s - _UNASKED_AFTER_S
        self._soonest_s = asked_s + soonest_s(cost_s)
        return max(0.1, every_s + _UNASKED_AFTER_S - (answered_s - asked_s))

    def is_due_at_tick(self, now_s: float) -> bool:
        """Whether the tick shall ask for a poll; True once for each."""
        self._ticked_s = now_s
        return self._once(now_s >= (self._soonest_s if self._news else self._due_s))

    def is_due_at_news(self, now_s: float) -> bool:
        """There is news: whether it shall be asked for at once, not at a tick; never while the loop stands still."""
        self._news = True
        return self._once(now_s >= self._soonest_s and now_s - self._ticked_s < _LOOP_STANDS_AFTER_S)

    def _once(self, due: bool) -> bool:
        if due:
            self._due_s = self._soonest_s = math.inf
        return due


def period_s(cost_s: float, *, told: bool = False) -> float:
    """Seconds from one poll to the next where one takes `cost_s` of a core: of a large state it takes its time.

    `told`: where the daemon tells of news, it takes more of it.
    """
    return min(max(POLL_EVERY_S, cost_s / (_AT_REST if told else _MOST_OF_A_CORE)), _SELDOMEST_S)


def soonest_s(cost_s: float) -> float:
    """Seconds from a poll that took `cost_s` of a core to the next, where there is news."""
    return min(max(_SOONEST_S, cost_s / _MOST_OF_A_CORE), _SELDOMEST_S)
