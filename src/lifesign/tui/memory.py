"""What the console has seen: the last verdicts on each component, and since it was opened the last latencies.

A poll that brings no new look adds nothing. Not here: drawing, and how what was before is made out (`recall`).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import field

from lifesign.api.documents import Component, State
from lifesign.records import dataclass

VERDICTS = 60


@dataclass(slots=True)
class _Seen:
    verdicts: deque[str] = field(default_factory=lambda: deque(maxlen=VERDICTS))
    latencies_ms: dict[str, deque[float]] = field(default_factory=dict)
    looked_at: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Memory:
    """By name of component."""

    seen: dict[str, _Seen] = field(default_factory=dict)

    def take(self, state: State) -> None:
        """A document has come; whoever is no longer watched is forgotten."""
        self.seen = {one.name: self._after(self.seen.get(one.name) or _Seen(), one) for one in state.components}

    def recall(self, before: Mapping[str, Sequence[str]]) -> None:
        """What stood before the first document, oldest first; what was seen since then stays."""
        for name, seen in self.seen.items():
            seen.verdicts = deque((*before.get(name, ()), *seen.verdicts), maxlen=VERDICTS)

    def verdicts(self, component: str) -> Sequence[str]:
        """Its states, one for each round of looks, oldest first."""
        return tuple(self.seen[component].verdicts) if component in self.seen else ()

    def latencies_ms(self, component: str, check: str) -> Sequence[float]:
        """How long the check's looks took, oldest first."""
        return tuple(self.seen[component].latencies_ms.get(check, ())) if component in self.seen else ()

    def _after(self, seen: _Seen, component: Component) -> _Seen:
        news = not seen.verdicts or seen.verdicts[-1] != component.state
        for check in component.checks:
            if check.last_at is None or seen.looked_at.get(check.name) == check.last_at:
                continue
            seen.looked_at[check.name] = check.last_at
            news = True
            if check.latency_ms is not None:
                latencies = seen.latencies_ms.setdefault(check.name, deque(maxlen=VERDICTS))
                latencies.append(check.latency_ms)
        if news:
            seen.verdicts.append(component.state)
        return seen
