"""Restart by signal: to the one process that is proven to be the component's. Not here: who starts it anew.

Where the pid comes from: the pidfile, else the process check, else the heartbeat. A signal leaves through a pidfd that
was opened before the proof, so that no reused number can be hit (pidfd_send_signal(2)).
"""

import signal as signals
from pathlib import Path

from lifesign.core.model import Identity
from lifesign.processes.stat import TICKS_PER_S, boot_time_s
from lifesign.records import dataclass
from lifesign.restarts.claims import Claim, claim_of_heartbeat, claim_of_pidfile
from lifesign.restarts.held import HeldProcess
from lifesign.restarts.restarter import HandsOffError, Hint, Target

_SAME_START_S = 5.0  # a writer looks at the clock a little after its start


@dataclass(frozen=True, slots=True)
class _Source:
    """Whom a signal is for: by a file's claim, or by the life that a process check saw."""

    pid: int
    claim: Claim | None = None
    identity: Identity | None = None


class SignalRestarter:
    """`signal`: a name such as `SIGTERM`. `escalate_s`: SIGKILL after so long; None: never."""

    def __init__(
        self, *, signal: str = "SIGTERM", pidfile: Path | None = None, escalate_s: float | None = None
    ) -> None:
        self._signal = signals.Signals[signal]
        if self._signal in (signals.SIGKILL, signals.SIGSTOP):
            raise ValueError(f"{signal} is never sent here")
        self._pidfile = pidfile
        self._escalate_s = escalate_s
        self._hint = Hint()

    async def target(self, hint: Hint) -> Target:
        """The process that is meant, proven. Raises HandsOffError."""
        self._hint = hint
        with await self._hold() as held:
            return Target(held.words, held.identity)

    async def send(self, target: Target) -> str:
        """The signal, and where it is asked for, SIGKILL to the same process once it had its time."""
        with await self._hold() as held:
            if target.identity is None or not _is_same_life(held, target.identity):
                raise HandsOffError(f"{held.words} is not the process that was decided about ({target.words})")
            held.send(self._signal)
            done = f"{self._signal.name} to {held.words}"
            if self._escalate_s is None:
                return done
            return f"{done}, {await held.kill_after(self._escalate_s)}"

    async def current(self) -> Identity | None:
        """The process that the pidfile names, or the heartbeat where no check tells it, and which is proven."""
        if self._pidfile is None and (self._hint.heartbeat is None or self._hint.identity is not None):
            return None
        try:
            with await self._hold() as held:
                return held.identity
        except HandsOffError:
            return None

    def close(self) -> None:
        """Nothing is held open."""

    async def _hold(self) -> HeldProcess:
        source = await self._source()
        held = HeldProcess(source.pid)
        try:
            if source.claim is not None:
                source.claim.prove(held)
            if source.identity is not None:
                _prove_life(held, source)
            held.prove(self._hint.matches)
        except BaseException:
            held.close()
            raise
        return held

    async def _source(self) -> _Source:
        if self._pidfile is not None:
            claim = await claim_of_pidfile(self._pidfile)
            return _Source(claim.pid, claim)
        identity, heartbeat = self._hint.identity, self._hint.heartbeat
        if heartbeat is None:
            if identity is None:
                raise HandsOffError("nothing tells which process to signal: no check has seen exactly one")
            return _Source(identity.pid, identity=identity)
        if identity is None:  # a shell whose loop names the program matches too: its heartbeat tells which one works
            claim = await claim_of_heartbeat(heartbeat, None)
            return _Source(claim.pid, claim)
        return _Source(identity.pid, await claim_of_heartbeat(heartbeat, identity.pid), identity)


def _prove_life(held: HeldProcess, source: _Source) -> None:
    assert source.identity is not None
    if source.claim is None:
        if not _is_same_life(held, source.identity):
            raise HandsOffError(f"{held.words} is another process by now: it has another start time")
        return
    told_s, found_s = source.identity.started_at, held.identity.started_at
    if told_s is not None and found_s is not None and found_s > told_s + _SAME_START_S:
        raise HandsOffError(f"{held.words} is younger than the writer of {source.claim.words}")


def _is_same_life(held: HeldProcess, identity: Identity) -> bool:
    """By the kernel's own ticks, so that no rounding of seconds makes two lives one."""
    if identity.started_at is None or identity.pid != held.identity.pid:
        return False
    return round((identity.started_at - boot_time_s()) * TICKS_PER_S) == held.stat.started_ticks
