"""Options that commands share. Not here: any command, or loading what they name (`lifesign.cli.loading`)."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

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
