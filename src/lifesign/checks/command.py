"""The `command` check: a plugin of the Nagios plugin API, run in a disposable child. Not here: what it says."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence

from lifesign.checks.plugin import read_plugin
from lifesign.core.model import Observation, Verdict
from lifesign.processes.child import ChildResult, minimal_environment, run_child
from lifesign.text import clean, format_duration

HEADROOM_S = 0.2  # of the timeout, to end and reap it


class CommandProbe:
    """Runs `argv` for at most `timeout_s` seconds, never by a shell.

    `env`: on top of PATH, LANG and HOME; a value may be called for its secret. `cwd`: the folder it runs in. One that
    cannot be started, is ended by a signal or does not end in time tells nothing: UNKNOWN.
    """

    def __init__(
        self,
        *,
        argv: Sequence[str],
        timeout_s: float,
        env: Mapping[str, str | Callable[[], str]] | None = None,
        cwd: str | None = None,
    ) -> None:
        self._argv = list(argv)
        self._timeout_s = timeout_s
        self._env = dict(env or {})
        self._cwd = cwd

    async def look(self, now_wall_ns: int) -> Observation:
        """One run."""
        del now_wall_ns
        try:
            own = {name: value() if callable(value) else value for name, value in self._env.items()}
        except ValueError as error:
            return Observation(Verdict.UNKNOWN, clean(str(error), 300))
        began_s = time.monotonic()
        result = await run_child(
            self._argv,
            timeout_s=max(self._timeout_s - HEADROOM_S, self._timeout_s / 2),
            env={**minimal_environment(), **own},
            cwd=self._cwd,
        )
        took_s, trouble = time.monotonic() - began_s, self._trouble(result)
        if trouble:
            return Observation(Verdict.UNKNOWN, trouble, took_s)
        assert result.returncode is not None
        answer = read_plugin(result.returncode, result.stdout, result.stderr)
        return Observation(answer.verdict, answer.message, took_s, answer.metrics)

    def _trouble(self, result: ChildResult) -> str:
        name = clean(self._argv[0], 100)
        if result.start_error is not None:
            return result.start_error
        if result.timed_out:
            return f"{name} did not end within {format_duration(self._timeout_s)}"
        if result.returncode is None:
            return f"{name} could not be waited for"
        if result.returncode < 0:
            more = ", for it prints without end" if result.truncated else ""
            return f"{name} was ended by {_signal_name(-result.returncode)}{more}"
        return ""

    def close(self) -> None:
        """Nothing is held between two looks."""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
