"""From a sink's options to the sink that sends: one row a type. Not here: pings, which are no alerts (`alerting`)."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lifesign.alerts.forge import Forge
from lifesign.alerts.sink import Sink, SinkError
from lifesign.bootstrap.probes import open_values
from lifesign.config import Config, Secret, SecretError
from lifesign.config.alert_types import Alert as AlertOptions
from lifesign.config.alert_types import PingAlert
from lifesign.core.alerting import SinkSpec
from lifesign.records import dataclass


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


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What a sink needs besides its options: the config's folder, the monitor's name, who hears of small troubles."""

    folder: Path
    monitor: Callable[[], str]
    tell: Callable[[str], None]


def build_sinks(config: Config, tell: Callable[[str, str], None]) -> dict[str, Sink]:
    """Every sink of `config` that is told of incidents, by name. `tell` gets a sink's name and a sentence."""
    folder = Path.cwd() if config.path is None else config.path.parent
    return {
        name: _BUILDERS[kind_of(options)](
            options, SinkContext(folder, lambda: config.monitor.name, partial(tell, name))
        )
        for name, options in alerting_options(config).items()
    }


def revealed(secret: Secret) -> Callable[[], str]:
    """What reads it, each time anew: its file may be replaced. Raises SinkError, so that it is tried again."""

    def read() -> str:
        try:
            return secret.reveal()
        except SecretError as error:
            raise SinkError(str(error)) from None

    return read


def _webhook(options: Any, context: SinkContext) -> Sink:
    from lifesign.alerts.webhook import Webhook

    del context
    secret = None if options.secret is None else revealed(options.secret)
    return Webhook(
        url=revealed(options.url),
        method=options.method,
        headers=open_values(options.headers, revealed),
        secret=secret,
        body=options.body,
    )


def _command(options: Any, context: SinkContext) -> Sink:
    from lifesign.alerts.command import CommandSink

    return CommandSink(
        argv=options.argv, env=open_values(options.env, revealed), cwd=str(options.cwd or context.folder)
    )


def _apprise(options: Any, context: SinkContext) -> Sink:
    from lifesign.alerts.apprise import AppriseSink

    del context
    return AppriseSink(urls=[revealed(url) for url in options.urls], title=options.title, body=options.body)


def _tracker(options: Any, forge: Forge, context: SinkContext) -> Sink:
    from lifesign.alerts.tracker import Tracker, TrackerRules

    rules = TrackerRules(options.max_issues, options.reopen_within.ns / 1_000_000_000)
    return Tracker(forge, context.monitor, rules)


def _gitea(options: Any, context: SinkContext) -> Sink:
    from lifesign.alerts.gitea import Gitea

    forge = Gitea(url=str(options.url), repo=options.repo, **_shared(options, context))
    return _tracker(options, forge, context)


def _github(options: Any, context: SinkContext) -> Sink:
    from lifesign.alerts.github import PUBLIC, GitHub

    forge = GitHub(url=str(options.url or PUBLIC), repo=options.repo, **_shared(options, context))
    return _tracker(options, forge, context)


def _redmine(options: Any, context: SinkContext) -> Sink:
    from lifesign.alerts.redmine import Redmine

    tracker = options.tracker
    forge = Redmine(url=str(options.url), project=options.project, tracker=tracker, **_shared(options, context))
    return _tracker(options, forge, context)


def _shared(options: Any, context: SinkContext) -> dict[str, Any]:
    return {
        "token": revealed(options.token),
        "labels": options.labels,
        "assignees": options.assignees,
        "tell": context.tell,
    }


_BUILDERS: Mapping[str, Callable[[Any, SinkContext], Sink]] = {
    "webhook": _webhook,
    "command": _command,
    "apprise": _apprise,
    "gitea": _gitea,
    "forgejo": _gitea,  # its description has the same issue routes, with the same words
    "github": _github,
    "redmine": _redmine,
}
