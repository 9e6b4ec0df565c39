"""`lifesign beat`: a heartbeat from the shell, for a loop (`lifesign beat NAME`) or around a job (`… -- CMD`).

A job's file tells its last *success*: `timestamp` and `cycle` move only when it ends with 0. Not here: running it
(`lifesign.cli.job`), the file and its rules (`lifesign.heartbeat`). A loop calls it often: of a config that is found
it reads where NAME beats, and without one it loads click and the standard library alone.
"""

import json
import math
import os
import re
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from lifesign.heartbeat import SIZE_LIMIT_BYTES, STATUSES, encode_heartbeat, heartbeat_path, replace_file
from lifesign.text import clean, parse_timestamp

_JOB = "lifesign.job"
_CONFIG_HELP = (
    "Write where the heartbeat check of NAME in this config looks. Default: the one that is found, if it has one."
)
_PATH_HELP = "The file. Default: -c, $LIFESIGN_HEARTBEAT, where a config that is found looks, that of NAME."
_TOLD_BY_THE_JOB = ("timestamp", "status", "busy", "message", "duration_s")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
_LARGEST_CYCLE = 2**63 - 1
_NS_PER_S = 1_000_000_000


class _JobCommand(click.Command):
    """click drops the first `--` and forgets where it stood; here it parts the fields from the job."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[_JOB] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- CMD...]"]


@click.command("beat", cls=_JobCommand)
@click.option("-c", "--config", metavar="FILE", help=_CONFIG_HELP)
@click.option("--path", type=click.Path(path_type=Path), help=_PATH_HELP)
@click.argument("name")
@click.argument("fields", nargs=-1, metavar="[KEY=VALUE]...")
@click.pass_context
def command(ctx: click.Context, config: str | None, path: Path | None, name: str, fields: tuple[str, ...]) -> None:
    """Write a heartbeat for NAME: a piece of its work was finished just now.

    Without cycle=N the count in the file goes up by one. Say pid=$$ if the writer may be restarted by a signal.

    With -- CMD: run it, write its start and its success or failure, and exit as it did.
    """
    job = ctx.meta.get(_JOB)
    try:
        given = parse_fields(fields)
        if job is not None:
            _refuse_what_the_job_tells(given, job)
        file = heartbeat_path(_configured_path(config, name) if path is None else path, name)
    except (ValueError, RuntimeError) as error:
        raise click.UsageError(clean(str(error)), ctx) from None
    if job is not None:
        ctx.exit(_run_job(job, file, given))
    try:
        replace_file(file, encode_heartbeat({"timestamp": time.time(), "cycle": _next_cycle(_previous(file)), **given}))
    except (OSError, ValueError) as error:
        raise click.ClickException(f"no heartbeat written: {clean(str(error))}") from None


def _configured_path(named: str | None, name: str) -> Path | None:
    """Where the config looks for heartbeats of `name`; None where no `-c` named one and nothing that is found does.

    `$LIFESIGN_HEARTBEAT` was meant for this program, and comes before a config that only lies there. What is wrong
    with such a one is told, and keeps no job from running. Raises ValueError and BadConfigError for what `-c` named.
    """
    if named is None and os.environ.get("LIFESIGN_HEARTBEAT"):
        return None
    from lifesign.config.problems import ConfigError, ConfigNotFound
    from lifesign.config.source import find_config

    try:
        config = find_config(named)
        if named is None and not os.access(config, os.R_OK):
            return None
        from lifesign.config.beat_path import beat_path

        return beat_path(config, name)
    except (ConfigNotFound, LookupError, ConfigError, ValueError) as error:
        _go_on_without_it(error, named)
        return None


def _go_on_without_it(error: Exception, named: str | None) -> None:
    """Goes on without the config, where nobody named one. Raises ValueError, BadConfigError."""
    from lifesign.cli.loading import BadConfigError
    from lifesign.config.beat_path import UnreadError
    from lifesign.config.problems import ConfigError, ConfigNotFound

    if named is None:
        if isinstance(error, UnreadError) or not isinstance(error, (ConfigNotFound, LookupError)):
            click.echo(f"lifesign beat: warning: not by the config: {clean(str(error))}", err=True)
        return
    if isinstance(error, (ConfigNotFound, ConfigError)):
        raise BadConfigError(str(error))
    raise ValueError(str(error))


def parse_fields(fields: Sequence[str]) -> dict[str, Any]:
    """The fields of `KEY=VALUE…`: a JSON number, true, false or null is one, all else is text.

    Raises ValueError with one line for the user, also for a key with a meaning whose value is not of its type.
    """
    given: dict[str, Any] = {}
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals or not key:
            raise ValueError(f"{field!r} is not KEY=VALUE")
        if key in given:
            raise ValueError(f"{key} is given twice")
        given[key] = _value(key, value)
    encode_heartbeat({"timestamp": 1, **given})  # raises for what would not go into the file
    return given


def _value(key: str, value: str) -> Any:
    if key in ("message", "status"):
        return value
    if key in ("timestamp", "started_at") and not _NUMBER.fullmatch(value):
        return parse_timestamp(value) / _NS_PER_S
    if value in _WORDS:
        return _WORDS[value]
    if not _NUMBER.fullmatch(value):
        return value
    number = json.loads(value) if len(value) <= 100 else math.inf
    if not math.isfinite(number):
        raise ValueError(f"{key}={value:.40} is beyond every number")
    return number


def _refuse_what_the_job_tells(given: Mapping[str, Any], job: Sequence[str]) -> None:
    if not job:
        raise ValueError("no command after --")
    for key in _TOLD_BY_THE_JOB:
        if key in given:
            raise ValueError(f"{key} is told by the job itself: leave it out before --")


def _run_job(argv: Sequence[str], file: Path, given: Mapping[str, Any]) -> int:
    from lifesign.cli import job

    data = {key: value for key, value in given.items() if key != "cycle"}
    # The program alone: arguments may hold a secret, and a heartbeat is shown in many places.
    program = clean(Path(argv[0]).name, 80)
    # No pid: each run has another one, which would be a new life of the component, without a duty of its own yet.
    started_at, started = time.time(), time.monotonic()
    with job.SignalsHeld() as held:
        before = {"timestamp": started_at, **_kept(_previous(file))}
        _tell(file, {**before, "busy": True, "message": f"running: {program}", **data})
        ending = job.run(argv, held)
        data["duration_s"] = round(time.monotonic() - started, 3)
        previous = _previous(file)  # again: the job may have written it too
        if ending.failure:
            failed = {"timestamp": started_at, **_kept(previous), "status": "error", "message": ending.failure}
            _tell(file, {**failed, "busy": False, **data})
        else:
            cycle = given.get("cycle", _next_cycle(previous))
            _tell(file, {"timestamp": time.time(), "cycle": cycle, "status": "ok", "busy": False, **data})
    if not ending.started:
        click.echo(f"lifesign beat: {clean(ending.failure)}", err=True)
    return ending.exit_code


def _tell(file: Path, fields: dict[str, Any]) -> None:
    """One line on stderr if it cannot be told: the job goes on. To the disk, for the next run may be a day away."""
    try:
        replace_file(file, encode_heartbeat(fields), fsync=True)
    except (OSError, ValueError) as error:
        click.echo(f"lifesign beat: no heartbeat written: {clean(str(error))}", err=True)


def _previous(file: Path) -> dict[str, Any]:
    """The object in `file`, or nothing where there is none that can be read. Never waits, as on a FIFO."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 -- of a descriptor
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return {}
            document = json.loads(stream.read(SIZE_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _kept(previous: Mapping[str, Any]) -> dict[str, Any]:
    """What a job without success leaves as it was: the last success and the last verdict, each if it is valid."""
    kept: dict[str, Any] = {}
    for key in ("timestamp", "cycle", "status"):
        try:
            value = previous.get(key)
            value = parse_timestamp(value) / _NS_PER_S if key == "timestamp" and isinstance(value, str) else value
            encode_heartbeat({"timestamp": 1, key: value})
        except (ValueError, OverflowError):
            continue
        kept[key] = value
    if kept.get("status") not in STATUSES[:3]:
        kept.pop("status", None)
    return kept


def _next_cycle(previous: Mapping[str, Any]) -> int:
    cycle = _kept(previous).get("cycle", 0)
    return 1 if cycle == _LARGEST_CYCLE else int(cycle) + 1
