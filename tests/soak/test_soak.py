"""The soak in two minutes, and the end at any moment with a mount that hangs."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.running import LIFESIGN, ended, wait_until
from tests.faults.recipes import heartbeat_hung_mount
from tests.soak.population import COMPONENTS, kinds
from tests.soak.run import soak
from tests.soak.usage import Sample, flatness

MOUNT_MISSING = heartbeat_hung_mount.Fault.missing()


def test_growth_is_told_from_flatness() -> None:
    flat = flatness([Sample(2.0 * n, 50 + n % 3, 20, 3, n % 2) for n in range(100)], warm_up_s=20)
    assert [one.field for one in flat if not one.is_flat] == []
    grown = flatness([Sample(2.0 * n, 50 + n / 10, 20 + n // 10, 3, 0) for n in range(100)], warm_up_s=20)
    assert [one.field for one in grown if not one.is_flat] == ["resident_mb", "descriptors"]


def test_the_faults_of_the_library_take_part() -> None:
    assert 50 <= len(kinds()) < COMPONENTS


@pytest.mark.proof
@pytest.mark.timeout(400)
def test_two_minutes_of_faults_reloads_and_clients_leave_nothing_behind(tmp_path: Path) -> None:
    by = ["chrt", "-r", "1"] if os.geteuid() == 0 and shutil.which("chrt") else []  # its own lag, not its neighbours'
    report = soak(tmp_path, 2, reloads=True, prefix=by)
    sys.stdout.write(report.text() + "\n")
    assert report.faults() == []


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.skipif(MOUNT_MISSING != "", reason=MOUNT_MISSING)
def test_sigterm_ends_it_at_any_moment_though_a_mount_hangs(tmp_path: Path) -> None:
    chance, took_s = random.Random(3), []
    for number in range(12):
        folder = tmp_path / str(number)
        folder.mkdir()
        with contextlib.closing(heartbeat_hung_mount.Fault()) as fault:
            config = folder / "lifesign.toml"
            text = '[monitor]\nstate_dir = "state"\n[defaults]\ninterval = "300ms"\ntimeout = "1s"\n'
            config.write_text(text + fault.config(folder))
            fault.inject()
            process = subprocess.Popen(
                [*LIFESIGN, "run", "-c", str(config)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
            wait_until((folder / "state" / "lifesign.sock").exists, "a socket")
            time.sleep(chance.uniform(0, 4))  # at any moment
            process.send_signal(signal.SIGTERM)
            code, seconds = ended(process)
            took_s.append(seconds)
            assert code == 0
    sys.stdout.write(f"SIGTERM to the end: {max(took_s):.2f} s at most of {len(took_s)}\n")
    assert max(took_s) < 5.0
