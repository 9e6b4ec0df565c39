"""From a sink's options to the sink that sends: one row a type. Not here: pings, which are no alerts (`alerting`)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lifesign.alerts.sink import Sink
from lifesign.bootstrap.probes import open_values
from lifesign.config import Config
from lifesign.config.alert_types import Alert as AlertOptions
from lifesign.config.alert_types import PingAlert
from lifesign.core.alerting import SinkSpec


def sink_specs(config: Config) -> tuple[SinkSpec, ...]:
    """When each sink that this version can do hears of what."""
    return tuple(
        SinkSpec(
            name,
            options.notify_after.ns,
            None if options.remind_every is None else options.remind_every.ns,
            options.min_update.ns,
            options.only,
            options.except_,
        )
        for name, options in alerting_options(config).items()
    )


def alerting_options(config: Config) -> dict[str, AlertOptions]:
    """The sinks that are told of incidents, by name."""
    return {name: options for name, options in config.alerts.items() if kind_of(options) in _BUILDERS}


def pings(config: Config) -> dict[str, PingAlert]:
    """The dead man's switches, by name."""
    return {name: options for name, options in config.alerts.items() if isinstance(options, PingAlert)}


def kind_of(options: AlertOptions) -> str:
    """The type as it stands in the config."""
    return str(options.__struct_config__.tag)


def build_sinks(config: Config) -> dict[str, Sink]:
    """Every sink of `config` that is told of incidents, by name."""
    folder = Path.cwd() if config.path is None else config.path.parent
    return {name: _BUILDERS[kind_of(options)](options, folder) for name, options in alerting_options(config).items()}


def _webhook(options: Any, folder: Path) -> Sink:
    from lifesign.alerts.webhook import Webhook

    del folder
    secret = None if options.secret is None else options.secret.reveal
    return Webhook(url=options.url.reveal, method=options.method, headers=open_values(options.headers), secret=secret)


def _command(options: Any, folder: Path) -> Sink:
    from lifesign.alerts.command import CommandSink

    return CommandSink(argv=options.argv, env=open_values(options.env), cwd=str(options.cwd or folder))


def _apprise(options: Any, folder: Path) -> Sink:
    from lifesign.alerts.apprise import AppriseSink

    del folder
    return AppriseSink(urls=[url.reveal for url in options.urls])


_BUILDERS: Mapping[str, Callable[[Any, Path], Sink]] = {
    "webhook": _webhook,
    "command": _command,
    "apprise": _apprise,
}
