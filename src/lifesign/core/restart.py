"""A restart as data: the phases, what the shell reports of one, and what is kept of it. Nothing here decides.

Times are wall clock nanoseconds and shown; durations are seconds of the clock on which it was decided.
"""

from enum import StrEnum
from typing import TypeAlias

from lifesign.core.model import Identity
from lifesign.records import dataclass

HISTORY = 20  # so many restarts of a component are kept


class Phase(StrEnum):
    """Where the restart of a component stands (contract, section 3)."""

    IDLE = "idle"
    WAITING = "waiting"
    RESTARTING = "restarting"
    VERIFYING = "verifying"
    BACKOFF = "backoff"
    EXHAUSTED = "exhausted"


class Outcome(StrEnum):
    """What became of a restart. `PENDING`: it is not over."""

    PENDING = "pending"
    PRODUCTIVE = "productive"
    UNPRODUCTIVE = "unproductive"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Sent:
    """The deed is done. `words`: what was done; `identity`: whom it hit, where that is known."""

    words: str
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """Nothing was done. `reason`: hands off (R10, R11), or it could not be written down (R4)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The deed was tried and failed."""

    words: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """After the deed: the manager sees this process behind the component now."""

    identity: Identity


RestartReport: TypeAlias = Sent | Withheld | Failed | Renewed


@dataclass(frozen=True, slots=True)
class RestartRecord:
    """One restart, as the history keeps it.

    `author`: who asked for it, empty where it was automatic. `process_after_s`, `work_after_s`: from the decision until
    the new process and its first work were seen, None where they were not.
    """

    attempt: int
    at_wall_ns: int
    automatic: bool
    author: str = ""
    reason: str = ""
    words: str = ""
    pid_before: int | None = None
    pid_after: int | None = None
    process_after_s: float | None = None
    work_after_s: float | None = None
    outcome: Outcome = Outcome.PENDING


@dataclass(frozen=True, slots=True)
class RestartMemory:
    """What must survive of the governor of one component: the record that is written before a deed.

    `..._left_ns`: how long it would still have lasted when this was taken; `..._age_ns`: how long ago it was. The ages
    in `spent_ages_ns` are of the automatic restarts in the window, on the clock that counts a suspend. `before` and
    `after`: pid and start time of the process, as far as they were seen, of the restart that is under way.
    `calm_age_ns` (since when all is well) and `told` (reasons to withhold) are for runs of one round; a daemon begins
    anew with them.
    """

    phase: Phase = Phase.IDLE
    attempt: int = 0
    unproductive: int = 0
    backoff_ns: int = 0
    gap_ns: int = 0
    spent_ages_ns: tuple[int, ...] = ()
    due_left_ns: int = 0
    rest_left_ns: int = 0
    verify_left_ns: int = 0
    began_age_ns: int = 0
    began_wall_ns: int = 0
    automatic: bool = True
    before: Identity | None = None
    after: Identity | None = None
    blamed: tuple[str, ...] = ()
    common_left_ns: int | None = None
    calm_age_ns: int | None = None
    told: tuple[str, ...] = ()
    history: tuple[RestartRecord, ...] = ()
