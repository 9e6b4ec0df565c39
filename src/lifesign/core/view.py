"""Frozen views of the core's state: what the surfaces get to see, made on request, never live."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from lifesign.core.model import CheckState, ComponentState, Identity, Instant, JsonValue, Layer, ObserverState
from lifesign.core.restart import Phase, RestartRecord
from lifesign.core.spec import CheckSpec, ComponentSpec
from lifesign.records import dataclass


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check as it stands. Times are wall clock nanoseconds, None where there is none yet. `lines`: of its log."""

    spec: CheckSpec
    state: CheckState
    consecutive_failures: int
    consecutive_successes: int
    last_at_wall_ns: int | None
    next_at_wall_ns: int | None
    latency_s: float | None
    message: str
    metrics: Mapping[str, float]
    data: Mapping[str, JsonValue]
    overdue: bool
    flapping: bool
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentView:
    """The open incident of a component. `url`: its issue in a tracker; the core knows of none."""

    id: str
    opened_at_wall_ns: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A silence, a hold or an acknowledgement. `until_wall_ns` is None where it ends with the incident."""

    author: str
    reason: str
    since_wall_ns: int
    until_wall_ns: int | None


@dataclass(frozen=True, slots=True)
class RestartView:
    """Where the restart of a component stands. `history`: the newest restarts, oldest first.

    `next_at_wall_ns`: when the next one is due, None where none is. `withheld`: why it is not made though it is due.
    `budget_left`: of the budget that all monitors of this host share; `budget_at_wall_ns`: when there is some again,
    None where there is.
    """

    phase: Phase
    unproductive: int
    budget_left: int
    last_at_wall_ns: int | None
    next_at_wall_ns: int | None
    withheld: str = ""
    history: tuple[RestartRecord, ...] = ()
    budget_at_wall_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ComponentView:
    """One component as it stands. `layers` has every layer; None where no check proves it.

    `staleness_s`, `stale_after_s`: of the work signal that is nearest to its limit; None without one. `process`: the
    one that was last seen behind it.
    """

    spec: ComponentSpec
    state: ComponentState
    since_wall_ns: int
    diagnosis: str
    next_step: str
    layers: Mapping[Layer, CheckState | None]
    last_work_wall_ns: int | None
    staleness_s: float | None
    stale_after_s: float | None
    consecutive_failures: int
    flapping: bool
    suppressed_by: str | None
    incident: IncidentView | None
    incarnation: int
    checks: tuple[CheckView, ...]
    silence: NoticeView | None = None
    hold: NoticeView | None = None
    acknowledged: NoticeView | None = None
    restart: RestartView | None = None
    process: Identity | None = None


@dataclass(frozen=True, slots=True)
class ComponentGlance:
    """What a health check is told of one component."""

    spec: ComponentSpec
    state: ComponentState
    since_wall_ns: int
    diagnosis: str


class Ages(NamedTuple):
    """What of a component's view goes on with the clock alone. `messages`: of its checks, in their order."""

    diagnosis: str
    next_step: str
    last_work_wall_ns: int | None
    staleness_s: float | None
    stale_after_s: float | None
    messages: tuple[str, ...]


AGE = "\ue000"  # stands for an age in words: a character that nothing else means


class Beat(NamedTuple):
    """How a view goes on in which nothing does with the clock but how long ago the work was: nearly all that work.

    `worked_ns`, `rests_ns`: since when that is, in words and as staleness, on the monotonic clock. `diagnosis`,
    `messages`: with `AGE` for the words.
    """

    worked_ns: int
    rests_ns: int
    diagnosis: str
    messages: tuple[str, ...]


class Standing(NamedTuple):
    """For how long the view of a component is right, but for its `Ages` where it `ages`.

    Up to `until_ns` on the monotonic clock, while nothing happens to the component (`revision`), no clock is stepped
    (`wall_ahead_ns`, `boot_ahead_ns`: how far they are ahead of the monotonic one), and the same dependency is down.
    Where there is a `beat` its ages are told by that. `face`: what is shown besides what looks find, where that is
    little: of one that just works.
    """

    revision: int
    until_ns: int
    wall_ahead_ns: int
    boot_ahead_ns: int
    suppressed_by: str | None
    ages: bool
    beat: Beat | None = None
    face: tuple[object, ...] | None = None


class Fresh(NamedTuple):
    """A component that is not shown as it was, and for how long that view is right."""

    view: ComponentView
    standing: Standing


class Looked(NamedTuple):
    """One that was looked at again and is shown as it was but for what looks find, and for how long that is right."""

    last_work_wall_ns: int | None
    checks: tuple[CheckView, ...]
    standing: Standing


Change: TypeAlias = Fresh | Looked | Ages


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of views that somebody has, at one instant. `components`: those that are not right as they are."""

    at: Instant
    overall: ComponentState
    observer: ObserverState
    components: Mapping[str, Change]


@dataclass(frozen=True, slots=True)
class MonitorView:
    """Everything at one instant, or of the components only those that were asked for."""

    at: Instant
    overall: ComponentState
    observer: ObserverState
    components: tuple[ComponentView, ...]
