"""Beats by the sd_notify protocol, from what a datagram says to a real program of systemd that beats a real daemon."""

import asyncio
import os
import shutil
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from lifesign.bootstrap import notified
from lifesign.bootstrap.notified import NotifySockets, read_message
from lifesign.bootstrap.state_folder import StateFolder
from lifesign.core.model import CheckId, Verdict
from tests.e2e.running import Daemon, daemon, wait_until

if TYPE_CHECKING:
    from lifesign.bootstrap.beats import Beats

NOW_NS = 1_790_000_000 * 10**9
PUSH = '[components.job.checks.{name}]\ntype = "push"\nstale_after = "{stale}"\ngrace = "100ms"\n'


@pytest.mark.parametrize(
    ("raw", "verdict", "message", "works"),
    [
        (b"WATCHDOG=1", Verdict.OK, "", True),
        (b"READY=1\nSTATUS=12 done\nMAINPID=7", Verdict.OK, "12 done", True),
        (b"STATUS=a\x1b[2J\xffb\nWATCHDOG=1\n", Verdict.OK, "a\ufffd[2J\ufffdb", True),
        (b"STOPPING=1", Verdict.OK, "stopping in an orderly way", True),
        (b"WATCHDOG=trigger\nSTATUS=deadlock", Verdict.FAIL, "the program asks to be taken for hung: deadlock", False),
        (b"ERRNO=5\nSTATUS=disk", Verdict.FAIL, "the program tells error 5: disk", False),
    ],
)
def test_a_datagram_is_a_beat_a_failure_or_an_end(raw: bytes, verdict: Verdict, message: str, works: bool) -> None:
    found = read_message(raw, NOW_NS)
    assert found is not None
    assert (found.verdict, found.message) == (verdict, message)
    assert (found.signal is not None and found.signal.timestamp_ns == NOW_NS) is works


@pytest.mark.parametrize(
    "raw", [b"", b"\0" * 4096, b"STATUS=fine", b"MAINPID=1", b"WATCHDOG", b"WATCHDOG=0", b"READY=2", b"ERRNO=0", b"=1"]
)
def test_what_tells_nothing_of_work_is_no_beat(raw: bytes) -> None:
    assert read_message(raw, NOW_NS) is None


async def test_its_socket_is_made_anew_in_a_state_folder_that_was_gone_and_others_keep_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(notified, "FOLLOWS_EVERY_S", 0.01)
    monkeypatch.setattr(notified.logger, "warning", lambda words, *_: told.append(words))
    ours, others, name = StateFolder(tmp_path / "state"), StateFolder(tmp_path / "state"), "notify/job.a"
    beats = cast("Beats", SimpleNamespace(makers={CheckId("job", "a"): None}))
    assert ours.hold() is None
    hearing = asyncio.create_task(NotifySockets(ours, None, beats, lambda _: None).run())
    socket_file = ours.path / name
    await asyncio.to_thread(wait_until, socket_file.is_socket, "its socket")
    shutil.rmtree(ours.path)
    await asyncio.to_thread(
        wait_until, lambda: any("no sd_notify socket" in words for words in told), "that it is gone"
    )
    ours.path.mkdir()
    await asyncio.to_thread(wait_until, socket_file.is_socket, "its socket, made anew")
    assert others.hold() is None
    socket_file.unlink()
    socket_file.write_text("theirs")
    hearing.cancel()
    await asyncio.wait([hearing])
    assert socket_file.read_text() == "theirs"
    ours.release()
    others.release()


def notify(path: Path, *messages: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        for message in messages:
            channel.sendto(message, str(path))


def check(running: Daemon, name: str) -> dict[str, object]:
    [found] = [one for one in running.component("job")["checks"] if one["name"] == name]
    assert isinstance(found, dict)
    return found


def test_a_program_beats_its_own_check_by_datagram_also_one_that_a_reload_brought(tmp_path: Path) -> None:
    with daemon(tmp_path, PUSH.format(name="a", stale="1m") + PUSH.format(name="b", stale="1m")) as running:
        folder = tmp_path / "state" / "notify"
        wait_until((folder / "job.b").exists, "its socket")
        assert (folder / "job.a").stat().st_mode & 0o777 == 0o600
        notify(folder / "job.a", b"STATUS=loading", b"\xff" * 3000, b"WATCHDOG=1\nSTATUS=one done")
        wait_until(lambda: check(running, "a")["state"] == "passing", "the beat of a")
        assert "one done" in str(check(running, "a")["message"])
        assert check(running, "b")["state"] != "passing"
        text = running.config.read_text()
        running.config.write_text(text + PUSH.format(name="c", stale="1m"))
        wait_until((folder / "job.c").exists, "the socket of a check that is new")
        notify(folder / "job.c", b"READY=1")
        wait_until(lambda: check(running, "c")["state"] == "passing", "the beat of c")
        running.config.write_text(text)
        wait_until(lambda: not (folder / "job.c").exists(), "a socket goes with its check")
        notify(folder / "job.a", b"WATCHDOG=trigger")
        wait_until(lambda: check(running, "a")["state"] == "failed", "the failure of a")
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(
    shutil.which("systemd-notify") is None and "LIFESIGN_CI" not in os.environ, reason="needs systemd (Debian)"
)
def test_systemds_own_program_beats_a_push_check(tmp_path: Path) -> None:
    with daemon(tmp_path, PUSH.format(name="beat", stale="1m")) as running:
        path = tmp_path / "state" / "notify" / "job.beat"
        wait_until(path.exists, "its socket")
        environ = {**os.environ, "NOTIFY_SOCKET": str(path)}
        done = subprocess.run(
            ["systemd-notify", "--status=17 rows", "WATCHDOG=1"],
            env=environ,
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        wait_until(lambda: check(running, "beat")["state"] == "passing", "the beat of systemd-notify")
        assert "17 rows" in str(check(running, "beat")["message"])
