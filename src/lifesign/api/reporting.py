"""The report, `lifesign.report/1`: uptime and means of each component, made of the events that are kept.

Shares are 0 to 1, durations seconds, times UTC RFC 3339. Pure: no clock, no I/O. Not here: what a moment counts as
(`core.chronicle`), where the events come from, and the documents themselves (`api.report_documents`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lifesign.api.documents import EventDocument
from lifesign.api.report_documents import REPORT_SCHEMA, ComponentReport, Report, Window
from lifesign.core.chronicle import Known, Story, chronicle
from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S, ComponentState
from lifesign.core.spec import ComponentSpec
from lifesign.core.uptime import uptime
from lifesign.records import dataclass
from lifesign.text import format_timestamp, parse_timestamp

WINDOWS: Mapping[str, float] = {"24h": 86400.0, "7d": 7 * 86400.0, "30d": 30 * 86400.0, "90d": 90 * 86400.0}
KINDS = (
    "component.",
    "check.failed",
    "check.unknown",
    "check.passed",
    "monitor.",
    "clock.jumped",
    "restart.sent",
    "restart.productive",
    "operator.action",
)
_NAMES = {str(name): name for name in EventName}


@dataclass(frozen=True, slots=True)
class Subject:
    """One component to report on. `state`: what holds since `since_ns`; None where nobody knows."""

    spec: ComponentSpec
    state: ComponentState | None = None
    since_ns: int = 0

    @property
    def known(self) -> Known:
        """What the chronicle needs of it."""
        return Known({check.name: check.layer for check in self.spec.checks}, self.state, self.since_ns)


@dataclass(frozen=True, slots=True)
class Occasion:
    """When it is made, and for whom. `since_ns`: one window from then on; None for the usual ones.

    `watched_until_ns`: up to when somebody has watched, where nothing tells that he stopped.
    """

    monitor: str
    now_ns: int
    watched_until_ns: int
    since_ns: int | None = None

    def windows(self) -> dict[str, int]:
        """The start of each window, by its name."""
        if self.since_ns is not None:
            return {f"since {format_timestamp(self.since_ns)}": self.since_ns}
        return {name: self.now_ns - round(length_s * NS_PER_S) for name, length_s in WINDOWS.items()}


def report(documents: Iterable[EventDocument], subjects: Sequence[Subject], occasion: Occasion) -> Report:
    """The report on `subjects`, from events in the order in which they were told."""
    known = {subject.spec.name: subject.known for subject in subjects}
    stories = chronicle(_events(documents), known, occasion.watched_until_ns)
    return Report(
        schema=REPORT_SCHEMA,
        generated_at=format_timestamp(occasion.now_ns),
        monitor=occasion.monitor,
        components=[_component(subject, stories[subject.spec.name], occasion) for subject in subjects],
    )


def _events(documents: Iterable[EventDocument]) -> Iterator[Event]:
    for document in documents:
        name = _NAMES.get(document.event)
        if name is None:  # of another version
            continue
        try:
            at_ns = parse_timestamp(document.ts)
        except ValueError:
            continue
        yield Event(name, at_ns, document.component, document.check, document.incident, data=document.data or {})


def _component(subject: Subject, story: Story, occasion: Occasion) -> ComponentReport:
    spec = subject.spec
    return ComponentReport(
        name=spec.name,
        title=spec.title,
        optional=spec.optional,
        state=None if subject.state is None else str(subject.state),
        windows=[_window(name, start_ns, story, occasion.now_ns) for name, start_ns in occasion.windows().items()],
    )


def _window(name: str, start_ns: int, story: Story, now_ns: int) -> Window:
    seen = uptime(story, start_ns, now_ns)
    return Window(
        window=name,
        since=format_timestamp(start_ns),
        uptime=_ratio(seen.shares.uptime),
        watched=round(seen.shares.watched, 6),
        up_s=round(seen.shares.up_s, 3),
        down_s=round(seen.shares.down_s, 3),
        unknown_s=round(seen.shares.unknown_s, 3),
        paused_s=round(seen.shares.paused_s, 3),
        unwatched_s=round(seen.shares.unwatched_s, 3),
        incidents=seen.incidents,
        restarts=seen.restarts,
        restarts_productive=seen.productive,
        mean_detect_s=_seconds(seen.mean_detect_s),
        mean_recover_s=_seconds(seen.mean_recover_s),
        mean_first_work_s=_seconds(seen.mean_first_work_s),
        layers={str(layer): _ratio(shares.uptime) for layer, shares in seen.layers.items()},
    )


def _ratio(value: float | None) -> float | None:
    """Rounded down, so that 100 % means never down."""
    return None if value is None else int(value * 1_000_000) / 1_000_000


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
