"""What has its answer without waiting says the same as the look that may wait."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from lifesign.checks import file_reading
from lifesign.checks.heartbeat import HeartbeatProbe
from lifesign.checks.tcp import TcpProbe
from lifesign.core.model import Verdict

NOW_NS = 1_790_000_000_000_000_000


async def test_a_port_of_the_loopback_answers_at_once_as_it_does_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        probe = TcpProbe(address=address, timeout_s=5)
        open_ = probe.look_at_once(NOW_NS)
        assert open_ is not None
        assert (open_.verdict, open_.message) == (Verdict.OK, f"connected to {address}")
        server.accept()[0].close()
        assert (await probe.look(NOW_NS)).message == open_.message
    closed = probe.look_at_once(NOW_NS)
    assert closed is not None
    assert (closed.verdict, closed.message) == (Verdict.FAIL, f"connection refused by {address}")
    assert (await probe.look(NOW_NS)).message == closed.message


def test_what_may_take_a_while_has_no_answer_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert TcpProbe(address=address, timeout_s=5, expect="hello").look_at_once(NOW_NS) is None
        assert TcpProbe(address="192.0.2.1:80", timeout_s=5).look_at_once(NOW_NS) is None
        assert TcpProbe(address=f"localhost:{address[10:]}", timeout_s=5).look_at_once(NOW_NS) is None


def test_a_full_backlog_is_no_answer_at_once_and_leaves_no_socket() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as server,
        socket.socket() as first,
        socket.socket() as second,
    ):
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        probe = TcpProbe(address=f"127.0.0.1:{server.getsockname()[1]}", timeout_s=5)
        assert probe.look_at_once(NOW_NS) is None
        assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


async def test_a_good_beat_is_read_at_once_and_a_bad_one_waits_for_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "beat.json"
    probe = HeartbeatProbe(path=path)
    assert probe.look_at_once(NOW_NS) is None
    path.write_text(json.dumps({"timestamp": NOW_NS // 1_000_000_000, "cycle": 7}))
    found = probe.look_at_once(NOW_NS)
    assert found is not None
    assert found.signal is not None
    assert (found.verdict, found.message, found.signal.progress) == (Verdict.OK, "cycle 7", 7)
    path.write_text("{")
    assert probe.look_at_once(NOW_NS) is None
    assert (await probe.look(NOW_NS)).verdict is Verdict.FAIL
    path.unlink()
    assert "is gone" in (await probe.look(NOW_NS)).message


def _by_another_beat(path: Path) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_text(_beat(8))
    fresh.replace(path)


def _by_a_longer_beat(path: Path) -> None:
    path.write_text(_beat(8) + " " * 5_000)


def _by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _beat(cycle: int) -> str:
    return json.dumps({"timestamp": NOW_NS // 1_000_000_000, "cycle": cycle})


@pytest.mark.parametrize("replaced", [_by_another_beat, _by_a_longer_beat, _by_a_pipe])
async def test_a_file_replaced_between_its_status_and_its_reading_is_read_as_it_is_then_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: Callable[[Path], None]
) -> None:
    path = tmp_path / "beat.json"
    path.write_text(_beat(7))
    os.utime(path, (1, 1))
    probe, later_ns, opened = HeartbeatProbe(path=path), 2 * NOW_NS, os.open

    def replacing(*of: int | str) -> int:
        replaced(path)
        return opened(*of)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(file_reading.os, "open", replacing)  # type: ignore[attr-defined]
        found = probe.look_at_once(later_ns)
    if replaced is _by_a_pipe:
        assert found is None
        return
    assert found is not None
    assert found.message == "cycle 8"
    path.write_text(_beat(9))
    again = probe.look_at_once(later_ns)
    assert again is not None
    assert again.message == "cycle 9"
