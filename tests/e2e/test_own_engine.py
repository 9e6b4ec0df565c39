"""A console's own engine: it restarts by itself only where `--act` allows it."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.respawned import respawned
from tests.e2e.running import LIFESIGN, wait_until
from tests.e2e.test_restarts import by_signal


@contextmanager
def console(config: Path, *words: str) -> Iterator[int]:
    """A console without a terminal, with an engine of its own; its pid."""
    argv = [*LIFESIGN, "console", "-c", str(config), *words]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=40)


@pytest.mark.parametrize("acts", [False, True])
def test_a_consoles_own_engine_restarts_by_itself_only_with_act(tmp_path: Path, acts: bool) -> None:
    with respawned(tmp_path) as worker:
        worker.start()
        wait_until((tmp_path / "heartbeat.json").exists, "the first work")
        config = tmp_path / "lifesign.toml"
        config.write_text(f'[monitor]\nstate_dir = "state"\n{worker.config}{by_signal()}')
        config.chmod(0o644)
        with console(config, *(["--act"] if acts else [])):
            worker.hang()
            if acts:
                wait_until(lambda: len(worker.pids) == 2, "a restart", 40)
            else:
                threading.Event().wait(8)  # one with --act has restarted it long ago
                assert len(worker.pids) == 1
