"""`lifesign probe COMPONENT`: asks the daemon to look at a component now, and tells what it found."""

import click

from lifesign.cli.loading import load_config
from lifesign.cli.options import config_option


@click.command(name="probe")
@config_option
@click.argument("component")
def command(config: str | None, component: str) -> None:
    """Ask the daemon to look at COMPONENT now. Exit 0 once it has, whatever it found."""
    from lifesign.api.client import Client
    from lifesign.api.failures import ClientError

    loaded = load_config(config, warn=False, with_secrets=False)
    client = Client.of_state_dir(loaded.monitor.state_dir, timeout_s=60.0)
    try:
        seen = client.probe(component)
    except ClientError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{seen.name}: {seen.state}: {seen.diagnosis}")
