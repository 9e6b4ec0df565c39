"""A config file in, a `Config` out, or every mistake at once."""

import importlib.util
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lifesign.config.alert_types import AppriseAlert
from lifesign.config.check_types import Defaults, HeartbeatCheck
from lifesign.config.collect import Collector
from lifesign.config.model import ConfigFile, Http, Monitor
from lifesign.config.place import default_state_dir, host_name
from lifesign.config.problems import ConfigError, ConfigProblem, show_path
from lifesign.config.resolve import resolve_component
from lifesign.config.resolved import ComponentConfig, Config, HttpConfig, MonitorConfig
from lifesign.config.restart_types import SignalRestart
from lifesign.config.rules import check_references
from lifesign.config.secret import read_trusted
from lifesign.config.sections import read_file
from lifesign.config.source import read_source, read_untrusted, stamp_of
from lifesign.config.values import Context

_PEM_LIMIT_BYTES = 1024 * 1024


def load(
    path: Path,
    environ: Mapping[str, str] = os.environ,
    *,
    with_secrets: bool = True,
    changes: Iterable[tuple[Sequence[str], object]] = (),
) -> Config:
    """The config in the file `path`, defaults applied; `changes` are values that stand at their keys instead.

    Raises ConfigError with every mistake in the file, in the order of their lines. Secrets are read
    once, to see that they are there, and not kept; without `with_secrets` not even that: whoever only
    asks the daemon needs none.
    """
    stamp = stamp_of(path)  # before it is read: what changes from here on is a change
    text, raw = read_source(path)
    homeless = [keys for keys, value in changes if not _put(raw, keys, value)]
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links: /etc stays /etc
    collector = Collector(Context(absolute.parent, environ, reads_secrets=with_secrets))
    for keys in homeless:
        collector.complain(tuple(keys), "what it would stand in is a value, and no table")
    file = read_file(raw, collector)
    check_references(raw, collector)
    if with_secrets and file is not None and file.http is not None:
        _check_pem_files(file.http, collector)
    if file is None or collector.findings:
        raise ConfigError(_problems(path, text, collector))
    try:
        return replace(_resolve(file, absolute, collector), stamp=stamp, text=text)
    except RuntimeError:  # there is no home folder to put a default into
        collector.complain((), "no home folder is known", "set HOME, or state_dir and the path of each heartbeat")
        raise ConfigError(_problems(path, text, collector)) from None


def _put(raw: dict[str, Any], keys: Sequence[str], value: object) -> bool:
    for key in keys[:-1]:
        inner = raw.get(key)
        raw = raw.setdefault(key, {}) if inner is None else inner
        if not isinstance(raw, dict):
            return False
    raw[keys[-1]] = value
    return True


