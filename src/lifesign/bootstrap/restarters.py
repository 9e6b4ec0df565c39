"""From a component's restart options to the restarter that acts, and to what it needs to prove its target.

One row a method. Not here: whether and when to restart.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lifesign.api.address import runtime_dir
from lifesign.config import ComponentConfig
from lifesign.processes.systemctl import unit_name
from lifesign.restarts.restarter import Restarter


def _signal(options: Any) -> Restarter:
    from lifesign.restarts.signal import SignalRestarter

    return SignalRestarter(signal=options.signal, pidfile=options.pidfile, escalate_s=options.escalate)


def _systemd(options: Any) -> Restarter:
    from lifesign.restarts.systemd import SystemdRestarter

    return SystemdRestarter(options.unit, escalate_s=options.escalate)


def _supervisor(options: Any) -> Restarter:
    from lifesign.restarts.supervisor import SupervisorRestarter

    return SupervisorRestarter(options.program, options.server, escalate_s=options.escalate)


def _docker(options: Any) -> Restarter:
    from lifesign.restarts.docker import DockerRestarter

    return DockerRestarter(options.container, escalate_s=options.escalate)


def _command(options: Any) -> Restarter:
    from lifesign.restarts.command import CommandRestarter

    env = {name: value.reveal() if value.is_literal else value.reveal for name, value in options.env.items()}
    return CommandRestarter(options.argv, env=env, cwd=options.cwd)


_BUILDERS: Mapping[str, Callable[[Any], Restarter]] = {
    "signal": _signal,
    "systemd": _systemd,
    "supervisor": _supervisor,
    "docker": _docker,
    "command": _command,
}


def restarter_for(component: ComponentConfig) -> Restarter | None:
    """Who restarts `component`; None where its config has no restart."""
    options = component.restart
    return None if options is None else _BUILDERS[_method(options)](options)


async def matcher_for(component: ComponentConfig) -> Callable[[int], bool] | None:
    """The component's process checks applied to one pid: whether each of them means it. None where there is none."""
    checks = [check.options for check in component.checks if check.spec.type == "process"]
    tests = [await _test(options) for options in checks]
    return (lambda pid: all(test(pid) for test in tests)) if tests else None


async def _test(options: Any) -> Callable[[int], bool]:
    from lifesign.checks.owner import uid_of_user
    from lifesign.checks.process_selection import Selection
    from lifesign.checks.process_table import read_process
    from lifesign.processes.stat import uid_of_process

    selection = Selection(pattern=options.pattern, name=options.name, user=options.user)
    uid = await uid_of_user(options.user, 5.0) if options.user is not None else None

    def means(pid: int) -> bool:
        try:
            process = read_process(pid)
        except OSError:
            return False
        if process is None or process.is_dead or not selection.matches(process):
            return False
        return options.user is None or (uid is not None and uid_of_process(pid) == uid)

    return means


def ledger_key(component: ComponentConfig) -> str:
    """What names the component's target alike in every monitor of this host, whatever each calls the component."""
    options: Any = component.restart
    method = _method(options)
    match method:
        case "systemd":
            name = options.unit.removeprefix("user:")
            target: object = ["system" if name == options.unit else "user", unit_name(name)]
        case "supervisor":
            from lifesign.restarts.supervisor import DEFAULT_SERVER

            target = [options.server or DEFAULT_SERVER, options.program]
        case "docker":
            target = options.container
        case "command":
            target = [options.argv, options.cwd]
        case _:
            target = options.pidfile or _process_or_heartbeat(component)
    return f"{method}:{json.dumps(target, default=str)}"


def _process_or_heartbeat(component: ComponentConfig) -> object:
    of_type = {check.spec.type: check.options for check in reversed(component.checks)}
    process: Any = of_type.get("process")
    if process is not None:
        return [process.pattern, process.name, process.pidfile, process.user]
    heartbeat: Any = of_type.get("heartbeat")
    return heartbeat.path if heartbeat is not None else component.spec.name


def ledger_folder() -> Path:
    """Where the ledgers of this user are. For root one place, whether or not a login session has its own."""
    if os.geteuid() == 0 and os.access("/run", os.W_OK):
        return Path("/run/lifesign")
    session = Path(f"/run/user/{os.geteuid()}")
    return session / "lifesign" if os.access(session, os.W_OK) else runtime_dir()


def _method(options: Any) -> str:
    return str(options.__struct_config__.tag)
