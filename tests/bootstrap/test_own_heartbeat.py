"""The monitor's own heartbeat: of finished rounds alone, and never at the cost of one."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from lifesign.bootstrap import own_heartbeat
from lifesign.bootstrap.own_heartbeat import OwnHeartbeat
from tests.e2e.running import wait_until


class Disk:
    """A writer that takes as long as it is told to."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []
        self.begun = 0
        self.free = threading.Event()

    def write(self, path: Path, **fields: Any) -> bool:
        self.begun += 1
        self.free.wait(60)
        self.written.append(fields)
        return True


@pytest.fixture
def each_round_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_heartbeat, "EVERY_NS", 0)


@pytest.mark.usefixtures("each_round_is_due")
def test_a_disk_that_hangs_holds_up_no_round_and_gets_the_newest_beat_once_it_is_free(tmp_path: Path) -> None:
    disk = Disk()
    heartbeat = OwnHeartbeat(tmp_path / "hb.json", disk.write)
    heartbeat.round_finished()
    wait_until(lambda: disk.begun == 1, "a beat under way")
    for _ in range(1000):
        heartbeat.round_finished()  # the test would hang here
    disk.free.set()
    wait_until(lambda: len(disk.written) == 2, "the newest written")
    assert [fields["cycle"] for fields in disk.written] == [1, 1001]
    heartbeat.close()
    assert disk.written[-1]["status"] == "stopping"


def test_nothing_is_written_in_a_folder_that_came_into_other_hands(tmp_path: Path) -> None:
    disk = Disk()
    disk.free.set()
    heartbeat = OwnHeartbeat(tmp_path / "hb.json", disk.write, others=lambda: "another lifesign")
    heartbeat.round_finished()
    heartbeat.close(timeout_s=60)
    assert disk.written == []


@pytest.mark.usefixtures("each_round_is_due")
def test_a_disk_that_hangs_for_good_is_left_behind(tmp_path: Path) -> None:
    disk = Disk()
    heartbeat = OwnHeartbeat(tmp_path / "hb.json", disk.write)
    heartbeat.round_finished()
    wait_until(lambda: disk.begun == 1, "a beat under way")
    heartbeat.close(timeout_s=0.01)
    assert disk.written == []
    disk.free.set()


def test_it_beats_at_most_once_a_second_and_makes_no_folder_anew(tmp_path: Path) -> None:
    disk = Disk()
    disk.free.set()
    heartbeat = OwnHeartbeat(tmp_path / "hb.json", disk.write)
    begun_s = time.monotonic()
    for _ in range(100):
        heartbeat.round_finished()
    heartbeat.close()
    assert len([fields for fields in disk.written if fields["status"] is None]) <= 2 + time.monotonic() - begun_s
    assert disk.written[-1]["cycle"] == 100
    gone = OwnHeartbeat(tmp_path / "gone" / "hb.json")
    gone.round_finished()
    gone.close()
    assert not (tmp_path / "gone").exists()
