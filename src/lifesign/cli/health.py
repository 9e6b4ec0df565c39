"""`lifesign health [COMPONENT]`: what `/api/health/status` says, as an exit code. A HEALTHCHECK without curl."""

from typing import TYPE_CHECKING

import click

from lifesign.cli.asking import no_daemon
from lifesign.cli.loading import load_config
from lifesign.cli.options import config_option
from lifesign.tui.words import standing

if TYPE_CHECKING:
    from lifesign.api.documents import ComponentStatus, Status

OK = 200
_QUIET = frozenset({"healthy", "starting", "paused"})


@click.command(name="health")
@config_option
@click.argument("component", required=False)
def command(config: str | None, component: str | None) -> int:
    """Ask the daemon whether all is well, or whether COMPONENT is.

    Exit 0 where /api/health/status says 200, 1 where it says 503 or nobody answers.
    """
    from lifesign.api.client import Client
    from lifesign.api.failures import ClientError, Unreachable

    client = Client.of_state_dir(load_config(config, warn=False, with_secrets=False).monitor.state_dir)
    try:
        if component is not None:
            status, one = client.component_status(component)
            line = _component_line(one)
        else:
            status, every = client.status()
            line = _overall_line(every)
    except Unreachable as error:
        raise no_daemon(error) from None
    except ClientError as error:
        raise click.ClickException(str(error)) from None
    click.echo(line)
    return 0 if status == OK else 1


def _overall_line(status: "Status") -> str:
    troubles = [_component_line(component) for component in status.components if component.state not in _QUIET]
    return "; ".join([status.overall, *troubles])


def _component_line(component: "ComponentStatus") -> str:
    state = f"{component.state} (optional)" if component.optional else component.state
    return f"{component.name} is {standing(component.state, component.diagnosis).replace(component.state, state, 1)}"
