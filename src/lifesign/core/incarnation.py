"""The process behind a component: which one it is, when another took its place, and when that happens too often.

Another identity than before is a new incarnation; the first one ever seen begins none. Not here: what a new
incarnation means for the checks (`incident`, `tracked`).
"""

from collections.abc import Sequence

from lifesign.core.memory import IdentityMemory
from lifesign.core.model import NS_PER_S, Identity, Instant
from lifesign.core.spec import CheckSpec
from lifesign.records import dataclass

CRASH_LOOP_REPLACEMENTS = 3  # within the flap window of the check that sees the process


@dataclass(frozen=True, slots=True)
class Replacement:
    """Another process has taken the place. `started_ns`: when it began, on the monotonic clock."""

    words: str
    started_ns: int


class ProcessWatch:
    """What is known of the process. `source` is the one check whose word on it counts, None where nobody sees it."""

    __slots__ = ("_replaced_at", "identity", "incarnation", "seen_ns", "source")

    def __init__(self, checks: Sequence[CheckSpec], now: Instant) -> None:
        self.source = _source(checks)
        self.incarnation = 0
        self.identity: Identity | None = None
        self.seen_ns = now.mono_ns
        self._replaced_at: tuple[int, ...] = ()  # the newest of them

    def see(self, identity: Identity, now: Instant, *, ours: bool = False) -> Replacement | None:
        """Takes the process that was just seen; what it replaced, if anything.

        `ours`: we have restarted it, and counted its incarnation then.
        """
        known, seen_ns = self.identity, self.seen_ns
        self.seen_ns = now.mono_ns
        if known is not None and _is_same_life(known, identity):
            return None
        self.identity = identity
        if known is None:
            return None
        if not ours:
            self.count(now)
        return Replacement(_replaced_words(known, identity), _start_of(identity, seen_ns, now))

    def count(self, now: Instant) -> None:
        """One more life, that others have begun."""
        self.incarnation += 1
        self._replaced_at = (*self._replaced_at, now.mono_ns)[-CRASH_LOOP_REPLACEMENTS:]

    def loops(self, window_ns: int, now_ns: int) -> bool:
        """Whether it was replaced so often within the window that nothing about a fresh one can be trusted."""
        recent = [moment for moment in self._replaced_at if now_ns - moment < window_ns]
        return len(recent) >= CRASH_LOOP_REPLACEMENTS

    def memory(self, now_ns: int) -> tuple[IdentityMemory | None, tuple[int, ...]]:
        """What must survive of it: the process, and the ages of its replacements."""
        known = self.identity
        identity = IdentityMemory(known.pid, known.started_at, now_ns - self.seen_ns) if known else None
        return identity, tuple(now_ns - moment for moment in self._replaced_at)

    def recall(self, memory: IdentityMemory | None, ages_ns: Sequence[int], now_ns: int, away_ns: int) -> None:
        """Goes on after `away_ns`, in which the process aged."""
        if memory is not None:
            self.identity = Identity(memory.pid, memory.started_at)
            self.seen_ns = now_ns - memory.seen_age_ns - away_ns
        replaced_at = *self._replaced_at, *(now_ns - age_ns for age_ns in ages_ns)
        self._replaced_at = replaced_at[-CRASH_LOOP_REPLACEMENTS:]


def _source(checks: Sequence[CheckSpec]) -> str | None:
    """The check whose word on the process counts: a process check before a heartbeat."""
    for kind in ("process", "heartbeat"):
        for check in checks:
            if check.type == kind:
                return check.name
    return None


def _is_same_life(known: Identity, identity: Identity) -> bool:
    """A start time that was not told this time, or not before, is no other one."""
    told = known.started_at is not None and identity.started_at is not None
    return known.pid == identity.pid and (known.started_at == identity.started_at or not told)


def _replaced_words(known: Identity, identity: Identity) -> str:
    if known.pid == identity.pid:
        return f"pid {identity.pid} began a new life"
    return f"pid {known.pid} was replaced by pid {identity.pid}"


def _start_of(identity: Identity, seen_ns: int, now: Instant) -> int:
    """When the new process began, on the monotonic clock: after the old one was last seen, before now."""
    if identity.started_at is None:
        return seen_ns
    age_ns = now.wall_ns - int(identity.started_at * NS_PER_S)
    return min(max(now.mono_ns - age_ns, seen_ns), now.mono_ns)
