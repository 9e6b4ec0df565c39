"""What a config comes to: frozen, defaults applied, every path absolute. Not here: how (`resolve`)."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from lifesign.config.alert_types import Alert
from lifesign.config.check_types import Check
from lifesign.config.restart_types import Restart
from lifesign.config.secret import Secret
from lifesign.core.spec import CheckSpec, ComponentSpec
from lifesign.records import dataclass


@dataclass(frozen=True, slots=True)
class MonitorConfig:
    """The monitor itself. `history_s`: how long aggregates and events are kept, seconds."""

    name: str
    state_dir: Path
    history_s: float = 90 * 86400.0
    socket_group: str | None = None
    incident_snapshots: Path | None = None


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """The TCP listener. `port` 0 is any free one; certificate and key are both set or neither."""

    host: str
    port: int
    token: Secret | None = None
    certificate: Path | None = None
    key: Path | None = None
    insecure: bool = False
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    is_loopback: bool = True


@dataclass(frozen=True, slots=True)
class CheckConfig:
    """One check: what the core is told, and the keys of its type for the probe.

    In `options` of a heartbeat `path` and `stuck_after` are always set, except `stuck_after` where
    `progress` is false.
    """

    spec: CheckSpec
    options: Check


@dataclass(frozen=True, slots=True)
class ComponentConfig:
    """One component. `checks` are as many as in `spec`."""

    spec: ComponentSpec
    checks: tuple[CheckConfig, ...]
    restart: Restart | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """One config, ready to be built upon.

    `path` is absolute, None for the targets of `lifesign watch`. `secrets` are all that occur, so that
    they can be redacted. `stamp` and `text`: of the file as it was read (`source.stamp_of`); no part of what it says.
    """

    path: Path | None
    monitor: MonitorConfig
    components: tuple[ComponentConfig, ...]
    http: HttpConfig | None = None
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    console_keys: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    stamp: tuple[int, ...] | None = field(default=None, compare=False)
    text: str = field(default="", compare=False, repr=False)
