"""The wire documents: `lifesign.state/1`, events and problems, exactly as the contract words them.

Times are UTC RFC 3339 with milliseconds; durations in seconds or milliseconds as the name says.
A document is a tree, so that the collector of cycles has nothing to find in one (`gc=False`): of a thousand components
it would walk over forty thousand parts, again and again.
Not here: how a document is made from the core's state (`api.render`).
"""

from typing import Any, Literal

import msgspec

STATE_SCHEMA: Literal["lifesign.state/1"] = "lifesign.state/1"


class Notice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A silence, a hold or an acknowledgement."""

    until: str | None
    author: str
    reason: str
    since: str


class Incident(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The open incident of a component. `url`: its issue in the tracker."""

    id: str
    opened_at: str
    url: str | None = None


class RestartMade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One restart, as it went. `author`: empty where it was automatic. `outcome`: as `core.restart.Outcome`.

    `process_after_s`, `work_after_s`: from the decision to the new process and to its first work.
    """

    attempt: int
    at: str
    automatic: bool
    author: str
    reason: str
    words: str
    pid_before: int | None
    pid_after: int | None
    process_after_s: float | None
    work_after_s: float | None
    outcome: str


class Process(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The process that was last seen behind a component."""

    pid: int
    started_at: str | None


class Restart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where the restart of a component stands; null for one that has none configured.

    `budget_left`: of `max_restarts` within the window, by all monitors of this host together; `budget_at`: when
    there is some again, where there is none. `how`: what the method does, in words (`SIGTERM`). `withheld`: why it
    is not made though it is due. `history`: the newest
    restarts, oldest first. What there is nothing to tell of is left out.
    """

    method: str
    automatic: bool
    phase: str
    incarnation: int
    unproductive: int
    max_unproductive: int
    budget_left: int
    last_at: str | None
    next_at: str | None
    max_restarts: int | msgspec.UnsetType = msgspec.UNSET
    budget_at: str | msgspec.UnsetType = msgspec.UNSET
    how: str | msgspec.UnsetType = msgspec.UNSET
    withheld: str | msgspec.UnsetType = msgspec.UNSET
    history: list[RestartMade] | msgspec.UnsetType = msgspec.UNSET


class Check(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One check of a component. `path`: the file that it reads, on the monitor's host; left out where it reads none."""

    name: str
    type: str
    layer: str
    optional: bool
    state: str
    consecutive_failures: int
    consecutive_successes: int
    last_at: str | None
    next_at: str | None
    latency_ms: float | None
    message: str
    metrics: dict[str, float]
    data: dict[str, Any]
    path: str | msgspec.UnsetType = msgspec.UNSET


class Layers(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The worst state of each layer's checks; null where a layer has none."""

    startable: str | None = None
    alive: str | None = None
    ready: str | None = None
    working: str | None = None

    @property
    def may_live(self) -> bool:
        """Whether nothing speaks against it that the process which was seen last still runs."""
        return self.alive in (None, "passing", "warning")


class Component(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One component, with everything that is held of it. `process` is left out where none was seen."""

    name: str
    title: str
    tags: list[str]
    optional: bool
    state: str
    since: str
    diagnosis: str
    next: str
    layers: Layers
    last_work_at: str | None
    staleness_s: float | None
    stale_after_s: float | None
    consecutive_failures: int
    flapping: bool
    suppressed_by: str | None
    silence: Notice | None
    hold: Notice | None
    acknowledged: Notice | None
    incident: Incident | None
    restart: Restart | None
    checks: list[Check]
    process: Process | msgspec.UnsetType = msgspec.UNSET


class Counts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How many components are in each state."""

    healthy: int = 0
    degraded: int = 0
    down: int = 0
    unknown: int = 0
    starting: int = 0
    paused: int = 0


class ConfigInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The config that runs. `rejected`: why what stands in its file now does not, in one line."""

    loaded_at: str
    rejected: str | None = None


class OutboxInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Alerts on their way. `held_back`: components of which a tracker has no issue, since `max_issues` are open."""

    depth: int = 0
    oldest_s: float = 0.0
    held_back: list[str] = []


class MonitorInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The monitor itself, as far as a reader needs it to trust the rest."""

    name: str
    host: str
    version: str
    pid: int
    mode: Literal["daemon", "console", "oneshot"]
    started_at: str
    uptime_s: float
    loop_lag_ms: float
    last_round_age_s: float
    observer: Literal["ok", "suspect"]
    state_writable: bool
    config: ConfigInfo | None = None
    outbox: OutboxInfo | None = None


class State(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The state document."""

    schema: Literal["lifesign.state/1"]
    generated_at: str
    monitor: MonitorInfo
    overall: str
    counts: Counts
    components: list[Component]


class ComponentStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One component in the answer of `/api/health/status`."""

    name: str
    state: str
    optional: bool
    since: str
    diagnosis: str


class Status(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer of `/api/health/status`."""

    overall: str
    components: list[ComponentStatus]


class EventDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One event, as one line of the log and one entry of the history."""

    ts: str
    level: str
    event: str
    monitor: str | None = None
    component: str | None = None
    check: str | None = None
    incident: str | None = None
    message: str | None = None
    data: dict[str, Any] | None = None


# Learnt here, once: msgspec 0.22 crashes where two threads, as those of two requests, meet a type for the first time.
msgspec.json.Decoder(EventDocument)


class Events(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer of `/api/v1/events`. `next` is the `since` of the following call."""

    events: list[EventDocument]
    next: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An error after RFC 9457 (`application/problem+json`)."""

    title: str
    status: int
    detail: str = ""
    type: str = "about:blank"
