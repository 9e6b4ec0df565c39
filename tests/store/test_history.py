"""The history on real files: what was handed over is there after it, what was not kept is a gap."""

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lifesign.core.commands import (
    Acknowledge,
    Hold,
    Pause,
    Rearm,
    Release,
    RestartNow,
    Resume,
    Silence,
    Unsilence,
)
from lifesign.core.conversation import Conversation, Notify, Stage
from lifesign.core.effects import Restart
from lifesign.core.events import Event, EventName
from lifesign.core.model import NS_PER_S, CheckId, Identity, Observation, Verdict
from lifesign.core.restart import Failed, Renewed, Sent, Withheld
from lifesign.core.transcript import Attended, Deed, Entry, Moment, Outcome, Reconfigured, Reported
from lifesign.store import history as history_module
from lifesign.store import moments
from lifesign.store.drafting import Drafting
from lifesign.store.findings import rows_of
from lifesign.store.history import History
from lifesign.store.history_file import HISTORY_FILE, HistoryFile, StoredBlock
from lifesign.store.history_reader import HistoryReader, NoHistoryError
from lifesign.store.settling import Settling
from tests.e2e.running import wait_until
from tests.store.transcripts import CONFIG, START, entries, life

EVERY_KIND: list[Deed | Outcome] = [
    Silence("a", "me", 5, "why"),
    Unsilence("a", "me"),
    Hold(None, "me", 5, "why"),
    Release(None, "me"),
    Acknowledge("a", "me"),
    Pause("a", "me"),
    Resume("a", "me"),
    Rearm("a", "me"),
    RestartNow("a", "me", "now"),
    Reported("a", 3, Sent("done", Identity(7, 0.25))),
    Reported("a", 3, Withheld("no")),
    Reported("a", 3, Failed("no")),
    Reported("a", 3, Renewed(Identity(8))),
    Reconfigured(life().spec, (CheckId("c0", "port"),)),
    Attended(),
    Event(EventName.COMPONENT_DOWN, 5, "a", incident="a-1", message="x", data={"n": 1.5, "of": ["x", None]}),
    Restart("a", 3, True, "", "down", Identity(7)),
    Notify(Stage.OPENED, Conversation("ops", "a", "a-1", 5), "note"),
]


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def written(folder: Path, batches: list[list[Entry]]) -> None:
    history = History.open(folder, history_s=1e9)
    history.begin(life(), CONFIG)
    for batch in batches:
        history.take(batch)
    assert history.close(20)


def observations(folder: Path) -> int:
    reader = HistoryReader(folder)
    try:
        blocks = [block for found in reader.lives() for block in reader.blocks(found.id)]
    finally:
        reader.close()
    return sum(len(list(rows_of(columns))) for block in blocks for columns in block.checks)


