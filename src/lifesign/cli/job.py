"""Runs a command as if we were not there: its stdio, its signals and its exit code are those of the shell's own.

Not here: what is told of it (`lifesign.cli.beat`).
"""

import errno
import os
import signal
from collections.abc import Sequence

from lifesign.records import dataclass

NOT_EXECUTABLE, NOT_FOUND = 126, 127
_PASSED_ON = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended: the exit code a shell would give, for a failure why in a few words, whether it ran at all."""

    exit_code: int
    failure: str = ""
    started: bool = True


class SignalsHeld:
    """While it is open, signals wait in the queue instead of ending us: a job that is stopped is still told of."""

    def __enter__(self) -> "SignalsHeld":
        self._child_default = signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would lose the exit code
        self.before = signal.pthread_sigmask(signal.SIG_BLOCK, {*_PASSED_ON, signal.SIGCHLD})
        return self

    def __exit__(self, *_: object) -> None:
        # A signal that came after the job's end has done its work; delivered now, it would change our exit code.
        while signal.sigtimedwait(_PASSED_ON, 0) is not None:
            pass
        signal.signal(signal.SIGCHLD, self._child_default)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.before)


def run(argv: Sequence[str], held: SignalsHeld) -> Ending:
    """Run `argv` to its end, passing on the signals that processes send us. 127 not found, 126 not executable."""
    # Python ignores these two; the job shall not inherit that.
    restored = [signal.SIGPIPE, signal.SIGXFSZ]
    try:
        pid = os.posix_spawnp(argv[0], list(argv), os.environ, setsigmask=held.before, setsigdef=restored)
    except (OSError, ValueError) as error:
        return _not_started(argv[0], error)
    while True:
        received = signal.sigwaitinfo({*_PASSED_ON, signal.SIGCHLD})
        if received.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return _ended(status)
        elif received.si_code <= 0:  # from a process; what the terminal sends (kernel, > 0) the job gets by itself
            os.kill(pid, received.si_signo)


def _not_started(program: str, error: OSError | ValueError) -> Ending:
    if isinstance(error, ValueError) or error.errno in (errno.ENOENT, errno.ENOTDIR):  # ValueError: it is empty
        return Ending(NOT_FOUND, f"{program or repr(program)}: not found", started=False)
    return Ending(NOT_EXECUTABLE, f"{program}: cannot be run: {error.strerror}", started=False)


def _ended(status: int) -> Ending:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return Ending(code, f"exit code {code}" if code else "")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return Ending(128 - code, f"killed by {name}")
