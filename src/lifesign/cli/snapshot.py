"""`lifesign snapshot`: the health state to a file or standard output, from the daemon or from one round of our own."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifesign.cli import NAGIOS_UNKNOWN
from lifesign.cli.checking import NAGIOS_CODES
from lifesign.cli.finding import daemon_dir
from lifesign.cli.loading import load_config
from lifesign.cli.options import config_option, form_of
from lifesign.cli.writing import write_whole

if TYPE_CHECKING:
    from lifesign.api.documents import State

_FORMATS = ("json", "md", "html", "svg", "text")
_BY_SUFFIX = {".json": "json", ".md": "md", ".html": "html", ".svg": "svg", ".txt": "text"}


@click.command(name="snapshot")
@config_option
@click.option("--format", "wanted", type=click.Choice(_FORMATS), help="Default: by FILE's suffix, else json.")
@click.option("--json", "as_json", is_flag=True, help="As --format json.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Written whole or not at all.")
@click.option("--exit-code", is_flag=True, help="Nagios's: 0 healthy, 1 degraded or starting, 2 down, 3 unknown.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the state document, and do nothing else.")
def command(
    config: str | None, wanted: str | None, as_json: bool, output: Path | None, exit_code: bool, schema: bool
) -> int:
    """Write the health state, asked from the daemon if one runs, else looked at now."""
    if schema:
        import json

        from lifesign.api.state_schema import state_schema

        click.echo(json.dumps(state_schema(), indent=2))
        return 0
    form = form_of(wanted, output, _BY_SUFFIX, "json", as_json=as_json)
    state = take_state(config)
    to_file = output is not None and str(output) != "-"
    if form == "text" and not to_file:
        from lifesign.cli.present import print_state

        print_state(state)
    elif output is None or not to_file:
        sys.stdout.buffer.write(render(state, form))
        sys.stdout.buffer.flush()
    else:
        write_whole(output, render(state, form))
    return NAGIOS_CODES.get(state.overall, NAGIOS_UNKNOWN) if exit_code else 0


def take_state(config: str | None) -> "State":
    """The daemon's state where one answers; one round of our own where none runs.

    A daemon that is there and refuses or stalls is an error, and no reason to look ourselves. Raises ClickException.
    """
    from lifesign.api.client import Client
    from lifesign.api.failures import ClientError, Unreachable

    try:
        return Client.of_state_dir(daemon_dir(config)).state()
    except Unreachable:
        from lifesign.bootstrap import one_shot_state

        loaded = load_config(config)
        if sys.stderr.isatty():  # for who looks: cron would mail it, and the document says `oneshot` itself
            words = "no daemon answers: this is one round of our own, without thresholds or grace"
            click.echo(f"lifesign: {words}", err=True)
        return one_shot_state(loaded)
    except ClientError as error:
        raise click.ClickException(str(error)) from None


def render(state: "State", form: str) -> bytes:
    """`state` as a file of that form."""
    if form == "json":
        import msgspec

        return msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n"
    if form == "html":
        from lifesign.tui.page import render_page

        return render_page(state).encode()
    if form == "svg":
        from lifesign.cli.coloured import render_svg

        return render_svg(state).encode()
    from lifesign.cli import present

    return (present.render_markdown(state) if form == "md" else present.render_text(state)).encode()
