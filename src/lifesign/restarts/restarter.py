"""What every method of a restart is to its caller: first whom it would hit, then the deed. Not here: any method.

A restart is asked for in two steps. `target` asks the manager and proves the process; nothing is changed by it, so a
dry run ends there. `send` proves it again, right before the deed, and acts. Between the two the caller writes its
record.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lifesign.core.model import Identity
from lifesign.records import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """What the core knows of the process when it decides.

    `identity`: of the process check, else of the heartbeat. `heartbeat`: the file that the pid came from, or that alone
    can tell it where there is no `identity`: the process check sees several. `matches`: the component's process check,
    applied to one pid; None where there is none.
    """

    identity: Identity | None = None
    heartbeat: Path | None = None
    matches: Callable[[int], bool] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Proven: whom it will hit.

    `words`: for people, as in `pid 4242 (python nexus_think)` or `unit mind.service (pid 4242)`. `identity`: the
    process as it is now, None where there is none to be seen (a unit that failed, a command of the user's own).
    """

    words: str
    identity: Identity | None = None


class HandsOffError(Exception):
    """Nothing was done and nothing must be: a human stopped it, its manager is at work, or nobody is proven.

    The text is one sentence for the user.
    """


class RestartFailedError(Exception):
    """The deed was tried and failed. The text is one sentence for the user."""


class Restarter(Protocol):
    """One way to restart one component. Never two calls at once."""

    async def target(self, hint: Hint) -> Target:
        """Whom a restart would hit now; changes nothing. Raises HandsOffError."""
        ...

    async def send(self, target: Target) -> str:
        """Proves `target` again and restarts it; words of what was done.

        Raises HandsOffError where it is no longer what it was (nothing was done), and RestartFailedError. Cancelled, it
        leaves no process of its own behind; what the manager was already told stays told.
        """
        ...

    async def current(self) -> Identity | None:
        """The process as its manager sees it now, None where there is none or the method cannot tell."""
        ...

    def close(self) -> None:
        """Releases what is held. May be called twice."""
        ...
