"""`lifesign probe COMPONENT`: asks the daemon to look at a component now, and tells what it found."""

from dataclasses import replace

import click

from lifesign.cli.asking import asked
from lifesign.cli.options import config_option
from lifesign.tui.words import standing

ANSWERS_WITHIN_S = 5.0
PATIENCE_S = 60.0  # as long as the slowest of its checks may take


@click.command(name="probe")
@config_option
@click.argument("component")
def command(config: str | None, component: str) -> None:
    """Ask the daemon to look at COMPONENT now. Exit 0 once it has, whatever it found."""
    with asked(config, ANSWERS_WITHIN_S) as client:
        client.status()  # one that is stalled does not answer this either: then nobody waits for its looks
        seen = replace(client, timeout_s=PATIENCE_S).probe(component)
    click.echo(f"{seen.name}: {standing(seen.state, seen.diagnosis)}")
