"""Replaying: from a config, with some of its values changed, and a history to what was decided then and would be now.

Not here: the playing itself (`replay`), and how it is shown (`cli.replay`).
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lifesign.bootstrap.changes import Change, changed_config
from lifesign.bootstrap.plan import Plan
from lifesign.bootstrap.sinks import sink_specs
from lifesign.config import Config
from lifesign.config.problems import nearest
from lifesign.config.reading import salvage
from lifesign.core.model import NS_PER_S, CheckId
from lifesign.core.spec import ComponentSpec, MonitorSpec
from lifesign.records import dataclass
from lifesign.replay.comparing import Comparison, compare
from lifesign.replay.marks import marks_of
from lifesign.replay.playing import Playing, Setting
from lifesign.replay.recorded import Range, lives, told_then
from lifesign.replay.scripted import from_lines, letters, scripted
from lifesign.replay.sweeping import Outage, outages_of
from lifesign.replay.tape import Stretch, TapeLife, Told
from lifesign.store.block import MOST_RANK
from lifesign.store.findings import RANK_BITS
from lifesign.store.history_reader import HistoryReader
from lifesign.text import format_timestamp


def setting_of(path: Path, changes: Sequence[Change] = (), option: str = "--set") -> Setting:
    """What a config judges by, with these values that `option` asked for; without its secrets. Raises ConfigError."""
    config = changed_config(path, changes, option)
    return Setting(Plan.of(config).spec, sink_specs(config))


def state_dir_of(path: Path) -> Path:
    """Where the daemon of a config keeps its state, whatever else is wrong with the config."""
    return salvage(path).monitor.state_dir


def touched(config: Config, key: str) -> list[tuple[str, ...]]:
    """Where a key stands that a sweep names: a path as it is, or every check that may have it. Raises ValueError."""
    if "." in key:
        return [tuple(key.split("."))]
    found = [
        ("components", component.spec.name, "checks", check.spec.name, key)
        for component in config.components
        for check in component.checks
        if key in check.options.__struct_fields__
    ]
    if not found:
        known = {key for c in config.components for check in c.checks for key in check.options.__struct_fields__}
        near = nearest(key, sorted(known))
        hint = f"did you mean {near}?" if near else "name its path, like components.NAME.restart.after"
        raise ValueError(f"no check of this config has a key {key!r}: {hint}")
    return [tuple(path) for path in found]


def concerned(spec: MonitorSpec, paths: Sequence[Sequence[str]]) -> frozenset[str] | None:
    """The components that these keys may concern, with what they depend on; None for all."""
    names = {path[1] if path[0] == "components" and len(path) > 1 else None for path in paths}
    if None in names:
        return None
    found, parents = set(names), {component.name: component.depends_on for component in spec.components}
    while more := {parent for name in found for parent in parents.get(name or "", ())} - found:
        found |= more
    return frozenset(name for name in found if name)


def only(setting: Setting, names: frozenset[str] | None) -> Setting:
    """The same of these components alone."""
    if names is None:
        return setting
    components: tuple[ComponentSpec, ...] = tuple(c for c in setting.spec.components if c.name in names)
    return Setting(replace(setting.spec, components=components), setting.sinks)


@dataclass(frozen=True, slots=True)
class Source:
    """What is played, and what was told then. `lives` and `then` may be asked for again."""

    lives: Callable[[frozenset[str] | None], Iterator[TapeLife]]
    then: Callable[[], Iterator[Told]]
    begins_wall_ns: int | None = None

    def clock(self, wall_ns: int) -> str:
        """A moment in words: of a script, how long after it began."""
        if self.begins_wall_ns is None:
            return format_timestamp(wall_ns)[:19].replace("T", " ")
        return f"+{(wall_ns - self.begins_wall_ns) / NS_PER_S:g} s"


def from_history(folder: Path, chosen: Range) -> Source:
    """The history of a state folder. Raises NoHistoryError."""
    reader = HistoryReader(folder)

    def then() -> Iterator[Told]:
        for life in reader.lives():
            if life.last_ms >= chosen.since_ms and life.began_ms <= chosen.until_ms:
                yield from told_then(reader, life)

    return Source(lambda names: lives(reader, replace(chosen, components=names)), then)


def from_script(base: Setting, scripts: Sequence[str]) -> Source:
    """Scripts like `ppfff` or `feed.hb=ppfff`; then is what the config without changes makes of them."""
    tape = scripted(base.spec, dict(_script(base.spec, text) for text in scripts))
    return _by_itself(base, tape.life, tape.begins_wall_ns)


def _script(spec: MonitorSpec, text: str) -> tuple[CheckId, str]:
    path, equals, script = text.rpartition("=")
    checks = [CheckId(component.name, check.name) for component in spec.components for check in component.checks]
    named = [check for check in checks if not equals or path in (check.component, f"{check.component}.{check.check}")]
    if len(named) != 1:
        names = ", ".join(f"{check.component}.{check.check}" for check in named or checks)
        raise ValueError(f"{text!r}: of which check? COMPONENT.CHECK={script}, one of {names}")
    return named[0], letters(script)


def from_file(base: Setting, path: Path) -> Source:
    """JSON Lines, likewise. Raises OSError and ValueError."""
    with path.open("rb") as lines:
        return _by_itself(base, from_lines(base.spec, lines), None)


def _by_itself(base: Setting, life: TapeLife, begins_wall_ns: int | None) -> Source:
    """What the unchanged config makes of it stands in the tape as what was told then."""
    then = list(Playing(base).play([life], ()))
    told = [(entry.mono_us << RANK_BITS | (MOST_RANK - 1), None, 0, entry.what) for entry in then]

    def stretches() -> Iterator[Stretch]:
        for stretch in life.stretches():
            stretch.items = sorted([*stretch.items, *told], key=lambda item: item[0])
            yield stretch

    tape = replace(life, spec=MonitorSpec(()), stretches=stretches)
    return Source(lambda _: iter([tape]), lambda: iter(then), begins_wall_ns)


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of one."""

    observations: int
    comparisons: list[Comparison]
    then: list[Told]
    now: list[Told]


def backtest(source: Source, setting: Setting | None, chosen: Range) -> Backtest:
    """What was decided then beside what `setting` decides (None: each life's own config), within that time."""
    then = list(source.then())
    playing = Playing(setting)
    now = list(_swiftly(playing, source, None, then))
    then, now = _within(then, chosen), _within(now, chosen)
    before, after = marks_of(then), marks_of(now)
    names = [c.name for c in setting.spec.components] if setting else []
    names = list(dict.fromkeys([*names, *before, *after]))
    compared = compare(names, before, after, playing.standing, source.clock)
    return Backtest(playing.observations, compared, then, now)


def _within(told: list[Told], chosen: Range) -> list[Told]:
    return [one for one in told if chosen.since_ms <= one.wall_ns // 1_000_000 <= chosen.until_ms]


def outages(source: Source, setting: Setting, names: frozenset[str] | None, chosen: Range) -> list[Outage]:
    """The outages of which `setting` would have told, within that time."""
    playing = Playing(only(setting, names))
    told = list(_swiftly(playing, source, names, list(source.then())))
    found = outages_of(told, playing.onsets)
    return [o for o in found if chosen.since_ms <= o.told_ns // 1_000_000 <= chosen.until_ms]


def _swiftly(playing: Playing, source: Source, names: frozenset[str] | None, then: list[Told]) -> Iterator[Told]:
    """Plays without a collector of garbage: nothing here refers to itself, and its walks would be half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield from playing.play(source.lives(names), then)
    finally:
        if was_enabled:
            gc.enable()
