"""`lifesign hold COMPONENT|--all DURATION --reason TEXT`: no automatic restart and no alert for a while."""

import click

from lifesign.cli.asking import Duration, asked, notice_words, operator, reason_option
from lifesign.cli.options import config_option


@click.command(name="hold", options_metavar="[OPTIONS] COMPONENT|--all")
@config_option
@click.option("--all", "everything", is_flag=True, help="Every component, as one.")
@click.argument("words", nargs=-1, metavar="DURATION", required=True)
@reason_option(required=True)
def command(config: str | None, everything: bool, words: tuple[str, ...], reason: str) -> None:
    """Keep COMPONENT, or --all, from automatic restarts and alerts for DURATION (10m, 2h): for a deploy, say."""
    if len(words) != (1 if everything else 2):
        raise click.UsageError("say COMPONENT DURATION, or --all DURATION")
    duration_s = Duration().convert(words[-1], None, click.get_current_context())
    with asked(config) as client:
        if everything:
            held = client.act_on_all("hold", author=operator(), reason=reason, duration_s=duration_s)
            many = len(held.components)
            click.echo(f"{many} component{'s are' if many != 1 else ' is'} held: {reason}")
            return
        seen = client.act(words[0], "hold", author=operator(), reason=reason, duration_s=duration_s)
    click.echo(f"{seen.name}: {notice_words('held', seen.hold)}")
