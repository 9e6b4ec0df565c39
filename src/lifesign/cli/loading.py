"""Loading the config for a command: its problems become one line each, and the exit code 78."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifesign.cli import EXIT_CONFIG

if TYPE_CHECKING:
    from lifesign.config import Config


class BadConfigError(click.ClickException):
    """A config that cannot be used; one problem a line."""

    exit_code = EXIT_CONFIG


def load_config(named: str | None, *, warn: bool = True, with_secrets: bool = True) -> "Config":
    """The config that `-c` named, or the one that is found. Its warnings go to standard error.

    `with_secrets=False` for whoever only asks the daemon: an operator's shell need not have the secrets, and a file
    that went bad under a running daemon is no reason not to ask it; the config has no components then.
    Raises BadConfigError.
    """
    from lifesign.config import ConfigError, ConfigNotFound, find_config, load

    try:
        config = load(find_config(named), with_secrets=with_secrets)
    except ConfigNotFound as error:
        raise BadConfigError(str(error)) from None
    except ConfigError as error:
        running = None if with_secrets else _of_a_running_daemon(find_config(named))
        if running is None:
            raise BadConfigError("\n".join(str(problem) for problem in error.problems)) from None
        click.echo(f"lifesign: warning: {error.problems[0]}; the daemon goes on with what it had", err=True)
        return running
    if warn:
        for warning in config.warnings:
            click.echo(f"lifesign: warning: {warning}", err=True)
    return config


def _of_a_running_daemon(path: Path) -> "Config | None":
    from lifesign.api.address import socket_path
    from lifesign.config.load import salvage

    found = salvage(path)
    return found if found is not None and socket_path(found.monitor.state_dir).exists() else None
