"""What went wrong with a command: a line each on standard error, and the exit code. No traceback."""

import os
import sys

import click

from lifesign.cli import COMMANDS, EXIT_REFUSED, EXIT_USAGE, NAGIOS_UNKNOWN, CommandError
from lifesign.text import clean


def told(error: BaseException, words: list[str]) -> int:
    """Tells `error`, which ended the command of `words`. Raises it where LIFESIGN_TRACEBACK asks to see where.

    For `check` and `snapshot --exit-code` everything is Nagios's "unknown".
    """
    nagios = words[0] == "check" or (words[0] == "snapshot" and "--exit-code" in words)
    match error:
        case click.UsageError():
            named = f"lifesign {words[0]}" if words[0] in COMMANDS else "lifesign"
            path = error.ctx.command_path if error.ctx else named
            return _complain(f"{error.format_message()} (see {path} --help)", NAGIOS_UNKNOWN if nagios else EXIT_USAGE)
        case click.ClickException():
            return _complain(error.format_message(), NAGIOS_UNKNOWN if nagios else error.exit_code)
        case CommandError():
            return _complain(str(error), NAGIOS_UNKNOWN if nagios else error.exit_code)
        case click.Abort() | KeyboardInterrupt():
            return 130
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what Python flushes at exit has no reader
            return 141
        case OSError():
            where = f"{clean(str(error.filename), 300)}: " if error.filename and error.strerror else ""
            return _complain(f"{where}{error.strerror or error}", NAGIOS_UNKNOWN if nagios else EXIT_REFUSED)
    if os.environ.get("LIFESIGN_TRACEBACK"):
        raise error
    what = f"{type(error).__name__}: {clean(str(error), 300)}"
    bug = f"lifesign itself failed: {what} (a bug: LIFESIGN_TRACEBACK=1 shows where)"
    return _complain(bug, NAGIOS_UNKNOWN if nagios else EXIT_REFUSED)


def _complain(message: str, code: int) -> int:
    for line in message.splitlines():
        click.echo(f"lifesign: {line}", err=True)
    return code
