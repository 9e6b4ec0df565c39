"""`lifesign demo`: a stack on this machine that breaks, watched by the ordinary daemon. No config, no network."""

import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lifesign.cli.options import config_option
from lifesign.text import clean, parse_duration

if TYPE_CHECKING:
    from lifesign.demo.director import Outcome

_PIPE_WIDTH = 160


def _duration(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command(name="demo")
@config_option
@click.option("--headless", is_flag=True, help="No console: print the log, tell what breaks, end with a summary.")
@click.option(
    "--for",
    "duration_s",
    callback=_duration,
    metavar="DURATION",
    help="With --headless: begin nothing that would not end in time. Default: break everything once.",
)
def command(config: str | None, headless: bool, duration_s: float | None) -> int:
    """Break a small stack of real processes in ten ways, and see each told.

    Headless, the exit code is 0 if every break and every recovery was told.
    """
    del config  # every command takes -c; the demo writes its own
    from lifesign.demo.theatre import DemoError, is_success, play_headless, play_interactive

    if not headless and duration_s is not None:
        raise click.UsageError("--for needs --headless: the console runs until you leave it with q")
    if not headless and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("there is no terminal for the console: say --headless")
    try:
        if not headless:
            return play_interactive(_narrate)
        if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a sign must not end the show
            sys.stdout.reconfigure(errors="replace")
        outcomes = play_headless(duration_s, click.echo, _narrate)
    except DemoError as error:
        raise click.ClickException(clean(str(error))) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"the stack does not start: {clean(str(error))}") from None
    _print_summary(outcomes)
    return 0 if is_success(outcomes) else 1


def _narrate(line: str) -> None:
    click.secho(f"── {line}", bold=True)


def _print_summary(outcomes: Sequence["Outcome"]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    told = sum(outcome.is_complete for outcome in outcomes)
    table = Table(title=Text(f"{told} of {len(outcomes)} breaks and recoveries were told"))
    for heading in ("component", "what broke", "told", "back", "in these words"):
        table.add_column(heading, overflow="fold")
    for outcome in outcomes:
        times = _seconds(outcome.told_s), _seconds(outcome.recovered_s)
        cells = (outcome.component, outcome.title, *times, clean(outcome.words))
        table.add_row(*(Text(cell) for cell in cells))
    Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"
