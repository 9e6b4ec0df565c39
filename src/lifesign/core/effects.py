"""Effects: what the core asks the shell to do, as data. The shell does it and reports back."""

from typing import NamedTuple, TypeAlias

from lifesign.core.events import Event
from lifesign.core.model import CheckId, Identity
from lifesign.records import dataclass


class Look(NamedTuple):
    """Look at `check` once and give the answer to `Monitor.observe` with the same `run`.

    A tuple, for one is made for every look.
    """

    check: CheckId
    run: int


@dataclass(frozen=True, slots=True)
class Record:
    """Write `event` to the journal and the log."""

    event: Event


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart `component`, and tell by `Monitor.restart_reported` with the same `attempt` what came of it.

    The shell asks the manager and proves the process first, writes the component's memory down, then acts. `author` is
    empty where it is `automatic`; `identity` is the process as the core knows it, None where it knows none.
    """

    component: str
    attempt: int
    automatic: bool
    author: str
    reason: str
    identity: Identity | None


Effect: TypeAlias = Look | Record | Restart
