"""Restart of a container through Docker's Engine API.

Not here: what a state means (`container_state`), and HTTP (`engine_api`).
"""

import json
import math
import time
from typing import Any

from lifesign.core.model import NS_PER_S, Identity
from lifesign.processes import engine_api
from lifesign.processes.engine_api import EngineError, NoSocketError, container_path
from lifesign.restarts.container_state import Container
from lifesign.restarts.local import local_identity
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError, Target
from lifesign.text import clean, format_duration

ASK_TIMEOUT_S = 10.0
PATIENCE_S = 120.0
_NO_KILL_S = 365 * 86400  # Docker takes -1 for never, podman refuses it; both take a year


class DockerRestarter:
    """`container`: its name or id. `escalate_s`: SIGKILL by the engine after so long; None: never."""

    def __init__(self, container: str, *, escalate_s: float | None = None, patience_s: float = PATIENCE_S) -> None:
        """`patience_s`: how long stop and start may take together."""
        self._container = container
        self._escalate_s = escalate_s
        self._patience_s = patience_s + (escalate_s or 0.0)
        self._words = f"container {clean(container, 80)}"
        self._id = ""

    async def target(self, hint: Hint) -> Target:  # noqa: ARG002 - the manager knows better
        """The container with its first process, where Docker says that nobody stopped it and that it is not at work."""
        container = await self._inspect()
        await self._refuse(container)
        self._id = container.id
        identity = _identity(container)
        return Target(f"{self._words} (pid {identity.pid})" if identity else self._words, identity)

    async def send(self, target: Target) -> str:
        """Restarts the very container that was decided about: not a new one of the same name."""
        container = await self._inspect()
        await self._refuse(container)
        if container.id != self._id or _identity(container) != target.identity:
            raise HandsOffError(f"{self._words} has another process by now, so it was restarted already")
        kill_after_s = _NO_KILL_S if self._escalate_s is None else math.ceil(self._escalate_s)
        path = container_path(container.id, "restart")
        try:
            await engine_api.ask("POST", path, {"t": str(kill_after_s)}, self._patience_s)
        except EngineError as error:
            if error.timed_out:
                waited = format_duration(self._patience_s)
                rest = "" if self._escalate_s is not None else " (no SIGKILL without `escalate`)"
                raise RestartFailedError(f"{self._words} did not restart in {waited}{rest}") from None
            raise RestartFailedError(f"Docker could not restart {self._words}: {error}") from None
        after = await self._inspect()
        return f"Docker restarted {self._words}" + (f" (pid {after.pid})" if after.pid else "")

    async def current(self) -> Identity | None:
        """The container's first process."""
        try:
            return _identity(await self._inspect())
        except HandsOffError:
            return None

    def close(self) -> None:
        """Nothing is held open."""

    async def _inspect(self) -> Container:
        try:
            body = await engine_api.ask("GET", container_path(self._container, "json"), {}, ASK_TIMEOUT_S)
            return Container.read(json.loads(body))
        except NoSocketError as error:
            raise HandsOffError(str(error)) from None
        except EngineError as error:
            if error.status == 404:
                raise HandsOffError(f"there is no {self._words}") from None
            raise HandsOffError(f"cannot ask Docker about {self._words}: {error}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise HandsOffError(f"cannot ask Docker about {self._words}: its answer is none of an Engine API") from None

    async def _refuse(self, container: Container) -> None:
        events = await self._events(container) if container.is_down else []
        reason = container.refusal(events)
        if reason:
            raise HandsOffError(f"{self._words} {reason}")

    async def _events(self, container: Container) -> list[dict[str, Any]]:
        """What the engine remembers of it since its start; nothing where it remembers nothing."""
        query = {
            "since": str(container.started_ns // NS_PER_S),
            "until": str(int(time.time())),
            "filters": json.dumps({"container": [container.id]}),
        }
        try:
            body = await engine_api.ask("GET", "/events", query, ASK_TIMEOUT_S)
            found = [json.loads(line) for line in body.splitlines() if line.strip()]
        except (EngineError, ValueError, RecursionError):
            return []
        return [event for event in found if isinstance(event, dict)]


def _identity(container: Container) -> Identity | None:
    if container.pid <= 0:
        return None
    return local_identity(container.pid, container.started_ns / NS_PER_S if container.started_ns else None)
