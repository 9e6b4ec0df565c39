"""Loading the config for a command: its problems become one line each, and the exit code 78."""

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from lifesign.cli import EXIT_CONFIG, CommandError
from lifesign.cli.saying import say

if TYPE_CHECKING:
    from lifesign.config import Config


class BadConfigError(CommandError):
    """A config that cannot be used; one problem a line."""

    exit_code = EXIT_CONFIG


def load_config(named: str | None, *, warn: bool = True, with_secrets: bool = True) -> "Config":
    """The config that `-c` named, or the one that is found. Its warnings go to standard error.

    `with_secrets=False` for whoever only asks the daemon: an operator's shell need not have the secrets, and a file
    that went bad, or away, under a running daemon is no reason not to ask it; the config has no components then.
    Raises BadConfigError.
    """
    from lifesign.config import ConfigError, ConfigNotFound, find_config, load

    try:
        config = load(find_config(named), with_secrets=with_secrets)
    except ConfigNotFound as error:
        return _of_a_running_daemon(named or os.environ.get("LIFESIGN_CONFIG"), str(error), with_secrets=with_secrets)
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
        return _of_a_running_daemon(str(find_config(named)), *problems, with_secrets=with_secrets)
    if warn:
        for warning in config.warnings:
            say(f"lifesign: warning: {warning}", err=True)
    return config


def _of_a_running_daemon(path: str | None, *problems: str, with_secrets: bool) -> "Config":
    """For whoever only asks it, what leads to the daemon that runs. Raises BadConfigError where none is found."""
    from lifesign.api.address import socket_path
    from lifesign.config.reading import salvage

    if path and not with_secrets:
        with contextlib.suppress(RuntimeError, OSError):
            found = salvage(Path(path))
            if _is_trusted(socket_path(found.monitor.state_dir), Path(path)):
                say(f"lifesign: warning: {problems[0]}; the daemon goes on with what it had", err=True)
                return found
    raise BadConfigError("\n".join(problems))


def _is_trusted(socket: Path, config: Path) -> bool:
    """Whether it is a socket, and, where others may have written the config that led to it, ours or root's.

    Raises OSError where there is none.
    """
    from lifesign.config.secret import refuse_foreign_writers

    info = socket.lstat()
    if not stat.S_ISSOCK(info.st_mode):
        return False
    try:
        refuse_foreign_writers(config.stat(), config)
    except FileNotFoundError:  # the socket is where the default leads
        return True
    except (OSError, ValueError):
        return info.st_uid in (os.geteuid(), 0)
    return True