def test_what_was_handed_over_is_there_after_a_close(tmp_path: Path) -> None:
    batch = list(entries(1, 3_000))
    written(tmp_path, [batch[:1_000], batch[1_000:]])
    assert observations(tmp_path) == sum(isinstance(entry, tuple) for entry in batch)
    reader = HistoryReader(tmp_path)
    [found] = reader.lives()
    assert (found.start, found.spec, found.memory) == (life().start, life().spec, life().memory)
    [config] = reader.configs(found.id)
    assert (config.key, config.toml, config.sinks) == (START.mono_ns // 1_000 << 12, CONFIG.toml, CONFIG.sinks)
    assert len(reader.moments(found.id)) == sum(hasattr(entry, "what") for entry in batch)
    reader.close()
    assert (tmp_path / HISTORY_FILE).stat().st_mode & 0o777 == 0o600


def test_the_time_between_two_lives_is_a_gap_and_so_are_stalls_and_pauses(tmp_path: Path) -> None:
    batch: list[Entry] = [START.after(NS_PER_S // 10), START.after(60 * NS_PER_S)]
    written(tmp_path, [batch])
    history = History.open(tmp_path, history_s=1e9)
    later = life()
    history.begin(type(later)(START.after(90 * NS_PER_S), later.spec, later.memory), CONFIG)
    assert history.close(20)
    reader = HistoryReader(tmp_path)
    wall_ms = START.wall_ns // 1_000_000
    assert [tuple(gap) for gap in reader.gaps()] == [
        (wall_ms + 100, wall_ms + 60_000, None, "lifesign had stalled"),
        (wall_ms + 60_000, wall_ms + 90_000, None, "lifesign did not run"),
    ]
    reader.close()


def test_in_a_file_after_the_one_that_was_taken_away_no_other_life_gets_what_ours_sees(tmp_path: Path) -> None:
    batch, folder = list(entries(1, 3_000)), tmp_path / "state"
    folder.mkdir()
    history = History.open(folder, history_s=1e9, retry_s=0.05)
    history.begin(life(), CONFIG)
    history.take(batch[:1_000])
    until(lambda: kept(folder) > 0)
    folder.rename(tmp_path / "gone")
    folder.mkdir()
    history.take(batch[1_000:])
    assert history.close(20)
    assert kept(folder) >= sum(isinstance(entry, tuple) for entry in batch[1_000:]), "what was being merged may be too"
    later = [START.after(9_000 * NS_PER_S)]
    history = History.open(folder, history_s=1e9)
    history.begin(type(life())(later[0], life().spec, life().memory), CONFIG)
    history.take([*later])
    assert history.close(20)
    reader = HistoryReader(folder)
    [found] = reader.lives()
    assert found.start == later[0]
    assert [list(rows_of(columns)) for block in reader.blocks(found.id) for columns in block.checks] == []
    assert not reader.moments(found.id)
    assert reader.gaps()[-1].why == "lifesign did not run"
    reader.close()


def kept(folder: Path) -> int:
    """How many observations there are, of whatever life."""
    try:
        with contextlib.closing(HistoryReader(folder)) as reader:
            blocks = list(reader.newest_blocks(1 << 62, 1_000, 1 << 40))
    except NoHistoryError:  # it is not made yet
        return 0
    return sum(len(list(rows_of(columns))) for _, block in blocks for columns in block.checks)


def test_what_comes_too_fast_is_dropped_and_the_drop_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "QUEUE_ENTRIES", 1_500)
    (tmp_path / HISTORY_FILE).mkdir()  # nothing can be written there for now
    history = History.open(tmp_path, history_s=1e9, retry_s=0.02)
    history.begin(life(), CONFIG)
    until(lambda: bool(history.trouble))
    batch = list(entries(2, 3_000))
    history.take(batch[:1_000])
    history.take(batch[1_000:2_000])
    history.take(batch[2_000:])
    assert history.dropped_entries == 2_000
    (tmp_path / HISTORY_FILE).rmdir()
    until(lambda: not history.trouble)
    assert history.close(20)
    assert observations(tmp_path) == sum(isinstance(entry, tuple) for entry in batch[:1_000])
    reader = HistoryReader(tmp_path)
    assert [gap.why for gap in reader.gaps() if "fast" in gap.why] == ["the history could not be written fast enough"]
    reader.close()


def test_settled_blocks_hold_all_that_came_and_hours_count_it(tmp_path: Path) -> None:
    batch = list(entries(3, 4_000, every_us=2_000_000))
    written(tmp_path, [batch[first : first + 50] for first in range(0, 4_000, 50)])
    seen = sum(isinstance(entry, tuple) for entry in batch)
    file = HistoryFile(tmp_path / HISTORY_FILE)
    settling = Settling(file, history_s=1e9)
    while settling.settle():
        pass
    assert observations(tmp_path) == seen
    reader = HistoryReader(tmp_path)
    pairs = [(component.name, check.name) for component in life().spec.components for check in component.checks]
    hours = [row for pair in pairs for row in reader.hours(*pair)]
    minutes = [row for pair in pairs for row in reader.minutes(*pair)]
    assert sum(sum(row[1:5]) for row in hours) == sum(sum(row[1:5]) for row in minutes) == seen
    assert {row.at for row in hours} == {row.at // 60 for row in minutes}
    reader.close()
    file.close()


def test_what_is_too_old_or_too_much_is_deleted_a_little_at_a_time(tmp_path: Path) -> None:
    written(tmp_path, [list(entries(4, 2_000))])
    wall_ms = START.wall_ns // 1_000_000
    file = HistoryFile(tmp_path / HISTORY_FILE)
    settling = Settling(file, history_s=90 * 86_400.0)
    settling.settle()
    settling.forget(wall_ms + 86_400_000)
    assert observations(tmp_path) > 0
    settling.forget(wall_ms + 40 * 86_400_000)
    assert observations(tmp_path) == 0
    reader = HistoryReader(tmp_path)
    assert reader.hours("c0", "port")
    assert not reader.minutes("c0", "port")
    for _ in range(3):
        settling.forget(wall_ms + 91 * 86_400_000)
    assert not reader.hours("c0", "port")
    assert not reader.lives()
    reader.close()
    file.close()


def test_settling_can_make_a_pause_after_each_block_and_twice_for_each_check(tmp_path: Path) -> None:
    batch = list(entries(6, 1_000))
    written(tmp_path, [batch[first : first + 100] for first in range(0, 1_000, 100)])
    file = HistoryFile(tmp_path / HISTORY_FILE)
    pauses: list[None] = []
    blocks = len(file.unsettled(1_000))
    assert Settling(file, history_s=1e9).settle(lambda: pauses.append(None))
    checks = sum(len(component.checks) for component in life().spec.components)
    assert len(pauses) >= blocks + 2 * checks
    file.close()


def test_a_history_that_has_grown_too_large_loses_its_oldest_observations_first(tmp_path: Path) -> None:
    batch = list(entries(5, 30_000))
    written(tmp_path, [batch[first : first + 1_000] for first in range(0, 30_000, 1_000)])
    file = HistoryFile(tmp_path / HISTORY_FILE)
    settling = Settling(file, history_s=1e9, most_bytes=1)
    settling.settle()
    before = observations(tmp_path)
    settling.forget(START.wall_ns // 1_000_000)
    assert observations(tmp_path) < before
    assert file.used_bytes() > 0
    file.close()


KILLED = """
import os, signal, sys, time
from pathlib import Path
from lifesign.store import history, settling
from lifesign.store.history_file import HistoryFile
from tests.store.transcripts import *

history.BLOCK_ENTRIES, settling.SETTLE_BLOCKS, settling.SETTLE_ENTRIES = 100, 3, 300
left, opened = [int(sys.argv[2])], HistoryFile._open

def hooked(self):
    opened(self)
    self._connection.set_trace_callback(traced)

def traced(statement):
    left[0] -= statement.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT"))
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)

HistoryFile._open = hooked
writer = history.History.open(Path(sys.argv[1]), history_s=1e9)
writer.begin(life(), CONFIG)
batch = list(entries(6, 900))
for first in range(0, 900, 100):
    writer.take(batch[first : first + 100])
    deadline_s = time.monotonic() + 40
    while writer._queued and time.monotonic() < deadline_s:
        time.sleep(0.001)
time.sleep(10)
"""


@pytest.mark.parametrize("step", [0, 1, 2, 4, 7, 9, 17, 23, 26, 30])
def test_after_a_kill_anywhere_in_the_writing_the_file_is_whole_and_holds_what_came_before(
    tmp_path: Path, step: int
) -> None:
    """The process is killed in the midst of its writing statement of that number."""
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(step)]
    assert subprocess.run(command, check=False, timeout=50, cwd=Path.cwd()).returncode == -9
    connection = sqlite3.connect(tmp_path / HISTORY_FILE)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    held = connection.execute("SELECT sum(entries) FROM blocks").fetchone()[0] or 0
    lives = connection.execute("SELECT count(*) FROM lives").fetchone()[0]
    connection.close()
    assert held % 100 == 0
    before = observations(tmp_path)
    batch = list(entries(6, held))
    assert before == sum(isinstance(entry, tuple) for entry in batch)
    written(tmp_path, [list(entries(7, 100))])
    assert observations(tmp_path) == before + sum(isinstance(entry, tuple) for entry in entries(7, 100))
    reader = HistoryReader(tmp_path)
    assert len(reader.lives()) == lives + 1
    reader.close()


def test_where_there_is_no_history_the_reader_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoHistoryError, match="no history in"):
        HistoryReader(tmp_path)
    (tmp_path / HISTORY_FILE).write_bytes(b"garbage" * 1_000)
    with pytest.raises(NoHistoryError, match="cannot be read"):
        HistoryReader(tmp_path)


@pytest.mark.parametrize("what", EVERY_KIND, ids=lambda what: type(what).__name__)
def test_every_kind_of_moment_comes_back_as_it_was(what: Deed | Outcome) -> None:
    assert moments.decode(*moments.encode(Moment(START, what))) == what


def test_a_moment_that_is_not_understood_is_none() -> None:
    for kind, document in (("Event", "{}"), ("Reported", "{"), ("Wonder", "{}"), ("Event", '{"name": "x"}')):
        assert moments.decode(kind, document) is None


def test_a_file_of_the_first_schema_is_taken_over_and_one_of_a_later_is_left_alone(tmp_path: Path) -> None:
    batch = list(entries(1, 500))
    written(tmp_path, [batch])
    connection = sqlite3.connect(tmp_path / HISTORY_FILE)
    for schema, then in (("1", "2"), ("3", "3")):
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (schema,))
        connection.commit()
        history = History.open(tmp_path, history_s=1e9)
        history.begin(life(), CONFIG)
        history.close(20)
        assert bool(history.trouble) is (schema == "3"), history.trouble
        assert connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == (then,)
    connection.close()
    assert observations(tmp_path) == sum(isinstance(entry, tuple) for entry in batch)


def test_a_history_that_cannot_be_written_is_told_once_and_so_is_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    batch = list(entries(1, 500))
    (tmp_path / HISTORY_FILE).mkdir()
    history = History.open(tmp_path, history_s=1e9, retry_s=0.02)
    history.begin(life(), CONFIG)
    history.take(batch)
    wait_until(lambda: bool(history.trouble), "the trouble")
    (tmp_path / HISTORY_FILE).rmdir()
    wait_until(lambda: not history.trouble, "its end")
    assert history.close(20)
    assert [" is not kept, " in line for line in caplog.messages] == [True, False], caplog.messages
    assert observations(tmp_path) == sum(isinstance(entry, tuple) for entry in batch)


def test_where_many_checks_are_watched_more_of_their_looks_settle_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifesign.store.settling.SETTLE_ENTRIES", 100)
    merged: dict[int, list[int]] = {}
    for checks in (2, 40):
        file = HistoryFile(tmp_path / f"{checks}.db")
        file.open()
        number, drafting = file.begin(0, "", "", b""), Drafting(START)
        settling = Settling(file, history_s=1e9)
        settling.expect(checks)
        for first in range(0, 6_000, 50):
            moments = [START.after((first + more) * 1_000_000) for more in range(50)]
            draft = drafting.draft(
                [
                    (now, CheckId(f"c{at % checks}", "port"), now.mono_ns, Observation(Verdict.OK))
                    for at, now in enumerate(moments)
                ]
            )
            assert draft is not None
            today_ms = START.wall_ns // 1_000_000
            file.add(StoredBlock(0, number, today_ms, today_ms, draft.entries), draft.block.encode(), [], [])
            settling.added(draft.entries)
            settling.advance()
        connection = sqlite3.connect(file.path)
        merged[checks] = [row[0] for row in connection.execute("SELECT entries FROM blocks WHERE settled ORDER BY id")]
        connection.close()
        file.close()
    assert (merged[2][0], set(merged[2][1:])) == (50, {100}), "the first are what a life before may have left"
    assert (merged[40][0], set(merged[40][1:])) == (50, {40 * 30})
    assert len(merged[40]) > 3


def test_long_work_makes_a_pause_and_then_none_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History.open(tmp_path, history_s=1e9)
    try:
        pauses: list[float] = []
        monkeypatch.setattr(history_module, "WORK_NS", 3600 * NS_PER_S)
        monkeypatch.setattr(history._closing, "wait", pauses.append)
        for _ in range(3):
            history._breathe()
        assert pauses == [history_module.REST_S]
    finally:
        history.close()


def test_many_looks_are_made_a_block_with_a_pause_after_some_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History.open(tmp_path, history_s=1e9)
    pauses: list[float] = []
    monkeypatch.setattr(history_module, "WORK_NS", 0)
    monkeypatch.setattr(history._closing, "wait", pauses.append)
    batch = list(entries(1, 3_000))
    history.begin(life(), CONFIG)
    history.take(batch)
    assert history.close(20)
    looks = sum(isinstance(entry, tuple) for entry in batch)
    assert len(pauses) >= len(batch) // 250 + looks // 250
    assert observations(tmp_path) == looks
