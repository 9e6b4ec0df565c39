"""A tape: what was recorded, in the form in which it is played. Lives of a monitor, each of them in stretches.

Not here: where it comes from (`recorded`, `scripted`), and the playing (`player`).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from lifesign.core.alerting import SinkSpec
from lifesign.core.conversation import ConversationMemory, Notify
from lifesign.core.effects import Restart
from lifesign.core.events import Event
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import CheckId, Instant, Observation
from lifesign.core.spec import MonitorSpec
from lifesign.core.transcript import Deed
from lifesign.records import dataclass
from lifesign.store.findings import RANK_BITS

Outcome: TypeAlias = Event | Restart | Notify


class Told(NamedTuple):
    """Something that was told, asked for or decided, and when."""

    mono_us: int
    wall_ns: int
    what: Outcome


Item: TypeAlias = tuple[int, CheckId | None, int, Observation | Deed | Outcome | None]
"""Key, check, when its look began, what was found. Without a check: a deed, an outcome, None for a tick."""


class TapeClock:
    """Tells the moment of a key, of keys in order."""

    __slots__ = ("_boot_ns", "_changes", "_next_key", "_place", "_wall_ns")

    def __init__(self, changes: Sequence[tuple[int, int, int]]) -> None:
        self._changes = changes
        self._place, self._next_key = 0, 0
        self._wall_ns = self._boot_ns = 0

    def instant(self, key: int) -> Instant:
        """The three clocks at that entry."""
        if key >= self._next_key:
            self._turn(key)
        mono_ns = (key >> RANK_BITS) * 1_000
        return Instant(mono_ns, mono_ns + self._wall_ns, mono_ns + self._boot_ns)

    def _turn(self, key: int) -> None:
        changes = self._changes
        if not changes:
            return
        while self._place + 1 < len(changes) and changes[self._place + 1][0] <= key:
            self._place += 1
        _, self._wall_ns, self._boot_ns = changes[self._place]
        self._next_key = changes[self._place + 1][0] if self._place + 1 < len(changes) else 1 << 80


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
    answers: dict[CheckId, Sequence[tuple[int, int, Observation]]] = field(default_factory=dict)
    looks: dict[str, Sequence[tuple[int, int, CheckId]]] = field(default_factory=dict)

    def next_answer(self, check: CheckId, after_key: int) -> tuple[int, Observation] | None:
        """When the next look at `check` that is answered after that began, in nanoseconds, and what it found."""
        held = self.answers.get(check)
        if held is None:
            mine = [(i[0], i[2], i[3]) for i in self.items if i[1] == check and isinstance(i[3], Observation)]
            held = self.answers[check] = mine
        place = bisect_left(held, after_key, key=itemgetter(0))
        return held[place][1:] if place < len(held) else None

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
