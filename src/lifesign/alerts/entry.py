"""One alert on its way to one sink, as it is kept. Not here: when it goes (`outbox`)."""

import msgspec

from lifesign.alerts.alert import Alert
from lifesign.records import dataclass

ENTRY = "outbox/"
SUPERFLUOUS = ("updated", "reminder")


class Entry(msgspec.Struct, kw_only=True):
    """One alert on its way to one sink. Times in Unix seconds. `held`: by the sink, until there is room."""

    sink: str
    number: int
    alert: Alert
    since_s: float
    attempts: int = 0
    next_s: float = 0.0
    held: bool = False

    @property
    def key(self) -> str:
        """Under which key it is kept."""
        return f"{ENTRY}{self.sink}/{self.number:012}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt went. `trouble` is "" where it arrived; `is_new`: the first time that this trouble is met."""

    sink: str
    alert: Alert
    trouble: str = ""
    is_new: bool = True


def is_of_one(one: Alert, other: Alert) -> bool:
    """Whether both tell of one incident."""
    return one.incident == other.incident and one.component == other.component


def is_superfluous(old: Entry, newer: Alert) -> bool:
    """Whether what waits need not be told any more, now that `newer` follows."""
    return is_of_one(old.alert, newer) and old.alert.stage in SUPERFLUOUS and newer.stage in (*SUPERFLUOUS, "recovered")
