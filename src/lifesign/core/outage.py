"""An incident by itself: since when, and which checks are to blame. Not here: when one opens and ends (`incident`)."""

from collections.abc import Collection
from dataclasses import field, replace

from lifesign.core.memory import IncidentMemory
from lifesign.core.model import Instant
from lifesign.records import dataclass


@dataclass(slots=True)
class Incident:
    """From going down to recovery. `blamed`: the checks that have been failed during it."""

    id: str
    opened: Instant
    blamed: set[str] = field(default_factory=set)

    def memory(self, now_ns: int) -> IncidentMemory:
        """What must survive of it."""
        age_ns = now_ns - self.opened.mono_ns
        return IncidentMemory(self.id, self.opened.wall_ns, age_ns, tuple(sorted(self.blamed)))

    @classmethod
    def recalled(cls, memory: IncidentMemory, now: Instant, checks: Collection[str]) -> "Incident":
        """The same incident; of the blamed, those that are still among `checks`."""
        opened = replace(now.after(-memory.age_ns), wall_ns=memory.opened_wall_ns)
        return cls(memory.id, opened, {name for name in memory.blamed if name in checks})
