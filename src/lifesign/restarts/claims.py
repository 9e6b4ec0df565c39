"""A pid out of a file: who says so, and whether the process can be the one that is meant (contract, restart methods).

Not here: reading the file (`claim_reading`, in a disposable child), and the signal.
"""

import json
import sys
import time
from pathlib import Path

from lifesign.processes.child import run_child
from lifesign.processes.pidfile import pid_in
from lifesign.processes.stat import boot_time_now_s, boot_time_s, started_at_s, uid_of_process
from lifesign.records import dataclass
from lifesign.restarts import claim_reading
from lifesign.restarts.held import HeldProcess
from lifesign.restarts.restarter import HandsOffError
from lifesign.text import clean

_READ_TIMEOUT_S = 5.0
_MEMORY_BYTES = 256 << 20
_S = 1_000_000_000
_COARSE_SLACK_S = 2.0  # FAT keeps every second second
_SLACK_S = 0.05  # the kernel stamps files by a clock that ticks every few milliseconds


@dataclass(frozen=True, slots=True)
class Claim:
    """`pid` as a file names it: `words` of the file, its owner's uid, and when it was written (Unix, nanoseconds)."""

    pid: int
    words: str
    uid: int
    written_ns: int

    def prove(self, held: HeldProcess) -> None:
        """Raises HandsOffError unless the process is the owner's and was there when the file was written."""
        uid = uid_of_process(held.identity.pid)
        if uid != self.uid:
            whose = "nobody's we may see" if uid is None else f"uid {uid}'s"
            raise HandsOffError(f"{self.words} belongs to uid {self.uid}, and {held.words} is {whose}")
        if self._was_written_before(held):
            raise HandsOffError(f"{held.words} started after {self.words} was written, so it is another process")

    def _was_written_before(self, held: HeldProcess) -> bool:
        """By the clock of our start or by that of now: a clock that was set in between decides for hands off."""
        latest_boot_s = max(boot_time_s(), boot_time_now_s())
        started_s = latest_boot_s + (started_at_s(held.stat) - boot_time_s())
        slack_s = _SLACK_S if self.written_ns % _S else _COARSE_SLACK_S
        return started_s > self.written_ns / _S + slack_s


async def claim_of_pidfile(path: Path) -> Claim:
    """Who a pidfile names. Raises HandsOffError with a sentence."""
    return await _claim("pidfile", path)


async def claim_of_heartbeat(path: Path, pid: int | None) -> Claim:
    """That the heartbeat at `path` names `pid`, still, or whom it names. Raises HandsOffError with a sentence."""
    claim = await _claim("heartbeat", path)
    if pid is not None and claim.pid != pid:
        raise HandsOffError(f"{claim.words} names pid {claim.pid} by now, not {pid}")
    return claim


async def _claim(kind: str, path: Path) -> Claim:
    words = f"{kind} {clean(str(path), 200)}"
    told = await _read(kind, str(path), words)
    if "fault" in told:
        raise HandsOffError(f"{words} {clean(str(told['fault']), 200)}")
    try:
        pid = pid_in(str(told["content"]).encode("ascii", "replace"))
    except ValueError as error:
        raise HandsOffError(f"{words} {error}") from None
    written_ns = int(told["written_ns"])
    if written_ns > time.time_ns() + _COARSE_SLACK_S * _S:
        raise HandsOffError(f"{words} was written in the future, so it proves nothing")
    return Claim(pid, words, int(told["uid"]), written_ns)


async def _read(kind: str, path: str, words: str) -> dict[str, str | int]:
    argv = [sys.executable, "-I", "-S", claim_reading.__file__, kind, path]
    result = await run_child(argv, timeout_s=_READ_TIMEOUT_S, memory_limit_bytes=_MEMORY_BYTES)
    if result.start_error is not None:
        raise HandsOffError(f"could not read {words}: {result.start_error}")
    if result.timed_out:
        raise HandsOffError(f"the file system of {words} does not answer")
    try:
        told = json.loads(result.stdout)
    except ValueError:
        raise HandsOffError(f"could not read {words}: its reader ended with {result.returncode}") from None
    assert isinstance(told, dict)
    return told
