"""The push check: beats that the monitored program sends itself, kept until the next look.

Not here: how a beat comes in (the API). Before the first beat it is unknown, not failed: until
`stale_after` has passed since we began to listen, nobody can say that a beat is missing.
"""

import time
from typing import TYPE_CHECKING

from lifesign.core.model import NS_PER_S, Observation, Verdict
from lifesign.text import format_duration

if TYPE_CHECKING:
    from lifesign.checks.due import Due, DueTimes


class PushProbe:
    """Holds the newest beat. `stale_after_s` in seconds; `due`: when beats are expected, where a schedule says so.

    `remembered`: the beat that was the newest when we last stopped, so that a start of ours makes nobody unknown.
    """

    def __init__(
        self, *, stale_after_s: float, due: "DueTimes | None" = None, remembered: Observation | None = None
    ) -> None:
        self._stale_after_s = stale_after_s
        self._listening_since_ns = time.monotonic_ns()
        self._beat = remembered
        self._due_times = due
        self._due: Due | None = None
        if due is not None:
            signal = None if remembered is None else remembered.signal
            since_s = time.time() if signal is None else min(time.time(), signal.timestamp_ns / NS_PER_S)
            self._due = due.after(since_s, beat=signal is not None)

    def accept(self, beat: Observation) -> None:
        """Takes a beat; the next look tells of it."""
        self._beat = beat
        if self._due_times is not None and beat.verdict is Verdict.OK:
            self._due = self._due_times.after(time.time(), beat=True)

    async def look(self, now_wall_ns: int) -> Observation:
        """The newest beat; the core judges its age, this its schedule."""
        return self.look_at_once(now_wall_ns)

    def look_at_once(self, now_wall_ns: int) -> Observation:
        """The same: nothing here takes waiting."""
        del now_wall_ns
        if self._due is not None and self._due.is_late():
            words = f"the beat that was due at {self._due.at:%Y-%m-%d %H:%M %Z} has not come".replace("  ", " ")
            return Observation(Verdict.FAIL, words, signal=None if self._beat is None else self._beat.signal)
        if self._beat is not None:
            return self._beat
        if self._due is not None:
            return Observation(Verdict.OK, f"the first beat is due at {self._due.at:%Y-%m-%d %H:%M %Z}".strip())
        waited_s = (time.monotonic_ns() - self._listening_since_ns) / NS_PER_S
        words = f"no beat has come in the {format_duration(waited_s)} since lifesign began to listen"
        return Observation(Verdict.FAIL if waited_s >= self._stale_after_s else Verdict.UNKNOWN, words)

    def close(self) -> None:
        """Nothing is held open."""
