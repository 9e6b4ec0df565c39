"""From the keys as written to what holds: thresholds, grace, paths. Not here: reading or judging the keys.

The rule of the thresholds (contract, "Keys of every check"): one counts as set on the check itself. Where
a check sets neither `failure_threshold` nor `failure_for`, `[defaults]` apply; where only `failure_for` is
set, at least two failures are asked for. Those of `[defaults]` do not reach heartbeat, push and log, whose
own are 1.
"""

from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec

from lifesign.config.check_types import Check, CommonKeys, Defaults, HeartbeatCheck, LogCheck, PushCheck
from lifesign.config.model import Component
from lifesign.config.probe_types import CommandCheck
from lifesign.config.resolved import CheckConfig, ComponentConfig
from lifesign.config.restart_types import Restart
from lifesign.config.values import Delay, Duration
from lifesign.core.model import NS_PER_S
from lifesign.core.spec import CheckSpec, ComponentSpec, RestartSpec, SignalPolicy
from lifesign.text import clean

T = TypeVar("T")
BUILT_IN = Defaults(
    interval=Duration(10),
    timeout=Duration(5),
    success_threshold=2,
    optional=False,
    grace=Delay(30),
    flap_changes=20,
    flap_window=Duration(600),
)
_FAILURES = 3
_FAILURES_WITH_FOR = 2
_STALE_AFTER = Duration(300)
_LATE_AFTER = Duration(300)


def _first(*values: T | None) -> T:
    return next(value for value in values if value is not None)


def failure_thresholds(check: CommonKeys, defaults: CommonKeys, *, judges_signal: bool) -> tuple[int, int | None]:
    """How many failures in a row, and for how many nanoseconds besides (None: no matter how long)."""
    owner = check
    if check.failure_threshold is None and check.failure_for is None:
        if judges_signal:
            return 1, None
        owner = defaults
    if owner.failure_for is None:
        return owner.failure_threshold or _FAILURES, None
    return owner.failure_threshold or _FAILURES_WITH_FOR, owner.failure_for.ns


def _signal_policy(options: Check) -> SignalPolicy | None:
    match options:
        case HeartbeatCheck():
            stuck_after_ns = options.stuck_after.ns if options.stuck_after is not None else None
            return SignalPolicy(options.stale_after.ns, stuck_after_ns, options.max_skew.ns)
        case PushCheck() if options.schedule is not None and options.stale_after is None:
            return SignalPolicy(_gap_ns(options) + (options.late_after or _LATE_AFTER).ns)
        case PushCheck():
            return SignalPolicy((options.stale_after or _STALE_AFTER).ns)
        case LogCheck():
            return SignalPolicy(options.stale_after.ns)
        case _:
            return None


def _gap_ns(options: PushCheck) -> int:
    """The longest that its schedule lets it rest."""
    from lifesign.config.cron import five_fields, longest_gap

    assert options.schedule is not None
    return int(longest_gap(five_fields(options.schedule), options.tz).total_seconds()) * NS_PER_S


def _complete(options: Check, component: str, folder: Path) -> Check:
    """Filled in: a heartbeat's path and `stuck_after`, a command's `cwd`, and how late a scheduled beat may come."""
    if isinstance(options, CommandCheck):
        return msgspec.structs.replace(options, cwd=options.cwd or folder)
    if isinstance(options, PushCheck) and options.schedule is not None:
        from lifesign.config.cron import five_fields

        late_after = options.late_after or _LATE_AFTER
        return msgspec.structs.replace(options, schedule=five_fields(options.schedule), late_after=late_after)
    if not isinstance(options, HeartbeatCheck):
        return options
    path, stuck_after = options.path, options.stuck_after
    if path is None:
        from lifesign.heartbeat import default_heartbeat_path

        path = default_heartbeat_path(component)
    if stuck_after is None and options.progress is not False and options.format not in ("text", "mtime"):
        stuck_after = options.stale_after
    return msgspec.structs.replace(options, path=path, stuck_after=stuck_after)


def resolve_check(
    name: str, options: Check, component: str, grace: Delay | None, defaults: CommonKeys, folder: Path
) -> CheckConfig:
    """One check with everything that holds for it. `grace` is the component's own, `folder` the config's."""
    options = _complete(options, component, folder)
    failure_threshold, failure_for_ns = failure_thresholds(options, defaults, judges_signal=options.judges_signal)
    inherited = 1 if options.judges_signal else defaults.success_threshold
    spec = CheckSpec(
        name=name,
        type=str(options.__struct_config__.tag),
        layer=_first(options.layer, defaults.layer, options.default_layer),
        interval_ns=_first(options.interval, defaults.interval, BUILT_IN.interval).ns,
        timeout_ns=_first(options.timeout, defaults.timeout, BUILT_IN.timeout).ns,
        failure_threshold=failure_threshold,
        failure_for_ns=failure_for_ns,
        success_threshold=_first(options.success_threshold, inherited, BUILT_IN.success_threshold),
        grace_ns=_first(options.grace, grace, defaults.grace, BUILT_IN.grace).ns,
        optional=_first(options.optional, defaults.optional, BUILT_IN.optional),
        flap_changes=_first(options.flap_changes, defaults.flap_changes, BUILT_IN.flap_changes),
        flap_window_ns=_first(options.flap_window, defaults.flap_window, BUILT_IN.flap_window).ns,
        signal=_signal_policy(options),
        path=str(Path.cwd() / options.path) if isinstance(options, HeartbeatCheck | LogCheck) and options.path else "",
    )
    return CheckConfig(_shared(spec), options)


@lru_cache(maxsize=256)
def _shared(spec: CheckSpec) -> CheckSpec:
    """One object for all that are specified alike: of a thousand ports that differ in their address, 300 kB."""
    return spec


def _restart_spec(restart: Restart | None) -> RestartSpec | None:
    if restart is None:
        return None
    method = str(restart.__struct_config__.tag)
    return RestartSpec(
        method=method,
        automatic=restart.automatic,
        max_unproductive=restart.max_unproductive,
        max_restarts=restart.max_restarts,
        after_ns=restart.after.ns,
        grace_ns=restart.grace.ns,
        backoff_initial_ns=restart.backoff.initial.ns,
        backoff_factor=restart.backoff.factor,
        backoff_max_ns=restart.backoff.max.ns,
        window_ns=restart.window.ns,
        how=str(restart.in_words),  # plain text, as whatever is written down has to be
    )


def resolve_component(name: str, component: Component, defaults: CommonKeys, folder: Path) -> ComponentConfig:
    """One component with its checks. `folder`: the config's."""
    resolved = {
        check: resolve_check(check, options, name, component.grace, defaults, folder)
        for check, options in component.checks.items()
    }
    checks = tuple(resolved.values())
    spec = ComponentSpec(
        name=name,
        checks=tuple(check.spec for check in checks),
        title=clean(component.title, 100),
        tags=tuple(dict.fromkeys(str(clean(tag, 64)) for tag in component.tags)),
        optional=component.optional,
        depends_on=component.depends_on,
        restart=_restart_spec(component.restart),
    )
    return ComponentConfig(spec, checks, component.restart)
