"""Three examples that are worked out by hand, and what the README says of them.

In every script the n-th letter is looked at n intervals after its beginning: at 10 s, 20 s, ….
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from lifesign.bootstrap.changes import change_of, value_of
from lifesign.bootstrap.replaying import (
    Backtest,
    backtest,
    concerned,
    from_script,
    only,
    outages,
    setting_of,
    touched,
)
from lifesign.cli.sweep_words import as_table
from lifesign.config import ConfigError, load
from lifesign.core.model import NS_PER_S
from lifesign.replay.marks import Mark
from lifesign.replay.recorded import Range
from lifesign.replay.sweeping import points, recommended

CONFIG = """
[components.gate.checks.port]
type = "tcp"
address = "127.0.0.1:1"

[components.gate.restart]
method = "command"
argv = ["true"]
automatic = true
after = "30s"

[components.feed.checks.hb]
type = "heartbeat"
path = "feed.json"
stale_after = "1m"
interval = "10s"

[alerts.ops]
type = "command"
argv = ["true"]
notify_after = "20s"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lifesign.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


def run(path: Path, script: str, *changes: str) -> tuple[Backtest, list[tuple[str, float]], list[tuple[str, float]]]:
    """What came of it, and (mark, seconds after the beginning) then and now."""
    source = from_script(setting_of(path), [script])
    found = backtest(source, setting_of(path, [change_of(change) for change in changes]), Range())
    assert source.begins_wall_ns is not None
    began_ns = source.begins_wall_ns

    def seconds(marks: Iterable[Mark]) -> list[tuple[str, float]]:
        return [(mark.kind.value, (mark.wall_ns - began_ns) / NS_PER_S) for mark in marks]

    then = seconds(mark for comparison in found.comparisons for mark in comparison.then)
    now = seconds(mark for comparison in found.comparisons for mark in comparison.now)
    return found, then, now


def words(found: Backtest) -> list[str]:
    return [comparison.difference.words for comparison in found.comparisons if comparison.difference is not None]


def test_with_a_higher_threshold_it_is_down_two_looks_later_and_is_over_before_anybody_is_told(config: Path) -> None:
    """Failures at 30, 40, 50, 60, 70, 80 s. With 3 in a row it is down at 50 s, and an alert goes out 20 s later, at
    70 s. With 5 it is down at 70 s, and the alert is due at 90 s. At 90 s and 100 s it passes: who passes is not told
    as down for the first time, and the second success at 100 s ends it. So nobody is told.
    """
    found, then, now = run(config, "gate=ppffffffpp", "components.gate.checks.port.failure_threshold=5")
    assert then == [("down", 50), ("alert", 70), ("restart", 80)]
    assert now == [("down", 70)]
    [told] = words(found)
    assert told.startswith("then down (not ready: the script says fail); now degraded (suspect, not ready: port failed")
    assert told.endswith("(3 of 5): the script says fail), down (not ready: the script says fail) at +70 s")


def test_a_longer_limit_does_not_tell_of_a_rest_of_ninety_seconds(config: Path) -> None:
    """Work at 20 s and then at 110 s. With a limit of 1 m it is stale from 80 s on, which is told then, and the alert
    20 s later, at 100 s. With 2 m it would be stale from 140 s on, and works at 110 s: nothing.
    """
    found, then, now = run(config, "feed=pp........pppp", "components.feed.checks.hb.stale_after=2m")
    assert then == [("down", 80), ("alert", 100)]
    assert now == []
    assert words(found) == [
        "then down (not working: no new work for 60 s (limit 60 s)); now healthy (working: last work 60s ago)"
    ]


def test_a_later_restart_is_not_made_where_it_recovers_before(config: Path) -> None:
    """Down at 50 s. Then restarted 30 s later, at 80 s; with 70 s it would be at 120 s. The second success in a row
    comes at 110 s: it has recovered by itself before.
    """
    found, then, now = run(config, "gate=pp" + "f" * 7 + "pp", "components.gate.restart.after=70s")
    assert then == [("down", 50), ("alert", 70), ("restart", 80)]
    assert now == [("down", 50), ("alert", 70)]
    assert words(found) == [
        "then restart 1; now down (not ready: the script says fail): what was seen after it is what that restart did"
    ]


