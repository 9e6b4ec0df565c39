"""`lifesign events`: the history, of the daemon or as it is stored, and what happens from now on."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifesign.cli.checking import refuse_unknown
from lifesign.cli.loading import load_config
from lifesign.cli.moments import moment_ns
from lifesign.cli.options import config_option

if TYPE_CHECKING:
    from lifesign.api.documents import EventDocument


LEVELS = ("INFO", "WARNING", "ERROR")


@click.command(name="events")
@config_option
@click.option("--component", metavar="NAME", help="Of this component alone.")
@click.option("--since", metavar="TIME", help="From this RFC 3339 time on, or for so long: 10m.")
@click.option("--level", type=click.Choice(LEVELS, case_sensitive=False), help="So loud, or louder.")
@click.option("--follow", is_flag=True, help="Go on with what happens, until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as in the log.")
def command(
    config: str | None, component: str | None, since: str | None, level: str | None, follow: bool, as_json: bool
) -> None:
    """Tell the newest events, oldest first: the daemon's, or, where none runs, those that are stored."""
    from lifesign.api.failures import ClientError, Unreachable
    from lifesign.cli.asking import no_daemon

    loaded = load_config(config, warn=False, with_secrets=False)
    if component is not None:
        refuse_unknown(loaded, (component,))
    try:
        for event in _events(loaded.monitor.state_dir, moment(since), follow=follow):
            if component in (None, event.component) and _is_loud(event, level):
                click.echo(_line(event, as_json=as_json))
    except Unreachable as error:
        raise no_daemon(error) from None
    except ClientError as error:
        raise click.ClickException(str(error)) from None


def _events(folder: Path, since: str | None, *, follow: bool) -> Iterator["EventDocument"]:
    """The daemon's; where none runs, what is stored. Raises ClientError where neither is to be had."""
    from lifesign.api.client import Client
    from lifesign.api.failures import Unreachable
    from lifesign.bootstrap.history import followed_events, has_history, stored_events

    client = Client.of_state_dir(folder)
    try:
        page = client.events(since)
    except Unreachable:
        if not has_history(folder):
            raise
        yield from followed_events(folder, since) if follow else stored_events(folder, since)
        return
    if since is not None and page.events:  # the daemon knows its newest alone: what is older is in the store
        first = page.events[0].ts
        yield from itertools.takewhile(lambda event: event.ts < first, stored_events(folder, since))
    while page.events:
        yield from page.events
        page = client.events(page.next)
    if follow:
        yield from client.follow_events(page.next)


def _is_loud(event: "EventDocument", level: str | None) -> bool:
    """Whether it is at `level` or above; one of a level that we do not know is told."""
    return level is None or event.level not in LEVELS or LEVELS.index(event.level) >= LEVELS.index(level)


def moment(since: str | None) -> str | None:
    """`--since`: an RFC 3339 time as it is; a duration as that long ago. Raises UsageError."""
    from lifesign.text import format_timestamp

    return None if since is None else format_timestamp(moment_ns("--since", since))


def _line(event: "EventDocument", *, as_json: bool) -> str:
    if as_json:
        import msgspec

        return msgspec.json.encode(event).decode()
    from lifesign.api.render import event_line

    return event_line(event)
