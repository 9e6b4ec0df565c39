"""`lifesign check`: one round of every check, then exit. For cron, Docker and Nagios."""

from typing import TYPE_CHECKING

import click

from lifesign.cli import NAGIOS_UNKNOWN
from lifesign.cli.loading import load_config
from lifesign.cli.options import config_option

if TYPE_CHECKING:
    from lifesign.config import Config

NAGIOS_CODES = {"healthy": 0, "degraded": 1, "starting": 1, "down": 2, "unknown": NAGIOS_UNKNOWN}


@click.command(name="check")
@config_option
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@click.option("--json", "as_json", is_flag=True, help="Print the state document.")
@click.option("--act", is_flag=True, help="Restart what is due by the config; a later run verifies it.")
@click.option("--dry-run", is_flag=True, help="No alert, nothing written; what would be sent is printed.")
def command(config: str | None, components: tuple[str, ...], as_json: bool, act: bool, dry_run: bool) -> int:
    """Run every check once and tell what is so now.

    Incidents, alerts and, with --act, restarts follow the configured thresholds, counted over runs. Where a daemon
    watches with the same state folder it only looks.

    The exit code is Nagios's: 0 healthy, 1 degraded or starting, 2 down, 3 unknown or an error.
    """
    from lifesign.bootstrap import one_run

    if act and dry_run:
        raise click.UsageError("--act restarts, and --dry-run does nothing: take one of them")
    loaded = load_config(config, warn=not as_json)
    refuse_unknown(loaded, components)
    ran = one_run(loaded, components, dry_run=dry_run, act=act)
    state = ran.state
    if ran.trouble:
        click.echo(f"lifesign: warning: {ran.trouble}", err=True)
    for line in ran.told:
        click.echo(f"lifesign: {line}", err=True)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(state))
    else:
        from lifesign.cli.present import print_state

        print_state(state)
    for line in ran.unsent:
        click.echo(line, err=as_json)
    return NAGIOS_CODES[state.overall]


def refuse_unknown(config: "Config", components: tuple[str, ...]) -> None:
    """Raises UsageError for a name that no component has, with the nearest one."""
    known = [component.spec.name for component in config.components]
    for name in components:
        if known and name not in known:  # none is known where only the daemon knows them
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise click.UsageError(f"there is no component {name!r}: {hint}")
