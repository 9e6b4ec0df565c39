"""A state folder that is of no use costs the monitor its memory, and nobody the watch."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.e2e.running import LIFESIGN, check, daemon, wait_until
from tests.faults.families.state import StateFault
from tests.faults.recipe import Recipe
from tests.faults.registry import all_recipes, alone
from tests.faults.test_targets import DEFAULTS, prepared
from tests.ports import free_port

KINDS = [kind for kind in all_recipes() if issubclass(kind, StateFault)]


@pytest.mark.parametrize("kinds", [alone(kind) for kind in KINDS])
def test_the_watch_goes_on_without_a_state_folder_that_can_be_used(tmp_path: Path, kinds: list[type[Recipe]]) -> None:
    with prepared(tmp_path, kinds) as ([fault], text):
        assert isinstance(fault, StateFault)
        folder = tmp_path / fault.name
        fault.prepare()
        if fault.had_a_life_before:
            with daemon(folder, DEFAULTS + text) as running:
                wait_until(lambda: running.component(fault.name)["state"] == "healthy", "an earlier life")
        if not fault.comes_later:
            fault.inject()
        with answering(folder, DEFAULTS + text) as state:
            wait_until(lambda: standing(state(), fault.name) == "healthy", "healthy")
            if fault.comes_later:
                fault.inject()
            fault.worker.end()
            wait_until(lambda: standing(state(), fault.name) == "down", "down")
            if fault.is_writable is not None:
                wait_until(lambda: state()["monitor"]["state_writable"] is fault.is_writable, "it says so")
    assert "Traceback" not in (folder / "stderr").read_text()


@pytest.mark.parametrize("kinds", [alone(kind) for kind in KINDS if not kind.comes_later])
def test_a_run_from_cron_looks_on_without_a_state_folder_that_can_be_used(
    tmp_path: Path, kinds: list[type[Recipe]]
) -> None:
    with prepared(tmp_path, kinds) as ([fault], text):
        assert isinstance(fault, StateFault)
        folder = tmp_path / fault.name
        fault.prepare()
        config = folder / "lifesign.toml"
        config.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{DEFAULTS}{text}')
        config.chmod(0o644)
        if fault.had_a_life_before:
            assert check(config)[1]["monitor"]["state_writable"] is True
        fault.inject()
        code, state = check(config)
        assert (code, standing(state, fault.name)) == (0, "healthy")
        if fault.is_writable is not None:
            assert state["monitor"]["state_writable"] is fault.is_writable
        fault.worker.end()
        wait_until(lambda: check(config)[0] == 2, "down")
        done = subprocess.run([*LIFESIGN, "check", "-c", str(config)], capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        warned = [line for line in done.stderr.splitlines() if line.startswith("lifesign: warning: ")]
        assert len(warned) == (fault.is_writable is False), done.stderr


def standing(state: dict[str, Any], name: str) -> str | None:
    """The state of one component, None before there is any answer."""
    return next((found["state"] for found in state.get("components", []) if found["name"] == name), None)


@contextlib.contextmanager
def answering(folder: Path, text: str) -> Iterator[Any]:
    """A daemon asked over TCP, for without a state folder it has no socket; what asks it for its state."""
    port = free_port()
    config = folder / "lifesign.toml"
    config.write_text(f'[monitor]\nname = "e2e"\nstate_dir = "state"\n[http]\nlisten = "127.0.0.1:{port}"\n{text}')
    config.chmod(0o644)
    with (folder / "stderr").open("wb") as errors:
        process = subprocess.Popen([*LIFESIGN, "run", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=errors)

    def state() -> dict[str, Any]:
        url = f"http://127.0.0.1:{port}/api/v1/state"
        with contextlib.suppress(URLError, ConnectionError), urlopen(url, timeout=20) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
        return {}

    try:
        yield state
    finally:
        process.terminate()
        code = process.wait(timeout=40)
    assert code == 0, (folder / "stderr").read_text()
