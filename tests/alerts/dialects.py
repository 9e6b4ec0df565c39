"""The three trackers that have no server to be had, each as a strict one, and clients to it, on a clock of the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from lifesign.alerts.alert import Alert, Stage
from lifesign.alerts.forge import Forge
from lifesign.alerts.gitea import Gitea
from lifesign.alerts.github import GitHub
from lifesign.alerts.tracker import Tracker, TrackerRules
from lifesign.text import format_timestamp
from tests.alerts.alerts import alert
from tests.alerts.strict_forge import StrictForge
from tests.alerts.strict_gitea import StrictForgejo, StrictGitea
from tests.alerts.strict_github import StrictGitHub

START_S = 1_795_269_802
DIALECTS: dict[str, type[StrictForge]] = {"gitea": StrictGitea, "forgejo": StrictForgejo, "github": StrictGitHub}


def stamp(seconds: float) -> str:
    return format_timestamp(int((START_S + seconds) * 1e9))


@dataclass
class World:
    """One server, the clients made to it, and the moment in seconds since the start."""

    server: StrictForge
    now_s: float = 0.0
    told: list[str] = field(default_factory=list)
    clients: list[Forge] = field(default_factory=list)

    def forge(self, **options: Any) -> Forge:
        given: dict[str, Any] = {
            "repo": f"{self.server.owner}/{self.server.name}",
            "token": lambda: self.server.token,
            "labels": ["watchdog", "prod"],
            "assignees": ["oncall"],
            "tell": self.told.append,
            **options,
        }
        if isinstance(self.server, StrictGitHub):
            made: Forge = GitHub(url=self.server.url + self.server.prefix, **given)
        else:
            made = Gitea(url=self.server.url, **given)
        self.clients.append(made)
        return made

    def tracker(self, rules: TrackerRules | None = None, **options: Any) -> Tracker:
        return Tracker(self.forge(**options), lambda: "prod", rules or TrackerRules())

    def alert(self, stage: Stage, opened_s: float, now_s: float, component: str = "mind", watcher: str = "a") -> Alert:
        """An alert that leaves at that moment: the forge's clock is set to it."""
        self.now_s = now_s
        told = alert(stage, component=component)
        incident = f"{component}-{opened_s:g}-{watcher}"
        return replace(
            told, incident=incident, opened_at=stamp(opened_s), at=stamp(now_s), down_s=float(now_s - opened_s)
        )


@asynccontextmanager
async def world_of(dialect: str) -> AsyncIterator[World]:
    """A server of that dialect; at the end nobody may have done what its description does not name."""
    world = World(DIALECTS[dialect]())
    world.server.now = lambda: datetime.fromtimestamp(START_S + world.now_s, UTC)
    await world.server.start()
    try:
        yield world
    finally:
        for client in world.clients:
            await client.close()
        await world.server.stop()
    assert world.server.complaints == [], world.server.complaints[:3]
