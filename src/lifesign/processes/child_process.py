"""One child process from spawn to reaping, driven by callbacks of the loop. For `child` alone.

Not here: deadlines and results (`child`).
"""

import asyncio
import math
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress

KILL_WAIT_S = 0.3  # how long a killed child may take to die before we return without it
_CHUNK_BYTES = 65536
_FLOOD_BYTES = 1 << 20  # so much beyond the limit is drained, so that a talkative child can still give its exit code

# A program or a folder on a dead mount blocks whoever executes or enters it, and subprocess waits for that. So our own
# interpreter is started, which then becomes the program: only the child can hang. The alarm survives exec, so a
# child ends even where we were killed. Python ignores SIGPIPE and SIGXFSZ, a shell what
# ends its background by a key: exec would hand all of it on.
_TRAMPOLINE = """
import os, sys, _signal
report, alarm_s, keep, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
os.set_inheritable(report, False)
_signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
_signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)
_signal.signal(_signal.SIGINT, _signal.SIG_DFL)
_signal.signal(_signal.SIGQUIT, _signal.SIG_DFL)
_signal.alarm(alarm_s)
if keep != "1":
    os.environ.pop("LC_CTYPE", None)
step = "enter"
try:
    if folder:
        os.chdir(folder)
    step = "start"
    os.execvp(sys.argv[5], sys.argv[5:])
except OSError as error:
    os.write(report, ("%s %d" % (step, error.errno)).encode())
os._exit(127)
"""


