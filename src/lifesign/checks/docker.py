"""The `docker` check: a container runs and is not unhealthy, as the Engine API tells. Not here: restarting it."""

import json
import time
from collections.abc import Mapping
from typing import Any

from lifesign.core.model import JsonValue, Observation, Verdict
from lifesign.processes.engine_api import EngineError, ask, container_path
from lifesign.text import clean


class DockerProbe:
    """Asks for `container`, by its name or id, over Docker's socket (`DOCKER_HOST=unix://…`, else its usual place).

    OK while it runs and its own health check, if it has one, does not say unhealthy; FAIL in every other state and
    where there is none of that name; UNKNOWN where Docker cannot be asked.
    """

    def __init__(self, *, container: str, timeout_s: float) -> None:
        self._container = container
        self._words = f"container {clean(container, 80)}"
        self._timeout_s = timeout_s

    async def look(self, now_wall_ns: int) -> Observation:
        """One question."""
        del now_wall_ns
        began_s = time.monotonic()
        try:
            told = json.loads(await ask("GET", container_path(self._container, "json"), {}, self._timeout_s * 0.9))
            found = self._observation(told["State"], int(told.get("RestartCount") or 0))
        except EngineError as error:
            if error.status == 404:
                found = Observation(Verdict.FAIL, f"there is no {self._words}")
            else:
                found = Observation(Verdict.UNKNOWN, f"cannot ask Docker about {self._words}: {error}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            found = Observation(Verdict.UNKNOWN, f"the answer about {self._words} is none of an Engine API")
        latency_s = time.monotonic() - began_s
        return Observation(found.verdict, found.message, latency_s, found.metrics, found.data)

    def _observation(self, state: Mapping[str, Any], restarts: int) -> Observation:
        status, health = clean(str(state["Status"]), 20), state.get("Health") or {}
        metrics = {"restarts": float(restarts)}
        pid = state.get("Pid")
        data: dict[str, JsonValue] = {"pid": pid} if isinstance(pid, int) and pid > 0 else {}
        if status != "running":
            ended = f", exit code {int(state['ExitCode'])}" if status == "exited" else ""
            memory = ", out of memory" if state.get("OOMKilled") else ""
            return Observation(Verdict.FAIL, f"{self._words} is {status}{ended}{memory}", 0.0, metrics)
        condition = str(health.get("Status") or "none")
        if condition == "unhealthy":
            return Observation(Verdict.FAIL, f"{self._words} is unhealthy{_last_word(health)}", 0.0, metrics, data)
        more = {"healthy": " and is healthy", "starting": "; its own health check has not decided yet"}
        return Observation(Verdict.OK, f"{self._words} runs{more.get(condition, '')}", 0.0, metrics, data)

    def close(self) -> None:
        """Nothing is held between two looks."""


def _last_word(health: Mapping[str, Any]) -> str:
    """What its own health check said last."""
    log = health.get("Log") or []
    said = clean(str(log[-1].get("Output") or "").strip(), 200) if log else ""
    return f": {said}" if said else ""
