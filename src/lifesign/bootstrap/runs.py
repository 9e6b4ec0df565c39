"""What runs of one round remember from one to the next: streaks, incidents, restarts, and the events that tell of them.

Each run recalls what the one before knew, takes what it has just found by the configured thresholds, and stores what
came of it with its events, all in one transaction or not at all. The time between two runs counts like that between
two looks of a daemon (see `core.rounds`), by the monotonic clock where both ran since the same boot, so that neither a
step of the wall clock nor a night asleep makes a failure last; else by the wall clock. Not here: looking (`one_shot`),
and restarting (`run_restarts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lifesign.bootstrap.state_folder import RoundFolder, can_see
from lifesign.config import Config
from lifesign.core.events import Event
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import ComponentMemory, MonitorMemory, removed
from lifesign.core.model import CheckId, Instant, Observation
from lifesign.core.rounds import take_round
from lifesign.core.spec import ComponentSpec
from lifesign.engine.clock import read_clocks
from lifesign.engine.looking import Looks
from lifesign.records import dataclass

if TYPE_CHECKING:
    from lifesign.bootstrap.run_memory import RunMemory
    from lifesign.store.database import Database

FILE = "state.db"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TAKEN_OVER = "a daemon has taken the state folder meanwhile, and goes on from there"


@dataclass(frozen=True, slots=True)
class Round:
    """What one run found. `whole`: every component of the config was looked at, not only some that were named."""

    specs: Sequence[ComponentSpec]
    found: Mapping[CheckId, Observation]
    at: Instant
    whole: bool


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is held after a run. `trouble` is why it will not survive, in a sentence; empty if it does.

    `told`: what was said of restarts, in the order of events.
    """

    components: Mapping[str, TrackedComponent] = field(default_factory=dict)
    trouble: str = ""
    told: Sequence[Event] = ()


def remember(folder: RoundFolder, taken: Round, config: Config, acts_by: Looks | None = None) -> Remembered:
    """Takes a round into the memory of `folder`, and tells the sinks of `config`. Raises OSError.

    `acts_by`: what the last looks are made with before a component is restarted; None: nothing is restarted.
    """
    from lifesign.bootstrap.run_memory import RunMemory
    from lifesign.store.database import UnusableError

    secrets = [secret.reveal() for secret in config.secrets]
    memory = RunMemory(folder, monitor_name=config.monitor.name, secrets=secrets, boot=_boot_id())
    told: Sequence[Event] = ()
    try:
        with folder.shared() as is_ours:
            if not is_ours:  # a daemon has begun meanwhile
                return Remembered()
            with memory.opened() as database:
                components, events = _take(memory, database, taken)
                if acts_by is None:
                    _alert(config, components, memory, database, events, taken.at)
        if acts_by is not None:
            from lifesign.bootstrap.run_restarts import restart

            held = _all_held(config, components, memory.known, taken.at, _boot_id())
            told = restart(config, held, components, events, memory, acts_by)
            with memory.ours() as database_or_none:
                if database_or_none is None:
                    return Remembered(components, TAKEN_OVER, told)
                now = read_clocks()
                memory.write(database_or_none, [], components, now)
                _alert(config, components, memory, database_or_none, [*events, *told], now)
    except UnusableError as error:
        return Remembered(trouble=str(error), told=told)
    return Remembered(components, told=told)


def rehearse(folder: RoundFolder, taken: Round, config: Config) -> tuple[str, ...]:
    """What a run that found this would send, a line each. The memory of `folder` is read, and nothing is written."""
    if not config.alerts:
        return ()
    from lifesign.bootstrap.run_alerts import Held, would_send
    from lifesign.store.database import Database
    from lifesign.store.remembering import decode

    texts = Database(folder.path / FILE).peek(0, leaves_no_trace=True)[0] if can_see(folder.path / FILE) else {}
    known, boot = decode(texts), _boot_id()
    components, events = _follow(taken, known, boot)
    held = _all_held(config, components, known, taken.at, boot)
    return tuple(would_send(config, Held(held), texts, events, taken.at))


def _take(memory: "RunMemory", database: "Database", taken: Round) -> tuple[dict[str, TrackedComponent], list[Event]]:
    from lifesign.store.remembering import key_of

    memory.read(database)
    known = memory.known
    components, events = _follow(taken, known, _boot_id())
    gone: dict[str, str | None] = {}
    if taken.whole:
        names = {spec.name for spec in taken.specs}
        events += removed(known, names, taken.at)
        gone = {key_of(name): None for name in known.components if name not in names}
    memory.write(database, events, components, taken.at, gone)
    return components, events


def _all_held(
    config: Config, components: Mapping[str, TrackedComponent], known: MonitorMemory, now: Instant, boot: str
) -> dict[str, TrackedComponent]:
    """Those that were looked at, and the others as they were left; by the config's order."""
    others = [component.spec for component in config.components if component.spec.name not in components]
    held = {**_follow(Round(others, {}, now, whole=False), known, boot)[0], **components}
    return {component.spec.name: held[component.spec.name] for component in config.components}


def _alert(
    config: Config,
    components: Mapping[str, TrackedComponent],
    memory: "RunMemory",
    database: "Database",
    happened: Sequence[Event],
    now: Instant,
) -> None:
    if not config.alerts:
        return
    from lifesign.bootstrap.run_alerts import Held, alert  # only who has sinks pays for them

    def write(events: list[Event], texts: Mapping[str, str | None]) -> None:
        memory.write(database, events, {}, now, texts)

    held = _all_held(config, components, memory.known, now, _boot_id())
    alert(config, Held(held), memory.texts, happened, now, write)


def _follow(taken: Round, known: MonitorMemory, boot: str) -> tuple[dict[str, TrackedComponent], list[Event]]:
    components, events = {}, []
    for spec in taken.specs:
        memory = known.components.get(spec.name)
        if memory is not None:
            memory = _on_our_clock(memory, taken.at, boot)
        component, told = take_round(spec, memory, taken.found, taken.at)
        components[spec.name] = component
        events += told
    return components, events


def _on_our_clock(memory: ComponentMemory, now: Instant, boot: str) -> ComponentMemory:
    """With the moment it was taken as the wall clock would have had it, had nobody stepped it since."""
    if not boot or memory.boot != boot or memory.taken_mono_ns > now.mono_ns:
        return memory
    return replace(memory, taken_wall_ns=now.wall_ns - (now.mono_ns - memory.taken_mono_ns))


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return ""
