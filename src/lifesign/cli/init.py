"""`lifesign init`: a commented config from what runs here."""

import os
import platform
import sys
from pathlib import Path

import click

from lifesign.heartbeat import replace_file

WATCH_S = 3.0


@click.command("init")
@click.option(
    *("-c", "--config", "-o", "--output"),
    "output",
    default="lifesign.toml",
    metavar="FILE",
    help="What is written. Default: lifesign.toml; - prints it.",
)
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--prometheus", is_flag=True, help="Print alert rules for Prometheus, and do nothing else.")
def command(output: str, yes: bool, force: bool, prometheus: bool) -> int:
    """Look at listening ports, their processes and heartbeat files, and write a config that watches them."""
    if prometheus:
        from lifesign.cli.alert_rules import ALERT_RULES

        click.echo(ALERT_RULES, nl=False)
        return 0
    path = Path(output)
    if output != "-" and path.exists() and not force:
        raise click.ClickException(f"{path} exists: --force replaces it, -o FILE writes elsewhere")
    text = _look()
    if output == "-":
        click.echo(text, nl=False)
        return 0
    if not yes and not sys.stdin.isatty():
        raise click.ClickException("nobody is there to be asked: --yes writes it, -o - prints it")
    if not yes and not click.confirm(f"Write {path}?", default=True, err=True):
        return 1
    try:
        replace_file(path.absolute(), text.encode())
        os.chmod(path, 0o600)  # noqa: PTH101 - as everywhere: a config that others can write is refused
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}") from None
    click.echo(f"{path} written. Next: lifesign validate, lifesign check, lifesign")
    return 0


def _look() -> str:
    from lifesign.bootstrap.discovery import heartbeats, services
    from lifesign.bootstrap.first_config import default_folders, first_config

    found = services()
    beats = heartbeats(default_folders(), watch_s=WATCH_S)
    ports = sum(len(service.ports) for service in found)
    served = f"{counted(len(found), 'service')} on {counted(ports, 'port')}"
    click.echo(f"found {served}, and {counted(len(beats), 'heartbeat file')}", err=True)
    return first_config(found, beats, platform.node())


def counted(count: int, noun: str) -> str:
    """`no ports`, `1 port`, `2 ports`."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
