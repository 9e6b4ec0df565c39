"""One round of every check, then nothing: `lifesign check`, and `snapshot` where no daemon runs."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from msgspec.structs import replace as replace_fields

from lifesign import __version__
from lifesign.api.documents import Component, MonitorInfo, State
from lifesign.api.render import state_document
from lifesign.bootstrap.probes import probe_factory
from lifesign.checks.probe import Probe
from lifesign.config import CheckConfig, Config
from lifesign.core.model import CheckId
from lifesign.core.monitor import Monitor
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec
from lifesign.core.view import MonitorView
from lifesign.engine.clock import read_clocks
from lifesign.engine.looking import Looks
from lifesign.engine.one_round import look_once as look_at_everything
from lifesign.text import format_timestamp


def look_once(config: Config, names: Sequence[str]) -> State:
    """The state after each check of `names` ran once. KeyError: no such component."""
    known = {component.spec.name: component for component in config.components}
    chosen = [known[name] for name in dict.fromkeys(names)] if names else list(config.components)
    present = {component.spec.name for component in chosen}
    spec = MonitorSpec(tuple(_one_shot(component.spec, present) for component in chosen), one_shot=True)
    checks = {CheckId(c.spec.name, check.spec.name): check for c in chosen for check in c.checks}
    looks = Looks(
        {check_id: _factory(check_id, check, config) for check_id, check in checks.items()},
        {check_id: check.spec.timeout_ns for check_id, check in checks.items()},
        [secret.reveal() for secret in config.secrets],
    )
    started_s = time.time()
    monitor = Monitor(spec, read_clocks())
    look_at_everything(monitor, looks)
    view = monitor.view(read_clocks())
    state = state_document(view, _info(config, view, started_s))
    return replace_fields(state, components=[_without_a_future(component) for component in state.components])


def _without_a_future(component: Component) -> Component:
    """One run plans nothing, and opens no incident: those count the configured thresholds, over runs."""
    checks = [replace_fields(check, next_at=None) for check in component.checks]
    return replace_fields(component, next="", incident=None, checks=checks)


def _factory(check_id: CheckId, check: CheckConfig, config: Config) -> Callable[[], Probe]:
    if check.spec.type != "push":
        return probe_factory(check)
    from lifesign.bootstrap.hearsay import HearsayProbe

    return lambda: HearsayProbe(check_id, config.monitor.state_dir, check.spec.timeout_ns / 1_000_000_000)


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
        if folder.exists():
            return str(folder)
    return "/"
