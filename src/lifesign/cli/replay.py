"""`lifesign replay`: what was recorded, judged by another config. Nothing is looked at, nothing is done."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifesign.cli.moments import range_of
from lifesign.cli.options import config_option

if TYPE_CHECKING:
    from lifesign.bootstrap.changes import Change
    from lifesign.bootstrap.replaying import Source
    from lifesign.replay.playing import Setting
    from lifesign.replay.recorded import Range


@click.command(name="replay")
@config_option
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A changed value, by its dotted path.")
@click.option("--sweep", metavar="KEY=A..B", help="Every value of a range, or of a list: stale_after=1m..30m, =1m,5m.")
@click.option(
    "--brief", default="5m", metavar="DURATION", help="Of a sweep: what is over sooner, by itself, was nothing."
)
@click.option("--as-recorded", is_flag=True, help="By the configs that held then, reloads and all: nothing may differ.")
@click.option("--history", metavar="FOLDER", help="The state folder. Default: that of the config.")
@click.option("--input", "lines", metavar="FILE", help="JSON Lines instead of a history.")
@click.option("--script", multiple=True, metavar="[CHECK=]LETTERS", help="A script instead: ppfff, or feed.hb=pp...p.")
@click.option("--since", metavar="TIME", help="From this RFC 3339 time on, or for so long: 10d.")
@click.option("--until", metavar="TIME", help="Up to then.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(
    config: str | None,
    changes: tuple[str, ...],
    sweep: str | None,
    brief: str,
    history: str | None,
    lines: str | None,
    script: tuple[str, ...],
    since: str | None,
    until: str | None,
    *,
    as_recorded: bool,
    as_json: bool,
) -> None:
    """Run what was recorded through the config as it is now, changed by --set: alerts and restarts then and now.

    Of a restart that was not made then nobody knows what it would have done: it is taken for sent, and what was seen
    afterwards stays as it was seen. Looks come as they were recorded: another interval or timeout changes no look.

    \b
    --sweep: an outage lasts from the last good sign (the last work, else the first failure) until its incident is
    over. If it lasted less than --brief and ended by itself, without a restart or an acknowledgement, its incident is
    a false alarm. The delay of a true one is measured from the last good sign. Of the values that miss the fewest
    outages the one with the fewest false alarms is recommended, and of these the one that tells the soonest.

    \b
    --script: a letter an interval, p passes, w warns, f fails, u unknown, . nothing new. Before it everything passed.
    --input: one object a line: ts, component, check, verdict (ok warn fail unknown); message, work_at, progress,
    busy, pid, started_at where they apply. Both are compared with the config without --set.
    """
    from lifesign.bootstrap.replaying import backtest
    from lifesign.cli import replay_words

    if sum(map(bool, (history, lines, script))) > 1 or (as_recorded and (changes or sweep or lines or script)):
        raise click.UsageError("--history, --input and --script exclude each other; --as-recorded goes with a history")
    path, chosen = _path(config), range_of(since, until)
    wanted = _changes(changes)
    setting = None if as_recorded else _setting(path, wanted)  # before what was recorded: a mistake in it is told first
    source = _source(path, history, lines, script, chosen)
    if sweep is not None:
        assert setting is not None
        click.echo(_swept(path, sweep, wanted, setting, source, chosen, brief, as_json=as_json), nl=False)
        return
    found = backtest(source, setting, chosen)
    words = replay_words.as_json if as_json else replay_words.as_table
    click.echo(words(found, source), nl=False)


def _path(config: str | None) -> Path:
    from lifesign.cli.loading import BadConfigError
    from lifesign.config import ConfigNotFound, find_config

    try:
        return find_config(config)
    except ConfigNotFound as error:
        raise BadConfigError(str(error)) from None


def _changes(texts: tuple[str, ...]) -> "list[Change]":
    from lifesign.bootstrap.changes import change_of

    try:
        return [change_of(text) for text in texts]
    except ValueError as error:
        raise click.UsageError(f"--set {error}") from None


def _setting(path: Path, changes: "list[Change]", option: str = "--set") -> "Setting":
    from lifesign.bootstrap.replaying import setting_of
    from lifesign.cli.loading import BadConfigError
    from lifesign.config import ConfigError

    try:
        return setting_of(path, changes, option)
    except ConfigError as error:
        raise BadConfigError("\n".join(str(problem) for problem in error.problems)) from None


def _source(path: Path, history: str | None, lines: str | None, script: tuple[str, ...], chosen: "Range") -> "Source":
    from lifesign.bootstrap.replaying import from_file, from_history, from_script, state_dir_of
    from lifesign.store.history_reader import NoHistoryError

    try:
        if script:
            return from_script(_setting(path, []), script)
        if lines is not None:
            return from_file(_setting(path, []), Path(lines))
        return from_history(Path(history) if history is not None else state_dir_of(path), chosen)
    except (NoHistoryError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def _swept(
    path: Path,
    sweep: str,
    changes: "list[Change]",
    base: "Setting",
    source: "Source",
    chosen: "Range",
    brief: str,
    *,
    as_json: bool,
) -> str:
    from lifesign.bootstrap.changes import changed_config, value_of
    from lifesign.bootstrap.replaying import concerned, outages, touched
    from lifesign.cli import sweep_words
    from lifesign.core.model import NS_PER_S
    from lifesign.replay.sweeping import points
    from lifesign.replay.values import values_of
    from lifesign.text import parse_duration

    key, equals, span = sweep.partition("=")
    if not equals:
        raise click.UsageError(f"--sweep: {sweep!r} is not of the form KEY=A..B")
    try:
        values, brief_ns = values_of(span), round(parse_duration(brief) * NS_PER_S)
        paths = touched(changed_config(path, changes), key.strip())
    except ValueError as error:
        raise click.UsageError(f"--sweep: {error}") from None
    names, found = concerned(base.spec, paths), []
    for value in values:
        setting = _setting(path, [*changes, *((keys, value_of(value)) for keys in paths)], "--sweep")
        found.append(outages(source, setting, names, chosen))
    swept = points(values, found, brief_ns)
    words = sweep_words.as_json if as_json else sweep_words.as_table
    return words(key.strip(), [".".join(keys) for keys in paths], swept, brief)
