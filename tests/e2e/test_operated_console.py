"""The whole way: a key at the console, a question, a real daemon, a process that is replaced, and its first work."""

import asyncio
import re
from pathlib import Path

from lifesign.api.client import Client
from lifesign.tui.app import ConsoleApp
from lifesign.tui.options import Options
from lifesign.tui.screens.dialog import Dialog
from lifesign.tui.themes import load_themes, shipped_folder
from tests.e2e.respawned import respawned
from tests.e2e.running import Daemon, daemon
from tests.tui.desk import Desk

RESTART = """
[components.mind.restart]
method = "signal"
after = "1s"
grace = "20s"
"""
PATIENCE_S = 30.0


async def until_shown(desk: Desk, pattern: str) -> str:
    """Waits until the screen has `pattern`; what it matched."""
    async with asyncio.timeout(PATIENCE_S):
        while (found := re.search(pattern, desk.text)) is None:
            await desk.tick()
            await asyncio.sleep(0.05)
    return found[0]


async def test_a_hung_worker_is_restarted_by_a_key_and_shown_until_its_first_work(tmp_path: Path) -> None:
    with respawned(tmp_path) as worker:
        worker.start()
        with daemon(tmp_path, worker.config + RESTART) as running:
            await asyncio.to_thread(running.wait_for_event, "component.healthy", "mind")
            worker.hang()
            await asyncio.to_thread(running.wait_for_event, "component.down", "mind")
            await _restart_by_key(running, worker.pids[0])
            [sent] = running.events("restart.sent")
            assert sent["data"]["author"].startswith("alice")
            assert len(worker.pids) == 2
            assert running.component("mind")["state"] != "down"


async def _restart_by_key(running: Daemon, pid: int) -> None:
    options = Options(themes=load_themes(shipped_folder()), author="alice")
    app = ConsoleApp(lambda timeout_s: Client.connect(f"unix:{running.socket}", timeout_s), options)
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        desk = Desk(app, pilot, None)  # type: ignore[arg-type]  # its source is the daemon
        await until_shown(desk, "✖ down     mind")
        await desk.press("R")
        await desk.until(lambda: isinstance(app.screen, Dialog) and app.screen.listens, "no dialog listens")
        assert f"by signal: SIGTERM → pid {pid}, running for" in desk.text
        await desk.press("enter", "right", "enter")
        line = await until_shown(desk, rf"productive +by alice.*{pid} → [0-9]+ .*")
        assert re.search(r"[0-9.]+ s / [0-9.]+ s", line)
