"""A tape: what was recorded, in the form in which it is played. Lives of a monitor, each of them in stretches.

Not here: where it comes from (`recorded`, `scripted`), and the playing (`player`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from lifesign.core.alerting import ConversationMemory, Notify, SinkSpec
from lifesign.core.effects import Restart
from lifesign.core.events import Event
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import CheckId, Instant, Observation
from lifesign.core.spec import MonitorSpec
from lifesign.core.transcript import Deed
from lifesign.store.block import RANK_BITS

Outcome: TypeAlias = Event | Restart | Notify


class Told(NamedTuple):
    """Something that was told, asked for or decided, and when."""

    mono_us: int
    wall_ns: int
    what: Outcome


Item: TypeAlias = tuple[int, CheckId | None, int, Observation | Deed | Outcome | None]
"""Key, check, when its look began, what was found. Without a check: a deed, an outcome, None for a tick."""


@dataclass(slots=True)
class Stretch:
    """Some time of one life. `ticks` and `reviews`: their keys; None where nobody ticked: then time passes exactly.

    `clocks`: (from which key on, wall, boot: ahead of the monotonic clock). `gaps`: by the key of what ended it, the
    moment before, in microseconds.
    """

    items: Sequence[Item]
    ticks: Sequence[int] | None
    reviews: Sequence[int]
    clocks: Sequence[tuple[int, int, int]]
    gaps: dict[int, int]
    end_key: int
    looks: dict[str, Sequence[tuple[int, int, CheckId]]] = field(default_factory=dict)

    def looks_of(self, component: str) -> Sequence[tuple[int, int, CheckId]]:
        """When looks of `component` began, in order: (microseconds, key of its answer, check)."""
        held = self.looks.get(component)
        if held is None:
            mine = ((item[2] // 1_000, item[0], item[1]) for item in self.items if item[1] and item[1][0] == component)
            held = self.looks[component] = sorted(mine)
        return held


@dataclass(frozen=True, slots=True)
class TapeLife:
    """One life. `sinks`: from which key on which ones were configured. `stretches` may be asked for again."""

    start: Instant
    spec: MonitorSpec
    memory: MonitorMemory
    conversations: tuple[ConversationMemory, ...]
    sinks: Sequence[tuple[int, tuple[SinkSpec, ...]]]
    stretches: Callable[[], Iterator[Stretch]]


def key_of(mono_ns: int) -> int:
    """The key of the first entry at that moment or, between two microseconds, after it."""
    return -(-mono_ns // 1_000) << RANK_BITS
