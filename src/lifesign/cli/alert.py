"""`lifesign alert --test SINK`: whether alerts would arrive there, before one must."""

import asyncio
from typing import TYPE_CHECKING

import click

from lifesign.cli import EXIT_REFUSED
from lifesign.cli.loading import load_config
from lifesign.cli.options import config_option

if TYPE_CHECKING:
    from lifesign.config import Config


@click.command("alert")
@config_option
@click.option(
    "--test", "sinks", metavar="SINK", multiple=True, required=True, help="The sink, as [alerts.SINK] has it."
)
def command(config: str | None, sinks: tuple[str, ...]) -> int:
    """Send a marked drill to a sink: it opens, and ends. A tracker's issue is closed and, where it can be, deleted.

    A daemon need not run, and does not notice. Exits with 0 where the sink took all of it, and with 1 where not.
    """
    from lifesign.bootstrap.drill import drill

    loaded = load_config(config)
    _refuse_unknown(loaded, sinks)
    failed = False
    for sink in dict.fromkeys(sinks):
        drilled = asyncio.run(drill(loaded, sink))
        for note in drilled.notes:
            click.echo(f"lifesign: warning: {sink}: {note}", err=True)
        if drilled.done:
            click.echo(f"{sink}: drill {', '.join(drilled.done)}")
        if drilled.trouble:
            click.echo(f"lifesign: {sink}: {drilled.trouble}", err=True)
        failed = failed or bool(drilled.trouble)
    return EXIT_REFUSED if failed else 0


def _refuse_unknown(config: "Config", sinks: tuple[str, ...]) -> None:
    """Raises UsageError for a name that no sink has, with the nearest one."""
    for name in sinks:
        if name not in config.alerts:
            from difflib import get_close_matches

            near = get_close_matches(name, config.alerts, n=1)
            known = f"there are {', '.join(config.alerts)}" if config.alerts else "the config has no [alerts.*]"
            raise click.UsageError(f"there is no sink {name!r}: {f'did you mean {near[0]}?' if near else known}")
