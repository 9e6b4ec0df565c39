"""The command line. One module a command; each is imported only when it is called.

Errors go to standard error, one line each, without a traceback. Exit codes: 0 done, 1 refused or
failed, 2 usage, 78 bad config; `check` and `snapshot --exit-code` follow the Nagios plugin API,
where usage and config errors are 3.
"""

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from lifesign import __version__
from lifesign.text import clean

EXIT_REFUSED, EXIT_USAGE, EXIT_CONFIG, NAGIOS_UNKNOWN = 1, 2, 78, 3

# name -> the line in `lifesign --help`; the command object is `lifesign.cli.NAME:command`
COMMANDS = {
    "console": "the terminal UI (also without any command)",
    "run": "watch headless, logging to a file or standard output",
    "check": "one round of every check, then exit: for cron, Docker and Nagios",
    "health": "ask the daemon: exit 0 or 1, a HEALTHCHECK without curl",
    "watch": "watch targets without a config: tcp:HOST:PORT, http://…, heartbeat:PATH, …",
    "snapshot": "write the health state to a file or standard output",
    "beat": "write a heartbeat, or run a job and write how it went",
    "events": "what happened, as the daemon remembers it, and what happens from now on",
    "report": "uptime by component and layer; how long to detect, to recover, to work again",
    "replay": "what another config would have made of what was recorded: alerts, restarts, thresholds",
    "probe": "ask the daemon to look at a component now",
    "restart": "restart a component, and wait until it works again or is known not to",
    "silence": "no alerts of a component for a while; the state stays what it is",
    "unsilence": "end a silence before its time",
    "hold": "no automatic restart and no alert for a while, of a component or --all: a deploy",
    "release": "end a hold before its time",
    "ack": "acknowledge an open incident: somebody has taken it",
    "pause": "stop the checks of a component",
    "resume": "start the checks of a component again",
    "rearm": "allow automatic restarts again after they were exhausted",
    "init": "write a commented config from what runs here",
    "alert": "--test SINK: a drill through the whole path of alerts, removed again afterwards",
    "validate": "check a config, or print its JSON Schema",
    "web": "the console in a browser on this machine, read-only unless --act",
    "demo": "a stack that lives on this machine and breaks; no config",
}


class _Commands(click.Group):
    """Knows the names of all commands and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"lifesign.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f": did you mean {near[0]}?" if near else ", see lifesign --help"
            raise click.UsageError(f"there is no command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lifesign")
def group() -> None:
    """Tells whether processes are working, not only whether they run."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits. Without one it is `console`."""
    words = _command_first(list(sys.argv[1:] if arguments is None else arguments))
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, "console")
    if words[0] != "check":
        sys.exit(_run(words))
    gc.disable()  # one round leaves no garbage worth a walk over all that was imported
    code = _run(words)
    if arguments is None:
        _leave(code)
    sys.exit(code)


def _command_first(words: list[str]) -> list[str]:
    """`lifesign -c FILE check …` means `lifesign check -c FILE …`."""
    before = 0
    if words and words[0] in ("-c", "--config"):
        before = 2
    elif words and words[0].startswith(("-c", "--config=")):
        before = 1
    if before and len(words) > before and words[before] in COMMANDS:
        return [words[before], *words[:before], *words[before + 1 :]]
    return words


def _leave(code: int) -> NoReturn:
    """Ends this process without taking it apart piece by piece, which is a tenth of what one round costs."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)


def _run(words: list[str]) -> int:
    nagios = words[0] == "check" or (words[0] == "snapshot" and "--exit-code" in words)
    try:
        result = group.main(words, prog_name="lifesign", standalone_mode=False)
    except click.UsageError as error:
        where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return _complain(f"{error.format_message()}{where}", NAGIOS_UNKNOWN if nagios else EXIT_USAGE)
    except click.ClickException as error:
        return _complain(error.format_message(), NAGIOS_UNKNOWN if nagios else error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what Python flushes at exit has no reader
        return 141
    except OSError as error:
        return _complain(f"{error.strerror or error}", NAGIOS_UNKNOWN if nagios else EXIT_REFUSED)
    except Exception as error:
        if os.environ.get("LIFESIGN_TRACEBACK"):
            raise
        what = f"{type(error).__name__}: {clean(str(error), 300)}"
        told = f"lifesign itself failed: {what} (a bug: LIFESIGN_TRACEBACK=1 shows where)"
        return _complain(told, NAGIOS_UNKNOWN if nagios else EXIT_REFUSED)
    return result if isinstance(result, int) else 0


def _complain(message: str, code: int) -> int:
    for line in message.splitlines():
        click.echo(f"lifesign: {line}", err=True)
    return code
