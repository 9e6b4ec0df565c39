"""The `systemd` check: a unit is active, as systemctl tells. Not here: restarting it."""

import time

from lifesign.core.model import JsonValue, Observation, Verdict
from lifesign.processes.child import ChildResult
from lifesign.processes.systemctl import run_systemctl, unit_name
from lifesign.text import clean, format_duration

_PROPERTIES = "LoadState,ActiveState,SubState,Result,MainPID,NRestarts"
_ACTIVE = ("active", "reloading", "refreshing")


class SystemdProbe:
    """Asks for `unit` (of the user's own manager where `is_user`). Raises ValueError for what is no unit's name.

    OK while it is active, or reloading, which it does while it works; FAIL in every other state; UNKNOWN where systemd
    cannot be asked.
    """

    def __init__(self, *, unit: str, timeout_s: float, is_user: bool = False) -> None:
        self._unit = unit_name(unit)
        self._is_user = is_user
        self._timeout_s = timeout_s

    async def look(self, now_wall_ns: int) -> Observation:
        """One question."""
        del now_wall_ns
        began_s = time.monotonic()
        show = ("show", f"--property={_PROPERTIES}")
        result = await run_systemctl(*show, unit=self._unit, is_user=self._is_user, timeout_s=self._timeout_s * 0.9)
        latency_s = time.monotonic() - began_s
        trouble = self._trouble(result)
        if trouble:
            return Observation(Verdict.UNKNOWN, f"cannot ask systemd about {self._unit}: {trouble}", latency_s)
        pairs = (line.partition("=") for line in result.stdout.decode("utf-8", "replace").splitlines())
        return self._observation({key: clean(value, 60) for key, _, value in pairs}, latency_s)

    def _trouble(self, result: ChildResult) -> str:
        if result.start_error is not None:
            return result.start_error
        if result.timed_out:
            return f"no answer within {format_duration(self._timeout_s)}"
        if result.returncode != 0:
            said = clean(result.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2], 200)
            return said or f"systemctl ended with {result.returncode}"
        return "" if b"ActiveState=" in result.stdout else "its answer tells no state"

    def _observation(self, found: dict[str, str], latency_s: float) -> Observation:
        active, sub, why = (found.get(key, "") for key in ("ActiveState", "SubState", "Result"))
        restarts, pid = found.get("NRestarts", ""), found.get("MainPID", "")
        metrics = {"restarts": float(restarts)} if restarts.isdecimal() else {}
        data: dict[str, JsonValue] = {"pid": int(pid)} if pid.isdecimal() and pid != "0" else {}
        if found.get("LoadState") == "not-found":
            return Observation(Verdict.FAIL, f"there is no unit {self._unit}", latency_s)
        state = f"{active} ({sub})" if sub and sub != active else active
        reason = f": {why}" if why not in ("", "success") else ""
        words = f"{self._unit} is {state}{reason}"
        verdict = Verdict.OK if active in _ACTIVE else Verdict.FAIL
        return Observation(verdict, words, latency_s, metrics, data)

    def close(self) -> None:
        """Nothing is held between two looks."""
