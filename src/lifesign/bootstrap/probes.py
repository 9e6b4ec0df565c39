"""From a check's options to the probe that looks: one row a type."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from lifesign.checks.probe import Probe
from lifesign.config import CheckConfig
from lifesign.core.model import Observation

if TYPE_CHECKING:
    from lifesign.checks.push import PushProbe


def _timeout_s(check: CheckConfig) -> float:
    return check.spec.timeout_ns / 1_000_000_000


def _heartbeat(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.heartbeat import HeartbeatProbe

    return HeartbeatProbe(
        path=options.path,
        format=options.format,
        timestamp_key=options.timestamp,
        progress=options.progress,
        timeout_s=_timeout_s(check),
    )


def push_probe(check: CheckConfig, remembered: Observation | None = None) -> "PushProbe":
    """The probe of a push check, with the beat that is remembered of it."""
    from lifesign.checks.push import PushProbe

    options: Any = check.options
    assert check.spec.signal is not None
    due = None
    if options.schedule is not None:
        from lifesign.checks.due import DueTimes

        due = DueTimes(options.schedule, options.tz, float(options.late_after))
    stale_after_s = check.spec.signal.stale_after_ns / 1_000_000_000
    return PushProbe(stale_after_s=stale_after_s, due=due, remembered=remembered)


def _push(check: CheckConfig, options: Any) -> Probe:
    del options
    return push_probe(check)


def _log(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.log import LogProbe

    return LogProbe(
        path=options.path,
        pattern=options.pattern,
        fail_pattern=options.fail_pattern,
        stale_after_s=float(options.stale_after),
        timeout_s=_timeout_s(check),
    )


def _tcp(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.tcp import TcpProbe

    return TcpProbe(
        address=options.address,
        timeout_s=_timeout_s(check),
        send=options.send,
        expect=options.expect,
        tls=options.tls,
    )


def open_values(
    values: Mapping[str, Any], reader: Callable[[Any], Callable[[], str]] = attrgetter("reveal")
) -> dict[str, str | Callable[[], str]]:
    """Plain text as it is, a secret as the call that reads it: what is secret is redacted from messages."""
    return {name: value.reveal() if value.is_literal else reader(value) for name, value in values.items()}


def _http(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.http import HttpProbe

    return HttpProbe(
        url=options.url,
        timeout_s=_timeout_s(check),
        method=options.method,
        headers=open_values(options.headers),
        body=options.body,
        expect_status=options.expect_status,
        expect_body=options.expect_body,
        expect_json=options.expect_json or None,
        verify_tls=options.verify_tls,
        cert_days=options.cert_days,
    )


def _websocket(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.websocket import WebSocketProbe

    return WebSocketProbe(
        url=options.url,
        timeout_s=_timeout_s(check),
        headers=open_values(options.headers),
        send=options.send,
        expect=options.expect,
    )


def _process(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.process import ProcessProbe

    return ProcessProbe(
        pattern=options.pattern,
        name=options.name,
        pidfile=options.pidfile,
        pid=getattr(options, "pid", None),
        user=options.user,
        count=options.count,
        max_rss_bytes=options.max_rss,
        max_cpu=options.max_cpu,
        max_fds=options.max_fds,
        timeout_s=_timeout_s(check),
    )


def _syntax(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.syntax import SyntaxProbe

    return SyntaxProbe(paths=[str(path) for path in options.paths], python=options.python, timeout_s=_timeout_s(check))


def _command(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.command import CommandProbe

    env, cwd = open_values(options.env), str(options.cwd)
    return CommandProbe(argv=options.argv, timeout_s=_timeout_s(check), env=env, cwd=cwd)


def _systemd(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.systemd import SystemdProbe

    unit, is_user = options.unit or options.user_unit, options.unit is None
    return SystemdProbe(unit=unit, timeout_s=_timeout_s(check), is_user=is_user)


def _docker(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.docker import DockerProbe

    return DockerProbe(container=options.container, timeout_s=_timeout_s(check))


def _host(check: CheckConfig, options: Any) -> Probe:
    from lifesign.checks.host import HostProbe

    return HostProbe(
        timeout_s=_timeout_s(check),
        max_load=options.max_load,
        max_memory=options.max_memory,
        max_swap=options.max_swap,
        disk=options.disk.path if options.disk else None,
        min_free_bytes=options.disk.min_free.bytes if options.disk else None,
        min_free_percent=options.disk.min_free.percent if options.disk else None,
    )


_BUILDERS: Mapping[str, Callable[[CheckConfig, Any], Probe]] = {
    "heartbeat": _heartbeat,
    "push": _push,
    "log": _log,
    "tcp": _tcp,
    "http": _http,
    "websocket": _websocket,
    "process": _process,
    "syntax": _syntax,
    "command": _command,
    "systemd": _systemd,
    "docker": _docker,
    "host": _host,
}


class Maker:
    """Builds the probe of a check each time it is called: the first time, and whenever one has died.

    A class, since a closure for each of thousands of checks is five times as large.
    """

    __slots__ = ("_check",)

    def __init__(self, check: CheckConfig) -> None:
        self._check = check

    def __call__(self) -> Probe:
        return _BUILDERS[self._check.spec.type](self._check, self._check.options)
