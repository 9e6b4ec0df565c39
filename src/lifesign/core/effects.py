"""Effects: what the core asks the shell to do, as data. The shell does it and reports back."""

from dataclasses import dataclass
from typing import TypeAlias

from lifesign.core.events import Event
from lifesign.core.model import CheckId


@dataclass(frozen=True, slots=True)
class Look:
    """Look at `check` once and give the answer to `Monitor.observe` with the same `run`."""

    check: CheckId
    run: int


@dataclass(frozen=True, slots=True)
class Record:
    """Write `event` to the journal and the log."""

    event: Event


Effect: TypeAlias = Look | Record
