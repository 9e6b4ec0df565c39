"""A Docker Engine API that keeps to the published states, answers and exit codes. No container runs.

Not here: tests. Written after the API's own description (inspect, events, restart, their status codes and messages).
"""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

_FORGETS = 256  # events that Docker remembers


def stamp(time_s: float) -> str:
    """A time as Docker writes it: nine digits of a second."""
    return datetime.fromtimestamp(int(time_s), UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{int(time_s % 1 * 1e9):09d}Z"


@dataclass
class FakeContainer:
    """One container. `pid` and `started_s` (Unix) while it runs; `deaf`: it ignores its stop signal."""

    id: str
    name: str
    policy: str = "no"
    most_retries: int = 0
    retries: int = 0
    status: str = "running"
    pid: int = 4_194_000
    started_s: float = field(default_factory=time.time)
    exit_code: int = 0
    out_of_memory: bool = False
    deaf: bool = False

    def inspect(self) -> dict[str, Any]:
        """As GET /containers/NAME/json."""
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "RestartCount": self.retries,
            "State": {
                "Status": self.status,
                "Running": self.status in ("running", "paused", "restarting"),
                "Paused": self.status == "paused",
                "Restarting": self.status == "restarting",
                "OOMKilled": self.out_of_memory,
                "Dead": self.status == "dead",
                "Pid": self.pid if self.status in ("running", "paused") else 0,
                "ExitCode": self.exit_code,
                "StartedAt": stamp(self.started_s) if self.started_s else "0001-01-01T00:00:00Z",
            },
            "HostConfig": {"RestartPolicy": {"Name": self.policy, "MaximumRetryCount": self.most_retries}},
        }


class FakeDocker:
    """The engine. `asked`: every request as `METHOD path?query`."""

    def __init__(self) -> None:
        self.containers: dict[str, FakeContainer] = {}
        self.events: list[dict[str, Any]] = []
        self.asked: list[str] = []

    def run(self, name: str, **keys: Any) -> FakeContainer:
        """As `docker run -d --name NAME`."""
        container = FakeContainer(id=f"{len(self.containers):064x}", name=name, **keys)
        self.containers[name] = container
        self._tell(container, "start")
        return container

    def end(self, name: str, exit_code: int, *, out_of_memory: bool = False) -> None:
        """It ends by itself."""
        container = self.containers[name]
        container.status, container.exit_code, container.out_of_memory = "exited", exit_code, out_of_memory
        self._tell(container, "die")

    def stop(self, name: str, exit_code: int = 143) -> None:
        """As `docker stop`."""
        self._tell(self.containers[name], "kill")
        self.end(name, exit_code)
        self._tell(self.containers[name], "stop")

    def forget(self) -> None:
        """So many other events came since that this one is gone."""
        self.events.clear()

    def _tell(self, container: FakeContainer, action: str) -> None:
        actor = {"ID": container.id, "Attributes": {"name": container.name}}
        self.events.append({"Type": "container", "Action": action, "Actor": actor, "timeNano": time.time_ns()})
        del self.events[:-_FORGETS]

    def _find(self, request: web.Request) -> FakeContainer:
        key = request.match_info["name"]
        for container in self.containers.values():
            if key in (container.name, container.id):
                return container
        raise web.HTTPNotFound(
            text=json.dumps({"message": f"No such container: {key}"}), content_type="application/json"
        )

    async def _inspect(self, request: web.Request) -> web.Response:
        return web.json_response(self._find(request).inspect())

    async def _restart(self, request: web.Request) -> web.Response:
        container, patience_s = self._find(request), int(request.query["t"])
        if container.status == "running":
            self._tell(container, "kill")
            if container.deaf and patience_s > 5:
                await asyncio.get_running_loop().create_future()
            self.end(container.name, 128 + (signal.SIGKILL if container.deaf else signal.SIGTERM))
            self._tell(container, "stop")
        container.status, container.pid, container.started_s = "running", container.pid + 1, time.time()
        self._tell(container, "start")
        self._tell(container, "restart")
        return web.Response(status=204)

    async def _events(self, request: web.Request) -> web.Response:
        assert float(request.query["until"]) <= time.time(), "or the answer would never end"
        since_ns, wanted = float(request.query["since"]) * 1e9, json.loads(request.query["filters"])["container"]
        found = [event for event in self.events if event["timeNano"] >= since_ns and event["Actor"]["ID"] in wanted]
        body = "".join(json.dumps(event) + "\n" for event in found)
        return web.Response(text=body, content_type="application/json")

    @web.middleware
    async def _listen(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        answer = await handler(request)
        assert isinstance(answer, web.StreamResponse)
        return answer

    @asynccontextmanager
    async def serving(self, path: Path) -> AsyncIterator[None]:
        """Listens on the socket at `path`."""
        app = web.Application(middlewares=[self._listen])
        app.router.add_get("/v1.40/containers/{name}/json", self._inspect)
        app.router.add_post("/v1.40/containers/{name}/restart", self._restart)
        app.router.add_get("/v1.40/events", self._events)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        try:
            await web.UnixSite(runner, str(path)).start()
            yield
        finally:
            await runner.cleanup()
