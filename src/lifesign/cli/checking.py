"""What `lifesign check` does: one round of every check, told, and Nagios's exit code. For cron, Docker and Nagios."""

from typing import TYPE_CHECKING

from lifesign.cli import NAGIOS_UNKNOWN
from lifesign.cli.loading import load_config
from lifesign.cli.plain_words import CheckWords
from lifesign.cli.saying import say, say_bytes

if TYPE_CHECKING:
    from lifesign.config import Config

NAGIOS_CODES = {"healthy": 0, "degraded": 1, "starting": 1, "down": 2, "unknown": NAGIOS_UNKNOWN}


def check(asked: CheckWords) -> int:
    """Runs the round and tells it. Raises UsageError for a component that does not exist, BadConfigError."""
    from lifesign.bootstrap import one_run

    loaded = load_config(asked.config, warn=not asked.as_json)
    refuse_unknown(loaded, asked.components)
    ran = one_run(loaded, asked.components, dry_run=asked.dry_run, act=asked.act)
    state = ran.state
    if ran.trouble:
        say(f"lifesign: warning: {ran.trouble}", err=True)
    for line in ran.told:
        say(f"lifesign: {line}", err=True)
    if asked.as_json:
        import msgspec

        say_bytes(msgspec.json.encode(state) + b"\n")
    else:
        from lifesign.cli.present import print_state

        print_state(state)
    for line in ran.unsent:
        say(line, err=asked.as_json)
    return NAGIOS_CODES[state.overall]


def refuse_unknown(config: "Config", components: tuple[str, ...]) -> None:
    """Raises UsageError for all names that no component has, with the nearest ones."""
    known = [component.spec.name for component in config.components]
    missing = [name for name in dict.fromkeys(components) if name not in known]
    if not known or not missing:  # none is known where only the daemon knows them
        return
    from difflib import get_close_matches

    import click

    near = [get_close_matches(name, known, n=1) for name in missing]
    meant = dict.fromkeys(name for found in near for name in found)
    hint = f"did you mean {', '.join(meant)}?" if all(near) else f"there are {', '.join(known)}"
    raise click.UsageError(f"there is no component {' or '.join(map(repr, missing))}: {hint}")
