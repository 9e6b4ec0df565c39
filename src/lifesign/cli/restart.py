"""`lifesign restart COMPONENT`: asks the daemon for a restart, and shows it as the transaction it is."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lifesign.cli import EXIT_REFUSED
from lifesign.cli.asking import asked, operator, reason_option
from lifesign.cli.options import config_option

if TYPE_CHECKING:
    from lifesign.api.client import Client
    from lifesign.api.documents import Component, RestartMade

_POLL_S = 0.25
_UNDER_WAY = frozenset({"restarting", "verifying"})


@click.command(name="restart")
@config_option
@click.argument("component")
@click.option("--no-wait", is_flag=True, help="Ask for it, and do not wait for what comes of it.")
@reason_option(required=False)
def command(config: str | None, component: str, no_wait: bool, reason: str | None) -> int:
    """Restart COMPONENT now, by the method of its config.

    Exit 0 once it works again, 1 where it was refused, failed, or came back and did no work.
    """
    with asked(config) as client:
        seen = _component(client, component)
        known = _newest_attempt(seen)
        client.act(component, "restart", author=operator(), reason=reason)
        click.echo(f"{component}: restart{aim_words(seen, reason)}{': not waited for' if no_wait else ''}")
        if no_wait:
            return 0
        return _follow(client, component, known)


def aim_words(seen: "Component | None", reason: str | None) -> str:
    """How, whom and why, as it stood before: ` by signal: SIGTERM, pid 4242, running for 3h05m (it hangs)`."""
    if seen is None or seen.restart is None:
        return ""
    words = f" by {seen.restart.method}"
    words += f": {seen.restart.how}" if isinstance(seen.restart.how, str) else ""
    pid = getattr(seen.process, "pid", None)
    words += f", pid {pid}" if pid is not None else ""
    started_at = getattr(seen.process, "started_at", None)
    if started_at is not None:
        age = _age(started_at)
        words += f", running for {age}" if seen.layers.may_live else f", began {age} ago, not seen now"
    return words + (f" ({reason})" if reason else "")


def _age(started_at: str) -> str:
    from lifesign.text import format_duration, parse_timestamp

    return format_duration(max(0, (time.time_ns() - parse_timestamp(started_at)) // 1_000_000_000))


def _follow(client: "Client", name: str, known: int) -> int:
    """Tells each step once, until it is decided; the exit code."""
    told = 0
    while True:
        seen = _component(client, name)
        if seen is None:
            raise click.ClickException(f"{name} is no longer watched")
        made = _made_after(seen, known)
        steps = list(_steps(made)) if made is not None else []
        for step in steps[told:]:
            click.echo(f"{name}: {step}")
        told = max(told, len(steps))
        if made is not None and made.outcome != "pending":
            return 0 if made.outcome == "productive" else EXIT_REFUSED
        if made is None and (seen.restart is None or seen.restart.phase not in _UNDER_WAY):
            raise click.ClickException(f"{name} was not restarted: {_why_not(seen)}")
        time.sleep(_POLL_S)


def _steps(made: "RestartMade") -> Iterator[str]:
    """What has happened so far, oldest first: the deed, the new process, its first work or the verdict."""
    if made.words:
        yield f"{made.words}"
    if made.process_after_s is not None:
        yield f"new process{f' {made.pid_after}' if made.pid_after else ''} after {made.process_after_s:.1f} s"
    if made.outcome == "productive":
        after = f"first work after {made.work_after_s:.1f} s: " if made.work_after_s is not None else ""
        yield f"{after}it works again"
    elif made.outcome == "unproductive":
        yield "no work in time: unproductive"
    elif made.outcome == "failed":
        yield "the restart failed"


def _why_not(seen: "Component") -> str:
    withheld = seen.restart.withheld if seen.restart is not None else None
    return withheld if isinstance(withheld, str) else "the log tells why (lifesign events)"


def _component(client: "Client", name: str) -> "Component | None":
    return next((component for component in client.state().components if component.name == name), None)


def _history(seen: "Component | None") -> "list[RestartMade]":
    history = seen.restart.history if seen is not None and seen.restart is not None else None
    return history if isinstance(history, list) else []


def _newest_attempt(seen: "Component | None") -> int:
    return max((made.attempt for made in _history(seen)), default=0)


def _made_after(seen: "Component", attempt: int) -> "RestartMade | None":
    return next((made for made in _history(seen) if made.attempt > attempt and not made.automatic), None)