class Stream:
    """One of the child's outputs: keeps the first bytes, counts the rest away."""

    def __init__(self, limit_bytes: int) -> None:
        self.descriptor = -1
        self.kept = bytearray()
        self.limit_bytes = limit_bytes
        self.seen_bytes = 0

    def read_once(self) -> bool | None:
        """False at the end of the stream, None where nothing can be read now."""
        try:
            data = os.read(self.descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return False
        self.seen_bytes += len(data)
        self.kept += data[: self.limit_bytes - len(self.kept)]
        return bool(data)

    @property
    def truncated(self) -> bool:
        """Whether more came than was kept."""
        return self.seen_bytes > len(self.kept)


class ChildProcess:
    """One child from spawn to reaping."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, job: int, max_output_bytes: int, *, leaves_others: bool = False
    ) -> None:
        """`job`: what it is to do, as a number: equal for equal jobs. `leaves_others`: see `run_child`."""
        self._leaves_others = leaves_others
        self._loop = loop
        self._job = job
        self._pipes = ExitStack()
        self.stdout = Stream(max_output_bytes)
        self.stderr = Stream(max_output_bytes)
        self._flood_bytes = max_output_bytes + _FLOOD_BYTES
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._pidfd = -1
        self._stdin = -1
        self._report = -1
        self.report = b""
        self.returncode: int | None = None
        self._exited: asyncio.Future[None] = loop.create_future()

    def spawn(self, argv: Sequence[str], env: dict[str, str], cwd: str | None, timeout_s: float) -> None:
        """Starts it. Raises OSError (no descriptor, no process left) and ValueError (a NUL in `argv`)."""
        with ExitStack() as theirs:
            stdin, self._stdin = self._pipe(theirs, ours_writes=True)
            self.stdout.descriptor, stdout = self._pipe(theirs)
            self.stderr.descriptor, stderr = self._pipe(theirs)
            self._report, report = self._pipe(theirs)
            command = list(argv)
            if argv[0] != sys.executable or cwd is not None:
                keep = "1" if "LC_CTYPE" in env else "0"
                alarm_s = str(min(math.ceil(timeout_s) + 2, 2**31 - 1))
                command = [sys.executable, "-I", "-S", "-c", _TRAMPOLINE, str(report), alarm_s, keep, cwd or "", *argv]
            self._process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=env,
                start_new_session=True,
                pass_fds=(report,) if command[4:5] == [_TRAMPOLINE] else (),
            )
        self._pid = self._process.pid
        self._process.returncode = 0  # we reap it; subprocess must neither poll nor warn
        try:
            self._pidfd = os.pidfd_open(self._pid)
        except OSError:  # no descriptor left, or an old kernel
            self._loop.call_soon(self._poll)
        else:
            self._loop.add_reader(self._pidfd, self._on_exit)

    def _pipe(self, theirs: ExitStack, *, ours_writes: bool = False) -> tuple[int, int]:
        reading, writing = os.pipe2(os.O_CLOEXEC)
        ours, other = (writing, reading) if ours_writes else (reading, writing)
        theirs.callback(os.close, other)
        if not ours_writes:  # the input is closed early, when all is written
            self._pipes.callback(os.close, ours)
        os.set_blocking(ours, False)
        return reading, writing

    def limit(self, memory_limit_bytes: int | None) -> None:
        """No core file ever; the address space as asked. From outside: preexec_fn is not safe with threads."""
        with suppress(OSError, ValueError):
            resource.prlimit(self._pid, resource.RLIMIT_CORE, (0, 0))
            if memory_limit_bytes is not None:
                resource.prlimit(self._pid, resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))

    def talk(self, data: bytes) -> None:
        """Feeds its input and follows its outputs, from now on in callbacks."""
        self._write(memoryview(data))
        for stream in (self.stdout, self.stderr):
            self._loop.add_reader(stream.descriptor, self._on_output, stream)

    def _write(self, data: memoryview) -> None:
        self._loop.remove_writer(self._stdin)
        try:
            while data:
                data = data[os.write(self._stdin, data) :]
        except BlockingIOError:
            self._loop.add_writer(self._stdin, self._write, data)
            return
        except OSError:
            pass  # it does not read: its own affair
        self._close_input()

    def _close_input(self) -> None:
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    def _on_output(self, stream: Stream) -> None:
        if stream.read_once() is False:
            self._loop.remove_reader(stream.descriptor)
        elif stream.seen_bytes > self._flood_bytes:
            self._loop.remove_reader(stream.descriptor)
            self.kill()

    def _is_ours(self) -> bool:
        """Whether it is still our unreaped child, so that its number cannot belong to a stranger."""
        try:
            os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return not self._exited.done()

    def kill(self) -> None:
        """SIGKILL to the whole group, while the leader, dead or alive, still holds its number."""
        if self._is_ours():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)

    def _ended_well(self) -> bool:
        """Whether its exit code is 0. It is not reaped by this: its number stays its own."""
        with suppress(ChildProcessError):
            told = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            return told is not None and told.si_code == os.CLD_EXITED and told.si_status == 0
        return False

    def _on_exit(self) -> None:
        if not (self._leaves_others and self._ended_well()):
            self.kill()  # what it left behind in its group
        try:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self._pid, None
        if pid == 0:
            return
        if status is not None:
            self.returncode = os.waitstatus_to_exitcode(status)
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
        if not self._exited.done():
            self._exited.set_result(None)
        unended.pop(self, None)

    def _poll(self) -> None:
        """Waiting without a pidfd."""
        try:
            ended = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            ended = True
        if ended:
            self._on_exit()
        else:
            self._loop.call_later(0.01, self._poll)

    async def ended(self, timeout_s: float) -> bool:
        """Whether it ended within the time. A child that cannot die is still reaped later by the loop."""
        done, _ = await asyncio.wait((self._exited,), timeout=max(timeout_s, 0))
        return bool(done)

    async def ended_in_spite_of_cancellation(self) -> None:
        """Waits for a killed child; where even this is cancelled, by poll, because the loop may close next."""
        try:
            await self.ended(KILL_WAIT_S)
        except asyncio.CancelledError:
            if self._pidfd >= 0 and not self._exited.done():
                waiting = select.poll()
                waiting.register(self._pidfd, select.POLLIN)
                if waiting.poll(KILL_WAIT_S * 1000):
                    self._on_exit()

    def release(self) -> None:
        """Reads what is there, without waiting for whoever else holds the pipes, and closes them.

        A child that is still there keeps its place in `unended` until the loop has reaped it.
        """
        for stream in (self.stdout, self.stderr):
            self._loop.remove_reader(stream.descriptor)
            while not stream.truncated and stream.read_once():
                pass
        if self._stdin >= 0:
            self._loop.remove_writer(self._stdin)
        self.report = self._read_report()
        self.close_pipes()
        if not self._exited.done():
            unended[self] = self._job

    def _read_report(self) -> bytes:
        try:
            return os.read(self._report, 100)
        except OSError:
            return b""

    def close_pipes(self) -> None:
        """Closes our ends; idempotent."""
        self._close_input()
        self._pipes.close()


unended: dict[ChildProcess, int] = {}  # those that were still there when their result was given, with their jobs