def test_without_a_change_nothing_differs(config: Path) -> None:
    found, then, now = run(config, "gate=ppfffwwuupfpfffffppp")
    assert then == now != []
    assert words(found) == []


def test_a_sweep_weighs_false_alarms_against_the_delay(config: Path) -> None:
    """Two rests of 90 s and one of 10 min. Up to 1 m both short ones are told, falsely; the long one is told as late as
    the limit is; past 10 min it is missed.
    """
    script = "feed=pp" + "." * 8 + "pppp" + "." * 8 + "pp" + "." * 59 + "pp"
    source, values = from_script(setting_of(config), [script]), ["30s", "1m", "2m", "5m", "15m"]
    paths = touched(load(config, with_secrets=False), "stale_after")
    assert paths == [("components", "feed", "checks", "hb", "stale_after")]
    base = setting_of(config)
    assert concerned(base.spec, paths) == frozenset({"feed"})
    found = [
        outages(source, setting_of(config, [(paths[0], value_of(value))]), frozenset({"feed"}), Range())
        for value in values
    ]
    told = points(values, found, 300 * NS_PER_S)
    assert [(p.value, p.incidents, p.false_alarms, p.missed, p.median_delay_s) for p in told] == [
        ("30s", 3, 2, 0, 30),
        ("1m", 3, 2, 0, 60),
        ("2m", 1, 0, 0, 120),
        ("5m", 1, 0, 0, 300),
        ("15m", 0, 0, 1, None),
    ]
    assert recommended(told).value == "2m"
    words = as_table("stale_after", ["stale_after"], told, "5m").splitlines()[-1]
    assert words == "recommended: stale_after = 2m: 0 false alarms, 0 missed, told after 2m"
    alike = [replace(told[0], value=value) for value in values]
    words = as_table("stale_after", ["stale_after"], alike, "5m").splitlines()[-1]
    assert words == "recommended: none of them before another, for nothing differs"
    assert [c.name for c in only(base, frozenset({"feed"})).spec.components] == ["feed"]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("gate.checks.prot.interval", "gate.checks.prot: component gate has no check 'prot' (did you mean port?)"),
        ("gaet.checks.port.interval", "gaet: there is no component 'gaet' (did you mean gate?)"),
        ("gate.checks.port.intervall", "gate.checks.port.intervall: unknown key (did you mean interval?)"),
        ("gate.checks.port.type.x", "gate.checks.port.type.x: what it would stand in is a value, and no table"),
        ("gate.check.port.interval", "gate.check: unknown key (did you mean checks?)"),
    ],
)
def test_a_slip_in_the_path_of_a_change_is_one_line_with_the_nearest_name(config: Path, key: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        setting_of(config, [change_of(f"components.{key}=5s")], "--sweep")
    assert str(refused.value) == f"--sweep components.{told}"


def test_a_mistake_in_the_file_is_told_as_that_whatever_is_changed(config: Path) -> None:
    config.write_text(config.read_text() + "oops = 1\n")
    with pytest.raises(ConfigError, match=r"lifesign\.toml:[0-9]+: .*oops"):
        setting_of(config, [change_of("components.gate.checks.prot.interval=5s")])


def test_what_cannot_be_is_refused_with_the_key(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"components\.gate\.checks\.port\.interval"):
        setting_of(config, [change_of("components.gate.checks.port.interval=soon")])
    with pytest.raises(ValueError, match=r"KEY\.KEY=VALUE"):
        change_of("stale_after")
    with pytest.raises(ValueError, match="no check of this config has a key 'stale'"):
        touched(load(config, with_secrets=False), "stale")
    with pytest.raises(ValueError, match=r"'stale_atfer': did you mean stale_after\?"):
        touched(load(config, with_secrets=False), "stale_atfer")
    with pytest.raises(ValueError, match="of which check"):
        from_script(setting_of(config), ["ppf"])
    with pytest.raises(ValueError, match="not of x"):
        from_script(setting_of(config), ["gate=ppx"])
