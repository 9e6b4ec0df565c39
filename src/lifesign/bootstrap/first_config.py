"""A commented `lifesign.toml` from what was found: one that passes `validate`, and says of each line why it is there.

Not here: finding (`bootstrap.discovery`).
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lifesign.bootstrap.discovery import FoundHeartbeat, FoundPort, FoundService
from lifesign.text import clean, format_duration

_HEAD = """\
# lifesign: what runs on this machine, as `lifesign init` found it. Read it, rename, delete, and set the limits.
#   lifesign validate    every mistake at once
#   lifesign check       one round, now
#   lifesign             the console

[monitor]
# name = "{name}"

# [http]                       # /api/health/status for a load balancer or a HEALTHCHECK
# listen = "127.0.0.1:5199"

[defaults]
interval = "10s"
failure_threshold = 3          # this many failures in a row, before anybody is woken
"""
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_LEAST_STALE_S = 60.0
_PERIODS = 10


def first_config(services: Sequence[FoundService], beats: Sequence[FoundHeartbeat], host: str) -> str:
    """The text of the config. It names at least one component: this machine itself."""
    names = _Names()
    parts = [_HEAD.format(name=clean(host, 60).replace('"', ""))]
    parts += [_service(service, names.free(Path(service.script).stem or service.name)) for service in services]
    parts += [_heartbeat(beat, names.free(beat.path.stem)) for beat in beats]
    parts.append(_host(names.free("host")))
    return "\n".join(parts)


class _Names:
    """Component names: letters, digits, - _ . and each only once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, wanted: str) -> str:
        """`wanted` as a name, with a number behind it where it is taken."""
        base = _NOT_A_NAME.sub("-", wanted).strip("-.")[:56] or "service"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}-{number}"
        self._taken.add(name)
        return name


def _table(component: str, check: str) -> str:
    return f"[components.{_key(component)}.checks.{check}]"


def _key(name: str) -> str:
    return name if "." not in name else _text(name)


def _text(value: str) -> str:
    return json.dumps(clean(value, 1000), ensure_ascii=False)


def _service(service: FoundService, name: str) -> str:
    lines = [f"# {clean(service.name, 60)}, of {clean(service.user, 60)}", _table(name, "process"), 'type = "process"']
    if service.script:
        lines.append(f"pattern = {_text(_escaped(service.script))}")
    else:
        lines.append(f"name = {_text(service.name)}")
    lines.append(f"user = {_text(service.user)}")
    if service.left_out:
        lines.append(f"# it listens on {service.left_out} more ports, left out here")
    for port in service.ports:
        lines += ["", *_port(port, name, f"port-{port.port}")]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """`text` as an expression of RE2 that matches it and nothing else."""
    return re.sub(r"([^\w/ -])", r"\\\1", clean(text, 200), flags=re.ASCII)


def _port(port: FoundPort, component: str, check: str) -> Iterator[str]:
    address = f"[{port.host}]:{port.port}" if ":" in port.host else f"{port.host}:{port.port}"
    yield _table(component, check)
    if port.status is not None:
        yield 'type = "http"'
        yield f'url = "http://{address}/"'
        if not 200 <= port.status <= 299:
            yield f'expect_status = "{port.status}"       # what it answers today: name a better page'
        return
    yield 'type = "tcp"'
    yield f'address = "{address}"'
    if port.pongs:
        yield 'send = "PING\\r\\n"'
        yield 'expect = "PONG"'


def _heartbeat(beat: FoundHeartbeat, name: str) -> str:
    if beat.every_s is None:
        limit_s, why = max(300.0, 2 * beat.age_s), f"last written {format_duration(beat.age_s)} before this was made"
    else:
        limit_s = max(_LEAST_STALE_S, _PERIODS * beat.every_s)
        why = f"it was written about every {format_duration(beat.every_s)}"
    lines = [
        f"# a heartbeat{', which counts its work' if beat.has_cycle else ''}",
        _table(name, "heartbeat"),
        'type = "heartbeat"',
        f"path = {_text(str(beat.path))}",
        f'stale_after = "{_whole(limit_s)}"           # {why}',
    ]
    return "\n".join(lines) + "\n"


def _whole(seconds: float) -> str:
    minutes = -(-int(seconds) // 60)
    return f"{minutes}m" if minutes < 120 else f"{-(-minutes // 60)}h"


def _host(name: str) -> str:
    return "\n".join(
        [
            "# this machine itself: it degrades, and never turns the whole down",
            f"[components.{_key(name)}]",
            "optional = true",
            _table(name, "limits"),
            'type = "host"',
            'max_memory = "95%"',
            'disk = { path = "/", min_free = "5%" }',
            "",
        ]
    )


def default_folders() -> list[Path]:
    """Where programs usually put their heartbeats: here, below home, and in the run and state folders."""
    home = Path.home()
    hidden = sorted(path for path in home.glob(".*") if path.is_dir() and path.name not in (".cache", ".local"))
    return [Path.cwd(), home / ".local" / "state", *hidden, Path("/run"), Path("/var/lib")]
