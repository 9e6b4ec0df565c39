"""`lifesign report`: uptime, and how long it took to detect, to recover, to work again."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifesign.cli.checking import refuse_unknown
from lifesign.cli.events import moment
from lifesign.cli.loading import load_config
from lifesign.cli.options import config_option, form_of
from lifesign.cli.writing import write_whole

if TYPE_CHECKING:
    from lifesign.api.report_documents import Report
    from lifesign.config import Config

_BY_SUFFIX = {".json": "json", ".html": "html", ".htm": "html"}


@click.command(name="report")
@config_option
@click.option(
    "--format", "wanted", type=click.Choice(["md", "html", "json"]), help="Default: by FILE's suffix, else md."
)
@click.option("--json", "as_json", is_flag=True, help="As --format json.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Written whole or not at all.")
@click.option("--component", metavar="NAME", help="Of this component alone.")
@click.option("--since", metavar="TIME", help="From this RFC 3339 time on, or for so long: 12h. Default: 24h to 90d.")
def command(
    config: str | None,
    wanted: str | None,
    as_json: bool,
    output: Path | None,
    component: str | None,
    since: str | None,
) -> None:
    """Tell the uptime of each component and layer, from the daemon if one runs, else from what is stored.

    Time in which nobody watched is no uptime and no downtime: it is told beside them.
    """
    from lifesign.api.failures import ClientError, Unreachable
    from lifesign.cli.asking import no_daemon

    form = form_of(wanted, output, _BY_SUFFIX, "md", as_json=as_json)
    start = moment(since)
    loaded = load_config(config, warn=False, with_secrets=False)
    if component is not None:
        refuse_unknown(loaded, (component,))
    try:
        found = _report(loaded, component, start)
    except Unreachable as error:
        raise no_daemon(error) from None
    except ClientError as error:
        raise click.ClickException(str(error)) from None
    content = _render(found, form)
    if output is None or str(output) == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        write_whole(output, content)


def _report(config: "Config", component: str | None, since: str | None) -> "Report":
    """The daemon's; where none runs, from what is stored. Raises ClientError where neither is to be had."""
    from lifesign.api.client import Client
    from lifesign.api.failures import Unreachable
    from lifesign.bootstrap.history import has_history

    try:
        return Client.of_state_dir(config.monitor.state_dir, timeout_s=60.0).report(component, since)
    except Unreachable:
        if not has_history(config.monitor.state_dir):
            raise
        from lifesign.bootstrap.reporting import stored_report
        from lifesign.text import parse_timestamp

        return stored_report(config, component, None if since is None else parse_timestamp(since))


def _render(found: "Report", form: str) -> bytes:
    if form == "json":
        import msgspec

        return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
    if form == "html":
        from lifesign.cli.report_page import render_report_page

        return render_report_page(found).encode()
    from lifesign.cli.report_words import render_report_markdown

    return render_report_markdown(found).encode()
