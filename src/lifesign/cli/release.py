"""`lifesign release COMPONENT|--all`: ends a hold before its time."""

import click

from lifesign.cli.asking import asked, notice_words, operator, reason_option
from lifesign.cli.options import config_option


@click.command(name="release", options_metavar="[OPTIONS] COMPONENT|--all")
@config_option
@click.option("--all", "everything", is_flag=True, help="Every component that is held.")
@click.argument("component", required=False, metavar="")
@reason_option(required=False)
def command(config: str | None, everything: bool, component: str | None, reason: str | None) -> None:
    """End the hold of COMPONENT, or of --all, before its time."""
    if everything is (component is not None):
        raise click.UsageError("say COMPONENT, or --all")
    with asked(config) as client:
        if component is None:
            client.act_on_all("release", author=operator(), reason=reason)
            click.echo("released everything that was held")
            return
        seen = client.act(component, "release", author=operator(), reason=reason)
    click.echo(f"{seen.name}: {notice_words('held', seen.hold)}")
