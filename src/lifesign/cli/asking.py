"""What the commands that ask the daemon for something share: the client, its refusals, and the simple actions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from lifesign.cli.loading import load_config
from lifesign.cli.options import config_option

if TYPE_CHECKING:
    from lifesign.api.client import Client
    from lifesign.api.documents import Component, Notice
    from lifesign.api.failures import ClientError


@contextmanager
def asked(config: str | None, timeout_s: float = 10.0) -> Iterator["Client"]:
    """A client of the config's daemon; what goes wrong with it becomes one line and exit code 1."""
    from lifesign.api.client import Client
    from lifesign.api.failures import ClientError, Unreachable

    loaded = load_config(config, warn=False, with_secrets=False)
    try:
        yield Client.of_state_dir(loaded.monitor.state_dir, timeout_s)
    except Unreachable as error:
        raise no_daemon(error) from None
    except ClientError as error:
        raise click.ClickException(str(error)) from None


def no_daemon(error: "ClientError") -> click.ClickException:
    """What to say, and what to do, where nobody answers."""
    return click.ClickException(f"no daemon answers: {error} (lifesign run starts one)")


def operator() -> str | None:
    """Who asks."""
    from lifesign.api.operator import operator_name

    return operator_name()


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in its stubs, not at run time
    """`10m`, `1h30m`, or seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from lifesign.text import parse_duration

        try:
            spelled = isinstance(value, str) and value.replace(".", "", 1).isdecimal()
            return parse_duration(float(value) if spelled else value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def reason_option(*, required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--reason TEXT` as the argument `reason`."""

    def said(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        del ctx, param
        if required and not (value or "").strip():
            raise click.UsageError("--reason must say why: it is shown and kept")
        return value

    shown = "Why: it is shown and kept."
    return click.option("--reason", metavar="TEXT", required=required, callback=said, help=shown)


def action_command(name: str, words: str, told: "Callable[[Component], str]") -> click.Command:
    """`lifesign NAME COMPONENT [--reason TEXT]`: does one action, and tells how the component stands by `told`."""

    @click.command(name=name, help=words)
    @config_option
    @click.argument("component")
    @reason_option(required=False)
    def command(config: str | None, component: str, reason: str | None) -> None:
        with asked(config) as client:
            seen = client.act(component, name, author=operator(), reason=reason)
        click.echo(f"{seen.name}: {told(seen)}")

    return command


def notice_words(what: str, notice: "Notice | None") -> str:
    """`silenced until 2026-11-21T15:03:22Z by root: vendor outage`."""
    if notice is None:
        return f"not {what}"
    until = f" until {notice.until}" if notice.until else ""
    reason = f": {notice.reason}" if notice.reason else ""
    return f"{what}{until} by {notice.author}{reason}"
