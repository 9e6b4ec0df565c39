"""The nouns that cross the core's border: closed sets and frozen values, nothing that acts."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from lifesign.records import dataclass

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

NS_PER_S = 1_000_000_000


class Verdict(StrEnum):
    """What one look found. `UNKNOWN` is neither a success nor a failure."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Layer(StrEnum):
    """What a check proves, in the order in which one rests upon the other."""

    STARTABLE = "startable"
    ALIVE = "alive"
    READY = "ready"
    WORKING = "working"


class CheckState(StrEnum):
    """What is held of a check; worst first in `WORST_CHECK_FIRST`."""

    PENDING = "pending"
    PASSING = "passing"
    WARNING = "warning"
    FAILING = "failing"
    FAILED = "failed"
    UNKNOWN = "unknown"


WORST_CHECK_FIRST = (
    CheckState.FAILED,
    CheckState.UNKNOWN,
    CheckState.FAILING,
    CheckState.WARNING,
    CheckState.PENDING,
    CheckState.PASSING,
)


class ComponentState(StrEnum):
    """What is held of a component, worst first."""

    PAUSED = "paused"
    DOWN = "down"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    STARTING = "starting"
    HEALTHY = "healthy"


class ObserverState(StrEnum):
    """Whether the monitor may trust its own eyes."""

    OK = "ok"
    SUSPECT = "suspect"


class CheckId(NamedTuple):
    """A check by its component's name and its own."""

    component: str
    check: str


@dataclass(frozen=True, slots=True)
class Instant:
    """One reading of three clocks, all in nanoseconds.

    `mono_ns` is CLOCK_MONOTONIC, on which everything is decided; `wall_ns` is CLOCK_REALTIME since
    the epoch, which is shown and stored; `boot_ns` is CLOCK_BOOTTIME, which also counts a suspend.
    """

    mono_ns: int
    wall_ns: int
    boot_ns: int

    def after(self, duration_ns: int) -> "Instant":
        """The instant `duration_ns` later on all three clocks."""
        return Instant(self.mono_ns + duration_ns, self.wall_ns + duration_ns, self.boot_ns + duration_ns)


@dataclass(frozen=True, slots=True)
class Identity:
    """One life of one process. `started_at` in Unix seconds, None where the source does not tell it."""

    pid: int
    started_at: float | None = None


@dataclass(frozen=True, slots=True)
class WorkSignal:
    """A proof of finished work as it was read: strictly typed and finite, not yet judged.

    `timestamp_ns`: when the work was finished, wall clock, nanoseconds since the epoch.
    `progress`: the value that must change, None where none is watched.
    `busy`: False where the writer says that there is no work; None where it says nothing.
    """

    timestamp_ns: int
    progress: int | float | str | None = None
    busy: bool | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One result of one look.

    `latency_s` in seconds; `metrics` by name, finite numbers; `data` JSON values, shown as they are.
    `signal`: what a heartbeat, push or log check read; the core turns it into staleness.
    `identity`: the process that was seen, where exactly one was; `several`: more than one was, and any may be meant;
    `stopped`: a signal has stopped one of them. `lines`: the newest of a log, oldest first; they are
    shown to people who ask why, decide nothing, and are not kept in the history.
    """

    verdict: Verdict
    message: str = ""
    latency_s: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    signal: WorkSignal | None = None
    identity: Identity | None = None
    several: bool = False
    stopped: bool = False
    lines: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.signal is not None and self.verdict is Verdict.UNKNOWN:
            raise ValueError("an observation that found nothing out carries no work signal")
