"""Commands: what an operator asks of the core, as data. `Monitor.command` carries them out, or refuses with a reason.

`author` is who asked, as the socket or the token proved it. Durations in nanoseconds. A `component` of None means
every component, where that is allowed. Not here: what a command leads to.
"""

from typing import TypeAlias

from lifesign.records import dataclass


class NotPossibleError(Exception):
    """The command cannot be carried out now; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class LookNow:
    """Look at once: at one component, at one check of it, or at everything. Nobody need ask for it: it is no deed."""

    component: str | None = None
    check: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """No alert about `component` for `duration_ns`. It hides nothing, and never keeps back a recovery."""

    component: str
    author: str
    duration_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unsilence:
    """Ends a silence before its time."""

    component: str
    author: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """No automatic restart of `component` and no alert about it for `duration_ns`."""

    component: str | None
    author: str
    duration_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """Ends a hold before its time."""

    component: str | None
    author: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody has taken the open incident of `component`. It ends with the incident."""

    component: str
    author: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stops the checks of `component` until `Resume`."""

    component: str
    author: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Starts the checks of `component` again, with a grace as after our own start."""

    component: str
    author: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rearm:
    """Allows automatic restarts of `component` again after they were exhausted; its counts begin anew."""

    component: str
    author: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RestartNow:
    """Restarts `component` by an operator's hand: no budget is spent; R2, R10 and R13 bind it too."""

    component: str
    author: str
    reason: str = ""


OperatorCommand: TypeAlias = Silence | Unsilence | Hold | Release | Acknowledge | Pause | Resume | Rearm | RestartNow
