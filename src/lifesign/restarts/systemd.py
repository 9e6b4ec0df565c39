"""Restart of a systemd unit by systemctl. Not here: what a unit's state means for a restart (`unit_state`).

The request is made so that it cannot fight anybody: `try-restart` does nothing to a unit that was stopped meanwhile,
and `--job-mode=fail` yields to a job that is already there. systemd decides both in one step, with no gap for us.
A name that begins with `user:` is a unit of the user's own manager.
"""

import asyncio
import os
from contextlib import ExitStack
from pathlib import Path

from lifesign.core.model import Identity
from lifesign.processes.child import ChildResult
from lifesign.processes.stat import read_stat, started_at_s
from lifesign.processes.systemctl import run_systemctl, unit_name
from lifesign.restarts.held import HeldProcess
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError, Target
from lifesign.restarts.unit_state import PROPERTIES, Unit
from lifesign.text import clean, format_duration

ASK_TIMEOUT_S = 10.0
PATIENCE_S = 150.0  # a stop and a start may take 90 s each by systemd's default; a restart is rarely both
_USER = "user:"
_CONFLICTS = (b"is destructive", b"conflicting jobs")  # the words of --job-mode=fail


class SystemdRestarter:
    """`unit`: `mind.service`, `mind`, `user:mind.service`. `escalate_s`: SIGKILL to the main process after so long."""

    def __init__(self, unit: str, *, escalate_s: float | None = None, patience_s: float = PATIENCE_S) -> None:
        """Raises ValueError for what is no unit's name. `patience_s`: how long the restart is waited for."""
        name = unit.removeprefix(_USER)
        self._is_user = name != unit
        self._unit = unit_name(name)
        self._escalate_s = escalate_s
        self._patience_s = patience_s + (escalate_s or 0.0)

    async def target(self, hint: Hint) -> Target:  # noqa: ARG002 - the manager knows better
        """The unit with its main process, where systemd says that a restart is due to nobody else."""
        unit = await self._show()
        unit.refuse(_our_group())
        return Target(self._words(unit), _identity(unit.main_pid))

    async def send(self, target: Target) -> str:
        """Asks systemd for the restart and waits for it."""
        before = await self._show()
        before.refuse(_our_group())
        if _identity(before.main_pid) != target.identity:
            raise HandsOffError(f"unit {self._unit} has another process by now, so it was restarted already")
        besides = await self._restart(before)
        after = await self._show()
        if after.was_stopped:
            raise HandsOffError(f"unit {self._unit} was stopped by somebody meanwhile, so it is left alone")
        if target.identity is not None and _identity(after.main_pid) == target.identity:
            after.refuse()
            raise RestartFailedError(f"systemd did not restart {self._words(after)}, without a word")
        return f"systemd restarted {self._words(after)}{besides}"

    async def current(self) -> Identity | None:
        """The unit's main process."""
        try:
            return _identity((await self._show()).main_pid)
        except HandsOffError:
            return None

    def close(self) -> None:
        """Nothing is held open."""

    def _words(self, unit: Unit) -> str:
        manager = "user unit" if self._is_user else "unit"
        return f"{manager} {self._unit}" + (f" (pid {unit.main_pid})" if unit.main_pid else "")

    async def _show(self) -> Unit:
        result = await self._systemctl("show", f"--property={','.join(PROPERTIES)}", timeout_s=ASK_TIMEOUT_S)
        if result.returncode != 0 or result.truncated:
            raise HandsOffError(f"cannot ask systemd about {self._unit}: {_reason(result, ASK_TIMEOUT_S)}")
        hint = "" if self._is_user or os.geteuid() == 0 else f' (for a unit of your own write "{_USER}{self._unit}")'
        return Unit.read(self._unit, result.stdout.decode("utf-8", "replace"), hint)

    async def _restart(self, unit: Unit) -> str:
        """Words on what came besides. Raises RestartFailedError."""
        verb = "start" if unit.is_down else "try-restart"
        with ExitStack() as stack:
            async with asyncio.TaskGroup() as group:
                killing = group.create_task(self._escalate(stack, unit.main_pid))
                result = await self._systemctl("--job-mode=fail", verb, timeout_s=self._patience_s)
                killing.cancel()
        words = "" if killing.cancelled() else killing.result()
        if result.timed_out:
            waited = format_duration(self._patience_s)
            raise RestartFailedError(f"systemd is still at the restart of {self._words(unit)} after {waited}{words}")
        if any(word in result.stderr for word in _CONFLICTS):
            raise HandsOffError(f"systemd is already at work on unit {self._unit}, so it is left alone")
        if result.returncode != 0:
            raise RestartFailedError(f"systemd could not restart {self._unit}: {_reason(result, self._patience_s)}")
        return words

    async def _escalate(self, stack: ExitStack, pid: int) -> str:
        """SIGKILL to the process that was the main one, where it is asked for and may be done."""
        if self._escalate_s is None or not pid:
            return ""
        try:
            held = stack.enter_context(HeldProcess(pid))
            done = await held.kill_after(self._escalate_s)
        except (HandsOffError, RestartFailedError) as error:
            return f" ({error})"
        return f", {done}" if done.startswith("SIGKILL") else ""

    async def _systemctl(self, *words: str, timeout_s: float) -> ChildResult:
        return await run_systemctl(*words, unit=self._unit, is_user=self._is_user, timeout_s=timeout_s)


def _our_group() -> str:
    """The control group that we run in."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "")


def _identity(pid: int) -> Identity | None:
    if not pid:
        return None
    try:
        stat = read_stat(pid)
    except OSError:
        stat = None
    return Identity(pid, None if stat is None else started_at_s(stat))


def _reason(result: ChildResult, timeout_s: float) -> str:
    if result.start_error is not None:
        return result.start_error
    if result.timed_out:
        return f"no answer in {format_duration(timeout_s)}"
    said = result.stderr.decode("utf-8", "replace").strip()
    return clean(said, 300) if said else f"systemctl ended with exit code {result.returncode}"
