"""The `host` check against this very machine, whose own figures are read another way."""

import os
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from lifesign.checks.host import HostProbe
from lifesign.core.model import Observation, Verdict


async def look(**limits: Any) -> Observation:
    probe = HostProbe(timeout_s=10, **limits)
    return await probe.look(time.time_ns())


async def test_within_its_limits_it_tells_each_figure() -> None:
    found = await look(max_load=10_000, max_memory=100, max_swap=100, disk=Path("/"), min_free_bytes=1)
    assert found.verdict is Verdict.OK, found.message
    assert [part.split()[0] for part in found.message.split("; ")] == ["load", "memory", "swap", "/"]
    assert found.metrics["memory_percent"] == pytest.approx(psutil.virtual_memory().percent, abs=5)
    assert found.metrics["disk_free_bytes"] == pytest.approx(psutil.disk_usage("/").free, rel=0.05)


async def test_every_limit_that_is_passed_is_told_and_no_other() -> None:
    found = await look(max_load=10_000, max_memory=0.001, disk=Path("/"), min_free_percent=100)
    assert found.verdict is Verdict.FAIL
    memory, disk = found.message.split("; ")
    assert memory.startswith("memory ")
    assert memory.endswith(" in use (limit 0.001 %)")
    assert disk.startswith("/ ")
    assert disk.endswith(" free (limit 100 %)")


async def test_a_file_system_that_cannot_be_asked_is_unknown_and_hides_no_failure() -> None:
    gone = Path("/no/such/folder")
    found = await look(disk=gone, min_free_bytes=1)
    assert (found.verdict, found.message) == (
        Verdict.UNKNOWN,
        "cannot tell the free space of /no/such/folder: No such file or directory",
    )
    assert (await look(max_memory=0.001, disk=gone, min_free_bytes=1)).verdict is Verdict.FAIL


async def test_a_mount_that_may_hang_is_asked_by_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifesign.checks.host.may_hang", lambda path: True)
    found = await look(disk=Path("/"), min_free_bytes=1)
    status = os.statvfs("/")
    assert found.verdict is Verdict.OK
    assert found.metrics["disk_free_bytes"] == pytest.approx(status.f_bavail * status.f_frsize, rel=0.05)
