"""What the console knows, frozen: the newest state document, when it held, and whether the link still stands.

Every age is reckoned on the console's own monotonic clock from the moment at which the document was made, so that it
runs between two polls and no clock of another machine enters it. Not here: drawing.
"""

import math
from dataclasses import replace
from functools import lru_cache

from lifesign.api.documents import Component, State
from lifesign.records import dataclass
from lifesign.text import parse_timestamp

FRESH_FOR_S = 5.0  # without a new document for this long the console no longer vouches for what it shows
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """One poll: asked and answered at these seconds of the console's clock, with a document or a problem."""

    asked_s: float
    answered_s: float
    state: State | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The console's knowledge after some polls.

    `made_s`: the second of the console's clock at which `state` was made; `generated_ns`: the same on the daemon's
    wall clock. `problem` tells why the last poll gave nothing, and is empty where it gave a document.
    """

    state: State | None = None
    made_s: float = 0.0
    generated_ns: int = 0
    problem: str = ""
    archived: bool = False

    def after(self, reading: Reading) -> "Snapshot":
        """The knowledge once `reading` has come in. A failed poll keeps the last known state."""
        if reading.state is None:
            return replace(self, problem=reading.problem or "no answer")
        generated_ns = wall_ns(reading.state.generated_at)
        if self.state is not None and reading.state.generated_at == self.state.generated_at:
            return replace(self, state=reading.state, problem="")  # it is not younger for being read twice
        made_s = (reading.asked_s + reading.answered_s) / 2
        return replace(self, state=reading.state, made_s=made_s, generated_ns=generated_ns or 0, problem="")

    def live(self, now_s: float) -> bool:
        """Whether what is shown is known to hold."""
        return self.state is not None and not self.problem and (self.archived or now_s - self.made_s <= FRESH_FOR_S)

    def lost_for_s(self, now_s: float) -> float:
        """Seconds since the last document was made."""
        return max(0.0, now_s - self.made_s)

    def why_lost(self) -> str:
        """Why the link is not live."""
        return self.problem or "the monitor answers, and its state does not move"

    def age_s(self, moment: str | None, now_s: float) -> float | None:
        """Seconds from `moment` (RFC 3339, the daemon's clock) until now; None where it is none or no time."""
        then_ns = wall_ns(moment)
        if then_ns is None or self.state is None:
            return None
        return max(0.0, (self.generated_ns - then_ns) / _NS_PER_S + self._elapsed_s(now_s))

    def until_s(self, moment: str | None, now_s: float) -> float | None:
        """Seconds from now until `moment`, not below 0; None where it is none or no time."""
        then_ns = wall_ns(moment)
        if then_ns is None or self.state is None:
            return None
        return max(0.0, (then_ns - self.generated_ns) / _NS_PER_S - self._elapsed_s(now_s))

    def staleness_s(self, component: Component, now_s: float) -> float | None:
        """Seconds since the work signal of `component` last advanced, as far as the console knows."""
        staleness_s = component.staleness_s
        if staleness_s is None or not math.isfinite(staleness_s):
            return None
        return max(0.0, staleness_s + self._elapsed_s(now_s))

    def now_ns(self, now_s: float) -> int:
        """The daemon's wall clock at this moment, in nanoseconds since the epoch."""
        return self.generated_ns + int(self._elapsed_s(now_s) * _NS_PER_S)

    def component(self, name: str) -> Component | None:
        """The component of that name, None where there is none (any more)."""
        components = self.state.components if self.state else []
        return next((component for component in components if component.name == name), None)

    def _elapsed_s(self, now_s: float) -> float:
        return 0.0 if self.archived else max(0.0, now_s - self.made_s)


@lru_cache(maxsize=4096)  # the same few are asked for once a second
def wall_ns(moment: str | None) -> int | None:
    """Nanoseconds since the epoch, None where `moment` is none or no RFC 3339 time."""
    if moment is None:
        return None
    try:
        return parse_timestamp(moment)
    except (ValueError, OverflowError):
        return None
