"""The restarts of one component as they are kept: the one in flight, and the history. Figures; no decision."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from lifesign.core.events import EventName
from lifesign.core.model import NS_PER_S, Identity, Instant, JsonValue
from lifesign.core.restart import HISTORY, RestartRecord
from lifesign.records import dataclass

SAME_START_S = 2.0  # two sources tell the start of one process in different roundings


@dataclass(slots=True)
class Attempt:
    """The restart that is in flight, or was last. `before`, `after`: the process as it was seen.

    `blamed`: the checks that were to blame when it was decided. `since_ns`: what a look found before is no evidence.
    """

    number: int
    began: Instant
    automatic: bool = True
    before: Identity | None = None
    after: Identity | None = None
    blamed: tuple[str, ...] = ()
    since_ns: int = 0
    verify_until_ns: int = 0

    def is_other(self, identity: Identity) -> bool:
        """Whether a process that another source than the checks tells of is not the one from before."""
        return self.before is None or not _is_one(self.before, identity)

    def has_brought(self, identity: Identity) -> bool:
        """Whether that is the process which another source has told of as the new one."""
        return self.after is not None and _is_one(self.after, identity)


def _is_one(known: Identity, identity: Identity) -> bool:
    if known.pid != identity.pid:
        return False
    if known.started_at is None or identity.started_at is None:
        return True
    return abs(known.started_at - identity.started_at) <= SAME_START_S


class Attempts:
    """The newest restarts, oldest first."""

    def __init__(self, now: Instant) -> None:
        self.last = Attempt(0, now)
        self._made = now  # when the one before the last began
        self.history: deque[RestartRecord] = deque(maxlen=HISTORY)

    def begin(self, attempt: Attempt, author: str, reason: str) -> None:
        """One more."""
        self._made, self.last = self.last.began, attempt
        attempt.since_ns = attempt.began.mono_ns
        pid = attempt.before.pid if attempt.before else None
        began_ns = attempt.began.wall_ns
        self.history.append(RestartRecord(attempt.number, began_ns, attempt.automatic, author, reason, pid_before=pid))

    def renewed(self, identity: Identity, started_ns: int, now_ns: int) -> None:
        """The process that it brought is seen now; it began at `started_ns`, to the second. Monotonic clock.

        Where none was known before, one that is older than the restart was there all the while.
        """
        is_older = self.last.before is None and started_ns < self.last.began.mono_ns - SAME_START_S * NS_PER_S
        if self.last.after is not None or is_older:
            return
        self.last.after = identity
        self.last.since_ns = max(self.last.since_ns, started_ns)
        after_s = (now_ns - self.last.began.mono_ns) / NS_PER_S
        self.note(pid_after=identity.pid, process_after_s=round(after_s, 3))

    def note(self, **changes: object) -> None:
        """More of what is known of it."""
        if self.history and self.history[-1].attempt == self.last.number:
            self.history[-1] = replace(self.history[-1], **changes)  # type: ignore[arg-type]

    def forget_last(self) -> None:
        """It was not made: the wait for the next one counts from the one before."""
        self.last.began = self._made
        if self.history and self.history[-1].attempt == self.last.number:
            self.history.pop()

    @property
    def pids(self) -> str:
        """`, pid 4242 -> 4250`; empty where no new process was seen."""
        record = self.history[-1] if self.history else None
        if record is None or record.pid_after is None:
            return ""
        return f", pid {record.pid_before or 'unknown'} -> {record.pid_after}"

    def data(self, name: EventName) -> Mapping[str, JsonValue]:
        """What an event of that name carries of it."""
        record = self.history[-1] if self.history else None
        if name is EventName.RESTART_WITHHELD or record is None:
            return {}
        return {
            "attempt": record.attempt,
            "automatic": record.automatic,
            "author": record.author,
            "reason": record.reason,
            "pid_before": record.pid_before,
            "pid_after": record.pid_after,
            "process_after_s": record.process_after_s,
            "work_after_s": record.work_after_s,
        }
