"""Marks: of what was told, what matters to who compares two configs. Going down, alerts and restarts, by component."""

from collections.abc import Iterable
from enum import StrEnum

from lifesign.core.conversation import Notify, Stage
from lifesign.core.events import Event, EventName
from lifesign.records import dataclass
from lifesign.replay.tape import Outcome, Told

_SAME_NS = 1_000_000


class Kind(StrEnum):
    """What a mark marks."""

    DOWN = "down"
    ALERT = "alert"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Mark:
    """One of them. `words`: in a clause; `mono_us` is of the clock on which it was decided."""

    kind: Kind
    component: str
    wall_ns: int
    mono_us: int
    words: str
    sink: str = ""

    def is_same(self, other: "Mark") -> bool:
        """Whether both would be taken for one: the same at the same moment, to the millisecond."""
        alike = (self.kind, self.component, self.sink) == (other.kind, other.component, other.sink)
        return alike and abs(self.wall_ns - other.wall_ns) < _SAME_NS


def mark_of(told: Told) -> Mark | None:
    """The mark of what was told; None where it is none."""
    what: Outcome = told.what
    match what:
        case Event(name=EventName.COMPONENT_DOWN, component=str(component)):
            return Mark(Kind.DOWN, component, told.wall_ns, told.mono_us, f"down ({what.message})")
        case Event(name=EventName.RESTART_SENT, component=str(component), data=data):  # asked for is not yet made
            by = "" if data["automatic"] else f" by {data['author']}"
            return Mark(Kind.RESTART, component, told.wall_ns, told.mono_us, f"restart {data['attempt']}{by}")
        case Notify(stage=Stage.OPENED):
            name, sink = what.conversation.component, what.conversation.sink
            return Mark(Kind.ALERT, name, told.wall_ns, told.mono_us, f"alert to {sink}", sink)
        case _:
            return None


def marks_of(told: Iterable[Told]) -> dict[str, list[Mark]]:
    """By component, in order."""
    marks: dict[str, list[Mark]] = {}
    for one in told:
        mark = mark_of(one)
        if mark is not None:
            marks.setdefault(mark.component, []).append(mark)
    return marks
