"""The push check: beats that the monitored program sends itself, kept until the next look.

Not here: how a beat comes in (the API). Before the first beat it is unknown, not failed: until
`stale_after` has passed since we began to listen, nobody can say that a beat is missing.
"""

import time

from lifesign.core.model import NS_PER_S, Observation, Verdict
from lifesign.text import format_duration


class PushProbe:
    """Holds the newest beat. `stale_after_s` in seconds."""

    def __init__(self, *, stale_after_s: float) -> None:
        self._stale_after_s = stale_after_s
        self._listening_since_ns = time.monotonic_ns()
        self._beat: Observation | None = None

    def accept(self, beat: Observation) -> None:
        """Takes a beat; the next look tells of it."""
        self._beat = beat

    async def look(self, now_wall_ns: int) -> Observation:
        """The newest beat; the core judges its age."""
        return self.look_at_once(now_wall_ns)

    def look_at_once(self, now_wall_ns: int) -> Observation:
        """The same: nothing here takes waiting."""
        del now_wall_ns
        if self._beat is not None:
            return self._beat
        waited_s = (time.monotonic_ns() - self._listening_since_ns) / NS_PER_S
        words = f"no beat has come in the {format_duration(waited_s)} since lifesign began to listen"
        return Observation(Verdict.FAIL if waited_s >= self._stale_after_s else Verdict.UNKNOWN, words)

    def close(self) -> None:
        """Nothing is held open."""
