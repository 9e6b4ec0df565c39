"""`lifesign health [COMPONENT]`: what `/api/health/status` says, as an exit code. A HEALTHCHECK without curl."""

import click

from lifesign.cli.options import config_option


@click.command(name="health")
@config_option
@click.argument("component", required=False)
def command(config: str | None, component: str | None) -> int:
    """Ask the daemon whether all is well, or whether COMPONENT is.

    Exit 0 where /api/health/status says 200, 1 where it says 503 or nobody answers.
    """
    from lifesign.cli.asking_health import health

    return health(config, component)
