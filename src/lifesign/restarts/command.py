"""Restart by a command of the user's own, in a disposable child. Not here: what the command does, or whom it hits."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lifesign.core.model import Identity
from lifesign.processes.child import ChildResult, minimal_environment, run_child
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError, Target
from lifesign.text import clean, format_duration, redact

PATIENCE_S = 120.0
_MOST_OUTPUT_BYTES = 16384


class CommandRestarter:
    """`argv` is run as it stands, never by a shell. A value of `env` may be a call that reads a secret."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str | Callable[[], str]] | None = None,
        cwd: Path | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`patience_s`: then the command's whole process group is killed."""
        self._argv = tuple(argv)
        self._env = dict(env or {})
        self._cwd = cwd
        self._patience_s = patience_s
        self._words = f"command {clean(self._argv[0], 120)}"

    async def target(self, hint: Hint) -> Target:
        """Only the command knows whom it hits; the process that a check saw is told along."""
        return Target(self._words, hint.identity if hint.heartbeat is None else None)

    async def send(self, target: Target) -> str:  # noqa: ARG002 - the command proves what it does by itself
        """Runs it to its end. Raises RestartFailedError where it fails in any way."""
        env, secrets = self._environment()
        result = await run_child(
            self._argv,
            timeout_s=self._patience_s,
            max_output_bytes=_MOST_OUTPUT_BYTES,
            env=env,
            cwd=str(self._cwd) if self._cwd is not None else None,
            leaves_others=True,
        )
        trouble = self._trouble(result)
        if trouble:
            said = redact((result.stderr.strip() or result.stdout.strip()).decode("utf-8", "replace"), secrets)
            last = clean(said.splitlines()[-1], 200) if said else ""
            raise RestartFailedError(redact(trouble, secrets) + (f": {last}" if last else ""))
        return f"{self._words} ended with exit code 0"

    async def current(self) -> Identity | None:
        """Unknown: a command has no manager."""
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _environment(self) -> tuple[dict[str, str], list[str]]:
        env, secrets = minimal_environment(), []
        for name, value in self._env.items():
            if isinstance(value, str):
                env[name] = value
                continue
            try:
                env[name] = value()
            except (OSError, ValueError) as error:
                raise HandsOffError(f"{self._words} was not run: {clean(str(error))}") from None
            secrets.append(env[name])
        return env, secrets

    def _trouble(self, result: ChildResult) -> str:
        if result.start_error is not None:
            return result.start_error
        if result.timed_out:
            return f"{self._words} did not end in {format_duration(self._patience_s)} and was killed"
        if result.returncode is None:
            return f"{self._words} was lost"
        if result.returncode < 0:
            flood = ", after more output than anybody reads" if result.truncated else ""
            return f"{self._words} was ended by signal {-result.returncode}{flood}"
        return f"{self._words} ended with exit code {result.returncode}" if result.returncode else ""
