"""Restart of a program of Supervisor. Not here: the calls and their order (`supervisor_calls`, in a child)."""

import asyncio
import json
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

from lifesign.core.model import Identity
from lifesign.processes.child import ChildResult, run_child
from lifesign.restarts import supervisor_calls
from lifesign.restarts.local import local_identity
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError, Target
from lifesign.text import clean, redact

DEFAULT_SERVER = "unix:///var/run/supervisor.sock"
ASK_TIMEOUT_S = 15.0
PATIENCE_S = 90.0
_GOODBYE_S = 3.0  # what a restart in the midst of its way gets to end when we are cancelled
_MEMORY_BYTES = 512 << 20
_SCHEMES = ("unix", "http", "https")


class SupervisorRestarter:
    """`program` is a name or `group:name`; `server` a URL of the kind unix, http or https, perhaps with a password."""

    def __init__(
        self,
        program: str,
        server: str | None = None,
        *,
        escalate_s: float | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Raises ValueError for a URL of another kind. `patience_s`: how long stop and start may take together."""
        self._program = program
        self._server = server or DEFAULT_SERVER
        url = urlsplit(self._server)
        if url.scheme not in _SCHEMES or not (url.path if url.scheme == "unix" else url.hostname):
            shown = clean(redact(self._server, ()), 120)
            raise ValueError(f'"{shown}" is no server of Supervisor: write unix:///PATH or http://HOST:PORT')
        self._secrets = [url.password, unquote(url.password)] if url.password else []
        self._escalate_s = escalate_s
        self._patience_s = patience_s + (escalate_s or 0.0)
        self._words = f"program {clean(program, 80)}"

    async def target(self, hint: Hint) -> Target:  # noqa: ARG002 - the manager knows better
        """The program with its process, where Supervisor says that nobody stopped it and that it is not at work."""
        info = await self._info()
        reason = supervisor_calls.refusal(info)
        if reason:
            raise HandsOffError(f"{self._words} {self._hidden(reason)}")
        identity = _identity(info)
        return Target(f"{self._words} (pid {identity.pid})" if identity else self._words, identity)

    async def send(self, target: Target) -> str:
        """Its stop signal and, where Supervisor does not, its start."""
        if target.identity != _identity(await self._info()):
            raise HandsOffError(f"{self._words} has another process by now, so it was restarted already")
        told = await self._ask(
            self._patience_s + ASK_TIMEOUT_S,
            expected_pid=target.identity.pid if target.identity else 0,
            patience_s=self._patience_s,
            escalate_s=self._escalate_s,
        )
        if "failed" in told:
            raise RestartFailedError(f"{self._words} {self._hidden(told['failed'])}")
        return f"Supervisor restarted {self._words} ({self._hidden(told['done'])})"

    async def current(self) -> Identity | None:
        """The program's process."""
        try:
            return _identity(await self._info())
        except HandsOffError:
            return None

    def close(self) -> None:
        """Nothing is held open."""

    async def _info(self) -> dict[str, Any]:
        told = await self._ask(ASK_TIMEOUT_S)
        if "failed" in told:
            raise HandsOffError(f"{self._words}: {self._hidden(told['failed'])}")
        info = told.get("info")
        if not isinstance(info, dict):
            raise HandsOffError(f"cannot ask Supervisor about {self._words}: its answer is none that Supervisor gives")
        return info

    def _hidden(self, words: object) -> str:
        return clean(redact(str(words), self._secrets), 300)

    async def _ask(self, timeout_s: float, **more: float | None) -> dict[str, Any]:
        """Raises HandsOffError where nothing was done."""
        question = {"server": self._server, "program": self._program, **more}
        result = await self._run(json.dumps(question).encode(), timeout_s, goodbye_s=_GOODBYE_S if more else 0.0)
        if result.start_error is not None:
            raise HandsOffError(f"cannot ask Supervisor about {self._words}: {result.start_error}")
        try:
            told = json.loads(result.stdout)
        except ValueError:
            told = {"unreachable": f"no answer in {timeout_s:g} s" if result.timed_out else "its answer cannot be read"}
        if "unreachable" in told:
            reason = self._hidden(told["unreachable"])
            if more:
                raise RestartFailedError(f"Supervisor did not tell how the restart of {self._words} ended: {reason}")
            raise HandsOffError(f"cannot ask Supervisor about {self._words}: {reason}")
        if "refused" in told:
            raise HandsOffError(f"{self._words} {self._hidden(told['refused'])}")
        assert isinstance(told, dict)
        return told

    async def _run(self, question: bytes, timeout_s: float, *, goodbye_s: float) -> ChildResult:
        argv = [sys.executable, "-I", "-S", supervisor_calls.__file__]
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(
                run_child(argv, input=question, timeout_s=timeout_s, memory_limit_bytes=_MEMORY_BYTES)
            )
            try:
                return await asyncio.shield(asking)
            except asyncio.CancelledError:
                await asyncio.wait((asking,), timeout=goodbye_s)  # between stop and start is no place to die
                asking.cancel()
                raise


def _identity(info: dict[str, Any]) -> Identity | None:
    pid, start = info.get("pid"), info.get("start")
    if not isinstance(pid, int) or pid <= 0:
        return None
    return local_identity(pid, float(start) if isinstance(start, int) and start > 0 else None)
