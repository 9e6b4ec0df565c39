"""`lifesign web`: the console in a browser, on the loopback."""

import shlex
import sys

import click

from lifesign.cli.loading import load_config
from lifesign.cli.options import config_option


@click.command("web")
@config_option
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
@click.option("--act", is_flag=True, help="The browser may act: silence, restart. Without it, it only looks.")
def command(config: str | None, port: int, act: bool) -> int:
    """Serve the console to one browser on this machine; the URL that is printed opens it once."""
    from lifesign.tui.served import ConsoleServer, listening

    loaded = load_config(config, warn=False, with_secrets=False)
    argv = [sys.executable, "-m", "lifesign", "console", "-c", str(loaded.path), *([] if act else ["--read-only"])]
    try:
        listener = listening(port)
    except OSError as error:
        raise click.ClickException(f"cannot serve: {error.strerror or error}") from None
    ConsoleServer(f"exec {shlex.join(argv)}", listener, _tell).serve()
    return 0


def _tell(url: str) -> None:
    click.echo(f"lifesign: the console is at {url}")
    click.echo("lifesign: the URL opens it once; ctrl-c ends it")
