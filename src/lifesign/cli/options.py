"""Options that commands share, and opening the config that they name. Not here: any command."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lifesign.cli import EXIT_CONFIG

if TYPE_CHECKING:
    from lifesign.config import Config

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """Add `-c/--config FILE` to a command, as the argument `config`: a path, or None for the usual places."""
    return click.option(
        "-c",
        "--config",
        "config",
        metavar="FILE",
        default=None,
        help="The config. Default: $LIFESIGN_CONFIG, ./lifesign.toml, the user's, then that in /etc.",
    )(function)


def open_config(config: str | None, exit_code: int = EXIT_CONFIG) -> "Config":
    """The config that `-c` names, or that of the usual places.

    Where there is none, or it is refused, tells every mistake on stderr, one line each, and ends the
    program with `exit_code`.
    """
    from lifesign.config import ConfigError, ConfigNotFound, find_config, load

    try:
        return load(find_config(config))
    except ConfigNotFound as error:
        click.echo(f"lifesign: {error}", err=True)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
    sys.exit(exit_code)
