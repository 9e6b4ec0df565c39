"""The `command` sink: a program of the user's own, with the alert as JSON on its standard input."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from lifesign.alerts.alert import Alert
from lifesign.alerts.sink import Memo, SinkError
from lifesign.processes.child import minimal_environment, run_child
from lifesign.text import clean

TIMEOUT_S = 20.0


class CommandSink:
    """Runs `argv`, never by a shell. `env`: on top of PATH, LANG and HOME; a value may be called for its secret.

    Besides it is told `LIFESIGN_STAGE` and `LIFESIGN_COMPONENT`. Exit code 0 is arrival.
    """

    def __init__(
        self, *, argv: Sequence[str], env: Mapping[str, str | Callable[[], str]] | None = None, cwd: str | None = None
    ) -> None:
        self._argv = list(argv)
        self._env = dict(env or {})
        self._cwd = cwd

    async def deliver(self, alert: Alert, memo: Memo) -> Memo:
        """One run. Raises SinkError where it does not start, end in time, or end with 0."""
        del memo
        own = {name: value() if callable(value) else value for name, value in self._env.items()}
        told = {"LIFESIGN_STAGE": alert.stage, "LIFESIGN_COMPONENT": alert.component}
        result = await run_child(
            self._argv,
            input=msgspec.json.encode(alert),
            timeout_s=TIMEOUT_S,
            env={**minimal_environment(), **told, **own},
            cwd=self._cwd,
        )
        name = clean(self._argv[0], 100)
        if result.start_error is not None:
            raise SinkError(result.start_error)
        if result.timed_out:
            raise SinkError(f"{name} did not end within {TIMEOUT_S:g} s")
        if result.returncode != 0:
            said = clean(result.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2], 200)
            raise SinkError(f"{name} ended with {result.returncode}{f': {said}' if said else ''}")
        return {}

    async def close(self) -> None:
        """Nothing is held."""
