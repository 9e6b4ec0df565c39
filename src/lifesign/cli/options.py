"""Options that commands share. Not here: any command, or loading what they name (`lifesign.cli.loading`)."""

from collections.abc import Callable, Mapping
from pathlib import Path
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


def form_of(
    wanted: str | None, output: Path | None, by_suffix: Mapping[str, str], default: str, *, as_json: bool
) -> str:
    """The form that `--format`, `--json` or the suffix of `--output` asks for. Raises UsageError for two at once."""
    if as_json and wanted not in (None, "json"):
        raise click.UsageError(f"--json and --format {wanted} exclude each other")
    return "json" if as_json else wanted or by_suffix.get(output.suffix.lower() if output else "", default)
