"""One round of every check, then nothing: `lifesign check`, and `snapshot` where no daemon runs.

What is told is what is so now. What a run leaves behind for the next one is `runs`.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from msgspec.structs import replace as replace_fields

from lifesign import __version__
from lifesign.api.documents import Component, Incident, MonitorInfo, State
from lifesign.api.render import restart_document, state_document
from lifesign.bootstrap.hearsay import Hearsay, HearsayProbe
from lifesign.bootstrap.pauses import pauses
from lifesign.bootstrap.probes import Maker
from lifesign.bootstrap.runs import Remembered, Round, rehearse, remember
from lifesign.bootstrap.state_folder import RoundFolder, can_see, holder_of, trouble_with
from lifesign.checks.probe import Probe
from lifesign.config import CheckConfig, ComponentConfig, Config
from lifesign.core.component import worst_check
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import CheckId, Instant, Observation, Verdict
from lifesign.core.monitor import Monitor
from lifesign.core.operations import Notice
from lifesign.core.showing import component_view, next_restart
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec
from lifesign.core.view import MonitorView
from lifesign.engine.clock import read_clocks
from lifesign.engine.looking import LATE_S, Looks
from lifesign.engine.one_round import look_once as look_at_everything
from lifesign.records import dataclass
from lifesign.text import format_timestamp


def look_once(config: Config, names: Sequence[str]) -> State:
    """The state after each check of `names` ran once; nothing is remembered. KeyError: no such component."""
    return _look(config, chosen_of(config, names)).state


@dataclass(frozen=True, slots=True)
class Ran:
    """One run. `trouble`: why it was not counted though it should have been, in a sentence; empty if all is well.

    `told`: what was said of restarts, a line each; `unsent`: what a dry run would have sent.
    """

    state: State
    trouble: str = ""
    told: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()


def check_once(config: Config, names: Sequence[str], *, dry_run: bool, act: bool = False) -> Ran:
    """The same, and counts it in the memory of the state folder, unless `dry_run` or a daemon keeps that.

    With `act` it restarts what is due. Incident, streaks and restarts in the state are those over all runs, and so is
    since when it is so. KeyError: no such component.
    """
    chosen, folder = chosen_of(config, names), RoundFolder(config.monitor.state_dir)
    counts, trouble, is_ours = False, "", holder_of(folder.path) is None
    with ExitStack() as stack:
        if not dry_run and is_ours:
            try:
                counts = stack.enter_context(folder.alone(_patience_s(chosen)))
                trouble = "" if counts else "another lifesign check is still under way: looked, and counted nothing"
            except OSError as error:
                trouble = trouble_with(folder.path, error)
        looked = _look(config, chosen)
        taken = Round([c.spec for c in chosen], looked.found, looked.at, whole=not names)
        if counts:
            acts_by = _looks(config, chosen, Hearsay(config.monitor.state_dir)) if act else None
            remembered = _remember(config, folder, taken, acts_by)
            told = tuple(f"{event.component}: {event.message}" for event in remembered.told)
            return Ran(_with_memory(looked.state, remembered, acts=act), remembered.trouble, told)
    writable = looked.state.monitor.state_writable and not trouble.startswith("the state folder")
    monitor = replace_fields(looked.state.monitor, state_writable=writable)
    unsent = rehearse(folder, taken, config) if dry_run and is_ours else ()
    return Ran(replace_fields(looked.state, monitor=monitor), trouble, unsent=unsent)


def chosen_of(config: Config, names: Sequence[str]) -> list[ComponentConfig]:
    """The components of those names, each once; all of them without names. KeyError: no such component."""
    known = {component.spec.name: component for component in config.components}
    return [known[name] for name in dict.fromkeys(names)] if names else list(config.components)


def _patience_s(chosen: Sequence[ComponentConfig]) -> float:
    """As long as another run may take that looks at the same."""
    return LATE_S + max((check.spec.timeout_ns for c in chosen for check in c.checks), default=0) / 1_000_000_000


def _remember(config: Config, folder: RoundFolder, taken: Round, acts_by: Looks | None) -> Remembered:
    try:
        return remember(folder, taken, config, acts_by)
    except OSError as error:
        return Remembered(trouble=trouble_with(folder.path, error))


def _with_memory(state: State, remembered: Remembered, *, acts: bool) -> State:
    components = [
        _with_streaks(component, remembered.components[component.name], acts=acts)
        if component.name in remembered.components
        else component
        for component in state.components
    ]
    monitor = replace_fields(state.monitor, state_writable=not remembered.trouble)
    return replace_fields(state, monitor=monitor, components=components)


def _with_streaks(component: Component, held: TrackedComponent, *, acts: bool) -> Component:
    now = read_clocks()
    view = component_view(held, now, None)
    spec, governor = held.spec.restart, held.governor
    machines = {name: check.machine for name, check in held.checks.items()}
    checks = [
        replace_fields(
            check,
            consecutive_failures=machines[check.name].consecutive_failures,
            consecutive_successes=machines[check.name].consecutive_successes,
        )
        for check in component.checks
    ]
    incident = held.incident
    return replace_fields(
        component,
        since=format_timestamp(held.since_wall_ns) if held.state == component.state else component.since,
        checks=checks,
        consecutive_failures=worst_check([*held.checks.values()]).machine.consecutive_failures if checks else 0,
        restart=restart_document(spec, view) if spec is not None else None,
        next=next_restart(governor, now.mono_ns) if acts and governor is not None else component.next,
        incident=incident and Incident(id=incident.id, opened_at=format_timestamp(incident.opened.wall_ns)),
    )


@dataclass(frozen=True, slots=True)
class _Looked:
    state: State
    found: Mapping[CheckId, Observation]
    at: Instant


def _look(config: Config, chosen: Sequence[ComponentConfig]) -> _Looked:
    present = {component.spec.name for component in chosen}
    spec = MonitorSpec(tuple(_one_shot(component.spec, present) for component in chosen), one_shot=True)
    hearsay = Hearsay(config.monitor.state_dir)
    looks = _looks(config, chosen, hearsay)
    started_s = time.time()
    monitor = Monitor(spec, read_clocks())
    for name, notice in pauses(config.monitor.state_dir, present).items():
        monitor.leave_paused(name, Notice(notice.author, notice.reason, notice.since_wall_ns), read_clocks())
    look_at_everything(monitor, looks)
    now = read_clocks()
    view = monitor.view(now)
    state = state_document(view, _info(config, view, started_s))
    components = [hearsay.with_work(_without_a_future(component)) for component in state.components]
    return _Looked(replace_fields(state, components=components), _found(monitor, now), now)


def _looks(config: Config, chosen: Sequence[ComponentConfig], hearsay: Hearsay) -> Looks:
    checks = {CheckId(c.spec.name, check.spec.name): check for c in chosen for check in c.checks}
    return Looks(
        {check_id: _factory(check_id, check, hearsay) for check_id, check in checks.items()},
        {check_id: check.spec.timeout_ns for check_id, check in checks.items()},
        [secret.reveal() for secret in config.secrets],
    )


def _found(monitor: Monitor, now: Instant) -> dict[CheckId, Observation]:
    """What each look found. A failure while we did not run ourselves is no evidence in any later run either."""
    found = {}
    for component in monitor.components.values():
        for check in component.checks.values():
            last = check.last
            if last is not None and not check.is_sound and last.verdict is not Verdict.UNKNOWN:
                last = Observation(Verdict.UNKNOWN, check.message(now.mono_ns))
            if last is not None:
                found[check.id] = last
    return found


def _without_a_future(component: Component) -> Component:
    """One run plans nothing, and opens no incident: those count the configured thresholds, over runs."""
    checks = [replace_fields(check, next_at=None) for check in component.checks]
    return replace_fields(component, next="", incident=None, checks=checks)


def _factory(check_id: CheckId, check: CheckConfig, hearsay: Hearsay) -> Callable[[], Probe]:
    if check.spec.type != "push":
        return Maker(check)
    return lambda: HearsayProbe(check_id, hearsay, check.spec.timeout_ns / 1_000_000_000)


def _one_shot(spec: ComponentSpec, present: set[str]) -> ComponentSpec:
    """What is so now: one failure is a failure, without grace (contract, section 4, `lifesign check`)."""
    return replace(
        spec,
        checks=tuple(_at_once(check) for check in spec.checks),
        depends_on=tuple(parent for parent in spec.depends_on if parent in present),
    )


def _at_once(check: CheckSpec) -> CheckSpec:
    return replace(check, failure_threshold=1, failure_for_ns=None, success_threshold=1, grace_ns=0)


def _info(config: Config, view: MonitorView, started_s: float) -> MonitorInfo:
    return MonitorInfo(
        name=config.monitor.name,
        host=os.uname().nodename,
        version=__version__,
        pid=os.getpid(),
        mode="oneshot",
        started_at=format_timestamp(int(started_s * 1_000_000_000)),
        uptime_s=round(max(0.0, view.at.wall_ns / 1_000_000_000 - started_s), 3),
        loop_lag_ms=0.0,
        last_round_age_s=0.0,
        observer="ok",
        state_writable=os.access(_nearest_existing(config), os.W_OK),
    )


def _nearest_existing(config: Config) -> str:
    for folder in (config.monitor.state_dir, *config.monitor.state_dir.parents):
        if can_see(folder):
            return str(folder)
    return "/"
