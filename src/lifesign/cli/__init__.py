"""The command line. One module a command; each is imported only when it is called.

Errors go to standard error, one line each, without a traceback. Exit codes: 0 done, 1 refused or
failed, 2 usage, 78 bad config; `check` and `snapshot --exit-code` follow the Nagios plugin API,
where usage and config errors are 3. Click is imported by whoever needs it: a plain `lifesign check` does not.
"""

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

_COMPLETION = "_LIFESIGN_COMPLETE"  # by click: a shell asks what may come next
_WIDTH_DIGITS = 4
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


class CommandError(Exception):
    """Why a command ends; each line of it is told. `exit_code`: what it ends with, but for Nagios's commands."""

    exit_code = EXIT_REFUSED


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits. Without one it is `console`."""
    _open_what_is_closed()
    _forget_a_width_that_is_none()
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


def _open_what_is_closed() -> None:
    """Whoever started us with a closed output (`>&-`) hears nothing, and gets the exit code all the same."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  until we end


def _forget_a_width_that_is_none() -> None:
    """A COLUMNS of 0, of words or of a million counts as not set: rich would take 0 at its word, and print nothing."""
    asked = os.environ.get("COLUMNS", "80")
    if not (asked.isascii() and asked.isdecimal() and 0 < len(asked.lstrip("0")) <= _WIDTH_DIGITS):
        del os.environ["COLUMNS"]


def _leave(code: int) -> NoReturn:
    """Ends this process without taking it apart piece by piece, which is a tenth of what one round costs."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)


def _run(words: list[str]) -> int:
    try:
        result = _plainly(words)
        if result is None:
            from lifesign.cli.group import group

            result = group.main(words, prog_name="lifesign", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, it is told, and raised where asked
        from lifesign.cli.mistakes import told

        return told(error, words)
    return result if isinstance(result, int) else 0


def _plainly(words: list[str]) -> int | None:
    """Runs what must start fast and is asked for in plain words; None for all else."""
    if _COMPLETION in os.environ:
        return None
    from lifesign.cli.plain_words import check_words, console_words, health_words

    if words[0] == "check" and (round_asked := check_words(words[1:])) is not None:
        from lifesign.cli.checking import check

        return check(round_asked)
    if words[0] == "health" and (health_asked := health_words(words[1:])) is not None:
        from lifesign.cli.asking_health import health

        return health(*health_asked)
    if words[0] == "console" and (console_asked := console_words(words[1:])) is not None:
        from lifesign.cli.opening import console

        return console(console_asked)
    return None
