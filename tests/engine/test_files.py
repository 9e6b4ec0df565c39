"""A change of a watched file wakes its check: by an event at once, by the sweep in any case."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lifesign.core.model import CheckId
from lifesign.engine.file_events import FileEvents
from lifesign.engine.files import SLICE, FileSweep

CHECK = CheckId("mind", "heartbeat")


def signature(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_size)


class Bell:
    """Counts wakes, and can be waited for."""

    def __init__(self) -> None:
        self.rung: asyncio.Queue[CheckId] = asyncio.Queue()

    def ring(self, checks: Collection[CheckId]) -> None:
        for check in checks:
            self.rung.put_nowait(check)

    async def next(self) -> CheckId:
        async with asyncio.timeout(40):
            return await self.rung.get()

    def forget(self) -> None:
        while not self.rung.empty():
            self.rung.get_nowait()


@asynccontextmanager
async def sweeping(path: Path, *, hangs: bool = False) -> AsyncIterator[Bell]:
    bell = Bell()
    sweep = FileSweep({CHECK: path}, wake=bell.ring, signature=signature, may_hang=lambda _: hangs)
    task = asyncio.create_task(sweep.run())
    await asyncio.sleep(0)
    try:
        yield bell
    finally:
        task.cancel()
        async with asyncio.timeout(20):
            await asyncio.gather(task, return_exceptions=True)


def replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_text(text)
    fresh.replace(path)


async def test_an_atomic_replace_wakes_the_check_each_time(tmp_path: Path) -> None:
    path = tmp_path / "beat.json"
    async with sweeping(path) as bell:
        for number in range(3):
            replace(path, "x" * (number + 1))
            assert await bell.next() == CHECK
            bell.forget()


async def test_a_folder_made_anew_wakes_the_check_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "run" / "beat.json"
    path.parent.mkdir()
    path.write_text("1")
    async with sweeping(path) as bell:
        shutil.rmtree(path.parent)
        assert await bell.next() == CHECK
        bell.forget()
        path.parent.mkdir()
        path.write_text("22")
        assert await bell.next() == CHECK


async def test_without_any_file_event_the_sweep_still_sees_the_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileEvents, "follow", lambda *_: None)
    path = tmp_path / "beat.json"
    async with sweeping(path) as bell:
        path.write_text("1")
        assert await bell.next() == CHECK


@pytest.mark.parametrize("at_once", [False, True])
async def test_the_sweep_leaves_out_once_what_an_event_had_looked_at_since_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setattr("lifesign.engine.files.SWEEP_S", 0.0)
    paths, asked, woken = {name: tmp_path / name for name in ("beating", "still")}, list[str](), list[str]()
    first = ["still"] if at_once else ["beating", "still"]  # who is woken at once is not compared before
    enough = asyncio.Event()

    def spying(path: Path) -> object:
        asked.append(path.name)
        if len(asked) == len(first) + 2:
            enough.set()
        return None

    sweep = FileSweep(paths, wake=woken.extend, signature=spying, may_hang=lambda _: False, at_once=at_once)
    sweep._hear(["beating", "gone"])
    assert woken == (["beating"] if at_once else [])
    task = asyncio.create_task(sweep._sweep_for_ever())
    async with asyncio.timeout(40):
        await enough.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert asked[: len(first) + 2] == [*first, "beating", "still"]


@pytest.mark.parametrize("at_once", [False, True])
async def test_an_event_of_a_file_that_may_hang_wakes_nobody(tmp_path: Path, at_once: bool) -> None:
    woken: list[CheckId] = []
    paths = {CHECK: tmp_path / "beat.json"}
    sweep = FileSweep(paths, wake=woken.extend, signature=signature, may_hang=lambda _: True, at_once=at_once)
    paths[CHECK].write_text("1")
    sweep._hear([CHECK])
    assert woken == []


class Kernel:
    """In place of file events: says what it is told to."""

    def __init__(self, *, changed: Callable[[Collection[str]], None], missed: Callable[[], None]) -> None:
        self.changed, self.missed = changed, missed

    def follow(self, *_: object) -> None:
        """Listens."""

    def close(self) -> None:
        """Listens no more."""


async def test_what_was_missed_is_compared_at_once_and_in_slices_between_which_others_have_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifesign.engine.files.SWEEP_S", 3600.0)
    paths = {str(number): tmp_path / str(number) for number in range(4 * SLICE + 3)}
    asked, made, turns, woken = list[Path](), list[Kernel](), list[int](), list[str]()

    def kernel(**of: Callable[..., None]) -> Kernel:
        made.append(Kernel(**of))
        return made[0]

    states = itertools.count()

    def changed_since(path: Path) -> object:
        asked.append(path)
        return next(states)

    async def another() -> None:
        while True:
            await asyncio.sleep(0)
            turns.append(len(asked))

    sweep = FileSweep(
        paths,
        wake=woken.extend,
        signature=changed_since,
        may_hang=lambda _: False,
        seen=dict.fromkeys(paths),
        events=kernel,  # type: ignore[arg-type]
        at_once=True,
        looked_ns=lambda _: 2**63,  # the second's sweep would leave them all out
    )
    tasks = [asyncio.create_task(sweep.run()), asyncio.create_task(another())]
    async with asyncio.timeout(40):
        while not made:  # noqa: ASYNC110 - a turn of the loop is what is counted here
            await asyncio.sleep(0)
        asked.clear()
        woken.clear()
        turns.clear()
        sweep._hear(["1"])
        assert (woken, asked) == (["1"], [])
        woken.clear()
        made[0].missed()
        assert asked == []
        while len(asked) < len(paths):  # noqa: ASYNC110
            await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert woken == list(paths)
    assert max(later - before for before, later in itertools.pairwise([0, *turns, len(asked)])) <= SLICE


async def test_the_sweep_leaves_out_what_somebody_looked_at_since_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifesign.engine.files.SWEEP_S", 0.0)
    paths = {name: tmp_path / name for name in ("looked at", "still")}
    asked = list[str]()
    enough = asyncio.Event()

    def spying(path: Path) -> object:
        asked.append(path.name)
        if len(asked) == 3:
            enough.set()
        return None

    looked = {"looked at": 2**63, "still": 0}
    sweep = FileSweep(
        paths, wake=lambda _: None, signature=spying, may_hang=lambda _: False, looked_ns=looked.__getitem__
    )
    task = asyncio.create_task(sweep._sweep_for_ever())
    async with asyncio.timeout(40):
        await enough.wait()
        assert asked == ["still"] * 3
        looked["looked at"] = 0
        enough.clear()
        asked.clear()
        await enough.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "looked at" in asked


async def test_a_path_that_may_hang_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "beat.json"
    touched = []

    def spying(asked: Path) -> object:
        touched.append(asked)
        return None

    sweep = FileSweep({CHECK: path}, wake=lambda _: None, signature=spying, may_hang=lambda _: True)
    sweep.follow({CHECK: path})
    sweep.sweep()
    assert touched == []


async def test_events_that_cannot_be_had_leave_the_sweep_at_work_and_are_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def full(*_: object) -> None:
        asked.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileEvents, "follow", full)
    path = tmp_path / "beat.json"
    async with sweeping(path) as bell:
        await asyncio.sleep(0)
        path.write_text("1")
        assert await bell.next() == CHECK
    assert asked
    assert [record.getMessage() for record in caplog.records] == [
        "some file events are off, the sweep goes on without them: [Errno 28] No space left on device"
    ]


async def test_other_files_are_followed_and_a_change_between_is_told(tmp_path: Path) -> None:
    first, second = tmp_path / "beat.json", tmp_path / "run" / "log"
    bell = Bell()
    sweep = FileSweep({CHECK: first}, wake=bell.ring, signature=signature, may_hang=lambda _: False)
    task = asyncio.create_task(sweep.run())
    await asyncio.sleep(0)
    first.write_text("1")
    other = CheckId("mind", "log")
    sweep.follow({other: second, CHECK: first})
    assert await bell.next() == CHECK
    second.parent.mkdir()
    second.write_text("1")
    assert await bell.next() == other
    sweep.follow({other: second})
    first.write_text("222")
    second.write_text("222")
    assert await bell.next() == other
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bell.rung.empty()
