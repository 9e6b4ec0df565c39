"""The demo's two houses: headless, where log and narration are printed, and interactive, under the console.

Both run the ordinary daemon on the stack's config and ask it over its socket, as any client does.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from lifesign.api.client import Client
from lifesign.api.documents import State
from lifesign.api.failures import ClientError
from lifesign.demo.director import Director, Outcome, Tempo
from lifesign.demo.stack import DemoStack

DAEMON_PATIENCE_S = 6.0
_LINES_AT_LAST = 40
_INTERACTIVE = Tempo(hold_s=8.0, rest_s=5.0, patience_s=30.0)


class DemoError(Exception):
    """The show could not go on; the message is a sentence for the user."""


def play_headless(
    duration_s: float | None, echo: Callable[[str], None], narrate: Callable[[str], None]
) -> list[Outcome]:
    """Plays once, or for `duration_s`; what came of each scenario. `echo` gets the daemon's log, line by line.

    Ends early on SIGINT and SIGTERM. Raises DemoError.
    """
    with DemoStack() as stack:
        arguments = ["-m", "lifesign", "run", "-c", str(stack.config_path), "--log-format", "text"]
        daemon = stack.spawn("daemon", arguments, stdout=subprocess.PIPE)
        lines = threading.Thread(target=_echo, args=(daemon, echo), daemon=True)
        lines.start()
        director = Director(stack, lambda: _state(stack), narrate)
        try:
            healthy = asyncio.run(_direct(director, duration_s, daemon))
        finally:
            _end(daemon)
            lines.join(1.0)
    if not healthy:
        raise DemoError("lifesign never called the stack healthy")
    return director.outcomes


def play_interactive(narrate: Callable[[str], None]) -> int:
    """Shows the console over the breaking stack until the user leaves it, then narrates what was broken meanwhile.

    Returns the console's exit code. Raises DemoError where the daemon does not start.
    """
    told: list[str] = []
    with DemoStack() as stack:
        daemon = stack.spawn("daemon", ["-m", "lifesign", "run", "-c", str(stack.config_path)])
        director = Director(stack, lambda: _state(stack), told.append, _INTERACTIVE)
        code = asyncio.run(_direct_under_console(director, stack, daemon))
        _end(daemon)
    with suppress(OSError):  # the terminal may be gone
        for line in told[-_LINES_AT_LAST:]:
            narrate(line)
    return code


async def _direct(director: Director, duration_s: float | None, daemon: "subprocess.Popen[bytes]") -> bool:
    """Whether the stack was seen healthy. A signal ends the show, and what was told so far counts."""
    show = asyncio.create_task(director.run(duration_s))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, show.cancel)
    watch = asyncio.create_task(_until_dead(daemon))
    await asyncio.wait((show, watch), return_when=asyncio.FIRST_COMPLETED)
    if not show.done():
        show.cancel()
        await asyncio.wait((show,))
        raise DemoError(f"the daemon ended by itself with {daemon.returncode}")
    watch.cancel()
    return True if show.cancelled() else show.result()


async def _direct_under_console(director: Director, stack: DemoStack, daemon: "subprocess.Popen[bytes]") -> int:
    show = asyncio.create_task(_for_ever(director))
    try:
        await _until_served(stack, daemon)
        argv = ["-m", "lifesign.demo.tied", str(os.getpid()), "console", "-c", str(stack.config_path)]
        console = await asyncio.create_subprocess_exec(sys.executable, *argv)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # the console's own affair
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, _ask_to_end, console)
        return await console.wait()
    finally:
        show.cancel()
        await asyncio.wait((show,))


async def _for_ever(director: Director) -> None:
    with suppress(DemoError):
        await director.run(float("inf"))


def _ask_to_end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()


async def _until_served(stack: DemoStack, daemon: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        if daemon.poll() is not None:
            break
        if await asyncio.to_thread(_state, stack) is not None:
            return
        await asyncio.sleep(0.05)
    log = (stack.folder / "daemon.log").read_text(errors="replace").strip().splitlines()
    raise DemoError(f"the daemon does not serve: {log[-1] if log else 'it says nothing'}")


async def _until_dead(daemon: "subprocess.Popen[bytes]") -> None:
    while daemon.poll() is None:  # noqa: ASYNC110 - a process sets no event
        await asyncio.sleep(0.2)


def _state(stack: DemoStack) -> State | None:
    try:
        return Client.of_state_dir(stack.state_dir, timeout_s=2.0).state()
    except ClientError:
        return None


def _echo(daemon: "subprocess.Popen[bytes]", echo: Callable[[str], None]) -> None:
    assert daemon.stdout is not None
    for line in daemon.stdout:  # to its end, or the daemon would wait for us
        with suppress(OSError):
            echo(line.decode(errors="replace").rstrip("\n"))


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    with suppress(subprocess.TimeoutExpired):
        daemon.wait(DAEMON_PATIENCE_S)


def is_success(outcomes: Sequence[Outcome]) -> bool:
    """Whether everything that was broken was told, and every recovery."""
    return all(outcome.is_complete for outcome in outcomes)
