"""`lifesign run`: watch headless until SIGTERM, and log every event."""

from pathlib import Path

import click

from lifesign.cli.loading import load_config
from lifesign.cli.options import config_option


@click.command(name="run")
@config_option
@click.option("--log-file", type=click.Path(dir_okay=False, path_type=Path), help="Append to FILE, rotated at 10 MiB.")
@click.option("--log-format", type=click.Choice(["json", "text"]), default="json", show_default=True)
@click.option("--dry-run", is_flag=True, help="Decide and log, do nothing: no restart, no alert.")
@click.option("--act", is_flag=True, hidden=True)
@click.option("--console-child", type=click.Path(path_type=Path), hidden=True)
def command(
    config: str | None, log_file: Path | None, log_format: str, dry_run: bool, act: bool, console_child: Path | None
) -> None:
    """Watch headless: judge every component, restart what is down, serve the API, log one line an event."""
    from lifesign.cli.serving import serve_config

    serve_config(
        load_config(config),
        log_file=log_file,
        log_format=log_format,
        console_child=console_child,
        dry_run=dry_run,
        act=act or console_child is None,
    )
