"""`lifesign silence COMPONENT DURATION --reason TEXT`: no alerts for a while. The state stays what it is."""

import click

from lifesign.cli.asking import Duration, asked, notice_words, operator, reason_option
from lifesign.cli.options import config_option


@click.command(name="silence")
@config_option
@click.argument("component")
@click.argument("duration", type=Duration())
@reason_option(required=True)
def command(config: str | None, component: str, duration: float, reason: str) -> None:
    """Send no alerts of COMPONENT for DURATION (10m, 2h, 1d), but the end of what was told before. It hides nothing."""
    with asked(config) as client:
        seen = client.act(component, "silence", author=operator(), reason=reason, duration_s=duration)
    click.echo(f"{seen.name}: {notice_words('silenced', seen.silence)}")
