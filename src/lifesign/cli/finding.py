"""Where the daemon of a config keeps its state, for who only asks it. Not here: what is asked."""

from pathlib import Path

from lifesign.cli.loading import load_config


def daemon_dir(named: str | None) -> Path:
    """Of the config that `-c` named, or the one that is found. Raises BadConfigError.

    A glance is enough where that leads to a socket; else the whole config is read, and told what is wrong with it.
    """
    from lifesign.api.address import may_be_there, socket_path
    from lifesign.config.glance import glance
    from lifesign.config.problems import ConfigNotFound
    from lifesign.config.source import find_config

    try:
        seen = glance(find_config(named))
    except ConfigNotFound:
        seen = None
    if seen is not None and may_be_there(socket_path(seen.state_dir)):
        return seen.state_dir
    return load_config(named, warn=False, with_secrets=False).monitor.state_dir
