"""The tally: what is counted from our start on, for `/metrics`. Labels are names from the config and closed sets.

Everything is called on the daemon's own event loop; what is handed on is frozen, and may be read by any thread.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import field

from lifesign.api.documents import EventDocument
from lifesign.core.model import CheckId, Observation
from lifesign.core.spec import MonitorSpec
from lifesign.records import dataclass

# Upper bounds in seconds: from a port of this machine (0.03 ms) to the longest timeouts that make sense.
BOUNDS_S = (0.0001, 0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_RESTARTS = ("sent", "productive", "unproductive", "withheld", "exhausted")


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks of one check type: how many fell below each bound and above the one before; the last is past them."""

    counts: tuple[int, ...]
    sum_s: float


@dataclass(frozen=True, slots=True)
class Tallies:
    """What was counted. `looks` by check type, `restarts` by component and outcome, `alerts` by sink and outcome."""

    looks: Mapping[str, Looks] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)
    restarts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    alerts: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Tally:
    """Counts. It begins with nothing whenever we do."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._sums_s: dict[str, float] = {}
        self._types: dict[CheckId, str] = {}
        self._restarted: set[str] = set()
        self._events: Counter[str] = Counter()
        self._restarts: Counter[tuple[str, str]] = Counter()
        self._alerts: Counter[tuple[str, str]] = Counter()

    def follow(self, spec: MonitorSpec) -> None:
        """Which checks there are from now on, and who can be restarted. What is gone is told no more."""
        self._types = {CheckId(c.name, check.name): check.type for c in spec.components for check in c.checks}
        self._restarted = {c.name for c in spec.components if c.restart is not None}
        for kind in set(self._types.values()) - self._counts.keys():
            self._counts[kind], self._sums_s[kind] = [0] * (len(BOUNDS_S) + 1), 0.0

    def look(self, check: CheckId, found: Observation) -> None:
        """One look was made."""
        kind = self._types.get(check)
        if kind is not None:
            self._counts[kind][bisect_left(BOUNDS_S, found.latency_s)] += 1
            self._sums_s[kind] += found.latency_s

    def tell(self, event: EventDocument) -> None:
        """Something was told."""
        self._events[event.event] += 1
        area, _, outcome = event.event.partition(".")
        if area == "restart" and event.component and outcome in _RESTARTS:
            self._restarts[event.component, outcome] += 1
        elif area == "alert":
            self._alerts[str((event.data or {}).get("sink", "")), outcome] += 1

    def frozen(self) -> Tallies:
        """What was counted so far."""
        known = {(name, outcome): self._restarts[name, outcome] for name in self._restarted for outcome in _RESTARTS}
        return Tallies(
            looks={kind: Looks(tuple(counts), self._sums_s[kind]) for kind, counts in self._counts.items()},
            events=dict(self._events),
            restarts=known,
            alerts=dict(self._alerts),
        )
