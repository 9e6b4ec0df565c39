"""`lifesign watch TARGET…`: judge targets without a config, in the console or headless."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifesign.cli.options import config_option

if TYPE_CHECKING:
    from lifesign.config import Config


@click.command(name="watch")
@config_option
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--headless", is_flag=True, help="No console: one line an event, until SIGTERM.")
@click.option("--log-file", type=click.Path(dir_okay=False, path_type=Path), help="With --headless: append to FILE.")
@click.option("--log-format", type=click.Choice(["json", "text"]), default="text", show_default=True)
@click.option("--console-child", type=click.Path(path_type=Path), hidden=True)
def command(
    config: str | None,
    targets: tuple[str, ...],
    headless: bool,
    log_file: Path | None,
    log_format: str,
    console_child: Path | None,
) -> int:
    """Watch targets without a config.

    \b
    tcp:HOST:PORT      http://HOST/PATH     ws://HOST/PATH
    heartbeat:PATH     process:PATTERN      pid:N
    syntax:GLOB        log:PATH?pattern=EXPRESSION
    Each takes keys of its check: 'heartbeat:hb.json?stale_after=1m&interval=5s'
    """
    del config  # every command takes -c; targets need none
    from lifesign.cli.serving import serve_config

    if log_file is not None and not headless:
        raise click.UsageError("--log-file needs --headless: the console keeps no log")
    chosen = _config(targets)
    if headless or console_child is not None:
        serve_config(chosen, log_file=log_file, log_format=log_format, console_child=console_child, lock=False)
        return 0
    return _console(targets)


def _config(targets: tuple[str, ...]) -> "Config":
    from lifesign.config.targets import TargetError, config_from_targets

    try:
        return config_from_targets(targets)
    except TargetError as error:
        raise click.UsageError(str(error)) from None


def _console(targets: tuple[str, ...]) -> int:
    from lifesign.cli.engine_child import EngineChild, EngineFailed
    from lifesign.cli.opening import open_console

    try:
        with EngineChild(["watch", *targets]) as engine:
            return open_console(connect=engine.connect, local=True)
    except EngineFailed as error:
        raise click.ClickException(str(error)) from None
