"""One component as its governor sees it: a frozen value, made anew for each decision (by `evidence`)."""

from enum import StrEnum

from lifesign.core.model import Identity
from lifesign.records import dataclass


class LastLook(StrEnum):
    """What the failed checks found when they were looked at once more.

    `AWAITED`: not all have been. `OLD`: all have, too long ago. `PASSES`: one of them no longer fails.
    """

    AWAITED = "awaited"
    OLD = "old"
    FAILS = "fails"
    PASSES = "passes"


@dataclass(frozen=True, slots=True)
class Sight:
    """One component as its governor sees it.

    `calm`: no incident, and neither unknown nor starting. `works`: everything that would prove it has found work, or
    passed, since the restart began; `looked`: was looked at once more at the end of its grace. `common_cause`: why
    restarts wait for each other, empty if they do not. `grace_left_ns`: of the failed checks, 0 without one.
    """

    down: bool = False
    calm: bool = False
    incident: str | None = None
    blamed: tuple[str, ...] = ()
    identity: Identity | None = None
    works: bool = False
    looked: bool = False
    held_by: str = ""
    suppressed_by: str | None = None
    stalled: bool = False
    jumped: bool = False
    common_cause: str = ""
    grace_left_ns: int = 0
    flapping: bool = False
    last_look: LastLook = LastLook.AWAITED
