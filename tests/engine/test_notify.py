"""sd_notify: one datagram each, to a socket file or an abstract name; the watchdog only after a round."""

import os
import socket
from pathlib import Path

import pytest

from lifesign.engine.notify import ServiceManager


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_is_told_in_its_own_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, abstract: bool
) -> None:
    name = f"@lifesign-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name[1:] if abstract else name)
        receiver.settimeout(40)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        monkeypatch.setenv("WATCHDOG_USEC", "40000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        manager = ServiceManager()
        manager.ready()
        manager.round_finished()
        manager.round_finished()
        manager.stopping()
        told = [receiver.recv(100).decode() for _ in range(3)]
    assert told == ["READY=1\nSTATUS=watching", "WATCHDOG=1", "STOPPING=1"]
    assert "NOTIFY_SOCKET" not in os.environ


def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    manager = ServiceManager()
    manager.ready()
    manager.round_finished()


def test_a_manager_that_is_gone_does_not_stop_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    ServiceManager().ready()
