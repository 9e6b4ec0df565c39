"""A process that was seen alive tells its death itself, and what has not changed is told without a whole look."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from lifesign.checks import process_table
from lifesign.checks.process import ProcessProbe
from lifesign.checks.process_lives import Lives
from lifesign.checks.process_table import ProcessTable
from lifesign.core.model import Verdict
from lifesign.processes.stat import read_stat
from tests.checks.strangers import marker, sleeper, state_of, stranger, until_it_sleeps, wait_until


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def pidfile_of(pid: int, folder: Path) -> Path:
    """A pidfile as a daemon leaves it: some time ago."""
    path = folder / "it.pid"
    path.write_text(f"{pid}\n")
    old_s = time.time() - 3
    os.utime(path, (old_s, old_s))
    return path


async def settled(probe: ProcessProbe) -> None:
    """Looks until the probe remembers what it saw: a pidfile just written may be written again within one tick."""
    deadline = time.monotonic() + 40
    while (known := probe.look_at_once(time.time_ns())) is None or probe.look_at_once(time.time_ns()) is not known:
        assert time.monotonic() < deadline
        assert (await probe.look(time.time_ns())).verdict is Verdict.OK
        await asyncio.sleep(0.02)


async def test_a_death_is_told_at_the_moment_it_comes_and_is_then_seen(tmp_path: Path) -> None:
    with stranger(*sleeper()) as pid:
        probe, told = ProcessProbe(pidfile=pidfile_of(pid, tmp_path)), asyncio.Event()
        probe.listen(told.set)
        assert (await probe.look(time.time_ns())).verdict is Verdict.OK
        assert not told.is_set()
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(40):
            await told.wait()
        for found in (probe.look_at_once(time.time_ns()), await probe.look(time.time_ns())):
            assert found is not None
            assert found.verdict is Verdict.FAIL


async def test_what_is_unchanged_is_told_as_it_was_and_what_it_uses_is_measured_where_a_limit_is_set(
    tmp_path: Path,
) -> None:
    with stranger(*sleeper()) as pid:
        until_it_sleeps(pid)
        path = pidfile_of(pid, tmp_path)
        plain, limited = ProcessProbe(pidfile=path), ProcessProbe(pidfile=path, max_fds=1_000_000)
        for probe in (plain, limited):
            probe.listen(lambda: None)
        await settled(plain)
        assert (await limited.look(time.time_ns())).verdict is Verdict.OK
        assert plain.look_at_once(0) is plain.look_at_once(0)
        first, second = limited.look_at_once(0), limited.look_at_once(0)
        assert first is not None
        assert second is not None
        assert first is not second
        assert first.metrics["fds"] == second.metrics["fds"] > 0
        path.write_text("1\n")
        assert plain.look_at_once(0) is None
        path.unlink()
        assert plain.look_at_once(0) is None
        plain.close()
        limited.close()


async def test_a_process_that_becomes_another_program_is_seen_though_it_lives_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_table, "_SETTLED_TICKS", -1)
    before, go = marker(), tmp_path / "go"
    script = f"""
import os, sys, time
while not os.path.exists({str(go)!r}):
    time.sleep(0.005)
os.execv(sys.executable, {[*sleeper("other")]!r})
"""
    with stranger(sys.executable, "-c", script, before) as pid:
        probes = [ProcessProbe(pattern=before, table=ProcessTable()), ProcessProbe(pid=pid, pattern=before)]
        for probe in probes:
            probe.listen(lambda: None)
            await settled(probe)
        go.touch()
        wait_until(lambda: Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"other\0"))
        for probe in probes:
            known = probe.look_at_once(0)
            assert known is None or known.verdict is Verdict.FAIL
            assert (await probe.look(time.time_ns())).verdict is Verdict.FAIL


async def test_one_more_process_changes_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_table, "_FRESH_NS", 0)
    word = marker()
    probe = ProcessProbe(pattern=word, count="1", table=ProcessTable())
    probe.listen(lambda: None)
    with stranger(*sleeper(word)):
        await settled(probe)
        with stranger(*sleeper(word)):
            assert probe.look_at_once(0) is None
            assert (await probe.look(time.time_ns())).message == f"2 processes match '{word}', expected ==1"


async def test_without_a_listener_nothing_is_held() -> None:
    with stranger(*sleeper()) as pid:
        before, probe = descriptors(), ProcessProbe(pid=pid)
        assert (await probe.look(time.time_ns())).verdict is Verdict.OK
        assert probe.look_at_once(0) is not probe.look_at_once(0)
        assert descriptors() == before


async def test_one_descriptor_is_held_for_each_life_and_none_is_left() -> None:
    lives, told, ended = Lives(most=1), list[str](), asyncio.Event()
    before = descriptors()

    def first() -> None:
        told.append("first")
        ended.set()

    def second() -> None:
        told.append("second")

    with stranger(*sleeper()) as pid, stranger(*sleeper()) as other:
        stat, others = read_stat(pid), read_stat(other)
        assert stat is not None
        assert others is not None
        life = lives.hold(pid, stat.started_ticks, first)
        assert life is not None
        assert lives.hold(pid, stat.started_ticks, second) is life
        assert descriptors() == before + 1
        assert lives.hold(other, others.started_ticks, first) is None  # there is room for one
        lives.release(life, second)
        assert len(lives) == 1
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(40):
            await ended.wait()
        assert (told, life.is_over, len(lives), descriptors()) == (["first"], True, 0, before)
        again = lives.hold(other, others.started_ticks, first)
        assert again is not None
        lives.release(again, first)
        assert (len(lives), descriptors()) == (0, before)


async def test_a_number_with_a_new_owner_is_not_held_for_the_old_one() -> None:
    lives, before = Lives(), descriptors()
    with stranger(*sleeper()) as pid:
        stat = read_stat(pid)
        assert stat is not None
        assert lives.hold(pid, stat.started_ticks - 1, lambda: None) is None
    wait_until(lambda: state_of(pid) in ("", "Z"))
    assert lives.hold(pid, stat.started_ticks - 1, lambda: None) is None
    assert (len(lives), descriptors()) == (0, before)