def salvage(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Where the daemon of a config that cannot be used, or is gone, keeps its state: `[monitor]` alone, no component.

    A daemon goes on with the config that it had, and whoever only asks it need not be able to read the new one. What
    cannot be read is taken for its default. Nothing proves that others did not write it: do not act on it.
    Raises RuntimeError where no home folder is known.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - as in `load`
    collector = Collector(Context(absolute.parent, environ, reads_secrets=False))
    monitor = collector.struct(Monitor, read_untrusted(path).get("monitor", {}), ("monitor",))
    return Config(absolute, _monitor(monitor or Monitor(), absolute), ())


def _problems(path: Path, text: str, collector: Collector) -> list[ConfigProblem]:
    from lifesign.config.lines import key_lines, line_of  # on the error path alone

    lines = key_lines(text)
    found = {
        ConfigProblem(str(path), line_of(key, lines), show_path(key), reason, hint)
        for key, reason, hint in collector.findings
    }
    return sorted(found, key=lambda problem: (problem.line, problem.key, problem.reason))


def _check_pem_files(http: Http, collector: Collector) -> None:
    for name, path in (("certificate", http.certificate), ("key", http.key)):
        if path is None:
            continue
        try:
            read_trusted(path, _PEM_LIMIT_BYTES)
        except OSError as error:
            collector.complain(("http", name), f"cannot read {path}: {error.strerror}")
        except ValueError as error:
            collector.complain(("http", name), f"{path} is refused: {error}")
    if http.certificate is not None and http.key is not None and not collector.findings:
        _check_pair(http, collector)


def _check_pair(http: Http, collector: Collector) -> None:
    """Loads certificate and key as the server will: what OpenSSL refuses is refused here, with its line."""
    import ssl  # only where TLS is asked for

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(str(http.certificate), str(http.key), password=no_passphrase)
    except EncryptedKeyError:
        collector.complain(("http", "key"), f"{http.key} is encrypted: store it without a passphrase, mode 0600")
    except (ssl.SSLError, OSError, ValueError):
        collector.complain(("http", "certificate"), f"{http.certificate} and {http.key} are no certificate and its key")


class EncryptedKeyError(Exception):
    """A private key asks for a passphrase, and nobody is there to type one."""


def no_passphrase() -> str:
    """Never asks at the terminal. Raises EncryptedKeyError."""
    raise EncryptedKeyError


def _resolve(file: ConfigFile, path: Path, collector: Collector) -> Config:
    defaults = file.defaults or Defaults()
    components = [
        resolve_component(name, item, defaults, collector.context.base) for name, item in file.components.items()
    ]
    return Config(
        path=path,
        monitor=_monitor(file.monitor or Monitor(), path),
        http=None if file.http is None else _http(file.http),
        components=tuple(components),
        alerts=file.alerts,
        console_keys=dict(file.console.keys) if file.console else {},
        warnings=(*_warnings(file), *_of_signals(components)),
        secrets=tuple(collector.context.secrets),
    )


def _monitor(monitor: Monitor, path: Path) -> MonitorConfig:
    name = monitor.name or host_name()
    state_dir = monitor.state_dir or default_state_dir(name, path)
    return MonitorConfig(name, state_dir, float(monitor.history), monitor.socket_group, monitor.incident_snapshots)


def _http(http: Http) -> HttpConfig:
    hosts: tuple[str, ...] = tuple(http.allowed_hosts or ())
    if http.allowed_hosts is None:
        own = () if http.listen.host in ("0.0.0.0", "::") else (http.listen.host,)  # noqa: S104 - compared, not bound
        hosts = tuple(dict.fromkeys(("127.0.0.1", "localhost", *own)))
    return HttpConfig(
        host=http.listen.host,
        port=http.listen.port,
        token=http.token,
        certificate=http.certificate,
        key=http.key,
        insecure=http.insecure,
        allowed_hosts=hosts,
        is_loopback=http.listen.is_loopback,
    )


def _warnings(file: ConfigFile) -> Iterator[str]:
    """What is right as it stands, and will not work here all the same."""
    for name, options in file.alerts.items():
        if isinstance(options, AppriseAlert) and importlib.util.find_spec("apprise") is None:
            path = show_path(("alerts", name))
            yield f"{path} needs Apprise, which is not installed: pip install 'lifesign[apprise]'"


def _of_signals(components: Iterable[ComponentConfig]) -> Iterator[str]:
    """Restarts by a signal that could go to nobody. Any other heartbeat may hold a pid; without one it is refused."""
    for component in components:
        restart, checks = component.restart, [check.options for check in component.checks]
        if not isinstance(restart, SignalRestart) or restart.pidfile is not None:
            continue
        beats = [check for check in checks if isinstance(check, HeartbeatCheck)]
        is_seen = any(check.spec.type == "process" for check in component.checks)
        if beats and not is_seen and all(beat.format == "text" for beat in beats):
            path = show_path(("components", component.spec.name, "restart"))
            yield (
                f"{path}: no pid is ever in a heartbeat of text, so there is nothing to signal: set pidfile, or add a "
                "process check"
            )
