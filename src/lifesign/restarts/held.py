"""A process held by a pidfd, and the proof that it may be signalled at all (reliability.md, R10 and R11).

While a pidfd shows its process alive, the number belongs to that process and to nobody else; so whoever opens it first
and looks into /proc afterwards has looked at the process that the signal will reach. Not here: where a pid comes from.
"""

import asyncio
import errno
import os
import re
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from lifesign.core.model import Identity
from lifesign.processes.stat import Stat, line_of, read_proc, read_stat, started_at_s
from lifesign.restarts.restarter import HandsOffError, RestartFailedError
from lifesign.text import clean

_OUR_TROUBLE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_KERNEL_THREADS = 2  # the pid of kthreadd
_INTERPRETERS = re.compile(r"python|node|ruby|perl|php|bash$|sh$")
DEATH_WAIT_S = 5.0  # how long SIGKILL may take before we say that the kernel will not let it die


def refuse_kin(pid: int, *, children: bool = True) -> None:
    """Raises HandsOffError for ourselves and our ancestors, and with `children` for our descendants."""
    who = ""
    if pid == os.getpid():
        who = "lifesign itself"
    elif pid in line_of(os.getppid()):
        who = "an ancestor of lifesign"
    elif children and os.getpid() in line_of(pid):
        who = "a child of lifesign's own"
    if who:
        raise HandsOffError(f"pid {pid} is {who}, which is never signalled")


class HeldProcess:
    """One process that exists now and may be signalled. Close it, or use it as a context."""

    def __init__(self, pid: int) -> None:
        """Raises HandsOffError with the reason why nobody of this number may be signalled."""
        if pid <= 1:
            raise HandsOffError(f"pid {pid} is no process of a service, so it is never signalled")
        self._descriptor = _open(pid)
        try:
            refuse_kin(pid)
            self.stat = self._examine(pid)
            self.identity = Identity(pid, started_at_s(self.stat))
            self.words = f"pid {pid} ({_name(self.stat)})"
            self.prove_alive()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets it go. May be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _examine(self, pid: int) -> Stat:
        stat = _stat(pid)
        if stat.is_dead:
            raise HandsOffError(f"pid {pid} is a zombie: it has ended, and only its parent can remove it")
        if stat.state == "t":
            raise HandsOffError(f"pid {pid} is held by a debugger, so it is left alone")
        if stat.state == "T":
            raise HandsOffError(
                f"pid {pid} does not hang, it was stopped by a signal: left alone until `kill -CONT {pid}`"
            )
        if stat.parent == _KERNEL_THREADS and _stat(_KERNEL_THREADS).comm == "kthreadd":
            raise HandsOffError(f"pid {pid} is a thread of the kernel, which is never signalled")
        try:
            signal.pidfd_send_signal(self._descriptor, 0)
        except ProcessLookupError:
            raise HandsOffError(f"pid {pid} is not running") from None
        except PermissionError:
            raise HandsOffError(f"not permitted to signal pid {pid}, which is another user's") from None
        return stat

    def prove(self, matches: Callable[[int], bool] | None) -> None:
        """Raises HandsOffError unless the component's process check, if there is one, means this process."""
        pid = self.identity.pid
        if matches is not None and not matches(pid):
            raise HandsOffError(f"{self.words} is not the process that the process check describes")
        self.prove_alive()

    def prove_alive(self) -> None:
        """Raises HandsOffError where it ended: then what was read of it since may be another's."""
        if self.has_ended:
            raise HandsOffError(f"pid {self.identity.pid} ended by itself")

    @property
    def has_ended(self) -> bool:
        """Whether the process is no more, or a zombie."""
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        return bool(waiting.poll(0))

    def send(self, number: signal.Signals) -> None:
        """Sends it to this process and no other. Raises HandsOffError and RestartFailedError."""
        try:
            signal.pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            raise HandsOffError(f"pid {self.identity.pid} ended by itself") from None
        except OSError as error:
            raise RestartFailedError(f"cannot signal {self.words}: {os.strerror(error.errno or 0)}") from None

    async def ended(self, timeout_s: float) -> bool:
        """Whether it ends within the time."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._descriptor, over.cancel)
        try:
            await asyncio.wait((over,), timeout=timeout_s)
        finally:
            loop.remove_reader(self._descriptor)
        return self.has_ended

    async def kill_after(self, patience_s: float) -> str:
        """SIGKILL where it has not ended after so many seconds; words of what it came to. Raises RestartFailedError."""
        if await self.ended(patience_s):
            return "it ended"
        with suppress(HandsOffError):
            self.send(signal.SIGKILL)
        if not await self.ended(DEATH_WAIT_S):
            raise RestartFailedError(f"{self.words} got SIGKILL, and the kernel does not let it die")
        return f"SIGKILL after {patience_s:g} s"


def _open(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise HandsOffError(f"pid {pid} is not running") from None
    except OSError as error:
        if error.errno in _OUR_TROUBLE:
            raise HandsOffError(f"cannot hold pid {pid}: {os.strerror(error.errno or 0)}") from None
        raise HandsOffError(f"pid {pid} is no process") from None  # a thread's number, for one


def _stat(pid: int) -> Stat:
    try:
        stat = read_stat(pid)
    except OSError as error:
        raise HandsOffError(f"cannot look at pid {pid}: {os.strerror(error.errno or 0)}") from None
    if stat is None:
        raise HandsOffError(f"pid {pid} is not running")
    return stat


def _name(stat: Stat) -> str:
    """The program, and the script that an interpreter runs. No further argument: one of them may be a secret."""
    with suppress(OSError):
        arguments = read_proc(f"/proc/{stat.pid}/cmdline", 4096).decode("utf-8", "replace").split("\0")
        base = arguments[0].rpartition("/")[2]
        if not base:
            return clean(stat.comm, 40)
        script = arguments[2:3] if arguments[1:2] == ["-m"] else arguments[1:2]
        if _INTERPRETERS.match(base) and script and script[0] and not script[0].startswith("-"):
            return clean(f"{base} {script[0].rpartition('/')[2]}", 80)
        return clean(base, 60)
    return clean(stat.comm, 40)
