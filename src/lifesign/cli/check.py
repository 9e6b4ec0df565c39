"""`lifesign check`: its words, as click reads them. What it does with them is `cli.checking`."""

import click

from lifesign.cli.options import config_option


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
    from lifesign.cli.checking import check
    from lifesign.cli.plain_words import CheckWords

    if act and dry_run:
        raise click.UsageError("--act restarts, and --dry-run does nothing: take one of them")
    return check(CheckWords(config, components, as_json=as_json, act=act, dry_run=dry_run))
