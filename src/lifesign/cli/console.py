"""`lifesign console`: its words, as click reads them. What it does with them is `cli.opening`."""

from pathlib import Path

import click

from lifesign.cli.options import config_option

_SSH_HELP = (
    "ssh://[user@]host[:port], by your own ssh. There it is the daemon of the config that lifesign finds; "
    "?config=PATH names another, /PATH its socket itself"
)


@click.command(name="console")
@config_option
@click.option("--connect", metavar="URL", help=f"Attach to unix:PATH, http://host:port, or {_SSH_HELP}.")
@click.option("--print-socket", is_flag=True, help="Print where the daemon of this config listens; nothing else.")
@click.option("--read-only", is_flag=True, help="Look, and ask the daemon for nothing.")
@click.option("--act", is_flag=True, help="Let an engine of the console's own act by itself.")
@click.option(
    "--snapshot",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Open an exported state document.",
)
def command(
    config: str | None, connect: str | None, print_socket: bool, read_only: bool, act: bool, snapshot: Path | None
) -> int:
    """The terminal UI.

    It attaches to the daemon of this config if one runs, else it watches by an engine of its own that ends with it.
    """
    from lifesign.cli.opening import console
    from lifesign.cli.plain_words import ConsoleWords

    return console(ConsoleWords(config, connect, print_socket, read_only, act, snapshot))
