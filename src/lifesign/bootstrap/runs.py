"""What runs of one round remember from one to the next: streaks, incidents and the events that tell of them.

Each run recalls what the one before knew, takes what it has just found by the configured thresholds, and stores what
came of it with its events, all in one transaction or not at all. The time between two runs counts like that between
two looks of a daemon (see `core.rounds`), by the monotonic clock where both ran since the same boot, so that neither a
step of the wall clock nor a night asleep makes a failure last; else by the wall clock. Not here: looking (`one_shot`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from lifesign.api.render import event_document
from lifesign.config import Config
from lifesign.core.events import Event
from lifesign.core.incident import TrackedComponent
from lifesign.core.memory import ComponentMemory, MonitorMemory, removed
from lifesign.core.model import CheckId, Instant, Observation
from lifesign.core.rounds import take_round
from lifesign.core.spec import ComponentSpec
from lifesign.text import redact

FILE = "state.db"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Round:
    """What one run found. `whole`: every component of the config was looked at, not only some that were named."""

    specs: Sequence[ComponentSpec]
    found: Mapping[CheckId, Observation]
    at: Instant
    whole: bool


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is held after a run. `trouble` is why it will not survive, in a sentence; empty if it does."""

    components: Mapping[str, TrackedComponent] = field(default_factory=dict)
    trouble: str = ""


def remember(folder: Path, taken: Round, config: Config) -> Remembered:
    """Takes a round into the memory of `folder`, which nobody else uses meanwhile, and tells the sinks of `config`."""
    from lifesign.store.database import Database, UnusableError
    from lifesign.store.remembering import decode, encode, key_of

    database, boot = Database(folder / FILE), _boot_id()
    monitor_name, secrets = config.monitor.name, [secret.reveal() for secret in config.secrets]
    try:
        database.open()
        texts, _ = database.load(0)
        known = decode(texts)
        components, events = _follow(taken, known, boot)
        memories: dict[str, str | None] = {
            key_of(name): encode(replace(component.memory(taken.at), boot=boot, taken_mono_ns=taken.at.mono_ns))
            for name, component in components.items()
        }
        if taken.whole:
            names = {spec.name for spec in taken.specs}
            events += removed(known, names, taken.at)
            memories.update({key_of(name): None for name in known.components if name not in names})

        def write(events: list[Event], texts: Mapping[str, str | None]) -> None:
            database.write([_stored(event, monitor_name, secrets) for event in events], texts)

        write(events, memories)
        if config.alerts:
            _alert(config, _all_held(config, components, known, taken.at, boot), texts, taken.at, write)
    except UnusableError as error:
        return Remembered(trouble=str(error))
    finally:
        database.close()
    return Remembered(components)


def _all_held(
    config: Config, components: Mapping[str, TrackedComponent], known: MonitorMemory, now: Instant, boot: str
) -> dict[str, TrackedComponent]:
    """Those that were looked at, and the others as they were left."""
    others = [component.spec for component in config.components if component.spec.name not in components]
    return {**_follow(Round(others, {}, now, whole=False), known, boot)[0], **components}


def _alert(
    config: Config,
    components: Mapping[str, TrackedComponent],
    texts: Mapping[str, str],
    now: Instant,
    write: Callable[[list[Event], Mapping[str, str | None]], None],
) -> None:
    from lifesign.bootstrap.run_alerts import Held, alert  # only who has sinks pays for them

    alert(config, Held(components), texts, now, write)


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


def _stored(event: Event, monitor_name: str, secrets: Sequence[str]) -> tuple[str, str]:
    document = event_document(event, monitor_name)
    if secrets and document.message:
        document = msgspec.structs.replace(document, message=redact(document.message, secrets))
    return document.ts, msgspec.json.encode(document).decode()
